//! Functions over windows that have native histograms in them.

use std::sync::Arc;

use model::Histogram;

use super::Evaluation;
use super::fold::HistogramFold;
use super::histogram_rate::HistogramWindow;
use super::over_time::{Operands, numbers_of_window};
use super::window::{Run, Window};
use crate::notes::Place;
use crate::plan::WindowFunction;
use crate::steps::{Point, histogram_at};

/// The samples of a window, numbers and histograms apart.
#[derive(Default)]
struct Parts<'a> {
    number_times_ms: Vec<i64>,
    numbers: Vec<f64>,
    histogram_times_ms: Vec<i64>,
    histograms: Vec<&'a Arc<Histogram>>,
    /// Since when they count; none, when nobody has told of any.
    number_starts: Vec<i64>,
    histogram_starts: Vec<i64>,
}

impl<'a> Parts<'a> {
    fn of(window: Window<'_>, run: &Run<'a>) -> Self {
        let mut parts = Self::default();
        let starts = run.starts_in(window);
        for (at, (time_ms, value)) in window.times_ms.iter().zip(window.values).enumerate() {
            let start = starts.get(at);
            match histogram_at(*value, run.histograms) {
                Some(histogram) => {
                    parts.histogram_times_ms.push(*time_ms);
                    parts.histograms.push(histogram);
                    parts.histogram_starts.extend(start);
                }
                None => {
                    parts.number_times_ms.push(*time_ms);
                    parts.numbers.push(*value);
                    parts.number_starts.extend(start);
                }
            }
        }
        parts
    }
}

/// What functions over windows do with histograms.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// They take numbers or histograms, but not both.
    Either,
    /// They look at the last two samples, of the same type.
    LastTwo,
    /// They look at numbers, and say so if there are histograms too.
    Numbers,
    /// They look at each sample, whatever it is.
    Any,
}

fn kind(function: WindowFunction) -> Kind {
    use WindowFunction as F;
    match function {
        F::Rate | F::Increase | F::Delta | F::Average | F::Sum => Kind::Either,
        F::InstantRate | F::InstantDelta => Kind::LastTwo,
        F::Derivative
        | F::PredictLinear
        | F::DoubleExponentialSmoothing
        | F::Minimum
        | F::Maximum
        | F::Quantile
        | F::StandardDeviation
        | F::Variance
        | F::MedianAbsoluteDeviation
        | F::TimeOfMinimum
        | F::TimeOfMaximum => Kind::Numbers,
        F::Count
        | F::First
        | F::Last
        | F::Present
        | F::Changes
        | F::Resets
        | F::TimeOfFirst
        | F::TimeOfLast => Kind::Any,
    }
}

