//! The web pages behind signed links: GET shows the form, POST writes the quote once.
//!
//! ```text
//! GET  /quote?t=<token> ─► verify ─► form
//! POST /quote  t, inputs ─► verify ─► DynamoDB: claim, quote id ─► Redshift Data API: insert ─► page with the quote's id, or 202
//! GET  /quote/status?s=<name> ─► claim ─► Redshift Data API: how far ─► page that looks again by itself
//! ```
//!
//! # In which order a token is verified
//!
//! size, form, version, key id, MAC, tenant and audience, time. Everything up to the time is answered with one and the same 403;
//! 410 comes only when everything else holds. Nothing is read from DynamoDB or sent to Redshift before.
//!
//! # Exactly one row
//!
//! 1. One claim a token: a conditional write; everybody else gets the first one's result, or the page that waits for it.
//! 2. One statement a claim: its client token is the token's MAC, and its text and values come from the claim and the token alone.
//! 3. One row a statement that ran twice all the same: it inserts where no row has the token's MAC as `submission_id`.
//!
//! A run that dies leaves a claim whose lease ends with the run's time. Whoever sends the token again then takes the claim over,
//! with the inputs of the first.
//!
//! | state of the claim | who sends the token again gets |
//! |---|---|
//! | CLAIMED, lease not over | 202 and the page that waits |
//! | CLAIMED, lease over | the claim: submits the same statement |
//! | SUBMITTED | the statement followed, then as below |
//! | FINISHED | 200 and the first result |
//! | FAILED | 502; a new link from the dashboard is a new token |

mod claim;
mod handler;
mod input;
mod locale;
mod page;
mod request;
mod settings;
mod sql;
mod submission;

pub use handler::Handler;
pub use settings::Settings;
