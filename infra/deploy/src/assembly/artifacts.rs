//! A cloud assembly as the deployer sees it: the stacks of one tenant, with their files and parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cfn::Environment;

use crate::Error;
use crate::assembly::TemplateText;
use crate::assembly::manifest::PlatformNeed;

/// The folder of the assembly that all tenants share. If there are environments, there is one for each, named `platform.<environment>`.
pub const PLATFORM: &str = "platform";

/// Whether the assembly of this name is one that all tenants share.
pub(crate) fn is_platform(name: &str) -> bool {
    name.strip_prefix(PLATFORM).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The stack of the assembly that all tenants share.
pub(crate) const PLATFORM_STACK: &str = "ferrostack-platform";

/// The template parameter that names the bucket with the functions' code; empty means the CDK bootstrap bucket.
pub(crate) const ASSET_BUCKET_PARAMETER: &str = "AssetBucket";

/// The template parameter that names the table of the account's QuickSight slots.
pub(crate) const SLOT_TABLE_PARAMETER: &str = "SlotTable";
/// The template parameter that names the role with which API Gateway writes logs, if it is not the stack's own.
pub(crate) const LOG_ROLE_PARAMETER: &str = "LogRole";

/// The stacks of one tenant, dependencies first.
#[derive(Debug, Clone)]
pub struct Assembly {
    /// The tenant's name, which is also the folder's.
    pub tenant: String,
    /// In the order in which they can be created.
    pub stacks: Vec<StackArtifact>,
}

/// One stack as it was synthesized.
#[derive(Debug, Clone)]
pub struct StackArtifact {
    /// The name in CloudFormation, `<tenant>-<system>`.
    pub name: String,
    /// The template.
    pub template: TemplateText,
    /// The template's parameters for which the assembly has a value.
    pub parameters: BTreeMap<String, String>,
    /// Tags of the stack, which CloudFormation passes on to its resources.
    pub tags: BTreeMap<String, String>,
    /// Where it is deployed, and as whom.
    pub environment: Environment,
    /// The functions' zip files, without the template itself.
    pub assets: Vec<Asset>,
    /// Names of the stacks of the assembly that have to be deployed before it.
    pub dependencies: BTreeSet<String>,
    /// The assembly's manifest.
    pub(super) manifest: PathBuf,
    /// What it needs from the platform stack.
    pub(crate) platform_need: Option<PlatformNeed>,
    pub(super) declared_parameters: BTreeSet<String>,
    /// Logical IDs of the resources that CloudFormation is told to keep when they are removed or replaced, because they hold data.
    pub(crate) retained: BTreeSet<String>,
}

/// One file that the stack's resources read from the asset bucket.
#[derive(Debug, Clone)]
pub struct Asset {
    /// What the file is, for people.
    pub name: String,
    /// Where it is on this machine.
    pub path: PathBuf,
    /// The key in the bucket, `<sha256 of the file>.zip`.
    pub key: String,
}

impl Assembly {
    /// Where the tenant is at home: the environment of its last stack. A stack elsewhere is there for one that is deployed after it.
    pub fn home(&self) -> Environment {
        self.stacks.last().map(|stack| stack.environment.clone()).unwrap_or_default()
    }

    /// Identifies what is deployed: two assemblies have different digests whenever their deployments would differ.
    pub(crate) fn digest(&self) -> String {
        let stacks: Vec<_> = self
            .stacks
            .iter()
            .map(|stack| (&stack.name, &stack.environment, stack.template.digest(), &stack.parameters, &stack.tags))
            .collect();
        cfn::sha256(format!("{stacks:?}"))
    }

    /// Keeps only the stack of one system.
    ///
    /// # Errors
    ///
    /// If the tenant has no such system; the message lists those it has.
    pub fn only(mut self, system: &str) -> Result<Assembly, Error> {
        let wanted = format!("{}-{system}", self.tenant);
        let names: Vec<_> = self.stacks.iter().map(|stack| stack.name.clone()).collect();
        self.stacks.retain(|stack| stack.name == wanted);
        if self.stacks.is_empty() {
            return Err(Error::Refused(format!(
                "tenant {} has no system `{system}`; its stacks are {}",
                self.tenant,
                names.join(", ")
            )));
        }
        Ok(self)
    }
}

impl StackArtifact {
    /// Whether the template has a parameter for the bucket with the functions' code.
    pub(crate) fn takes_asset_bucket(&self) -> bool {
        self.declares(ASSET_BUCKET_PARAMETER)
    }

    /// Whether the stack leaves API Gateway's role for logs alone if it is given one.
    pub(crate) fn takes_log_role(&self) -> bool {
        self.declares(LOG_ROLE_PARAMETER)
    }

    /// Whether the stack takes some of the account's QuickSight slots.
    pub(crate) fn takes_slots(&self) -> bool {
        self.declares(SLOT_TABLE_PARAMETER)
    }

    /// Whether the template has this parameter.
    pub(crate) fn declares(&self, parameter: &str) -> bool {
        self.declared_parameters.contains(parameter)
    }

    /// Fails if the template needs function code that the assembly does not contain.
    ///
    /// # Errors
    ///
    /// One sentence that names the script which builds the functions.
    pub fn require_functions(&self) -> Result<(), Error> {
        let missing: Vec<_> = self
            .declared_parameters
            .iter()
            .filter(|name| name.ends_with("CodeKey"))
            .filter(|name| self.parameters.get(*name).is_none_or(String::is_empty))
            .map(String::as_str)
            .collect();
        let absent = self.assets.iter().find(|asset| !asset.path.is_file());
        if missing.is_empty() && absent.is_none() {
            return Ok(());
        }
        let what =
            if missing.is_empty() { absent.map(|asset| asset.name.as_str()).unwrap_or_default() } else { missing[0] };
        Err(Error::Refused(format!(
            "the functions of {} are not in the assembly (no code for {what}); run scripts/build-lambdas, then synthesize again",
            self.name
        )))
    }
}
