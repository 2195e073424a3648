//! A reload as Qlik reports it, and what its status means to a run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::{Error, Permanent, Result, Retryable};
use crate::request::{AppId, ReloadId, ReloadRequest, WaitFor};
use crate::scrub::is_token;

/// One reload.
pub(crate) struct Reload {
    pub(crate) id: ReloadId,
    pub(crate) app_id: AppId,
    pub(crate) status: Status,
    pub(crate) kind: Option<String>,
    partial: bool,
    weight: Option<u64>,
    variables: Option<BTreeMap<String, String>>,
    pub(crate) created: Option<SystemTime>,
    pub(crate) error_code: Option<String>,
    /// Qlik's own text, which may quote anything.
    pub(crate) error_message: Option<String>,
}

impl Reload {
    /// Whether `request` may have led to this reload. Qlik may leave out an option; then nothing contradicts.
    pub(crate) fn has_the_options_of(&self, request: &ReloadRequest) -> bool {
        self.partial == request.partial.unwrap_or(false)
            && self.weight.is_none_or(|weight| weight == request.weight.unwrap_or(DEFAULT_WEIGHT))
            && self.variables.as_ref().is_none_or(|variables| *variables == request.variables)
    }
}

/// The weight of a reload that was requested without one.
const DEFAULT_WEIGHT: u64 = 1;

/// The seven documented statuses, and any other: <https://qlik.dev/apis/rest/reloads>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum Status {
    Queued,
    Reloading,
    Canceling,
    Succeeded,
    Failed,
    Canceled,
    ExceededLimit,
    /// An unknown status; only letters, digits and `_`, at most 32 of them.
    Other(String),
}

impl From<String> for Status {
    fn from(text: String) -> Status {
        match text.as_str() {
            // Older tenants report CREATED for QUEUED.
            "QUEUED" | "CREATED" => Status::Queued,
            "RELOADING" => Status::Reloading,
            "CANCELING" => Status::Canceling,
            "SUCCEEDED" => Status::Succeeded,
            "FAILED" => Status::Failed,
            "CANCELED" => Status::Canceled,
            "EXCEEDED_LIMIT" => Status::ExceededLimit,
            other => {
                let plain = other.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '_');
                Status::Other(plain.take(32).collect())
            }
        }
    }
}

impl From<Status> for String {
    fn from(status: Status) -> String {
        status.to_string()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Queued => "QUEUED",
            Status::Reloading => "RELOADING",
            Status::Canceling => "CANCELING",
            Status::Succeeded => "SUCCEEDED",
            Status::Failed => "FAILED",
            Status::Canceled => "CANCELED",
            Status::ExceededLimit => "EXCEEDED_LIMIT",
            Status::Other(text) => text,
        })
    }
}

/// Reads one reload; `None` if it is not one.
pub(crate) fn parse(body: &[u8]) -> Option<Reload> {
    serde_json::from_slice::<Wire>(body).ok()?.into_reload()
}

/// Reads the page returned by `GET /reloads`; a reload that cannot be read is left out.
pub(crate) fn parse_page(body: &[u8]) -> Option<Vec<Reload>> {
    #[derive(Deserialize)]
    struct Page {
        data: Vec<Wire>,
    }
    let page: Page = serde_json::from_slice(body).ok()?;
    Some(page.data.into_iter().filter_map(Wire::into_reload).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    app_id: String,
    status: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    partial: Option<bool>,
    weight: Option<u64>,
    variables: Option<BTreeMap<String, String>>,
    creation_time: Option<String>,
    error_code: Option<String>,
    error_message: Option<String>,
}

impl Wire {
    fn into_reload(self) -> Option<Reload> {
        let created = self.creation_time.and_then(|time| OffsetDateTime::parse(&time, &Rfc3339).ok());
        Some(Reload {
            id: ReloadId::try_from(self.id).ok()?,
            app_id: AppId::parse(&self.app_id).ok()?,
            status: self.status.into(),
            kind: self.kind,
            partial: self.partial.unwrap_or(false),
            weight: self.weight,
            variables: self.variables,
            created: created.map(SystemTime::from),
            error_code: self.error_code.filter(|code| code.len() <= 64 && code.chars().all(is_token)),
            error_message: self.error_message,
        })
    }
}

/// The outcome of a reload in this status, or `None` if the run must ask again later.
pub(crate) fn settled(reload: &Reload, wait_for: WaitFor) -> Option<Result<()>> {
    let id = &reload.id;
    match reload.status {
        Status::Succeeded => Some(Ok(())),
        Status::Failed => {
            let code = reload.error_code.as_deref().unwrap_or("no error code");
            let text = reload.error_message.as_deref().unwrap_or("no error text");
            Some(Err(Error::permanent(Permanent::ReloadFailed, format!("reload {id} ended FAILED ({code}): {text}"))))
        }
        Status::Canceled => Some(Err(Error::permanent(
            Permanent::ReloadCanceled,
            format!("reload {id} ended CANCELED: it was stopped by a user"),
        ))),
        Status::ExceededLimit => Some(Err(Error::retryable(
            Retryable::ReloadLimitExceeded,
            format!(
                "reload {id} ended EXCEEDED_LIMIT: the Qlik tenant already runs as many reloads as it is allowed to; it will be retried later"
            ),
        ))),
        Status::Reloading if wait_for == WaitFor::Started => Some(Ok(())),
        Status::Queued | Status::Reloading | Status::Canceling | Status::Other(_) => None,
    }
}

/// What an unsettled reload means when no time is left. A run that waits for the start accepts a reload that is queued; a run that
/// waits for the end needs another run.
pub(crate) fn at_the_end(reload: &Reload, wait_for: WaitFor) -> Result<()> {
    let (id, status) = (&reload.id, &reload.status);
    match status {
        Status::Queued | Status::Reloading if wait_for != WaitFor::Finished => Ok(()),
        Status::Other(_) => Err(Error::retryable(
            Retryable::ReloadUnknown,
            format!("reload {id} is UNKNOWN: its status `{status}` is unknown to this version; check it in Qlik"),
        )),
        _ => Err(Error::retryable(
            Retryable::StillRunning,
            format!(
                "reload {id} was still {status} when the time budget ended; it is followed when the delivery is retried"
            ),
        )),
    }
}
