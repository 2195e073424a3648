//! The binary itself, fed by a Runtime API as Lambda provides it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use loopback::{Answer, Request, reply, serve};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::world::*;

/// Gives the binary one event and returns the path and body of its response, and everything it wrote.
async fn run(event: Value, world: &World) -> (String, Value, String) {
    let (report, mut reports) = mpsc::channel::<Request>(1);
    let pending = Arc::new(Mutex::new(Some(event)));
    let api = serve(move |request: Request| {
        let (pending, report) = (pending.clone(), report.clone());
        async move {
            if request.method == "POST" {
                report.send(request).await.unwrap();
                return reply(202, "{}");
            }
            let Some(event) = pending.lock().unwrap().take() else { return Answer::Silence };
            let deadline = SystemTime::now() + Duration::from_secs(60);
            let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
            let headers = vec![
                ("Lambda-Runtime-Aws-Request-Id", "request-1".to_owned()),
                ("Lambda-Runtime-Deadline-Ms", deadline.to_string()),
                ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:f".to_owned()),
            ];
            Answer::Reply { status: 200, headers, body: event.to_string().into_bytes() }
        }
    })
    .await;
    let mut environment = environment(world.address);
    environment.remove("AWS_ENDPOINT_URL_DYNAMODB");
    environment.remove("AWS_ENDPOINT_URL_SECRETS_MANAGER");
    environment.insert("AWS_ENDPOINT_URL".into(), format!("http://{}", world.address));
    let mut child = Command::new(env!("CARGO_BIN_EXE_qlik-reload"))
        .env_clear()
        .envs(environment)
        .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "f")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "g")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "s")
        .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let report = tokio::time::timeout(Duration::from_secs(60), reports.recv()).await.expect("a report").unwrap();
    child.start_kill().unwrap();
    let output = child.wait_with_output().await.unwrap();
    let output = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (report.target, serde_json::from_str(&report.body).unwrap(), output)
}

#[tokio::test]
async fn an_event_is_answered_with_its_reload() {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("RELOADING"))]);
    let event = json!({"appId": APP, "variables": {"a": VALUE}});
    let (path, body, output) = run(event, &world).await;
    assert_eq!(path, "/2018-06-01/runtime/invocation/request-1/response");
    assert_eq!((&body["reloadId"], &body["status"]), (&json!(RELOAD), &json!("RELOADING")));
    assert!(output.contains(r#""step":"end""#), "{output}");
    for canary in [KEY, VALUE] {
        assert!(!output.contains(canary), "{output}");
    }
}

#[tokio::test]
async fn a_failure_is_reported_with_its_kind_as_the_error_type() {
    let world = World::new().await;
    world.qlik(Route::App, [refusal(404)]);
    let (path, body, output) = run(event(), &world).await;
    assert_eq!(path, "/2018-06-01/runtime/invocation/request-1/error");
    assert_eq!(body["errorType"], "AppNotFound");
    assert!(body["errorMessage"].as_str().unwrap().contains(APP), "{body}");
    assert!(!format!("{body}{output}").contains(KEY), "{output}");
}

#[tokio::test]
async fn a_wrong_setting_ends_the_process_at_its_start_with_one_sentence() {
    let output = Command::new(env!("CARGO_BIN_EXE_qlik-reload"))
        .env_clear()
        .env("QLIK_TENANT_URL", "http://169.254.169.254")
        .output()
        .await
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("is not a Qlik Cloud tenant"), "{output:?}");
}
