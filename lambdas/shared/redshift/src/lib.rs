//! Redshift through its Data API: statements with named parameters, identifiers, results.
//!
//! ```text
//! Statement ─► DataApi::submit ─► StatementId ─► DataApi::wait ─► Status ─► DataApi::rows
//! ```
//!
//! Values reach SQL as named parameters only, names through [`identifier`] only. No message of this crate carries SQL or a
//! value: what Redshift says is kept to its first line, and what it quotes is left out unless it is the name of an object.

mod data_api;
mod error;
mod identifier;
mod statement;
mod warehouse;

pub use data_api::DataApi;
pub use error::{Error, SubmitError};
pub use identifier::{InvalidIdentifier, identifier};
pub use statement::{Column, Field, InvalidStatementId, Page, Statement, StatementId, Status};
pub use warehouse::{InvalidWarehouse, Warehouse};
