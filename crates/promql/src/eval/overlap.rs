//! What the windows of one run share. Windows that overlap would be gone over again at each step: what can be
//! said about a part of the run is said once, and each window puts parts together.

use super::window::Run;
use crate::plan::WindowFunction;
use crate::sums::{Extreme, KahanSum, Mean};

/// How many samples are summed up together.
const PART: usize = 16;

/// From how many samples in the mean window on parts are worth their making.
const WORTH_PARTS: usize = 2 * PART;

/// What was said about a run, in arrays that are used again for the next one.
pub(super) struct Overlap {
    function: WindowFunction,
    values_seen: usize,
    /// The places of values that differ from the one before as the function counts them, ascending.
    marks: Vec<usize>,
    parts: Parts,
}

enum Parts {
    None,
    Sums(Vec<KahanSum>),
    Least(Vec<f64>),
    Greatest(Vec<f64>),
}

impl Overlap {
    pub(super) fn new(function: WindowFunction) -> Self {
        use WindowFunction as F;
        let parts = match function {
            F::Sum | F::Average => Parts::Sums(Vec::new()),
            F::Minimum => Parts::Least(Vec::new()),
            F::Maximum => Parts::Greatest(Vec::new()),
            _ => Parts::None,
        };
        Self { function, values_seen: 0, marks: Vec::new(), parts }
    }

    /// Looks at the values of a run, whose windows have `window_values` together.
    pub(super) fn look_at(&mut self, values: &[f64], window_values: usize, windows: usize) {
        use WindowFunction as F;
        self.marks.clear();
        match self.function {
            F::Rate | F::Increase | F::Resets => {
                marks(values, |before, after| after < before, &mut self.marks);
            }
            F::Changes => marks(values, is_change, &mut self.marks),
            _ => {}
        }
        let overlap = window_values > 2 * values.len() && window_values > WORTH_PARTS * windows;
        self.values_seen = if overlap { values.len() } else { 0 };
        if !overlap {
            return;
        }
        match &mut self.parts {
            Parts::None => {}
            Parts::Sums(parts) => fill(parts, values, KahanSum::of),
            Parts::Least(parts) => fill(parts, values, Extreme::<false>::of),
            Parts::Greatest(parts) => fill(parts, values, Extreme::<true>::of),
        }
    }

    /// As [`Self::look_at`], with the windows by their places.
    pub(super) fn look_at_windows(&mut self, values: &[f64], places: &[(usize, usize)]) {
        self.look_at(values, places.iter().map(|(first, end)| end - first).sum(), places.len());
    }

    /// The same for a run of which is known when it began; of a counter that marks where it did.
    pub(super) fn look_at_run(&mut self, run: &Run<'_>, places: &[(usize, usize)]) {
        use WindowFunction as F;
        self.look_at_windows(run.values, places);
        if !run.starts.is_empty() && matches!(self.function, F::Rate | F::Increase | F::Resets) {
            let began = (1..run.values.len()).filter(|place| run.began_again(*place));
            self.marks.extend(began);
            self.marks.sort_unstable();
            self.marks.dedup();
        }
    }

    /// The marks between two samples of the window from `first` to before `end`.
    pub(super) fn marks(&self, first: usize, end: usize) -> &[usize] {
        if self.marks.is_empty() {
            return &[];
        }
        let from = self.marks.partition_point(|place| *place <= first);
        let to = self.marks.partition_point(|place| *place < end);
        &self.marks[from..to]
    }

    /// The answer for the window from `first` to before `end`, of a function whose parts were summed up.
    pub(super) fn folded(&self, values: &[f64], first: usize, end: usize) -> f64 {
        // Without parts all of a window is a rest.
        let parts = if self.values_seen == values.len() { end / PART } else { 0 };
        let (from, to) = (first.div_ceil(PART), parts);
        let (head, tail) = if from < to { (from * PART, to * PART) } else { (end, end) };
        let (head, tail, inner) = (&values[first..head], &values[tail..end], from..to.max(from));
        match &self.parts {
            Parts::Sums(parts) => {
                let inner = parts.get(inner).unwrap_or_default();
                let sum = inner
                    .iter()
                    .fold(KahanSum::of(head), |sum, part| sum.joined(*part))
                    .joined(KahanSum::of(tail));
                if self.function == WindowFunction::Sum {
                    return sum.total();
                }
                let mean = sum.total() / (end - first) as f64;
                if mean.is_finite() { sum.mean((end - first) as f64) } else { Mean::of(&values[first..end]) }
            }
            Parts::Least(parts) => extreme::<false>(head, parts.get(inner).unwrap_or_default(), tail),
            Parts::Greatest(parts) => extreme::<true>(head, parts.get(inner).unwrap_or_default(), tail),
            Parts::None => f64::NAN,
        }
    }
}

