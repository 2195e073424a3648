//! What becomes of a job when a service answers a call with each of some sixty answers, once.

use std::path::Path;
use std::time::Duration;

use loopback::answers::{Case, Errors, answers, check_table};
use serde_json::json;

use crate::world::*;

#[tokio::test]
async fn each_answer_of_a_service_leads_to_the_end_in_the_table() {
    let mut rows = Vec::new();
    for (call, title) in [
        ("start", "QuickSight, StartDashboardSnapshotJob"),
        ("describe", "QuickSight, DescribeDashboardSnapshotJob"),
        ("result", "QuickSight, DescribeDashboardSnapshotJobResult"),
        ("Query", "DynamoDB, Query"),
        ("Scan", "DynamoDB, Scan"),
        ("TransactWriteItems", "DynamoDB, TransactWriteItems"),
    ] {
        for case in answers(Errors::Json) {
            let name = format!("{title}: {}", case.name);
            rows.push((name, fate(call, case).await));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ANSWERS.md");
    check_table(&path, "report-poller: one answer of a service, and what becomes of the job", &rows);
}

/// Sweeps each minute until the job has ended; QuickSight completes what it runs within a minute.
async fn fate(call: &'static str, case: Case) -> String {
    let world = World::new(1).await;
    world.queued("a", 1);
    if matches!(call, "describe" | "result") {
        world.sweep().await;
        // From here on, no Start can arrive.
        world.pass(Duration::from_secs(600));
    }
    if call.starts_with(char::is_uppercase) {
        world.state().dynamo.once = Some((call, case));
    } else {
        world.state().once = Some((call, case));
    }
    let mut failures = 0;
    if call == "result" {
        world.complete("a", &["s3://reports/t/acme/d1/a/a.pdf"]);
    }
    for minute in 0..120 {
        // Lambda tries a sweep that fails again, at the latest with the next minute's.
        failures += usize::from(world.invoke(json!({"sweep": true})).await.is_err());
        if world.slots_taken() == 0 && !matches!(world.at("a").as_str(), "QUEUED" | "STARTING" | "RUNNING") {
            assert!(world.state().once.is_none() && world.state().dynamo.once.is_none(), "the answer was given");
            let reason = world.job("a", "reason");
            let reason: serde_json::Value = serde_json::from_str(reason.as_str().unwrap_or("null")).unwrap();
            let why = reason["type"].as_str().map(|kind| format!(" with {kind}")).unwrap_or_default();
            let starts = world.starts();
            let failed = if failures > 0 { format!(", {failures} failed sweep") } else { String::new() };
            return format!("{}{why} after {minute} min, {starts} × Start{failed}", world.at("a"));
        }
        let runs = world.state().remote.get("a").is_some_and(|(status, _)| *status == "QUEUED");
        if runs {
            world.complete("a", &["s3://reports/t/acme/d1/a/a.pdf"]);
        }
        world.pass(Duration::from_secs(60));
    }
    panic!("the job did not end")
}
