//! Windows that know what lies beyond their ends: the modifiers `anchored` and `smoothed` (Prometheus' proposal
//! PROM-52).
//!
//! A window is read with the lookback before it, and `smoothed` with the lookback behind it too. So the change
//! within a window is one between two values, and nothing is extrapolated. A series that has no sample in a window
//! has no result there, whatever lies beyond.

mod histograms;

use store::SeriesBuffer;

use super::decode::decode_series;
use super::over_time::CHECK_EVERY_SAMPLES;
use super::window::drop_stale;
use super::{Evaluation, Sink};
use crate::Error;
use crate::plan::{Extension, OverTime, Selector, WindowFunction};
use crate::steps::{Point, StepSeries, Steps};

/// The samples that one step may look at.
#[derive(Clone, Copy)]
struct Samples<'a> {
    times_ms: &'a [i64],
    values: &'a [f64],
}

impl<'a> Samples<'a> {
    fn of(buffer: &'a SeriesBuffer) -> Self {
        Self { times_ms: &buffer.times_ms, values: &buffer.values }
    }

    /// Those after the first time and until the second.
    fn within(self, after_ms: i64, until_ms: i64) -> Self {
        let from = self.times_ms.partition_point(|time_ms| *time_ms <= after_ms);
        let to = self.times_ms.partition_point(|time_ms| *time_ms <= until_ms).max(from);
        Self { times_ms: &self.times_ms[from..to], values: &self.values[from..to] }
    }

    /// The value at a time on the line from a sample to the next one.
    fn between(self, at: usize, time_ms: i64, is_counter: bool) -> f64 {
        let (before, after) = (self.values[at], self.values[at + 1]);
        // A counter that fell began again at zero.
        let before = if is_counter && after < before { 0.0 } else { before };
        let (from_ms, to_ms) = (self.times_ms[at], self.times_ms[at + 1]);
        before + (after - before) * (time_ms - from_ms) as f64 / (to_ms - from_ms) as f64
    }
}

/// A window, by the times at which it begins (which is not in it) and ends.
#[derive(Clone, Copy)]
struct Bounds {
    start_ms: i64,
    end_ms: i64,
}

impl Evaluation<'_> {
    /// A function over windows with an extension.
    pub(super) fn over_extended(
        &self,
        over_time: &OverTime,
        selector: &Selector,
        extension: Extension,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let (function, range_ms) = (over_time.function, over_time.range.range_ms());
        let clock = self.clock(selector.shift, steps);
        let before_ms = self.lookback_ms();
        let behind_ms = if extension == Extension::Smoothed { before_ms } else { 0 };
        let bounds_ms = (clock.first_ms() - range_ms - before_ms, clock.last_ms() + behind_ms);
        let mut series = StepSeries::new(model::Labels::empty(), steps);
        let mut samples_seen = 0;
        self.read(selector, bounds_ms, &mut |buffer| {
            let histograms = decode_series(buffer, selector.finds_resets)?;
            drop_stale(buffer);
            series.clear(steps);
            let (mut found, mut has_number) = (false, false);
            for step in 0..steps.count {
                let end_ms = clock.time_ms(step);
                let window = Bounds { start_ms: end_ms - range_ms, end_ms };
                let samples =
                    Samples::of(buffer).within(window.start_ms - before_ms, window.end_ms + behind_ms);
                samples_seen += samples.values.len();
                if samples_seen > CHECK_EVERY_SAMPLES {
                    samples_seen = 0;
                    self.check()?;
                }
                let result = if histograms.is_empty() {
                    evaluate(function, extension, samples, window).map(Point::Number)
                } else {
                    let name = buffer.labels.metric_name();
                    self.mixed_extended(over_time, extension, (samples, &histograms), window, name)
                };
                if let Some(point) = result {
                    has_number |= matches!(point, Point::Number(_));
                    series.set(step, point);
                    found = true;
                }
            }
            if !found {
                return Ok(());
            }
            if has_number && matches!(function, WindowFunction::Rate | WindowFunction::Increase) {
                self.note_possible_gauge(buffer.labels.metric_name(), over_time);
            }
            series.labels = buffer.labels.clone();
            series.drop_name = true;
            sink(&mut series)
        })
    }

    /// A selector that is `smoothed`: at each step the value on the line between the samples around it, and the
    /// last sample's where none follows.
    pub(super) fn select_smoothed(
        &self,
        selector: &Selector,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let clock = self.clock(selector.shift, steps);
        let lookback_ms = self.lookback_ms();
        let bounds_ms = (clock.first_ms() - lookback_ms, clock.last_ms() + lookback_ms);
        let mut series = StepSeries::new(model::Labels::empty(), steps);
        self.read(selector, bounds_ms, &mut |buffer| {
            let histograms = decode_series(buffer, selector.finds_resets)?;
            drop_stale(buffer);
            series.clear(steps);
            for step in 0..steps.count {
                let time_ms = clock.time_ms(step);
                let samples = Samples::of(buffer).within(time_ms - lookback_ms, time_ms + lookback_ms);
                if !histograms.is_empty() {
                    let name = buffer.labels.metric_name();
                    if let Some(point) = self.smoothed_mixed((samples, &histograms), time_ms, name) {
                        series.set(step, point);
                    }
                    continue;
                }
                let behind = samples.times_ms.partition_point(|sample_ms| *sample_ms <= time_ms);
                let Some(last) = behind.checked_sub(1) else { continue };
                let is_between = samples.times_ms[last] < time_ms && behind < samples.times_ms.len();
                series.values[step] =
                    if is_between { samples.between(last, time_ms, false) } else { samples.values[last] };
            }
            if series.is_empty() {
                return Ok(());
            }
            series.labels = buffer.labels.clone();
            series.drop_name = false;
            sink(&mut series)
        })
    }
}

