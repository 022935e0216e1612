//! What a series says that its metric is: a type and a unit, as labels (Prometheus' proposal PROM-39).

use model::Labels;
use model::labels::METRIC_NAME;

use crate::labelset::{LabelFilter, filtered, is_metadata};
use crate::steps::StepSeries;

/// What partners in an operation must agree on besides the labels that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Calculated of metrics, or matched by labels that were chosen: it fits all.
    Any,
    /// A metric with these labels for its type and unit, or without them.
    Metric(Option<Labels>),
}

impl Kind {
    pub(super) fn of(series: &StepSeries, matching: &LabelFilter) -> Self {
        let is_metric = !series.drop_name && series.labels.get(METRIC_NAME).is_some();
        if matches!(matching, LabelFilter::Only(_)) || !is_metric {
            return Self::Any;
        }
        let says = |name: &str| is_metadata(name) && name != METRIC_NAME;
        let has_any = series.labels.iter().any(|(name, _)| says(name));
        Self::Metric(has_any.then(|| filtered(series.labels.as_ref(), says)))
    }

    pub(super) fn fits(&self, other: &Self) -> bool {
        self == other || *self == Self::Any || *other == Self::Any
    }
}
