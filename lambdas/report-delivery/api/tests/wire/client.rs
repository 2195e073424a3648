//! A client as callers of the published API write it: submit, poll until it is done, download.

use serde_json::{Value, json};

use crate::world::*;

/// Submits, describes until the job has ended, and returns the download's address.
async fn report(world: &World, body: &Value, mut between: impl FnMut(&str)) -> Result<String, Value> {
    let (_, submitted) = world.submit(body).await;
    let job = submitted["SnapshotJobId"].as_str().ok_or(submitted.clone())?.to_owned();
    for _ in 0..10 {
        let (_, described) = world.call(about("GET describe_job", "d1", &job)).await;
        match described["JobStatus"].as_str() {
            Some("COMPLETED") => {
                let (_, result) = world.call(about("GET describe_job_result", "d1", &job)).await;
                let uri = &result["Result"]["AnonymousUsers"][0]["FileGroups"][0]["S3Results"][0]["S3Uri"];
                assert!(uri.as_str().unwrap().starts_with("s3://reports/"));
                let (_, output) = world.call(about("GET download_output", "d1", &job)).await;
                return Ok(output["presignedUrl"].as_str().unwrap().to_owned());
            }
            Some("FAILED") => return Err(described),
            Some("QUEUED" | "RUNNING") => between(&job),
            other => panic!("clients do not know the status {other:?}"),
        }
    }
    panic!("the job did not end")
}

#[tokio::test]
async fn a_published_client_gets_its_report() {
    let world = World::new().await;
    let mut steps = 0;
    let body = pdf();
    let address = report(&world, &body, |job| {
        steps += 1;
        match steps {
            1 => world.end(job, "STARTING", &[]),
            2 => world.end(job, "RUNNING", &[]),
            _ => world.complete(job, &["report.pdf"]),
        }
    });
    let address = address.await.unwrap();
    assert_eq!(steps, 3);
    assert!(address.contains("/reports/t/acme/d1/PDF_"), "{address}");
    assert!(address.contains("X-Amz-Expires=300&") && address.contains("response-content-disposition=attachment"));
    assert!(address.contains("X-Amz-SignedHeaders=host&"), "a browser sends nothing else: {address}");
    assert!(address.contains("response-content-type=application%2Fpdf"));
}

#[tokio::test]
async fn a_published_client_sees_why_its_report_failed() {
    let world = World::new().await;
    for (state, kind) in [("FAILED", "INTERNAL"), ("EXPIRED", "EXPIRED")] {
        let reason = json!({"type": kind, "message": "it says why"}).to_string();
        let body = pdf();
        let ended = report(&world, &body, |job| world.end(job, state, &[("reason", reason.clone())]));
        let ended = ended.await.unwrap_err();
        assert_eq!(ended["ErrorInfo"], json!({"ErrorType": kind, "ErrorMessage": "it says why"}));
    }
}
