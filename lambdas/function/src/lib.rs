//! What every function needs and none owns: settings from its environment, AWS without a provider chain, a clock, logs.

pub mod aws;
mod clock;
pub mod environment;
pub mod logging;

pub use clock::{Clock, Sleep, millis};
pub use environment::{Invalid, required};
