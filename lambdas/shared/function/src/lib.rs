//! What every function needs: startup, settings from its environment, AWS without a provider chain, a clock, logs.

mod at_most_once;
pub mod aws;
mod clock;
pub mod environment;
pub mod logging;
pub mod outcome;
mod start;

pub use at_most_once::AtMostOnce;
pub use clock::{Clock, Sleep, millis};
pub use environment::{Invalid, required};
pub use outcome::{Failure, Outcome};
pub use start::{Variable, start};
