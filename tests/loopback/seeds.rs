//! How many histories a simulation tries.

use std::ops::Range;

/// The seeds of a simulation: from 0 up to `usual`, or up to the number in `SIMULATION_SEEDS`, which scripts/nightly sets.
///
/// # Panics
///
/// If the variable is not a whole number.
pub fn seeds(usual: u64) -> Range<u64> {
    0..std::env::var("SIMULATION_SEEDS").map_or(usual, |number| number.parse().unwrap())
}
