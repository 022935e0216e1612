//! The samples of one series in memory, packed as they come.
//!
//! A sample in order is added at the end of a run of bytes: how its step in time differs from the step
//! before, and the bytes of its value that differ from the value before. So a sample takes 1 to 10 bytes
//! instead of 16, and an append touches one place in memory. Samples out of order are few; they wait in a
//! sorted list beside the run ([`late`](super::late)), and are worked into it when there are many.

use model::Sample;

use crate::head::late::Late;
use crate::head::runs::{MAX_APPEND_BYTES, Run, Runs};
use crate::varint;

/// Set in the describing byte when the step in time is the one before. The low four bits say how many
/// bytes of the value follow, the three between how many zero bytes lie below them.
const SAME_STEP: u8 = 0x80;

/// What became of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    Stored,
    Duplicate,
    TooOld,
}

/// The samples of a series, in ascending time and without doubles. There is one for each series, with
/// samples or without. The bytes lie in the [`Runs`] of its shard, the same at each call.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    /// Empty when there is no sample.
    run: Run,
    first_ms: i64,
    last_ms: i64,
    step_ms: i64,
    last_bits: u64,
    /// Few series have any.
    late: Option<Box<Late>>,
}

impl Packed {
    /// Adds a sample, unless there is one at its time or it is older than the newest by more than
    /// `out_of_order_ms`.
    pub(crate) fn insert(&mut self, runs: &mut Runs, sample: Sample, out_of_order_ms: i64) -> Inserted {
        if sample.time_ms > self.last_ms || self.run.is_empty() {
            self.push(runs, sample);
            Inserted::Stored
        } else if sample.time_ms == self.last_ms {
            Inserted::Duplicate
        } else if sample.time_ms < self.last_ms.saturating_sub(out_of_order_ms) {
            Inserted::TooOld
        } else {
            self.insert_late(runs, sample)
        }
    }

    /// The newest sample.
    pub(crate) fn newest(&self) -> Option<Sample> {
        let value = f64::from_bits(self.last_bits);
        (!self.run.is_empty()).then_some(Sample { time_ms: self.last_ms, value })
    }

    #[inline]
    fn push(&mut self, runs: &mut Runs, sample: Sample) {
        let bits = sample.value.to_bits();
        let xor = bits ^ self.last_bits;
        let below = if xor == 0 { 0 } else { xor.trailing_zeros() / 8 };
        let middle = xor >> (8 * below);
        let bytes = 8 - middle.leading_zeros() / 8;
        let is_first = self.run.is_empty();
        // The first step is the time itself, so that a run can be read from its beginning.
        let step = sample.time_ms.wrapping_sub(self.last_ms);
        let change = step.wrapping_sub(self.step_ms);
        let describing = (below << 4 | bytes) as u8;
        let mut packed = [0; MAX_APPEND_BYTES];
        let mut length = 1;
        if change == 0 {
            packed[0] = describing | SAME_STEP;
        } else {
            packed[0] = describing;
            length += varint::write_signed(&mut packed[1..], change);
        }
        packed[length..length + 8].copy_from_slice(&middle.to_le_bytes());
        runs.append(&mut self.run, &packed, length + bytes as usize);
        if is_first {
            self.first_ms = sample.time_ms;
            self.step_ms = 0;
        } else {
            self.step_ms = step;
        }
        self.last_ms = sample.time_ms;
        self.last_bits = bits;
        if let Some(late) = &mut self.late {
            late.went_on(sample.time_ms);
        }
    }

    #[cold]
    fn insert_late(&mut self, runs: &mut Runs, sample: Sample) -> Inserted {
        let Err(place) = self.late().binary_search_by_key(&sample.time_ms, |late| late.time_ms) else {
            return Inserted::Duplicate;
        };
        let mut late = self.late.take().unwrap_or_default();
        let is_known = late.is_in_run(sample.time_ms, || {
            let run = self.bytes_of_run(runs);
            Samples::new(&run).map(|one| one.time_ms).collect()
        });
        if !is_known {
            late.insert(place, sample);
        }
        let is_full = late.is_full();
        self.late = Some(late);
        if is_full {
            self.work_in_late(runs);
        }
        if is_known { Inserted::Duplicate } else { Inserted::Stored }
    }

    fn late(&self) -> &[Sample] {
        self.late.as_ref().map_or(&[], |late| late.samples())
    }

