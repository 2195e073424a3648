//! The REST interface behind API Gateway (proxy event, version 1.0): requests in, responses out.

use serde_json::{Value, json};

use crate::error::{Error, Permanent, Result, Retryable};
use crate::reload::Reload;
use crate::request::{self, Delivery, ReloadId, ReloadRequest, WaitFor};
use crate::run::Report;

/// One HTTP request, parsed.
pub(crate) enum Call {
    /// `POST /reloads`
    Post { request: ReloadRequest, idempotency_key: Option<String> },
    /// `GET /reloads/{reloadId}`
    Get(ReloadId),
    /// Any other.
    Unknown,
}

/// A request is at most 20 variables of twice 256 characters; this leaves room for four bytes each.
const MAX_BODY: usize = 64 * 1024;

/// The HTTP request that `event` is, or `None` when it is a direct event.
///
/// `resource` is the template's path, so a base path of a custom domain does not matter.
pub(crate) fn call(event: &Value) -> Option<Result<Call>> {
    event.get("requestContext")?;
    let text = |field: &str| event[field].as_str().unwrap_or_default();
    Some(match (text("httpMethod"), text("resource")) {
        ("POST", "/reloads") => post(event),
        ("GET", "/reloads/{reloadId}") => {
            let id = event["pathParameters"]["reloadId"].as_str().unwrap_or_default();
            ReloadId::try_from(id.to_owned()).map(Call::Get)
        }
        _ => Ok(Call::Unknown),
    })
}

fn post(event: &Value) -> Result<Call> {
    if event["isBase64Encoded"] == true {
        return Err(Error::invalid("the body is binary; send it as JSON with Content-Type application/json"));
    }
    let body = event["body"].as_str().unwrap_or_default();
    if body.len() > MAX_BODY {
        return Err(Error::invalid(format!("the body has {} bytes; must be at most {MAX_BODY}", body.len())));
    }
    let idempotency_key = match header(event, "Idempotency-Key") {
        None => None,
        Some(key) if request::is_key(key) => Some(key.to_owned()),
        Some(_) => {
            return Err(Error::invalid("the header Idempotency-Key is not 1 to 256 visible ASCII characters"));
        }
    };
    Ok(Call::Post { request: request::posted(body)?, idempotency_key })
}

fn header<'a>(event: &'a Value, name: &str) -> Option<&'a str> {
    let headers = event["headers"].as_object()?;
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.as_str()
}

/// The delivery of a `POST`; without a key from the caller, each request is a delivery of its own.
pub(crate) fn delivery(request: ReloadRequest, idempotency_key: Option<String>, request_id: &str) -> Delivery {
    let key = match idempotency_key {
        Some(key) => format!("key#{key}"),
        None => format!("request#{request_id}"),
    };
    Delivery { key, request, wait_for: WaitFor::Accepted }
}

pub(crate) fn accepted(report: &Report) -> Value {
    let mut body = json!({"reloadId": report.reload_id, "status": report.status, "appId": report.app_id});
    if report.shared {
        body["alreadyActive"] = json!(true);
    }
    response(202, json!({}), &body)
}

pub(crate) fn found(reload: &Reload) -> Value {
    let mut body = json!({"reloadId": reload.id, "status": reload.status, "appId": reload.app_id});
    if let Some(code) = &reload.error_code {
        body["errorCode"] = json!(code);
    }
    response(200, json!({}), &body)
}

pub(crate) fn unknown_route() -> Value {
    let message = "no such resource; use POST /reloads or GET /reloads/{reloadId}";
    response(404, json!({}), &json!({"message": message}))
}

/// The same response for a reload of an app that is not allowed and for one that does not exist.
pub(crate) fn no_such_reload(id: &ReloadId) -> Error {
    Error::permanent(Permanent::ReloadNotFound, format!("reload {id} was not found"))
}

pub(crate) fn failed(error: &Error) -> Value {
    let status = match error {
        Error::Permanent { kind, .. } => match kind {
            Permanent::InvalidRequest | Permanent::QlikRefused => 400,
            Permanent::AppNotAllowed | Permanent::AppNotFound | Permanent::ReloadNotFound => 404,
            Permanent::KeyReused => 409,
            // The function's own problems with Qlik are not the caller's fault.
            Permanent::Unauthorized | Permanent::Forbidden | Permanent::QlikUnexpected => 502,
            Permanent::ReloadFailed | Permanent::ReloadCanceled => 502,
        },
        Error::Retryable { kind, .. } => match kind {
            Retryable::InProgress => 409,
            Retryable::Throttled => 429,
            Retryable::QlikUnavailable | Retryable::ReloadLimitExceeded | Retryable::ReloadUnknown => 502,
            Retryable::ClaimsUnavailable | Retryable::SecretUnavailable | Retryable::QlikUnreachable => 503,
            Retryable::TimedOut | Retryable::StillRunning => 504,
        },
    };
    let headers = match error {
        Error::Retryable { after: Some(after), .. } => json!({"Retry-After": after.as_secs().to_string()}),
        _ => json!({}),
    };
    response(status, headers, &json!({"message": error.message()}))
}

fn response(status: u16, mut headers: Value, body: &Value) -> Value {
    headers["Content-Type"] = json!("application/json");
    headers["Cache-Control"] = json!("no-store");
    json!({"statusCode": status, "headers": headers, "body": body.to_string(), "isBase64Encoded": false})
}
