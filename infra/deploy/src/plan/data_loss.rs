//! Which changes take a resource with data out of its stack, and what happens to the data.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_cloudformation::types::{ChangeAction, PolicyAction, Replacement, ResourceChange};

/// How a change takes a resource out of its stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Departure {
    Removed,
    Replaced,
    /// CloudFormation decides during the update.
    MaybeReplaced,
}

/// What happens to the data of a resource that leaves its stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataFate {
    /// It is kept outside the stack; a replacement starts empty.
    Kept,
    /// A snapshot is kept.
    Snapshot,
    Lost,
    /// CloudFormation names no policy; older versions of its API did not.
    Unknown,
}

/// A resource with data that would leave the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataAtRisk {
    pub(crate) logical_id: String,
    kind: String,
    departure: Departure,
    pub(crate) fate: DataFate,
}

/// How the change takes the resource out of the stack; `None` if the resource stays or is added.
pub(crate) fn departure(change: &ResourceChange) -> Option<Departure> {
    use PolicyAction as P;
    match (change.action(), change.replacement(), change.policy_action()) {
        (Some(ChangeAction::Remove), ..) => Some(Departure::Removed),
        (_, Some(Replacement::True), _) => Some(Departure::Replaced),
        (Some(ChangeAction::Dynamic), ..) | (_, Some(Replacement::Conditional), _) => Some(Departure::MaybeReplaced),
        (.., Some(P::ReplaceAndDelete | P::ReplaceAndRetain | P::ReplaceAndSnapshot)) => Some(Departure::Replaced),
        (.., Some(P::Delete | P::Retain | P::Snapshot)) => Some(Departure::Removed),
        _ => None,
    }
}

/// The data that the change puts at risk, if any. A resource holds data if its type does, or if a template tells CloudFormation to keep
/// it: the new one (`retained` are its logical IDs) or the deployed one (the change's policy says so).
pub(crate) fn data_at_risk(change: &ResourceChange, retained: &BTreeSet<String>) -> Option<DataAtRisk> {
    use PolicyAction as P;
    let departure = departure(change)?;
    let logical_id = change.logical_resource_id().unwrap_or_default().to_owned();
    let kind = change.resource_type().unwrap_or_default().to_owned();
    let fate = match change.policy_action() {
        Some(P::Retain | P::ReplaceAndRetain) => DataFate::Kept,
        Some(P::Snapshot | P::ReplaceAndSnapshot) => DataFate::Snapshot,
        Some(P::Delete | P::ReplaceAndDelete) => DataFate::Lost,
        _ => DataFate::Unknown,
    };
    let holds_data = matches!(fate, DataFate::Kept | DataFate::Snapshot)
        || retained.contains(&logical_id)
        || aws::schema(&kind).is_some_and(|schema| schema.stateful);
    holds_data.then_some(DataAtRisk { logical_id, kind, departure, fate })
}

/// The sentence that refuses to change a stack: what data is at risk, and the option that allows it.
pub(crate) fn refusal(stack: &str, at_risk: &[&DataAtRisk]) -> String {
    let listed: Vec<_> = at_risk.iter().map(ToString::to_string).collect();
    format!("{stack} was not changed, because {}; to do it anyway, add {}", listed.join(", and "), options(at_risk))
}

/// The options that allow this, as they are typed.
pub(crate) fn options(at_risk: &[&DataAtRisk]) -> String {
    let options: Vec<_> =
        at_risk.iter().map(|resource| format!("--allow-replacement {}", resource.logical_id)).collect();
    options.join(" ")
}

impl fmt::Display for DataAtRisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let departure = match self.departure {
            Departure::Removed => "would be removed",
            Departure::Replaced => "would be replaced",
            Departure::MaybeReplaced => "may be replaced",
        };
        write!(f, "{} ({}) {departure} and {}", self.logical_id, self.kind, self.fate)
    }
}

impl fmt::Display for DataFate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DataFate::Kept => "its data is kept outside the stack",
            DataFate::Snapshot => "only a snapshot of its data is kept",
            DataFate::Lost => "ITS DATA IS LOST",
            DataFate::Unknown => "CloudFormation does not say what happens to its data",
        })
    }
}
