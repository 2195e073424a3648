//! Queries an Athena connector the way Athena does, request by request. Works against an AWS account and against an emulator.
//!
//! It is not Athena. It reads one table, knows a small part of SQL ([`Query`]), and checks each row again as Athena does. What it
//! shows is what the connector answered: over `lambda:Invoke`, with spilled blocks fetched from S3 and decrypted.

mod answer;
mod connector;
mod filter;
mod session;
mod sql;

pub use answer::Answer;
use answer::Collector;
use arrow_schema::{Field, Schema};
pub use connector::Connector;
use futures_util::{StreamExt, stream};
use session::Session;
pub use sql::Query;

/// Splits that are read at the same time. Athena reads more.
const READS: usize = 8;

/// Answers a query: finds the table, its partitions and their splits, then reads the splits, as Athena does.
///
/// # Errors
///
/// If the connector cannot be called or answers with an error, which is quoted, or if the query does not fit the table.
pub async fn ask(connector: &Connector, query: &Query) -> anyhow::Result<Answer> {
    let session = Session::begin(connector).await?;
    let table = session.table(&query.table).await?;
    let plan = query.plan(&table.schema)?;
    let constraints = plan.filter.as_ref().map(|filter| filter.constraints()).unwrap_or_default();
    let constraints = session.constraints(&constraints, &table.schema)?;
    let mut collector = Collector::new(&plan);

    let splits = session.splits(&query.table, &table, &constraints, &mut collector).await?;
    let fields = table.schema.fields().iter().filter(|field| collector.needs(field.name()));
    let wanted: Vec<Field> = fields.map(|field| field.as_ref().clone()).collect();
    let wanted = Schema::new(wanted);
    let reads = splits.iter().map(|split| session.read(&query.table, &wanted, split, &constraints));
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
