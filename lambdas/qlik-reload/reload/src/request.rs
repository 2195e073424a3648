//! What a delivery requests, parsed at the edge into types that are always valid.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::scrub::shown;

/// A Qlik app's ID: a GUID in lower case, so it is safe in a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct AppId(String);

impl AppId {
    pub(crate) fn parse(text: &str) -> Result<AppId> {
        let groups: Vec<&str> = text.split('-').collect();
        let lengths = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]);
        let hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'));
        if lengths && hex {
            return Ok(AppId(text.to_owned()));
        }
        Err(Error::invalid(format!(
            "appId `{}` is not an app ID; must be a GUID in lower case such as 687ef393-f0ad-4c64-ac59-6db967126015; copy it from the app's address",
            shown(text)
        )))
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A reload's ID: 1 to 64 letters, digits and hyphens (Qlik's are 24 hexadecimal digits), so it is safe in a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ReloadId(String);

impl TryFrom<String> for ReloadId {
    type Error = Error;

    fn try_from(text: String) -> Result<ReloadId> {
        let safe = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if safe && (1..=64).contains(&text.len()) {
            return Ok(ReloadId(text));
        }
        Err(Error::invalid(format!(
            "reload ID `{}` is not valid; must be 1 to 64 letters, digits and hyphens, as returned by POST /reloads",
            shown(&text)
        )))
    }
}

impl fmt::Display for ReloadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One reload to start, and the body of Qlik's `POST /reloads`: only the app and the options that were set.
///
/// It has no `Debug`, because variables may contain secrets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReloadRequest {
    pub(crate) app_id: AppId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) partial: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) variables: BTreeMap<String, String>,
    /// Whether an active reload of the app will do.
    #[serde(skip)]
    pub(crate) skip_if_active: bool,
}

impl ReloadRequest {
    /// The SHA-256 of the body in hexadecimal, to distinguish a redelivery from a different request with the same key.
    pub(crate) fn fingerprint(&self) -> String {
        let body = serde_json::to_vec(self).expect("strings, numbers and booleans can always be written as JSON");
        hex::encode(Sha256::digest(&body))
    }
}

/// How far a run follows the reload that it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitFor {
    /// Only until Qlik accepted it.
    Accepted,
    /// Until Qlik starts working on it.
    Started,
    /// To its end.
    Finished,
}

/// One request, the key that makes it unique, and how far to follow it.
pub(crate) struct Delivery {
    pub(crate) key: String,
    pub(crate) request: ReloadRequest,
    pub(crate) wait_for: WaitFor,
}

/// Parses a direct event. Without a `deliveryId`, Lambda's request ID is the key, because it stays the same across asynchronous
/// retries.
///
/// A `deliveryId` with an unreplaced placeholder such as `<aws.scheduler.scheduled-time>` counts as missing: it would be the same
/// at every tick, and all but the first would count as redeliveries. EventBridge replaces placeholders, some emulators do not.
pub(crate) fn direct(event: &Value, request_id: &str) -> Result<Delivery> {
    let fields = object(event, "the event")?;
    if fields.contains_key("detail-type") {
        return Err(Error::invalid(
            "this is a whole EventBridge event; set the target's input to {\"appId\":\"…\"} or use an input transformer",
        ));
    }
    known_fields(
        fields,
        &["appId", "partial", "weight", "variables", "skipIfActive", "waitFor", "deliveryId", "appIdFrom", "detail"],
    )?;
    let request = reload_request(fields)?;
    let key = match fields.get("deliveryId") {
        None => format!("request#{request_id}"),
        Some(Value::String(id)) if id.contains("<aws.") => format!("request#{request_id}"),
        Some(Value::String(id)) if is_key(id) => format!("delivery#{}#{id}", request.app_id),
        Some(_) => {
            return Err(Error::invalid(
                "deliveryId is not valid; must be 1 to 256 visible ASCII characters, unique to the tick or event",
            ));
        }
    };
    Ok(Delivery { key, request, wait_for: wait_for(fields)?.unwrap_or(WaitFor::Started) })
}

/// Parses the body of `POST /reloads`, which is answered as soon as Qlik accepted the reload.
pub(crate) fn posted(body: &str) -> Result<ReloadRequest> {
    let json: Value = serde_json::from_str(body).map_err(|error| {
        Error::invalid(format!("the body is not JSON at line {}, column {}", error.line(), error.column()))
    })?;
    let fields = object(&json, "the body")?;
    if fields.contains_key("deliveryId") {
        return Err(Error::invalid("deliveryId is for events; send the header Idempotency-Key instead"));
    }
    known_fields(fields, &["appId", "partial", "weight", "variables", "skipIfActive", "waitFor"])?;
    if wait_for(fields)? == Some(WaitFor::Finished) {
        return Err(Error::invalid(
            "waitFor `finished` is for events; over HTTP, follow the reload with GET /reloads/{reloadId}",
        ));
    }
    reload_request(fields)
}

