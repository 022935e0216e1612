//! Samples that count since the sample before: what is stored are their sums.

use std::sync::Arc;

use model::{MetricBatch, Timestamp};
use store::AppendError;

use super::{Ingest, IngestError};
use crate::cumulative::Summed;
use crate::{Reason, SamplesOutcome, Source};

impl Ingest {
    /// Stores samples of delta temporality as sums since the first one of their series. One that was stored before,
    /// or that comes after a later one, is left out and counted, and so are those of series that would be too many,
    /// or of histograms that would take too much memory. While the same ones are on their way to the disk for another
    /// request, nothing is stored.
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
        storing.await.map_err(IngestError::from)?
    }

    async fn store_deltas(&self, source: Source, batch: MetricBatch) -> Result<SamplesOutcome, IngestError> {
        let now = Timestamp::now();
        let mut admitted = SamplesOutcome::default();
        let batch = self.admit_samples(source, batch, now, &mut admitted);
        let mut outcome = admitted;
        let Summed { sums, later, unsettled, .. } = self.cumulative.add(&batch, now, &mut outcome);
        if let Some(what) = later {
            let overloaded = (Reason::Overloaded, batch.sample_count() as u64);
            self.count_samples(source, &admitted, overloaded);
            return Err(IngestError::Store(AppendError::Overloaded { what }));
        }
        let stored = self.append_admitted(source, sums, outcome).await;
        if stored.is_ok() {
            unsettled.stored();
        }
        stored
    }
}