    /// Writes the run anew, with what waited beside it.
    fn work_in_late(&mut self, runs: &mut Runs) {
        let (mut times, mut values) = (Vec::new(), Vec::new());
        self.read(runs, (i64::MIN, i64::MAX), &mut times, &mut values);
        let late = self.late.take().map(|late| late.worked_in(&times));
        *self = Self { run: self.run.emptied(), ..Self::default() };
        for (time_ms, value) in times.into_iter().zip(values) {
            self.push(runs, Sample { time_ms, value });
        }
        self.late = late;
    }

    fn bytes_of_run(&self, runs: &Runs) -> Vec<u8> {
        let mut bytes = Vec::new();
        runs.read(self.run, &mut bytes);
        bytes
    }

    /// Adds the samples between two times, both included.
    pub(crate) fn read(
        &self,
        runs: &Runs,
        (start, end): (i64, i64),
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) {
        let Some((first, last)) = self.ends() else { return };
        if first > end || last < start {
            return;
        }
        let mut late = self.late().iter().skip_while(|one| one.time_ms < start).peekable();
        let mut take = |sample: Sample| {
            times.push(sample.time_ms);
            values.push(sample.value);
        };
        for sample in Samples::new(&self.bytes_of_run(runs)) {
            if sample.time_ms < start {
                continue;
            }
            while let Some(late) =
                late.next_if(|late| late.time_ms < sample.time_ms.min(end.saturating_add(1)))
            {
                take(*late);
            }
            if sample.time_ms > end {
                return;
            }
            take(sample);
        }
    }

    /// The times of the first and the last sample.
    pub(crate) fn ends(&self) -> Option<(i64, i64)> {
        let first = self.late().first().map(|first| first.time_ms);
        (!self.run.is_empty())
            .then(|| (first.map_or(self.first_ms, |first| first.min(self.first_ms)), self.last_ms))
    }

    /// Whether there is a sample between two times, both included.
    pub(crate) fn overlaps(&self, runs: &Runs, (start, end): (i64, i64)) -> bool {
        let Some((first, last)) = self.ends() else { return false };
        let inside = |time: i64| start <= time && time <= end;
        if inside(first) || inside(last) {
            return true;
        }
        let may = first < end && start < last;
        may && (Samples::new(&self.bytes_of_run(runs)).any(|one| inside(one.time_ms))
            || self.late().iter().any(|one| inside(one.time_ms)))
    }

    /// Memory beside the struct itself and the run.
    pub(crate) fn late_bytes(&self) -> usize {
        self.late.as_ref().map_or(0, |late| late.bytes())
    }

    /// Has the end of the run near when the next sample comes.
    #[inline]
    pub(crate) fn touch(&self, runs: &Runs) -> u8 {
        runs.touch(self.run)
    }
}

/// The samples of a run.
struct Samples<'a> {
    rest: &'a [u8],
    time_ms: i64,
    step_ms: i64,
    bits: u64,
    is_first: bool,
}

impl<'a> Samples<'a> {
    fn new(run: &'a [u8]) -> Self {
        Self { rest: run, time_ms: 0, step_ms: 0, bits: 0, is_first: true }
    }
}

