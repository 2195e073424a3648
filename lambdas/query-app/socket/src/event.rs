//! API Gateway's events, and the browsers' messages in them.

use std::collections::BTreeMap;

use queries::Identity;
use serde::Deserialize;
use serde_json::{Map, Value};

/// An event of the WebSocket API, or of its authorizer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    /// `REQUEST` for the authorizer.
    #[serde(default, rename = "type")]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) method_arn: Option<String>,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    query_string_parameters: Option<BTreeMap<String, String>>,
    pub(crate) request_context: Context,
    #[serde(default)]
    pub(crate) body: Option<String>,
}

/// What API Gateway knows about the connection.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Context {
    /// Absent for the authorizer.
    #[serde(default)]
    pub(crate) event_type: Option<String>,
    #[serde(default)]
    pub(crate) connection_id: Option<String>,
    #[serde(default)]
    pub(crate) disconnect_status_code: Option<u64>,
    #[serde(default)]
    authorizer: Value,
}

/// A browser's message.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub(crate) enum Message {
    Run(Run),
    #[serde(rename_all = "camelCase")]
    Cancel {
        request_id: String,
    },
    #[serde(rename_all = "camelCase")]
    Resume {
        request_id: String,
        /// -1 before the first part.
        seq: i32,
    },
    Ping,
}

/// A query to run.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    pub(crate) request_id: String,
    pub(crate) query: String,
    #[serde(default)]
    pub(crate) parameters: Map<String, Value>,
}

/// The most bytes of a browser's message: twenty parameters of a few hundred bytes.
const MESSAGE_BYTES: usize = 16 * 1024;

impl Event {
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter().flatten();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(crate) fn query(&self, name: &str) -> &str {
        self.query_string_parameters.as_ref().and_then(|all| all.get(name)).map(String::as_str).unwrap_or_default()
    }

    /// The browser's message; serde's own error could quote it.
    pub(crate) fn message(&self) -> Option<Message> {
        let body = self.body.as_deref().filter(|body| body.len() <= MESSAGE_BYTES)?;
        serde_json::from_str(body).ok()
    }
}

impl Context {
    /// The user admitted by the authorizer, whose numbers API Gateway passes on as text.
    pub(crate) fn identity(&self) -> Option<Identity> {
        let owner = self.authorizer["sub"].as_str().filter(|owner| !owner.is_empty())?;
        let until = &self.authorizer["until"];
        let until = until.as_u64().or_else(|| until.as_str()?.parse().ok())?;
        Some(Identity { owner: owner.to_owned(), until })
    }
}
