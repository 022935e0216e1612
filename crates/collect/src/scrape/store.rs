//! Where what was scraped goes.

use std::sync::Arc;

use ingest::{Ingest, Source};
use model::MetricBatch;

use super::error::ScrapeError;
use super::metrics::Metrics;
use super::series::Taken;

/// The way into the store that all targets share.
#[derive(Clone)]
pub(super) struct Store {
    ingest: Arc<Ingest>,
    metrics: Metrics,
}

impl Store {
    pub(super) fn new(ingest: Arc<Ingest>, metrics: Metrics) -> Self {
        Self { ingest, metrics }
    }

    /// Stores the samples of a scrape, and what stands beside them.
    pub(super) async fn put(&self, taken: Taken) -> Result<(), ScrapeError> {
        let Taken { batch, exemplars, metadata, .. } = taken;
        self.metrics.exemplars.inc_by(exemplars.len() as u64);
        self.ingest.note_metadata(Source::Scrape, metadata);
        // Each is durable by itself; together they wait for the disk once.
        let exemplars = self.ingest.append_exemplars(Source::Scrape, exemplars);
        let (samples, exemplars) = tokio::join!(self.put_samples(batch), exemplars);
        samples.and(exemplars.map(|_| ()).map_err(|error| ScrapeError::Store(error.to_string())))
    }

    /// Stores samples.
    pub(super) async fn put_samples(&self, batch: MetricBatch) -> Result<(), ScrapeError> {
        let stored = self.ingest.append_metrics(Source::Scrape, batch).await;
        stored.map(|_| ()).map_err(|error| ScrapeError::Store(error.to_string()))
    }
}
