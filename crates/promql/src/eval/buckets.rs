//! `histogram_quantile` and its kin over histograms: native ones, and classic ones, which are series with cumulative
//! counts and a label `le`.

use std::collections::HashMap;

use model::histogram::NanObservations;
use model::{Histogram, Labels};

use super::remarks::of_metric;
use super::{Evaluation, Sink};
use crate::Error;
use crate::labelset::filtered;
use crate::notes::Place;
use crate::plan::{BucketFunction, BucketNumber, HistogramNumber, ScalarExpr, VectorExpr};
use crate::steps::{StepMask, StepSeries, Steps, is_present};

/// The label with a bucket's upper bound.
const BOUND_LABEL: &str = "le";
/// Counts that differ by less, relative to their size, are taken as equal.
const COUNT_TOLERANCE: f64 = 1e-12;

impl HistogramNumber {
    pub(super) fn of(self, histogram: &Histogram) -> f64 {
        match self {
            Self::Average => histogram.average(),
            Self::Count => histogram.count,
            Self::StandardDeviation => histogram.variance().sqrt(),
            Self::Sum => histogram.sum,
            Self::Variance => histogram.variance(),
        }
    }
}

/// The buckets of one classic histogram at all steps: upper bound and counts.
struct Classic {
    labels: Labels,
    buckets: Vec<(f64, Vec<f64>)>,
    /// The steps at which a native histogram has the same labels.
    conflicts: Option<StepMask>,
}

/// All histograms of a vector.
#[derive(Default)]
struct Found {
    classic: Vec<Classic>,
    native: Vec<StepSeries>,
}

/// What is asked, at each step.
enum Asked {
    Quantile(Vec<f64>),
    Fraction(Vec<f64>, Vec<f64>),
}

impl Evaluation<'_> {
    pub(super) fn of_buckets(
        &self,
        function: &BucketFunction,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let quantile = |at: usize, phi: &ScalarExpr| {
            let phi = self.scalar(phi, steps)?;
            let place = function.parameter_places.get(at).copied().unwrap_or(function.input_place);
            for outside in phi.iter().filter(|phi| !(0.0..=1.0).contains(*phi)) {
                self.warn_quantile(*outside, place);
            }
            Ok::<_, Error>(phi)
        };
        match &function.number {
            BucketNumber::Quantile(phi) => {
                let asked = Asked::Quantile(quantile(0, phi)?);
                let found = self.histograms(&function.input, function.input_place, steps)?;
                self.answer(&found, &asked, function.input_place, steps, sink)
            }
            BucketNumber::Fraction { lower, upper } => {
                let asked = Asked::Fraction(self.scalar(lower, steps)?, self.scalar(upper, steps)?);
                let found = self.histograms(&function.input, function.input_place, steps)?;
                self.answer(&found, &asked, function.input_place, steps, sink)
            }
            BucketNumber::Quantiles { label, phis } => {
                let asked = phis.iter().enumerate().map(|(at, phi)| quantile(at, phi));
                let asked: Vec<Vec<f64>> = asked.collect::<Result<_, _>>()?;
                let found = self.histograms(&function.input, function.input_place, steps)?;
                for phi in asked {
                    let texts: Vec<String> = phi.iter().map(|phi| quantile_text(*phi)).collect();
                    self.answer(&found, &Asked::Quantile(phi), function.input_place, steps, &mut |series| {
                        labelled(series, label, &texts, steps, sink)
                    })?;
                }
                Ok(())
            }
        }
    }

    /// Answers what is asked of all histograms.
    fn answer(
        &self,
        found: &Found,
        asked: &Asked,
        place: Place,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        for native in &found.native {
            let mut series = StepSeries::new(native.labels.clone(), steps);
            series.drop_name = true;
            for (step, histogram) in native.present_histograms() {
                series.values[step] =
                    self.of_native(histogram, asked, step, native.labels.metric_name(), place);
            }
            sink(&mut series)?;
        }
        let mut buckets = Vec::new();
        for histogram in &found.classic {
            let mut series = StepSeries::new(histogram.labels.clone(), steps);
            series.drop_name = true;
            let mut decreasing = false;
            for (step, value) in series.values.iter_mut().enumerate() {
                if histogram.conflicts.as_ref().is_some_and(|steps| steps.contains(step)) {
                    continue;
                }
                let present = histogram.buckets.iter().map(|(bound, counts)| (*bound, counts[step]));
                buckets.clear();
                buckets.extend(present.filter(|(_, count)| is_present(*count)));
                if !buckets.is_empty() {
                    *value = match asked {
                        Asked::Quantile(phi) => bucket_quantile(phi[step], &mut buckets, &mut decreasing),
                        Asked::Fraction(lower, upper) => {
                            bucket_fraction(lower[step], upper[step], &mut buckets)
                        }
                    };
                }
            }
            if decreasing {
                self.note_decreasing(histogram.labels.metric_name(), place);
            }
            if !series.is_empty() {
                sink(&mut series)?;
            }
        }
        Ok(())
    }

    fn of_native(&self, histogram: &Histogram, asked: &Asked, step: usize, name: &str, place: Place) -> f64 {
        let (value, nans, function) = match asked {
            Asked::Quantile(phi) => {
                let (value, nans) = histogram.quantile(phi[step]);
                (value, nans, "histogram_quantile")
            }
            Asked::Fraction(lower, upper) => {
                let (value, nans) = histogram.fraction(lower[step], upper[step]);
                (value, nans, "histogram_fraction")
            }
        };
        let effect = match (nans, asked) {
            (NanObservations::None, _) => return value,
            (NanObservations::Answer, _) => "result is NaN",
            (NanObservations::Counted, Asked::Quantile(_)) => "result is skewed higher",
            (NanObservations::Counted, Asked::Fraction(..)) => "which are excluded from all fractions",
        };
        self.inform(&of_metric(&format!("input to {function} has NaN observations, {effect}"), name), place);
        value
    }

    fn histograms(&self, input: &VectorExpr, place: Place, steps: Steps) -> Result<Found, Error> {
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut found = Found::default();
        self.vector(input, steps, &mut |series| {
            if series.has_histograms() {
                self.hold_series(&series.labels, series.size_in_values())?;
                found.native.push(series.clone());
                series.drop_histograms();
                if series.is_empty() {
                    return Ok(());
                }
            }
            let bound = series.labels.get(BOUND_LABEL).unwrap_or("");
            let Ok(bound) = bound.parse::<f64>() else {
                let text = format!("bucket label \"le\" is missing or has a malformed value of {bound:?}");
                self.warn(&of_metric(&text, series.labels.metric_name()), place);
                return Ok(());
            };
            self.hold_series(&series.labels, series.values.len())?;
            let labels = filtered(series.labels.as_ref(), |name| name != BOUND_LABEL);
            let at = *places.entry(labels.clone()).or_insert(found.classic.len());
            if at == found.classic.len() {
                found.classic.push(Classic { labels, buckets: Vec::new(), conflicts: None });
            }
            found.classic[at].buckets.push((bound, std::mem::take(&mut series.values)));
            Ok(())
        })?;
        for histogram in &mut found.classic {
            histogram.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        for native in &mut found.native {
            if let Some(same) = places.get(&native.labels) {
                self.drop_conflicts(native, &mut found.classic[*same], place, steps);
            }
        }
        Ok(found)
    }

    /// Where a native and a classic histogram have the same labels, neither is looked at.
    fn drop_conflicts(&self, native: &mut StepSeries, classic: &mut Classic, place: Place, steps: Steps) {
        let is_classic = |step: usize| classic.buckets.iter().any(|(_, counts)| is_present(counts[step]));
        let both: Vec<usize> =
            native.present_histograms().map(|(step, _)| step).filter(|step| is_classic(*step)).collect();
        if both.is_empty() {
            return;
        }
        let text = "vector contains a mix of classic and native histograms";
        self.warn(&of_metric(text, native.labels.metric_name()), place);
        let conflicts = classic.conflicts.get_or_insert_with(|| StepMask::new(steps));
        for step in both {
            native.values[step] = crate::steps::ABSENT;
            conflicts.insert(step);
        }
    }

    fn note_decreasing(&self, name: &str, place: Place) {
        let text = "input to histogram_quantile needed to be fixed for monotonicity \
                    (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
        self.inform(&of_metric(text, name), place);
    }
}

