//! Redshift Lambda UDF that signs rows: batch in, tokens out.
//!
//! `f_quote_sign(action, customer, skill, cost, quote_id, viewer)` in SQL; Redshift sends batches of rows as JSON and takes one
//! token a row, in the same order: <https://docs.aws.amazon.com/redshift/latest/dg/udf-creating-a-lambda-sql-udf.html>.
//!
//! | what is wrong | answer |
//! |---|---|
//! | a row: NULL where there must be a value, a cost that is none, a text too long | NULL for the row, and a count by reason in the log |
//! | the batch: no key, counts that differ, an answer too large | `success: false`, which fails the query, and a sentence without values |
//!
//! It changes nothing anywhere, so Redshift may send a batch again as often as it likes.

mod batch;
mod handler;
mod settings;

pub use batch::Batch;
pub use handler::{Handler, answer};
pub use settings::Settings;