impl Iterator for Samples<'_> {
    type Item = Sample;

    #[inline]
    fn next(&mut self) -> Option<Sample> {
        let (describing, rest) = self.rest.split_first()?;
        self.rest = rest;
        if describing & SAME_STEP == 0 {
            let change = varint::take_signed(&mut self.rest)?;
            self.step_ms = self.step_ms.wrapping_add(change);
        }
        self.time_ms = self.time_ms.wrapping_add(self.step_ms);
        if self.is_first {
            self.is_first = false;
            self.step_ms = 0;
        }
        let bytes = usize::from(describing & 0xf);
        let below = u32::from(describing >> 4 & 0x7);
        let middle = match self.rest.first_chunk::<8>() {
            // Most of the time there is more behind it, and one load is enough.
            Some(word) if bytes > 0 => u64::from_le_bytes(*word) & (u64::MAX >> (64 - 8 * bytes)),
            _ => {
                let mut word = [0; 8];
                word[..bytes].copy_from_slice(self.rest.get(..bytes)?);
                u64::from_le_bytes(word)
            }
        };
        self.rest = self.rest.get(bytes..)?;
        self.bits ^= middle << (8 * below);
        Some(Sample { time_ms: self.time_ms, value: f64::from_bits(self.bits) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use model::STALE_NAN;
    use proptest::prelude::*;

    fn all(packed: &Packed, runs: &Runs, range: (i64, i64)) -> Vec<(i64, u64)> {
        let (mut times, mut values) = (Vec::new(), Vec::new());
        packed.read(runs, range, &mut times, &mut values);
        times.into_iter().zip(values).map(|(time, value)| (time, value.to_bits())).collect()
    }

    #[test]
    fn a_sample_of_a_regular_counter_takes_a_quarter_of_its_plain_size() {
        let (mut packed, mut runs) = (Packed::default(), Runs::default());
        for step in 0..480 {
            let sample = Sample { time_ms: 1_760_000_000_000 + step * 15_000, value: (step * 37) as f64 };
            assert_eq!(packed.insert(&mut runs, sample, i64::MAX), Inserted::Stored);
        }
        assert!(runs.bytes() < 480 * 4, "{}", runs.bytes());
        assert_eq!(size_of::<Packed>(), 56);
    }

    #[test]
    fn old_samples_and_doubles_are_told_apart() {
        let (mut packed, mut runs) = (Packed::default(), Runs::default());
        let mut insert = |time_ms| packed.insert(&mut runs, Sample { time_ms, value: 1.0 }, 10);
        assert_eq!([insert(10), insert(20)], [Inserted::Stored; 2]);
        assert_eq!([insert(20), insert(10)], [Inserted::Duplicate; 2]);
        assert_eq!(insert(9), Inserted::TooOld);
        assert_eq!([insert(12), insert(12)], [Inserted::Stored, Inserted::Duplicate]);
        assert_eq!(all(&packed, &runs, (i64::MIN, i64::MAX)).len(), 3);
    }

    #[test]
    fn a_long_series_that_is_sent_again_and_backwards_keeps_the_first_of_each_time() {
        let (mut packed, mut runs) = (Packed::default(), Runs::default());
        let mut insert = |time_ms, value| packed.insert(&mut runs, Sample { time_ms, value }, i64::MAX);
        let times = || (0..60_000).map(|step| step * 10);
        assert!(times().all(|time| insert(time, 1.0) == Inserted::Stored));
        assert!(times().all(|time| insert(time, 2.0) == Inserted::Duplicate));
        assert!(times().rev().skip(1).all(|time| insert(time + 5, 3.0) == Inserted::Stored));
        assert!(times().all(|time| insert(1_000_000 + time, 4.0) != Inserted::TooOld));
        assert!(times().rev().skip(1).all(|time| insert(time + 5, 5.0) == Inserted::Duplicate));
        let mut expected: BTreeMap<i64, u64> =
            times().map(|time| (1_000_000 + time, 4f64.to_bits())).collect();
        expected.extend(times().rev().skip(1).map(|time| (time + 5, 3f64.to_bits())));
        expected.extend(times().map(|time| (time, 1f64.to_bits())));
        assert_eq!(all(&packed, &runs, (i64::MIN, i64::MAX)), expected.into_iter().collect::<Vec<_>>());
    }

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            (-1000i64..1000).prop_map(|value| value as f64),
            Just(STALE_NAN),
            Just(-0.0),
        ]
    }

    proptest! {
        #[test]
        fn samples_in_any_order_come_back_sorted_with_the_first_of_each_time(
            samples in proptest::collection::vec((prop_oneof![-300i64..300, -(1i64 << 61)..1 << 61], any_value()), 0..400),
            start in prop_oneof![-310i64..310, Just(i64::MIN)],
            end in prop_oneof![-310i64..310, Just(i64::MAX)],
        ) {
            let (mut packed, mut runs) = (Packed::default(), Runs::default());
            let mut expected: BTreeMap<i64, u64> = BTreeMap::new();
            for (time_ms, value) in samples {
                let known = expected.contains_key(&time_ms);
                let inserted = packed.insert(&mut runs, Sample { time_ms, value }, i64::MAX);
                prop_assert_eq!(inserted == Inserted::Duplicate, known);
                expected.entry(time_ms).or_insert(value.to_bits());
            }
            let inside: Vec<(i64, u64)> = if start <= end {
                expected.range(start..=end).map(|(time, bits)| (*time, *bits)).collect()
            } else {
                Vec::new()
            };
            prop_assert_eq!(packed.overlaps(&runs, (start, end)), !inside.is_empty());
            prop_assert_eq!(all(&packed, &runs, (start, end)), inside);
            let ends = expected.first_key_value().zip(expected.last_key_value());
            prop_assert_eq!(packed.ends(), ends.map(|(first, last)| (*first.0, *last.0)));
        }
    }
}
