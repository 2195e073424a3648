//! Starts one Qlik Cloud reload per delivery and follows it within its time budget.
//!
//! ```text
//! schedule, event rule ─► direct event ─┐                        ┌─► Secrets Manager: the API key, cached for 5 minutes
//!                                       ├─► ReloadHandler ─► Run ┼─► DynamoDB: one claim per delivery, so one reload per delivery
//! API Gateway REST ────► proxy event ───┘                        └─► Qlik: check app, POST /reloads, follow GET /reloads/{id}
//! ```
//!
//! # What happens to a failure
//!
//! A direct event that fails is an `Err`: Lambda's asynchronous retry, the dead-letter queue and the alarm act on it.
//!
//! | failure | the claim | Lambda's retry, one and two minutes later |
//! |---|---|---|
//! | permanent: bad event, 400, 401, 403, 404, reload FAILED or CANCELED | records it for an hour | the same error at once, without a call |
//! | retryable, and nothing reached Qlik: 429, no connection, no secret | is released | starts over |
//! | retryable, and a POST may have arrived: timeout, 5xx | keeps the time of the POST | looks for that reload for two minutes before it posts |
//! | retryable, and the reload is known: follow-up failed, still running, status unknown | keeps the reload's ID | follows that reload, posts nothing |
//! | reload EXCEEDED_LIMIT | is released | posts again, because the first never ran |
//!
//! A reload that FAILED is an `Err` so that somebody is alerted; because the claim records it, the retries that an `Err` causes
//! cannot start a second one. To run it again, send a new delivery, or the old one again after an hour.
//!
//! A REST request always gets a response, never an `Err`.

mod backoff;
mod budget;
mod claim;
mod error;
mod handler;
mod http;
mod qlik;
mod reload;
mod request;
mod rest;
mod run;
mod scrub;
mod secret;
mod settings;
mod skim;

pub use error::{Error, Permanent, Retryable};
pub use handler::ReloadHandler;
pub use settings::Settings;
