//! The requests that Athena sends a connector for one query, in their order.

use anyhow::{Context, bail, ensure};
use arrow_array::RecordBatch;
use arrow_schema::Schema;
use athena_federation::{Block, Constraints, Dialect, SchemaText, TableName};
use serde_json::{Value as Json, json};

use crate::answer::Collector;
use crate::connector::Connector;

/// The framing of Arrow messages changed with this version of the serialization.
const MODERN: i64 = 3;

/// What Athena's requests carry.
const MAX_BLOCK_SIZE: &str = "16000000";
const MAX_INLINE_BLOCK_SIZE: &str = "5242880";

/// One query of one connector.
pub(crate) struct Session<'a> {
    connector: &'a Connector,
    query_id: String,
    dialect: Dialect,
}

/// A table of the connector.
pub(crate) struct Table {
    pub(crate) schema: Schema,
    /// As the connector wrote it: each request returns the metadata in it.
    text: Json,
    partition_columns: Json,
}

impl<'a> Session<'a> {
    /// Asks for the connector's version of the protocol.
    pub(crate) async fn begin(connector: &'a Connector) -> anyhow::Result<Session<'a>> {
        let digits = std::iter::repeat_with(|| fastrand::char('a'..='f')).take(12);
        let query_id = format!("driver-{}", digits.collect::<String>());
        let mut session = Session { connector, query_id, dialect: Dialect::Modern };
        let pong = session.ask("PingRequest", json!({})).await?;
        let version = pong["serDeVersion"].as_i64().unwrap_or(1);
        ensure!(version > 1, "the connector uses version 1 of the serialization; the driver knows 2 and later");
        if version < MODERN {
            session.dialect = Dialect::Legacy;
        }
        Ok(session)
    }

    async fn ask(&self, kind: &str, further: Json) -> anyhow::Result<Json> {
        let mut request = json!({
            "@type": kind,
            "identity": {
                "id": "UNKNOWN", "principal": "UNKNOWN", "account": "000000000000", "arn": "", "tags": {}, "groups": [], "configOptions": {},
            },
            "queryId": self.query_id,
            "catalogName": "driver",
        });
        if let (Json::Object(request), Json::Object(further)) = (&mut request, further) {
            request.extend(further);
        }
        self.connector.invoke(&request).await
    }

    /// Looks up the schema and the table, and reads its columns.
    pub(crate) async fn table(&self, name: &TableName) -> anyhow::Result<Table> {
        let schemas = self.ask("ListSchemasRequest", json!({})).await?;
        let is_listed = |list: &Json, found: &dyn Fn(&Json) -> bool| {
            list.as_array().is_some_and(|entries| entries.iter().any(found))
        };
        ensure!(
            is_listed(&schemas["schemas"], &|schema| *schema == *name.schema_name),
            "there is no schema `{}`; the connector has {}",
            name.schema_name,
            schemas["schemas"]
        );
        let mut next = Json::Null;
        let mut known = Vec::new();
        loop {
            let asked = json!({"schemaName": name.schema_name, "nextToken": next, "pageSize": -1});
            let page = self.ask("ListTablesRequest", asked).await?;
            let tables = page["tables"].as_array().into_iter().flatten();
            known.extend(tables.filter_map(|table| table["tableName"].as_str().map(str::to_owned)));
            next = page["nextToken"].clone();
            if next.is_null() {
                break;
            }
        }
        ensure!(known.contains(&name.table_name), "there is no table `{name}`; the schema has {}", known.join(", "));
        let found = self.ask("GetTableRequest", json!({"tableName": name, "queryPassthroughArguments": {}})).await?;
        let schema: SchemaText = serde_json::from_value(found["schema"].clone()).context("the table has no schema")?;
        Ok(Table {
            schema: schema.read()?,
            text: found["schema"].clone(),
            partition_columns: found["partitionColumns"].clone(),
        })
    }

    /// The field `constraints` of all requests of the query. The limit is not sent: connectors do not have to respect it.
    pub(crate) fn constraints(&self, constraints: &Constraints, schema: &Schema) -> anyhow::Result<Json> {
        let summary = constraints.summary(schema, self.dialect)?;
        Ok(match self.dialect {
            Dialect::Modern => json!({
                "summary": summary, "expression": [], "orderByClause": [], "limit": -1, "queryPassthroughArguments": {},
            }),
            Dialect::Beans | Dialect::Legacy => json!({"summary": summary}),
        })
    }

    /// The splits of the partitions that a query needs.
    pub(crate) async fn splits(
        &self,
        name: &TableName,
        table: &Table,
        constraints: &Json,
        collector: &mut Collector<'_>,
    ) -> anyhow::Result<Vec<Json>> {
        let asked = json!({
            "tableName": name, "constraints": constraints, "schema": table.text, "partitionColumns": table.partition_columns,
        });
        let layout = self.ask("GetTableLayoutRequest", asked).await?;
        let partitions: Block =
            serde_json::from_value(layout["partitions"].clone()).context("there are no partitions")?;
        collector.partitions = partitions.rows()?.num_rows();
        let mut splits = Vec::new();
        if collector.partitions == 0 {
            return Ok(splits);
        }
        let mut token = Json::Null;
        loop {
            let asked = json!({
                "tableName": name, "partitions": layout["partitions"], "partitionColumns": table.partition_columns,
                "constraints": constraints, "continuationToken": token,
            });
            let page = self.ask("GetSplitsRequest", asked).await?;
            let Some(found) = page["splits"].as_array() else { bail!("the answer of the connector has no splits") };
            splits.extend(found.iter().cloned());
            token = page["continuationToken"].clone();
            if token.is_null() {
                break;
            }
        }
        collector.splits = splits.len();
        Ok(splits)
    }

    /// The rows of one split, and how many blocks of them were spilled.
    pub(crate) async fn read(
        &self,
        name: &TableName,
        wanted: &Schema,
        split: &Json,
        constraints: &Json,
    ) -> anyhow::Result<(Vec<RecordBatch>, usize)> {
        let asked = json!({
            "tableName": name, "schema": SchemaText::new(wanted, self.dialect), "split": split, "constraints": constraints,
            "maxBlockSize": MAX_BLOCK_SIZE, "maxInlineBlockSize": MAX_INLINE_BLOCK_SIZE,
        });
        let answer = self.ask("ReadRecordsRequest", asked).await?;
        if answer["@type"] == "ReadRecordsResponse" {
            let block: Block = serde_json::from_value(answer["records"].clone()).context("the answer has no rows")?;
            return Ok((vec![block.rows()?], 0));
        }
        ensure!(answer["@type"] == "RemoteReadRecordsResponse", "the connector answered {}", answer["@type"]);
        let schema: SchemaText =
            serde_json::from_value(answer["schema"].clone()).context("the answer has no schema")?;
        let key = serde_json::from_value(answer["encryptionKey"].clone()).context("the answer has no usable key")?;
        let places: Vec<athena_federation::SpillLocation> =
            serde_json::from_value(answer["remoteBlocks"].clone()).context("the answer names no blocks")?;
        let mut rows = Vec::new();
        for place in &places {
            let bytes = self.connector.fetch(place).await?;
            rows.push(athena_federation::open_spilled(&schema, bytes, Option::as_ref(&key))?);
        }
        Ok((rows, places.len()))
    }
}
