//! Windows: the samples of a range selector or a subquery that each step looks at.

use std::sync::Arc;

use model::{Histogram, Labels, TimeRange, Timestamp, is_stale};
use store::SeriesBuffer;

use super::decode::{decode_series, forget_resets};
use super::selector::Clock;
use super::{Evaluation, Merger};
use crate::Error;
use crate::plan::{RangeExpr, VectorExpr};
use crate::steps::{StepSeries, Steps};

/// All samples of one series that any step may look at, staleness markers left out.
pub(super) struct Run<'a> {
    pub(super) labels: &'a Labels,
    pub(super) drop_name: bool,
    pub(super) times_ms: &'a [i64],
    pub(super) values: &'a [f64],
    /// The histograms that values stand for.
    pub(super) histograms: &'a [Arc<Histogram>],
    /// Since when each sample counts; none, when nobody has told of any.
    pub(super) starts: &'a [i64],
}

/// The samples of one series that one step looks at: those after `start_ms` and until `end_ms`.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    /// The place of the first one in its run.
    pub(super) first: usize,
    pub(super) times_ms: &'a [i64],
    pub(super) values: &'a [f64],
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
}

/// The windows of all steps.
#[derive(Clone, Copy)]
pub(super) struct Windows {
    pub(super) clock: Clock,
    range_ms: i64,
    count: usize,
}

impl Windows {
    /// The windows in which a selector looks for its newest sample.
    pub(super) fn of_selector(clock: Clock, lookback_ms: i64, steps: Steps) -> Self {
        Self { clock, range_ms: lookback_ms, count: steps.count }
    }

    /// The bounds of all windows together: samples after the first and until the second.
    pub(super) fn bounds(&self) -> (i64, i64) {
        (self.clock.first_ms() - self.range_ms, self.clock.last_ms())
    }

    /// From one window to the next; nothing of windows that all lie at one place.
    pub(super) fn step_ms(&self) -> Option<i64> {
        let apart = !self.clock.is_fixed() && self.count > 1;
        apart.then(|| self.clock.time_ms(1) - self.clock.time_ms(0))
    }

    /// How long each window is.
    pub(super) fn range_ms(&self) -> i64 {
        self.range_ms
    }

    /// Where the windows of all steps begin and end in a run.
    pub(super) fn places(&self, times_ms: &[i64], places: &mut Vec<(usize, usize)>) {
        places.clear();
        let (mut first, mut end) = (Edge::default(), Edge::default());
        // Where a window is so many steps long, it begins where the one so many steps before has ended.
        let steps = self.step_ms().filter(|step_ms| self.range_ms > 0 && self.range_ms % step_ms == 0);
        let steps = steps.map_or(usize::MAX, |step_ms| (self.range_ms / step_ms) as usize);
        for step in 0..self.count {
            let end_ms = self.clock.time_ms(step);
            let first = match step.checked_sub(steps) {
                Some(before) => places[before].1,
                None => first.after(times_ms, end_ms - self.range_ms),
            };
            places.push((first, end.after(times_ms, end_ms)));
        }
    }

    /// Goes over the windows of a run. Those without a sample are left out.
    pub(super) fn slide<'r>(
        &self,
        run: &Run<'r>,
        places: &[(usize, usize)],
        mut each: impl FnMut(usize, Window<'r>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for (step, &(first, end)) in places.iter().enumerate().filter(|(_, (first, end))| first < end) {
            let end_ms = self.clock.time_ms(step);
            let start_ms = end_ms - self.range_ms;
            let (times_ms, values) = (&run.times_ms[first..end], &run.values[first..end]);
            each(step, Window { first, times_ms, values, start_ms, end_ms })?;
        }
        Ok(())
    }
}

/// An edge of windows, on its way through a run. Samples come at even distances mostly, so it tries first to
/// go as far as the last time.
#[derive(Default)]
pub(super) struct Edge {
    at: usize,
    went: usize,
}

impl Edge {
    /// The place of the first sample after `time_ms`, which never goes back.
    pub(super) fn after(&mut self, times_ms: &[i64], time_ms: i64) -> usize {
        let mut at = (self.at + self.went).min(times_ms.len());
        while at > self.at && times_ms[at - 1] > time_ms {
            at -= 1;
        }
        while times_ms.get(at).is_some_and(|sample_ms| *sample_ms <= time_ms) {
            at += 1;
        }
        self.went = at - self.at;
        self.at = at;
        at
    }
}

