//! The steps of a query, and one series' values at all of them.

use std::sync::Arc;

use model::histogram::{histogram_place, histogram_value};
use model::{Histogram, Labels};

/// What stands where a series has no value: the staleness marker. It is a signalling NaN, which no
/// arithmetic makes of other values and no selector lets through, so flat arrays need no mask beside
/// them.
pub(crate) const ABSENT: f64 = model::STALE_NAN;

/// Whether a value of a step is there.
pub(crate) fn is_present(value: f64) -> bool {
    !model::is_stale(value)
}

/// The times at which an expression is evaluated, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) start_ms: i64,
    pub(crate) step_ms: i64,
    pub(crate) count: usize,
}

impl Steps {
    /// The steps from `start_ms` to `end_ms`, both included; none when the end is before the start.
    pub(crate) fn between(start_ms: i64, end_ms: i64, step_ms: i64) -> Self {
        let step_ms = step_ms.max(1);
        let count = if end_ms < start_ms { 0 } else { (end_ms - start_ms) / step_ms + 1 };
        Self { start_ms, step_ms, count: usize::try_from(count).unwrap_or(usize::MAX) }
    }

    /// One step.
    pub(crate) fn once(time_ms: i64) -> Self {
        Self { start_ms: time_ms, step_ms: 1, count: 1 }
    }

    pub(crate) fn time_ms(&self, step: usize) -> i64 {
        self.start_ms + self.step_ms * step as i64
    }

    pub(crate) fn times_ms(self) -> impl Iterator<Item = i64> {
        (0..self.count).map(move |step| self.time_ms(step))
    }
}

/// One series at all steps. A consumer may take the arrays away; a producer sets them anew.
///
/// In one stream the same labels may come twice, but never with values at the same step.
#[derive(Clone, Debug)]
pub(crate) struct StepSeries {
    pub(crate) labels: Labels,
    /// The name is still there for grouping and relabelling but is not part of the answer.
    pub(crate) drop_name: bool,
    /// One value for each step; [`ABSENT`] where there is none. One that stands for a histogram says its place in
    /// `histograms` and must not get into arithmetic.
    pub(crate) values: Vec<f64>,
    /// The histograms that values stand for. Nearly all series have none.
    pub(crate) histograms: Vec<Arc<Histogram>>,
}

/// What a series has at a step.
#[derive(Clone, Debug)]
pub(crate) enum Point {
    Number(f64),
    Histogram(Arc<Histogram>),
}

impl Point {
    /// What a value is, with the histograms that lie beside it.
    pub(crate) fn of(value: f64, histograms: &[Arc<Histogram>]) -> Self {
        match histogram_at(value, histograms) {
            Some(histogram) => Self::Histogram(Arc::clone(histogram)),
            None => Self::Number(value),
        }
    }
}

/// The histogram that a value stands for, if it does.
pub(crate) fn histogram_at(value: f64, histograms: &[Arc<Histogram>]) -> Option<&Arc<Histogram>> {
    histograms.get(histogram_place(value)? as usize)
}

/// How many values take as much memory as a histogram.
pub(crate) fn histogram_in_values(histogram: &Histogram) -> usize {
    histogram.size_bytes() / size_of::<f64>()
}

impl StepSeries {
    pub(crate) fn new(labels: Labels, steps: Steps) -> Self {
        Self::of_numbers(labels, vec![ABSENT; steps.count])
    }

    /// A series that has no histograms.
    pub(crate) fn of_numbers(labels: Labels, values: Vec<f64>) -> Self {
        Self { labels, drop_name: false, values, histograms: Vec::new() }
    }

    /// Makes all steps absent.
    pub(crate) fn clear(&mut self, steps: Steps) {
        self.values.clear();
        self.values.resize(steps.count, ABSENT);
        self.histograms.clear();
    }

    pub(crate) fn has_histograms(&self) -> bool {
        !self.histograms.is_empty()
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.values.iter().any(|value| is_present(*value))
    }

