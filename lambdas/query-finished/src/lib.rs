//! Tells the right connection that its query has ended, and sweeps what no event reported.
