//! Redshift Lambda UDF that signs rows: batch in, tokens out.
//!
//! `f_quote_sign(action, customer, skill, cost, quote_id)` in SQL; Redshift sends batches of rows as JSON and expects one
//! token per row, in the same order: <https://docs.aws.amazon.com/redshift/latest/dg/udf-creating-a-lambda-sql-udf.html>.
//!
//! | what is wrong | answer |
//! |---|---|
//! | a row: NULL instead of a value, an invalid cost, a text that is too long | NULL for the row, and a count by reason in the log |
//! | the batch: no key, other arguments, counts that differ, a response that is too large | `success: false`, which fails the query, and a sentence without values |
//!
//! It has no side effects, so Redshift may send a batch any number of times.

mod batch;
mod handler;
mod settings;

pub use batch::Batch;
pub use handler::{TokenSigner, answer};
pub use settings::Settings;
