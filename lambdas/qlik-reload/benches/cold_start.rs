//! From the start of the process to its first answer, under a Runtime API and fakes on this machine, over plain HTTP.
//!
//! `cargo bench -p qlik-reload` prints milliseconds and the binary's size. It measures the process alone: no download of the code, no
//! virtual machine, no TLS. One event is six calls: claim, secret, app, reload, claim, answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;
use tokio::process::Command;
use tokio::sync::Notify;

#[path = "../tests/wire/server.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod server;

use server::{Answer, Request, reply, serve};

const RUNS: usize = 40;
const APP: &str = "687ef393-f0ad-4c64-ac59-6db967126015";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let lambda = Arc::new(Lambda::default());
    let served = lambda.clone();
    let address = serve(move |request| std::future::ready(served.answer(&request))).await;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        lambda.event_due.store(true, Ordering::SeqCst);
        let started = Instant::now();
        let mut child = function(&address.to_string()).spawn().unwrap();
        tokio::time::timeout(Duration::from_secs(30), lambda.answered.notified()).await.expect("the function answers");
        times.push(started.elapsed());
        child.kill().await.unwrap();
    }
    times.sort();
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let size = std::fs::metadata(env!("CARGO_BIN_EXE_qlik-reload")).unwrap().len();
    println!(
        "spawn to first answer, {RUNS} runs: median {:.1} ms, fastest {:.1} ms, slowest {:.1} ms; binary {:.2} MB",
        millis(times[RUNS / 2]),
        millis(times[0]),
        millis(times[RUNS - 1]),
        size as f64 / 1e6,
    );
}

fn function(address: &str) -> Command {
    let url = format!("http://{address}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_qlik-reload"));
    command.env_clear().kill_on_drop(true).stdout(std::process::Stdio::null()).envs([
        ("AWS_LAMBDA_RUNTIME_API", address),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "g"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "s"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", &url),
        ("QLIK_TENANT_URL", "https://acme.eu.qlikcloud.com"),
        ("QLIK_ENDPOINT_URL", &url),
        ("API_KEY_SECRET", "secret"),
        ("CLAIMS_TABLE", "claims"),
    ]);
    command
}

/// All the services in one.
#[derive(Default)]
struct Lambda {
    /// Whether the process gets an event; each one gets one.
    event_due: AtomicBool,
    answered: Notify,
}

impl Lambda {
    fn answer(&self, request: &Request) -> Answer {
        let reload = json!({"id": "5be59decca62aa00097268a4", "appId": APP, "status": "RELOADING"});
        match (request.method.as_str(), request.target.as_str()) {
            ("GET", "/2018-06-01/runtime/invocation/next") => {
                if !self.event_due.swap(false, Ordering::SeqCst) {
                    return Answer::Silence;
                }
                let deadline =
                    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + Duration::from_secs(60);
                let headers = vec![
                    ("Lambda-Runtime-Aws-Request-Id", "request-1".to_owned()),
                    ("Lambda-Runtime-Deadline-Ms", deadline.as_millis().to_string()),
                    (
                        "Lambda-Runtime-Invoked-Function-Arn",
                        "arn:aws:lambda:eu-west-1:123456789012:function:f".to_owned(),
                    ),
                ];
                Answer::Reply { status: 200, headers, body: json!({"appId": APP}).to_string() }
            }
            ("POST", "/2018-06-01/runtime/invocation/request-1/response") => {
                self.answered.notify_one();
                reply(202, "{}")
            }
            ("POST", "/") if request.header("x-amz-target").ends_with("GetSecretValue") => {
                reply(200, json!({"SecretString": json!({"key": "key"}).to_string()}))
            }
            ("POST", "/") => reply(200, "{}"),
            ("GET", _) => reply(200, "{}"),
            _ => reply(201, reload),
        }
    }
}
