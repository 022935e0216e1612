//! Instant selectors: the newest sample of each series at each step.

use std::collections::HashSet;

use model::{Labels, Sample, is_stale};
use store::{SelectRequest, SeriesBuffer};

use super::decode::{decode, decode_series};
use super::rolled::Rolled;
use super::window::{Edge, Windows, range};
use super::{Evaluation, Sink};
use crate::Error;
use crate::notes::Place;
use crate::plan::{At, Extension, Selector, Shift};
use crate::steps::{StepSeries, Steps};

/// At which time an operand is looked at for each step: the modifiers `@` and `offset`, resolved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    steps: Steps,
    fixed_ms: Option<i64>,
    offset_ms: i64,
}

impl Clock {
    pub(super) fn time_ms(&self, step: usize) -> i64 {
        self.fixed_ms.unwrap_or_else(|| self.steps.time_ms(step)) - self.offset_ms
    }

    /// Whether every step looks at the same time.
    pub(super) fn is_fixed(&self) -> bool {
        self.fixed_ms.is_some()
    }

    pub(super) fn first_ms(&self) -> i64 {
        self.time_ms(0)
    }

    pub(super) fn last_ms(&self) -> i64 {
        self.time_ms(self.steps.count.saturating_sub(1))
    }
}

/// What is taken of the newest sample.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Take {
    Value,
    /// Its time, in seconds.
    Time,
    /// Its start, in seconds.
    Start,
}

impl Evaluation<'_> {
    pub(super) fn clock(&self, shift: Shift, steps: Steps) -> Clock {
        let fixed_ms = shift.at.map(|at| match at {
            At::Time(time_ms) => time_ms,
            At::QueryStart => self.query.start_ms,
            At::QueryEnd => self.query.end_ms,
        });
        Clock { steps, fixed_ms, offset_ms: shift.offset_ms }
    }

    /// Reads the series that match, with their samples after the first time and until the second.
    pub(super) fn read(
        &self,
        selector: &Selector,
        bounds_ms: (i64, i64),
        each: &mut dyn FnMut(&mut SeriesBuffer) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let request = SelectRequest {
            matchers: selector.matchers.clone(),
            range: range(bounds_ms),
            values: selector.values.clone(),
            max_samples: self.limits.max_samples.saturating_sub(self.samples_read.get()),
            cancel: self.cancel.clone(),
        };
        if self.store.rollups_stand_in(request.range) {
            let text = "older samples than are kept: the last value of each 5m stands in for them";
            self.notes.borrow_mut().info_of_query(text, Place::default());
        }
        let mut cursor = self.store.select(&request)?;
        let mut buffer = SeriesBuffer::default();
        let mut series = 0;
        while cursor.next_series(&mut buffer)? {
            self.check()?;
            series += 1;
            let beside = buffer.histograms.size_bytes() + buffer.starts.size_bytes();
            self.count_read(series, buffer.times_ms.len() + beside / size_of::<Sample>())?;
            each(&mut buffer)?;
        }
        Ok(())
    }

    pub(super) fn lookback_ms(&self) -> i64 {
        i64::try_from(self.limits.lookback.0.as_millis()).unwrap_or(i64::MAX / 4)
    }

    pub(super) fn count_read(&self, series: u64, samples: usize) -> Result<(), Error> {
        let read = self.samples_read.get().saturating_add(samples as u64);
        self.samples_read.set(read);
        if let Some(costs) = self.costs {
            costs.note_read(samples as u64);
        }
        let (max_series, max_samples) = (self.limits.max_series, self.limits.max_samples);
        if series > max_series {
            return Err(Error::LimitReached(format!(
                "a selector matches more than {max_series} series (promql.max_series); add matchers"
            )));
        }
        if read > max_samples {
            return Err(Error::LimitReached(format!(
                "the query reads more than {max_samples} samples (promql.max_samples); \
                 add matchers or ask for a shorter range"
            )));
        }
        Ok(())
    }

    pub(super) fn select_values(
        &self,
        selector: &Selector,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        // Without a range, `anchored` changes nothing.
        if selector.extension == Some(Extension::Smoothed) {
            return self.select_smoothed(selector, steps, sink);
        }
        let clock = self.clock(selector.shift, steps);
        let windows = Windows::of_selector(clock, self.lookback_ms(), steps);
        let only = match self.select_rollups(selector, windows, steps, sink)? {
            Rolled::Everything => return Ok(()),
            Rolled::AllBut(labels) => Some(labels),
            Rolled::Nothing => None,
        };
        self.select(selector, steps, Take::Value, only.as_ref(), sink)
    }

    /// The time of each sample that [`Self::select_values`] would give; as that is no value of the metric, the
    /// name goes.
    pub(super) fn select_times(
        &self,
        selector: &Selector,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        self.select(selector, steps, Take::Time, None, &mut |series| {
            series.drop_name = true;
            sink(series)
        })
    }

    /// Since when each sample counts that [`Self::select_values`] would give.
    pub(super) fn select_starts(
        &self,
        selector: &Selector,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        self.select(selector, steps, Take::Start, None, &mut |series| {
            series.drop_name = true;
            sink(series)
        })
    }

    fn select(
        &self,
        selector: &Selector,
        steps: Steps,
        take: Take,
        only: Option<&HashSet<Labels>>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let clock = self.clock(selector.shift, steps);
        let lookback_ms = self.lookback_ms();
        let bounds = (clock.first_ms() - lookback_ms, clock.last_ms());
        let mut series = StepSeries::new(Labels::empty(), steps);
        self.read(selector, bounds, &mut |buffer| {
            if only.is_some_and(|only| !only.contains(&buffer.labels)) {
                return Ok(());
            }
            series.clear(steps);
            series.drop_name = false;
            let takes_values = take == Take::Value;
            if takes_values && selector.finds_resets {
                series.histograms = decode_series(buffer, true)?;
            }
            let mut seen = Edge::default();
            let mut found = false;
            for (step, value) in series.values.iter_mut().enumerate() {
                let time_ms = clock.time_ms(step);
                let Some(newest) = seen.after(&buffer.times_ms, time_ms).checked_sub(1) else { continue };
                if buffer.times_ms[newest] > time_ms - lookback_ms && !is_stale(buffer.values[newest]) {
                    *value = match take {
                        Take::Value => buffer.values[newest],
                        Take::Time => buffer.times_ms[newest] as f64 / 1000.0,
                        Take::Start => buffer.starts.at(buffer.times_ms[newest]) as f64 / 1000.0,
                    };
                    found = true;
                }
            }
            if !found {
                return Ok(());
            }
            if takes_values && !selector.finds_resets {
                series.histograms = decode(&mut series.values, &buffer.histograms)?;
            }
            series.labels = buffer.labels.clone();
            sink(&mut series)
        })
    }
}
