//! The times of a column, unpacked, in half the memory that they take in an answer. They are copied once for each
//! series that shares them, and are to stay in a processor's cache meanwhile.

use std::ops::Range;

/// Times of samples in milliseconds.
#[derive(Debug)]
pub(super) enum Times {
    /// How long after the first each of them is.
    Near { first_ms: i64, after_ms: Box<[u32]> },
    /// More than seven weeks lie between them.
    Far(Box<[i64]>),
}

impl Times {
    pub(super) fn of(all: &[i64]) -> Self {
        let first_ms = all.first().copied().unwrap_or_default();
        let after = |time_ms: &i64| u32::try_from(time_ms.wrapping_sub(first_ms)).ok();
        match all.iter().map(after).collect() {
            Some(after_ms) => Self::Near { first_ms, after_ms },
            None => Self::Far(all.into()),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Near { after_ms, .. } => after_ms.len(),
            Self::Far(all) => all.len(),
        }
    }

    /// The memory that they take.
    pub(super) fn size_bytes(&self) -> usize {
        match self {
            Self::Near { after_ms, .. } => size_of_val::<[u32]>(after_ms),
            Self::Far(all) => size_of_val::<[i64]>(all),
        }
    }

    /// The one at a place.
    pub(super) fn at(&self, place: usize) -> Option<i64> {
        match self {
            Self::Near { first_ms, after_ms } => {
                after_ms.get(place).map(|after| first_ms.wrapping_add(i64::from(*after)))
            }
            Self::Far(all) => all.get(place).copied(),
        }
    }

    /// The places of those between two times, both included.
    pub(super) fn between(&self, (from_ms, to_ms): (i64, i64)) -> Range<usize> {
        let end = self.place_of_first(|time_ms| time_ms > to_ms);
        let start = self.place_of_first(|time_ms| time_ms >= from_ms);
        start.min(end)..end
    }

    fn place_of_first(&self, is_behind: impl Fn(i64) -> bool) -> usize {
        match self {
            Self::Near { first_ms, after_ms } => {
                after_ms.partition_point(|after| !is_behind(first_ms.wrapping_add(i64::from(*after))))
            }
            Self::Far(all) => all.partition_point(|time_ms| !is_behind(*time_ms)),
        }
    }

    /// Adds those at some places; `None` when there are not so many.
    pub(super) fn add_to(&self, places: Range<usize>, into: &mut Vec<i64>) -> Option<()> {
        match self {
            Self::Near { first_ms, after_ms } => {
                let wanted = after_ms.get(places)?;
                into.extend(wanted.iter().map(|after| first_ms.wrapping_add(i64::from(*after))));
            }
            Self::Far(all) => into.extend_from_slice(all.get(places)?),
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_whole_and_in_part_however_far_they_lie_apart() {
        let near: Vec<i64> = (0..100).map(|place| 1_754_083_800_000 + place * 15_000).collect();
        let far = vec![i64::MIN, -1, 0, 1 << 40, i64::MAX];
        for (all, bytes) in [(near, 400), (far, 40), (vec![7], 4), (Vec::new(), 0)] {
            let times = Times::of(&all);
            assert_eq!((times.len(), times.size_bytes()), (all.len(), bytes));
            let one_by_one: Vec<i64> = (0..).map_while(|place| times.at(place)).collect();
            assert_eq!(one_by_one, all);
            for start in 0..all.len() {
                for end in start..all.len() {
                    let places = start..end + 1;
                    assert_eq!(times.between((all[start], all[end])), places);
                    let mut some = vec![3];
                    times.add_to(places.clone(), &mut some).expect("times");
                    assert_eq!(some[1..], all[places]);
                }
            }
            assert_eq!(times.add_to(0..all.len() + 1, &mut Vec::new()), None);
        }
    }

    #[test]
    fn between_times_of_which_there_are_none_lies_nothing() {
        let times = Times::of(&[10, 20, 30]);
        for between in [(11, 19), (31, 40), (0, 9), (25, 15)] {
            assert!(times.between(between).is_empty(), "{between:?}");
        }
    }
}
