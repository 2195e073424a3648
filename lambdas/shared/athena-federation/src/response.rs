//! The responses to Athena. The order of the fields is part of the protocol, because its readers are strict.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::block::{Block, SchemaText};
use crate::request::{EncryptionKey, SpillLocation, Split, TableName};

/// One response. Only the federation creates them; serialize it unchanged.
#[derive(Debug, Serialize)]
#[serde(tag = "@type", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "the names are the protocol's, which the module names")]
pub enum Response {
    /// The response to a ping, the same in all versions.
    PingResponse {
        catalog_name: String,
        query_id: String,
        source_type: &'static str,
        /// A number from the SDK's history that tells Athena what it may send.
        capabilities: u32,
        /// The newest serialization version that is read.
        ser_de_version: u32,
    },
    /// The schemas.
    ListSchemasResponse {
        catalog_name: String,
        schemas: Vec<String>,
        #[serde(flatten)]
        tail: Tail,
    },
    /// A page of tables.
    ListTablesResponse {
        tables: Vec<TableName>,
        catalog_name: String,
        next_token: Option<String>,
        #[serde(flatten)]
        tail: Tail,
    },
    /// A table's columns.
    GetTableResponse {
        catalog_name: String,
        table_name: TableName,
        schema: SchemaText,
        partition_columns: Vec<String>,
        #[serde(flatten)]
        tail: Tail,
    },
    /// The partitions.
    GetTableLayoutResponse {
        catalog_name: String,
        table_name: TableName,
        partitions: Block,
        #[serde(flatten)]
        tail: Tail,
    },
    /// A page of splits.
    GetSplitsResponse {
        catalog_name: String,
        splits: Vec<Split>,
        continuation_token: Option<String>,
        #[serde(flatten)]
        tail: Tail,
    },
    /// The work that is taken over from Athena: none, so Athena checks every row again.
    GetDataSourceCapabilitiesResponse {
        catalog_name: String,
        capabilities: BTreeMap<String, Vec<String>>,
        #[serde(flatten)]
        tail: Tail,
    },
    /// Rows.
    ReadRecordsResponse {
        catalog_name: String,
        records: Block,
        #[serde(flatten)]
        tail: Tail,
    },
    /// Where the rows are.
    RemoteReadRecordsResponse {
        catalog_name: String,
        schema: SchemaText,
        remote_blocks: Vec<SpillLocation>,
        encryption_key: Option<EncryptionKey>,
        #[serde(flatten)]
        tail: Tail,
    },
}

/// The last field of the beans of version 1, which no other version has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tail {
    /// The kind of request, such as `GET_TABLE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_type: Option<&'static str>,
}
