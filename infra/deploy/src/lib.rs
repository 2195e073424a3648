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

mod assembly;
mod aws;
mod cloudformation;
mod deploy;
mod destroy;
mod error;
mod fleet;
mod plan;
mod progress;
pub mod prompt;
mod status;

pub use assembly::read::{Assembly, Asset, PLATFORM, StackArtifact};
pub use aws::lanes::Rates;
pub use aws::target::Target;
pub use deploy::hotswap::{Swapped, hotswap};
pub use deploy::tenant::{Change, Deployed, Options, deploy};
pub use destroy::teardown::{Teardown, destroy};
pub use error::{Error, exit_code_of};
pub use fleet::rollout::{Fleet, Outcome, Report, deploy_fleet};
pub use plan::allowance;
pub use plan::stack_plan::{StackPlan, clear_plans, plan};
pub use progress::Progress;
pub use status::overview::{Status, status};
