//! Samples on their way in.

use model::{LabelsRef, MetricBatch, Sample, Timestamp};
use store::Intake;

use super::clean::Cleaner;
use super::{Ingest, IngestError, refusal_of};
use crate::account::Kind;
use crate::redact::METRICS;
use crate::{Reason, SamplesOutcome, Source};

impl Ingest {
    /// Stores samples. Series and samples that break a limit are left out and counted.
    pub async fn append_metrics(
        &self,
        source: Source,
        batch: MetricBatch,
    ) -> Result<SamplesOutcome, IngestError> {
        let mut outcome = SamplesOutcome::default();
        let batch = self.admit_samples(source, batch, Timestamp::now(), &mut outcome);
        self.append_admitted(source, batch, outcome).await
    }

    /// Stores samples that keep all limits, and counts what became of all.
    pub(super) async fn append_admitted(
        &self,
        source: Source,
        batch: MetricBatch,
        mut outcome: SamplesOutcome,
    ) -> Result<SamplesOutcome, IngestError> {
        let count = batch.sample_count() as u64;
        let stored = if batch.is_empty() {
            Ok(())
        } else {
            let intake = if source.is_own() { Intake::Spare } else { Intake::Usual };
            self.store.append_by(batch.into(), &intake).await.map(|appended| outcome.add(appended))
        };
        let by_store =
            stored.as_ref().map_or_else(|error| (refusal_of(error), count), |()| (Reason::Overloaded, 0));
        self.count_samples(source, &outcome, by_store);
        stored.map(|()| outcome).map_err(IngestError::Store)
    }

    /// Counts what became of samples, and how many the store did not take, and why.
    pub(super) fn count_samples(&self, source: Source, outcome: &SamplesOutcome, by_store: (Reason, u64)) {
        self.account.accepted(source, Kind::Sample, outcome.stored);
        let too_large = outcome.too_large + outcome.over_delta_request + outcome.beyond_sums;
        let too_many = outcome.over_series_limit + outcome.over_delta_limit + outcome.over_delta_memory;
        let refused = [
            (Reason::TooLarge, too_large),
            (Reason::Future, outcome.future),
            (Reason::SeriesLimit, too_many),
            (Reason::Malformed, outcome.malformed),
            (Reason::TooOld, outcome.too_old),
            (Reason::Duplicate, outcome.duplicate + outcome.conflicting),
            by_store,
        ];
        for (reason, count) in refused {
            self.account.refused(source, Kind::Sample, reason, count);
        }
    }

    /// The batch without what breaks a limit, its labels redacted; the batch itself, when all is as it may be.
    pub(super) fn admit_samples(
        &self,
        source: Source,
        batch: MetricBatch,
        now: Timestamp,
        outcome: &mut SamplesOutcome,
    ) -> MetricBatch {
        let newest = now.after(self.limits.max_future.0).as_millis();
        let oldest = now.before(self.retention.usual()).as_millis();
        let fits = |sample: &Sample| (oldest..=newest).contains(&sample.time_ms);
        let cleaner = Cleaner::new(self, source, METRICS);
        let whole = |(labels, samples): (LabelsRef<'_>, &[Sample])| {
            self.labels_fit(labels) && samples.iter().all(fits)
        };
        if batch.iter().all(whole) && cleaner.are_all_clean(&batch) {
            return batch;
        }
        let mut admitted = MetricBatch::with_histograms(batch.histograms().clone());
        for (labels, run) in batch.runs() {
            let samples = run.samples;
            if !self.labels_fit(labels) {
                outcome.too_large += samples.len() as u64;
                continue;
            }
            let cleaned = cleaner.labels(labels);
            let labels = cleaned.as_ref().map_or(labels, model::Labels::as_ref);
            let oldest = self.oldest_of(labels, samples, oldest, now);
            let fits = |sample: &Sample| (oldest..=newest).contains(&sample.time_ms);
            outcome.future += samples.iter().filter(|sample| sample.time_ms > newest).count() as u64;
            outcome.too_old += samples.iter().filter(|sample| sample.time_ms < oldest).count() as u64;
            admitted.push_kept(labels, run, fits);
        }
        admitted
    }

    /// The oldest time of a series that is taken. Some series are kept longer than most: whether one is, is looked
    /// at when it has samples that are older than `usual`.
    fn oldest_of(&self, labels: LabelsRef<'_>, samples: &[Sample], usual: i64, now: Timestamp) -> i64 {
        let is_old = samples.iter().any(|sample| sample.time_ms < usual);
        if !is_old || self.retention.is_one_for_series() {
            return usual;
        }
        usual.min(now.before(self.retention.series(labels)).as_millis())
    }

    pub(super) fn labels_fit(&self, labels: LabelsRef<'_>) -> bool {
        let mut count = 0;
        labels.lengths().all(|(name, value)| {
            count += 1;
            name <= self.limits.max_name_bytes
                && value <= self.limits.max_label_value_bytes
                && count <= self.limits.max_labels
        })
    }
}
