//! `histogram_quantile` over classic histograms: series with cumulative counts and a label `le`.

use std::collections::HashMap;

use model::Labels;

use super::{Evaluation, Sink};
use crate::Error;
use crate::labelset::filtered;
use crate::notes::Place;
use crate::plan::{ScalarExpr, VectorExpr};
use crate::steps::{StepSeries, Steps, is_present};

/// The label with a bucket's upper bound.
const BOUND_LABEL: &str = "le";
/// Counts that differ by less, relative to their size, are taken as equal.
const COUNT_TOLERANCE: f64 = 1e-12;

/// The buckets of one histogram at all steps: upper bound and counts.
struct Histogram {
    labels: Labels,
    buckets: Vec<(f64, Vec<f64>)>,
}

impl Evaluation<'_> {
    pub(super) fn histogram_quantile(
        &self,
        phi: &ScalarExpr,
        input: &VectorExpr,
        (phi_place, input_place): (Place, Place),
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let phi = self.scalar(phi, steps)?;
        for outside in phi.iter().filter(|phi| !(0.0..=1.0).contains(*phi)) {
            self.warn_quantile(*outside, phi_place);
        }
        let mut buckets = Vec::new();
        for histogram in self.histograms(input, input_place, steps)? {
            let mut series = StepSeries::new(histogram.labels.clone(), steps);
            series.drop_name = true;
            let mut decreasing = false;
            for (step, value) in series.values.iter_mut().enumerate() {
                let present = histogram.buckets.iter().map(|(bound, counts)| (*bound, counts[step]));
                buckets.clear();
                buckets.extend(present.filter(|(_, count)| is_present(*count)));
                if !buckets.is_empty() {
                    *value = bucket_quantile(phi[step], &mut buckets, &mut decreasing);
                }
            }
            if decreasing {
                self.note_decreasing(histogram.labels.metric_name(), input_place);
            }
            if !series.is_empty() {
                sink(&mut series)?;
            }
        }
        Ok(())
    }

    fn histograms(&self, input: &VectorExpr, place: Place, steps: Steps) -> Result<Vec<Histogram>, Error> {
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut histograms: Vec<Histogram> = Vec::new();
        self.vector(input, steps, &mut |series| {
            let bound = series.labels.get(BOUND_LABEL).unwrap_or("");
            let Ok(bound) = bound.parse::<f64>() else {
                let text = format!(
                    "bucket label \"le\" is missing or has a malformed value of {bound:?} for metric name {:?}",
                    series.labels.metric_name()
                );
                self.notes.borrow_mut().warn(&text, place);
                return Ok(());
            };
            self.hold_series(&series.labels, series.values.len())?;
            let labels = filtered(series.labels.as_ref(), |name| name != BOUND_LABEL);
            let place = *places.entry(labels.clone()).or_insert(histograms.len());
            if place == histograms.len() {
                histograms.push(Histogram { labels, buckets: Vec::new() });
            }
            histograms[place].buckets.push((bound, std::mem::take(&mut series.values)));
            Ok(())
        })?;
        for histogram in &mut histograms {
            histogram.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        Ok(histograms)
    }

    fn note_decreasing(&self, name: &str, place: Place) {
        let text = format!(
            "input to histogram_quantile needed to be fixed for monotonicity \
             (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) \
             for metric name {name:?}"
        );
        self.notes.borrow_mut().info(&text, place);
    }
}

/// The φ-quantile of a histogram whose buckets are sorted by bound.
fn bucket_quantile(phi: f64, buckets: &mut Vec<(f64, f64)>, decreasing: &mut bool) -> f64 {
    if phi.is_nan() {
        return f64::NAN;
    }
    if phi < 0.0 {
        return f64::NEG_INFINITY;
    }
    if phi > 1.0 {
        return f64::INFINITY;
    }
    if buckets.last().is_none_or(|(bound, _)| *bound != f64::INFINITY) {
        return f64::NAN;
    }
    merge_equal_bounds(buckets);
    *decreasing |= make_cumulative(buckets);
    let last = buckets.len() - 1;
    let observations = buckets[last].1;
    if last == 0 || observations == 0.0 || observations.is_nan() {
        return f64::NAN;
    }
    let mut rank = phi * observations;
    let found = buckets[..last].partition_point(|(_, count)| *count < rank);
    if found == last {
        return buckets[last - 1].0;
    }
    let (end, mut count) = buckets[found];
    if found == 0 && end <= 0.0 {
        return end;
    }
    let mut start = 0.0;
    if found > 0 {
        let (bound, below) = buckets[found - 1];
        start = bound;
        count -= below;
        rank -= below;
    }
    start + (end - start) * (rank / count)
}

fn merge_equal_bounds(buckets: &mut Vec<(f64, f64)>) {
    buckets.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
}

/// Raises counts that are lower than the bucket before; `true` when one was lower by more than rounding.
fn make_cumulative(buckets: &mut [(f64, f64)]) -> bool {
    let mut decreasing = false;
    let mut previous = buckets.first().map_or(0.0, |(_, count)| *count);
    for (_, count) in buckets.iter_mut().skip(1) {
        if almost_equal(previous, *count) {
            *count = previous;
        } else if *count < previous {
            *count = previous;
            decreasing = true;
        } else {
            previous = *count;
        }
    }
    decreasing
}

fn almost_equal(a: f64, b: f64) -> bool {
    let sum = a.abs() + b.abs();
    let difference = (a - b).abs();
    if a == b {
        true
    } else if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        difference < COUNT_TOLERANCE * f64::MIN_POSITIVE
    } else {
        difference / sum.min(f64::MAX) < COUNT_TOLERANCE
    }
}
