//! `rate` and its kin over native histograms.

use std::sync::Arc;

use model::Histogram;
use model::histogram::{Combined, Incompatible, ResetHint};

use super::Evaluation;
use super::remarks::Deed;
use super::started::reach;
use super::window::{Run, Window};
use crate::notes::Place;
use crate::plan::WindowFunction;

/// The histograms of a window, with their times.
pub(super) struct HistogramWindow<'a> {
    pub(super) window: Window<'a>,
    /// The histograms' times and starts.
    pub(super) run: &'a Run<'a>,
    pub(super) times_ms: &'a [i64],
    pub(super) histograms: &'a [&'a Arc<Histogram>],
    /// The metric's name.
    pub(super) name: &'a str,
    pub(super) place: Place,
}

impl Evaluation<'_> {
    /// What `rate`, `increase` and `delta` give; nothing when histograms are too few or do not go together.
    pub(super) fn histogram_rate(
        &self,
        function: WindowFunction,
        range: &HistogramWindow<'_>,
        range_seconds: f64,
    ) -> Option<Histogram> {
        let is_counter = function != WindowFunction::Delta;
        let began_ms =
            if is_counter { range.run.began_in(Window { first: 0, ..range.window }) } else { None };
        let (first, last) = (range.histograms.first()?, range.histograms.last()?);
        if range.histograms.len() == 1 {
            return Some(since_start(function, range, began_ms?, Histogram::clone(first), range_seconds));
        }
        let is_gauge = |histogram: &Histogram| histogram.reset == ResetHint::Gauge;
        let are_gauges = is_gauge(first) && is_gauge(last);
        if is_counter && range.histograms.iter().any(|histogram| is_gauge(histogram)) {
            self.warn_of_no_counter(range.name, range.place);
        }
        let Ok(mut change) = self.change(range, is_counter) else {
            self.warn_of_incompatible(range.name, range.place);
            return None;
        };
        if !is_counter && !are_gauges {
            self.warn_of_no_gauge(range.name, range.place);
        }
        if let Some(began_ms) = began_ms {
            let Ok(combined) = change.add(first) else {
                self.warn_of_incompatible(range.name, range.place);
                return None;
            };
            self.remark(combined, Deed::Addition, range.place);
            return Some(since_start(function, range, began_ms, change, range_seconds));
        }
        let mut factor = extrapolation(range, is_counter.then_some((first.count, change.count)));
        if function == WindowFunction::Rate {
            factor /= range_seconds;
        }
        change.multiply(factor);
        change.reset = ResetHint::Gauge;
        Some(change.compacted())
    }

    /// By how much the last histogram is more than the first one, with what there was before each reset.
    fn change(&self, range: &HistogramWindow<'_>, is_counter: bool) -> Result<Histogram, Incompatible> {
        let histograms = range.histograms;
        let (first, rest) = histograms.split_first().ok_or(Incompatible)?;
        let (last, between) = rest.split_last().ok_or(Incompatible)?;
        let second = rest.first().ok_or(Incompatible)?;
        let mut change = Histogram::clone(last);
        let mut before: &Histogram = first;
        // What is before a reset need not go with what comes after it.
        let nothing = Histogram {
            schema: second.schema,
            custom_bounds: second.custom_bounds.clone(),
            ..Histogram::default()
        };
        if is_counter && (range.run.began_again(1) || second.is_reset_since(first)) {
            before = &nothing;
        }
        if is_counter && between.iter().any(|one| one.has_custom_bounds() != last.has_custom_bounds()) {
            return Err(Incompatible);
        }
        self.remark(change.subtract(before)?, Deed::Subtraction, range.place);
        if is_counter {
            // Buckets become as coarse as the coarsest that are seen, whether there are resets or not.
            for (place, histogram) in (1..).zip(rest) {
                if range.run.began_again(place) || histogram.is_reset_since(before) {
                    self.remark(change.add(before)?, Deed::Addition, range.place);
                }
                before = histogram;
            }
            for histogram in between {
                change.be_as_coarse_as(histogram);
            }
        }
        Ok(change)
    }

    pub(super) fn remark(&self, combined: Combined, deed: Deed, place: Place) {
        // Resets are looked at one by one: that they contradict each other is nothing to warn of.
        if combined.bounds_reconciled {
            self.inform_of_bounds(deed, place);
        }
    }

    /// What `irate` and `idelta` give of the last two; the start of the second can say that it began again.
    pub(super) fn histogram_step(
        &self,
        (before, after, began_again): (&Histogram, &Histogram, bool),
        rate_seconds: Option<f64>,
        name: &str,
        place: Place,
    ) -> Option<Histogram> {
        let gauges = [before, after].map(|histogram| histogram.reset == ResetHint::Gauge);
        if rate_seconds.is_some() && gauges.contains(&true) {
            self.warn_of_no_counter(name, place);
        }
        if rate_seconds.is_none() && gauges.contains(&false) {
            self.warn_of_no_gauge(name, place);
        }
        let mut change = after.clone();
        if rate_seconds.is_none() || !(began_again || after.is_reset_since(before)) {
            match change.subtract(before) {
                Ok(combined) => self.remark(combined, Deed::Subtraction, place),
                Err(Incompatible) => {
                    self.warn_of_incompatible(name, place);
                    return None;
                }
            }
        }
        if let Some(seconds) = rate_seconds {
            change.divide(seconds);
        }
        change.reset = ResetHint::Gauge;
        Some(change.compacted())
    }
}

/// What `rate` and `increase` make of an increase since nothing had been observed, at a time in the window.
fn since_start(
    function: WindowFunction,
    range: &HistogramWindow<'_>,
    began_ms: i64,
    mut increase: Histogram,
    range_seconds: f64,
) -> Histogram {
    let divisor = if function == WindowFunction::Rate { range_seconds } else { 1.0 };
    increase.multiply(reach(range.times_ms, range.window.end_ms, began_ms) / divisor);
    increase.reset = ResetHint::Gauge;
    increase.compacted()
}

/// By what the change between the first and the last histogram is multiplied to be that of the whole window, as for
/// numbers: up to an edge that is no farther than 1.1 times the mean distance, else by half that distance; and the count
/// of a counter, of which the first one and the change are given, never from below zero.
fn extrapolation(range: &HistogramWindow<'_>, counter: Option<(f64, f64)>) -> f64 {
    let [first_ms, .., last_ms] = *range.times_ms else { return 1.0 };
    let seconds = |from_ms: i64, to_ms: i64| (to_ms - from_ms) as f64 / 1000.0;
    let sampled = seconds(first_ms, last_ms);
    let mean_distance = sampled / (range.times_ms.len() - 1) as f64;
    let reach = |distance: f64| if distance >= mean_distance * 1.1 { mean_distance / 2.0 } else { distance };
    let mut to_start = reach(seconds(range.window.start_ms, first_ms));
    if let Some((first, change)) = counter
        && change > 0.0
        && first >= 0.0
    {
        let to_zero = sampled * (first / change);
        to_start = if to_zero < to_start { to_zero } else { to_start };
    }
    let to_end = reach(seconds(last_ms, range.window.end_ms));
    (sampled + to_start + to_end) / sampled
}
