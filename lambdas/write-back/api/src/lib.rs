//! The web pages behind signed links: GET shows the form, POST writes the quote once.
//!
//! ```text
//! GET  /quote?t=<token> ─► verify ─► form
//! POST /quote  t, inputs ─► verify ─► DynamoDB: claim, quote ID ─► Redshift Data API: insert ─► page with the quote's ID, or 202
//! GET  /quote/status?s=<name> ─► claim ─► Redshift Data API: status ─► page that refreshes itself
//! ```
//!
//! # The order in which a token is verified
//!
//! Size, form, version, key ID, MAC, tenant and audience, time. Every failure before the time gets the same 403;
//! 410 is only returned if everything else is valid. Nothing is read from DynamoDB or sent to Redshift before that.
//!
//! # Exactly one row
//!
//! 1. One claim per token: a conditional write; everybody else gets the first one's result, or the page that waits for it.
//! 2. One statement per claim: its client token is the token's MAC, and its text and values come only from the claim and the token.
//! 3. One row even if a statement runs twice: it only inserts if no row has the token's MAC as `submission_id`.
//!
//! A run that dies leaves a claim whose lease ends with the run's time. The next request with the token then takes over the claim,
//! with the inputs of the first.
//!
//! | state of the claim | a repeated request gets |
//! |---|---|
//! | CLAIMED, lease not over | 202 and the page that waits |
//! | CLAIMED, lease over | the claim: submits the same statement |
//! | SUBMITTED | the status of the statement, then as below |
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

pub use handler::QuoteApi;
pub use settings::Settings;
