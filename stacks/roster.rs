//! The one list of the systems.
//!
//! Whatever has to do something for each system takes the list from here: it hands [`for_each_system!`](crate::for_each_system) a
//! macro of its own, and a system that it does not know is a module that is missing, which does not compile. What cannot be
//! compiled (documents, example files) is compared with [`SYSTEMS`] by the tests in `tests/roster`.

use crate::shared::fields::given;
use crate::tenancy::Tenancy;
use cfn::Stack;
use serde::Deserialize;

/// Calls a macro with the module names of all systems, in the order in which their stacks deploy.
///
/// ```
/// macro_rules! names {
///     ($($system:ident)*) => { [$(stacks::$system::SYSTEM.name),*] };
/// }
/// assert!(stacks::for_each_system!(names).contains(&"write-back"));
/// ```
#[macro_export]
macro_rules! for_each_system {
    ($macro:ident) => {
        $macro! { qlik_reload query_app report_delivery slack_connector write_back }
    };
}

/// One system, as people are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct System {
    /// Its key in tenant files, the end of its stacks' names, its folder in `lambdas/` and its document in `docs/`.
    pub name: &'static str,
    /// Its name in headings and tables.
    pub title: &'static str,
    /// What its users get, for the tables in README.md and docs/README.md.
    pub summary: &'static str,
}

impl System {
    /// The name of its module in this crate, and of the folders with its template tests and its local exercise.
    pub fn module(&self) -> String {
        self.name.replace('-', "_")
    }
}

macro_rules! systems {
    ($($system:ident)*) => {
        /// Every system there is.
        pub const SYSTEMS: &[System] = &[$(crate::$system::SYSTEM),*];

        /// The settings of the systems that a tenant has: those that its file names.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct Systems {
            $(
                #[doc = concat!("The settings of `", stringify!($system), "`.")]
                #[serde(default, deserialize_with = "given")]
                pub $system: Option<crate::$system::Props>,
            )*
        }

        impl Systems {
            /// The stacks of one tenant, in the order in which they deploy.
            pub(crate) fn stacks(&self, tenancy: &Tenancy) -> Vec<Stack> {
                let stacks = [$(self.$system.as_ref().map(|props| crate::$system::stack(tenancy, props))),*];
                stacks.into_iter().flatten().collect()
            }
        }
    };
}
for_each_system!(systems);
