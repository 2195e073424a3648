//! The shipped state machine in a world of its own: one thread, a virtual clock, and every call to AWS a point where anything
//! may happen. One seed is one history.
//!
//! A schedule has two halves. In the first, jobs are submitted (some twice), some are deleted, pollers are triggered each minute
//! and by files (some twice, some not at all), and calls fail in every way a network allows. In the second, nothing fails any
//! more, and everything must come to its end.

mod aws;
mod bugs;
mod executor;
mod schedule;

pub(crate) use bugs::PLANTED;
pub(crate) use schedule::{fair, run};
