//! Classic histograms made into native ones with the same bounds, as `load_with_nhcb` has them beside the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::histogram::{Buckets, CUSTOM_SCHEMA, Span};
use model::{Histogram, Labels};
use promql::notation::{Point, WrittenHistogram, WrittenSeries};

/// What is known of a histogram at one time.
#[derive(Default)]
struct Parts {
    /// Cumulative counts by upper bound.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

impl Parts {
    fn histogram(mut self) -> Histogram {
        self.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        // The same bound can be written in several ways.
        self.buckets.dedup_by_key(|(bound, _)| *bound);
        let last = self.buckets.last().copied();
        let count = self.count.or(last.map(|(_, count)| count)).unwrap_or(0.0);
        if last.is_none_or(|(bound, _)| bound != f64::INFINITY) {
            self.buckets.push((f64::INFINITY, count));
        }
        let mut before = 0.0;
        let counts: Vec<f64> =
            self.buckets.iter().map(|(_, count)| count - std::mem::replace(&mut before, *count)).collect();
        let spans = vec![Span { offset: 0, length: counts.len() as u32 }];
        let bounds = self.buckets.iter().map(|(bound, _)| *bound).filter(|bound| bound.is_finite());
        Histogram {
            schema: CUSTOM_SCHEMA,
            count,
            sum: self.sum,
            custom_bounds: bounds.collect(),
            positive: Buckets { spans, counts },
            ..Histogram::default()
        }
        .compacted()
    }
}

/// The native histograms of some series, those that are no parts of classic histograms left out.
pub(crate) fn histograms(series: &[WrittenSeries]) -> Vec<WrittenSeries> {
    let mut found: BTreeMap<Labels, BTreeMap<usize, Parts>> = BTreeMap::new();
    for one in series {
        let name = one.labels.metric_name();
        let suffixed = |suffix| name.strip_suffix(suffix).map(|base| (base, suffix));
        let Some((base, suffix)) = ["_bucket", "_count", "_sum"].into_iter().find_map(suffixed) else {
            continue;
        };
        let bound = one.labels.get("le").and_then(|bound| bound.parse::<f64>().ok());
        if suffix == "_bucket" && bound.is_none_or(f64::is_nan) {
            continue;
        }
        let labels = one.labels.to_builder().set("__name__", base).remove("le").build();
        let at_times = found.entry(labels).or_default();
        for (place, point) in one.points.iter().enumerate() {
            let Point::Value(value) = point else { continue };
            let parts = at_times.entry(place).or_default();
            match (suffix, bound) {
                ("_count", _) => parts.count = Some(*value),
                ("_sum", _) => parts.sum = *value,
                (_, Some(bound)) => parts.buckets.push((bound, *value)),
                _ => {}
            }
        }
    }
    let made = found.into_iter().map(|(labels, at_times)| {
        let mut points = Vec::new();
        for (place, parts) in at_times {
            points.resize(place, Point::Absent);
            let histogram = Arc::new(parts.histogram());
            points.push(Point::Histogram(WrittenHistogram { histogram, says_reset: false }));
        }
        WrittenSeries { labels, points }
    });
    made.collect()
}
