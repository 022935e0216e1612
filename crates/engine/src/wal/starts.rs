//! The starts of samples in a record: each with the number of samples, one after the other, that have it.

use model::{NO_START, SampleRun};

use crate::varint;

/// Appends the starts of samples.
pub(super) fn put<'a>(runs: impl Iterator<Item = SampleRun<'a>>, into: &mut Vec<u8>) {
    let (mut known, mut count, mut start) = (0i64, 0u64, NO_START);
    let mut end = |count: u64, start: i64| {
        if count == 0 {
            return;
        }
        varint::put(into, count << 1 | u64::from(start != NO_START));
        if start != NO_START {
            varint::put_signed(into, start.wrapping_sub(known));
            known = start;
        }
    };
    for run in runs {
        for (_, next) in run.iter() {
            if next != start {
                end(count, start);
                (count, start) = (0, next);
            }
            count += 1;
        }
    }
    end(count, start);
}

/// What was read of the starts of samples, which are taken one after the other.
#[derive(Default)]
pub(super) struct Told {
    /// How many samples have which start.
    runs: Vec<(u64, i64)>,
    next: usize,
    taken: u64,
}

impl Told {
    /// Reads what [`put`] has written.
    pub(super) fn read(&mut self, mut body: &[u8]) -> Option<()> {
        self.clear();
        let mut known = 0i64;
        while !body.is_empty() {
            let tag = varint::take(&mut body)?;
            let mut start = NO_START;
            if tag & 1 == 1 {
                known = known.wrapping_add(varint::take_signed(&mut body)?);
                start = known;
            }
            self.runs.push((tag >> 1, start));
        }
        Some(())
    }

    /// Whether nothing is told.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The start of the next sample.
    pub(super) fn take(&mut self) -> i64 {
        while let Some((count, start)) = self.runs.get(self.next) {
            if self.taken < *count {
                self.taken += 1;
                return *start;
            }
            (self.next, self.taken) = (self.next + 1, 0);
        }
        NO_START
    }

    /// Forgets what was read.
    pub(super) fn clear(&mut self) {
        self.runs.clear();
        (self.next, self.taken) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Sample;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn starts_come_back_one_for_each_sample(
            series in proptest::collection::vec(
                (proptest::collection::vec(prop_oneof![0i64..3, any::<i64>()], 0..6), any::<bool>()), 0..8),
        ) {
            let samples = [Sample { time_ms: 1, value: 1.0 }; 6];
            let runs = series.iter().map(|(starts, told)| SampleRun {
                samples: &samples[..starts.len()],
                starts: if *told { starts } else { &[] },
            });
            let expected: Vec<i64> = runs.clone().flat_map(|run| run.iter().map(|(_, start)| start).collect::<Vec<_>>()).collect();
            let (mut bytes, mut told) = (Vec::new(), Told::default());
            put(runs, &mut bytes);
            told.read(&bytes).expect("what was written");
            prop_assert_eq!(expected.iter().map(|_| told.take()).collect::<Vec<_>>(), expected);
            prop_assert_eq!(told.take(), NO_START, "there are no more");
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..32)) {
            let mut told = Told::default();
            _ = told.read(&bytes);
            _ = told.take();
        }
    }

    #[test]
    fn samples_of_one_start_take_a_few_bytes_together() {
        let samples = vec![Sample { time_ms: 1, value: 1.0 }; 1000];
        let starts = vec![1_760_000_000_000; 1000];
        let mut bytes = Vec::new();
        put(std::iter::once(SampleRun { samples: &samples, starts: &starts }), &mut bytes);
        assert!(bytes.len() <= 9, "{}", bytes.len());
    }
}
