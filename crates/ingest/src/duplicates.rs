//! Which event ids were seen before, within a bound.
//!
//! Ids are kept as 128-bit hashes in two generations: when the younger is full it becomes the older,
//! and the older is forgotten. So at least half the bound is always remembered, in fixed memory. A
//! repeated event that is older than that is stored again; the bound is a setting.
//!
//! An id is first claimed, then settled. Between the two its event is on the way to the disk, and
//! whoever sends it again cannot be told yet that it is stored.

use std::mem;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::hashed::Hashes;

/// What is known of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It was not known; it is claimed now, and must be settled.
    New,
    /// It is claimed by another.
    InFlight,
    /// Its event is stored.
    Stored,
}

/// The ids of events that are stored or being stored.
pub(crate) struct Duplicates {
    generation_size: usize,
    in_flight: Hashes,
    young: Hashes,
    old: Hashes,
}

impl Duplicates {
    /// Remembers up to `bound` ids.
    pub(crate) fn new(bound: usize) -> Self {
        let (in_flight, young, old) = (Hashes::default(), Hashes::default(), Hashes::default());
        Self { generation_size: (bound / 2).max(1), in_flight, young, old }
    }

    /// Which of these are stored. Asked for all of a request together, in a loop that does nothing else: what is
    /// remembered is far larger than a processor's caches, and so its memory is waited for once and not for each.
    pub(crate) fn are_stored(&self, ids: &[Option<u128>]) -> Vec<bool> {
        ids.iter().map(|id| id.is_some_and(|id| self.is_stored(id))).collect()
    }

    fn is_stored(&self, id: u128) -> bool {
        self.young.contains(&id) || self.old.contains(&id)
    }

    /// Claims `id`, of which it is known whether it is stored; see [`Duplicates::are_stored`].
    pub(crate) fn claim_knowing(&mut self, id: u128, is_stored: bool) -> Seen {
        if is_stored {
            Seen::Stored
        } else if self.in_flight.insert(id) {
            Seen::New
        } else {
            Seen::InFlight
        }
    }

    /// Claims `id`, unless it is known.
    #[cfg(test)]
    pub(crate) fn claim(&mut self, id: u128) -> Seen {
        let is_stored = self.is_stored(id);
        self.claim_knowing(id, is_stored)
    }

    /// Ends claims: the events are stored, or were not.
    pub(crate) fn settle(&mut self, ids: impl IntoIterator<Item = u128>, stored: bool) {
        for id in ids {
            self.in_flight.remove(&id);
            if stored {
                self.young.insert(id);
            }
            if self.young.len() >= self.generation_size {
                mem::swap(&mut self.old, &mut self.young);
                // What it took in memory is for those that come.
                self.young.clear();
            }
        }
    }
}

/// Ids that one request has claimed. When it is dropped they are settled: as not stored, unless [`Claims::stored`] was
/// called. So a request that panics or is ended leaves no id that nobody can send any more.
pub(crate) struct Claims {
    of: Arc<Mutex<Duplicates>>,
    ids: Vec<u128>,
    are_stored: bool,
}

impl Claims {
    /// No claims yet.
    pub(crate) fn new(of: Arc<Mutex<Duplicates>>) -> Self {
        Self::with_capacity(of, 0)
    }

    /// The same, with room for so many.
    pub(crate) fn with_capacity(of: Arc<Mutex<Duplicates>>, count: usize) -> Self {
        Self { of, ids: Vec::with_capacity(count), are_stored: false }
    }

    /// Adds an id that was new when it was claimed.
    pub(crate) fn add(&mut self, id: u128) {
        self.ids.push(id);
    }

    /// The events are stored.
    pub(crate) fn stored(mut self) {
        self.are_stored = true;
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        if !self.ids.is_empty() {
            self.of.lock().settle(self.ids.drain(..), self.are_stored);
        }
    }
}

/// The hash by which an id of a table is remembered: one id in two tables is that of two events.
pub(crate) fn hash(table: &str, id: &str) -> u128 {
    let table = xxhash_rust::xxh3::xxh3_64(table.as_bytes());
    xxhash_rust::xxh3::xxh3_128_with_seed(id.as_bytes(), table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_remembered_within_the_bound_and_forgotten_beyond_it() {
        let mut seen = Duplicates::new(10);
        for id in 0..100 {
            assert_eq!(seen.claim(id), Seen::New, "{id}");
            seen.settle([id], true);
        }
        for id in 96..100 {
            assert_eq!(seen.claim(id), Seen::Stored, "{id} is recent");
        }
        assert_eq!(seen.claim(0), Seen::New, "the oldest is forgotten");
        assert!(seen.young.len() + seen.old.len() <= 10);
    }

    #[test]
    fn an_id_of_one_table_is_not_that_of_another() {
        assert_eq!(hash("logs", "1"), hash("logs", "1"));
        assert_ne!(hash("logs", "1"), hash("spans", "1"));
        assert_ne!(hash("logs", "1"), hash("logs", "2"));
    }

    #[test]
    fn claims_that_are_dropped_are_given_up_unless_their_events_are_stored() {
        let seen = Arc::new(Mutex::new(Duplicates::new(10)));
        let claims_of_one = || {
            let mut claims = Claims::new(Arc::clone(&seen));
            assert_eq!(seen.lock().claim(1), Seen::New);
            claims.add(1);
            claims
        };
        drop(claims_of_one());
        claims_of_one().stored();
        assert_eq!(seen.lock().claim(1), Seen::Stored);
    }

    #[test]
    fn ids_that_are_asked_for_together_are_known_as_each_alone_is() {
        let mut seen = Duplicates::new(10);
        seen.settle(0..8, true);
        assert_eq!(seen.claim(20), Seen::New);
        let ids: Vec<Option<u128>> = (0..30).map(|id| (id % 3 > 0).then_some(id)).collect();
        let stored = seen.are_stored(&ids);
        assert_eq!(stored.iter().filter(|is_stored| **is_stored).count(), 5, "1, 2, 4, 5 and 7");
        for (id, is_stored) in ids.into_iter().zip(stored) {
            assert_eq!(is_stored, id.is_some_and(|id| seen.claim(id) == Seen::Stored), "{id:?}");
        }
    }

    #[test]
    fn what_was_not_stored_can_be_sent_again() {
        let mut seen = Duplicates::new(10);
        assert_eq!(seen.claim(1), Seen::New);
        assert_eq!(seen.claim(1), Seen::InFlight);
        seen.settle([1], false);
        assert_eq!(seen.claim(1), Seen::New);
    }
}
