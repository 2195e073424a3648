//! Rows inside JSON.

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};

use crate::dialect::Dialect;
use crate::error::Error;
use crate::ipc;

/// `{"aId":"<any UUID>","schema":"<base64>","records":"<base64>"}`; an empty `records` means no rows.
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
    /// If a column has a type that Athena does not read.
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
    /// If the block is malformed.
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
    /// If it is malformed.
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
    STANDARD.decode(text).map_err(|_| Error::invalid("a field of the request is not valid base64"))
}
