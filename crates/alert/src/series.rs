//! Series that rules write: what recording rules give, and the states of alerts as `ALERTS` and
//! `ALERTS_FOR_STATE`, as Prometheus writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use ingest::{Ingest, IngestError, Source};
use model::{Labels, LabelsBuilder, MetricBatch, STALE_NAN, Timestamp};
use state::AlertState;

use crate::book::RuleAlerts;

/// Where series go. A trait, so that what is written can be seen without a store.
#[async_trait]
pub(crate) trait Sink: Send + Sync {
    async fn write(&self, batch: MetricBatch) -> Result<(), IngestError>;
}

/// Writes through the one path in.
pub(crate) struct IngestSink(pub(crate) Arc<Ingest>);

#[async_trait]
impl Sink for IngestSink {
    async fn write(&self, batch: MetricBatch) -> Result<(), IngestError> {
        self.0.append_metrics(Source::Rules, batch).await.map(drop)
    }
}

/// The samples of one rule at one time. What it wrote the time before and writes no more is marked as
/// ended, so that queries do not see it for another five minutes.
pub(crate) fn batch(
    now: &BTreeMap<Labels, f64>,
    before: &BTreeSet<Labels>,
    at: Timestamp,
    into: &mut MetricBatch,
) {
    for (labels, value) in now {
        into.push_one(labels, at.as_millis(), *value);
    }
    for labels in before.iter().filter(|labels| !now.contains_key(*labels)) {
        into.push_one(labels, at.as_millis(), STALE_NAN);
    }
}

/// The series that tell of a rule's alerts.
pub(crate) fn of_alerts(alerts: &RuleAlerts) -> BTreeMap<Labels, f64> {
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
        series.insert(since, record.active_at.as_secs_f64().floor());
        builder.set(model::labels::METRIC_NAME, "ALERTS").set("alertstate", state);
        series.insert(builder.build(), 1.0);
    }
    series
}
