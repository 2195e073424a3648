//! What differs between tenants.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::dashboard::DashboardProps;
use crate::shared::arn::{check_arn, is_named};
use crate::shared::fields::{TopicArn, checked_text, given, in_range};
use crate::shared::mail::Address;

/// What differs between tenants.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Props {
    /// The Slack app's client ID.
    pub client_id: ClientId,
    /// The organization whose members are counted; an installation on a different one is rejected.
    pub enterprise_id: EnterpriseId,
    /// Who may install and revoke the app.
    pub admins: Vec<Address>,
    /// How booleans are shown.
    pub booleans: Booleans,
    /// The most members that the organization has, which decides in how many parts a day is read.
    pub members: Option<u32>,
    /// Days that Slack's file of each day is kept; without it, files are only shared for a day.
    pub keep_days: Option<u32>,
    /// The KMS key of files, spilled blocks and results; without one, S3 encrypts with its own.
    pub kms_key: Option<KmsKey>,
    /// The dashboard, if the stack creates one.
    pub dashboard: Option<DashboardProps>,
    /// The SNS topic that alarms go to.
    pub alarm_topic: Option<TopicArn>,
}

/// How booleans are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Booleans {
    /// As booleans.
    #[default]
    Boolean,
    /// As the texts `true` and `false`, for dashboards that compare with them.
    Text,
}

/// [`Props`] as the file has them, before the checks that span several keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    client_id: ClientId,
    enterprise_id: EnterpriseId,
    #[serde(deserialize_with = "given")]
    admins: Vec<Address>,
    #[serde(default)]
    booleans: Booleans,
    #[serde(default, deserialize_with = "given")]
    members: Option<u32>,
    #[serde(default, deserialize_with = "given")]
    keep_days: Option<u32>,
    #[serde(default, deserialize_with = "given")]
    kms_key: Option<KmsKey>,
    #[serde(default, deserialize_with = "given")]
    dashboard: Option<DashboardProps>,
    #[serde(default, deserialize_with = "given")]
    alarm_topic: Option<TopicArn>,
}

impl Props {
    /// More than the largest organization on Slack.
    const MOST_MEMBERS: u32 = 5_000_000;
    /// Ten years. Slack itself keeps thirteen months.
    const MOST_KEPT_DAYS: u32 = 3650;
    const MOST_ADMINS: usize = 20;
    /// Lambda gives 4,096 bytes to all of a function's variables; this leaves room for the others.
    const MOST_ADMIN_BYTES: usize = 2048;

    /// The admins as slack-oauth reads them.
    pub(super) fn admins(&self) -> String {
        as_json(&self.admins)
    }

    pub(super) fn booleans_as_text(&self) -> bool {
        self.booleans == Booleans::Text
    }
}

fn as_json(admins: &[Address]) -> String {
    let admins: BTreeSet<String> = admins.iter().map(|admin| admin.as_str().to_lowercase()).collect();
    serde_json::json!(admins).to_string()
}

impl TryFrom<Fields> for Props {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        if fields.admins.is_empty() || fields.admins.len() > Self::MOST_ADMINS {
            return Err(format!(
                "`admins` has {} addresses; must have 1 to {}",
                fields.admins.len(),
                Self::MOST_ADMINS
            ));
        }
        let bytes = as_json(&fields.admins).len();
        if bytes > Self::MOST_ADMIN_BYTES {
            return Err(format!(
                "`admins` has {bytes} bytes as JSON; must have at most {}; name fewer people",
                Self::MOST_ADMIN_BYTES
            ));
        }
        let members = fields.members.map(|count| in_range("`members`", count, 1..=Self::MOST_MEMBERS)).transpose()?;
        let keep_days =
            fields.keep_days.map(|count| in_range("`keep_days`", count, 1..=Self::MOST_KEPT_DAYS)).transpose()?;
        Ok(Self {
            client_id: fields.client_id,
            enterprise_id: fields.enterprise_id,
            admins: fields.admins,
            booleans: fields.booleans,
            members,
            keep_days,
            kms_key: fields.kms_key,
            dashboard: fields.dashboard,
            alarm_topic: fields.alarm_topic,
        })
    }
}

checked_text! {
    /// The client ID of a Slack app: two numbers with a dot in between.
    pub ClientId, |text: &str| {
        let is_number = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        match text.split_once('.') {
            Some((team, app)) if is_number(team) && is_number(app) && text.len() <= 64 => Ok(()),
            _ => Err(format!("`{text}` is not a client ID of Slack; must be two numbers with a dot in between, in quotes")),
        }
    }
}

checked_text! {
    /// The ID of an organization on Slack.
    pub EnterpriseId, |text: &str| {
        let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if (2..=32).contains(&text.len()) && text.starts_with('E') && text.bytes().all(is_plain) {
            return Ok(());
        }
        Err(format!("`{text}` is not an organization on Slack; must be its ID: E, then capital letters and digits"))
    }
}

checked_text! {
    /// The ARN of a KMS key.
    pub KmsKey, |text: &str| {
        check_arn(text, "a KMS key", "arn:aws:kms:<region>:<account>:key/<id>", |arn| is_named(arn, "key/"))
    }
}