/// Passes a series on with a label that says which quantile it is; one series for each, if steps ask for several.
fn labelled(
    series: &StepSeries,
    label: &str,
    texts: &[String],
    steps: Steps,
    sink: &mut Sink<'_>,
) -> Result<(), Error> {
    let mut found: Vec<(&str, StepSeries)> = Vec::new();
    for (step, value) in series.numbers() {
        let text = texts[step].as_str();
        let place = found.iter().position(|(other, _)| *other == text).unwrap_or_else(|| {
            let labels = series.labels.to_builder().set(label, text).build();
            let new = StepSeries { drop_name: series.drop_name, ..StepSeries::new(labels, steps) };
            found.push((text, new));
            found.len() - 1
        });
        found[place].1.values[step] = value;
    }
    found.iter_mut().try_for_each(|(_, series)| sink(series))
}

/// A quantile as the value of a label: whole numbers have a fraction too.
fn quantile_text(phi: f64) -> String {
    let text = crate::format_value(phi);
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_whole { format!("{text}.0") } else { text }
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

/// The fraction of observations between two values, of a histogram whose buckets are sorted by bound.
fn bucket_fraction(lower: f64, upper: f64, buckets: &mut Vec<(f64, f64)>) -> f64 {
    if buckets.last().is_none_or(|(bound, _)| *bound != f64::INFINITY) {
        return f64::NAN;
    }
    merge_equal_bounds(buckets);
    let observations = buckets.last().map_or(0.0, |(_, count)| *count);
    if observations == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let [below_lower, below_upper] = [lower, upper].map(|value| rank(value, buckets).min(observations));
    (below_upper - below_lower) / observations
}

/// How many observations are below a value, as buckets tell.
fn rank(value: f64, buckets: &[(f64, f64)]) -> f64 {
    // Where the first bound is positive, so are all observations.
    let mut start =
        if buckets.first().is_some_and(|(bound, _)| *bound > 0.0) { 0.0 } else { f64::NEG_INFINITY };
    let mut below = 0.0;
    for (end, count) in buckets {
        if start >= value {
            return below;
        }
        if *end > value {
            let is_open = start == f64::NEG_INFINITY;
            return if is_open { *count } else { below + (count - below) * (value - start) / (end - start) };
        }
        (start, below) = (*end, *count);
    }
    f64::INFINITY
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
