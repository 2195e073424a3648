//! The function's settings, read from its environment once at the start.

use std::time::Duration;

use aws_types::SdkConfig;
use function::{Invalid, aws, environment, required};

/// The function's settings.
pub struct Settings {
    pub(crate) tenant: String,
    pub(crate) jobs_table: String,
    pub(crate) bucket: String,
    pub(crate) mail: Option<Mail>,
    pub(crate) partner: Option<Partner>,
    pub(crate) sftp: Option<Sftp>,
    pub(crate) dynamodb: SdkConfig,
    pub(crate) s3: SdkConfig,
    /// S3 for copies, whose duration depends on the file's size.
    pub(crate) s3_copies: SdkConfig,
    pub(crate) ses: SdkConfig,
    pub(crate) transfer: SdkConfig,
}

pub(crate) struct Mail {
    pub(crate) from: String,
    /// A job's files are attached up to this total size.
    pub(crate) attach_bytes: u64,
    /// The report API's address, up to `/qs-anonymous-snapshot`.
    pub(crate) link_base: Option<String>,
}

pub(crate) struct Partner {
    pub(crate) bucket: String,
    /// Empty, or ends with a slash.
    pub(crate) prefix: String,
    /// The account that owns the bucket: if the partner deletes it, anybody can create one of the same name.
    pub(crate) account: String,
}

pub(crate) struct Sftp {
    pub(crate) connector: String,
    pub(crate) folder: Option<String>,
}

const ATTACH_BYTES: u64 = 7_000_000;

/// SES accepts messages of 40 MB after base64: <https://docs.aws.amazon.com/ses/latest/dg/quotas.html>.
const MOST_ATTACH_BYTES: u64 = 25_000_000;

/// For a call that sends or moves files: a mail whose response was not awaited counts as lost. Shorter than the time that a run
/// reserves for what it has claimed.
const LONGEST_CALL: Duration = Duration::from_secs(20);

impl Settings {
    /// Reads the settings from the environment variables that `variable` returns.
    ///
    /// `TENANT`, `JOBS_TABLE` and `REPORT_BUCKET` are required. `MAIL_FROM` turns e-mail on; `MAIL_ATTACH_BYTES` (0 to 25,000,000,
    /// default 7,000,000) and `MAIL_LINK_BASE` (the address of the report API) belong to it. `PARTNER_BUCKET` turns copies
    /// on, with `PARTNER_ACCOUNT`, which must own it, and `PARTNER_PREFIX`; `SFTP_CONNECTOR` turns SFTP on, with `SFTP_FOLDER`.
    ///
    /// # Errors
    ///
    /// If one is missing or malformed; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        let optional = |name: &str| environment::optional(variable, name);
        let link_base = optional("MAIL_LINK_BASE");
        let (prefix, folder) = (optional("PARTNER_PREFIX"), optional("SFTP_FOLDER"));
        if let Some(base) = link_base.as_ref().filter(|base| !base.starts_with("https://")) {
            return Err(Invalid(format!("MAIL_LINK_BASE is `{base}`; must be an https address")));
        }
        let attach_bytes = environment::number(variable, "MAIL_ATTACH_BYTES", ATTACH_BYTES, 0..=MOST_ATTACH_BYTES)?;
        let prefix = prefix.map(|prefix| format!("{}/", prefix.trim_matches('/'))).unwrap_or_default();
        Ok(Settings {
            tenant: required(variable, "TENANT")?,
            jobs_table: required(variable, "JOBS_TABLE")?,
            bucket: required(variable, "REPORT_BUCKET")?,
            mail: optional("MAIL_FROM").map(|from| Mail { from, attach_bytes, link_base }),
            partner: match optional("PARTNER_BUCKET") {
                Some(bucket) => Some(Partner { bucket, prefix, account: required(variable, "PARTNER_ACCOUNT")? }),
                None => None,
            },
            sftp: optional("SFTP_CONNECTOR").map(|connector| Sftp { connector, folder }),
            dynamodb: aws::service(variable, "DYNAMODB")?,
            s3: aws::service(variable, "S3")?,
            s3_copies: aws::with_time(aws::service(variable, "S3")?, LONGEST_CALL),
            ses: aws::without_idle_connections(
                variable,
                aws::with_time(aws::service(variable, "SESV2")?, LONGEST_CALL),
            ),
            transfer: aws::service(variable, "TRANSFER")?,
        })
    }
}
