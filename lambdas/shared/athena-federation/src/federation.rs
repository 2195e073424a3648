//! Answers requests.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use arrow_array::{ArrayRef, Int32Array, RecordBatch};
use aws_types::SdkConfig;
use lambda_runtime::Context;
use serde_json::Value as Json;

use crate::aws_json::AwsJson;
use crate::block::{Block, SchemaText};
use crate::connector::{Connector, Read, Table};
use crate::dialect::Dialect;
use crate::error::{Error, Kind, Result};
use crate::prune::prune;
use crate::query_watch::QueryWatch;
use crate::request::{Body, ReadRecords, Request, Split, TableName, shown};
use crate::response::{Response, Tail};
use crate::spill::Spill;
use crate::writer::BlockWriter;

/// The newest serialization version that is announced. Version 6 adds a query plan in its own language, which no connector
/// here reads, so it is not requested; requests that carry one are still accepted.
pub const SERDE_VERSION: u32 = 5;

/// The capabilities that the SDK of that version announces.
const CAPABILITIES: u32 = 23;

/// Keeps the keys and locations in an answer far below Lambda's 6 MB.
const SPLITS_PER_ANSWER: usize = 500;

/// A connector, wired to the protocol.
#[derive(Debug)]
pub struct Federation<C> {
    connector: C,
    spill: Spill,
    athena: AwsJson,
}

/// The facts about one invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// When it started.
    pub began: Instant,
    /// When Lambda stops it.
    pub deadline: SystemTime,
    /// The account that the function runs in, which must own the spill bucket; `None` if it is unknown.
    pub account: Option<String>,
}

impl Invocation {
    /// The invocation that starts now; the account is the fifth part of the function's ARN.
    pub fn of(context: &Context) -> Invocation {
        let account = context.invoked_function_arn.split(':').nth(4);
        let is_account = |text: &&str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        let account = account.filter(is_account).map(str::to_owned);
        Invocation { began: Instant::now(), deadline: context.deadline(), account }
    }
}

impl<C: Connector> Federation<C> {
    /// Wires a connector; `athena` is asked whether a query is still running, which requires `athena:GetQueryExecution`.
    pub fn new(connector: C, spill: Spill, athena: &SdkConfig) -> Federation<C> {
        Federation { connector, spill, athena: AwsJson::new("athena", "AmazonAthena.GetQueryExecution", athena) }
    }

    /// Answers one event.
    ///
    /// # Errors
    ///
    /// If the event is not a request, the connector fails, or rows cannot be stored.
    pub async fn handle(&self, event: Json, invocation: &Invocation) -> Result<Response> {
        let request = Request::read(event)?;
        let (catalog_name, dialect) = (request.catalog, request.dialect);
        let tail = |request_type| Tail { request_type: (dialect == Dialect::Beans).then_some(request_type) };
        match request.body {
            Body::Ping => Ok(Response::PingResponse {
                catalog_name,
                query_id: request.query_id,
                source_type: C::SOURCE_TYPE,
                capabilities: CAPABILITIES,
                ser_de_version: SERDE_VERSION,
            }),
            Body::ListSchemas => {
                let mut schemas = self.connector.schemas().await?;
                schemas.sort();
                Ok(Response::ListSchemasResponse { catalog_name, schemas, tail: tail("LIST_SCHEMAS") })
            }
            Body::ListTables { schema, next_token, page_size } => {
                let mut names = self.connector.tables(&schema).await?;
                names.sort();
                let (names, next_token) = page(names, next_token.as_deref(), page_size);
                let named = |table_name| TableName { schema_name: schema.clone(), table_name };
                let tables = names.into_iter().map(named).collect();
                Ok(Response::ListTablesResponse { tables, catalog_name, next_token, tail: tail("LIST_TABLES") })
            }
            Body::GetTable { table } => {
                let found = self.table(&table).await?;
                Ok(Response::GetTableResponse {
                    catalog_name,
                    table_name: table,
                    schema: SchemaText::new(&found.schema, dialect),
                    partition_columns: found.partition_columns,
                    tail: tail("GET_TABLE"),
                })
            }
            Body::GetTableLayout { table, constraints } => {
                let found = self.table(&table).await?;
                let partitions = if found.partition_columns.is_empty() {
                    one_partition()
                } else {
                    prune(&self.connector.partitions(&table, &constraints).await?, &constraints)
                };
                Ok(Response::GetTableLayoutResponse {
                    catalog_name,
                    table_name: table,
                    partitions: Block::new(&partitions, dialect)?,
                    tail: tail("GET_TABLE_LAYOUT"),
                })
            }
            Body::GetSplits { table, partitions, continuation_token } => {
                self.table(&table).await?;
                let (splits, continuation_token) =
                    self.splits(&request.query_id, &table, &partitions, continuation_token.as_deref()).await?;
                Ok(Response::GetSplitsResponse { catalog_name, splits, continuation_token, tail: tail("GET_SPLITS") })
            }
            Body::GetDataSourceCapabilities => Ok(Response::GetDataSourceCapabilitiesResponse {
                catalog_name,
                capabilities: Default::default(),
                tail: tail("GET_DATASOURCE_CAPABILITIES"),
            }),
            Body::ReadRecords(read) => {
                let watch = QueryWatch::new(&self.athena, &request.query_id, invocation.began);
                let rows = self.read(&read, dialect, watch, invocation).await?;
                rows.finish(catalog_name, tail("READ_RECORDS")).await
            }
        }
    }

