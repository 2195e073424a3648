//! What stacks use up, counted in their templates.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde_json::Value;

use crate::Error;
use crate::assembly::StackArtifact;
use crate::capacity::quotas::Counts;

/// What stacks use up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Need {
    resources: BTreeMap<String, u64>,
    stacks: u64,
    code_bytes: u64,
    /// Starts of functions per month by schedules with a rate, when nothing else happens.
    starts: u64,
}

impl Need {
    /// What one stack uses up.
    ///
    /// # Errors
    ///
    /// If its template can no longer be read.
    pub(crate) fn of(stack: &StackArtifact) -> Result<Need, Error> {
        let template = stack.template.document()?;
        let mut need = Need { stacks: 1, ..Need::default() };
        for resource in template["Resources"].as_object().into_iter().flatten().map(|(_, resource)| resource) {
            *need.resources.entry(resource["Type"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            need.starts += starts(resource).unwrap_or_default();
        }
        let sizes = stack.assets.iter().filter_map(|asset| std::fs::metadata(&asset.path).ok());
        need.code_bytes = sizes.map(|file| file.len()).sum();
        Ok(need)
    }

    /// How much of a quota it is.
    pub(crate) fn count(&self, counts: Counts) -> u64 {
        match counts {
            Counts::Types(types) => types.iter().filter_map(|kind| self.resources.get(*kind)).sum(),
            Counts::Stacks => self.stacks,
            Counts::CodeMegabytes => self.code_bytes.div_ceil(1_000_000),
        }
    }

    pub(crate) fn secrets(&self) -> u64 {
        self.count(Counts::Types(&["AWS::SecretsManager::Secret"]))
    }

    pub(crate) fn alarms(&self) -> u64 {
        self.count(Counts::Types(&["AWS::CloudWatch::Alarm"]))
    }

    pub(crate) fn starts(&self) -> u64 {
        self.starts
    }
}

impl AddAssign<&Need> for Need {
    fn add_assign(&mut self, other: &Need) {
        for (kind, count) in &other.resources {
            *self.resources.entry(kind.clone()).or_default() += count;
        }
        self.stacks += other.stacks;
        self.code_bytes += other.code_bytes;
        self.starts += other.starts;
    }
}

/// Starts per month of 730 hours: `rate(1 minute)` is 43,800.
fn starts(resource: &Value) -> Option<u64> {
    let properties = &resource["Properties"];
    if resource["Type"] != "AWS::Scheduler::Schedule" || properties["State"] == "DISABLED" {
        return None;
    }
    let rate = properties["ScheduleExpression"].as_str()?.strip_prefix("rate(")?.strip_suffix(')')?;
    let (number, unit) = rate.split_once(' ')?;
    let minutes = match unit.trim_end_matches('s') {
        "minute" => 1,
        "hour" => 60,
        "day" => 24 * 60,
        _ => return None,
    };
    Some(730 * 60 / (number.parse::<u64>().ok()? * minutes).max(1))
}
