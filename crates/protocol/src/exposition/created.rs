//! Lines `…_created` of OpenMetrics: when the samples of the metric before them began to count.
//!
//! They are series of their own, as Prometheus takes them, and say besides since when the others count.

use model::labels::METRIC_NAME;
use model::{LabelsRef, MetricKind};

use super::Exposition;

/// What stands behind the name of the family.
const SUFFIX: &str = "_created";
/// The last second of the year 9999.
const LATEST_SECONDS: f64 = 253_402_300_799.0;

/// The labels of a sample that all of its metric have.
fn fixed<'a>(labels: LabelsRef<'a>, varying: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    labels.iter().filter(move |(name, _)| *name != METRIC_NAME && *name != varying)
}

impl Exposition {
    /// Whether the last sample says when those of its metric before it were created: then they count since that.
    pub(super) fn take_created(&mut self, family: &str, kind: MetricKind) {
        let varying = match kind {
            MetricKind::Counter => "",
            MetricKind::Histogram => "le",
            MetricKind::Summary => "quantile",
            _ => return,
        };
        let Some(last) = self.samples.len().checked_sub(1) else { return };
        let is_created = |name: &str| name.strip_prefix(family) == Some(SUFFIX);
        let value = self.samples[last].value;
        let is_time = value > 0.0 && value <= LATEST_SECONDS;
        if !is_time || !is_created(self.labels_of(last).metric_name()) {
            return;
        }
        let start_ms = (value * 1000.0).round() as i64;
        let is_same = |place: usize| {
            let (labels, created) = (self.labels_of(place), self.labels_of(last));
            let name = labels.metric_name();
            // Metrics do not lie among each other, and each is created once.
            name.starts_with(family)
                && !is_created(name)
                && fixed(labels, varying).eq(fixed(created, varying))
        };
        let first = (0..last).rev().take_while(|place| is_same(*place)).last();
        for place in first.unwrap_or(last)..last {
            self.note_start(place, start_ms);
        }
    }

    fn labels_of(&self, place: usize) -> LabelsRef<'_> {
        let start = place.checked_sub(1).map_or(0, |before| self.samples[before].labels_end);
        LabelsRef::from_canonical(&self.labels[start..self.samples[place].labels_end])
    }
}
