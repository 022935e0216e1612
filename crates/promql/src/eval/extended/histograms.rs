//! `anchored` and `smoothed` over native histograms.

use std::sync::Arc;

use model::Histogram;
use model::histogram::{Incompatible, ResetHint};

use super::{Bounds, Samples, evaluate};
use crate::eval::Evaluation;
use crate::eval::mixed::transitions;
use crate::eval::remarks::Deed;
use crate::notes::Place;
use crate::plan::{Extension, OverTime, WindowFunction};
use crate::steps::{Point, histogram_at};

/// The samples that one step may look at, all of them histograms.
struct Histograms<'a> {
    times_ms: &'a [i64],
    all: Vec<&'a Histogram>,
}

impl<'a> Histograms<'a> {
    /// Nothing when there are numbers among the samples.
    fn of(samples: Samples<'a>, histograms: &'a [Arc<Histogram>]) -> Option<Self> {
        let one = |value: &f64| histogram_at(*value, histograms).map(|histogram| &**histogram);
        let all = samples.values.iter().map(one).collect::<Option<Vec<_>>>()?;
        Some(Self { times_ms: samples.times_ms, all })
    }
}

fn has_histograms(samples: Samples<'_>, histograms: &[Arc<Histogram>]) -> bool {
    samples.values.iter().any(|value| histogram_at(*value, histograms).is_some())
}

fn is_gauge(histogram: &Histogram) -> bool {
    histogram.reset == ResetHint::Gauge
}

