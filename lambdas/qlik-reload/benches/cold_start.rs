//! From the start of the process to its first answer, under a Runtime API and fakes on this machine, over plain HTTP.
//!
//! `cargo bench -p qlik-reload` builds and measures a binary; `cargo bench -p qlik-reload --profile dev -- $PWD/target/release/qlik-reload`
//! measures one that is there. It prints milliseconds and the binary's size, for the process alone: no download of the code, no
//! virtual machine, no TLS. One event is six calls: claim, secret, app, reload, claim, answer.

#![expect(clippy::unwrap_used, reason = "what cannot be measured need not go on")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;
use tokio::process::Command;
use tokio::sync::Notify;

use loopback::{Answer, Request, reply, serve};

const RUNS: usize = 40;
const APP: &str = "687ef393-f0ad-4c64-ac59-6db967126015";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let binary = named.unwrap_or_else(|| env!("CARGO_BIN_EXE_qlik-reload").to_owned());
    let lambda = Arc::new(Lambda::default());
    let served = lambda.clone();
    let address = serve(move |request| std::future::ready(served.answer(&request))).await;
    let (mut times, mut processor_times) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        lambda.event_due.store(true, Ordering::SeqCst);
        let started = Instant::now();
        let mut child = function(&binary, &address.to_string()).spawn().unwrap();
        tokio::time::timeout(Duration::from_secs(30), lambda.answered.notified()).await.expect("the function answers");
        times.push(started.elapsed());
        processor_times.push(processor_time(child.id().unwrap()));
        child.kill().await.unwrap();
    }
    times.sort();
    processor_times.sort();
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let size = std::fs::metadata(&binary).unwrap().len();
    println!(
        "spawn to first answer, {RUNS} runs: median {:.1} ms, fastest {:.1} ms, slowest {:.1} ms; processor median {:.1} ms; binary {:.2} MB",
        millis(times[RUNS / 2]),
        millis(times[0]),
        millis(times[RUNS - 1]),
        millis(processor_times[RUNS / 2]),
        size as f64 / 1e6,
    );
}

/// What a process has used of a processor, which a busy machine changes less than the time on the wall.
fn processor_time(process: u32) -> Duration {
    let mut used = Duration::ZERO;
    for task in std::fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        let schedule = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
        used += Duration::from_nanos(schedule.split(' ').next().unwrap().parse().unwrap());
    }
    used
}

fn function(binary: &str, address: &str) -> Command {
    let url = format!("http://{address}");
    let mut command = Command::new(binary);
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
                Answer::Reply { status: 200, headers, body: json!({"appId": APP}).to_string().into_bytes() }
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
