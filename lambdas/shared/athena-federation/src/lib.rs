//! The protocol with which Athena queries a Lambda function, for connectors in Rust.
//!
//! ```text
//!            Ping, ListSchemas, ListTables, GetTable ─► what there is
//! Athena ──► GetTableLayout ─► GetSplits ────────────► which parts of it a query needs
//!            ReadRecords, one per split, in parallel ──► rows: inline in the answer, or spilled to S3 and named in it
//! ```
//!
//! Athena invokes the function synchronously with one JSON object and receives one. A connector implements [`Connector`];
//! [`Federation`] reads the requests, prunes, pages, limits, spills, encrypts and answers.
//!
//! # Shapes and versions
//!
//! There are six versions of the serialization, distinguished by [`Dialect`]: beans (version 1), strict JSON around Arrow's
//! legacy framing (version 2), the same around its modern framing (versions 3 to 6, which each add request fields). All are read:
//! unknown fields are ignored, missing ones have a default. A response is in the dialect of its request, with its fields in the
//! order that the strict readers require. [`Connector::SOURCE_TYPE`] and version [`SERDE_VERSION`] are announced in the answer to
//! a ping.
//!
//! # Limits
//!
//! | what | limit | why |
//! |---|---|---|
//! | rows in a response | 4,000,000 bytes of Arrow, or less if the request says so | Lambda's 6 MB, less a third for base64 |
//! | one spilled block | the request's `maxBlockSize`, at most 64 MB | memory; the request's value is 16 MB |
//! | blocks of an encrypted split | one | the protocol has one key and nonce per split, and GCM is broken if a nonce is used twice |
//! | splits in one response | 500, then a continuation token | Lambda's 6 MB |
//!
//! # Errors
//!
//! An [`Error`] becomes the Lambda error payload; Athena shows its type and its sentence to the person who ran the query. Only
//! [`Kind::Throttled`] has a meaning to Athena: it waits and retries, so it must come before the first row.
//!
//! # Source
//!
//! <https://github.com/awslabs/aws-athena-query-federation>, the serializers below `athena-federation-sdk/`, and
//! <https://docs.aws.amazon.com/athena/latest/ug/connect-to-a-data-source.html>.

mod ask;
mod aws_json;
mod block;
mod connector;
mod constraints;
mod dialect;
mod error;
mod federation;
mod ipc;
mod prune;
mod query_watch;
mod request;
mod response;
mod spill;
mod value;
mod value_set;
mod writer;

pub use ask::open_spilled;
pub use block::{Block, SchemaText};
pub use connector::{Connector, Read, Table};
pub use constraints::Constraints;
pub use dialect::Dialect;
pub use error::{Error, Kind, Result};
pub use federation::{Federation, Invocation, SERDE_VERSION};
pub use prune::prune;
pub use request::{Body, EncryptionKey, ReadRecords, Request, SpillLocation, Split, TableName};
pub use response::{Response, Tail};
pub use spill::{DataKeys, Spill, client_for_large_objects};
pub use value::Value;
pub use value_set::{Bound, Range, ValueSet};
pub use writer::BlockWriter;
