//! Redshift through its Data API: statements with named parameters, identifiers, results.
//!
//! ```text
//! Statement ─► DataApi::submit ─► StatementId ─► DataApi::wait ─► Status ─► DataApi::rows
//! ```
//!
//! Values reach SQL only as named parameters, names only through [`identifier`]. No message of this crate contains SQL or a
//! value: Redshift's messages are cut to their first line, and quoted text is removed unless it is the name of an object.

mod data_api;
mod error;
mod identifier;
mod statement;
mod warehouse;

pub use data_api::DataApi;
pub use error::{Error, SubmitError, is_conflict};
pub use identifier::{InvalidIdentifier, identifier};
pub use statement::{Column, Field, InvalidStatementId, Page, Statement, StatementId, Status};
pub use warehouse::{InvalidWarehouse, Warehouse};
