//! Start links, pages and routes.

use serde_json::json;

use crate::browser::*;
use crate::world::*;

#[tokio::test]
async fn a_start_link_opens_a_page_that_changes_nothing() {
    let world = World::new().await;
    let token = INSTALL.token();
    for _ in 0..2 {
        let page = world.open(request("GET", "/install", &format!("t={token}"))).await;
        assert_eq!(page.status, 200, "{page:?}");
        for expected in
            ["ada@example.com", ENTERPRISE, "admin.analytics:read", r#"<form method="post" action="install""#, &token]
        {
            assert!(page.html.contains(expected), "{expected}: {}", page.html);
        }
    }
    assert!(world.state().table.is_empty() && world.calls().is_empty());
    world.state().private.push(token);
}

#[tokio::test]
async fn pages_allow_no_script_and_no_frame_and_leave_no_trace() {
    let world = World::new().await;
    let page = world.open(request("GET", "/install", &format!("t={}", INSTALL.token()))).await;
    let policy = page.headers["Content-Security-Policy"].as_str().unwrap();
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'nonce-")
            && policy.contains("form-action 'self' http://127.0.0.1:")
    );
    assert!(policy.ends_with("; frame-ancestors 'none'; base-uri 'none'"), "{policy}");
    assert!(page.html.contains(&format!(r#"<style nonce="{nonce}">"#)) && !page.html.contains("<script"));
    for (name, expected) in [
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
    ] {
        assert_eq!(page.headers[name], expected);
    }
    for expected in [r#"<html lang="en">"#, r#"name="viewport""#, "prefers-color-scheme:dark", "<main>"] {
        assert!(page.html.contains(expected), "{expected}");
    }
}

#[tokio::test]
async fn the_cookie_is_only_for_this_host_over_tls_and_not_for_scripts() {
    let world = World::new().await;
    let page = world.open(submit("/install", &INSTALL.token())).await;
    let (value, attributes) = page.cookies[0].split_once(';').unwrap();
    assert!(value.starts_with("__Host-slack-install=") && value.len() == "__Host-slack-install=".len() + 43);
    assert_eq!(attributes, " Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax");
    let world = World::new().await;
    let consent = world.begin().await;
    let after = world.come_back(&consent).await;
    assert!(after.cookies[0].starts_with("__Host-slack-install=; Path=/; Max-Age=0;"), "{after:?}");
}

#[tokio::test]
async fn a_link_for_another_purpose_is_refused_without_a_reason() {
    let mut pages = Vec::new();
    let whole = INSTALL.token();
    let mut changed = whole.clone();
    changed.replace_range(20..21, if &whole[20..21] == "A" { "B" } else { "A" });
    for token in [
        String::new(),
        "x".to_owned(),
        "../etc".to_owned(),
        "A".repeat(513),
        changed,
        whole[..whole.len() - 2].to_owned(),
        Start { purpose: "revoke", ..INSTALL }.token(),
        Start { tenant: "other", ..INSTALL }.token(),
        Start { admin: "eve@example.com", ..INSTALL }.token(),
        Start { key: &"x".repeat(64), ..INSTALL }.token(),
        Start { expires: NOW + 24 * 3600, ..INSTALL }.token(),
    ] {
        for event in [request("GET", "/install", &format!("t={token}")), submit("/install", &token)] {
            let world = World::new().await;
            let page = world.open(event).await;
            assert_eq!(page.status, 403, "{token}: {page:?}");
            assert!(world.state().table.is_empty());
            pages.push(page.html.split("</style>").nth(1).unwrap().to_owned());
        }
    }
    pages.dedup();
    assert_eq!(pages.len(), 1);
}

#[tokio::test]
async fn a_link_works_once_and_until_it_expires() {
    let world = World::new().await;
    world.pass(899);
    world.begin().await;
    let page = world.open(submit("/install", &INSTALL.token())).await;
    assert!(page.status == 410 && page.html.contains("already been used"), "{page:?}");
    world.pass(1);
    let page = world.open(submit("/install", &INSTALL.token())).await;
    assert!(page.status == 410 && page.html.contains("too old"), "{page:?}");
}

#[tokio::test]
async fn only_one_of_parallel_uses_of_a_link_continues() {
    let world = World::new().await;
    let token = INSTALL.token();
    let open = || world.open(submit("/install", &token));
    let pages = tokio::join!(open(), open(), open());
    let mut statuses = [pages.0.status, pages.1.status, pages.2.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410, 410]);
}

#[tokio::test]
async fn a_lost_answer_from_the_table_does_not_use_a_link_up() {
    let world = World::new().await;
    world.state().faults.insert("PutItem", Fault::LosesAnswer);
    world.begin().await;
}

#[tokio::test]
async fn an_invalid_start_key_accepts_no_link() {
    for key in ["", "short", &"x".repeat(65)] {
        let world = World::new().await;
        world.put_secret("start-key", key);
        let page = world.open(request("GET", "/install", &format!("t={}", INSTALL.token()))).await;
        assert_eq!(page.status, 503, "{page:?}");
    }
}

#[tokio::test]
async fn everything_else_is_not_found() {
    let form = |body: &str| {
        let mut event = request("POST", "/install", "");
        event["headers"]["content-type"] = json!("application/x-www-form-urlencoded");
        event["body"] = json!(body);
        event
    };
    let mut as_json = submit("/install", "x");
    as_json["headers"]["content-type"] = json!("application/json");
    let mut default_route = request("GET", "/nothing", "");
    default_route["routeKey"] = json!("$default");
    for (event, expected) in [
        (request("GET", "/", ""), 404),
        (default_route, 404),
        (json!({"requestContext": {}}), 404),
        (request("PUT", "/install", ""), 405),
        (request("HEAD", "/revoke", ""), 405),
        (request("POST", "/callback", ""), 405),
        (form(&"x".repeat(4097)), 413),
        (request("GET", "/install", &"x".repeat(4097)), 413),
        (as_json, 415),
        (form("t=x&t=y"), 400),
        (form("t=x&u=y"), 400),
    ] {
        let world = World::new().await;
        let page = world.open(event.clone()).await;
        assert_eq!(page.status, expected, "{event}");
        assert!(expected != 405 || page.headers["Allow"].is_string());
        assert!(world.state().table.is_empty() && world.calls().is_empty());
    }
}
