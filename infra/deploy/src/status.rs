//! Which version of each stack is deployed, and where it answers.

use std::fmt;

use aws_sdk_cloudformation::types::StackStatus;

use crate::version::{self, Version};
use crate::{Assembly, Error, Progress, Target, drift, watch};

/// One stack as it is found; displayed as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackState {
    tenant: String,
    system: String,
    /// `None` if the stack is not deployed.
    deployed: Option<Deployed>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Deployed {
    status: String,
    revision: Option<String>,
    /// Whether the template is the assembly's; `None` where the stack does not say which it has.
    same_template: Option<bool>,
    /// What somebody changed by hand; `None` where nobody asked.
    drifted: Option<Vec<String>>,
    /// Outputs that are URLs, by name.
    urls: Vec<(String, String)>,
}

/// Looks at every stack of the assembly and changes nothing. A stack that was never executed counts as not deployed. With `drift`,
/// CloudFormation compares every resource with its template, which takes up to some minutes a stack.
///
/// # Errors
///
/// When CloudFormation does not answer, or does not let the caller look.
pub async fn status(
    target: &Target,
    assembly: &Assembly,
    drift: bool,
    progress: &Progress,
) -> Result<Vec<StackState>, Error> {
    let mut states = Vec::new();
    for stack in &assembly.stacks {
        progress.begin(format!("{}: looking at what is there", stack.name), 0);
        let found = watch::describe(target, &stack.name).await?.filter(|found| {
            !matches!(found.stack_status(), Some(StackStatus::DeleteComplete | StackStatus::ReviewInProgress))
        });
        let drifted = match &found {
            Some(_) if drift => Some(drift::drifted(target, &stack.name).await?),
            _ => None,
        };
        let deployed = found.map(|found| {
            let version = Version::of(&found);
            let is_url = |value: &str| ["https://", "http://", "wss://"].iter().any(|scheme| value.starts_with(scheme));
            Deployed {
                status: found.stack_status().map(StackStatus::as_str).unwrap_or_default().to_owned(),
                revision: version.revision,
                same_template: version.template.map(|template| template == version::template_hash(stack)),
                drifted,
                urls: watch::outputs(&found).into_iter().filter(|(_, value)| is_url(value)).collect(),
            }
        });
        let system = stack.name.strip_prefix(&format!("{}-", assembly.tenant)).unwrap_or(&stack.name);
        states.push(StackState { tenant: assembly.tenant.clone(), system: system.to_owned(), deployed });
    }
    Ok(states)
}

impl fmt::Display for StackState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}  ", self.tenant, self.system)?;
        let Some(deployed) = &self.deployed else { return formatter.write_str("not deployed") };
        let revision = deployed.revision.as_deref().unwrap_or("unknown");
        let template = match deployed.same_template {
            Some(true) => "equal",
            Some(false) => "different",
            None => "unknown",
        };
        write!(formatter, "{}  revision {revision}  template {template}", deployed.status)?;
        match deployed.drifted.as_deref() {
            None => {}
            Some([]) => formatter.write_str("  drift none")?,
            Some(drifted) => write!(formatter, "  drift {}", drifted.join(", "))?,
        }
        deployed.urls.iter().try_for_each(|(name, url)| write!(formatter, "  {name} {url}"))
    }
}
