//! What differs between tenants.

use std::collections::BTreeSet;

use cfn::Json;
use cfn::intrinsic::account_id;
use constructs::Grant;
use serde::Deserialize;
use serde_json::json;

use super::SYSTEM;
use crate::shared::arn::{self, check_arn, is_named};
use crate::shared::bucket::{BucketName, KeyPrefix};
use crate::shared::fields::{Identifier, TopicArn, checked_text, given, in_range};
use crate::shared::mail::{Address, Domain as MailDomain};
use crate::shared::warehouse::{Schema, Warehouse};
use crate::tenancy::Tenancy;

/// What differs between tenants.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Props {
    /// What is queried.
    pub warehouse: Warehouse,
    /// The schema that the queries may read; `query_app_<tenant>` if there is none.
    schema: Option<Identifier>,
    /// Statements that fill the schema when the stack is created.
    pub script: Option<Script>,
    /// The tenant's own queries, in addition to the ones that every tenant has.
    pub queries: Option<Queries>,
    /// Mail domains whose people may sign up by themselves; without any, an administrator creates the users.
    pub sign_up: Vec<MailDomain>,
    /// Whether people need an authenticator app.
    pub mfa: SecondFactor,
    /// The sender of messages with codes, if it is not Cognito, which sends only a few.
    pub mail: Option<Mail>,
    /// How much may be asked.
    pub limits: Limits,
    /// The page's own host name.
    pub domain: Option<Domain>,
    /// A web access control list of WAF for CloudFront.
    pub web_acl: Option<WebAclArn>,
    /// Where browsers get the page from, if that is not the distribution itself: something in front of it, or this machine.
    pub origin: Option<Origin>,
    /// The SNS topic that alarms go to.
    pub alarm_topic: Option<TopicArn>,
}

/// [`Props`] as the file has them, before the checks that span several keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    warehouse: Warehouse,
    #[serde(default, deserialize_with = "given")]
    schema: Option<Identifier>,
    #[serde(default, deserialize_with = "given")]
    script: Option<Script>,
    #[serde(default, deserialize_with = "given")]
    queries: Option<Queries>,
    #[serde(default, deserialize_with = "given")]
    sign_up: Vec<MailDomain>,
    #[serde(default)]
    mfa: SecondFactor,
    #[serde(default, deserialize_with = "given")]
    mail: Option<Mail>,
    #[serde(default, deserialize_with = "given")]
    limits: Limits,
    #[serde(default, deserialize_with = "given")]
    domain: Option<Domain>,
    #[serde(default, deserialize_with = "given")]
    web_acl: Option<WebAclArn>,
    #[serde(default, deserialize_with = "given")]
    origin: Option<Origin>,
    #[serde(default, deserialize_with = "given")]
    alarm_topic: Option<TopicArn>,
}

impl Props {
    /// Lambda gives 4 KB to all of a function's variables.
    const MOST_DOMAINS: usize = 10;

    /// The schema that the queries may read.
    pub(super) fn schema(&self, tenancy: &Tenancy) -> String {
        self.schema.as_ref().map_or_else(|| tenancy.warehouse_name(SYSTEM.name), |schema| schema.as_str().to_owned())
    }

    /// The schema, unless the warehouse is the stack's own.
    pub(crate) fn schema_of(&self, tenancy: &Tenancy) -> Option<Schema> {
        Schema::new(SYSTEM.name, &self.warehouse, self.schema(tenancy))
    }

    /// The domains as query-sign-up reads them; none if nobody may sign up.
    pub(super) fn sign_up_domains(&self) -> Option<String> {
        let domains: BTreeSet<&str> = self.sign_up.iter().map(MailDomain::as_str).collect();
        (!domains.is_empty()).then(|| domains.into_iter().collect::<Vec<_>>().join(","))
    }
}

impl TryFrom<Fields> for Props {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        if fields.sign_up.len() > Self::MOST_DOMAINS {
            let count = fields.sign_up.len();
            return Err(format!("`sign_up` has {count} domains; must be at most {}", Self::MOST_DOMAINS));
        }
        if fields.warehouse.sign_role().is_some() {
            return Err("the warehouse has a `sign_role`, but this system signs nothing; remove it".to_owned());
        }
        if let (Some(domain), Some(origin)) = (&fields.domain, &fields.origin) {
            return Err(format!(
                "the page has both the `domain` {} and the `origin` {}; give one of them",
                domain.name(),
                origin.as_str()
            ));
        }
        Ok(Self {
            warehouse: fields.warehouse,
            schema: fields.schema,
            script: fields.script,
            queries: fields.queries,
            sign_up: fields.sign_up,
            mfa: fields.mfa,
            mail: fields.mail,
            limits: fields.limits,
            domain: fields.domain,
            web_acl: fields.web_acl,
            origin: fields.origin,
            alarm_topic: fields.alarm_topic,
        })
    }
}

/// Whether people need an authenticator app in addition to their password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecondFactor {
    /// Only those who have set one up.
    #[default]
    Optional,
    /// Everybody.
    Required,
}

/// A sender in SES.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "MailFields")]
pub struct Mail {
    /// The address that messages come from.
    pub from: Address,
    /// The verified identity that sends them: this address, or its domain.
    pub identity: MailIdentity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailFields {
    from: Address,
    identity: MailIdentity,
}

impl TryFrom<MailFields> for Mail {
    type Error = String;

