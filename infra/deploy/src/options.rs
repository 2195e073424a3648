//! What an operator decides about a deployment.

use std::collections::BTreeSet;

/// What an operator decides about a deployment.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The git revision that is deployed, with `-dirty` if not everything is committed; up to 256 characters, kept as a tag of the stacks.
    pub revision: Option<String>,
    /// Logical IDs of resources with data that may be replaced or removed.
    pub allow_replacement: BTreeSet<String>,
    /// Whether CloudFormation is done with a stack as soon as everything is configured, before it is ready to serve.
    pub express: bool,
    /// Whether CloudFormation is asked about every stack, also if it is deployed as synthesized.
    pub force: bool,
}
