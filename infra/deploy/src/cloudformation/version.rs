//! Which version of a stack is deployed: two parameters of its template say so, which outputs show and no resource uses. A template without
//! them, for example of another generator, has two tags instead, although CloudFormation passes tags on to every resource.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{Stack, Tag};

use crate::assembly::StackArtifact;
use crate::aws::stacks;

/// The parameter with the git revision that last changed the stack, with `-dirty` if not everything was committed.
const REVISION: &str = "Revision";
/// The parameter with the SHA-256 of the template, in hexadecimal.
const TEMPLATE: &str = "TemplateDigest";
/// The tag that replaces the parameter [`REVISION`].
const REVISION_TAG: &str = "ferrostack:revision";
/// The tag that replaces the parameter [`TEMPLATE`].
const TEMPLATE_TAG: &str = "ferrostack:template";
/// The default of both parameters, which a stack has that another tool deployed.
const UNKNOWN: &str = "unknown";

/// What the description of a stack starts with that was set to delete its data. It still names the template from before.
pub(crate) const RELEASED: &str = "Set to be deleted with its data. ";

/// Which version a stack says that it is; nothing if another tool deployed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeployedVersion {
    pub(crate) revision: Option<String>,
    pub(crate) template: Option<String>,
}

impl DeployedVersion {
    pub(crate) fn of(stack: &Stack) -> DeployedVersion {
        let either = |parameter: &str, tag: &str| {
            let value = stacks::parameter(stack, parameter).filter(|value| *value != UNKNOWN);
            value.or_else(|| stacks::tag(stack, tag)).map(str::to_owned)
        };
        DeployedVersion { revision: either(REVISION, REVISION_TAG), template: either(TEMPLATE, TEMPLATE_TAG) }
    }
}

/// Whether a parameter or an output of this name says which version a stack is.
pub(crate) fn is_version(name: Option<&str>) -> bool {
    matches!(name, Some(REVISION | TEMPLATE))
}

/// The revision to deploy a stack with. If the template and the parameters are those of `live`, it keeps the old one: a new one would
/// update the stack for nothing.
pub(crate) fn revision(
    stack: &StackArtifact,
    revision: Option<&str>,
    parameters: &BTreeMap<String, String>,
    live: Option<&Stack>,
) -> Option<String> {
    let deployed = live.filter(|live| is_deployed(live, stack, parameters)).map(DeployedVersion::of);
    deployed.and_then(|version| version.revision).or(revision.map(str::to_owned))
}

/// The parameters that say which version it is; none if the template has no such parameters.
pub(crate) fn parameters(stack: &StackArtifact, revision: Option<String>) -> Vec<(String, String)> {
    let all = [(REVISION, revision), (TEMPLATE, Some(stack.template.digest().to_owned()))];
    let declared = all.into_iter().filter(|(name, _)| stack.declares(name));
    declared.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The tags to deploy a stack with.
pub(crate) fn tags(stack: &StackArtifact, revision: Option<&str>) -> Vec<Tag> {
    let mut tags = stack.tags.clone();
    if !stack.declares(TEMPLATE) {
        tags.insert(TEMPLATE_TAG.to_owned(), stack.template.digest().to_owned());
    }
    if !stack.declares(REVISION) {
        tags.extend(revision.map(|revision| (REVISION_TAG.to_owned(), revision.to_owned())));
    }
    tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Whether `live` has exactly this template, these parameters and the artifact's tags.
pub(crate) fn is_deployed(live: &Stack, stack: &StackArtifact, parameters: &BTreeMap<String, String>) -> bool {
    has_template(live, stack) && has_parameters(live, parameters) && has_tags(live, stack)
}

/// Whether `live` has exactly this template.
pub(crate) fn has_template(live: &Stack, stack: &StackArtifact) -> bool {
    let released = live.description().is_some_and(|text| text.starts_with(RELEASED));
    !released && DeployedVersion::of(live).template.as_deref() == Some(stack.template.digest())
}

fn has_tags(live: &Stack, stack: &StackArtifact) -> bool {
    stack.tags.iter().all(|(key, value)| stacks::tag(live, key) == Some(value))
}

fn has_parameters(live: &Stack, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| stacks::parameter(live, key) == Some(value))
}
