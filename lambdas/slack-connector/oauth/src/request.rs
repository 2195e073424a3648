//! Reads one HTTP request from an HTTP API's event (payload format 2.0).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digest::Random;
use crate::link::Purpose;

/// A request that this function serves.
pub(crate) enum Request {
    /// `GET /install` and `GET /revoke`: the page that asks for confirmation.
    Ask(Purpose, String),
    /// `POST /install` and `POST /revoke`: the confirmation, with the link's token.
    Confirm(Purpose, String),
    /// `GET /callback`.
    Callback(Callback),
}

/// The parameters with which Slack sends the browser back.
pub(crate) struct Callback {
    pub(crate) state: Random,
    /// The cookie that the browser received when the state was issued.
    pub(crate) browser: Random,
    /// The code, or the reason why there is none.
    pub(crate) outcome: Result<String, String>,
}

/// A request that is refused before any service is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadRequest {
    /// 404
    NoSuchPage,
    /// 405, with the methods that the path supports.
    Method(&'static str),
    /// 413
    TooLong,
    /// 415
    MediaType,
    /// 400: a callback without a state, as Slack sends it after an installation that was started at Slack.
    StartedElsewhere,
    /// 400: a callback whose state or browser is unknown.
    NotOurs,
    /// 400
    Fields,
}

/// The longest query, body or list of cookies in bytes: a link's token has at most 512 characters, a code far fewer.
const LONGEST: usize = 4 * 1024;

/// The longest code or error in characters.
const LONGEST_VALUE: usize = 512;

/// The cookie that ties a state to the browser it was issued to. Browsers only accept a name with this prefix over TLS, without a
/// domain and for the whole host: <https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes>.
pub(crate) const COOKIE: &str = "__Host-slack-install";

/// The relevant fields of the event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    route_key: String,
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: Context,
}

#[derive(Deserialize)]
struct Context {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

impl Event {
    /// The request in the event.
    pub(crate) fn request(&self) -> Result<Request, BadRequest> {
        let body = self.body.as_deref().unwrap_or_default();
        let cookies: usize = self.cookies.iter().map(String::len).sum();
        if [self.raw_query_string.len(), body.len(), cookies].iter().any(|length| *length > LONGEST) {
            return Err(BadRequest::TooLong);
        }
        // The route is the path without a stage or a custom domain's base path.
        let path = match self.route_key.split_once(' ') {
            Some((_, path)) => path,
            None => &self.raw_path,
        };
        let purpose = match path {
            "/install" => Purpose::Install,
            "/revoke" => Purpose::Revoke,
            "/callback" if self.request_context.http.method == "GET" => return self.callback().map(Request::Callback),
            "/callback" => return Err(BadRequest::Method("GET")),
            _ => return Err(BadRequest::NoSuchPage),
        };
        match self.request_context.http.method.as_str() {
            "GET" => Ok(Request::Ask(purpose, only(&self.raw_query_string, "t")?)),
            "POST" => Ok(Request::Confirm(purpose, only(&self.form()?, "t")?)),
            _ => Err(BadRequest::Method("GET, POST")),
        }
    }

    fn callback(&self) -> Result<Callback, BadRequest> {
        let mut fields = fields(&self.raw_query_string)?;
        let state = fields.remove("state").filter(|state| !state.is_empty()).ok_or(BadRequest::StartedElsewhere)?;
        let state = Random::parse(&state).ok_or(BadRequest::NotOurs)?;
        let browser = self.cookie().and_then(Random::parse).ok_or(BadRequest::NotOurs)?;
        let is_value = |value: &String| {
            (1..=LONGEST_VALUE).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let outcome = match (fields.remove("code"), fields.remove("error")) {
            (Some(code), None) if is_value(&code) => Ok(code),
            (None, Some(error)) if is_value(&error) => Err(error),
            _ => return Err(BadRequest::Fields),
        };
        Ok(Callback { state, browser, outcome })
    }

    /// The cookie's value, if it was sent exactly once.
    fn cookie(&self) -> Option<&str> {
        // API Gateway lists the cookies of an HTTP API separately from the headers; emulators leave them in the header.
        let header =
            self.headers.iter().filter(|(name, _)| self.cookies.is_empty() && name.eq_ignore_ascii_case("cookie"));
        let cookies = self.cookies.iter().map(String::as_str).chain(header.flat_map(|(_, value)| value.split(';')));
        let mut found = cookies.filter_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='));
        found.next().filter(|_| found.next().is_none())
    }

    /// The body of a form. API Gateway passes a form's text in base64.
    fn form(&self) -> Result<String, BadRequest> {
        use base64::Engine;
        let media_type = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let media_type = media_type.and_then(|(_, value)| value.split(';').next()).unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(BadRequest::MediaType);
        }
        let body = self.body.clone().unwrap_or_default();
        if !self.is_base64_encoded {
            return Ok(body);
        }
        let bytes = base64::engine::general_purpose::STANDARD.decode(body).map_err(|_| BadRequest::Fields)?;
        String::from_utf8(bytes).map_err(|_| BadRequest::Fields)
    }
}

/// The value of `name` in a query or a form that has no other field.
fn only(query: &str, name: &str) -> Result<String, BadRequest> {
    let mut fields = fields(query)?;
    let value = fields.remove(name).unwrap_or_default();
    if fields.is_empty() { Ok(value) } else { Err(BadRequest::Fields) }
}

/// The fields of a query or a form; none may come twice.
fn fields(query: &str) -> Result<BTreeMap<String, String>, BadRequest> {
    let mut fields = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if fields.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(BadRequest::Fields);
        }
    }
    Ok(fields)
}
