//! Series that rules write: what recording rules give, and the states of alerts as `ALERTS` and
//! `ALERTS_FOR_STATE`, as Prometheus writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use ingest::{Ingest, IngestError, SamplesOutcome, Source};
use model::histogram::plain_value;
use model::{Histogram, Labels, LabelsBuilder, MetricBatch, STALE_NAN, Timestamp};
use state::AlertState;

use crate::book::RuleAlerts;
use crate::evaluate::Finding;

/// Where series go. A trait, so that what is written can be seen without a store.
#[async_trait]
pub(crate) trait Sink: Send + Sync {
    async fn write(&self, batch: MetricBatch) -> Result<SamplesOutcome, IngestError>;
}

/// Writes through the one path in.
pub(crate) struct IngestSink(pub(crate) Arc<Ingest>);

#[async_trait]
impl Sink for IngestSink {
    async fn write(&self, batch: MetricBatch) -> Result<SamplesOutcome, IngestError> {
        self.0.append_metrics(Source::Rules, batch).await
    }
}

/// What a rule writes of a series at one time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SeriesValue {
    Number(f64),
    Histogram(Arc<Histogram>),
}

/// What a rule writes at one time.
pub(crate) type Written = BTreeMap<Labels, SeriesValue>;

impl SeriesValue {
    pub(crate) fn of(finding: &Finding) -> Self {
        match &finding.histogram {
            Some(histogram) => Self::Histogram(Arc::clone(histogram)),
            None => Self::Number(finding.value),
        }
    }
}

/// How many samples were not taken because their series have other values at this time: another rule writes the same
/// series. That one of the `ends` marks does not end what goes on elsewhere is no loss.
pub(crate) fn conflicts(outcome: SamplesOutcome, ends: usize) -> u64 {
    outcome.conflicting.saturating_sub(ends as u64)
}

/// The samples of one rule at one time. What it wrote the time before and writes no more is marked as
/// ended, so that queries do not see it for another five minutes.
pub(crate) fn batch(now: &Written, before: &BTreeSet<Labels>, at: Timestamp, into: &mut MetricBatch) {
    for (labels, value) in now {
        let value = match value {
            SeriesValue::Number(number) => plain_value(*number),
            SeriesValue::Histogram(histogram) => into.histogram(histogram),
        };
        into.push_one(labels, at.as_millis(), value);
    }
    end(before.iter().filter(|labels| !now.contains_key(*labels)), at, into);
}

/// Marks series as ended.
pub(crate) fn end<'a>(series: impl Iterator<Item = &'a Labels>, at: Timestamp, into: &mut MetricBatch) {
    for labels in series {
        into.push_one(labels, at.as_millis(), STALE_NAN);
    }
}

/// The series that tell of a rule's alerts.
pub(crate) fn of_alerts(alerts: &RuleAlerts) -> Written {
    let mut series = BTreeMap::new();
    for record in alerts.values() {
        let state = match record.state {
            AlertState::Pending => "pending",
            // Prometheus has no word for acknowledged: such an alert fires.
            AlertState::Firing | AlertState::Acknowledged => "firing",
            AlertState::Inactive | AlertState::Resolved => continue,
        };
        let mut builder = LabelsBuilder::new();
        for (name, value) in &record.labels {
            builder.set(name.as_str(), value.as_str());
        }
        let since = builder.clone().set(model::labels::METRIC_NAME, "ALERTS_FOR_STATE").build();
        series.insert(since, SeriesValue::Number(record.active_at.as_secs_f64().floor()));
        builder.set(model::labels::METRIC_NAME, "ALERTS").set("alertstate", state);
        series.insert(builder.build(), SeriesValue::Number(1.0));
    }
    series
}
