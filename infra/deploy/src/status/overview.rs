//! Which version of each stack is deployed, and its URLs.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_cloudformation::types::{Stack, StackStatus};

use crate::assembly::StackArtifact;
use crate::aws::stacks;
use crate::cloudformation::kept::{self, Kept, Whose};
use crate::cloudformation::version::{DeployedVersion, has_template};
use crate::status::drift;
use crate::{Assembly, Error, Progress, Target};

/// The state of stacks; displayed as one line each, in columns. Then one line for each resource with data whose stack is gone.
#[derive(Debug)]
pub struct Status {
    stacks: Vec<StackState>,
    kept: Vec<Kept>,
}

#[derive(Debug)]
struct StackState {
    tenant: String,
    system: String,
    /// `None` if the stack is not deployed.
    deployed: Option<DeployedState>,
}

#[derive(Debug)]
struct DeployedState {
    status: String,
    revision: Option<String>,
    template: TemplateMatch,
    /// What was changed by hand; `None` if nobody asked.
    drifted: Option<Vec<String>>,
    /// Outputs that are URLs, by name.
    urls: Vec<(String, String)>,
}

/// The deployed template, compared with the assembly's.
#[derive(Debug)]
enum TemplateMatch {
    Equal,
    Different,
    /// The stack does not say which template it has.
    Unknown,
    /// The assembly has no such stack: the system, or the whole file, was removed from the tenant files.
    Forgotten,
}

/// Looks at every stack of the assemblies, and at stacks of these tenants that the assemblies do not contain; with `others`, also at stacks
/// of tenants without an assembly. Finds what deleted stacks of all these have kept. Changes nothing. A stack that was never executed counts as not deployed. With `drift`, CloudFormation
/// compares every resource with its template, which takes up to a few minutes per stack.
///
/// # Errors
///
/// If CloudFormation does not answer, or does not let the caller look.
pub async fn status(
    target: &Target,
    assemblies: &[Assembly],
    others: bool,
    drift: bool,
    progress: &Progress,
) -> Result<Status, Error> {
    progress.begin("reading the current state", 0);
    let mut found: BTreeMap<(String, String), Stack> = BTreeMap::new();
    let mut kept = Vec::new();
    for place in target.places() {
        let existing = stacks::all(place).await?;
        match kept_in(place, assemblies, others, &existing).await {
            Ok(found) => kept.extend(found),
            Err(error) => progress.line(format!("what deleted stacks have kept is unknown: {error}")),
        }
        let existing = existing.into_iter().filter(|stack| !stacks::is_empty(stack));
        found
            .extend(existing.filter_map(|stack| Some(((place.region.clone(), stack.stack_name()?.to_owned()), stack))));
    }

    let mut looked_at = Vec::new();
    for assembly in assemblies {
        for stack in &assembly.stacks {
            let key = (target.of(stack)?.region, stack.name.clone());
            let live = found.remove(&key);
            looked_at.push((assembly.tenant.clone(), key, live, Some(stack)));
        }
        let forgotten = found.extract_if(.., |_, stack| stacks::tenant_of(stack) == Some(&assembly.tenant));
        looked_at.extend(forgotten.map(|(key, live)| (assembly.tenant.clone(), key, Some(live), None)));
    }
    if others {
        let left = found.into_iter();
        let left = left.filter_map(|(key, live)| Some((stacks::tenant_of(&live)?.to_owned(), key, Some(live), None)));
        looked_at.extend(left);
    }

    let mut states = Vec::new();
    for (tenant, (region, name), live, stack) in looked_at {
        let place = target.places().find(|place| place.region == region);
        let drifted = match (&live, place) {
            (Some(_), Some(target)) if drift => {
                progress.begin(format!("{name}: comparing its resources with its template"), 0);
                Some(drift::drifted(target, &name).await?)
            }
            _ => None,
        };
        let system = name.strip_prefix(&format!("{tenant}-")).unwrap_or(&name).to_owned();
        states.push(StackState { tenant, system, deployed: live.map(|live| deployed(&live, stack, drifted)) });
    }
    Ok(Status { stacks: states, kept })
}

/// What is kept of deleted stacks of the tenants.
async fn kept_in(
    target: &Target,
    assemblies: &[Assembly],
    others: bool,
    existing: &[Stack],
) -> Result<Vec<Kept>, Error> {
    if others {
        return kept::of_gone_stacks(target, Whose::Everyone, existing).await;
    }
    let mut kept = Vec::new();
    for assembly in assemblies {
        kept.extend(kept::of_gone_stacks(target, Whose::Tenant(&assembly.tenant), existing).await?);
    }
    Ok(kept)
}

fn deployed(live: &Stack, stack: Option<&StackArtifact>, drifted: Option<Vec<String>>) -> DeployedState {
    let version = DeployedVersion::of(live);
    let is_url = |value: &str| ["https://", "http://", "wss://"].iter().any(|scheme| value.starts_with(scheme));
    DeployedState {
        status: live.stack_status().map(StackStatus::as_str).unwrap_or_default().to_owned(),
        revision: version.revision,
        template: match (stack, &version.template) {
            (None, _) => TemplateMatch::Forgotten,
            (_, None) => TemplateMatch::Unknown,
            (Some(stack), Some(_)) if has_template(live, stack) => TemplateMatch::Equal,
            _ => TemplateMatch::Different,
        },
        drifted,
        urls: stacks::outputs(live).into_iter().filter(|(_, value)| is_url(value)).collect(),
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.stacks.iter().map(StackState::columns).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths = [0, 1, 2, 3].map(width);
        for line in &lines {
            let [stack, status, revision, template, rest] = line;
            let [a, b, c, d] = widths;
            let line = format!("{stack:a$}  {status:b$}  {revision:c$}  {template:d$}  {rest}");
            writeln!(f, "{}", line.trim_end())?;
        }
        for Kept { tenant, stack, resource } in &self.kept {
            let system = stack.strip_prefix(&format!("{tenant}-")).unwrap_or(stack);
            let (name, kind, id) = (&resource.logical_id, &resource.kind, &resource.physical_id);
            writeln!(f, "{tenant} {system}  deleted; its data is kept in {name} {kind} {id}")?;
        }
        Ok(())
    }
}

impl StackState {
    fn columns(&self) -> [String; 5] {
        let stack = format!("{} {}", self.tenant, self.system);
        let Some(deployed) = &self.deployed else {
            return [stack, "not deployed".to_owned(), String::new(), String::new(), String::new()];
        };
        let revision = deployed.revision.as_deref().map_or("unknown".to_owned(), short);
        let template = match deployed.template {
            TemplateMatch::Equal => "template equal",
            TemplateMatch::Different => "template different",
            TemplateMatch::Unknown => "template unknown",
            TemplateMatch::Forgotten => "not in the tenant file",
        };
        let drift = match deployed.drifted.as_deref() {
            None => None,
            Some([]) => Some("drift none".to_owned()),
            Some(drifted) => Some(format!("drift {}", drifted.join(", "))),
        };
        let urls = deployed.urls.iter().map(|(name, url)| format!("{name} {url}"));
        let rest: Vec<_> = drift.into_iter().chain(urls).collect();
        [stack, deployed.status.clone(), format!("revision {revision}"), template.to_owned(), rest.join("  ")]
    }
}

/// The first twelve digits of a git revision, which are enough for git, and what follows the digits, such as `-dirty`.
fn short(revision: &str) -> String {
    let digits = revision.bytes().take_while(u8::is_ascii_hexdigit).count();
    if digits == 40 { format!("{}{}", &revision[..12], &revision[digits..]) } else { revision.to_owned() }
}
