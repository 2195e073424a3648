//! Deploys tenants' cloud assemblies through CloudFormation change sets, one or a thousand, and deletes them again.
//!
//! ```text
//! cfn-out/<tenant>/ ─► assembly ─► plan    ─► one change set per stack, shown and deleted
//!                              ├─► fleet   ─► waves of tenants, journal ─┐
//!                              ├─► deploy  ─► assets by hash ────────────┴► one change set per stack ─► events ─► outputs
//!                              │      └─► hotswap ─► only the code of functions
//!                              ├─► status  ─► which version is deployed, what drifted, and its URLs
//!                              └─► destroy ─► what is deleted, what is kept ─► deletion, last stack first
//!
//! wings, each built on those before it: assembly, aws, cloudformation, then plan, deploy, fleet, destroy and status
//! ```
//!
//! Every write carries a token, so a repeated request does no harm. Every wait has a limit. Running a command again after an interruption
//! continues from there. Every call waits for its turn in a lane ([`Rates`]) that all tenants share.

mod assembly;
mod aws;
mod cloudformation;
mod deploy;
mod destroy;
mod error;
mod fleet;
mod options;
mod plan;
mod progress;
pub mod prompt;
mod status;

pub use assembly::{Assembly, Asset, PLATFORM, StackArtifact};
pub use aws::lanes::Rates;
pub use aws::platform::{keep_log_role, require_platform};
pub use aws::target::Target;
pub use cloudformation::snapshot::Snapshot;
pub use deploy::hotswap::{Swapped, hotswap};
pub use deploy::tenant::{Change, Deployed, deploy};
pub use destroy::teardown::{Teardown, destroy};
pub use error::{Error, exit_code_of};
pub use fleet::lock;
pub use fleet::report::{Outcome, Report};
pub use fleet::rollout::{Fleet, Placement, deploy_fleet, deploy_fleets};
pub use options::Options;
pub use plan::allowance;
pub use plan::stack_plan::{StackPlan, clear_plans, plan};
pub use progress::Progress;
pub use status::overview::{Status, status};
