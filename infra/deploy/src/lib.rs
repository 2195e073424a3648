//! Deploys tenants' cloud assemblies through CloudFormation change sets, one or a thousand, and takes them down again.
//!
//! ```text
//! cfn-out/<tenant>/ ─► Assembly::read ─► plan    ─► one change set a stack, told and thrown away
//!                                    ├─► fleet   ─► waves of tenants, journal ─┐
//!                                    ├─► deploy  ─► assets by hash ────────────┴► one change set a stack ─► events ─► outputs
//!                                    ├─► hotswap ─► code of functions only
//!                                    ├─► status  ─► which version is deployed, what drifted, and where it answers
//!                                    └─► destroy ─► what goes, what stays ─► deletion, last stack first
//! ```
//!
//! Every write carries a token, so a repeated request does no harm; every wait has a limit; running a command again after an
//! interruption goes on from what is there. Every call takes its turn in a lane ([`Rates`]) that all tenants share.

mod account;
pub mod allowance;
mod assembly;
mod assets;
mod aws_json;
mod bucket;
mod change_set;
mod contents;
mod data;
mod deploy;
mod destroy;
mod drift;
mod error;
mod fleet;
mod found;
mod hotswap;
mod journal;
mod manifest;
mod pace;
mod parting;
mod plan;
mod plan_text;
mod progress;
pub mod prompt;
mod rights;
mod slots;
mod status;
mod target;
mod verb;
mod version;
mod watch;
mod waves;

pub use assembly::{Assembly, Asset, PLATFORM, StackArtifact};
pub use deploy::{Change, Deployed, Options, deploy};
pub use destroy::{Teardown, destroy};
pub use error::{Error, exit_code_of};
pub use fleet::{Fleet, Outcome, Report, deploy_fleet};
pub use hotswap::{Swapped, hotswap};
pub use pace::Rates;
pub use plan::{StackPlan, clear_plans, plan};
pub use progress::Progress;
pub use status::{Status, status};
pub use target::Target;
