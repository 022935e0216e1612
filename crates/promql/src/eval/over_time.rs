//! Functions over the samples of a window.

use super::counter::extrapolated;
use super::overlap::Overlap;
use super::rolled::Rolled;
use super::started::since_zero;
use super::window::{Run, Window, Windows, range};
use super::{Evaluation, Sink};
use crate::Error;
use crate::plan::{OverTime, RangeExpr, WindowFunction};
use crate::steps::{Point, StepSeries, Steps};
use crate::sums::{KahanSum, Variance, quantile};

/// After how many samples a query looks again whether it may go on.
pub(super) const CHECK_EVERY_SAMPLES: usize = 1 << 20;

impl Evaluation<'_> {
    pub(super) fn over_time(
        &self,
        over_time: &OverTime,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        if let RangeExpr::Selector { selector, .. } = &over_time.range
            && let Some(extension) = selector.extension
        {
            return self.over_extended(over_time, selector, extension, steps, sink);
        }
        let windows = self.windows(&over_time.range, steps);
        let mut sweep = Sweep::new(over_time, windows, self.parameters(over_time, steps)?);
        let only = match self.over_rollups(over_time, windows, steps, sink)? {
            Rolled::Everything => return Ok(()),
            Rolled::AllBut(labels) => Some(labels),
            Rolled::Nothing => {
                self.warn_of_too_few(over_time, windows);
                None
            }
        };
        let mut series = StepSeries::new(model::Labels::empty(), steps);
        self.runs(&over_time.range, windows, &mut |run| {
            if only.as_ref().is_some_and(|only| !only.contains(run.labels)) {
                return Ok(());
            }
            series.clear(steps);
            let Found { any, number } = sweep.over_run(self, run, &mut series)?;
            if !any {
                return Ok(());
            }
            if number && sweep.is_rate() {
                self.note_possible_gauge(run.labels.metric_name(), over_time);
            }
            series.labels = run.labels.clone();
            series.drop_name = run.drop_name || !over_time.function.keeps_name();
            sink(&mut series)
        })
    }

    /// What a function gets beside its windows.
    fn parameters(&self, over_time: &OverTime, steps: Steps) -> Result<Parameters, Error> {
        let values = over_time.parameters.iter().map(|parameter| self.scalar(parameter, steps));
        let range_seconds = over_time.range.range_ms() as f64 / 1000.0;
        Ok(Parameters { values: values.collect::<Result<_, _>>()?, steps, range_seconds })
    }

    /// Refuses or warns of what makes no sense; like Prometheus only where there is a window.
    fn look_at(&self, operands: Operands, over_time: &OverTime) -> Result<(), Error> {
        match over_time.function {
            WindowFunction::DoubleExponentialSmoothing => check_smoothing(operands),
            WindowFunction::Quantile if !(0.0..=1.0).contains(&operands.first) => {
                self.warn_quantile(operands.first, over_time.parameter_place);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Warns where a function depends on how many samples there are, and fewer stand in for those that are gone.
    fn warn_of_too_few(&self, over_time: &OverTime, windows: Windows) {
        let depends = matches!(over_time.function, WindowFunction::Count | WindowFunction::Sum);
        if depends
            && matches!(over_time.range, RangeExpr::Selector { .. })
            && self.store.rollups_stand_in(range(windows.bounds()))
        {
            let text = "where samples are gone, one value of each 5m is counted: for what the samples said, ask with a \
                        range, a step and times that are multiples of 5m";
            self.notes.borrow_mut().warn_of_query(text, over_time.range_place);
        }
    }

    pub(super) fn warn_quantile(&self, phi: f64, place: crate::notes::Place) {
        let text = format!("quantile value should be between 0 and 1, got {}", crate::format_value(phi));
        self.notes.borrow_mut().warn(&text, place);
    }

    pub(super) fn note_possible_gauge(&self, name: &str, over_time: &OverTime) {
        const COUNTER_SUFFIXES: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];
        if !name.is_empty() && !COUNTER_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
            let text = format!(
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {name:?}"
            );
            self.notes.borrow_mut().info_of_query(&text, over_time.range_place);
        }
    }
}

