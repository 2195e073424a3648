//! Single Arrow messages, without the start and end of a stream, as the protocol sends schemas and rows.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_schema_from_ipc_buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions, StreamEncoder, write_message};
use arrow_ipc::{Message, MetadataVersion, root_as_message};
use arrow_schema::{DataType, Schema};

use crate::dialect::{CONTINUATION, Dialect};
use crate::error::{Error, Kind};

/// More than any split has.
const MOST_EMPTY_ROWS: i64 = 1 << 24;

/// The message of a schema.
pub(crate) fn write_schema(schema: &Schema, dialect: Dialect) -> Vec<u8> {
    let options = options(dialect);
    let encoded = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(
        schema,
        &mut DictionaryTracker::new(true),
        &options,
    );
    let mut out = Vec::new();
    write_message(&mut out, encoded, &options).expect("writing to memory cannot fail");
    out
}

/// The message of rows. They are freed buffer by buffer, so that hardly any of a block is in memory twice.
///
/// # Errors
///
/// If a column has a type that Arrow cannot write or, like a dictionary, that Athena does not read.
pub(crate) fn write_rows(rows: RecordBatch, dialect: Dialect) -> Result<Vec<u8>, Error> {
    let unwritable = || Error::new(Kind::SpillFailed, "the rows have a column of a type that Athena does not read");
    let schema = rows.schema();
    // The values of a dictionary would be a separate message.
    if schema.flattened_fields().iter().any(|field| matches!(field.data_type(), DataType::Dictionary(..))) {
        return Err(unwritable());
    }
    let mut encoder = StreamEncoder::try_new_with_options(&schema, options(dialect)).map_err(|_| unwritable())?;
    // The first batch of a stream follows the schema's message, the second one stands alone.
    encoder.encode(&RecordBatch::new_empty(schema)).map_err(|_| unwritable())?;
    let buffers = encoder.encode(&rows).map_err(|_| unwritable())?;
    drop(rows);
    let mut message = Vec::with_capacity(buffers.iter().map(Buffer::len).sum());
    for buffer in buffers {
        message.extend_from_slice(&buffer);
    }
    Ok(message)
}

/// Reads the message of a schema.
///
/// # Errors
///
/// If it is not such a message.
pub(crate) fn read_schema(message: &[u8]) -> Result<Schema, Error> {
    check(message)?;
    try_schema_from_ipc_buffer(message).map_err(|_| unreadable())
}

/// Reads rows with their schema; an empty message means no rows.
///
/// # Errors
///
/// If either is malformed.
pub(crate) fn read_rows(schema: &[u8], rows: &[u8]) -> Result<RecordBatch, Error> {
    let parsed = read_schema(schema)?;
    if rows.is_empty() {
        return Ok(RecordBatch::new_empty(Arc::new(parsed)));
    }
    check(rows)?;
    check_buffers(&parsed, rows)?;
    if parsed.fields().is_empty() {
        return count(parsed, rows);
    }
    // A schema followed by a batch is how a stream starts.
    let mut decoder = StreamDecoder::new();
    for message in [schema, rows] {
        let mut buffer = Buffer::from(message);
        while !buffer.is_empty() {
            if let Some(batch) = decoder.decode(&mut buffer).map_err(|_| unreadable())? {
                return Ok(batch);
            }
        }
    }
    Err(unreadable())
}

/// Rows without columns: their number is in the header, and Arrow's decoder would wait for a body that never arrives.
fn count(schema: Schema, rows: &[u8]) -> Result<RecordBatch, Error> {
    let batch = open(rows)?.0.header_as_record_batch().ok_or_else(unreadable)?;
    let count = usize::try_from(batch.length()).map_err(|_| unreadable())?;
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    RecordBatch::try_new_with_options(Arc::new(schema), Vec::new(), &options).map_err(|_| unreadable())
}

/// Rejects a message whose lengths exceed its content, before anything is allocated for it.
fn check(message: &[u8]) -> Result<(), Error> {
    let (header, body) = open(message)?;
    if (0..=body).contains(&header.bodyLength()) { Ok(()) } else { Err(unreadable()) }
}

/// The header of a message, and the number of bytes after it.
fn open(message: &[u8]) -> Result<(Message<'_>, i64), Error> {
    let rest = message.strip_prefix(&CONTINUATION).unwrap_or(message);
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(unreadable)?;
    let length = usize::try_from(i32::from_le_bytes(*length)).map_err(|_| unreadable())?;
    let metadata = rest.get(..length).ok_or_else(unreadable)?;
    let body = i64::try_from(rest.len() - length).unwrap_or(i64::MAX);
    Ok((root_as_message(metadata).map_err(|_| unreadable())?, body))
}

/// Rejects rows whose buffers do not have the shapes that their columns need: Arrow's reader trusts them, and panics.
fn check_buffers(schema: &Schema, rows: &[u8]) -> Result<(), Error> {
    let (header, _) = open(rows)?;
    let (body, batch) = (header.bodyLength(), header.header_as_record_batch().ok_or_else(unreadable)?);
    let mut shapes = Vec::new();
    for field in schema.fields() {
        push_shapes(field.data_type(), &mut shapes)?;
    }
    let buffers: Vec<_> = batch.buffers().into_iter().flatten().collect();
    // A row has at least one bit. Without columns, as for `count(*)`, it has none, and only the number of rows is read.
    let most = if schema.fields().is_empty() { MOST_EMPTY_ROWS } else { body.saturating_mul(8) };
    let rows = 0..=most;
    let good = batch.compression().is_none()
        && rows.contains(&batch.length())
        && batch
            .nodes()
            .into_iter()
            .flatten()
            .all(|node| rows.contains(&node.length()) && (0..=node.length()).contains(&node.null_count()))
        && buffers.len() == shapes.len()
        && buffers.iter().zip(shapes).all(|(buffer, unit)| {
            let end = buffer.offset().checked_add(buffer.length());
            (0..=body).contains(&buffer.offset())
                && buffer.offset() % 8 == 0
                && buffer.length() >= 0
                && buffer.length() % unit == 0
                && end.is_some_and(|end| end <= body)
        });
    if good { Ok(()) } else { Err(unreadable()) }
}

/// The buffers of a column in Arrow's order, each as the unit in bytes of its length. The protocol has no other types.
fn push_shapes(data_type: &DataType, shapes: &mut Vec<i64>) -> Result<(), Error> {
    let validity = 1;
    match data_type {
        DataType::Boolean => shapes.extend([validity, 1]),
        DataType::Utf8 | DataType::Binary => shapes.extend([validity, 4, 1]),
        DataType::Struct(fields) => {
            shapes.push(validity);
            for field in fields {
                push_shapes(field.data_type(), shapes)?;
            }
        }
        DataType::List(field) | DataType::Map(field, _) => {
            shapes.extend([validity, 4]);
            push_shapes(field.data_type(), shapes)?;
        }
        other => match other.primitive_width().and_then(|width| i64::try_from(width).ok()) {
            Some(width) => shapes.extend([validity, width]),
            None => return Err(unreadable()),
        },
    }
    Ok(())
}

fn options(dialect: Dialect) -> IpcWriteOptions {
    match dialect {
        Dialect::Beans | Dialect::Legacy => IpcWriteOptions::try_new(8, true, MetadataVersion::V4),
        Dialect::Modern => IpcWriteOptions::try_new(8, false, MetadataVersion::V5),
    }
    .expect("an alignment of 8 is allowed with both versions")
}

fn unreadable() -> Error {
    Error::invalid("an Arrow message in the request cannot be read")
}
