//! What every function needs: startup, settings from its environment, AWS without a provider chain, a clock, logs.

pub mod aws;
mod clock;
pub mod environment;
pub mod logging;
mod start;

pub use clock::{Clock, Sleep, millis};
pub use environment::{Invalid, required};
pub use start::{Variable, start};