/// A function on its way over the runs of all series.
struct Sweep<'a> {
    over_time: &'a OverTime,
    windows: Windows,
    parameters: Parameters,
    /// With `@` every step has the same window, and most functions the same answer.
    same_everywhere: bool,
    overlap: Overlap,
    /// Used again for each run.
    places: Vec<(usize, usize)>,
    scratch: Vec<f64>,
    /// Since the query was last asked whether it may go on.
    samples_seen: usize,
}

/// What a run has given.
#[derive(Clone, Copy, Default)]
struct Found {
    any: bool,
    number: bool,
}

impl<'a> Sweep<'a> {
    fn new(over_time: &'a OverTime, windows: Windows, parameters: Parameters) -> Self {
        let same_everywhere = windows.clock.is_fixed()
            && over_time.parameters.is_empty()
            && over_time.function != WindowFunction::PredictLinear;
        Self {
            over_time,
            windows,
            parameters,
            same_everywhere,
            overlap: Overlap::new(over_time.function),
            places: Vec::new(),
            scratch: Vec::new(),
            samples_seen: 0,
        }
    }

    fn is_rate(&self) -> bool {
        matches!(self.over_time.function, WindowFunction::Rate | WindowFunction::Increase)
    }

    /// Evaluates the windows of a run.
    fn over_run(
        &mut self,
        evaluation: &Evaluation<'_>,
        run: &Run<'_>,
        series: &mut StepSeries,
    ) -> Result<Found, Error> {
        self.windows.places(run.times_ms, &mut self.places);
        if run.histograms.is_empty() {
            self.overlap.look_at_run(run, &self.places);
            if self.is_rate() && run.starts.is_empty() && !self.same_everywhere {
                return self.plain_rate(evaluation, run, series);
            }
        }
        self.each_window(evaluation, run, series)
    }

    /// Rates and increases of numbers of which nobody told when they began: what dashboards ask for most.
    fn plain_rate(
        &mut self,
        evaluation: &Evaluation<'_>,
        run: &Run<'_>,
        series: &mut StepSeries,
    ) -> Result<Found, Error> {
        self.may_go_on(evaluation, self.places.len())?;
        let divisor = match self.over_time.function {
            WindowFunction::Rate => self.parameters.range_seconds,
            _ => 1.0,
        };
        let any = self.windows.counter_changes(run, &self.places, &self.overlap, divisor, &mut series.values);
        Ok(Found { any, number: any })
    }

    fn each_window(
        &mut self,
        evaluation: &Evaluation<'_>,
        run: &Run<'_>,
        series: &mut StepSeries,
    ) -> Result<Found, Error> {
        let (windows, places) = (self.windows, std::mem::take(&mut self.places));
        let (function, place) = (self.over_time.function, self.over_time.range_place);
        let mut may_overlap = self.is_rate() && !run.starts.is_empty();
        let mut last: Option<Point> = None;
        let mut found = Found::default();
        windows.slide(run, &places, |step, window| {
            if let (true, Some(point)) = (self.same_everywhere, &last) {
                series.set(step, point.clone());
                return Ok(());
            }
            // Windows overlap: one series can cost as much as a million.
            self.may_go_on(evaluation, window.values.len())?;
            let operands = self.parameters.at(step);
            evaluation.look_at(operands, self.over_time)?;
            may_overlap = may_overlap && !evaluation.warn_of_overlap(run, window, place);
            let point = if run.histograms.is_empty() {
                evaluate(function, window, run, &self.overlap, operands, &mut self.scratch).map(Point::Number)
            } else {
                evaluation.over_mixed(function, run, window, operands, place)
            };
            if let Some(point) = point {
                found.any = true;
                found.number |= matches!(point, Point::Number(_));
                series.set(step, point.clone());
                last = Some(point);
            }
            Ok(())
        })?;
        self.places = places;
        Ok(found)
    }

