//! The stand-in for Slack refuses what Slack refuses.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

use std::io::Read as _;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::MultiGzDecoder;
use reqwest::{Client, Response, redirect};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stand_ins::slack::{Fault, Slack, SlackOptions, members};
use time::{Date, OffsetDateTime};

const BACK: &str = "http://127.0.0.1:1/callback";
const VERIFIER: &str = "the-verifier-of-this-test-has-forty-three-c";

struct Organization {
    slack: Slack,
    http: Client,
}

impl Organization {
    async fn new() -> Organization {
        Organization::with(usize::MAX).await
    }

    async fn with(files_a_minute: usize) -> Organization {
        let options = SlackOptions {
            client_id: "1.2".to_owned(),
            client_secret: "secret".to_owned(),
            enterprise_id: "E1".to_owned(),
            files_a_minute,
        };
        let slack = Slack::start(options).await.unwrap();
        slack.register(BACK);
        let http = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Organization { slack, http }
    }

    async fn form(&self, path: &str, basic: Option<(&str, &str)>, fields: &[(&str, &str)]) -> Response {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.http.post(format!("{}{path}", self.slack.url)).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = basic.into_iter().fold(request, |request, (id, secret)| request.basic_auth(id, Some(secret)));
        request.send().await.unwrap()
    }

    async fn access(&self, basic: (&str, &str), fields: &[(&str, &str)]) -> Value {
        let answer = self.form("/api/oauth.v2.access", Some(basic), fields).await;
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Consents, and gives the code.
    async fn code(&self) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let fields = [("redirect_uri", BACK), ("state", "s&1"), ("code_challenge", &challenge), ("answer", "allow")];
        let answer = self.form("/oauth/v2/authorize", None, &fields).await;
        assert_eq!(answer.status(), 302);
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let (code, state) =
            location.strip_prefix(BACK).unwrap().strip_prefix("?code=").unwrap().split_once('&').unwrap();
        assert_eq!(state, "state=s%261");
        code.to_owned()
    }

    async fn token(&self) -> Value {
        let code = self.code().await;
        let fields = [("code", code.as_str()), ("redirect_uri", BACK), ("code_verifier", VERIFIER)];
        self.access(("1.2", "secret"), &fields).await["authed_user"].clone()
    }

    async fn call(&self, path: &str, token: &str) -> Response {
        self.http.get(format!("{}{path}", self.slack.url)).bearer_auth(token).send().await.unwrap()
    }

    /// Slack's code, when it says no.
    async fn error(&self, path: &str, token: &str) -> String {
        let answer = self.call(path, token).await;
        assert!(answer.status() == 200 && answer.headers()["content-type"] == "application/json");
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(answer["ok"], false);
        answer["error"].as_str().unwrap().to_owned()
    }
}

fn ago(days: i64) -> Date {
    OffsetDateTime::from(SystemTime::now()).date() - time::Duration::days(days)
}