impl Evaluation<'_> {
    /// What a function gives of the samples of a series that has histograms.
    pub(super) fn mixed_extended(
        &self,
        over_time: &OverTime,
        extension: Extension,
        (samples, histograms): (Samples<'_>, &[Arc<Histogram>]),
        window: Bounds,
        name: &str,
    ) -> Option<Point> {
        let (function, place) = (over_time.function, over_time.range_place);
        if !has_histograms(samples, histograms) {
            return evaluate(function, extension, samples, window).map(Point::Number);
        }
        if matches!(function, WindowFunction::Changes | WindowFunction::Resets) {
            samples.times_ms.last().filter(|last_ms| **last_ms > window.start_ms)?;
            let until_start = samples.times_ms.partition_point(|time_ms| *time_ms <= window.start_ms);
            let values = &samples.values[until_start.saturating_sub(1)..];
            return Some(Point::Number(transitions(function, values, histograms)));
        }
        let Some(all) = Histograms::of(samples, histograms) else {
            self.warn_of_mixed_range(name, place);
            return None;
        };
        match self.change_of_histograms(function, extension, &all, window, (name, place)) {
            Ok(change) => change.map(|change| Point::Histogram(Arc::new(change))),
            Err(Incompatible) => {
                self.warn_of_incompatible(name, place);
                None
            }
        }
    }

    /// From the histogram at the start of a window to that at its end. What a counter was before each reset is added.
    fn change_of_histograms(
        &self,
        function: WindowFunction,
        extension: Extension,
        samples: &Histograms<'_>,
        window: Bounds,
        (name, place): (&str, Place),
    ) -> Result<Option<Histogram>, Incompatible> {
        let is_counter = function != WindowFunction::Delta;
        let is_smoothed = extension == Extension::Smoothed;
        let Histograms { times_ms, all } = samples;
        let Some(end) = times_ms.len().checked_sub(1) else { return Ok(None) };
        let first = times_ms[..end].partition_point(|time_ms| *time_ms <= window.start_ms).saturating_sub(1);
        let last = match is_smoothed {
            true => times_ms[..end].partition_point(|time_ms| *time_ms < window.end_ms),
            false => end,
        };
        if times_ms[last] <= window.start_ms || (is_smoothed && times_ms[first] > window.end_ms) {
            return Ok(None);
        }
        let looked_at = all.get(first..=last).unwrap_or_default();
        if looked_at.iter().any(|one| one.has_custom_bounds() != all[first].has_custom_bounds()) {
            return Err(Incompatible);
        }
        if is_counter && looked_at.iter().any(|one| is_gauge(one)) {
            self.warn_of_no_counter(name, place);
        }
        let begins_before = is_smoothed && times_ms[first] < window.start_ms;
        let left = match begins_before {
            true => self.histogram_between(samples, first, window.start_ms, is_counter, place)?,
            false => all[first].clone(),
        };
        let right = match is_smoothed && last > 0 && times_ms[last] > window.end_ms {
            true => self.histogram_between(samples, last - 1, window.end_ms, is_counter, place)?,
            false => all[last].clone(),
        };
        let are_gauges = is_gauge(&left) && is_gauge(&right);
        if !(is_counter || are_gauges) {
            self.warn_of_no_gauge(name, place);
        }
        let mut change = right.clone();
        self.remark(change.subtract(&left)?, Deed::Subtraction, place);
        if is_counter {
            // A reset within the part before the window is in what was calculated for its start.
            let is_reset_at_start = begins_before && all[first + 1].is_reset_since(all[first]);
            let from = first + 1 + usize::from(is_reset_at_start);
            let mut before = if is_reset_at_start { all[first + 1] } else { &left };
            if from <= last {
                for now in all.get(from..last).unwrap_or_default().iter().copied().chain([&right]) {
                    if now.is_reset_since(before) {
                        self.remark(change.add(before)?, Deed::Addition, place);
                    }
                    before = now;
                }
            }
        }
        if function == WindowFunction::Rate {
            change.divide((window.end_ms - window.start_ms) as f64 / 1000.0);
        }
        change.reset = ResetHint::Gauge;
        Ok(Some(change.compacted()))
    }

    /// The histogram at a time between a sample and the next one.
    fn histogram_between(
        &self,
        samples: &Histograms<'_>,
        at: usize,
        time_ms: i64,
        is_counter: bool,
        place: Place,
    ) -> Result<Histogram, Incompatible> {
        let (before, after) = (samples.all[at], samples.all[at + 1]);
        let (from_ms, to_ms) = (samples.times_ms[at], samples.times_ms[at + 1]);
        if time_ms == from_ms || time_ms == to_ms {
            return Ok(if time_ms == from_ms { before.clone() } else { after.clone() });
        }
        if before.has_custom_bounds() != after.has_custom_bounds() {
            return Err(Incompatible);
        }
        let fraction = (time_ms - from_ms) as f64 / (to_ms - from_ms) as f64;
        let mut between = after.clone();
        if is_counter && after.is_reset_since(before) {
            // It began again at zero.
            between.multiply(fraction);
            return Ok(between);
        }
        self.remark(between.subtract(before)?, Deed::Subtraction, place);
        between.multiply(fraction);
        self.remark(between.add(before)?, Deed::Addition, place);
        Ok(between)
    }

    /// What a selector that is `smoothed` gives at a time, of samples around it among which are histograms.
    pub(super) fn smoothed_mixed(
        &self,
        (samples, histograms): (Samples<'_>, &[Arc<Histogram>]),
        time_ms: i64,
        name: &str,
    ) -> Option<Point> {
        let place = Place::default();
        let behind = samples.times_ms.partition_point(|sample_ms| *sample_ms <= time_ms);
        let last = behind.checked_sub(1)?;
        let is_between = samples.times_ms[last] < time_ms && behind < samples.times_ms.len();
        if !has_histograms(samples, histograms) {
            let value = if is_between { samples.between(last, time_ms, false) } else { samples.values[last] };
            return Some(Point::Number(value));
        }
        let Some(all) = Histograms::of(samples, histograms) else {
            self.warn_of_mixed_range(name, place);
            return None;
        };
        if !is_between {
            return Some(Point::of(samples.values[last], histograms));
        }
        let is_counter = !(is_gauge(all.all[last]) && is_gauge(all.all[behind]));
        match self.histogram_between(&all, last, time_ms, is_counter, place) {
            Ok(histogram) => Some(Point::Histogram(Arc::new(histogram.compacted()))),
            Err(Incompatible) => {
                self.warn_of_incompatible(name, place);
                None
            }
        }
    }
}