    fn may_go_on(&mut self, evaluation: &Evaluation<'_>, samples: usize) -> Result<(), Error> {
        self.samples_seen += samples;
        if self.samples_seen > CHECK_EVERY_SAMPLES {
            self.samples_seen = 0;
            evaluation.check()?;
        }
        Ok(())
    }
}

/// Refuses factors that smooth nothing.
fn check_smoothing(operands: Operands) -> Result<(), Error> {
    for (value, (what, sign)) in [(operands.first, ("smoothing", "sf")), (operands.second, ("trend", "tf"))] {
        if !(value > 0.0 && value < 1.0) {
            return Err(Error::Execution(format!(
                "invalid {what} factor. Expected: 0 < {sign} < 1, got: {value:.6}"
            )));
        }
    }
    Ok(())
}

/// What a function gets beside its windows, at all steps.
struct Parameters {
    values: Vec<Vec<f64>>,
    steps: Steps,
    range_seconds: f64,
}

impl Parameters {
    fn at(&self, step: usize) -> Operands {
        let parameter = |index: usize| self.values.get(index).map_or(f64::NAN, |values| values[step]);
        Operands {
            first: parameter(0),
            second: parameter(1),
            step_ms: self.steps.time_ms(step),
            range_seconds: self.range_seconds,
        }
    }
}

/// What a function gets beside a window.
#[derive(Clone, Copy)]
pub(super) struct Operands {
    first: f64,
    second: f64,
    step_ms: i64,
    pub(super) range_seconds: f64,
}

impl Operands {
    /// Of functions that need none.
    pub(super) const NONE: Self =
        Self { first: f64::NAN, second: f64::NAN, step_ms: 0, range_seconds: f64::NAN };
}

/// What a function gives of a window that has numbers only, by itself; the starts of the run are those of its samples.
pub(super) fn numbers_of_window(
    function: WindowFunction,
    window: Window<'_>,
    run: &Run<'_>,
    operands: Operands,
) -> Option<f64> {
    let mut overlap = Overlap::new(function);
    let run = Run { times_ms: window.times_ms, values: window.values, histograms: &[], ..*run };
    overlap.look_at_run(&run, &[(0, window.values.len())]);
    evaluate(function, window, &run, &overlap, operands, &mut Vec::new())
}

fn evaluate(
    function: WindowFunction,
    window: Window<'_>,
    run: &Run<'_>,
    overlap: &Overlap,
    operands: Operands,
    scratch: &mut Vec<f64>,
) -> Option<f64> {
    use WindowFunction as F;
    let values = window.values;
    let marks = || overlap.marks(window.first, window.first + values.len());
    let falls = || marks().iter().map(|place| run.values[place - 1]);
    let seconds = |at: usize| window.times_ms[at] as f64 / 1000.0;
    Some(match function {
        F::Rate => increase(window, run, falls(), operands.range_seconds)?,
        F::Increase => increase(window, run, falls(), 1.0)?,
        F::Delta => extrapolated(window, None::<std::iter::Empty<f64>>, 1.0)?,
        F::InstantRate => {
            let began_again = run.began_again(window.first + values.len() - 1);
            last_change(window, Some(began_again))?
        }
        F::InstantDelta => last_change(window, None)?,
        F::Derivative => regression(window, *window.times_ms.first()?)?.0,
        F::PredictLinear => {
            let (slope, intercept) = regression(window, operands.step_ms)?;
            slope * operands.first + intercept
        }
        F::DoubleExponentialSmoothing => smoothed(values, operands.first, operands.second)?,
        F::Average | F::Sum | F::Minimum | F::Maximum => {
            overlap.folded(run.values, window.first, window.first + values.len())
        }
        F::TimeOfMinimum => seconds(extreme(values, |value, best| value <= best)),
        F::TimeOfMaximum => seconds(extreme(values, |value, best| value >= best)),
        F::Count => values.len() as f64,
        F::Present => 1.0,
        F::First => values[0],
        F::Last => values[values.len() - 1],
        F::TimeOfFirst => seconds(0),
        F::TimeOfLast => seconds(values.len() - 1),
        F::Variance => Variance::of(values),
        F::StandardDeviation => Variance::of(values).sqrt(),
        F::Quantile => {
            scratch.clear();
            scratch.extend_from_slice(values);
            quantile(operands.first, scratch)
        }
        F::MedianAbsoluteDeviation => median_absolute_deviation(values, scratch),
        F::Changes | F::Resets => marks().len() as f64,
    })
}

