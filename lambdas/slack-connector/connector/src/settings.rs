//! The function's settings, read from its environment once at the start.

use aws_types::SdkConfig;
use function::environment::{optional, stand_in};
use function::{Invalid, aws, required};

use crate::table::Booleans;

/// The function's settings.
pub struct Settings {
    pub(crate) tenant: String,
    /// The base URL of the HTTP calls, without a trailing slash.
    pub(crate) slack: String,
    /// Whether the calls go to a stand-in on this machine, the only case in which plain HTTP is allowed.
    pub(crate) local: bool,
    pub(crate) token_secret: String,
    pub(crate) spill_bucket: String,
    pub(crate) spill_prefix: String,
    pub(crate) files_bucket: String,
    pub(crate) files_prefix: String,
    pub(crate) turns_table: String,
    pub(crate) kms_key: Option<String>,
    pub(crate) booleans: Booleans,
    pub(crate) parts: u32,
    pub(crate) athena: SdkConfig,
    pub(crate) dynamodb: SdkConfig,
    pub(crate) kms: SdkConfig,
    pub(crate) s3: SdkConfig,
    pub(crate) secrets_manager: SdkConfig,
}

/// With text for booleans a member takes up to 300 bytes, so this many fit into a block of 16 MB.
const MEMBERS_PER_PART: u32 = 50_000;

/// More than the largest organization on Slack; a day is then read in 100 parts.
const MAX_MEMBERS: u32 = 5_000_000;

impl Settings {
    /// Reads the settings from the environment variables that `variable` returns.
    ///
    /// `TENANT`, `TOKEN_SECRET` under its name `SLACK_TOKEN_SECRET` (an ARN), `SPILL_BUCKET` and `SPILL_PREFIX`,
    /// `FILES_BUCKET` and `FILES_PREFIX` (where files of days are stored) and `TURNS_TABLE` (in which instances take turns) are required.
    /// Optional are `KMS_KEY` (an ARN: data keys come from it), `BOOLEANS` (`boolean` or `text`; `boolean` if absent) and
    /// `MEMBERS` (how many members the organization has at most, 1 to 5,000,000, 50,000 if absent: a day is read in one part for
    /// each 50,000). `SLACK_ENDPOINT_URL` is for a stand-in on this machine. Region, credentials and endpoints of AWS come from
    /// the variables that Lambda and the AWS SDKs use.
    ///
    /// # Errors
    ///
    /// If one is missing or malformed; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        let local = stand_in(variable, "SLACK_ENDPOINT_URL")?;
        Ok(Settings {
            tenant: required(variable, "TENANT")?,
            local: local.is_some(),
            slack: local.unwrap_or_else(|| "https://slack.com".to_owned()),
            token_secret: required(variable, "SLACK_TOKEN_SECRET")?,
            spill_bucket: required(variable, "SPILL_BUCKET")?,
            spill_prefix: required(variable, "SPILL_PREFIX")?,
            files_bucket: required(variable, "FILES_BUCKET")?,
            files_prefix: required(variable, "FILES_PREFIX")?,
            turns_table: required(variable, "TURNS_TABLE")?,
            kms_key: optional(variable, "KMS_KEY"),
            booleans: booleans(optional(variable, "BOOLEANS").as_deref())?,
            parts: members(optional(variable, "MEMBERS").as_deref())?.div_ceil(MEMBERS_PER_PART),
            athena: aws::service(variable, "ATHENA")?,
            dynamodb: aws::service(variable, "DYNAMODB")?,
            kms: aws::service(variable, "KMS")?,
            s3: aws::service(variable, "S3")?,
            secrets_manager: aws::service(variable, "SECRETS_MANAGER")?,
        })
    }
}

fn booleans(value: Option<&str>) -> Result<Booleans, Invalid> {
    match value {
        None | Some("boolean") => Ok(Booleans::Boolean),
        Some("text") => Ok(Booleans::Text),
        Some(other) => Err(Invalid(format!("BOOLEANS is `{}`; must be boolean or text", other.escape_debug()))),
    }
}

fn members(value: Option<&str>) -> Result<u32, Invalid> {
    let Some(value) = value else { return Ok(MEMBERS_PER_PART) };
    let number = value.parse().ok().filter(|number| (1..=MAX_MEMBERS).contains(number));
    number.ok_or_else(|| {
        Invalid(format!("MEMBERS is `{}`; must be a number from 1 to {MAX_MEMBERS}", value.escape_debug()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[(&str, &str)] = &[
        ("TENANT", "acme"),
        ("SLACK_TOKEN_SECRET", "arn"),
        ("SPILL_BUCKET", "spill"),
        ("SPILL_PREFIX", "athena-spill"),
        ("FILES_BUCKET", "files"),
        ("FILES_PREFIX", "days"),
        ("TURNS_TABLE", "turns"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];

    fn read(changed: &str, value: Option<&str>) -> Result<Settings, Invalid> {
        let found = |name: &str| WHOLE.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Settings::read(&|name: &str| if name == changed { value.map(str::to_owned) } else { found(name) })
    }

    #[test]
    fn a_missing_variable_is_named() {
        for (name, _) in WHOLE {
            let error = read(name, None).err().expect("refused");
            assert!(error.0.contains(name), "{error}");
        }
    }

    #[test]
    fn options_have_defaults_and_limits() {
        let plain = read("", None).unwrap();
        assert_eq!((plain.booleans, plain.parts, plain.slack.as_str()), (Booleans::Boolean, 1, "https://slack.com"));
        assert_eq!(read("BOOLEANS", Some("text")).unwrap().booleans, Booleans::Text);
        for (members, parts) in [("1", 1), ("50000", 1), ("50001", 2), ("200000", 4), ("5000000", 100)] {
            assert_eq!(read("MEMBERS", Some(members)).unwrap().parts, parts, "{members}");
        }
        for (name, value) in [("BOOLEANS", "Text"), ("MEMBERS", "0"), ("MEMBERS", "5000001"), ("MEMBERS", "many")] {
            let error = read(name, Some(value)).err().expect("refused");
            assert!(error.0.contains(name) && error.0.contains(value), "{error}");
        }
    }

    #[test]
    fn the_token_is_sent_to_slack_or_stays_on_this_machine() {
        assert_eq!(read("SLACK_ENDPOINT_URL", Some("http://127.0.0.1:4242/")).unwrap().slack, "http://127.0.0.1:4242");
        assert!(read("SLACK_ENDPOINT_URL", Some("http://127.0.0.1@evil.com")).is_err());
    }
}
