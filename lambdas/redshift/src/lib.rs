//! Redshift through its Data API: statements with named parameters, identifiers, results.
