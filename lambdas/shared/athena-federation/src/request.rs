//! Athena's requests in any version, read leniently.

use std::collections::BTreeMap;
use std::fmt;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use crate::block::{Block, SchemaText, decode};
use crate::constraints::{Constraints, ConstraintsText};
use crate::dialect::Dialect;
use crate::error::Error;

/// One request. The caller's identity is not read: IAM and Athena decide who may query.
#[derive(Debug)]
pub struct Request {
    /// Athena's ID of the query; letters, digits and hyphens.
    pub query_id: String,
    /// The name under which the function is registered, echoed in the answer.
    pub catalog: String,
    /// The dialect of the response.
    pub dialect: Dialect,
    /// The kind of request.
    pub body: Body,
}

/// The kinds of request.
#[derive(Debug)]
pub enum Body {
    /// Asks for the source and its version.
    Ping,
    /// Asks for the schemas.
    ListSchemas,
    /// Asks for the tables of a schema, in pages.
    ListTables {
        /// The schema.
        schema: String,
        /// Where the page starts.
        next_token: Option<String>,
        /// The most names on the page; `None` means all.
        page_size: Option<usize>,
    },
    /// A table's columns.
    GetTable {
        /// Which table.
        table: TableName,
    },
    /// Asks for the partitions that a query needs.
    GetTableLayout {
        /// Which table.
        table: TableName,
        /// What the query requires.
        constraints: Constraints,
    },
    /// Asks how to divide those partitions into splits.
    GetSplits {
        /// Which table.
        table: TableName,
        /// The response to the request for the layout.
        partitions: RecordBatch,
        /// Where to continue, from the last response.
        continuation_token: Option<String>,
    },
    /// Asks which work the connector takes over from Athena.
    GetDataSourceCapabilities,
    /// The rows of one split.
    ReadRecords(Box<ReadRecords>),
}

/// A request for rows.
#[derive(Debug)]
pub struct ReadRecords {
    /// Which table.
    pub table: TableName,
    /// The requested columns, in the order of the response.
    pub schema: SchemaRef,
    /// Which rows.
    pub split: Split,
    /// What the query requires.
    pub constraints: Constraints,
    /// The largest spilled block in bytes.
    pub max_block_size: u64,
    /// The largest size of rows in the response, in bytes.
    pub max_inline_block_size: u64,
}

/// A table and its schema, in lower case as all names in Athena.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TableName {
    /// The schema.
    pub schema_name: String,
    /// The table.
    pub table_name: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema_name, self.table_name)
    }
}

/// A part of a query that one invocation reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Split {
    /// Where its blocks are stored if they do not fit into the response.
    pub spill_location: SpillLocation,
    /// The key that encrypts them; they are not encrypted if it is absent.
    pub encryption_key: Option<EncryptionKey>,
    /// The connector's properties of the split. Athena logs these, so they must not contain secrets.
    pub properties: BTreeMap<String, String>,
}

/// A location in S3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpillLocation {
    #[serde(rename = "@type")]
    kind: SpillKind,
    /// The bucket.
    pub bucket: String,
    /// The object's key, or the prefix of its blocks' keys.
    pub key: String,
    /// Whether `key` is a prefix.
    #[serde(default)]
    pub directory: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum SpillKind {
    S3SpillLocation,
}

impl SpillLocation {
    /// The location for the blocks of a split.
    pub fn directory(bucket: impl Into<String>, key: impl Into<String>) -> SpillLocation {
        SpillLocation { kind: SpillKind::S3SpillLocation, bucket: bucket.into(), key: key.into(), directory: true }
    }

    /// The location of its block `number`, counted from 0.
    pub fn block(&self, number: usize) -> SpillLocation {
        SpillLocation {
            kind: SpillKind::S3SpillLocation,
            bucket: self.bucket.clone(),
            key: format!("{}.{number}", self.key),
            directory: false,
        }
    }
}

/// The key that encrypts a split's one block with AES-GCM: base64 of 16 or 32 bytes of key and 12 bytes of nonce.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptionKey {
    pub(crate) key: String,
    pub(crate) nonce: String,
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKey(…)")
    }
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// If it is of an unknown type, lacks a field that its type needs, or has Arrow data that cannot be read.
    pub fn read(event: Json) -> Result<Request, Error> {
        // serde's message may quote values of somebody's query.
        let text: Text = serde_json::from_value(event)
            .map_err(|_| Error::invalid("the event is not a request of Athena's federation protocol"))?;
        let dialect = text.dialect()?;
        let query_id = text.query_id.clone().unwrap_or_default();
        if !is_query_id(&query_id) {
            return Err(Error::invalid("queryId must be at most 128 letters, digits, `-` and `_`"));
        }
        let catalog = text.catalog_name.clone().unwrap_or_default();
        Ok(Request { query_id, catalog, dialect, body: text.body()? })
    }
}

