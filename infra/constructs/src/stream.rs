//! Functions that are called when a table changes.

use aws::lambda::event_source_mapping::{
    DestinationConfig, EventSourceMapping, EventSourceMappingRef, Filter, FilterCriteria, OnFailure,
};
use cfn::{Construct, Json, Scope};

use crate::{FunctionRef, QueueRef, TableRef};

/// Calls a function with the changes of a table that match a pattern; its role needs [`TableRef::grant_read_stream`].
///
/// A batch that fails is split in two, so that one bad item does not stop the others. Changes that fail repeatedly are sent to a queue, to
/// which the function's role needs the right to send.
#[derive(Clone, Debug)]
pub struct TableTrigger {
    table: TableRef,
    target: FunctionRef,
    pattern: Json,
    dead_letters: QueueRef,
}

impl TableTrigger {
    /// The most changes that the function receives at once: few, because each one takes long.
    const BATCH: i64 = 5;
    /// How often a batch is retried before it is sent to the queue.
    const RETRIES: i64 = 5;
    /// Seconds after which a change is given up: less than the day for which a stream keeps it.
    const MAX_AGE: i64 = 6 * 60 * 60;

    /// Sends changes of `table` whose stream record matches `pattern` to `target`.
    pub fn new(table: &TableRef, pattern: Json, target: &FunctionRef, dead_letters: &QueueRef) -> Self {
        Self { table: table.clone(), target: target.clone(), pattern, dead_letters: dead_letters.clone() }
    }
}

impl Construct for TableTrigger {
    type Ref = EventSourceMappingRef;

    fn add_to(self, scope: &mut Scope<'_>) -> EventSourceMappingRef {
        scope.add_here(
            EventSourceMapping::new(self.target.name())
                .event_source_arn(self.table.stream_arn())
                // From the start of the stream, so that no change between the creation of the table and of this is lost.
                .starting_position("TRIM_HORIZON")
                .batch_size(Self::BATCH)
                .bisect_batch_on_function_error(true)
                .maximum_retry_attempts(Self::RETRIES)
                .maximum_record_age_in_seconds(Self::MAX_AGE)
                .filter_criteria(FilterCriteria::new().filters([Filter::new().pattern(self.pattern.to_string())]))
                .destination_config(
                    DestinationConfig::new().on_failure(OnFailure::new().destination(self.dead_letters.arn())),
                ),
        )
    }
}
