//! Custom resources of CloudFormation: one event, one answer, whatever happens.
//!
//! ```text
//! CloudFormation ─ event ─► answer ─► Request ─► what the function does
//!        ▲                     └─► Responder           │ Outcome
//!        └──── one PUT ────────────────┘ ◄─────────────┘
//! ```
//!
//! - **One answer to each event.** The answer is given by a value that is used up by giving it; when it is dropped instead, or the
//!   process panics, FAILED is sent. Work is to end 20 seconds before Lambda would end it. When CloudFormation cannot be reached in
//!   three tries, the event fails and Lambda delivers it again.
//! - **An event is read leniently**, so that what is wrong with it can still be answered.

mod request;
mod responder;

use std::fmt;
use std::time::{Duration, SystemTime};

use function::Clock;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::{Value, json};
use tracing::{Instrument, info, info_span, warn};

pub use request::{Kind, Request};
use responder::Responder;
pub use responder::{Outcome, speak_when_panicking};

/// An event that could not be answered; Lambda delivers it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered(&'static str);

impl fmt::Display for Unanswered {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

impl std::error::Error for Unanswered {}

impl From<Unanswered> for Diagnostic {
    fn from(error: Unanswered) -> Diagnostic {
        Diagnostic { error_type: "Unanswered".to_owned(), error_message: error.to_string() }
    }
}

/// Kept back for the last call that is under way, 4.5 seconds, and three tries to answer.
const RESERVE: Duration = Duration::from_secs(20);

/// Carries out one event of CloudFormation and answers it. `carry_out` is told when it has to have ended.
///
/// # Errors
///
/// Only when no answer could be given. What fails in carrying out is an answer.
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
