//! A plan as a person reads it.

use crate::StackPlan;
use crate::plan::data_loss::{self, Parting, Way};
use crate::plan::stack_plan::{Planned, Step};

const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

impl StackPlan {
    /// The plan in lines: what is added (`+`), changed (`~`) and removed (`-`), then the rights that are added, then which data is at
    /// risk. With `color`, for a terminal, the data at risk is red.
    pub fn text(&self, color: bool) -> String {
        let red = |line: String| if color { format!("{RED}{line}{PLAIN}") } else { line };
        let mut lines = vec![format!("{}: {}", self.stack, self.headline())];
        for change in &self.changes {
            let line = format!("  {}", described(change));
            lines.push(if change.parting.is_some() { red(line) } else { line });
        }
        if self.only_tagged > 0 {
            lines.push(format!("  ~ {} other resources: Tags", self.only_tagged));
        }
        match &self.added_rights {
            _ if self.step == Step::Nothing => {}
            None => lines.push("  rights cannot be compared: the deployed template is not JSON".to_owned()),
            Some(rights) if rights.is_empty() => {}
            Some(rights) => {
                lines.push("  rights that are added:".to_owned());
                lines.extend(rights.iter().map(|right| format!("    {right}")));
            }
        }
        let (allowed, refused): (Vec<_>, Vec<_>) =
            self.partings().partition(|parting| self.allowed.contains(&parting.logical_id));
        if !allowed.is_empty() {
            lines.push(red(format!("  data is at risk, as {} allows", data_loss::options(&allowed))));
        }
        if !refused.is_empty() {
            let options = data_loss::options(&refused);
            lines.push(red(format!("  data is at risk; a deployment refuses this without {options}")));
        }
        lines.join("\n")
    }

    /// Logical ids of resources with data that would be replaced or removed.
    pub fn parted(&self) -> impl Iterator<Item = String> {
        self.partings().map(|parting| parting.logical_id.clone())
    }

    fn partings(&self) -> impl Iterator<Item = &Parting> {
        self.changes.iter().filter_map(|change| change.parting.as_ref())
    }

    fn headline(&self) -> String {
        let counted = |word: &str, is: fn(&Planned) -> bool| {
            let count = self.changes.iter().filter(|change| is(change)).count();
            (count > 0).then(|| format!("{count} {word}"))
        };
        let counts = [
            counted("added", |change| change.added),
            counted("changed", |change| !change.added && change.way.is_none()),
            counted("replaced", |change| change.way == Some(Way::Replaced)),
            counted("perhaps replaced", |change| change.way == Some(Way::MaybeReplaced)),
            counted("removed", |change| change.way == Some(Way::Removed)),
        ];
        let counts: Vec<_> = counts.into_iter().flatten().collect();
        let counts =
            if counts.is_empty() { "no resource but its tags and outputs".to_owned() } else { counts.join(", ") };
        match &self.step {
            Step::Nothing => "no changes".to_owned(),
            Step::Create => format!("would be created: {counts}"),
            Step::Update => format!("would be updated: {counts}"),
            Step::Recreate(status) => format!("is {status}; would be deleted and created again: {counts}"),
        }
    }
}

fn described(change: &Planned) -> String {
    let sign = match change.way {
        Some(Way::Removed) => '-',
        _ if change.added => '+',
        _ => '~',
    };
    let mut line = format!("{sign} {} ({})", change.logical_id, change.kind);
    if !change.changed.is_empty() {
        line.push_str(&format!(": {}", change.changed.join(", ")));
    }
    match change.way {
        Some(Way::Replaced) => line.push_str(": replaced"),
        Some(Way::MaybeReplaced) => line.push_str(": may be replaced"),
        Some(Way::Removed) | None => {}
    }
    if let Some(parting) = &change.parting {
        line.push_str(&format!(", {}", parting.fate));
    }
    line
}
