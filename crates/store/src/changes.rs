//! The history of changes: whether an answer that was given once would be given again.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use model::Timestamp;

/// A point in a store's history. It means something to the store alone that gave it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

/// Changes that are remembered apart; older ones are taken together.
const REMEMBERED: usize = 256;
/// Changes within a minute are one.
const GRAIN_MS: i64 = 60_000;

/// How far back in time samples have changed, and when they did.
///
/// New samples change what is known of the time after the earliest of them. Most are new in both senses, so
/// what was asked of yesterday stays true. Memory is bounded: at the bound changes count as later than they were,
/// and answers are found again that would not have needed it.
#[derive(Debug, Default)]
pub struct Changes(Mutex<History>);

#[derive(Debug, Default)]
struct History {
    last: u64,
    /// What changed when, and from which time on, both ascending: of two changes the later one hides the
    /// earlier one, unless that one reaches farther back.
    changes: VecDeque<(u64, i64)>,
}

impl Changes {
    /// Notes that samples at `earliest` and later are others than before. To be called after queries see them
    /// and before anybody is told so.
    pub fn note(&self, earliest: Timestamp) {
        let from_ms = earliest.as_millis().div_euclid(GRAIN_MS).saturating_mul(GRAIN_MS);
        let mut history = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        history.last += 1;
        let last = history.last;
        while history.changes.back().is_some_and(|(_, before_ms)| *before_ms >= from_ms) {
            history.changes.pop_back();
        }
        history.changes.push_back((last, from_ms));
        if history.changes.len() > REMEMBERED
            && let (Some((_, from_ms)), Some(next)) =
                (history.changes.pop_front(), history.changes.front_mut())
        {
            next.1 = from_ms;
        }
    }

    /// Now. What is asked after this sees at least all that came before.
    pub fn mark(&self) -> Mark {
        Mark(self.0.lock().unwrap_or_else(PoisonError::into_inner).last)
    }

    /// Before which time no sample has changed since `mark`.
    pub fn unchanged_before(&self, mark: Mark) -> Timestamp {
        let history = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = history.changes.partition_point(|(when, _)| *when <= mark.0);
        // Of those since, the first one reaches farthest back.
        history.changes.get(since).map_or(Timestamp::MAX, |(_, from_ms)| Timestamp::from_millis(*from_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * GRAIN_MS)
    }

    #[test]
    fn a_late_sample_changes_the_time_from_it_on_and_no_other() {
        let changes = Changes::default();
        let start = changes.mark();
        assert_eq!(changes.unchanged_before(start), Timestamp::MAX);
        changes.note(minute(10));
        let middle = changes.mark();
        changes.note(Timestamp::from_millis(11 * GRAIN_MS + 7));
        assert_eq!(changes.unchanged_before(start), minute(10));
        assert_eq!(changes.unchanged_before(middle), minute(11));
        changes.note(minute(3));
        assert_eq!(changes.unchanged_before(middle), minute(3));
        changes.note(minute(12));
        assert_eq!(changes.unchanged_before(middle), minute(3), "what is newer hides nothing");
        assert_eq!(changes.unchanged_before(changes.mark()), Timestamp::MAX);
    }

    #[test]
    fn what_is_forgotten_counts_as_changed() {
        let changes = Changes::default();
        let start = changes.mark();
        let marks: Vec<Mark> = (0..2000)
            .map(|number| {
                changes.note(minute(number));
                changes.mark()
            })
            .collect();
        assert_eq!(changes.unchanged_before(start), minute(0));
        for (number, mark) in (0..).zip(&marks) {
            assert!(changes.unchanged_before(*mark) <= minute(number + 1) || number == 1999, "{number}");
        }
        assert_eq!(changes.unchanged_before(marks[1998]), minute(1999));
        assert!(changes.0.lock().expect("no thread panicked").changes.len() <= REMEMBERED);
    }
}
