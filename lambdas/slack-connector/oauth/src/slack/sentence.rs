//! Slack's error codes as sentences that say what to do.

use crate::error::{Error, Kind};
use crate::token::SCOPE;

/// The error of a call that Slack refused with `code`: <https://docs.slack.dev/reference/methods/oauth.v2.access>.
pub(super) fn refused(code: &str, redirect_url: &str) -> Error {
    let again = "start again with a new start link";
    let (kind, sentence) = match code {
        "bad_client_secret" | "invalid_client_id" => (
            Kind::SlackRefused,
            "the client ID or the client secret is not the app's; compare both with the app's basic information at Slack"
                .to_owned(),
        ),
        "bad_redirect_uri" => (
            Kind::SlackRefused,
            format!("the app does not know this redirect URL; add {redirect_url} to it at Slack"),
        ),
        "invalid_code" | "code_already_used" | "code_expired" | "invalid_grant" | "invalid_grant_type" => {
            (Kind::SlackRefused, format!("Slack's code has already been used or is too old; {again}"))
        }
        "invalid_code_verifier" => {
            (Kind::SlackRefused, format!("the consent was not started in this browser; {again}"))
        }
        "oauth_authorization_url_mismatch" => {
            (Kind::SlackRefused, "the consent page did not use version 2 of Slack's OAuth".to_owned())
        }
        "no_scopes" | "invalid_scope" | "missing_scope" => (
            Kind::SlackRefused,
            format!("the app does not have the user token scope {}; add it at Slack and {again}", SCOPE),
        ),
        "user_email_unverified" => {
            (Kind::SlackRefused, format!("your e-mail address is not verified at Slack; verify it and {again}"))
        }
        "invalid_refresh_token" | "token_expired" | "token_revoked" => (
            Kind::SlackRefused,
            "the refresh token has already been used or was revoked; install the app again".to_owned(),
        ),
        "account_inactive" | "not_an_admin" | "access_denied" | "no_permission" | "org_login_required" => (
            Kind::SlackRefused,
            "your account is not allowed to do this at Slack; an owner or admin of the organization is".to_owned(),
        ),
        "app_not_approved" | "unapproved_scope" | "restricted_action" => (
            Kind::SlackRefused,
            "the organization has not approved the app; approve it in Slack's admin pages first".to_owned(),
        ),
        "ratelimited" | "service_unavailable" | "fatal_error" | "internal_error" | "request_timeout"
        | "team_added_to_org" => (Kind::SlackUnavailable, "Slack cannot respond now; try again later".to_owned()),
        _ => (Kind::SlackRefused, "Slack refused".to_owned()),
    };
    Error::new(kind, format!("{sentence} ({})", shown(code)))
}

/// The error for the reason with which Slack's consent page sends a browser back.
pub(crate) fn denied(reason: &str, redirect_url: &str) -> Error {
    match reason {
        "access_denied" => Error::new(
            Kind::SlackRefused,
            "the consent was declined at Slack; nothing was changed. To install after all, start again with a new start link",
        ),
        other => refused(other, redirect_url),
    }
}

/// Whether an untrusted text looks like one of Slack's codes and may be shown.
pub(super) fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn shown(code: &str) -> &str {
    if is_code(code) { code } else { "with an undocumented code" }
}
