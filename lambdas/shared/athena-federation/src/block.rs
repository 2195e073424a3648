//! Rows inside JSON.

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};

use crate::dialect::Dialect;
use crate::error::Error;
use crate::ipc;

/// `{"aId":"<any UUID>","schema":"<base64>","records":"<base64>"}`; no rows are an empty `records`.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Block {
    #[serde(rename = "aId", default)]
    id: String,
    schema: String,
    #[serde(default)]
    records: String,
}

impl Block {
    /// The block of `rows`.
    ///
    /// # Errors
    ///
    /// When a column is of a type that Athena does not read.
    pub fn new(rows: &RecordBatch, dialect: Dialect) -> Result<Block, Error> {
        let records = match rows.num_rows() {
            0 => Vec::new(),
            _ => ipc::write_rows(rows.clone(), dialect)?,
        };
        Ok(Block::of_message(&rows.schema(), &records, dialect))
    }

    pub(crate) fn of_message(schema: &Schema, records: &[u8], dialect: Dialect) -> Block {
        Block {
            id: uuid::Uuid::new_v4().to_string(),
            schema: STANDARD.encode(ipc::write_schema(schema, dialect)),
            records: STANDARD.encode(records),
        }
    }

    /// The rows.
    ///
    /// # Errors
    ///
    /// When the block is malformed.
    pub fn rows(&self) -> Result<RecordBatch, Error> {
        ipc::read_rows(&decode(&self.schema)?, &decode(&self.records)?)
    }

    pub(crate) fn dialect(&self) -> Result<Dialect, Error> {
        Ok(Dialect::of_message(&decode(&self.schema)?))
    }
}

/// A schema inside JSON: base64, in version 1 wrapped in an object.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum SchemaText {
    /// Versions 2 to 6.
    Bare(String),
    /// Version 1.
    Wrapped {
        /// The base64.
        schema: String,
    },
}

impl SchemaText {
    /// The text of a schema.
    pub fn new(schema: &Schema, dialect: Dialect) -> SchemaText {
        let text = STANDARD.encode(ipc::write_schema(schema, dialect));
        match dialect {
            Dialect::Beans => SchemaText::Wrapped { schema: text },
            Dialect::Legacy | Dialect::Modern => SchemaText::Bare(text),
        }
    }

    /// The schema.
    ///
    /// # Errors
    ///
    /// When it is malformed.
    pub fn read(&self) -> Result<Schema, Error> {
        ipc::read_schema(&decode(self.text())?)
    }

    pub(crate) fn dialect(&self) -> Result<Dialect, Error> {
        match self {
            SchemaText::Wrapped { .. } => Ok(Dialect::Beans),
            SchemaText::Bare(text) => Ok(Dialect::of_message(&decode(text)?)),
        }
    }

    fn text(&self) -> &str {
        match self {
            SchemaText::Bare(text) | SchemaText::Wrapped { schema: text } => text,
        }
    }
}

impl Serialize for SchemaText {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wrapped<'a> {
            schema: &'a str,
        }
        match self {
            SchemaText::Bare(text) => text.serialize(out),
            SchemaText::Wrapped { schema } => Wrapped { schema }.serialize(out),
        }
    }
}

pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Error> {
    STANDARD.decode(text).map_err(|_| Error::invalid("the request has a field that should be base64 and is not"))
}
