//! The links that `scripts/slack-connector-install` creates, with an `aws` that answers for a deployed stack.

use std::path::Path;
use std::time::SystemTime;

use serde_json::json;

use crate::browser::*;
use crate::world::*;

/// The script's link: its address and its token.
async fn link(options: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let outputs =
        [("StartKeySecret", "key-arn"), ("InstallUrl", "https://a1/install"), ("RevokeUrl", "https://a1/revoke")];
    let outputs: Vec<_> = outputs.iter().map(|(key, value)| json!({"OutputKey": key, "OutputValue": value})).collect();
    let stacks = json!({ "Stacks": [{ "Outputs": outputs }] });
    let secret = json!({ "SecretString": START_KEY });
    let aws = format!(
        "#!/bin/sh\ncase \"$*\" in\n\
        'cloudformation describe-stacks --stack-name acme-slack-connector --output json') echo '{stacks}' ;;\n\
        'secretsmanager get-secret-value --secret-id key-arn --output json') echo '{secret}' ;;\n\
        *) exit 1 ;;\nesac\n"
    );
    let file = folder.path().join("aws");
    // By another process: while a thread of this one starts a program, a file that it has open for writing cannot be executed.
    let write = "printf %s \"$1\" >\"$2\" && chmod 700 \"$2\"";
    let written = tokio::process::Command::new("sh").args(["-c", write, "sh", &aws]).arg(&file).status().await.unwrap();
    assert!(written.success());
    // Not the caller's own path: a version manager there would put its own `aws` before ours.
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.path().display());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../scripts/slack-connector-install");
    let ran =
        tokio::process::Command::new(script).args(["acme", "ada@example.com"]).args(options).env("PATH", path).output();
    let ran = ran.await.unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let text = String::from_utf8(ran.stdout).unwrap();
    let (address, token) = text.trim_end().split_once("?t=").unwrap();
    (address.to_owned(), token.to_owned())
}

/// A world with the same time as the machine that the script ran on.
async fn world() -> World {
    let world = World::new().await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    world.pass(now - NOW);
    world
}

#[tokio::test]
async fn the_scripts_links_open_their_pages() {
    let (address, token) = link(&[]).await;
    assert_eq!(address, "https://a1/install");
    let world = world().await;
    assert_eq!(world.open(request("GET", "/install", &format!("t={token}"))).await.status, 200);
    assert_eq!(world.open(request("GET", "/revoke", &format!("t={token}"))).await.status, 403);
    world.pass(15 * 60);
    assert_eq!(world.open(request("GET", "/install", &format!("t={token}"))).await.status, 410);

    let (address, token) = link(&["--revoke", "--minutes", "60"]).await;
    assert_eq!(address, "https://a1/revoke");
    let world = self::world().await;
    assert_eq!(world.open(request("GET", "/revoke", &format!("t={token}"))).await.status, 200);
}
