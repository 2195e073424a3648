//! Which changes part a stack from a resource, and what becomes of the data in it.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_cloudformation::types::{ChangeAction, PolicyAction, Replacement, ResourceChange};

/// How a resource leaves the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Removed,
    Replaced,
    /// CloudFormation knows only while it is at work.
    MaybeReplaced,
}

/// What becomes of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It stays, but outside the stack; a replacement begins empty.
    Kept,
    /// A copy stays.
    Snapshot,
    Lost,
    /// CloudFormation names no policy, which not every version of its API did.
    Unknown,
}

/// A resource with data that would leave the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parting {
    pub(crate) logical_id: String,
    kind: String,
    way: Way,
    pub(crate) fate: Fate,
}

/// How the change takes the resource out of the stack; `None` if the resource stays or comes.
pub(crate) fn way(change: &ResourceChange) -> Option<Way> {
    use PolicyAction as P;
    match (change.action(), change.replacement(), change.policy_action()) {
        (Some(ChangeAction::Remove), ..) => Some(Way::Removed),
        (_, Some(Replacement::True), _) => Some(Way::Replaced),
        (Some(ChangeAction::Dynamic), ..) | (_, Some(Replacement::Conditional), _) => Some(Way::MaybeReplaced),
        (.., Some(P::ReplaceAndDelete | P::ReplaceAndRetain | P::ReplaceAndSnapshot)) => Some(Way::Replaced),
        (.., Some(P::Delete | P::Retain | P::Snapshot)) => Some(Way::Removed),
        _ => None,
    }
}

/// What the change means for data; `None` if it parts from none. A resource holds data if its type does, or if the template
/// (`retained`: the new one's logical ids) or, as the change says, the deployed one tells CloudFormation to keep it.
pub(crate) fn parting(change: &ResourceChange, retained: &BTreeSet<String>) -> Option<Parting> {
    use PolicyAction as P;
    let way = way(change)?;
    let logical_id = change.logical_resource_id().unwrap_or_default().to_owned();
    let kind = change.resource_type().unwrap_or_default().to_owned();
    let fate = match change.policy_action() {
        Some(P::Retain | P::ReplaceAndRetain) => Fate::Kept,
        Some(P::Snapshot | P::ReplaceAndSnapshot) => Fate::Snapshot,
        Some(P::Delete | P::ReplaceAndDelete) => Fate::Lost,
        _ => Fate::Unknown,
    };
    let holds_data = matches!(fate, Fate::Kept | Fate::Snapshot)
        || retained.contains(&logical_id)
        || aws::schema(&kind).is_some_and(|schema| schema.stateful);
    holds_data.then_some(Parting { logical_id, kind, way, fate })
}

/// One sentence that refuses the change of a stack: what it parts from, and the option that lets it.
pub(crate) fn refusal(stack: &str, partings: &[&Parting]) -> String {
    let listed: Vec<_> = partings.iter().map(ToString::to_string).collect();
    format!(
        "{stack} was left as it is, because {}; to do it all the same, add {}",
        listed.join(", and "),
        options(partings)
    )
}

/// The options that allow these partings, as they are typed.
pub(crate) fn options(partings: &[&Parting]) -> String {
    let options: Vec<_> =
        partings.iter().map(|parting| format!("--allow-replacement {}", parting.logical_id)).collect();
    options.join(" ")
}

impl fmt::Display for Parting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.way {
            Way::Removed => "would be removed",
            Way::Replaced => "would be replaced",
            Way::MaybeReplaced => "may be replaced",
        };
        write!(formatter, "{} ({}) {way} and {}", self.logical_id, self.kind, self.fate)
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Fate::Kept => "its data is kept outside the stack",
            Fate::Snapshot => "only a snapshot of its data is kept",
            Fate::Lost => "ITS DATA IS LOST",
            Fate::Unknown => "CloudFormation does not say what becomes of its data",
        })
    }
}