impl Evaluation<'_> {
    pub(super) fn windows(&self, range: &RangeExpr, steps: Steps) -> Windows {
        Windows { clock: self.clock(range.shift(), steps), range_ms: range.range_ms(), count: steps.count }
    }

    /// Streams the runs of a range expression.
    pub(super) fn runs(
        &self,
        range: &RangeExpr,
        windows: Windows,
        each: &mut dyn FnMut(&Run<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut starts = Vec::new();
        match range {
            RangeExpr::Selector { selector, .. } => self.read(selector, windows.bounds(), &mut |buffer| {
                let histograms = decode_series(buffer, selector.finds_resets)?;
                drop_stale(buffer);
                if buffer.times_ms.is_empty() {
                    return Ok(());
                }
                let (labels, times_ms, values) = (&buffer.labels, &buffer.times_ms, &buffer.values);
                buffer.starts.of(times_ms, &mut starts);
                let (histograms, starts) = (&histograms, &starts);
                each(&Run { labels, drop_name: false, times_ms, values, histograms, starts })
            }),
            RangeExpr::Subquery { input, step_ms, .. } => self.subquery_runs(input, *step_ms, windows, each),
        }
    }

    fn subquery_runs(
        &self,
        input: &VectorExpr,
        step_ms: Option<i64>,
        windows: Windows,
        each: &mut dyn FnMut(&Run<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let default_ms = i64::try_from(self.limits.subquery_step.0.as_millis()).unwrap_or(i64::MAX);
        let step_ms = step_ms.unwrap_or(default_ms).max(1);
        let (after_ms, until_ms) = windows.bounds();
        // Steps of subqueries are multiples of the step, whatever the query's own times are.
        let first_ms = (after_ms.div_euclid(step_ms) + 1).saturating_mul(step_ms);
        let steps = Steps::between(first_ms, until_ms, step_ms);
        if steps.count == 0 {
            return Ok(());
        }
        self.hold(steps.count)?;
        let mut merger = Merger::default();
        self.vector(input, steps, &mut |series| {
            self.hold_series(&series.labels, series.size_in_values())?;
            merger.add(series.take())
        })?;
        let (mut times_ms, mut values) = (Vec::new(), Vec::new());
        for mut series in merger.series {
            forget_resets(&mut series.histograms);
            times_ms.clear();
            values.clear();
            for (step, value) in series.present() {
                times_ms.push(steps.time_ms(step));
                values.push(value);
            }
            let StepSeries { labels, drop_name, histograms, .. } = &series;
            let drop_name = *drop_name;
            // The steps of a subquery are no samples, and count since nothing.
            let (times_ms, values, starts) = (&times_ms, &values, &[]);
            each(&Run { labels, drop_name, times_ms, values, histograms, starts })?;
        }
        Ok(())
    }

    /// For each step, whether any series has a sample in the window.
    pub(super) fn covered_windows(&self, range: &RangeExpr, steps: Steps) -> Result<Vec<bool>, Error> {
        let mut covered = vec![false; steps.count];
        let windows = self.windows(range, steps);
        let mut places = Vec::new();
        self.runs(range, windows, &mut |run| {
            windows.places(run.times_ms, &mut places);
            for (step, _) in places.iter().enumerate().filter(|(_, (first, end))| first < end) {
                covered[step] = true;
            }
            Ok(())
        })?;
        Ok(covered)
    }
}

/// The times after the first and until the second.
pub(super) fn range((after_ms, until_ms): (i64, i64)) -> TimeRange {
    TimeRange::new(Timestamp::from_millis(after_ms + 1), Timestamp::from_millis(until_ms))
}

pub(super) fn drop_stale(buffer: &mut SeriesBuffer) {
    // Most series have none: whether any is among sixty-four is asked without a branch for each.
    let any = |values: &[f64]| values.iter().fold(false, |any, value| any | is_stale(*value));
    if !buffer.values.chunks(64).any(any) {
        return;
    }
    let mut kept = 0;
    for at in 0..buffer.values.len() {
        if !is_stale(buffer.values[at]) {
            buffer.values[kept] = buffer.values[at];
            buffer.times_ms[kept] = buffer.times_ms[at];
            kept += 1;
        }
    }
    buffer.values.truncate(kept);
    buffer.times_ms.truncate(kept);
}
