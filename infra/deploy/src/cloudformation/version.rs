//! Which version of a stack is deployed. Two tags of the stack say so.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{Stack, Tag};

use crate::assembly::StackArtifact;

/// The tag with the git revision that last changed the stack, with `-dirty` if not everything was committed.
const REVISION: &str = "ferrostack:revision";
/// The tag with the SHA-256 of the template, in hexadecimal.
const TEMPLATE: &str = "ferrostack:template";

/// What the description of a stack starts with that was set to delete its data. Its tags still name the template from before, because
/// a changed tag would touch every resource.
pub(crate) const RELEASED: &str = "Set to be deleted with its data. ";

/// What the tags of a deployed stack say; nothing if another tool deployed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeployedVersion {
    pub(crate) revision: Option<String>,
    pub(crate) template: Option<String>,
}

impl DeployedVersion {
    pub(crate) fn of(stack: &Stack) -> DeployedVersion {
        let tag = |key: &str| stack.tags().iter().find(|tag| tag.key() == Some(key))?.value().map(str::to_owned);
        DeployedVersion { revision: tag(REVISION), template: tag(TEMPLATE) }
    }
}

/// The value of the tag [`TEMPLATE`].
pub(crate) fn template_hash(stack: &StackArtifact) -> String {
    cfn::sha256(&stack.template)
}

/// The tags to deploy a stack with. CloudFormation passes them on to every resource. So if the template and the parameters are those of
/// `live`, a new revision keeps the old tag; a new one would update every resource for nothing.
pub(crate) fn tags(
    stack: &StackArtifact,
    revision: Option<&str>,
    parameters: &BTreeMap<String, String>,
    live: Option<&Stack>,
) -> Vec<Tag> {
    let deployed = live.filter(|live| is_deployed(live, stack, parameters)).map(DeployedVersion::of);
    let revision = deployed.and_then(|version| version.revision).or(revision.map(str::to_owned));
    let mut tags = stack.tags.clone();
    tags.insert(TEMPLATE.to_owned(), template_hash(stack));
    tags.extend(revision.map(|revision| (REVISION.to_owned(), revision)));
    tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Whether `live` has exactly this template, these parameters and the artifact's tags.
pub(crate) fn is_deployed(live: &Stack, stack: &StackArtifact, parameters: &BTreeMap<String, String>) -> bool {
    has_template(live, stack) && has_parameters(live, parameters) && has_tags(live, stack)
}

/// Whether `live` has exactly this template.
pub(crate) fn has_template(live: &Stack, stack: &StackArtifact) -> bool {
    let released = live.description().is_some_and(|text| text.starts_with(RELEASED));
    !released && DeployedVersion::of(live).template == Some(template_hash(stack))
}

fn has_tags(live: &Stack, stack: &StackArtifact) -> bool {
    let has = |key: &str, value: &str| {
        live.tags().iter().any(|found| found.key() == Some(key) && found.value() == Some(value))
    };
    stack.tags.iter().all(|(key, value)| has(key, value))
}

fn has_parameters(live: &Stack, wanted: &BTreeMap<String, String>) -> bool {
    let has = |key: &str, value: &str| {
        live.parameters()
            .iter()
            .any(|found| found.parameter_key() == Some(key) && found.parameter_value() == Some(value))
    };
    wanted.iter().all(|(key, value)| has(key, value))
}