    /// The arrays, leaving empty ones behind.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            labels: self.labels.clone(),
            drop_name: self.drop_name,
            values: std::mem::take(&mut self.values),
            histograms: std::mem::take(&mut self.histograms),
        }
    }

    /// How many values take as much memory as those of the series.
    pub(crate) fn size_in_values(&self) -> usize {
        let histograms = self.histograms.iter().map(|histogram| histogram_in_values(histogram));
        self.values.len() + histograms.sum::<usize>()
    }

    /// What there is at a step.
    pub(crate) fn point(&self, step: usize) -> Option<Point> {
        let value = self.values[step];
        is_present(value).then(|| Point::of(value, &self.histograms))
    }

    /// Sets what there is at a step.
    pub(crate) fn set(&mut self, step: usize, point: Point) {
        self.values[step] = match point {
            Point::Number(number) => number,
            Point::Histogram(histogram) => {
                // The same one comes at many steps, one after the other.
                if self.histograms.last().is_none_or(|last| !Arc::ptr_eq(last, &histogram)) {
                    self.histograms.push(histogram);
                }
                histogram_value((self.histograms.len() - 1) as u32)
            }
        };
    }

    /// The steps that have a number, with it.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let has_histograms = self.has_histograms();
        self.present().filter(move |(_, value)| !has_histograms || histogram_place(*value).is_none())
    }

    /// The steps that have a histogram, with it.
    pub(crate) fn present_histograms(&self) -> impl Iterator<Item = (usize, &Arc<Histogram>)> + '_ {
        let values = self.values.iter().enumerate();
        values.filter_map(|(step, value)| Some((step, histogram_at(*value, &self.histograms)?)))
    }

    /// The steps that have a value, with it; one that stands for a histogram among them.
    pub(crate) fn present(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.values.iter().copied().enumerate().filter(|(_, value)| is_present(*value))
    }

    /// Replaces each number by what `change` makes of it. Histograms go.
    pub(crate) fn map(&mut self, mut change: impl FnMut(usize, f64) -> f64) {
        self.drop_histograms();
        for (step, value) in self.values.iter_mut().enumerate() {
            if is_present(*value) {
                *value = change(step, *value);
            }
        }
    }

    /// Replaces each value, a histogram too, by a number.
    pub(crate) fn map_all(&mut self, number: impl Fn(usize) -> f64) {
        self.histograms.clear();
        for (step, value) in self.values.iter_mut().enumerate().filter(|(_, value)| is_present(**value)) {
            *value = number(step);
        }
    }

    /// Replaces each histogram by a number. Numbers go.
    pub(crate) fn map_histograms(&mut self, number: impl Fn(usize, &Histogram) -> f64) {
        let histograms = std::mem::take(&mut self.histograms);
        for (step, value) in self.values.iter_mut().enumerate() {
            *value = histogram_at(*value, &histograms).map_or(ABSENT, |histogram| number(step, histogram));
        }
    }

    /// Takes all histograms out.
    pub(crate) fn drop_histograms(&mut self) {
        if self.has_histograms() {
            let is_histogram = |value: &f64| histogram_place(*value).is_some();
            self.values.iter_mut().filter(|value| is_histogram(value)).for_each(|value| *value = ABSENT);
            self.histograms.clear();
        }
    }

    /// Keeps values only at certain steps.
    pub(crate) fn keep(&mut self, is_kept: impl Fn(usize) -> bool) {
        let values = self.values.iter_mut().enumerate();
        values.filter(|(step, _)| !is_kept(*step)).for_each(|(_, value)| *value = ABSENT);
    }
}

/// A set of steps.
#[derive(Clone, Debug)]
pub(crate) struct StepMask(Vec<u64>);

impl StepMask {
    pub(crate) fn new(steps: Steps) -> Self {
        Self(vec![0; steps.count.div_ceil(64)])
    }

    /// Adds a step; `false` when it was there already.
    pub(crate) fn insert(&mut self, step: usize) -> bool {
        let (word, bit) = (&mut self.0[step / 64], 1 << (step % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    pub(crate) fn contains(&self, step: usize) -> bool {
        self.0[step / 64] & (1 << (step % 64)) != 0
    }

    /// How many values of a series take as much memory.
    pub(crate) fn size_in_values(steps: Steps) -> usize {
        steps.count.div_ceil(64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_include_both_ends() {
        let steps = Steps::between(10, 30, 10);
        assert_eq!(steps.times_ms().collect::<Vec<_>>(), [10, 20, 30]);
        assert_eq!(Steps::between(10, 29, 10).count, 2);
        assert_eq!(Steps::between(10, 9, 10).count, 0);
    }

    #[test]
    fn arithmetic_never_makes_an_absent_value_of_others() {
        let zero = std::hint::black_box(0.0);
        let results =
            [zero / zero, f64::NAN - zero, f64::INFINITY - f64::INFINITY, (-1.0f64).sqrt(), -f64::NAN];
        assert!(results.into_iter().all(is_present));
        assert!(!is_present(ABSENT));
    }
}
