//! Samples that count since the sample before: what is stored are their sums.

use std::sync::Arc;

use model::{MetricBatch, Timestamp};
use store::AppendError;

use super::{Ingest, IngestError};
use crate::{SamplesOutcome, Source};

impl Ingest {
    /// Stores samples of delta temporality as sums since the first one of their series. One that was stored before,
    /// or that comes after a later one, is left out and counted, and so are those of series that would be too many.
    pub async fn append_deltas(
        self: &Arc<Self>,
        source: Source,
        batch: MetricBatch,
    ) -> Result<SamplesOutcome, IngestError> {
        if batch.is_empty() {
            return Ok(SamplesOutcome::default());
        }
        // In a task of its own: a caller who goes away must not leave sums that are neither stored nor taken back.
        let this = Arc::clone(self);
        let storing = tokio::spawn(async move { this.store_deltas(source, batch).await });
        storing.await.map_err(|_| IngestError::Store(AppendError::Closed))?
    }

    async fn store_deltas(&self, source: Source, batch: MetricBatch) -> Result<SamplesOutcome, IngestError> {
        let now = Timestamp::now();
        let mut outcome = SamplesOutcome::default();
        let batch = self.admit_samples(source, batch, now, &mut outcome);
        let summed = self.cumulative.add(&batch, now);
        if summed.is_in_flight {
            self.cumulative.settle(summed.changes, false);
            let what = "the same points are being stored for another request";
            return Err(IngestError::Store(AppendError::Overloaded { what }));
        }
        outcome.duplicate += summed.duplicate;
        outcome.too_old += summed.out_of_order;
        outcome.over_delta_limit += summed.over_limit;
        outcome.malformed += summed.malformed;
        let stored = self.append_admitted(source, summed.sums, outcome).await;
        self.cumulative.settle(summed.changes, stored.is_ok());
        stored
    }
}
