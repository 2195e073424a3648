//! What a source has to say for itself.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::SystemTime;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::constraints::Constraints;
use crate::error::Error;
use crate::request::TableName;
use crate::writer::BlockWriter;

/// A source of tables. All names are lower case.
pub trait Connector: Sync {
    /// What kind of source it is, as Athena logs it.
    const SOURCE_TYPE: &'static str;

    /// The schemas, in any order.
    ///
    /// # Errors
    ///
    /// When the source cannot tell; so for all that follow.
    fn schemas(&self) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// The tables of a schema, in any order; none for a schema that does not exist.
    fn tables(&self, schema: &str) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// A table, or `None` when there is none of that name.
    fn table(&self, name: &TableName) -> impl Future<Output = Result<Option<Table>, Error>> + Send;

    /// The partitions that a query with these constraints needs: one row a partition, one column a partition column, further
    /// ones at will. Only asked for tables with partition columns. What cannot match is left out afterwards in any case.
    ///
    /// # Errors
    ///
    /// Also when the query needs more than the source can give, which is better said than answered in part.
    fn partitions(
        &self,
        table: &TableName,
        constraints: &Constraints,
    ) -> impl Future<Output = Result<RecordBatch, Error>> + Send;

    /// The splits of the partition in `row`, each by the properties that [`Connector::read`] gets back. No secrets: Athena carries
    /// them, and logs them.
    ///
    /// A split should fit one block, see the limits of this crate.
    ///
    /// # Errors
    ///
    /// When the partition is not one of this table's.
    fn splits(
        &self,
        table: &TableName,
        partitions: &RecordBatch,
        row: usize,
    ) -> Result<Vec<BTreeMap<String, String>>, Error>;

    /// Writes the rows of one split, in batches of any size. Those of several batches are in memory twice while their block is made.
    ///
    /// # Errors
    ///
    /// Whenever not all of the split's rows were written: part of an answer is a wrong answer.
    fn read(&self, read: &Read<'_>, rows: &mut BlockWriter<'_>) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A table's columns.
#[derive(Debug, Clone)]
pub struct Table {
    /// The columns: booleans, signed integers, floats, UTF-8, binary, decimals, dates, timestamps in milli- or microseconds, and
    /// structs, lists and maps of these; all nullable.
    pub schema: SchemaRef,
    /// Those of them that name a partition.
    pub partition_columns: Vec<String>,
}

/// What [`Connector::read`] is asked.
#[derive(Debug)]
pub struct Read<'a> {
    /// Which table.
    pub table: &'a TableName,
    /// The columns that are wanted. Batches may have more; those are used for leaving out rows, and dropped.
    pub schema: &'a SchemaRef,
    /// What [`Connector::splits`] said about the split.
    pub properties: &'a BTreeMap<String, String>,
    /// What the query demands.
    pub constraints: &'a Constraints,
    /// When the function is ended, answer or not.
    pub deadline: SystemTime,
}
