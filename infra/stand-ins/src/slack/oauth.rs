//! Consent, and the calls for tokens: OAuth version 2 as Slack does it.

use std::time::Instant;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::form::field;
use super::state::{Shared, SlackOptions, lock, no};
use super::tokens::{Code, SCOPE, random};

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
            let challenge = Some(value("code_challenge")).filter(|challenge| !challenge.is_empty());
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
        // A renewed user token is at the top level of the answer.
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
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
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

/// Whether the caller is the app, by HTTP Basic.
fn is_app(headers: &HeaderMap, options: &SlackOptions) -> Result<(), &'static str> {
    let basic = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    let decoded = basic.and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok()).unwrap_or_default();
    match decoded.split_once(':') {
        Some((id, _)) if id != options.client_id => Err("invalid_client_id"),
        Some((_, secret)) if secret == options.client_secret => Ok(()),
        Some(_) => Err("bad_client_secret"),
        None => Err("invalid_client_id"),
    }
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
