//! What is said of native histograms that a query does not go well with, in Prometheus' words.

use super::Evaluation;
use crate::notes::Place;
use crate::plan::{Aggregate, Aggregation, Operator};

/// What is done to histograms, as it is called in remarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Addition,
    Subtraction,
    Aggregation,
}

impl Deed {
    const fn name(self) -> &'static str {
        match self {
            Self::Addition => "addition",
            Self::Subtraction => "subtraction",
            Self::Aggregation => "aggregation",
        }
    }
}

/// Adds a metric's name to a remark, if there is one.
pub(super) fn of_metric(text: &str, name: &str) -> String {
    if name.is_empty() { text.to_owned() } else { format!("{text} for metric name {name:?}") }
}

impl Evaluation<'_> {
    pub(super) fn warn(&self, text: &str, place: Place) {
        self.notes.borrow_mut().warn(text, place);
    }

    pub(super) fn inform(&self, text: &str, place: Place) {
        self.notes.borrow_mut().info(text, place);
    }

    pub(super) fn warn_of_mixed_range(&self, name: &str, place: Place) {
        self.warn(&format!("encountered a mix of histograms and floats for metric name {name:?}"), place);
    }

    pub(super) fn warn_of_mixed_group(&self, place: Place) {
        self.warn("encountered a mix of histograms and floats for aggregation", place);
    }

    pub(super) fn inform_of_ignored_in_range(&self, name: &str, place: Place) {
        let text = "ignored histograms in a range containing both floats and histograms for metric name";
        self.inform(&format!("{text} {name:?}"), place);
    }

    pub(super) fn warn_of_incompatible(&self, name: &str, place: Place) {
        let text =
            "vector contains a mix of histograms with exponential and custom buckets schemas for metric name";
        self.warn(&format!("{text} {name:?}"), place);
    }

    pub(super) fn warn_of_no_counter(&self, name: &str, place: Place) {
        self.warn(&format!("this native histogram metric is not a counter: {name:?}"), place);
    }

    pub(super) fn warn_of_no_gauge(&self, name: &str, place: Place) {
        self.warn(&format!("this native histogram metric is not a gauge: {name:?}"), place);
    }

    pub(super) fn warn_of_resets(&self, deed: Deed, place: Place) {
        self.warn(&format!("conflicting counter resets during histogram {}", deed.name()), place);
    }

    pub(super) fn inform_of_bounds(&self, deed: Deed, place: Place) {
        self.inform(&format!("mismatched custom buckets were reconciled during {}", deed.name()), place);
    }

    pub(super) fn inform_of_types(&self, left: &str, operator: Operator, right: &str, place: Place) {
        let text = operator.text();
        let what = "incompatible sample types encountered for binary operator";
        self.inform(&format!("{what} {text:?}: {left} {text} {right}"), place);
    }

    pub(super) fn warn_of_layouts(&self, operator: Operator, place: Place) {
        let text = "incompatible bucket layout encountered for binary operator";
        self.warn(&format!("{text} {}", operator.text()), place);
    }

    /// Says that an aggregation looks at numbers only.
    pub(super) fn ignore_histograms(&self, aggregate: &Aggregate) {
        let name = match &aggregate.operation {
            Aggregation::Minimum => "min",
            Aggregation::Maximum => "max",
            Aggregation::StandardDeviation => "stddev",
            Aggregation::Variance => "stdvar",
            Aggregation::Quantile(_) => "quantile",
            Aggregation::Top(_) => "topk",
            Aggregation::Bottom(_) => "bottomk",
            Aggregation::Sum
            | Aggregation::Average
            | Aggregation::Count
            | Aggregation::Group
            | Aggregation::CountValues(_)
            | Aggregation::LimitCount(_)
            | Aggregation::LimitRatio(_) => return,
        };
        self.inform(&format!("ignored histogram in {name} aggregation"), aggregate.input_place);
    }
}
