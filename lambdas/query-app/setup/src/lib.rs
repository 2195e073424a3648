//! Custom resource that sets up a warehouse for named queries: a schema, perhaps filled by a script, and a user who reads it.
//!
//! How events are carried out is described in the crate `warehouse-setup`. The statements of a script are the exception to
//! what it says about repetition: their author is not this project, so they run for a Create, and never for an Update or a Delete.

mod properties;
mod script;
mod settings;
mod split;
mod system;

use function::Clock;
use script::Scripts;
pub use settings::Settings;
pub use system::QueryApp;
use warehouse_setup::WarehouseSetup;

/// Wires the function; nothing is connected before the first event.
pub fn setup(settings: &Settings, clock: Clock) -> WarehouseSetup<QueryApp> {
    WarehouseSetup::new(QueryApp { scripts: Scripts::new(&settings.s3) }, &settings.redshift_data, clock)
}
