//! The real state machine in a simulated world: one thread, a virtual clock, and every call to AWS is a point where anything
//! may happen. One seed gives one history.
//!
//! A schedule has two halves. In the first, jobs are submitted (some twice), some are deleted, pollers are triggered each minute
//! and by files (some twice, some not at all), and calls fail in every way that a network allows. In the second, nothing fails any
//! more, and everything must end.

mod aws;
mod bugs;
mod deliveries;
mod delivery_bugs;
mod executor;
mod schedule;

pub(crate) use bugs::PLANTED;
pub(crate) use deliveries::deliver;
pub(crate) use delivery_bugs::PLANTED_IN_DELIVERIES;
pub(crate) use schedule::{fair, run};