/// The ID becomes part of an object's key.
fn is_query_id(id: &str) -> bool {
    id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The fields of all requests.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    #[serde(rename = "@type")]
    kind: String,
    request_type: Option<IgnoredAny>,
    query_id: Option<String>,
    catalog_name: Option<String>,
    schema_name: Option<String>,
    table_name: Option<TableName>,
    next_token: Option<String>,
    page_size: Option<i64>,
    constraints: Option<ConstraintsText>,
    schema: Option<SchemaText>,
    partitions: Option<Block>,
    continuation_token: Option<String>,
    split: Option<Split>,
    #[serde(default, deserialize_with = "bytes")]
    max_block_size: Option<u64>,
    #[serde(default, deserialize_with = "bytes")]
    max_inline_block_size: Option<u64>,
}

/// The SDK's defaults if a request does not set a size.
const MAX_BLOCK_SIZE: u64 = 16_000_000;
const MAX_INLINE_BLOCK_SIZE: u64 = 5_242_880;

impl Text {
    fn body(self) -> Result<Body, Error> {
        let missing = |name: &str| Error::invalid(format!("the {} has no `{name}`", shown(&self.kind)));
        let constraints =
            || self.constraints.as_ref().map(ConstraintsText::read).transpose().map(Option::unwrap_or_default);
        let table = || {
            let table = self.table_name.clone().ok_or_else(|| missing("tableName"))?;
            Ok::<_, Error>(TableName {
                schema_name: table.schema_name.to_ascii_lowercase(),
                table_name: table.table_name.to_ascii_lowercase(),
            })
        };
        Ok(match self.kind.as_str() {
            "PingRequest" => Body::Ping,
            "ListSchemasRequest" => Body::ListSchemas,
            "ListTablesRequest" => Body::ListTables {
                schema: self.schema_name.clone().ok_or_else(|| missing("schemaName"))?.to_ascii_lowercase(),
                next_token: self.next_token,
                page_size: self.page_size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0),
            },
            "GetTableRequest" => Body::GetTable { table: table()? },
            "GetTableLayoutRequest" => Body::GetTableLayout { table: table()?, constraints: constraints()? },
            "GetSplitsRequest" => Body::GetSplits {
                table: table()?,
                partitions: self.partitions.as_ref().ok_or_else(|| missing("partitions"))?.rows()?,
                continuation_token: self.continuation_token,
            },
            "GetDataSourceCapabilitiesRequest" => Body::GetDataSourceCapabilities,
            "ReadRecordsRequest" => Body::ReadRecords(Box::new(ReadRecords {
                table: table()?,
                schema: Schema::into(self.schema.as_ref().ok_or_else(|| missing("schema"))?.read()?),
                constraints: constraints()?,
                split: self.split.clone().ok_or_else(|| missing("split"))?,
                max_block_size: self.max_block_size.unwrap_or(MAX_BLOCK_SIZE),
                max_inline_block_size: self.max_inline_block_size.unwrap_or(MAX_INLINE_BLOCK_SIZE),
            })),
            other => {
                return Err(Error::invalid(format!(
                    "there is no request `{}`; must be one of PingRequest, ListSchemasRequest, ListTablesRequest, GetTableRequest, GetTableLayoutRequest, GetSplitsRequest, GetDataSourceCapabilitiesRequest or ReadRecordsRequest",
                    shown(other)
                )));
            }
        })
    }

    /// Detected from the first Arrow message; if there is none, Athena reads either framing, so the current one is used.
    fn dialect(&self) -> Result<Dialect, Error> {
        if self.request_type.is_some() {
            return Ok(Dialect::Beans);
        }
        match (&self.schema, &self.partitions) {
            (Some(schema), _) => schema.dialect(),
            (None, Some(partitions)) => partitions.dialect(),
            (None, None) => Ok(Dialect::Modern),
        }
    }
}

impl EncryptionKey {
    /// Key and nonce as bytes.
    pub(crate) fn bytes(&self) -> Result<(Vec<u8>, [u8; 12]), Error> {
        let key = decode(&self.key)?;
        let nonce = <[u8; 12]>::try_from(decode(&self.nonce)?);
        match (key.len(), nonce) {
            (16 | 32, Ok(nonce)) => Ok((key, nonce)),
            _ => Err(Error::invalid("the split's encryption key is not 16 or 32 bytes with a nonce of 12")),
        }
    }
}

/// A number of bytes, which the SDK writes as text.
fn bytes<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Wire {
        Number(u64),
        Text(String),
    }
    match Option::<Wire>::deserialize(input)? {
        None => Ok(None),
        Some(Wire::Number(number)) => Ok(Some(number)),
        Some(Wire::Text(text)) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

/// Untrusted text for an error message: on one line, at most 64 characters.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}
