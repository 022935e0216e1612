//! Classic histograms made into native ones with the same bounds, as `load_with_nhcb` has them beside the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Labels;
use model::histogram::{ClassicHistogram, ClassicPart};
use promql::notation::{Point, WrittenHistogram, WrittenSeries};

/// The native histograms of some series, those that are no parts of classic histograms left out.
pub(crate) fn histograms(series: &[WrittenSeries]) -> Result<Vec<WrittenSeries>, String> {
    let mut found: BTreeMap<Labels, BTreeMap<usize, ClassicHistogram>> = BTreeMap::new();
    for one in series {
        let Some((base, part)) = ClassicPart::of(one.labels.metric_name()) else { continue };
        let bound = one.labels.get("le").and_then(|bound| bound.parse::<f64>().ok());
        if part == ClassicPart::Bucket && bound.is_none_or(f64::is_nan) {
            continue;
        }
        let labels = one.labels.to_builder().set("__name__", base).remove("le").build();
        let at_times = found.entry(labels).or_default();
        for (place, point) in one.points.iter().enumerate() {
            let Point::Value(value) = point else { continue };
            let histogram = at_times.entry(place).or_default();
            match (part, bound) {
                (ClassicPart::Count, _) => histogram.set_count(*value),
                (ClassicPart::Sum, _) => histogram.set_sum(*value),
                (ClassicPart::Bucket, Some(bound)) => histogram.add_bucket(bound, *value),
                (ClassicPart::Bucket, None) => {}
            }
        }
    }
    let made = found.into_iter().map(|(labels, at_times)| {
        let mut points = Vec::new();
        for (place, classic) in at_times {
            points.resize(place, Point::Absent);
            let native = classic.into_native().map_err(|error| format!("{labels} at {place}: {error}"))?;
            let histogram = Arc::new(native);
            points.push(Point::Histogram(WrittenHistogram { histogram, says_reset: false }));
        }
        Ok(WrittenSeries { labels, points })
    });
    made.collect()
}
