//! What has become of the points of a request.

use model::{Exemplar, MetricBatch, MetricKind, MetricMetadata};

use super::Refusal;
use crate::otlp::metrics::{Metric, MetricData, Temporality};
use crate::otlp::names::unit_name;
use crate::otlp::value::attribute;

/// What points have become.
#[derive(Debug, Default)]
pub struct Converted {
    /// Gauges, and what counts since a start.
    pub cumulative: PointBatches,
    /// What counts since the point before; starts say since when.
    pub delta: PointBatches,
    /// Exemplars.
    pub exemplars: Vec<Exemplar>,
    /// Exemplars that are not taken because they have no value, or because their metric has none.
    pub exemplars_wrong: usize,
    /// Exemplars that are not taken because there are too many.
    pub exemplars_over_limit: usize,
    /// What is said of metrics; one that is in several scopes is there several times.
    pub metadata: Vec<MetricMetadata>,
    /// The first points that were rejected.
    pub rejected: Vec<RejectedPoint>,
    /// How many points were rejected.
    pub rejected_points: usize,
    /// How many of those were more than the request may take memory for.
    pub rejected_over_memory: usize,
    /// Memory of exemplars and of what is said.
    pub(super) said_bytes: usize,
}

/// Samples, and beside them those that are native histograms.
#[derive(Debug, Default)]
pub struct PointBatches {
    /// Samples that are numbers.
    pub numbers: MetricBatch,
    /// Samples that are native histograms.
    pub histograms: MetricBatch,
}

/// A point that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("metric `{metric}`: {reason}")]
pub struct RejectedPoint {
    /// The name of its metric, as it was sent, cut short.
    pub metric: String,
    /// Why, in words that say what to change.
    pub reason: String,
}

/// The most rejected points that are described.
const MAX_DESCRIBED: usize = 100;

impl Converted {
    pub(super) fn batches(&mut self, temporality: Temporality) -> &mut PointBatches {
        match temporality {
            Temporality::Delta => &mut self.delta,
            Temporality::Cumulative | Temporality::Unspecified => &mut self.cumulative,
        }
    }

    /// Roughly the memory that it takes.
    pub fn size_bytes(&self) -> usize {
        let batches =
            [&self.cumulative, &self.delta].into_iter().flat_map(|both| [&both.numbers, &both.histograms]);
        batches.map(MetricBatch::size_bytes).sum::<usize>() + self.said_bytes
    }

    pub(super) fn describe(&mut self, metric: &Metric<'_>, name: &str) {
        let is_unknown =
            attribute(&metric.metadata, "prometheus.type").is_some_and(|kind| kind.text() == "unknown");
        let kind = match metric.data {
            MetricData::Gauge if is_unknown => MetricKind::Unknown,
            MetricData::Gauge | MetricData::Sum { is_monotonic: false, .. } => MetricKind::Gauge,
            MetricData::Sum { is_monotonic: true, .. } => MetricKind::Counter,
            MetricData::Histogram { .. } | MetricData::ExponentialHistogram { .. } => MetricKind::Histogram,
            MetricData::Summary => MetricKind::Summary,
            MetricData::Unknown => MetricKind::Unknown,
        };
        let help = metric.description.clone().into_owned();
        let metadata = MetricMetadata { family: name.to_owned(), kind, help, unit: unit_name(&metric.unit) };
        let MetricMetadata { family, help, unit, .. } = &metadata;
        self.said_bytes += size_of::<MetricMetadata>() + family.len() + help.len() + unit.len();
        self.metadata.push(metadata);
    }

    pub(super) fn reject(&mut self, metric: &str, refusal: Refusal) {
        self.rejected_points += 1;
        let reason = match refusal {
            Refusal::Wrong(reason) => reason,
            Refusal::OverMemory(reason) => {
                self.rejected_over_memory += 1;
                reason
            }
        };
        if self.rejected.len() < MAX_DESCRIBED {
            self.rejected.push(RejectedPoint { metric: metric.to_owned(), reason });
        }
    }
}