    fn try_from(fields: MailFields) -> Result<Self, String> {
        let (from, identity) = (fields.from.as_str(), fields.identity.name());
        let domain = fields.from.domain();
        let is_below =
            domain.strip_suffix(identity).is_some_and(|subdomain| subdomain.is_empty() || subdomain.ends_with('.'));
        if from != identity && !is_below {
            return Err(format!(
                "the identity `{identity}` may not send from `{from}`; use the identity of the address or of its domain"
            ));
        }
        Ok(Self { from: fields.from, identity: fields.identity })
    }
}

checked_text! {
    /// The ARN of a verified identity in SES.
    pub MailIdentity, |text: &str| {
        let form = "arn:aws:ses:<region>:<account>:identity/<address or domain>";
        check_arn(text, "an SES identity", form, |resource| is_named(resource, "identity/") && resource.contains('.'))
    }
}

impl MailIdentity {
    /// The address or the domain.
    fn name(&self) -> &str {
        self.as_str().split_once("identity/").map_or("", |(_, name)| name)
    }
}

/// How much may be asked.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "LimitFields")]
pub struct Limits {
    /// Rows of one result.
    pub rows: u32,
    /// Statements of one person at once.
    pub concurrent: u32,
    /// Statements of one person per minute.
    pub per_minute: u32,
    /// Seconds of one statement.
    pub seconds: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitFields {
    rows: u32,
    concurrent: u32,
    per_minute: u32,
    seconds: u32,
}

impl Default for LimitFields {
    fn default() -> Self {
        Self { rows: 10_000, concurrent: 2, per_minute: 10, seconds: 900 }
    }
}

impl TryFrom<LimitFields> for Limits {
    type Error = String;

    fn try_from(fields: LimitFields) -> Result<Self, String> {
        Ok(Self {
            rows: in_range("`rows`", fields.rows, 1..=100_000)?,
            // A cluster accepts 200 active statements in total.
            concurrent: in_range("`concurrent`", fields.concurrent, 1..=20)?,
            per_minute: in_range("`per_minute`", fields.per_minute, 1..=600)?,
            // The Data API ends a statement after a day.
            seconds: in_range("`seconds`", fields.seconds, 1..=86_400)?,
        })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::try_from(LimitFields::default()).expect("the defaults are in their ranges")
    }
}

/// Statements in S3, run once when the stack is created.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    bucket: BucketName,
    key: Key,
}

impl Script {
    pub(super) fn json(&self) -> Json {
        json!({ "Bucket": self.bucket.as_str(), "Key": self.key.as_str(), "Owner": Json::from(account_id()) })
    }

    pub(super) fn grant(&self) -> Grant {
        self.bucket.grant_objects(self.key.as_str(), ["s3:GetObject"], account_id())
    }
}

/// Query files in S3.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queries {
    bucket: BucketName,
    prefix: KeyPrefix,
}

impl Queries {
    pub(super) fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket.as_str(), self.prefix.as_str())
    }

    /// The rights to list and read them.
    pub(super) fn grants(&self) -> [Grant; 2] {
        let prefix = self.prefix.as_str();
        let objects = self.bucket.grant_objects(&format!("{prefix}*"), ["s3:GetObject"], account_id());
        [self.bucket.grant_list_below(prefix), objects]
    }
}

/// The page's own host name, and the certificate for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    name: MailDomain,
    certificate: CertificateArn,
}

impl Domain {
    pub(super) fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(super) fn certificate(&self) -> &str {
        self.certificate.as_str()
    }
}

checked_text! {
    /// The ARN of a certificate for CloudFront, which takes them from us-east-1.
    pub CertificateArn, |text: &str| {
        match cloudfront_resource(text, "acm").map(|resource| resource.split('/').collect::<Vec<_>>()).as_deref() {
            Some(["certificate", id]) if !id.is_empty() => Ok(()),
            _ => Err(format!(
                "`{text}` is not a certificate for CloudFront; must be arn:aws:acm:us-east-1:<account>:certificate/<id>"
            )),
        }
    }
}

checked_text! {
    /// The ARN of a web access control list for CloudFront, which is in us-east-1 and has the scope `global`.
    pub WebAclArn, |text: &str| {
        match cloudfront_resource(text, "wafv2").map(|resource| resource.split('/').collect::<Vec<_>>()).as_deref() {
            Some(["global", "webacl", name, id]) if !name.is_empty() && !id.is_empty() => Ok(()),
            _ => Err(format!(
                "`{text}` is not a web ACL for CloudFront; must be arn:aws:wafv2:us-east-1:<account>:global/webacl/<name>/<id>"
            )),
        }
    }
}

/// The resource in the ARN of something of a service in us-east-1.
fn cloudfront_resource<'a>(text: &'a str, service: &str) -> Option<&'a str> {
    let arn = arn::Arn::parse(text)?;
    (arn.service == service && arn.region == "us-east-1" && !arn.account.is_empty()).then_some(arn.resource)
}

checked_text! {
    /// Where a page comes from, as browsers write it: `https://` and a host, or `http://` and a port of this machine.
    pub Origin, |text: &str| {
        let is_host = |host: &str| host.contains('.') && host.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        });
        let is_port = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0 && port.to_string() == text);
        let local = ["http://127.0.0.1:", "http://localhost:"].iter().find_map(|prefix| text.strip_prefix(prefix));
        if local.is_some_and(is_port) || text.strip_prefix("https://").is_some_and(is_host) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid origin; must be https://<host> in lower case, or http://127.0.0.1:<port>"))
    }
}

checked_text! {
    /// The key of an object.
    pub(super) Key, |text: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
        if (1..=512).contains(&text.len()) && !text.starts_with('/') && text.bytes().all(is_plain) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid key; use at most 512 letters, digits, `/`, `-`, `_` and `.`, not starting with `/`"))
    }
}
