//! What is derived from the roster in `lib.rs`. The tests in `tests/roster` compare documents and folders with [`SYSTEMS`].

use cfn::Stack;
use serde::Deserialize;

use crate::shared::fields::given;
use crate::shared::warehouse::{NoSchema as _, Schema};
use crate::tenancy::Tenancy;

/// How people and folders refer to one system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct System {
    /// Its key in tenant files, the end of its stacks' names, its folder in `lambdas/`, and its document in `docs/`.
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
        /// Every system, in the order in which their stacks deploy.
        pub const SYSTEMS: &[System] = &[$(crate::$system::SYSTEM),*];

        /// The settings of the systems that a tenant has.
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
            /// The stacks of one tenant.
            pub(crate) fn stacks(&self, tenancy: &Tenancy) -> Vec<Stack> {
                let stacks = [$(self.$system.as_ref().map(|props| crate::$system::stack(tenancy, props))),*];
                stacks.into_iter().flatten().collect()
            }

            /// The schemas of existing warehouses that the stacks set up.
            pub(crate) fn schemas(&self, tenancy: &Tenancy) -> Vec<Schema> {
                let schemas = [$(self.$system.as_ref().and_then(|props| props.schema_of(tenancy))),*];
                schemas.into_iter().flatten().collect()
            }
        }
    };
}
for_each_system!(systems);
