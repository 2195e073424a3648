//! Collects the rows of one split and turns them into a response.

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_empty_array};
use arrow_schema::{FieldRef, SchemaRef};
use arrow_select::concat::concat;

use crate::block::{Block, SchemaText};
use crate::dialect::Dialect;
use crate::error::{Error, Kind};
use crate::ipc;
use crate::prune::prune;
use crate::query_watch::QueryWatch;
use crate::request::{ReadRecords, SpillLocation};
use crate::response::{Response, Tail};
use crate::spill::Spill;

/// Accepts batches of rows, leaves out rows that cannot match, and keeps at most one block of them in memory.
#[derive(Debug)]
pub struct BlockWriter<'a> {
    request: &'a ReadRecords,
    dialect: Dialect,
    spill: &'a Spill,
    owner: Option<&'a str>,
    watch: QueryWatch<'a>,
    held: Vec<RecordBatch>,
    held_bytes: usize,
    spilled: Vec<SpillLocation>,
}

/// Lambda's response holds 6 MB; base64 turns three bytes into four characters, and schema and names take some space:
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const MAX_INLINE: u64 = 4_000_000;

/// The limit whatever the request allows, so that a function of 512 MB can hold a block and its encrypted form.
const MAX_BLOCK: u64 = 64_000_000;

