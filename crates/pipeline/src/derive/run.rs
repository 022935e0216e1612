//! Writes derived metrics at each interval.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ingest::{Ingest, Source};
use model::{Labels, MetricBatch, Timestamp};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::writer::Writer;
use super::{described, gauges};
use crate::{Page, Pipeline, WorkerFilter};

/// What one writing must know of the one before.
pub(crate) struct Derivation {
    /// The series that were written last, and are not ended yet.
    previous: HashSet<Labels>,
    /// The time of the last writing.
    last: Timestamp,
}

/// The samples of one interval, and what there is once they are stored.
pub(crate) struct Derived {
    pub(crate) batch: MetricBatch,
    written: HashSet<Labels>,
    time: Timestamp,
}

const ALL: Page = Page { offset: 0, limit: usize::MAX };

impl Derivation {
    /// Nothing was written yet; counters were zero at `start`.
    pub(crate) fn new(start: Timestamp) -> Self {
        Self { previous: HashSet::new(), last: start }
    }

    /// Brings the live state up to `now` and writes it down.
    pub(crate) fn derive(&self, pipeline: &Pipeline, now: Timestamp) -> Derived {
        pipeline.tick(now);
        // A series that ended at the last writing may begin again now: one later than that is safe.
        let zero = Timestamp::from_millis(self.last.as_millis() + 1);
        let mut writer = Writer::new(now, zero, &self.previous);
        pipeline.tally().write(&mut writer, now);
        gauges::active_jobs(&mut writer, &pipeline.jobs().active(now));
        gauges::queues(&mut writer, &pipeline.queues().list_at(ALL, now).items);
        gauges::components(&mut writer, &pipeline.components().list(ALL).items);
        let workers = pipeline.workers().list_at(&WorkerFilter::default(), ALL, now).items;
        gauges::workers(&mut writer, &workers, &pipeline.falls_before(), now);
        let (batch, written) = writer.finish();
        Derived { batch, written, time: now }
    }

    /// Takes note that `derived` was stored.
    pub(crate) fn stored(&mut self, derived: Derived) {
        self.previous = derived.written;
        self.last = derived.time;
    }
}

/// Says what the metrics mean, and writes them every `interval` until `stop`. What could not be stored is not tried
/// again: the next interval brings newer numbers, and ends the same series.
pub(crate) async fn run(
    pipeline: Arc<Pipeline>,
    ingest: Arc<Ingest>,
    interval: Duration,
    stop: CancellationToken,
) {
    ingest.note_metadata(Source::Pipeline, described::families());
    let mut derivation = Derivation::new(Timestamp::now());
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let mut derived = derivation.derive(&pipeline, Timestamp::now());
        let batch = std::mem::take(&mut derived.batch);
        match ingest.append_metrics(Source::Pipeline, batch).await {
            Ok(_) => {
                derivation.stored(derived);
                lead_on(&pipeline, &ingest).await;
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::warn!(%error, cause, "derived metrics were not stored; the next interval goes on");
            }
        }
    }
}

/// Writes down which traces are behind the numbers. Without it they are found by searching.
async fn lead_on(pipeline: &Pipeline, ingest: &Arc<Ingest>) {
    let exemplars = pipeline.tally().take_exemplars();
    if let Err(error) = ingest.append_exemplars(Source::Pipeline, exemplars).await {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        tracing::warn!(%error, cause, "exemplars of derived metrics were not stored");
    }
}