    async fn table(&self, name: &TableName) -> Result<Table> {
        self.connector.table(name).await?.ok_or_else(|| {
            let name = shown(&name.to_string());
            Error::new(Kind::EntityNotFound, format!("there is no table `{name}`; SHOW TABLES lists the existing ones"))
        })
    }

    async fn splits(
        &self,
        query_id: &str,
        table: &TableName,
        partitions: &RecordBatch,
        token: Option<&str>,
    ) -> Result<(Vec<Split>, Option<String>)> {
        let start: usize = match token {
            None => 0,
            Some(token) => {
                token.parse().map_err(|_| Error::invalid("the continuation token was not issued by this function"))?
            }
        };
        let mut all = Vec::new();
        for row in 0..partitions.num_rows() {
            all.extend(self.connector.splits(table, partitions, row)?);
        }
        let total = all.len();
        let end = start.saturating_add(SPLITS_PER_ANSWER).min(total);
        let page: Vec<_> = all.drain(start.min(end)..end).collect();
        let places = self.spill.places(query_id, page.len()).await?;
        let splits = page.into_iter().zip(places).map(|(properties, (spill_location, key))| Split {
            spill_location,
            encryption_key: Some(key),
            properties,
        });
        Ok((splits.collect(), (end < total).then(|| end.to_string())))
    }

    async fn read<'a>(
        &'a self,
        read: &'a ReadRecords,
        dialect: Dialect,
        watch: QueryWatch<'a>,
        invocation: &'a Invocation,
    ) -> Result<BlockWriter<'a>> {
        self.table(&read.table).await?;
        self.spill.check(&read.split.spill_location)?;
        // Checked before the source is asked for rows that could not be stored.
        if let Some(key) = &read.split.encryption_key {
            key.bytes()?;
        }
        let mut rows = BlockWriter::new(read, dialect, &self.spill, invocation.account.as_deref(), watch);
        let asked = Read {
            table: &read.table,
            schema: &read.schema,
            properties: &read.split.properties,
            constraints: &read.constraints,
            deadline: invocation.deadline,
            account: invocation.account.as_deref(),
        };
        self.connector.read(&asked, &mut rows).await?;
        Ok(rows)
    }
}

/// The page of sorted names that starts at the token, and the name where the next page starts.
fn page(names: Vec<String>, token: Option<&str>, size: Option<usize>) -> (Vec<String>, Option<String>) {
    let mut left = names.into_iter().skip_while(|name| token.is_some_and(|token| name.as_str() < token));
    let page = left.by_ref().take(size.unwrap_or(usize::MAX)).collect();
    (page, left.next())
}

/// The protocol's form of a table without partitions.
fn one_partition() -> RecordBatch {
    let id: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    RecordBatch::try_from_iter_with_nullable([("partitionId", id, true)]).expect("a batch of one column is even")
}