impl<'a> BlockWriter<'a> {
    pub(crate) fn new(
        request: &'a ReadRecords,
        dialect: Dialect,
        spill: &'a Spill,
        owner: Option<&'a str>,
        watch: QueryWatch<'a>,
    ) -> BlockWriter<'a> {
        BlockWriter { request, dialect, spill, owner, watch, held: Vec::new(), held_bytes: 0, spilled: Vec::new() }
    }

    /// Accepts a batch, which must have at least the requested columns, by name.
    ///
    /// # Errors
    ///
    /// If the query was cancelled, the batch lacks a column, the split is larger than its one encrypted block, or S3
    /// rejects a block.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.check().await?;
        let mut rest = project(&prune(batch, &self.request.constraints), &self.request.schema)?;
        while rest.num_rows() > 0 {
            let fitting = fitting_rows(&rest, self.limit() - self.held_bytes);
            if fitting == 0 {
                self.make_room().await?;
                continue;
            }
            let part = rest.slice(0, fitting);
            self.held_bytes += size(&part);
            self.held.push(part);
            rest = rest.slice(fitting, rest.num_rows() - fitting);
        }
        Ok(())
    }

    /// Discards all rows so far, so that a connector can write them again from a different source.
    ///
    /// Nothing has left this function by then: a block of an encrypted split is stored only at the end, and one of an unencrypted split
    /// is overwritten.
    pub fn restart(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
        self.spilled.clear();
    }

    /// Asks from time to time whether the query is still running; for a connector that waits long before its first batch.
    ///
    /// # Errors
    ///
    /// If it was cancelled.
    pub async fn check(&mut self) -> Result<(), Error> {
        self.watch.check().await
    }

    /// The response: the rows themselves if they fit and none was spilled, or otherwise where they are stored.
    pub(crate) async fn finish(mut self, catalog: String, tail: Tail) -> Result<Response, Error> {
        let schema = self.request.schema.clone();
        if self.spilled.is_empty() {
            let inline = usize::try_from(self.request.max_inline_block_size.min(MAX_INLINE)).unwrap_or(usize::MAX);
            if self.held_bytes <= inline {
                let rows = self.take()?;
                let records = match rows.num_rows() {
                    0 => Vec::new(),
                    _ => ipc::write_rows(rows.clone(), self.dialect)?,
                };
                if records.len() <= inline {
                    let records = Block::of_message(&schema, &records, self.dialect);
                    return Ok(Response::ReadRecordsResponse { catalog_name: catalog, records, tail });
                }
                self.held.push(rows);
            }
        }
        self.store().await?;
        Ok(Response::RemoteReadRecordsResponse {
            catalog_name: catalog,
            schema: SchemaText::new(&schema, self.dialect),
            remote_blocks: self.spilled,
            encryption_key: self.request.split.encryption_key.clone(),
            tail,
        })
    }

    /// Stores the collected rows, if more than one block is allowed.
    async fn make_room(&mut self) -> Result<(), Error> {
        let limit = self.limit();
        if self.held.is_empty() {
            return Err(Error::new(Kind::TooLarge, format!("one row is larger than a block of {limit} bytes")));
        }
        // A second block would be encrypted with the nonce of the first.
        if self.request.split.encryption_key.is_some() {
            return Err(Error::new(
                Kind::TooLarge,
                format!(
                    "the rows of one split exceed the {limit} bytes of its one encrypted block; select fewer columns or add predicates"
                ),
            ));
        }
        self.store().await
    }

    async fn store(&mut self) -> Result<(), Error> {
        let rows = self.take()?;
        // Spilled blocks always use the legacy framing, whatever the request uses.
        let count = rows.num_rows();
        let message = ipc::write_rows(rows, Dialect::Legacy)?;
        let location = self.request.split.spill_location.block(self.spilled.len());
        tracing::info!(step = "spill", rows = count, bytes = message.len());
        self.spill.put(&location, message, self.request.split.encryption_key.as_ref(), self.owner).await?;
        self.spilled.push(location);
        Ok(())
    }

    /// All collected rows as one batch, built column by column so that only one column at a time is in memory twice.
    fn take(&mut self) -> Result<RecordBatch, Error> {
        self.held_bytes = 0;
        let held = std::mem::take(&mut self.held);
        let options = RecordBatchOptions::new().with_row_count(Some(held.iter().map(RecordBatch::num_rows).sum()));
        let mut parts: Vec<_> = held.into_iter().map(|batch| batch.into_parts().1.into_iter()).collect();
        let column = |field: &FieldRef| {
            let parts: Vec<ArrayRef> = parts.iter_mut().filter_map(Iterator::next).collect();
            if parts.is_empty() {
                Ok(new_empty_array(field.data_type()))
            } else {
                concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())
            }
        };
        let columns: Result<Vec<ArrayRef>, _> = self.request.schema.fields().iter().map(column).collect();
        // The columns have the same types, or `project` would have failed.
        columns
            .and_then(|columns| RecordBatch::try_new_with_options(self.request.schema.clone(), columns, &options))
            .map_err(|_| Error::new(Kind::TooLarge, "the text of one column is more than a block can hold"))
    }

    fn limit(&self) -> usize {
        usize::try_from(self.request.max_block_size.min(MAX_BLOCK)).unwrap_or(usize::MAX)
    }
}

/// The requested columns of a batch, in the requested order.
fn project(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Error> {
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let column = batch.column_by_name(field.name()).filter(|column| column.data_type() == field.data_type());
        columns.push(column.cloned().ok_or_else(|| {
            Error::invalid(format!(
                "there is no column `{}` of type {}; the table may have changed since the query was planned, so run it again",
                crate::request::shown(field.name()),
                field.data_type()
            ))
        })?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        .map_err(|_| Error::invalid("the request declares a column as not nullable; all columns are nullable"))
}

/// How many of the first rows fit into `room` bytes.
fn fitting_rows(batch: &RecordBatch, room: usize) -> usize {
    if size(batch) <= room {
        return batch.num_rows();
    }
    let (mut fit, mut too_many) = (0, batch.num_rows());
    while too_many - fit > 1 {
        let middle = fit + (too_many - fit) / 2;
        if size(&batch.slice(0, middle)) <= room { fit = middle } else { too_many = middle }
    }
    fit
}

/// The size in bytes of Arrow data, excluding what a slice leaves out.
fn size(batch: &RecordBatch) -> usize {
    // A type that cannot be measured cannot be written either, and writing reports the error.
    batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or(0)).sum()
}
