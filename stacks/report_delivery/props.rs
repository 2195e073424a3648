//! What differs between tenants.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cfn::Json;
use constructs::Usage;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::deliveries::Deliveries;
use super::scheduled_report::{Id, ScheduledReport};
use super::tags::{RowLevelTag, TagValue};
use crate::shared::fields::Name;
use crate::shared::fields::{TopicArn, UserPoolArn, given, in_range};

/// What differs between tenants.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Props {
    /// The dashboards that reports can be made of.
    pub dashboards: Dashboards,
    /// Row-level security tags of every report; none, said aloud, where no dataset has row-level security.
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
    #[serde(deserialize_with = "given")]
    dashboards: Dashboards,
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

    /// How much a caller may ask.
    pub(crate) fn usage(&self) -> Usage {
        let Throttle { requests_a_second, burst, requests_a_day } = self.throttle;
        Usage { requests_a_second, burst, requests_a_day: Some(requests_a_day) }
    }
}

impl TryFrom<Fields> for Props {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        let props = Self {
            dashboards: fields.dashboards,
            tags: fields.row_level_tags,
            user_pool: fields.user_pool,
            slots: in_range("`slots`", fields.slots, 1..=Self::MOST_SLOTS)?,
            url_seconds: in_range("`url_seconds`", fields.url_seconds, 1..=300)?,
            retention_days: in_range("`retention_days`", fields.retention_days, 1..=3650)?,
            throttle: fields.throttle.checked()?,
            deliveries: fields.deliveries,
            schedules: fields.schedules,
            alarm_topic: fields.alarm_topic,
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
        if let Some(twice) = self.tags.iter().find(|tag| !keys.insert(tag.key.as_str())) {
            return Err(format!("the row-level tag `{}` appears twice; remove one", twice.key.as_str()));
        }
        let claimed = self.tags.iter().find(|tag| matches!(tag.value, TagValue::Claim(_)));
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
        let Dashboards::These(dashboards) = &self.dashboards else { return Ok(()) };
        if dashboards.is_empty() {
            return Err("`dashboards` is empty; name at least one, or write `dashboards: all`".to_owned());
        }
        if let Some((name, report)) = self.schedules.iter().find(|(_, report)| !dashboards.contains(&report.dashboard))
        {
            return Err(format!(
                "the schedule `{}` is of the dashboard `{}`, which is not among `dashboards`; add it there",
                name.as_str(),
                report.dashboard.as_str()
            ));
        }
        fits("dashboards", &self.dashboards.to_string())
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

/// The dashboards that reports can be made of. There is no default: whoever means all dashboards of the account has to say so.
#[derive(Clone, Debug)]
pub enum Dashboards {
    /// Every dashboard of the account, now and later: `all`.
    All,
    /// These.
    These(BTreeSet<Id>),
}

/// As report-api reads them.
impl fmt::Display for Dashboards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::These(ids) => Json::from_iter(ids.iter().map(Id::as_str)).fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for Dashboards {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DashboardsVisitor)
    }
}

struct DashboardsVisitor;

impl<'de> Visitor<'de> for DashboardsVisitor {
    type Value = Dashboards;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of dashboard IDs, or `all`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Dashboards, E> {
        match text {
            "all" => Ok(Dashboards::All),
            _ => Err(E::custom(format!("`dashboards` is `{text}`; must be a list of dashboard IDs, or `all`"))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Dashboards, A::Error> {
        BTreeSet::deserialize(SeqAccessDeserializer::new(list)).map(Dashboards::These)
    }
}

/// How much a caller may ask.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Throttle {
    /// Requests per second, on average: 1 to 10,000, which API Gateway allows an account.
    pub requests_a_second: u32,
    /// Requests at once in addition: 1 to 5,000.
    pub burst: u32,
    /// Requests per day: 1 to 100,000,000.
    pub requests_a_day: u32,
}

impl Throttle {
    /// Quotas: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
    fn checked(self) -> Result<Self, String> {
        Ok(Self {
            requests_a_second: in_range("`requests_a_second`", self.requests_a_second, 1..=10_000)?,
            burst: in_range("`burst`", self.burst, 1..=5_000)?,
            requests_a_day: in_range("`requests_a_day`", self.requests_a_day, 1..=100_000_000)?,
        })
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self { requests_a_second: 100, burst: 200, requests_a_day: 10_000 }
    }
}