impl Evaluation<'_> {
    /// What a function gives of a window of a run that has histograms.
    pub(super) fn over_mixed(
        &self,
        function: WindowFunction,
        run: &Run<'_>,
        window: Window<'_>,
        operands: Operands,
        place: Place,
    ) -> Option<Point> {
        let parts = Parts::of(window, run);
        let name = run.labels.metric_name();
        let of_numbers = || {
            let (times_ms, values) = (&parts.number_times_ms[..], &parts.numbers[..]);
            let window = Window { first: 0, times_ms, values, ..window };
            if values.is_empty() {
                None
            } else {
                let run = &Run { starts: &parts.number_starts, ..*run };
                numbers_of_window(function, window, run, operands).map(Point::Number)
            }
        };
        if parts.histograms.is_empty() {
            return of_numbers();
        }
        match kind(function) {
            Kind::Any => self.of_any(function, run, window, of_numbers),
            Kind::Numbers => {
                if !parts.numbers.is_empty() {
                    self.inform_of_ignored_in_range(name, place);
                }
                of_numbers()
            }
            Kind::LastTwo => self.of_last_two(function, run, window, place),
            Kind::Either if !parts.numbers.is_empty() => {
                self.warn_of_mixed_range(name, place);
                None
            }
            Kind::Either => {
                let (times_ms, histograms) = (&parts.histogram_times_ms[..], &parts.histograms[..]);
                let run = &Run { times_ms, starts: &parts.histogram_starts, ..*run };
                let range = HistogramWindow { window, run, times_ms, histograms, name, place };
                let histogram = match function {
                    WindowFunction::Average | WindowFunction::Sum => self.folded(function, &range),
                    _ => self.histogram_rate(function, &range, operands.range_seconds),
                };
                histogram.map(|histogram| Point::Histogram(Arc::new(histogram)))
            }
        }
    }

    fn folded(&self, function: WindowFunction, range: &HistogramWindow<'_>) -> Option<Histogram> {
        let (first, rest) = range.histograms.split_first()?;
        let mut fold = match function {
            WindowFunction::Sum => HistogramFold::sum(first),
            _ => HistogramFold::mean(first),
        };
        for histogram in rest {
            if fold.add(histogram).is_err() {
                self.warn_of_incompatible(range.name, range.place);
                return None;
            }
        }
        fold.finish(self, range.place)
    }

    fn of_last_two(
        &self,
        function: WindowFunction,
        run: &Run<'_>,
        window: Window<'_>,
        place: Place,
    ) -> Option<Point> {
        let ([.., before_ms, after_ms], [.., before, after]) = (window.times_ms, window.values) else {
            return None;
        };
        let name = run.labels.metric_name();
        let [earlier, later] = [before, after].map(|value| histogram_at(*value, run.histograms));
        match (earlier, later) {
            (Some(earlier), Some(later)) => {
                let seconds = (after_ms - before_ms) as f64 / 1000.0;
                let rate_seconds = (function == WindowFunction::InstantRate).then_some(seconds);
                let began_again = run.began_again(window.first + window.values.len() - 1);
                let change = self.histogram_step((earlier, later, began_again), rate_seconds, name, place)?;
                Some(Point::Histogram(Arc::new(change)))
            }
            (None, None) => {
                let from = window.values.len() - 2;
                let (times_ms, values) = (&window.times_ms[from..], &window.values[from..]);
                let run = &Run { starts: run.starts_in(window).get(from..).unwrap_or_default(), ..*run };
                let window = Window { first: 0, times_ms, values, ..window };
                numbers_of_window(function, window, run, Operands::NONE).map(Point::Number)
            }
            _ => {
                self.warn_of_mixed_range(name, place);
                None
            }
        }
    }

    fn of_any(
        &self,
        function: WindowFunction,
        run: &Run<'_>,
        window: Window<'_>,
        of_numbers: impl Fn() -> Option<Point>,
    ) -> Option<Point> {
        let seconds = |time_ms: &i64| Point::Number(*time_ms as f64 / 1000.0);
        let point = |value: &f64| Point::of(*value, run.histograms);
        match function {
            WindowFunction::Count => Some(Point::Number(window.values.len() as f64)),
            WindowFunction::Present => Some(Point::Number(1.0)),
            WindowFunction::First => window.values.first().map(point),
            WindowFunction::Last => window.values.last().map(point),
            WindowFunction::TimeOfFirst => window.times_ms.first().map(seconds),
            WindowFunction::TimeOfLast => window.times_ms.last().map(seconds),
            WindowFunction::Changes | WindowFunction::Resets => {
                let began_again = |at: usize| run.began_again(window.first + at);
                Some(Point::Number(transitions(function, window.values, run.histograms, began_again)))
            }
            _ => of_numbers(),
        }
    }
}

/// How many values began again after the one before, or for `changes` are others. What became a histogram, or is none
/// any more, did both. `began_again` knows of each value but the first whether its start says so.
pub(super) fn transitions(
    function: WindowFunction,
    values: &[f64],
    histograms: &[Arc<Histogram>],
    began_again: impl Fn(usize) -> bool,
) -> f64 {
    let is_reset = function == WindowFunction::Resets;
    let is_transition =
        |at: usize, pair: &[f64]| match (Point::of(pair[0], histograms), Point::of(pair[1], histograms)) {
            _ if is_reset && began_again(at) => true,
            (Point::Histogram(before), Point::Histogram(after)) if is_reset => after.is_reset_since(&before),
            (Point::Histogram(before), Point::Histogram(after)) => !after.is_same(&before),
            (Point::Number(before), Point::Number(after)) if is_reset => after < before,
            (Point::Number(before), Point::Number(after)) => {
                before != after && !(before.is_nan() && after.is_nan())
            }
            _ => true,
        };
    (1..).zip(values.windows(2)).filter(|(at, pair)| is_transition(*at, pair)).count() as f64
}
