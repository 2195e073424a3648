//! What is running on this machine.

use std::path::Path;

use ferrostack_deploy::Progress;
use stand_ins::emulator::Emulator;

use crate::services::Services;

/// What is running, for the systems' modules.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    /// AWS.
    pub(crate) emulator: &'a Emulator,
    /// Everything else.
    pub(crate) services: &'a Services,
    /// The folder for the browser's pictures.
    pub(crate) pictures: &'a Path,
    /// Whether a system is measured instead of exercised.
    pub(crate) measures: bool,
    /// Shows what is being done.
    pub(crate) progress: &'a Progress,
}
