//! Custom resource that sets up a warehouse for write-back: the history of quotes, the signing function, two views, and grants.
//!
//! How events are carried out is described in the crate `warehouse-setup`.

mod names;
mod properties;
mod settings;
mod sql;
mod system;

use function::Clock;
pub use settings::Settings;
pub use system::WriteBack;
use warehouse_setup::WarehouseSetup;

/// Wires the function; nothing is connected before the first event.
pub fn setup(settings: &Settings, clock: Clock) -> WarehouseSetup<WriteBack> {
    WarehouseSetup::new(WriteBack, &settings.redshift_data, clock)
}