fn evaluate(
    function: WindowFunction,
    extension: Extension,
    samples: Samples<'_>,
    window: Bounds,
) -> Option<f64> {
    let last = samples.times_ms.len().checked_sub(1)?;
    // The last sample until the start, or the first of all.
    let first =
        samples.times_ms[..last].partition_point(|time_ms| *time_ms <= window.start_ms).saturating_sub(1);
    let until = match extension {
        Extension::Anchored => last,
        // The first sample from the end on, or the last of all.
        Extension::Smoothed => samples.times_ms[..last].partition_point(|time_ms| *time_ms < window.end_ms),
    };
    // Between samples that all lie on one side of it nothing is known of a window.
    if samples.times_ms[until] <= window.start_ms || samples.times_ms[first] > window.end_ms {
        return None;
    }
    let range_seconds = (window.end_ms - window.start_ms) as f64 / 1000.0;
    let values = &samples.values[first..=until];
    let count = |differs: fn(f64, f64) -> bool| {
        values.windows(2).filter(|pair| differs(pair[0], pair[1])).count() as f64
    };
    Some(match function {
        WindowFunction::Changes => {
            count(|before, after| before != after && !(before.is_nan() && after.is_nan()))
        }
        WindowFunction::Resets => count(|before, after| after < before),
        WindowFunction::Rate => change(samples, (first, until), extension, window, true) / range_seconds,
        WindowFunction::Increase => change(samples, (first, until), extension, window, true),
        _ => change(samples, (first, until), extension, window, false),
    })
}

/// From the value at the start of a window to that at its end. What a counter was before each fall is added.
fn change(
    samples: Samples<'_>,
    (first, last): (usize, usize),
    extension: Extension,
    window: Bounds,
    is_counter: bool,
) -> f64 {
    let is_smoothed = extension == Extension::Smoothed;
    let (first_ms, last_ms) = (samples.times_ms[first], samples.times_ms[last]);
    let left = match is_smoothed && first_ms < window.start_ms {
        true => samples.between(first, window.start_ms, is_counter),
        false => samples.values[first],
    };
    let right = match is_smoothed && last > 0 && last_ms > window.end_ms {
        true => samples.between(last - 1, window.end_ms, is_counter),
        false => samples.values[last],
    };
    if !is_counter {
        return right - left;
    }
    // What lies at the ends has been picked or calculated already.
    let from = first + usize::from(first_ms <= window.start_ms);
    let to = last + usize::from(last_ms < window.end_ms);
    let inner = samples.values.get(from..to).unwrap_or_default();
    let mut before = left;
    inner.iter().chain([&right]).fold(right - left, |total, value| {
        let fell = if *value < before { before } else { 0.0 };
        before = *value;
        total + fell
    })
}
