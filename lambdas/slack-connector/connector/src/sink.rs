//! Where the rows of a day are sent.

use arrow_array::RecordBatch;
use athena_federation::{BlockWriter, Error};

/// The answer to a query, or nothing: the nightly run reads a file to its end only to know that it is complete.
pub(crate) struct Sink<'a, 'b>(pub(crate) Option<&'a mut BlockWriter<'b>>);

impl Sink<'_, '_> {
    /// Passes on rows.
    ///
    /// # Errors
    ///
    /// If the query was cancelled, or the rows do not fit.
    pub(crate) async fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        match &mut self.0 {
            Some(rows) => rows.write(batch).await,
            None => Ok(()),
        }
    }

    /// Discards all rows so far.
    pub(crate) fn restart(&mut self) {
        if let Some(rows) = &mut self.0 {
            rows.restart();
        }
    }

    /// Asks from time to time whether anybody still waits for the rows.
    ///
    /// # Errors
    ///
    /// If the query was cancelled.
    pub(crate) async fn check(&mut self) -> Result<(), Error> {
        match &mut self.0 {
            Some(rows) => rows.check().await,
            None => Ok(()),
        }
    }
}
