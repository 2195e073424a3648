//! Chromium, driven by the scripts in `tests/browser`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::process::Command;

/// More than any script here needs on a slow machine.
const LONGEST: Duration = Duration::from_secs(600);

/// Runs `tests/browser/<script>` with these arguments and, as the last one, the folder for its pictures; returns the JSON that it prints.
///
/// # Errors
///
/// If Node or Chromium is missing, or the page is not as the script expects; its message is quoted.
pub(crate) async fn run(script: &str, arguments: &[&str], pictures: &Path) -> anyhow::Result<Value> {
    std::fs::create_dir_all(pictures).with_context(|| format!("cannot create {}", pictures.display()))?;
    let mut command = Command::new("node");
    command.arg(Path::new("tests/browser").join(script)).args(arguments).arg(pictures);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(LONGEST, command.output()).await;
    let output = output.with_context(|| format!("{script} did not end within {} seconds", LONGEST.as_secs()))?;
    let output = output.context("cannot run node; run scripts/tools browser")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{script} failed: {}", error.trim());
    serde_json::from_slice(&output.stdout).with_context(|| format!("{script} did not print JSON"))
}
