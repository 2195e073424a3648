//! Measures a function's process from its start to its first answer, under a Runtime API on this machine, over plain HTTP.
//!
//! Only the process: no download of the code, no virtual machine, no TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tokio::process::Command;
use tokio::sync::mpsc;

use crate::{Answer, Request, reply, serve};

const RUNS: usize = 40;

/// The value of a variable that holds the address of the services.
pub const SERVICES: &str = "http://services";

/// Starts `binary` forty times, each time with one event, and prints medians next to `budget`. Returns the last answer's body.
///
/// The process gets Lambda's own variables, credentials, `services` as the endpoint of all AWS services, and `variables`.
///
/// # Panics
///
/// If the process does not answer within 30 seconds or answers with an error.
pub async fn measure(
    binary: &str,
    variables: &[(&str, &str)],
    event: &str,
    budget: &str,
    services: impl Fn(&Request) -> Answer + Send + Sync + 'static,
) -> String {
    let mut stage = Stage::new(event, services).await;
    let (mut times, mut processor_times, mut last) = (Vec::new(), Vec::new(), String::new());
    for _ in 0..RUNS {
        let (answer, time, processor_time) = stage.run(binary, variables).await;
        times.push(time);
        processor_times.push(processor_time);
        last = answer;
    }
    times.sort();
    processor_times.sort();
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "spawn to first answer, {RUNS} runs: median {:.1} ms ({budget}), fastest {:.1} ms, slowest {:.1} ms; processor median {:.1} ms; binary {:.2} MB",
        millis(times[RUNS / 2]),
        millis(times[0]),
        millis(times[RUNS - 1]),
        millis(processor_times[RUNS / 2]),
        std::fs::metadata(binary).unwrap().len() as f64 / 1e6,
    );
    last
}

/// Starts `binary` once and returns its answer's body; otherwise the same as [`measure`].
///
/// # Panics
///
/// If the process does not answer within 30 seconds or answers with an error.
pub async fn first_answer(
    binary: &str,
    variables: &[(&str, &str)],
    event: &str,
    services: impl Fn(&Request) -> Answer + Send + Sync + 'static,
) -> String {
    Stage::new(event, services).await.run(binary, variables).await.0
}

/// What a process is started with.
struct Stage {
    address: SocketAddr,
    is_due: Arc<AtomicBool>,
    answers: mpsc::Receiver<Request>,
}

impl Stage {
    async fn new(event: &str, services: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Stage {
        let (answered, answers) = mpsc::channel(1);
        let is_due = Arc::new(AtomicBool::new(false));
        let lambda = Arc::new(Lambda { event: event.to_owned(), is_due: is_due.clone(), answered, services });
        let address = serve(move |request| {
            let lambda = lambda.clone();
            async move { lambda.answer(request).await }
        })
        .await;
        Stage { address, is_due, answers }
    }

    /// The answer's body, the time until it arrived, and the CPU time that the process used.
    async fn run(&mut self, binary: &str, variables: &[(&str, &str)]) -> (String, Duration, Duration) {
        self.is_due.store(true, Ordering::SeqCst);
        let started = Instant::now();
        let mut child = function(binary, &self.address.to_string(), variables).spawn().unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(30), self.answers.recv()).await.unwrap().unwrap();
        let (time, processor_time) = (started.elapsed(), processor_time(child.id().unwrap()));
        child.kill().await.unwrap();
        assert!(answer.target.ends_with("/response"), "the function failed: {}", answer.body);
        (answer.body, time, processor_time)
    }
}

/// The CPU time of a process, which a busy machine affects less than wall time.
fn processor_time(process: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let used = tasks.map(|task| {
        let schedule = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
        Duration::from_nanos(schedule.split(' ').next().unwrap().parse().unwrap())
    });
    used.sum()
}

fn function(binary: &str, address: &str, variables: &[(&str, &str)]) -> Command {
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
    ]);
    command.envs(variables.iter().map(|(name, value)| (name, if *value == SERVICES { &url } else { *value })));
    command
}

/// The Runtime API and all services in one.
struct Lambda<S> {
    event: String,
    /// Whether a process is given the event; each one gets it once.
    is_due: Arc<AtomicBool>,
    answered: mpsc::Sender<Request>,
    services: S,
}

impl<S: Fn(&Request) -> Answer> Lambda<S> {
    async fn answer(&self, request: Request) -> Answer {
        const INVOCATION: &str = "/2018-06-01/runtime/invocation/";
        match request.target.strip_prefix(INVOCATION) {
            None => (self.services)(&request),
            Some("next") if !self.is_due.swap(false, Ordering::SeqCst) => Answer::Silence,
            Some("next") => {
                let deadline =
                    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + Duration::from_secs(60);
                let function = "arn:aws:lambda:eu-west-1:123456789012:function:f".to_owned();
                let headers = vec![
                    ("Lambda-Runtime-Aws-Request-Id", "request-1".to_owned()),
                    ("Lambda-Runtime-Deadline-Ms", deadline.as_millis().to_string()),
                    ("Lambda-Runtime-Invoked-Function-Arn", function),
                ];
                Answer::Reply { status: 200, headers, body: self.event.clone().into_bytes() }
            }
            Some(_) => {
                self.answered.send(request).await.unwrap();
                reply(202, "{}")
            }
        }
    }
}
