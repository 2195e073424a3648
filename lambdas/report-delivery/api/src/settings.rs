//! The function's settings, read from its environment once at the start.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_types::SdkConfig;
use function::{Invalid, aws, environment, required};
use report_queue::is_id;

use crate::identity::TagSource;

/// The function's settings.
pub struct Settings {
    pub(crate) tenant: String,
    pub(crate) account: String,
    /// The partition of AWS that ARNs name.
    pub(crate) partition: String,
    pub(crate) region: String,
    pub(crate) jobs_table: String,
    pub(crate) bucket: String,
    pub(crate) page_key_secret: String,
    pub(crate) tags: Vec<TagSource>,
    pub(crate) url_life: Duration,
    pub(crate) dashboards: Dashboards,
    /// The domains, in lower case, to which callers may have reports sent; nowhere if the list is empty.
    pub(crate) recipient_domains: BTreeSet<String>,
    pub(crate) dynamodb: SdkConfig,
    pub(crate) s3: SdkConfig,
    pub(crate) secrets_manager: SdkConfig,
}

/// The dashboards that may be requested.
pub(crate) enum Dashboards {
    /// Every dashboard of the account.
    All,
    /// These.
    These(BTreeSet<String>),
}

impl Dashboards {
    pub(crate) fn contains(&self, dashboard: &str) -> bool {
        match self {
            Dashboards::All => true,
            Dashboards::These(ids) => ids.contains(dashboard),
        }
    }
}

impl Settings {
    /// Reads the settings from the environment variables that `variable` returns.
    ///
    /// `TENANT`, `ACCOUNT_ID`, `JOBS_TABLE`, `REPORT_BUCKET`, `PAGE_KEY_SECRET` (an ARN), `ROW_LEVEL_TAGS` and `DASHBOARDS` are required.
    /// `ROW_LEVEL_TAGS` is a JSON list of at most 50 tags, each `{"key":…,"value":…}` or `{"key":…,"claim":…}`; an empty list is
    /// for datasets without row-level security. `DASHBOARDS` is a JSON list of IDs, or `all`. `URL_SECONDS` (1 to 300) defaults to 300,
    /// `PARTITION` to `aws`. `RECIPIENT_DOMAINS` is a JSON list of the domains that callers may have reports sent to; schedules may send anywhere.
    ///
    /// # Errors
    ///
    /// If one is missing or malformed; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        Ok(Settings {
            tenant: required(variable, "TENANT")?,
            account: required(variable, "ACCOUNT_ID")?,
            partition: environment::optional(variable, "PARTITION").unwrap_or("aws".to_owned()),
            region: required(variable, "AWS_REGION")?,
            jobs_table: required(variable, "JOBS_TABLE")?,
            bucket: required(variable, "REPORT_BUCKET")?,
            page_key_secret: required(variable, "PAGE_KEY_SECRET")?,
            tags: tags(&required(variable, "ROW_LEVEL_TAGS")?)?,
            url_life: Duration::from_secs(environment::number(variable, "URL_SECONDS", 300, 1..=300)?),
            dashboards: match required(variable, "DASHBOARDS")?.as_str() {
                "all" => Dashboards::All,
                _ => Dashboards::These(list(variable, "DASHBOARDS", "dashboard IDs, or `all`", is_id)?),
            },
            recipient_domains: list(variable, "RECIPIENT_DOMAINS", "domains in lower case", is_domain)?,
            dynamodb: aws::service(variable, "DYNAMODB")?,
            s3: aws::service(variable, "S3")?,
            secrets_manager: aws::service(variable, "SECRETS_MANAGER")?,
        })
    }
}

fn tags(text: &str) -> Result<Vec<TagSource>, Invalid> {
    let allowed = r#"must be a list of at most 50 of {"key":"…","value":"…"} and {"key":"…","claim":"…"}, keys of 1 to 128 characters"#;
    let wrong = |what: &str| Invalid(format!("ROW_LEVEL_TAGS {what}; {allowed}"));
    let tags: Vec<TagSource> = serde_json::from_str(text).map_err(|_| wrong("is not of its form"))?;
    let fits = |tag: &TagSource| (1..=128).contains(&tag.key().chars().count()) && !tag.source().is_empty();
    if tags.len() <= 50 && tags.iter().all(fits) {
        Ok(tags)
    } else {
        Err(wrong("has too many tags, or a tag with an empty or too long part"))
    }
}

fn list(
    variable: &impl Fn(&str) -> Option<String>,
    name: &str,
    what: &str,
    fits: fn(&str) -> bool,
) -> Result<BTreeSet<String>, Invalid> {
    let Some(text) = environment::optional(variable, name) else { return Ok(BTreeSet::new()) };
    let entries: Option<BTreeSet<String>> = serde_json::from_str(&text).ok();
    let entries = entries.filter(|entries| entries.iter().all(|entry| fits(entry)));
    entries.ok_or_else(|| Invalid(format!("{name} is malformed; must be a JSON list of {what}")))
}

fn is_domain(text: &str) -> bool {
    text.contains('.')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
}