fn file(days_ago: i64) -> String {
    format!("/api/admin.analytics.getFile?type=member&date={}", members::text(ago(days_ago)))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn the_consent_page_is_shown_to_the_registered_app_alone() {
    let organization = Organization::new().await;
    let page = async |query: &str| {
        let answer = organization.http.get(format!("{}/oauth/v2/authorize?{query}", organization.slack.url)).send();
        let answer = answer.await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let good = format!("client_id=1.2&user_scope=admin.analytics:read&redirect_uri={BACK}&state=%22%3E%3Cb%3E");
    let (status, html) = page(&good).await;
    assert!(status == 200 && html.contains("stand-in") && !html.contains("<b>"), "{html}");
    for (from, to, says) in [
        ("1.2", "1.3", "invalid_client_id"),
        ("callback", "elsewhere", "did not match any configured"),
        (":read", ":write", "invalid_scope"),
    ] {
        let (status, html) = page(&good.replacen(from, to, 1)).await;
        assert!(status == 400 && html.contains(says), "{html}");
    }
    let declined =
        organization.form("/oauth/v2/authorize", None, &[("redirect_uri", BACK), ("state", "x"), ("answer", "deny")]);
    assert_eq!(declined.await.headers()["location"], format!("{BACK}?error=access_denied&state=x"));
}

#[tokio::test]
async fn a_code_is_valid_once_and_only_with_secret_and_verifier() {
    let organization = Organization::new().await;
    let code = organization.code().await;
    let fields =
        |redirect, verifier| [("code", code.as_str()), ("redirect_uri", redirect), ("code_verifier", verifier)];
    for (basic, fields, error) in [
        (("1.3", "secret"), fields(BACK, VERIFIER), "invalid_client_id"),
        (("1.2", "other"), fields(BACK, VERIFIER), "bad_client_secret"),
        (("1.2", "secret"), fields("http://127.0.0.1:1/", VERIFIER), "bad_redirect_uri"),
        (("1.2", "secret"), fields(BACK, "other"), "invalid_code_verifier"),
        (("1.2", "secret"), [("code", "other"), ("redirect_uri", BACK), ("code_verifier", VERIFIER)], "invalid_code"),
    ] {
        assert_eq!(organization.access(basic, &fields).await, json!({"ok": false, "error": error}));
    }
    let good = fields(BACK, VERIFIER);
    let answer = organization.access(("1.2", "secret"), &good).await;
    assert_eq!((&answer["is_enterprise_install"], &answer["enterprise"]["id"]), (&json!(true), &json!("E1")));
    assert!(text(&answer["authed_user"]["access_token"]).starts_with("xoxp-"));
    assert_eq!(organization.access(("1.2", "secret"), &good).await["error"], "code_already_used");
}

#[tokio::test]
async fn a_token_that_rotates_is_renewed_once_by_each_refresh_token() {
    let organization = Organization::new().await;
    let before = organization.token().await;
    organization.slack.rotate(Some(Duration::from_secs(600)));
    assert_eq!(organization.error(&file(2), text(&before["access_token"])).await, "token_revoked");
    let first = organization.token().await;
    assert_eq!((&first["expires_in"], text(&first["access_token"]).starts_with("xoxe.xoxp-")), (&json!(600), true));
    let fields = [("grant_type", "refresh_token"), ("refresh_token", text(&first["refresh_token"]))];
    let second = organization.access(("1.2", "secret"), &fields).await;
    assert!(second["ok"] == true && second["access_token"] != first["access_token"], "at the top of the answer");
    assert_eq!(organization.access(("1.2", "secret"), &fields).await["error"], "invalid_refresh_token");
    assert_eq!(organization.call(&file(2), text(&second["access_token"])).await.status(), 200);

    organization.slack.rotate(Some(Duration::ZERO));
    let over = organization.token().await;
    assert_eq!(organization.error(&file(2), text(&over["access_token"])).await, "token_expired");
}

#[tokio::test]
async fn a_revoked_token_reads_nothing() {
    let organization = Organization::new().await;
    let token = organization.token().await;
    let token = text(&token["access_token"]);
    let revoke =
        || organization.http.post(format!("{}/api/auth.revoke", organization.slack.url)).bearer_auth(token).send();
    assert!(revoke().await.unwrap().text().await.unwrap().contains("\"revoked\":true"));
    assert!(revoke().await.unwrap().text().await.unwrap().contains("token_revoked"));
    assert_eq!(organization.error(&file(2), token).await, "token_revoked");
    assert_eq!(organization.error(&file(2), "xoxp-other").await, "invalid_auth");
    let bare = organization.http.get(format!("{}{}", organization.slack.url, file(2))).send().await.unwrap();
    assert!(bare.text().await.unwrap().contains("not_authed"));
}

#[tokio::test]
async fn a_days_file_is_the_same_each_time_and_says_what_its_members_are() {
    let organization = Organization::new().await;
    let token = organization.token().await;
    let token = text(&token["access_token"]);
    for days_ago in [1, 2, 390] {
        let (one, other) =
            (organization.call(&file(days_ago), token).await, organization.call(&file(days_ago), token).await);
        assert_eq!(one.headers()["content-type"], "application/gzip");
        let one = one.bytes().await.unwrap();
        assert_eq!(one, other.bytes().await.unwrap());
        let mut lines = String::new();
        MultiGzDecoder::new(&*one).read_to_string(&mut lines).unwrap();
        let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let expected: Vec<_> = members::of(ago(days_ago), 200).collect();
        assert_eq!(records.len(), expected.len());
        for (record, member) in records.iter().zip(expected) {
            assert_eq!(
                (text(&record["user_id"]), text(&record["date"])),
                (&*member.user_id(), &*members::text(ago(days_ago)))
            );
            assert_eq!(
                (record["is_active"].as_bool(), record["messages_posted_count"].as_i64()),
                (Some(member.is_active), member.messages)
            );
        }
    }
}

#[tokio::test]
async fn a_missing_file_is_reported_with_slacks_code() {
    let organization = Organization::new().await;
    let token = organization.token().await;
    let token = text(&token["access_token"]);
    for (path, error) in [
        (file(0), "file_not_yet_available"),
        (file(-1), "file_not_yet_available"),
        (file(400), "file_not_found"),
        (file(2).replace("member", "channel"), "invalid_type"),
        ("/api/admin.analytics.getFile?type=member".to_owned(), "invalid_arguments"),
        ("/api/admin.analytics.getFile?type=member&date=2026-2-3".to_owned(), "invalid_date"),
        ("/api/users.list".to_owned(), "unknown_method"),
    ] {
        assert_eq!(organization.error(&path, token).await, error, "{path}");
    }
}

#[tokio::test]
async fn faults_happen_on_request_and_the_limit_by_itself() {
    let organization = Organization::with(5).await;
    let token = organization.token().await;
    let token = text(&token["access_token"]);
    organization.slack.fail(ago(2), [Fault::Limited(7), Fault::Code("fatal_error"), Fault::Down, Fault::Truncated]);
    let limited = organization.call(&file(2), token).await;
    assert_eq!((limited.status().as_u16(), &limited.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    assert_eq!(organization.error(&file(2), token).await, "fatal_error");
    assert_eq!(organization.call(&file(2), token).await.status(), 503);
    let half = organization.call(&file(2), token).await.bytes().await.unwrap();
    let whole = organization.call(&file(2), token).await.bytes().await.unwrap();
    assert_eq!(half, whole[..whole.len() / 2]);
    let limited = organization.call(&file(2), token).await;
    let wait: u64 = limited.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(limited.status() == 429 && (1..=60).contains(&wait), "{wait}");
    let asked = organization.slack.log().iter().filter(|request| !request.what.starts_with('/')).count();
    assert_eq!(organization.slack.most_files_in_a_minute(), asked, "refused requests count too");
}
