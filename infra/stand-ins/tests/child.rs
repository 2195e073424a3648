//! Children end with their parent, even if the parent is killed and cannot end them.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use stand_ins::child::Supervised;

/// Set for the process that plays the parent: this test program, started once more.
const PARENT: &str = "LIFELINE_TEST_PARENT";

/// What the parent starts: a program that ignores SIGTERM, and has a child itself; both print their IDs.
const STUBBORN: &str = r#"trap "" TERM; sleep 600 & echo "$$ $!"; wait"#;

#[test]
fn children_and_grandchildren_end_when_their_parent_is_killed() {
    if std::env::var_os(PARENT).is_some() {
        return be_the_parent();
    }
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "children_and_grandchildren_end_when_their_parent_is_killed", "--nocapture"])
        .env(PARENT, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let ids = BufReader::new(parent.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("children: ").map(str::to_owned))
        .expect("the parent prints the IDs of its children");
    let children: Vec<u32> = ids.split_whitespace().map(|id| id.parse().unwrap()).collect();
    assert_eq!(children.len(), 2);
    assert!(children.iter().all(|id| is_running(*id)), "{children:?}");

    // SIGKILL: nothing in the parent runs any longer.
    parent.kill().unwrap();
    parent.wait().unwrap();

    // Five seconds after SIGTERM comes SIGKILL; the rest is for a busy machine.
    let give_up = Instant::now() + Duration::from_secs(60);
    while children.iter().any(|id| is_running(*id)) {
        assert!(Instant::now() < give_up, "still there: {children:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test]
async fn a_stopped_child_is_gone_when_stop_returns() {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "sleep 600"]);
    let child = Supervised::start(&command, tempfile::tempfile().unwrap()).unwrap();
    let id = child.id().unwrap();
    child.stop().await;
    assert!(!is_running(id));
}

#[tokio::test]
async fn a_child_sees_no_variable_that_it_was_not_given() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let mut command = Command::new("/usr/bin/env");
    command.env("GIVEN", "yes");
    let mut child = Supervised::start(&command, std::fs::File::create(&output).unwrap()).unwrap();
    let give_up = Instant::now() + Duration::from_secs(60);
    while child.exited().is_none() {
        assert!(Instant::now() < give_up);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let seen = std::fs::read_to_string(&output).unwrap();
    // The shell itself adds PWD, and some shells _, OLDPWD and SHLVL.
    let seen: Vec<_> = seen
        .lines()
        .filter(|line| !["PWD=", "OLDPWD=", "_=", "SHLVL="].iter().any(|own| line.starts_with(own)))
        .collect();
    assert_eq!(seen, ["GIVEN=yes"]);
}

/// Starts the stubborn program, prints its IDs, and waits to be killed.
fn be_the_parent() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("output");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", STUBBORN]).env("PATH", "/usr/bin:/bin");
        let _child = Supervised::start(&command, std::fs::File::create(&output).unwrap()).unwrap();
        println!("\nchildren: {}", first_line(&output).await);
        std::future::pending::<()>().await;
    });
}

async fn first_line(file: &Path) -> String {
    loop {
        let text = std::fs::read_to_string(file).unwrap();
        if let Some((line, _)) = text.split_once('\n') {
            return line.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A process that has ended but was not yet waited for counts as gone.
fn is_running(id: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{id}/stat")) else { return false };
    !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}