/// Where the best value is; NaN is never better, and any number is better than NaN.
fn extreme(values: &[f64], better: impl Fn(f64, f64) -> bool) -> usize {
    (1..values.len())
        .fold(0, |best, at| if better(values[at], values[best]) || values[best].is_nan() { at } else { best })
}

fn median_absolute_deviation(values: &[f64], scratch: &mut Vec<f64>) -> f64 {
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    scratch.clear();
    scratch.extend_from_slice(values);
    let median = quantile(0.5, scratch);
    scratch.iter_mut().for_each(|value| *value = (*value - median).abs());
    quantile(0.5, scratch)
}

/// The increase of a counter over the window, from what it was before each fall. Where its first sample counts since a
/// time in the window, it was zero then, and nothing is extrapolated to the window's start.
fn increase(
    window: Window<'_>,
    run: &Run<'_>,
    falls: impl Iterator<Item = f64>,
    divisor: f64,
) -> Option<f64> {
    match run.began_in(window) {
        None => extrapolated(window, Some(falls), divisor),
        Some(began_ms) => {
            let increase = falls.fold(*window.values.last()?, |increase, before| increase + before);
            Some(since_zero(window, began_ms, increase, divisor))
        }
    }
}

/// The change between the last two samples; of a counter, which may have begun again between them, its rate a second.
fn last_change(window: Window<'_>, counter_began_again: Option<bool>) -> Option<f64> {
    let [.., before_ms, after_ms] = *window.times_ms else { return None };
    let [.., before, after] = *window.values else { return None };
    let Some(began_again) = counter_began_again else { return Some(after - before) };
    let change = if after < before || began_again { after } else { after - before };
    Some(change / ((after_ms - before_ms) as f64 / 1000.0))
}

/// Slope a second and value at `origin_ms` of the least-squares line.
fn regression(window: Window<'_>, origin_ms: i64) -> Option<(f64, f64)> {
    let (values, count) = (window.values, window.values.len() as f64);
    if values.len() < 2 {
        return None;
    }
    if values.iter().all(|value| *value == values[0]) {
        return Some(if values[0].is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, values[0]) });
    }
    let [mut sum_x, mut sum_y, mut sum_xy, mut sum_xx] = [KahanSum::default(); 4];
    for (time_ms, y) in window.times_ms.iter().zip(values) {
        let x = (time_ms - origin_ms) as f64 / 1000.0;
        sum_x.add(x);
        sum_y.add(*y);
        sum_xy.add(x * y);
        sum_xx.add(x * x);
    }
    let (sum_x, sum_y) = (sum_x.total(), sum_y.total());
    let covariance = sum_xy.total() - sum_x * sum_y / count;
    let variance = sum_xx.total() - sum_x * sum_x / count;
    let slope = covariance / variance;
    Some((slope, sum_y / count - slope * sum_x / count))
}

/// Holt's linear method.
fn smoothed(values: &[f64], smoothing: f64, trend: f64) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let (mut before, mut now, mut slope) = (0.0, values[0], values[1] - values[0]);
    for (at, value) in values.iter().enumerate().skip(1) {
        if at > 1 {
            slope = trend * (now - before) + (1.0 - trend) * slope;
        }
        (before, now) = (now, smoothing * value + (1.0 - smoothing) * (now + slope));
    }
    Some(now)
}
