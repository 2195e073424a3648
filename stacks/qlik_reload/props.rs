//! What differs between tenants.

use std::collections::{BTreeMap, BTreeSet};

use cfn::Json;
use serde::Deserialize;

use crate::qlik_reload::event_pattern::EventPattern;
use crate::shared::fields::Name;
use crate::shared::fields::{Cron, Rate, TimeZone, TopicArn, When, checked_text, given};

/// What differs between tenants.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Props {
    /// The tenant at Qlik, `https://acme.eu.qlikcloud.com`.
    pub tenant_url: TenantUrl,
    /// Reloads on a schedule, by name.
    pub schedules: BTreeMap<Name, ScheduleTrigger>,
    /// Reloads on events, by name.
    pub events: BTreeMap<Name, EventTrigger>,
    /// Whether there is a REST API to request reloads.
    pub requests: bool,
    /// The apps that a request or an event may name in addition to those of schedules and events.
    allowed_apps: BTreeSet<AppId>,
    /// The SNS topic that alarms go to.
    pub alarm_topic: Option<TopicArn>,
}

/// [`Props`] as the file has them, before the checks that span several keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    tenant_url: TenantUrl,
    #[serde(default, deserialize_with = "given")]
    schedules: BTreeMap<Name, ScheduleTrigger>,
    #[serde(default, deserialize_with = "given")]
    events: BTreeMap<Name, EventTrigger>,
    #[serde(default)]
    requests: bool,
    #[serde(default, deserialize_with = "given")]
    allowed_apps: BTreeSet<AppId>,
    #[serde(default, deserialize_with = "given")]
    alarm_topic: Option<TopicArn>,
}

impl Props {
    /// Most apps that may be named from outside: their IDs share the 4 KB that Lambda gives to a function's variables.
    const MOST_ALLOWED_APPS: usize = 90;

    /// Whether a request or an event names the app, so that the function must know which it may reload.
    pub(crate) fn takes_app_ids(&self) -> bool {
        self.requests || self.events.values().any(|event| matches!(event.app, App::From(_)))
    }

    /// Every app that this tenant reloads.
    pub(crate) fn allowed_apps(&self) -> Vec<&str> {
        let scheduled = self.schedules.values().flat_map(|schedule| &schedule.apps);
        let fixed = self.events.values().filter_map(|event| match &event.app {
            App::Fixed(app) => Some(app),
            App::From(_) => None,
        });
        let all: BTreeSet<&str> = scheduled.chain(fixed).chain(&self.allowed_apps).map(AppId::as_str).collect();
        all.into_iter().collect()
    }

    /// Whether some trigger follows its reload to the end.
    pub(crate) fn waits_for_the_end(&self) -> bool {
        let options = self
            .schedules
            .values()
            .map(|schedule| &schedule.options)
            .chain(self.events.values().map(|event| &event.options));
        options.into_iter().any(|options| options.wait_for == Some(WaitFor::Finished))
    }
}

impl TryFrom<Fields> for Props {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        let props = Self {
            tenant_url: fields.tenant_url,
            schedules: fields.schedules,
            events: fields.events,
            requests: fields.requests,
            allowed_apps: fields.allowed_apps,
            alarm_topic: fields.alarm_topic,
        };
        let apps = props.allowed_apps().len();
        if props.takes_app_ids() && !(1..=Self::MOST_ALLOWED_APPS).contains(&apps) {
            return Err(format!(
                "{apps} apps can be reloaded; must be 1 to {} if `requests` or `app_from` let others name the app; \
                 list them under `allowed_apps`",
                Self::MOST_ALLOWED_APPS
            ));
        }
        Ok(props)
    }
}

