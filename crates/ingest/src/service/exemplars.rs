//! Exemplars on their way in: each is stored once, however often a sender repeats it.

use std::sync::Arc;

use model::event::{Event, ExemplarEvent};
use model::{Exemplar, MetricMetadata};

use super::{Ingest, IngestError};
use crate::account::Kind;
use crate::{Reason, Source};

impl Ingest {
    /// Stores exemplars; how many of them are stored now, or were before. Those that break a limit are left out and
    /// counted.
    pub async fn append_exemplars(
        self: &Arc<Self>,
        source: Source,
        exemplars: Vec<Exemplar>,
    ) -> Result<u64, IngestError> {
        if exemplars.is_empty() {
            return Ok(0);
        }
        let sent = exemplars.len();
        let fit: Vec<Event> = exemplars
            .iter()
            .filter(|exemplar| self.labels_fit(exemplar.series.as_ref()))
            .map(|exemplar| Event::Exemplar(Box::new(ExemplarEvent::from(exemplar))))
            .collect();
        self.account.refused(source, Kind::Event, Reason::TooLarge, (sent - fit.len()) as u64);
        let outcome = self.append_events(source, fit).await?;
        Ok((outcome.accepted + outcome.duplicates) as u64)
    }

    /// Takes in what is said of metrics. What there is no room for is counted.
    pub fn note_metadata(&self, source: Source, metadata: Vec<MetricMetadata>) {
        if !metadata.is_empty() {
            let refused = self.metadata.put(metadata);
            self.account.refused(source, Kind::Metadata, Reason::TooLarge, refused);
        }
    }

    /// What is known of a family of metrics, or of all of them, sorted by name: of `limit` families at most, and of
    /// each `limit_per_family` at most.
    pub fn metadata(
        &self,
        family: Option<&str>,
        limit: usize,
        limit_per_family: usize,
    ) -> Vec<(Arc<str>, Vec<MetricMetadata>)> {
        self.metadata.get(family, limit, limit_per_family)
    }
}
