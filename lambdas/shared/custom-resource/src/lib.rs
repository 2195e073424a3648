//! Custom resources of CloudFormation: one event, one answer, whatever happens.
//!
//! ```text
//! CloudFormation ─ event ─► answer ─► Request ─► what the function does
//!        ▲                     └─► Responder           │ Outcome
//!        └──── one PUT ────────────────┘ ◄─────────────┘
//! ```
//!
//! - **One answer to each event.** Sending the answer consumes the value that sends it. If that value is dropped instead, or the
//!   process panics, FAILED is sent. Work must end 20 seconds before Lambda would stop it. If CloudFormation cannot be reached in
//!   three attempts, the event fails and Lambda delivers it again.
//! - **An event is read leniently**, so that even a malformed event can be answered.

mod request;
mod responder;

use std::fmt;
use std::time::{Duration, SystemTime};

use function::Clock;
use lambda_runtime::{Diagnostic, LambdaEvent};
pub use request::{Kind, Request};
use responder::Responder;
pub use responder::{Outcome, answer_when_panicking};
use serde_json::{Value, json};
use tracing::{Instrument, info, info_span, warn};

/// An event that could not be answered; Lambda delivers it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered(&'static str);

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Unanswered {}

impl From<Unanswered> for Diagnostic {
    fn from(error: Unanswered) -> Diagnostic {
        Diagnostic { error_type: "Unanswered".to_owned(), error_message: error.to_string() }
    }
}

/// Reserved for the last call in progress, 4.5 seconds, and three attempts to answer.
const RESERVE: Duration = Duration::from_secs(20);

/// Carries out one CloudFormation event and answers it. `carry_out` is given the time by which it must end.
///
/// # Errors
///
/// Only if no answer could be sent. A failure while carrying out the event is an answer.
pub async fn answer(
    event: LambdaEvent<Value>,
    clock: &Clock,
    carry_out: impl AsyncFnOnce(&Request, SystemTime) -> Outcome,
) -> Result<Value, Unanswered> {
    let (event, context) = event.into_parts();
    let request = Request::read(&event);
    let span = info_span!("custom_resource", request_id = request.request_id, resource = request.logical_id);
    async {
        let responder = Responder::new(&event, &request, clock.clone()).map_err(Unanswered)?;
        let until = context.deadline().checked_sub(RESERVE).unwrap_or(SystemTime::UNIX_EPOCH);
        let outcome = carry_out(&request, until).await;
        match &outcome.result {
            Ok(()) => info!(step = "done", physical_id = outcome.physical_id),
            Err(reason) => warn!(step = "failed", reason),
        }
        responder.send(&outcome).await.map_err(Unanswered)?;
        Ok(json!({"answered": true}))
    }
    .instrument(span)
    .await
}
