//! Where finished reports are sent.

use std::collections::BTreeSet;

use cfn::Json;
use serde::Deserialize;

use crate::shared::bucket::{BucketName, KeyPrefix};
use crate::shared::fields::{AccountId, checked_text, given, in_range};
use crate::shared::mail::{Address, Domain};

/// Where finished reports are sent. Every way is off by default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliveries {
    /// By e-mail, to the recipients of a schedule.
    #[serde(default, deserialize_with = "given")]
    pub email: Option<Email>,
    /// Into a partner's bucket.
    #[serde(default, deserialize_with = "given")]
    pub partner_bucket: Option<PartnerBucket>,
    /// To an SFTP server.
    #[serde(default, deserialize_with = "given")]
    pub sftp: Option<Sftp>,
}

impl Deliveries {
    /// Whether anything is sent at all.
    pub(crate) fn any(&self) -> bool {
        self.email.is_some() || self.partner_bucket.is_some() || self.sftp.is_some()
    }
}

/// Delivery by e-mail.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "EmailFields")]
pub struct Email {
    /// The sender: an address that SES has verified, or whose domain it has verified.
    pub from: Address,
    /// Bytes up to which a job's files are attached; larger ones are sent as a link. At most 25,000,000: SES accepts 40 MB as text.
    pub attach_bytes: u32,
    /// The domains that callers of the API may have reports sent to; a schedule may send anywhere.
    pub recipient_domains: BTreeSet<Domain>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailFields {
    from: Address,
    #[serde(default = "seven_megabytes")]
    attach_bytes: u32,
    #[serde(default, deserialize_with = "given")]
    recipient_domains: BTreeSet<Domain>,
}

impl TryFrom<EmailFields> for Email {
    type Error = String;

    fn try_from(fields: EmailFields) -> Result<Self, String> {
        let attach_bytes = in_range("`attach_bytes`", fields.attach_bytes, 0..=25_000_000)?;
        Ok(Self { from: fields.from, attach_bytes, recipient_domains: fields.recipient_domains })
    }
}

impl Email {
    /// The domains as report-api reads them; `None` if callers may not have reports sent.
    pub(super) fn recipient_domains(&self) -> Option<String> {
        let domains = Json::from_iter(self.recipient_domains.iter().map(Domain::as_str));
        (!self.recipient_domains.is_empty()).then(|| domains.to_string())
    }
}

/// Encoded as text this is ten megabytes, which most mail servers accept.
fn seven_megabytes() -> u32 {
    7_000_000
}

/// Delivery into a bucket of a partner, who has admitted the role of ReportSender.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerBucket {
    /// The bucket.
    pub name: BucketName,
    /// The account that owns it. S3 refuses to write to a bucket of this name that somebody else owns.
    pub account: AccountId,
    /// The start of the key of every file.
    pub prefix: KeyPrefix,
}

/// Delivery by a connector of AWS Transfer Family, whose role may read the bucket of the reports.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sftp {
    /// The connector's ID.
    pub connector: Connector,
    /// The folder on the server.
    pub folder: Folder,
}

checked_text! {
    /// The ID of a connector of AWS Transfer Family.
    pub Connector, |text: &str| {
        if text.strip_prefix("c-").is_some_and(|id| id.len() == 17 && id.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return Ok(());
        }
        Err(format!("`{text}` is not the ID of a connector; must be c- and 17 hexadecimal digits"))
    }
}

checked_text! {
    /// A folder on a server.
    pub Folder, |text: &str| {
        if text.starts_with('/') && text.len() <= 512 && !text.split('/').any(|segment| segment == "..") && !text.contains(char::is_control) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid folder; use a path from the root, as in /incoming/reports"))
    }
}
