//! Consent, codes and tokens: OAuth version 2 as Slack does it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Shared, SlackOptions, lock, no};

/// What was given out.
#[derive(Default)]
pub(super) struct Tokens {
    /// The one address that the app has registered.
    pub(super) redirect_url: Option<String>,
    /// How long new tokens live; for ever when there is none.
    life: Option<Duration>,
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, Access>,
    /// Refresh tokens that were not used yet.
    refresh: BTreeMap<String, Instant>,
}

struct Code {
    redirect_url: String,
    challenge: Option<String>,
    given: Instant,
    used: bool,
}

struct Access {
    ends: Option<Instant>,
    revoked: bool,
}

const SCOPE: &str = "admin.analytics:read";

/// A code is good for ten minutes, once.
const CODE_LIFE: Duration = Duration::from_secs(600);

impl Tokens {
    /// Slack's code for why a call with this token is refused.
    pub(super) fn check(&self, bearer: Option<&str>) -> Result<(), &'static str> {
        let access = self.access.get(bearer.ok_or("not_authed")?).ok_or("invalid_auth")?;
        match access.ends {
            _ if access.revoked => Err("token_revoked"),
            Some(end) if end <= Instant::now() => Err("token_expired"),
            _ => Ok(()),
        }
    }

    pub(super) fn good(&self) -> usize {
        self.access.keys().filter(|token| self.check(Some(token)).is_ok()).count()
    }

    /// Lets tokens end after a time from now on, or live for ever. What was given before is of no use any more.
    pub(super) fn rotate(&mut self, life: Option<Duration>) {
        self.life = life;
        self.access.values_mut().for_each(|it| it.revoked = true);
    }

    /// A token, as it stands in an answer. One that does not rotate is the same for whoever installs the app again.
    fn give(&mut self) -> Value {
        let Some(life) = self.life else {
            let same = self.access.keys().find(|token| self.check(Some(token)).is_ok()).cloned();
            let token = same.unwrap_or_else(|| random("xoxp-"));
            self.access.insert(token.clone(), Access { ends: None, revoked: false });
            return json!({"id": "U065VRX1T0", "scope": SCOPE, "access_token": token, "token_type": "user"});
        };
        let (token, refresh) = (random("xoxe.xoxp-"), random("xoxe-1-"));
        self.access.insert(token.clone(), Access { ends: Some(Instant::now() + life), revoked: false });
        self.refresh.insert(refresh.clone(), Instant::now());
        json!({
            "id": "U065VRX1T0", "scope": SCOPE, "access_token": token, "token_type": "user",
            "expires_in": life.as_secs(), "refresh_token": refresh,
        })
    }

    /// What a code is exchanged for, or Slack's code for why not.
    fn exchange(&mut self, form: &str) -> Result<Value, &'static str> {
        let value = |name| field(form, name).unwrap_or_default();
        let code = self.codes.get_mut(&value("code")).ok_or("invalid_code")?;
        if code.used {
            return Err("code_already_used");
        }
        if code.given.elapsed() > CODE_LIFE {
            return Err("invalid_code");
        }
        if value("redirect_uri") != code.redirect_url {
            return Err("bad_redirect_uri");
        }
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(value("code_verifier")));
        if code.challenge.as_ref().is_some_and(|expected| *expected != challenge) {
            return Err("invalid_code_verifier");
        }
        code.used = true;
        Ok(self.give())
    }
}

/// The consent page.
pub(super) async fn ask(State(state): Shared, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let data = lock(&state);
    let value = |name| field(&query, name).unwrap_or_default();
    if value("client_id") != data.options.client_id {
        return page(StatusCode::BAD_REQUEST, "<h1>Something went wrong</h1><p>invalid_client_id</p>");
    }
    if data.tokens.redirect_url.as_deref() != Some(&value("redirect_uri")) {
        let body = "<h1>Something went wrong</h1><p>redirect_uri did not match any configured URIs.</p>";
        return page(StatusCode::BAD_REQUEST, body);
    }
    if value("user_scope") != SCOPE {
        return page(StatusCode::BAD_REQUEST, "<h1>Something went wrong</h1><p>invalid_scope</p>");
    }
    let hidden = ["redirect_uri", "state", "code_challenge"]
        .map(|name| format!("<input type=hidden name={name} value=\"{}\">", escaped(&value(name))))
        .concat();
    let body = format!(
        "<h1>The app asks for permission to access {}</h1><p>What will it be able to do? <code>{SCOPE}</code></p>\
         <form method=post>{hidden}<button name=answer value=allow>Allow</button> \
         <button name=answer value=deny>Cancel</button></form>",
        escaped(&data.options.enterprise_id),
    );
    page(StatusCode::OK, &body)
}

