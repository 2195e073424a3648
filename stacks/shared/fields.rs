//! Values of a tenant file that more than one system uses: types that cannot be wrong once they are read.

use std::fmt;
use std::ops::RangeInclusive;

use cfn::Json;
use constructs::schedule_expression::{check_cron, check_rate, check_time_zone};
use constructs::{Schedule, ScheduleGroupRef};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::shared::arn::{check_arn, is_account, is_named};

/// The message for a key without a value.
pub(crate) const NOTHING: &str = "this key has no value; set one or remove the key";

/// The value of a key that is present, also for an `Option`. A key without a value does not mean "left out": a line went missing, and
/// ignoring it could lift a restriction.
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer)?.ok_or_else(|| D::Error::custom(NOTHING))
}

/// A list that is present, without repetitions: AWS rejects a subnet, an address or a person that is listed twice, or counts it twice.
pub(crate) fn distinct<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de> + PartialEq + AsRef<str>,
    D: Deserializer<'de>,
{
    let list: Vec<T> = given(deserializer)?;
    match list.iter().enumerate().find(|(index, item)| list[..*index].contains(item)) {
        Some((_, twice)) => Err(D::Error::custom(format!("`{}` appears twice; remove one", twice.as_ref()))),
        None => Ok(list),
    }
}

/// The name of something in a tenant file: lower-case words joined by hyphens, each starting with a letter, at most 20
/// characters. Logical IDs are derived from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

impl Name {
    /// Most characters of a name.
    pub const LENGTH: usize = 20;

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a part of a logical ID, `office-hours` as `OfficeHours`. Different names stay different.
    pub fn logical(&self) -> String {
        self.0
            .split('-')
            .map(|word| {
                let (first, rest) = word.split_at(1);
                first.to_uppercase() + rest
            })
            .collect()
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if text.len() <= Self::LENGTH && text.split('-').all(is_word) {
            return Ok(Self(text));
        }
        Err(format!(
            "`{text}` is not a valid name; use at most {} characters a-z and 0-9, in words that start with a letter and are joined by `-`",
            Self::LENGTH
        ))
    }
}

/// Defines a newtype over text that is checked when it is read: documentation, visibility and name, check.
macro_rules! checked_text {
    ($(#[$doc:meta])* $visibility:vis $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
        #[serde(try_from = "String")]
        $visibility struct $name(String);

        impl $name {
            /// The text as it was written.
            $visibility fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                $check(&text)?;
                Ok(Self(text))
            }
        }
    };
}
pub(crate) use checked_text;

checked_text! {
    /// The name of a tenant: `[a-z][a-z0-9-]{0,19}`. Stack names contain it.
    pub TenantName, |text: &str| {
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
        let fits = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if starts && fits && text.len() <= 20 {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid tenant name; use at most 20 characters a-z, 0-9 and `-`, starting with a letter"))
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

checked_text! {
    /// Six fields of a cron expression.
    pub Cron, check_cron
}

checked_text! {
    /// A rate, `5 minutes`.
    pub Rate, check_rate
}

checked_text! {
    /// An IANA time zone.
    pub TimeZone, check_time_zone
}

checked_text! {
    /// The ARN of an SNS topic.
    pub TopicArn, |text: &str| check_arn(text, "an SNS topic", "arn:aws:sns:<region>:<account>:<name>", |resource| {
        let name = resource.strip_suffix(".fifo").unwrap_or(resource);
        resource.len() <= 256 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') && !name.is_empty()
    })
}

checked_text! {
    /// The ID of an AWS account.
    pub AccountId, |text: &str| {
        if is_account(text) {
            return Ok(());
        }
        Err(format!("`{text}` is not an account ID; must be twelve digits in quotes"))
    }
}

/// When a schedule runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// At the times of a cron expression.
    Cron(Cron),
    /// Every so often.
    Rate(Rate),
}

impl When {
    /// The one of the two that is given.
    pub(crate) fn one_of(cron: Option<Cron>, rate: Option<Rate>) -> Result<Self, String> {
        match (cron, rate) {
            (Some(cron), None) => Ok(Self::Cron(cron)),
            (None, Some(rate)) => Ok(Self::Rate(rate)),
            _ => Err("a schedule has either `cron` or `rate`; give one of them".to_owned()),
        }
    }

    /// The schedule that calls `group`'s function with `input` at these times.
    pub(crate) fn schedule<'a>(
        &self,
        zone: Option<&TimeZone>,
        input: Json,
        group: &'a ScheduleGroupRef,
    ) -> Schedule<'a> {
        let schedule = match self {
            Self::Cron(cron) => Schedule::cron(cron.as_str(), input, group),
            Self::Rate(rate) => Schedule::rate(rate.as_str(), input, group),
        };
        schedule.time_zone(zone.map_or("UTC", TimeZone::as_str))
    }
}

checked_text! {
    /// The ARN of a Cognito user pool.
    pub UserPoolArn, |text: &str| {
        check_arn(text, "a user pool", "arn:aws:cognito-idp:<region>:<account>:userpool/<id>", |resource| is_named(resource, "userpool/"))
    }
}

/// Whether a text is a name that Redshift accepts without quotes.
pub(crate) fn is_identifier(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && text.len() <= 127 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$')
}

checked_text! {
    /// The name of a schema, a table, a column or a database of Redshift.
    /// <https://docs.aws.amazon.com/redshift/latest/dg/r_names.html>
    pub(crate) Identifier, |text: &str| {
        if is_identifier(text) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid name in Redshift; use at most 127 letters, digits, `_` and `$`, starting with a letter or `_`"))
    }
}

/// Checks an ID that EC2 generated, such as `vpc-0a1b2c3d`.
pub(crate) fn is_ec2_id(text: &str, kind: &str) -> Result<(), String> {
    let digits = text.strip_prefix(kind).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
    if matches!(digits.len(), 8 | 17)
        && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    {
        return Ok(());
    }
    Err(format!("`{text}` is not a valid ID; must be {kind}- and 8 or 17 hexadecimal digits"))
}

checked_text! {
    /// The ID of a subnet.
    pub SubnetId, |text: &str| is_ec2_id(text, "subnet")
}

checked_text! {
    /// The ID of a security group.
    pub(crate) GroupId, |text: &str| is_ec2_id(text, "sg")
}

/// A number that must be in a range.
///
/// # Errors
///
/// What the number is called, the number, and the range.
pub(crate) fn in_range(name: &str, value: u32, range: RangeInclusive<u32>) -> Result<u32, String> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(format!("{name} is {value}; must be {} to {}", range.start(), range.end()))
}