/// Reloads on a schedule.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "ScheduleFields")]
pub struct ScheduleTrigger {
    /// The apps, 1 to 20.
    pub apps: Vec<AppId>,
    /// When they are reloaded.
    pub when: When,
    /// The time zone of a cron expression; UTC if there is none.
    pub time_zone: Option<TimeZone>,
    /// How they are reloaded.
    pub options: ReloadOptions,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleFields {
    #[serde(deserialize_with = "given")]
    apps: Vec<AppId>,
    #[serde(default, deserialize_with = "given")]
    cron: Option<Cron>,
    #[serde(default, deserialize_with = "given")]
    rate: Option<Rate>,
    #[serde(default, deserialize_with = "given")]
    time_zone: Option<TimeZone>,
    #[serde(default, deserialize_with = "given")]
    options: ReloadOptions,
}

impl ScheduleTrigger {
    const MOST_APPS: usize = 20;
}

impl TryFrom<ScheduleFields> for ScheduleTrigger {
    type Error = String;

    fn try_from(fields: ScheduleFields) -> Result<Self, String> {
        let when = When::one_of(fields.cron, fields.rate)?;
        if !(1..=Self::MOST_APPS).contains(&fields.apps.len()) {
            return Err(format!(
                "the schedule has {} apps; must have 1 to {}; create another schedule",
                fields.apps.len(),
                Self::MOST_APPS
            ));
        }
        if let Some(twice) =
            fields.apps.iter().enumerate().find_map(|(i, app)| fields.apps[..i].contains(app).then_some(app))
        {
            return Err(format!("the app `{}` is listed twice in one schedule; remove one", twice.as_str()));
        }
        Ok(Self { apps: fields.apps, when, time_zone: fields.time_zone, options: fields.options })
    }
}

/// A reload for each event that matches.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "EventFields")]
pub struct EventTrigger {
    /// The EventBridge event pattern.
    pub pattern: EventPattern,
    /// The app.
    pub app: App,
    /// How it is reloaded.
    pub options: ReloadOptions,
}

/// Which app an event reloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum App {
    /// Always this one.
    Fixed(AppId),
    /// The one that the event names at this path.
    From(EventPath),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventFields {
    #[serde(deserialize_with = "given")]
    pattern: EventPattern,
    #[serde(default, deserialize_with = "given")]
    app: Option<AppId>,
    #[serde(default, deserialize_with = "given")]
    app_from: Option<EventPath>,
    #[serde(default, deserialize_with = "given")]
    options: ReloadOptions,
}

impl TryFrom<EventFields> for EventTrigger {
    type Error = String;

    fn try_from(fields: EventFields) -> Result<Self, String> {
        let app = match (fields.app, fields.app_from) {
            (Some(app), None) => App::Fixed(app),
            (None, Some(path)) => App::From(path),
            _ => return Err("an event has either `app` or `app_from`; set one of them".to_owned()),
        };
        Ok(Self { pattern: fields.pattern, app, options: fields.options })
    }
}

/// How an app is reloaded.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "ReloadFields")]
pub struct ReloadOptions {
    fields: serde_json::Map<String, Json>,
    wait_for: Option<WaitFor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReloadFields {
    #[serde(default, deserialize_with = "given")]
    partial: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    weight: Option<u8>,
    #[serde(default, deserialize_with = "given")]
    variables: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "given")]
    skip_if_active: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    wait_for: Option<WaitFor>,
}

/// How far the function follows a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WaitFor {
    /// The reload has started.
    Started,
    /// The reload has ended.
    Finished,
}

impl ReloadOptions {
    /// The largest weight; the least is 1. <https://qlik.dev/changelog/150-api-updates-reload-weight>
    pub(crate) const LARGEST_WEIGHT: u8 = 10;
    /// Most variables of a reload. <https://qlik.dev/apis/rest/reloads/>
    pub(crate) const MOST_VARIABLES: usize = 20;
    /// Most characters of a variable's value (same source).
    pub(crate) const LONGEST_VARIABLE: usize = 256;

    /// The fields of the function's event that the tenant file sets.
    pub(crate) fn fields(&self) -> serde_json::Map<String, Json> {
        self.fields.clone()
    }
}

