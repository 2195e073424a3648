//! Reads one HTTP request from API Gateway's proxy event (REST, version 1.0).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A request that this function serves.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// `GET /quote` and `HEAD /quote`.
    Form { token: String, is_prefetch: bool, is_head: bool },
    /// `POST /quote`: the token, and the other fields as entered.
    Submit { token: String, entered: BTreeMap<String, String> },
    /// `GET /quote/status` and `HEAD /quote/status`: the submission's name.
    Status { name: String, is_head: bool },
    /// `OPTIONS`, with the methods that the path supports.
    Options(&'static str),
}

/// A request that is refused before any service is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadRequest {
    /// 404
    NoSuchPage,
    /// 405, with the methods that the path supports.
    Method(&'static str),
    /// 413
    BodyTooLong,
    /// 414
    AddressTooLong,
    /// 415
    MediaType,
    /// 400
    Fields,
}

/// The longest URL in characters, which is also QuickSight's limit.
const ADDRESS_CHARACTERS: usize = 2048;

const FORM: &str = "GET, HEAD, OPTIONS, POST";
const STATUS: &str = "GET, HEAD, OPTIONS";

/// The relevant fields of the event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    http_method: String,
    /// The path's template, so that a custom domain's base path makes no difference.
    resource: String,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    multi_value_query_string_parameters: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    query_string_parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    pub(crate) request_context: Context,
}

/// What API Gateway says about the request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Context {
    /// The REST API's ID, the audience of its tokens.
    pub(crate) api_id: String,
    /// The path with its stage.
    #[serde(default)]
    path: Option<String>,
}

impl Event {
    /// The request in the event; a body may have this many bytes.
    pub(crate) fn request(&self, body_bytes: usize) -> Result<Request, BadRequest> {
        if self.address_characters() > ADDRESS_CHARACTERS {
            return Err(BadRequest::AddressTooLong);
        }
        if self.body.as_deref().unwrap_or_default().len() > body_bytes {
            return Err(BadRequest::BodyTooLong);
        }
        let is_head = self.http_method == "HEAD";
        match (self.resource.as_str(), self.http_method.as_str()) {
            ("/quote", "GET" | "HEAD") => {
                Ok(Request::Form { token: self.parameter("t"), is_prefetch: self.is_prefetch(), is_head })
            }
            ("/quote", "POST") => self.submit(),
            ("/quote", "OPTIONS") => Ok(Request::Options(FORM)),
            ("/quote", _) => Err(BadRequest::Method(FORM)),
            ("/quote/status", "GET" | "HEAD") => Ok(Request::Status { name: self.parameter("s"), is_head }),
            ("/quote/status", "OPTIONS") => Ok(Request::Options(STATUS)),
            ("/quote/status", _) => Err(BadRequest::Method(STATUS)),
            _ => Err(BadRequest::NoSuchPage),
        }
    }

    fn submit(&self) -> Result<Request, BadRequest> {
        let media_type = self.header("content-type").split(';').next().unwrap_or_default().trim();
        if self.is_base64_encoded || !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(BadRequest::MediaType);
        }
        let mut entered = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(self.body.as_deref().unwrap_or_default().as_bytes()) {
            if entered.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(BadRequest::Fields);
            }
        }
        let token = entered.remove("t").unwrap_or_default();
        Ok(Request::Submit { token, entered })
    }

    /// A query parameter; empty if it is missing or given more than once.
    fn parameter(&self, name: &str) -> String {
        let single = self.query_string_parameters.as_ref().and_then(|all| all.get(name));
        match self.multi_value_query_string_parameters.as_ref().and_then(|all| all.get(name)).map(Vec::as_slice) {
            Some([value]) => value.clone(),
            Some(_) => String::new(),
            None => single.cloned().unwrap_or_default(),
        }
    }

    fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter().flatten();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Whether a browser or a mail scanner is only prefetching: <https://fetch.spec.whatwg.org/#sec-purpose-header>.
    fn is_prefetch(&self) -> bool {
        ["sec-purpose", "purpose", "x-purpose", "x-moz"].iter().any(|name| {
            let purpose = self.header(name).to_ascii_lowercase();
            ["prefetch", "prerender", "preview"].iter().any(|word| purpose.contains(word))
        })
    }

    /// The length of the URL, assembled from its parts as a browser writes it.
    fn address_characters(&self) -> usize {
        let path = self.request_context.path.as_deref().or(self.path.as_deref()).unwrap_or_default();
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).map(str::len).sum::<usize>();
        let query: usize = match (&self.multi_value_query_string_parameters, &self.query_string_parameters) {
            (Some(all), _) => {
                let pairs = all.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
                pairs.map(|(name, value)| encoded(name) + encoded(value) + 2).sum()
            }
            (None, Some(all)) => all.iter().map(|(name, value)| encoded(name) + encoded(value) + 2).sum(),
            (None, None) => 0,
        };
        "https://".len() + self.header("host").len() + path.len() + query
    }
}
