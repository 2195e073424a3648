//! What is derived from the roster of systems: which names the options take, what is prepared and exercised, the local tenant.
//!
//! A system's module offers
//!
//! ```text
//! pub(crate) const LOCAL: LocalSystem
//! pub(crate) async fn prepare(world: &World<'_>) -> anyhow::Result<()>
//! pub(crate) async fn exercise(world: &World<'_>, stack: &DeployedStack, exercise: &mut Exercise<'_>) -> anyhow::Result<()>
//! ```
//!
//! and its folder has a `tenant.yaml`, the system's block of the local tenant's file.

use anyhow::bail;

use crate::exercise::Exercise;
use crate::stack::DeployedStack;
use crate::system::LocalSystem;
use crate::world::World;

/// The beginning of the local tenant's file.
const TENANT: &str = "\
# The tenant that scripts/local deploys to this machine, composed from infra/local/src/<system>/tenant.yaml.
tenant: local
";

macro_rules! systems {
    ($($system:ident)*) => {
        /// The systems by name, in the order in which their stacks deploy.
        const SYSTEMS: &[(&str, LocalSystem)] = &[$((stacks::$system::SYSTEM.name, crate::$system::LOCAL)),*];

        /// The blocks of the local tenant's file.
        const BLOCKS: &[&str] = &[$(include_str!(concat!(stringify!($system), "/tenant.yaml"))),*];

        /// Creates what the systems need before the tenant is deployed, for all of them or only for this one.
        pub(crate) async fn prepare(world: &World<'_>, only: Option<&str>) -> anyhow::Result<()> {
            $(
                if only.is_none_or(|name| name == stacks::$system::SYSTEM.name) {
                    crate::$system::prepare(world).await?;
                }
            )*
            Ok(())
        }

        /// Exercises the system of a deployed stack.
        pub(crate) async fn exercise(
            world: &World<'_>,
            stack: &DeployedStack,
            exercise: &mut Exercise<'_>,
        ) -> anyhow::Result<()> {
            match stack.system() {
                $(name if name == stacks::$system::SYSTEM.name => crate::$system::exercise(world, stack, exercise).await,)*
                other => bail!("{} belongs to `{other}`, which is not a system of the roster", stack.name),
            }
        }
    };
}
stacks::for_each_system!(systems);

/// The names of all systems.
pub(crate) fn names() -> Vec<&'static str> {
    SYSTEMS.iter().map(|(name, _)| *name).collect()
}

/// The names of the systems that can be measured.
pub(crate) fn measurable() -> Vec<&'static str> {
    SYSTEMS.iter().filter(|(_, system)| system.can_be_measured).map(|(name, _)| *name).collect()
}

/// Whether Redshift is used: by this system, or by any.
pub(crate) fn uses_warehouse(only: Option<&str>) -> bool {
    SYSTEMS.iter().any(|(name, system)| system.uses_warehouse && only.is_none_or(|only| only == *name))
}

/// The file of the local tenant, with every system, for functions of an architecture: those of this machine run here, whatever
/// the tenant's functions run on in AWS.
pub(crate) fn tenant_file(architecture: &str) -> String {
    format!("{TENANT}architecture: {architecture}\n\nsystems:\n{}", BLOCKS.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_tenant_has_every_system() {
        for architecture in ["arm64", "x86_64"] {
            let tenant = stacks::Tenant::parse(&tenant_file(architecture)).unwrap_or_else(|error| panic!("{error}"));
            let mut names: Vec<_> = tenant.stacks().iter().map(|stack| stack.name().to_owned()).collect();
            names.sort();
            let mut expected: Vec<_> = stacks::SYSTEMS.iter().map(|system| format!("local-{}", system.name)).collect();
            expected.sort();
            assert_eq!(names, expected);
        }
    }

    #[test]
    fn postgresql_is_started_only_for_a_system_that_uses_it() {
        assert!(uses_warehouse(None));
        for (name, system) in SYSTEMS {
            assert_eq!(uses_warehouse(Some(name)), system.uses_warehouse, "{name}");
        }
    }
}