impl TryFrom<ReloadFields> for ReloadOptions {
    type Error = String;

    fn try_from(options: ReloadFields) -> Result<Self, String> {
        if let Some(weight) = options.weight.filter(|weight| !(1..=Self::LARGEST_WEIGHT).contains(weight)) {
            return Err(format!("weight is {weight}; must be 1 to {}", Self::LARGEST_WEIGHT));
        }
        if options.variables.len() > Self::MOST_VARIABLES {
            return Err(format!(
                "there are {} variables; must be at most {}",
                options.variables.len(),
                Self::MOST_VARIABLES
            ));
        }
        if let Some((name, value)) =
            options.variables.iter().find(|(_, value)| value.chars().count() > Self::LONGEST_VARIABLE)
        {
            let length = value.chars().count();
            return Err(format!(
                "variable `{name}` has {length} characters; must have at most {}",
                Self::LONGEST_VARIABLE
            ));
        }
        if let Some(name) =
            options.variables.iter().find_map(|(name, value)| value.contains(['<', '>']).then_some(name))
        {
            return Err(format!(
                "variable `{name}` contains `<` or `>`, which EventBridge treats as a placeholder; leave them out"
            ));
        }
        let mut fields = serde_json::Map::new();
        let mut set = |name: &str, value: Option<Json>| {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        };
        set("partial", options.partial.map(Json::from));
        set("weight", options.weight.map(Json::from));
        set("variables", (!options.variables.is_empty()).then(|| options.variables.into_iter().collect()));
        set("skipIfActive", options.skip_if_active.filter(|skip| *skip).map(Json::from));
        set(
            "waitFor",
            options
                .wait_for
                .map(|wait_for| Json::from(if wait_for == WaitFor::Finished { "finished" } else { "started" })),
        );
        Ok(Self { fields, wait_for: options.wait_for })
    }
}

/// The form of an app's ID.
pub(crate) const APP_ID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

checked_text! {
    /// The ID of a Qlik app: a GUID in lower case.
    pub AppId, |text: &str| {
        let groups: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        let is_hex = |group: &str| group.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if lengths == [8, 4, 4, 4, 12] && groups.into_iter().all(is_hex) {
            return Ok(());
        }
        Err(format!("`{text}` is not an app ID; must be a GUID in lower case, as in the app's address: 687ef393-f0ad-4c64-ac59-6db967126015"))
    }
}

checked_text! {
    /// The address of a Qlik Cloud tenant; a slash at its end is not part of it.
    pub TenantUrl, |text: &str| {
        let text = text.strip_suffix('/').unwrap_or(text);
        let host = text.strip_prefix("https://").unwrap_or_default();
        let known = [".qlikcloud.com", ".qlikcloudgov.com"].iter().find_map(|domain| host.strip_suffix(domain));
        let is_label = |label: &str| !label.is_empty() && label.len() <= 63 && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        let fits = known.and_then(|prefix| prefix.split_once('.')).is_some_and(|(tenant, region)| is_label(tenant) && is_region(region));
        if fits {
            return Ok(());
        }
        Err(format!("`{text}` is not a Qlik Cloud tenant; must be https://<tenant>.<region>.qlikcloud.com (or qlikcloudgov.com) with nothing after it"))
    }
}

/// `eu`, `us`, `ap`, `de`, `sg`, `in`: two letters, and up to three more letters or digits.
fn is_region(text: &str) -> bool {
    (2..=5).contains(&text.len())
        && text.bytes().take(2).all(|byte| byte.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

checked_text! {
    /// The path of a value in an event's detail, `$.detail.appId`.
    pub EventPath, |text: &str| {
        let is_key = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if text.len() <= 256 && text.strip_prefix("$.detail.").is_some_and(|path| path.split('.').all(is_key)) {
            return Ok(());
        }
        Err(format!("`{text}` is not a path to a value in an event's detail; must be `$.detail.` and keys joined by dots, such as $.detail.appId"))
    }
}
