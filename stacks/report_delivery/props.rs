//! What differs between tenants.

use super::deliveries::Deliveries;
use super::scheduled_report::{Id, ScheduledReport};
use super::tags::{RowLevelTag, TagValue};
use crate::shared::fields::Name;
use crate::shared::fields::{TopicArn, UserPoolArn, given, in_range};
use cfn::Json;
use constructs::Usage;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What differs between tenants.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Props {
    /// The dashboards that reports can be requested of; `None` means every dashboard of the account.
    pub dashboards: Option<BTreeSet<Id>>,
    /// Row-level security tags of every report; an explicitly empty list if no dataset has row-level security.
    pub tags: Vec<RowLevelTag>,
    /// The Cognito user pool whose users may call, in addition to having the API key.
    pub user_pool: Option<UserPoolArn>,
    /// Most snapshot jobs of the account at once, 1 to 12.
    pub slots: u32,
    /// Seconds that a link to a file is valid for, 1 to 300.
    pub url_seconds: u32,
    /// Days that a file is kept.
    pub retention_days: u32,
    /// How much a caller may ask.
    pub throttle: Throttle,
    /// Where finished reports are sent, in addition to being ready for download.
    pub deliveries: Deliveries,
    /// Reports on a schedule, by name.
    pub schedules: BTreeMap<Name, ScheduledReport>,
    /// The SNS topic that alarms go to.
    pub alarm_topic: Option<TopicArn>,
}

/// [`Props`] as the file has them, before the checks that span several keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default, deserialize_with = "given")]
    dashboards: Option<BTreeSet<Id>>,
    #[serde(deserialize_with = "given")]
    row_level_tags: Vec<RowLevelTag>,
    #[serde(default, deserialize_with = "given")]
    user_pool: Option<UserPoolArn>,
    #[serde(default = "five")]
    slots: u32,
    #[serde(default = "five_minutes")]
    url_seconds: u32,
    #[serde(default = "thirty")]
    retention_days: u32,
    #[serde(default, deserialize_with = "given")]
    throttle: Throttle,
    #[serde(default, deserialize_with = "given")]
    deliveries: Deliveries,
    #[serde(default, deserialize_with = "given")]
    schedules: BTreeMap<Name, ScheduledReport>,
    #[serde(default, deserialize_with = "given")]
    alarm_topic: Option<TopicArn>,
}

fn five() -> u32 {
    5
}

fn thirty() -> u32 {
    30
}

fn five_minutes() -> u32 {
    300
}

impl Props {
    /// Jobs that QuickSight runs at once in an account, unless its quota was raised.
    const MOST_SLOTS: u32 = 12;
    /// Most tags of a snapshot job. <https://docs.aws.amazon.com/quicksight/latest/APIReference/API_SnapshotAnonymousUser.html>
    const MOST_TAGS: usize = 50;
    /// Most characters of dashboards, and of tags, as JSON: they share the 4 KB that Lambda gives to a function's variables.
    const MOST_TEXT: usize = 1500;

    /// The tags as report-api reads them.
    pub(crate) fn row_level_tags(&self) -> String {
        Json::from_iter(self.tags.iter().map(RowLevelTag::json)).to_string()
    }

    /// The dashboards as report-api reads them.
    pub(crate) fn dashboards(&self) -> Option<String> {
        self.dashboards.as_ref().map(|it| Json::from_iter(it.iter().map(Id::as_str)).to_string())
    }

    /// How much a caller may ask.
    pub(crate) fn usage(&self) -> Usage {
        let Throttle { requests_a_second, burst, requests_a_day } = self.throttle;
        Usage { requests_a_second, burst, requests_a_day: Some(requests_a_day) }
    }
}

impl TryFrom<Fields> for Props {
    type Error = String;

    fn try_from(it: Fields) -> Result<Self, String> {
        let props = Self {
            dashboards: it.dashboards,
            tags: it.row_level_tags,
            user_pool: it.user_pool,
            slots: in_range("`slots`", it.slots, 1..=Self::MOST_SLOTS)?,
            url_seconds: in_range("`url_seconds`", it.url_seconds, 1..=300)?,
            retention_days: in_range("`retention_days`", it.retention_days, 1..=3650)?,
            throttle: it.throttle,
            deliveries: it.deliveries,
            schedules: it.schedules,
            alarm_topic: it.alarm_topic,
        };
        props.check_tags()?;
        props.check_dashboards()?;
        props.check_schedules()?;
        Ok(props)
    }
}

impl Props {
    fn check_tags(&self) -> Result<(), String> {
        if self.tags.len() > Self::MOST_TAGS {
            return Err(format!("{} row-level tags; must be at most {}", self.tags.len(), Self::MOST_TAGS));
        }
        let mut keys = BTreeSet::new();
        if let Some(twice) = self.tags.iter().find(|it| !keys.insert(it.key.as_str())) {
            return Err(format!("the row-level tag `{}` appears twice; remove one", twice.key.as_str()));
        }
        let claimed = self.tags.iter().find(|it| matches!(it.value, TagValue::Claim(_)));
        if let (Some(tag), None) = (claimed, &self.user_pool) {
            return Err(format!(
                "the row-level tag `{}` is a claim, and an API key has none; name the `user_pool` of the callers, or give the tag a `value`",
                tag.key.as_str()
            ));
        }
        if let (Some(tag), false) = (claimed, self.schedules.is_empty()) {
            return Err(format!(
                "the row-level tag `{}` is a claim, and a scheduled report has no caller; give the tag a `value`, or remove `schedules`",
                tag.key.as_str()
            ));
        }
        fits("row_level_tags", &self.row_level_tags())
    }

    fn check_dashboards(&self) -> Result<(), String> {
        let Some(dashboards) = &self.dashboards else { return Ok(()) };
        if dashboards.is_empty() {
            return Err("`dashboards` is empty; name at least one, or remove the key to allow all".to_owned());
        }
        if let Some((name, report)) = self.schedules.iter().find(|(_, it)| !dashboards.contains(&it.dashboard)) {
            return Err(format!(
                "the schedule `{}` is of the dashboard `{}`, which is not among `dashboards`; add it there",
                name.as_str(),
                report.dashboard.as_str()
            ));
        }
        fits("dashboards", &self.dashboards().unwrap_or_default())
    }

    fn check_schedules(&self) -> Result<(), String> {
        for (name, report) in &self.schedules {
            let name = name.as_str();
            if !self.deliveries.any() {
                return Err(format!(
                    "the schedule `{name}` has nowhere to send its report; turn on one of `deliveries`"
                ));
            }
            if report.recipients.is_empty() != self.deliveries.email.is_none() {
                return Err(format!(
                    "the schedule `{name}` has {} recipients; use them together with `deliveries: {{ email }}`",
                    report.recipients.len()
                ));
            }
        }
        Ok(())
    }
}

fn fits(key: &str, json: &str) -> Result<(), String> {
    if json.len() <= Props::MOST_TEXT {
        return Ok(());
    }
    Err(format!("`{key}` has {} characters as JSON; must be at most {}", json.len(), Props::MOST_TEXT))
}

/// How much a caller may ask.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Throttle {
    /// Requests per second, on average.
    pub requests_a_second: u32,
    /// Further requests at once, above the average.
    pub burst: u32,
    /// Requests per day.
    pub requests_a_day: u32,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { requests_a_second: 100, burst: 200, requests_a_day: 10_000 }
    }
}