/// Whether `text` may be a delivery ID or an idempotency key: 1 to 256 visible ASCII characters.
pub(crate) fn is_key(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn reload_request(fields: &Map<String, Value>) -> Result<ReloadRequest> {
    let app_id = match fields.get("appId") {
        Some(Value::String(id)) => AppId::parse(id)?,
        Some(other) => return Err(wrong("appId", other, "a GUID in lower case, as text")),
        None if fields.contains_key("appIdFrom") => app_id_in_detail(fields)?,
        None => return Err(Error::invalid("appId is missing; send {\"appId\":\"<the app's GUID>\"}")),
    };
    let partial = match fields.get("partial") {
        None => None,
        Some(Value::Bool(partial)) => Some(*partial),
        Some(other) => return Err(wrong("partial", other, "true or false")),
    };
    let weight = match fields.get("weight") {
        None => None,
        Some(value) => match value.as_u64() {
            Some(weight) if (1..=10).contains(&weight) => Some(weight),
            _ => return Err(wrong("weight", value, "a whole number from 1 to 10")),
        },
    };
    let variables = match fields.get("variables") {
        None => BTreeMap::new(),
        Some(Value::Object(variables)) => parse_variables(variables)?,
        Some(other) => {
            return Err(wrong("variables", other, "an object of text values, such as {\"vRegion\":\"EMEA\"}"));
        }
    };
    let skip_if_active = match fields.get("skipIfActive") {
        None => false,
        Some(Value::Bool(skip)) => *skip,
        Some(other) => return Err(wrong("skipIfActive", other, "true or false")),
    };
    Ok(ReloadRequest { app_id, partial, weight, variables, skip_if_active })
}

/// The app that the event's detail names at the path `appIdFrom`, such as `$.detail.order.appId`.
///
/// The detail arrives as a whole. If EventBridge put the text of a value into the input, the sender of the event could write other
/// fields of the input with it.
fn app_id_in_detail(fields: &Map<String, Value>) -> Result<AppId> {
    let path = fields["appIdFrom"].as_str().unwrap_or_default();
    let Some(keys) = path.strip_prefix("$.detail.") else {
        return Err(Error::invalid("appIdFrom is not valid; must be a path such as $.detail.appId"));
    };
    match keys.split('.').try_fold(fields.get("detail").unwrap_or(&Value::Null), |value, key| value.get(key)) {
        Some(Value::String(id)) => AppId::parse(id),
        Some(other) => Err(wrong(path, other, "a GUID in lower case, as text")),
        None => Err(Error::invalid(format!("the event has no {path}, which has to name the app"))),
    }
}

/// At most 20 variables, name and value of at most 256 characters each: <https://qlik.dev/apis/rest/reloads>.
fn parse_variables(variables: &Map<String, Value>) -> Result<BTreeMap<String, String>> {
    if variables.len() > 20 {
        return Err(Error::invalid(format!("variables has {} entries; must be at most 20", variables.len())));
    }
    let mut parsed = BTreeMap::new();
    for (name, value) in variables {
        if !(1..=256).contains(&name.chars().count()) {
            return Err(Error::invalid(format!(
                "the variable name `{}` has {} characters; must be 1 to 256",
                shown(name),
                name.chars().count()
            )));
        }
        let Value::String(text) = value else {
            return Err(wrong(&format!("the variable `{}`", shown(name)), value, "text; put the value in quotes"));
        };
        if text.chars().count() > 256 {
            return Err(Error::invalid(format!(
                "the variable `{}` has a value of {} characters; must be at most 256",
                shown(name),
                text.chars().count()
            )));
        }
        parsed.insert(name.clone(), text.clone());
    }
    Ok(parsed)
}

fn wait_for(fields: &Map<String, Value>) -> Result<Option<WaitFor>> {
    match fields.get("waitFor") {
        None => Ok(None),
        Some(Value::String(text)) if text == "started" => Ok(Some(WaitFor::Started)),
        Some(Value::String(text)) if text == "finished" => Ok(Some(WaitFor::Finished)),
        Some(other) => Err(wrong("waitFor", other, "`started` or `finished`")),
    }
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| wrong(what, value, "an object such as {\"appId\":\"…\"}"))
}

fn known_fields(fields: &Map<String, Value>, allowed: &[&str]) -> Result<()> {
    match fields.keys().find(|name| !allowed.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            Err(Error::invalid(format!("unknown field `{}`; must be one of {}", shown(name), allowed.join(", "))))
        }
    }
}

/// Names the kind of a wrong value. The value itself is not shown, because it may be a secret.
fn wrong(what: &str, value: &Value, allowed: &str) -> Error {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number that is out of range or of a different type",
        Value::String(_) => "a different text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Error::invalid(format!("{what} is {kind}; must be {allowed}"))
}