/// The answer on the consent page: back to the app, with a code or without.
pub(super) async fn answer(State(state): Shared, form: String) -> Response {
    let value = |name| field(&form, name).unwrap_or_default();
    let mut data = lock(&state);
    let redirect_url = value("redirect_uri");
    if data.tokens.redirect_url.as_deref() != Some(&redirect_url) {
        return page(StatusCode::BAD_REQUEST, "<h1>Something went wrong</h1>");
    }
    let outcome = match value("answer").as_str() {
        "allow" => {
            let code = random("");
            let challenge = Some(value("code_challenge")).filter(|it| !it.is_empty());
            let given = Instant::now();
            let redirect_url = redirect_url.clone();
            data.tokens.codes.insert(code.clone(), Code { redirect_url, challenge, given, used: false });
            ("code", code)
        }
        _ => ("error", "access_denied".to_owned()),
    };
    let state = value("state");
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair(outcome.0, &outcome.1)
        .append_pair("state", &state)
        .finish();
    (StatusCode::FOUND, [("location", format!("{redirect_url}?{query}"))]).into_response()
}

/// `oauth.v2.access`: a code, or a refresh token, for a token.
pub(super) async fn access(State(state): Shared, headers: HeaderMap, form: String) -> Response {
    let mut data = lock(&state);
    if let Err(code) = is_app(&headers, &data.options) {
        return no(code);
    }
    if field(&form, "grant_type").as_deref() == Some("refresh_token") {
        let refresh = field(&form, "refresh_token").unwrap_or_default();
        if data.tokens.refresh.remove(&refresh).is_none() {
            return no("invalid_refresh_token");
        }
        // A renewed user token stands at the top of the answer.
        let mut renewed = data.tokens.give();
        renewed["ok"] = json!(true);
        return Json(renewed).into_response();
    }
    match data.tokens.exchange(&form) {
        Err(code) => no(code),
        Ok(user) => Json(json!({
            "ok": true, "app_id": "A0118NQPZZC", "authed_user": user, "team": null,
            "enterprise": {"id": data.options.enterprise_id, "name": "Local Example"}, "is_enterprise_install": true,
        }))
        .into_response(),
    }
}

/// `auth.revoke`, for access and for refresh tokens.
pub(super) async fn revoke(State(state): Shared, headers: HeaderMap) -> Response {
    let mut data = lock(&state);
    let bearer = headers.get("authorization").and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "));
    if bearer.is_some_and(|token| data.tokens.refresh.remove(token).is_some()) {
        return Json(json!({"ok": true, "revoked": true})).into_response();
    }
    if let Err(code) = data.tokens.check(bearer) {
        return no(code);
    }
    if let Some(access) = bearer.and_then(|token| data.tokens.access.get_mut(token)) {
        access.revoked = true;
    }
    Json(json!({"ok": true, "revoked": true})).into_response()
}

/// The value of a field in a query or a form.
pub(super) fn field(text: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(text.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Whether the caller is the app, by HTTP Basic.
fn is_app(headers: &HeaderMap, options: &SlackOptions) -> Result<(), &'static str> {
    let basic = headers.get("authorization").and_then(|it| it.to_str().ok()?.strip_prefix("Basic "));
    let decoded = basic.and_then(|it| String::from_utf8(STANDARD.decode(it).ok()?).ok()).unwrap_or_default();
    match decoded.split_once(':') {
        Some((id, _)) if id != options.client_id => Err("invalid_client_id"),
        Some((_, secret)) if secret == options.client_secret => Ok(()),
        Some(_) => Err("bad_client_secret"),
        None => Err("invalid_client_id"),
    }
}

fn random(prefix: &str) -> String {
    prefix.chars().chain(std::iter::repeat_with(fastrand::alphanumeric).take(40)).collect()
}

fn page(status: StatusCode, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <link rel=icon href=\"data:,\"><title>Stand-in for Slack</title>\
         <body style=\"font:1rem/1.5 system-ui;margin:2rem\"><p><em>A stand-in for Slack, on this machine.</em></p>{body}"
    );
    (status, Html(html)).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
