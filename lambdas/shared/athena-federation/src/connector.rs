//! What a source provides.

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
    /// The kind of source, as Athena logs it.
    const SOURCE_TYPE: &'static str;

    /// The schemas, in any order.
    ///
    /// # Errors
    ///
    /// If the source fails; the same applies to the methods below.
    fn schemas(&self) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// The tables of a schema, in any order; none for a schema that does not exist.
    fn tables(&self, schema: &str) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// A table, or `None` if none has that name.
    fn table(&self, name: &TableName) -> impl Future<Output = Result<Option<Table>, Error>> + Send;

    /// The partitions that a query with these constraints needs: one row per partition, one column per partition column, further
    /// columns are allowed. Only called for tables with partition columns. Partitions that cannot match are always removed
    /// afterwards.
    ///
    /// # Errors
    ///
    /// Also if the query needs more than the source can return, which is better reported than answered in part.
    fn partitions(
        &self,
        table: &TableName,
        constraints: &Constraints,
    ) -> impl Future<Output = Result<RecordBatch, Error>> + Send;

    /// The splits of the partition in `row`, each as the properties that [`Connector::read`] is passed. No secrets: Athena carries
    /// and logs them.
    ///
    /// A split should fit into one block; see the limits of this crate.
    ///
    /// # Errors
    ///
    /// If the partition does not belong to this table.
    fn splits(
        &self,
        table: &TableName,
        partitions: &RecordBatch,
        row: usize,
    ) -> Result<Vec<BTreeMap<String, String>>, Error>;

    /// Writes the rows of one split, in batches of any size. The rows of several batches are in memory twice while their block is
    /// built.
    ///
    /// # Errors
    ///
    /// Whenever not all of the split's rows were written: a partial answer is a wrong answer.
    fn read(&self, read: &Read<'_>, rows: &mut BlockWriter<'_>) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A table's columns.
#[derive(Debug, Clone)]
pub struct Table {
    /// The columns: booleans, signed integers, floats, UTF-8, binary, decimals, dates, timestamps in milli- or microseconds, and
    /// structs, lists and maps of these; all nullable.
    pub schema: SchemaRef,
    /// The columns that identify a partition.
    pub partition_columns: Vec<String>,
}

/// The request to [`Connector::read`].
#[derive(Debug)]
pub struct Read<'a> {
    /// Which table.
    pub table: &'a TableName,
    /// The requested columns. Batches may have more; the extra ones are used to leave out rows and then dropped.
    pub schema: &'a SchemaRef,
    /// The properties of the split from [`Connector::splits`].
    pub properties: &'a BTreeMap<String, String>,
    /// What the query requires.
    pub constraints: &'a Constraints,
    /// When the function is stopped, with or without an answer.
    pub deadline: SystemTime,
    /// The account that the function runs in, which must own the buckets that it uses; `None` if it is unknown.
    pub account: Option<&'a str>,
}
