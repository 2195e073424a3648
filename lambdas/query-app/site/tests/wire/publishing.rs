//! Create, Update, Delete.

use loopback::reply;
use serde_json::{Value, json};

use crate::world::{ID, World, event};

const FILES: [(&str, &str); 5] = [
    ("index.html", "<!doctype html>"),
    ("assets/app-0f9e8d7c6b5a4321.js", "let x = 'ü';"),
    ("assets/style.css", "a{}"),
    ("icon.svg", "<svg/>"),
    ("config.json", "{\"from\":\"development\"}"),
];

#[tokio::test]
async fn a_create_publishes_every_file_with_its_headers_and_the_first_page_last() {
    let world = World::new(&FILES).await;
    assert_eq!(world.answer(event("Create", None)).await, ["SUCCESS", ID, ""]);
    assert_eq!(
        world.changes(),
        [
            "PUT assets/app-0f9e8d7c6b5a4321.js",
            "PUT assets/style.css",
            "PUT config.json",
            "PUT icon.svg",
            "PUT index.html"
        ]
    );
    for (key, kind, cache, content) in [
        ("index.html", "text/html; charset=utf-8", "no-cache", "<!doctype html>"),
        (
            "assets/app-0f9e8d7c6b5a4321.js",
            "text/javascript; charset=utf-8",
            "public, max-age=31536000, immutable",
            "let x = 'ü';",
        ),
        ("assets/style.css", "text/css; charset=utf-8", "no-cache", "a{}"),
        ("icon.svg", "image/svg+xml", "no-cache", "<svg/>"),
    ] {
        assert_eq!(world.object(key), [kind, cache, "AES256", content], "{key}");
    }
    let [kind, cache, _, config] = world.object("config.json");
    assert_eq!((kind.as_str(), cache.as_str()), ("application/json", "no-cache"));
    assert_eq!(
        serde_json::from_str::<Value>(&config).unwrap(),
        json!({
            "region": "us-east-1",
            "userPoolId": "us-east-1_AbCdEf",
            "userPoolClientId": "1h57kf5cpq17m0eml12EXAMPLE",
            "socket": "wss://s.execute-api.us-east-1.amazonaws.com/live",
            "api": "https://a.execute-api.us-east-1.amazonaws.com/live",
            "signUp": true,
        })
    );
}

#[tokio::test]
async fn an_update_publishes_first_and_then_deletes_what_is_no_longer_part() {
    let world = World::new(&FILES).await;
    world.answer(event("Create", None)).await;
    world.write(&[("index.html", "new"), ("assets/app-1f9e8d7c6b5a4321.js", "new")]);
    world.put("left/by/somebody.txt");
    let before = world.changes().len();
    assert_eq!(world.answer(event("Update", Some(ID))).await, ["SUCCESS", ID, ""]);
    assert_eq!(
        world.changes()[before..],
        [
            "PUT assets/app-1f9e8d7c6b5a4321.js",
            "PUT config.json",
            "PUT index.html",
            "DELETE assets/app-0f9e8d7c6b5a4321.js",
            "DELETE assets/style.css",
            "DELETE icon.svg",
            "DELETE left/by/somebody.txt",
        ]
    );
    assert_eq!(world.keys(), ["assets/app-1f9e8d7c6b5a4321.js", "config.json", "index.html"]);
}

#[tokio::test]
async fn a_delete_only_empties_the_bucket_of_its_own_id() {
    for (id, left) in [(ID, 0), ("acme-query-app/Site/not-made", 5), ("acme-query-app/Site/other-page", 5)] {
        let world = World::new(&FILES).await;
        world.answer(event("Create", None)).await;
        assert_eq!(world.answer(event("Delete", Some(id))).await, ["SUCCESS", id, ""]);
        assert_eq!(world.keys().len(), left, "{id}");
    }
    let missing = "<Error><Code>NoSuchBucket</Code><Message>x</Message></Error>";
    let world =
        World::with(&FILES, move |request| request.target.contains("list-type").then(|| reply(404, missing))).await;
    assert_eq!(world.answer(event("Delete", Some(ID))).await, ["SUCCESS", ID, ""]);
}

#[tokio::test]
async fn a_page_that_cannot_be_published_fails_with_a_reason_before_anything_changes() {
    let many: Vec<String> = (0..501).map(|number| format!("f{number}.txt")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).chain([FILES[0]]).collect();
    let large = "x".repeat(5 * 1024 * 1024 + 1);
    let deep = format!("{}x.js", "a/".repeat(9));
    for (files, reason) in [
        (&FILES[1..2], "the function's code has no site/index.html; build the page before the functions"),
        (&[], "site/ of the function's code cannot be read"),
        (&[FILES[0], (".git", "")], "a file in site/ has an invalid name"),
        (&[FILES[0], ("a b.js", "")], "a file in site/ has an invalid name"),
        (&[FILES[0], (deep.as_str(), "")], "is deeper than 8 folders"),
        (
            &[FILES[0], ("large.js", large.as_str())],
            "the page is too large at site/large.js; must be at most 500 files",
        ),
        (&many[..], "the page is too large at site/f"),
    ] {
        let world = World::new(files).await;
        let [status, _, reason_sent] = world.answer(event("Create", None)).await;
        assert_eq!(status, "FAILED");
        assert!(reason_sent.contains(reason), "{reason_sent}");
        assert_eq!(world.changes(), [""; 0]);
    }
    for (property, value, reason) in [
        ("Bucket", json!("a/b"), "the property Bucket is not a valid bucket name"),
        ("Config", json!({}), "the property Config: missing field `region`"),
        ("Config", json!("x"), "the property Config: invalid type"),
    ] {
        let world = World::new(&FILES).await;
        let mut wrong = event("Create", None);
        wrong["ResourceProperties"][property] = value;
        let [status, _, reason_sent] = world.answer(wrong).await;
        assert_eq!(status, "FAILED");
        assert!(reason_sent.contains(reason), "{reason_sent}");
        assert_eq!(world.changes(), [""; 0]);
    }
    for (key, value, reason) in [
        ("signUp", json!("yes"), "signUp is \"yes\"; must be true or false"),
        ("socket", json!("https://x"), "Config.socket is \"https://x\"; must be an address that starts with wss://"),
        ("api", json!("javascript:alert(1)"), "Config.api is \"javascript:alert(1)\""),
        ("colour", json!("blue"), "unknown field `colour`"),
    ] {
        let world = World::new(&FILES).await;
        let mut wrong = event("Create", None);
        wrong["ResourceProperties"]["Config"][key] = value;
        let [status, _, reason_sent] = world.answer(wrong).await;
        assert_eq!(status, "FAILED");
        assert!(reason_sent.contains(reason), "{reason_sent}");
    }
}

#[tokio::test]
async fn a_create_that_fails_halfway_answers_with_an_id_whose_delete_empties_the_bucket() {
    let refused = "<Error><Code>AccessDenied</Code><Message>canary</Message></Error>";
    let world = World::with(&FILES, move |request| {
        (request.method == "PUT" && request.target.contains("icon.svg")).then(|| reply(403, refused))
    })
    .await;
    let [status, id, reason] = world.answer(event("Create", None)).await;
    assert_eq!([status.as_str(), &id, &reason], ["FAILED", ID, "could not publish icon.svg: S3 returned AccessDenied"]);
    assert!(!world.keys().is_empty());
    world.answer(event("Delete", Some(&id))).await;
    assert!(world.keys().is_empty());
}