/// Sums up each whole part.
fn fill<T>(parts: &mut Vec<T>, values: &[f64], sum: impl Fn(&[f64]) -> T) {
    parts.clear();
    parts.extend(values.chunks_exact(PART).map(sum));
}

fn extreme<const GREATEST: bool>(head: &[f64], parts: &[f64], tail: &[f64]) -> f64 {
    let mut best = Extreme::<GREATEST>::EMPTY;
    for values in [head, parts, tail].into_iter().filter(|values| !values.is_empty()) {
        best.add(Extreme::<GREATEST>::of(values));
    }
    best.value()
}

fn is_change(before: f64, after: f64) -> bool {
    before != after && !(before.is_nan() && after.is_nan())
}

/// Finds the places of values that differ from the one before. Most runs have few: sixty-four are asked at once.
fn marks(values: &[f64], differs: impl Fn(f64, f64) -> bool, found: &mut Vec<usize>) {
    const AT_ONCE: usize = 64;
    let Some((_, after)) = values.split_first() else { return };
    let mut place = 1;
    for (before, after) in values.chunks(AT_ONCE).zip(after.chunks(AT_ONCE)) {
        let pairs = before.iter().zip(after);
        let any = pairs.clone().fold(false, |any, (before, after)| any | differs(*before, *after));
        if any {
            let places = pairs.enumerate().filter(|(_, (before, after))| differs(**before, **after));
            found.extend(places.map(|(at, _)| place + at));
        }
        place += AT_ONCE;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers() -> impl Strategy<Value = Vec<f64>> {
        let number = prop_oneof![
            8 => (-1000i32..1000).prop_map(|number| f64::from(number) / 8.0),
            1 => Just(f64::NAN),
            1 => Just(f64::INFINITY),
            1 => Just(f64::NEG_INFINITY),
        ];
        prop::collection::vec(number, 1..200)
    }

    /// What the window gives when it is gone over by itself.
    fn alone(function: WindowFunction, values: &[f64]) -> f64 {
        let mut overlap = Overlap::new(function);
        overlap.look_at(values, values.len(), 1);
        overlap.folded(values, 0, values.len())
    }

    fn same(a: f64, b: f64) -> bool {
        a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
    }

    proptest! {
        #[test]
        fn parts_give_what_whole_windows_give(values in numbers(), places in prop::collection::vec((0usize..200, 0usize..200), 20)) {
            for function in [WindowFunction::Sum, WindowFunction::Average, WindowFunction::Minimum, WindowFunction::Maximum] {
                let mut overlap = Overlap::new(function);
                overlap.look_at(&values, usize::MAX, 1);
                for (from, length) in &places {
                    let first = from % values.len();
                    let end = (first + 1 + length).min(values.len());
                    let (shared, alone) = (overlap.folded(&values, first, end), alone(function, &values[first..end]));
                    prop_assert!(same(shared, alone), "{function:?} of {:?}: {shared} and {alone}", &values[first..end]);
                }
            }
        }

        #[test]
        fn marks_are_the_falls_within_a_window(values in numbers(), first in 0usize..200, length in 0usize..200) {
            let mut overlap = Overlap::new(WindowFunction::Resets);
            overlap.look_at(&values, 0, 1);
            let first = first % values.len();
            let end = (first + 1 + length).min(values.len());
            let expected: Vec<usize> = (first + 1..end).filter(|at| values[*at] < values[at - 1]).collect();
            prop_assert_eq!(overlap.marks(first, end), expected);
        }
    }

    #[test]
    fn extremes_prefer_any_number_to_nan() {
        assert_eq!(alone(WindowFunction::Maximum, &[f64::NAN, f64::NEG_INFINITY]), f64::NEG_INFINITY);
        assert_eq!(alone(WindowFunction::Minimum, &[f64::INFINITY, f64::NAN]), f64::INFINITY);
        assert!(alone(WindowFunction::Minimum, &[f64::NAN; 40]).is_nan());
    }
}
