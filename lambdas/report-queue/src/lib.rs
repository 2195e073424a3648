//! The queue of report jobs and the slots they run in.
