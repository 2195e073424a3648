//! Reads the requested resource from API Gateway's proxy event (REST, version 1.0).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The relevant fields of the event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    http_method: String,
    /// The path's template, so that a custom domain's base path makes no difference.
    resource: String,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    path_parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    query_string_parameters: Option<BTreeMap<String, String>>,
    pub(crate) request_context: Context,
}

#[derive(Deserialize)]
pub(crate) struct Context {
    #[serde(default)]
    pub(crate) authorizer: Value,
}

/// The requested resource.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Call<'a> {
    Options,
    Ticket,
    Queries,
    Requests,
    State(&'a str),
    Rows(&'a str, Option<&'a str>),
    Csv(&'a str, Option<&'a str>),
}

/// The most bytes of a page token; Redshift's have a few hundred.
const TOKEN_BYTES: usize = 4096;

impl Event {
    /// The call, or the status that refuses it.
    pub(crate) fn call(&self) -> Result<Call<'_>, u16> {
        let request = self.path_parameters.as_ref().and_then(|all| all.get("requestId")).map(String::as_str).ok_or(404);
        let page = self.query_string_parameters.as_ref().and_then(|all| all.get("page")).map(String::as_str);
        if page.is_some_and(|page| page.len() > TOKEN_BYTES) {
            return Err(400);
        }
        let page = page.filter(|page| !page.is_empty());
        match (self.http_method.as_str(), self.resource.as_str()) {
            ("OPTIONS", _) => Ok(Call::Options),
            ("POST", "/ticket") => Ok(Call::Ticket),
            ("GET", "/queries") => Ok(Call::Queries),
            ("GET", "/requests") => Ok(Call::Requests),
            ("GET", "/requests/{requestId}") => request.map(Call::State),
            ("GET", "/requests/{requestId}/rows") => Ok(Call::Rows(request?, page)),
            ("GET", "/requests/{requestId}/csv") => Ok(Call::Csv(request?, page)),
            (_, "/ticket" | "/queries" | "/requests") => Err(405),
            (_, resource) if resource.starts_with("/requests/{requestId}") => Err(405),
            _ => Err(404),
        }
    }

    pub(crate) fn origin(&self) -> &str {
        let mut headers = self.headers.iter().flatten();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case("origin"));
        found.and_then(|(_, value)| value.as_str()).unwrap_or_default()
    }
}
