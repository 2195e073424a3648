//! A plan as text for a person.

use crate::plan::data_loss::{self, DataAtRisk, Departure};
use crate::plan::stack_plan::{PlannedChange, PlannedStep, StackPlan};

const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

impl StackPlan {
    /// The plan as lines: what is added (`+`), changed (`~`) and removed (`-`), then the added rights, then the data at risk. With `color`,
    /// for a terminal, the data at risk is red.
    pub fn text(&self, color: bool) -> String {
        let red = |line: String| if color { format!("{RED}{line}{PLAIN}") } else { line };
        let mut lines = vec![format!("{}: {}", self.stack, self.headline())];
        for change in &self.changes {
            let line = format!("  {}", described(change));
            lines.push(if change.at_risk.is_some() { red(line) } else { line });
        }
        if self.only_tagged > 0 {
            lines.push(format!("  ~ {} other resources: Tags", self.only_tagged));
        }
        match &self.added_rights {
            _ if self.step == PlannedStep::Nothing => {}
            None => lines.push("  rights cannot be compared: the deployed template is not JSON".to_owned()),
            Some(rights) if rights.is_empty() => {}
            Some(rights) => {
                lines.push("  added rights:".to_owned());
                lines.extend(rights.iter().map(|right| format!("    {right}")));
            }
        }
        let (allowed, refused): (Vec<_>, Vec<_>) =
            self.data_at_risk().partition(|resource| self.allowed.contains(&resource.logical_id));
        if !allowed.is_empty() {
            lines.push(red(format!("  data is at risk; allowed by {}", data_loss::options(&allowed))));
        }
        if !refused.is_empty() {
            let options = data_loss::options(&refused);
            lines.push(red(format!("  data is at risk; not deployed without {options}")));
        }
        lines.join("\n")
    }

    /// Logical IDs of resources with data that would be replaced or removed.
    pub fn replaced_or_removed(&self) -> impl Iterator<Item = String> {
        self.data_at_risk().map(|resource| resource.logical_id.clone())
    }

    fn data_at_risk(&self) -> impl Iterator<Item = &DataAtRisk> {
        self.changes.iter().filter_map(|change| change.at_risk.as_ref())
    }

    fn headline(&self) -> String {
        let counted = |word: &str, is: fn(&PlannedChange) -> bool| {
            let count = self.changes.iter().filter(|change| is(change)).count();
            (count > 0).then(|| format!("{count} {word}"))
        };
        let counts = [
            counted("added", |change| change.added),
            counted("changed", |change| !change.added && change.departure.is_none()),
            counted("replaced", |change| change.departure == Some(Departure::Replaced)),
            counted("possibly replaced", |change| change.departure == Some(Departure::MaybeReplaced)),
            counted("removed", |change| change.departure == Some(Departure::Removed)),
        ];
        let counts: Vec<_> = counts.into_iter().flatten().collect();
        let counts = if counts.is_empty() { "only tags and outputs".to_owned() } else { counts.join(", ") };
        match &self.step {
            PlannedStep::Nothing => "no changes".to_owned(),
            PlannedStep::Create => format!("would be created: {counts}"),
            PlannedStep::Update => format!("would be updated: {counts}"),
            PlannedStep::Recreate(status) => format!("is {status}; would be deleted and created again: {counts}"),
        }
    }
}

fn described(change: &PlannedChange) -> String {
    let sign = match change.departure {
        Some(Departure::Removed) => '-',
        _ if change.added => '+',
        _ => '~',
    };
    let mut line = format!("{sign} {} ({})", change.logical_id, change.kind);
    if !change.changed.is_empty() {
        line.push_str(&format!(": {}", change.changed.join(", ")));
    }
    match change.departure {
        Some(Departure::Replaced) => line.push_str(": replaced"),
        Some(Departure::MaybeReplaced) => line.push_str(": may be replaced"),
        Some(Departure::Removed) | None => {}
    }
    if let Some(at_risk) = &change.at_risk {
        line.push_str(&format!(", {}", at_risk.fate));
    }
    line
}
