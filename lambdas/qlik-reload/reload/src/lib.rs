//! Starts one Qlik Cloud reload a delivery and follows it within its time budget.
//!
//! ```text
//! schedule, event rule ─► direct event ─┐                 ┌─► Secrets Manager: the API key, kept 5 minutes
//!                                       ├─► Handler ─► Run ┼─► DynamoDB: one claim a delivery, so one reload a delivery
//! API Gateway REST ────► proxy event ───┘                 └─► Qlik: check app, POST /reloads, follow GET /reloads/{id}
//! ```
//!
//! # What happens to a failure
//!
//! A direct event that fails is an `Err`: Lambda's asynchronous retry, the dead-letter queue and the alarm act on it.
//!
//! | failure | the claim | Lambda's retry, one and two minutes later |
//! |---|---|---|
//! | permanent: bad event, 400, 401, 403, 404, reload FAILED or CANCELED | remembers it for an hour | the same error at once, without a call |
//! | retryable, and nothing reached Qlik: 429, no connection, no secret | is given back | starts anew |
//! | retryable, and a POST may have arrived: timeout, 5xx | keeps the time of the POST | looks for that reload before it posts |
//! | retryable, and the reload is known: follow-up failed, status unknown | keeps the reload id | follows that reload, posts nothing |
//! | reload EXCEEDED_LIMIT | is given back | posts again, since the first never ran |
//!
//! A reload that FAILED is an `Err` so that somebody is told; because the claim remembers it, the retries that an `Err` causes
//! cannot start a second one. To run it again, send a new delivery, or the old one after an hour.
//!
//! A REST request is always answered, never an `Err`.

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

pub use error::{Error, Permanent, Retryable};
pub use handler::Handler;
pub use settings::Settings;
