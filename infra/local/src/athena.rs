//! A driver for Athena connectors: asks a deployed one as Athena would, request by request, and shows the rows.
//!
//! It is not Athena. It reads one table, knows the SQL of [`sql`], and checks each row again as Athena does. What it shows is what
//! the connector answered: over `lambda:Invoke`, with spilled blocks fetched from S3 and decrypted.

use anyhow::{Context, bail, ensure};
use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema};
use athena_federation::{Block, Constraints, Dialect, SchemaText, TableName};
use clap::Args;
use futures_util::{StreamExt, stream};
use serde_json::{Value as Json, json};

mod connector;
mod filter;
mod result;
mod sql;

pub use connector::Connector;
pub use result::Answer;

use result::Collector;

/// Asks an Athena connector directly, as Athena would. This is a driver for trying connectors out, not Athena.
#[derive(Debug, Args)]
pub struct Arguments {
    /// For example "select date, count(*) from slackanalytics.member_analytics where date >= '2026-11-01' group by date". It takes
    /// columns, count, sum, WHERE with =, <>, <, <=, >, >=, IN, BETWEEN, IS NULL, AND, OR and NOT, GROUP BY, ORDER BY and LIMIT
    query: String,
    /// The connector's function in an AWS account, an ARN, with the ordinary credentials of the AWS SDKs; it takes
    /// lambda:InvokeFunction, and s3:GetObject on spilled blocks. Without it, the connector that scripts/local has deployed
    #[arg(long, value_name = "ARN")]
    function: Option<String>,
    /// The region, where the ARN's is not meant
    #[arg(long)]
    region: Option<String>,
    /// Where the emulator is, as scripts/local prints it; AWS_ENDPOINT_URL says the same
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The tenant whose connector is meant on this machine
    #[arg(long, default_value = "local")]
    tenant: String,
    /// Print CSV
    #[arg(long)]
    csv: bool,
}

/// Splits that are read at the same time. Athena reads more.
const READS: usize = 8;

/// The framing of Arrow messages changed with this version of the serialization.
const MODERN: i64 = 3;

/// What Athena's requests carry.
const MAX_BLOCK_SIZE: &str = "16000000";
const MAX_INLINE_BLOCK_SIZE: &str = "5242880";

/// Runs the command: the rows on standard output, what it did on standard error.
///
/// # Errors
///
/// When the query is not understood, the connector cannot be reached, or answers with an error, which is quoted.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let parsed = sql::parse(&arguments.query)?;
    let connector = Connector::find(
        arguments.function.as_deref(),
        arguments.region.as_deref(),
        arguments.endpoint.as_deref(),
        &arguments.tenant,
    )
    .await?;
    eprintln!("asking {} as Athena would; this is a driver, not Athena", connector.function);
    let answer = ask(&connector, &parsed).await?;
    match arguments.csv {
        true => print!("{}", answer.csv()),
        false => println!("{}", answer.table()),
    }
    eprintln!("{}", answer.summary());
    Ok(())
}

/// Answers a query by a connector.
///
/// # Errors
///
/// As [`run`].
pub async fn query(connector: &Connector, text: &str) -> anyhow::Result<Answer> {
    ask(connector, &sql::parse(text)?).await
}

/// The whole sequence of requests: what is there, what a query needs, how it is cut up, and the rows.
async fn ask(connector: &Connector, parsed: &sql::Parsed) -> anyhow::Result<Answer> {
    let session = Session::begin(connector).await?;
    let table = session.table(&parsed.table).await?;
    let plan = parsed.plan(&table.schema)?;
    let constraints = plan.filter.as_ref().map(|it| it.constraints()).unwrap_or_default();
    let constraints = session.constraints(&constraints, &table.schema)?;
    let mut collector = Collector::new(&plan);

    let splits = session.splits(&parsed.table, &table, &constraints, &mut collector).await?;
    let wanted: Vec<Field> =
        table.schema.fields().iter().filter(|it| collector.needs(it.name())).map(|it| it.as_ref().clone()).collect();
    let wanted = Schema::new(wanted);
    let reads = splits.iter().map(|split| session.read(&parsed.table, &wanted, split, &constraints));
    let mut reads = stream::iter(reads).buffered(READS);
    while let Some(read) = reads.next().await {
        let (rows, spilled) = read?;
        collector.take(&rows, spilled);
        if collector.has_enough() {
            break;
        }
    }
    drop(reads);
    Ok(collector.finish())
}

/// One query of one connector.
struct Session<'a> {
    connector: &'a Connector,
    query_id: String,
    dialect: Dialect,
}

struct Table {
    schema: Schema,
    /// As the connector wrote it: metadata in it goes along with each request.
    text: Json,
    partition_columns: Json,
}

impl<'a> Session<'a> {
    async fn begin(connector: &'a Connector) -> anyhow::Result<Session<'a>> {
        let digits = std::iter::repeat_with(|| fastrand::char('a'..='f')).take(12);
        let query_id = format!("driver-{}", digits.collect::<String>());
        let mut session = Session { connector, query_id, dialect: Dialect::Modern };
        let pong = session.ask("PingRequest", json!({})).await?;
        let version = pong["serDeVersion"].as_i64().unwrap_or(1);
        ensure!(version > 1, "the connector speaks version 1 of the serialization; the driver speaks 2 and later ones");
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

    /// What is there: schemas, tables, and the columns of one.
    async fn table(&self, name: &TableName) -> anyhow::Result<Table> {
        let schemas = self.ask("ListSchemasRequest", json!({})).await?;
        let is_listed =
            |list: &Json, found: &dyn Fn(&Json) -> bool| list.as_array().is_some_and(|it| it.iter().any(found));
        ensure!(
            is_listed(&schemas["schemas"], &|it| *it == *name.schema_name),
            "there is no schema `{}`; there are {}",
            name.schema_name,
            schemas["schemas"]
        );
        let mut next = Json::Null;
        let mut known = Vec::new();
        loop {
            let asked = json!({"schemaName": name.schema_name, "nextToken": next, "pageSize": -1});
            let page = self.ask("ListTablesRequest", asked).await?;
            let tables = page["tables"].as_array().into_iter().flatten();
            known.extend(tables.filter_map(|it| it["tableName"].as_str().map(str::to_owned)));
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

    /// The field `constraints` of all requests of the query. The limit stays here: no connector has to heed it.
    fn constraints(&self, constraints: &Constraints, schema: &Schema) -> anyhow::Result<Json> {
        let summary = constraints.summary(schema, self.dialect)?;
        Ok(match self.dialect {
            Dialect::Modern => json!({
                "summary": summary, "expression": [], "orderByClause": [], "limit": -1, "queryPassthroughArguments": {},
            }),
            Dialect::Beans | Dialect::Legacy => json!({"summary": summary}),
        })
    }

    /// The partitions a query needs, and what they are cut up into.
    async fn splits(
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
            let Some(found) = page["splits"].as_array() else { bail!("the connector answered without splits") };
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
    async fn read(
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
