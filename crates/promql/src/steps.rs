//! The steps of a query, and one series' values at all of them.

use model::Labels;

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
    /// One value for each step; [`ABSENT`] where there is none.
    pub(crate) values: Vec<f64>,
}

impl StepSeries {
    pub(crate) fn new(labels: Labels, steps: Steps) -> Self {
        Self { labels, drop_name: false, values: vec![ABSENT; steps.count] }
    }

    /// Makes all steps absent.
    pub(crate) fn clear(&mut self, steps: Steps) {
        self.values.clear();
        self.values.resize(steps.count, ABSENT);
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
        }
    }

    /// The steps that have a value, with it.
    pub(crate) fn present(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.values.iter().copied().enumerate().filter(|(_, value)| is_present(*value))
    }

    /// Replaces each value that is there by what `change` makes of it.
    pub(crate) fn map(&mut self, mut change: impl FnMut(usize, f64) -> f64) {
        for (step, value) in self.values.iter_mut().enumerate() {
            if is_present(*value) {
                *value = change(step, *value);
            }
        }
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
