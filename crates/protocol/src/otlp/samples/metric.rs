//! What the points of a metric have in common.

use model::labels::MAX_LABEL_BYTES;

use crate::otlp::metrics::{Metric, MetricData, Temporality};
use crate::otlp::names::{NameStrategy, NamedKind, metric_name};

/// The most characters of a metric's name in a reason.
const MAX_SHOWN: usize = 100;

/// The longest name of a metric: a label with room for what is added to the names of its series.
const MAX_NAME_BYTES: usize = MAX_LABEL_BYTES - "_bucket".len();

/// The metric whose points are being heard.
#[derive(Debug, Default)]
pub(super) struct PresentMetric {
    /// Its name as it was sent.
    pub(super) sent: String,
    /// Its name in Prometheus.
    pub(super) name: String,
    pub(super) temporality: Temporality,
    /// Whether its points count since a start.
    pub(super) counts: bool,
    /// Whether its points are what a sum has grown by, which is never less than nothing.
    pub(super) only_grows: bool,
    /// Whether exemplars are kept.
    pub(super) has_exemplars: bool,
    /// Why all its points are rejected.
    pub(super) refused: Option<&'static str>,
}

impl PresentMetric {
    pub(super) fn of(metric: &Metric<'_>, names: NameStrategy) -> Self {
        let (kind, temporality, counts) = match metric.data {
            MetricData::Gauge => (NamedKind::Gauge, Temporality::Cumulative, false),
            MetricData::Sum { temporality, is_monotonic: true } => (NamedKind::Counter, temporality, true),
            // What goes down, too, has no start that a query could use, unless a sum of differences is to be made.
            MetricData::Sum { temporality, is_monotonic: false } => {
                (NamedKind::Other, temporality, temporality == Temporality::Delta)
            }
            MetricData::Histogram { temporality } | MetricData::ExponentialHistogram { temporality } => {
                (NamedKind::Other, temporality, true)
            }
            MetricData::Summary => (NamedKind::Other, Temporality::Cumulative, true),
            MetricData::Unknown => (NamedKind::Other, Temporality::Unspecified, false),
        };
        let name = metric_name(&metric.name, &metric.unit, kind, names);
        let refused = if name.is_none() {
            Some("its name has no letter and no digit")
        } else if name.as_ref().is_some_and(|name| name.len() > MAX_NAME_BYTES) {
            Some("its name is longer than any label may be")
        } else if temporality == Temporality::Unspecified {
            Some("its aggregation temporality is neither delta nor cumulative")
        } else {
            None
        };
        Self {
            sent: metric.name.chars().take(MAX_SHOWN).collect(),
            name: name.unwrap_or_default(),
            temporality,
            counts,
            only_grows: matches!(
                metric.data,
                MetricData::Sum { temporality: Temporality::Delta, is_monotonic: true }
            ),
            // The specification has them on histograms and on sums that only grow.
            has_exemplars: counts,
            refused,
        }
    }
}
