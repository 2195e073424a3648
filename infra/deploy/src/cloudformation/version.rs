//! Which version of a stack is deployed, kept as two tags of the stack.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{Stack, Tag};

use crate::assembly::read::StackArtifact;

/// The tag with the git revision that last changed the stack, with `-dirty` when it was not all committed.
const REVISION: &str = "ferrostack:revision";
/// The tag with the SHA-256 of the template, in hexadecimal.
const TEMPLATE: &str = "ferrostack:template";

/// What the tags of a deployed stack say; nothing where another tool deployed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) revision: Option<String>,
    pub(crate) template: Option<String>,
}

impl Version {
    pub(crate) fn of(stack: &Stack) -> Version {
        let tag = |key: &str| stack.tags().iter().find(|tag| tag.key() == Some(key))?.value().map(str::to_owned);
        Version { revision: tag(REVISION), template: tag(TEMPLATE) }
    }
}

/// The hash that [`TEMPLATE`] gets.
pub(crate) fn template_hash(stack: &StackArtifact) -> String {
    cfn::sha256(&stack.template)
}

/// The tags to deploy a stack with. CloudFormation hands them on to every resource, so a new revision alone, with the template and
/// the parameters as they are in `live`, keeps the old tag: it would update everything for nothing.
pub(crate) fn tags(
    stack: &StackArtifact,
    revision: Option<&str>,
    parameters: &BTreeMap<String, String>,
    live: Option<&Stack>,
) -> Vec<Tag> {
    let deployed = live.filter(|live| is_deployed(live, stack, parameters)).map(Version::of);
    let revision = deployed.and_then(|version| version.revision).or(revision.map(str::to_owned));
    let mut tags = stack.tags.clone();
    tags.insert(TEMPLATE.to_owned(), template_hash(stack));
    tags.extend(revision.map(|revision| (REVISION.to_owned(), revision)));
    tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Whether `live` has just this template and these parameters.
pub(crate) fn is_deployed(live: &Stack, stack: &StackArtifact, parameters: &BTreeMap<String, String>) -> bool {
    Version::of(live).template == Some(template_hash(stack)) && has_parameters(live, parameters)
}

fn has_parameters(live: &Stack, wanted: &BTreeMap<String, String>) -> bool {
    let has = |key: &str, value: &str| {
        live.parameters()
            .iter()
            .any(|found| found.parameter_key() == Some(key) && found.parameter_value() == Some(value))
    };
    wanted.iter().all(|(key, value)| has(key, value))
}
