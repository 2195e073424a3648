//! The one answer to an event.
//!
//! Release builds abort on a panic, so no destructor can answer. The panic hook runs before the abort: it sends the answer that is
//! owed, on a thread of its own because the panicking thread is inside a runtime.

use std::cell::RefCell;
use std::time::Duration;

use function::Clock;
use reqwest::{Client, Url, redirect};
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::request::Request;

/// Answers one event. Answering consumes it; if it is dropped before that, it answers FAILED.
pub(crate) struct Responder {
    url: Url,
    frame: Value,
    clock: Clock,
}

/// The outcome of an event.
pub struct Outcome {
    /// The resource's ID from now on; if it changes, CloudFormation deletes the old resource.
    pub physical_id: String,
    /// The reason for a failure, in one sentence without secrets.
    pub result: Result<(), String>,
}

thread_local! {
    /// The answer that this thread's event gets if nothing better is sent.
    static OWED: RefCell<Option<(Url, String)>> = const { RefCell::new(None) };
}

/// The largest answer in bytes: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html>.
const MOST_BYTES: usize = 4096;
/// The longest reason in characters; IDs take up to 1 KB each, and each character of a reason takes up to six bytes as JSON.
const LONGEST_REASON: usize = 350;
const TRIES: u32 = 3;
const TRY_TIME: Duration = Duration::from_secs(4);

impl Responder {
    /// # Errors
    ///
    /// If there is no address to answer to. The address is signed, so it is not shown.
    pub(crate) fn new(event: &Value, request: &Request, clock: Clock) -> Result<Responder, &'static str> {
        let url = event["ResponseURL"].as_str().and_then(|url| Url::parse(url).ok());
        let url = url.ok_or("the event has no ResponseURL, so it cannot be answered")?;
        let is_local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if !(url.scheme() == "https" || url.scheme() == "http" && is_local) {
            return Err("the event's ResponseURL is not https, so it is not answered");
        }
        let frame = json!({
            "StackId": request.stack_id,
            "RequestId": request.request_id,
            "LogicalResourceId": request.logical_id,
        });
        let responder = Responder { url, frame, clock };
        let physical_id = request.physical_id.clone().unwrap_or_else(|| request.not_made());
        let result = Err("the function ended before it finished; see its log".to_owned());
        let owed = responder.body(&Outcome { physical_id, result });
        OWED.set(Some((responder.url.clone(), owed)));
        Ok(responder)
    }

    /// Sends the answer, in at most three attempts.
    ///
    /// # Errors
    ///
    /// If it did not arrive, so that the event must be delivered again.
    pub(crate) async fn send(self, outcome: &Outcome) -> Result<(), &'static str> {
        OWED.take();
        let body = self.body(outcome);
        let mut pause = Duration::from_millis(500);
        for attempt in 1..=TRIES {
            match put(&self.url, &body).await {
                Ok(()) => {
                    info!(step = "answered", attempt, success = outcome.result.is_ok());
                    return Ok(());
                }
                Err(problem) => warn!(step = "answer", attempt, problem),
            }
            if attempt < TRIES {
                self.clock.sleep(pause).await;
                pause *= 2;
            }
        }
        Err("CloudFormation did not accept the answer in three attempts")
    }

    fn body(&self, outcome: &Outcome) -> String {
        let mut body = self.frame.clone();
        body["PhysicalResourceId"] = json!(outcome.physical_id);
        match &outcome.result {
            Ok(()) => body["Status"] = json!("SUCCESS"),
            Err(reason) => {
                body["Status"] = json!("FAILED");
                body["Reason"] = json!(reason.chars().take(LONGEST_REASON).collect::<String>());
            }
        }
        let text = body.to_string();
        debug_assert!(text.len() <= MOST_BYTES);
        text
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        answer_owed();
    }
}

/// Makes a panic of this process answer FAILED to the event that its thread is handling.
pub fn answer_when_panicking() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        answer_owed();
    }));
}

/// Sends the answer that is still owed, if any.
fn answer_owed() {
    let Ok(Some((url, body))) = OWED.try_with(RefCell::take) else { return };
    let sender = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            for _ in 0..TRIES {
                if put(&url, &body).await.is_ok() {
                    return;
                }
            }
        });
    });
    if sender.join().is_err() {
        warn!(step = "answer", problem = "the last answer could not be sent");
    }
}

/// The address is signed for a request without a content type.
async fn put(url: &Url, body: &str) -> Result<(), &'static str> {
    let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().timeout(TRY_TIME).build();
    let client = client.map_err(|_| "could not create an HTTP client")?;
    let sent = client.put(url.clone()).header("content-type", "").body(body.to_owned()).send().await;
    match sent {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(_) => Err("CloudFormation's bucket refused the answer"),
        Err(_) => Err("CloudFormation's bucket could not be reached"),
    }
}
