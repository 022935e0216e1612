//! Which event ids were seen before, within a bound.
//!
//! Ids are kept as 128-bit hashes in two generations: when the younger is full it becomes the older,
//! and the older is forgotten. So at least half the bound is always remembered, in fixed memory. A
//! repeated event that is older than that is stored again; the bound is a setting.
//!
//! An id is first claimed, then settled. Between the two its event is on the way to the disk, and
//! whoever sends it again cannot be told yet that it is stored.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::mem;
use std::sync::Arc;

use parking_lot::Mutex;

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
    in_flight: Ids,
    young: Ids,
    old: Ids,
}

/// Hashes of ids.
type Ids = HashSet<u128, IdPlaces>;

/// Says where in a set an id lies. Ids are hashes already, so one multiplication is enough; with numbers that nobody
/// outside knows, for whoever sends ids can choose such whose hashes have much in common.
#[derive(Clone, Copy, Debug)]
struct IdPlaces {
    low: u64,
    high: u64,
}

impl IdPlaces {
    fn new() -> Self {
        let random = RandomState::new();
        Self { low: random.hash_one(0_u8), high: random.hash_one(1_u8) }
    }
}

impl BuildHasher for IdPlaces {
    type Hasher = IdPlace;

    fn build_hasher(&self) -> IdPlace {
        IdPlace { places: *self, place: 0 }
    }
}

/// Where one id lies.
struct IdPlace {
    places: IdPlaces,
    place: u64,
}

impl Hasher for IdPlace {
    fn write_u128(&mut self, id: u128) {
        let (low, high) = (id as u64 ^ self.places.low, (id >> 64) as u64 ^ self.places.high);
        let product = u128::from(low) * u128::from(high);
        self.place = self.place.rotate_left(1) ^ product as u64 ^ (product >> 64) as u64;
    }

    /// An id is one number, so this is not asked for.
    fn write(&mut self, bytes: &[u8]) {
        for bytes in bytes.chunks(16) {
            let mut id = [0; 16];
            id[..bytes.len()].copy_from_slice(bytes);
            self.write_u128(u128::from_le_bytes(id));
        }
    }

    fn finish(&self) -> u64 {
        self.place
    }
}

impl Duplicates {
    /// Remembers up to `bound` ids.
    pub(crate) fn new(bound: usize) -> Self {
        let set = || Ids::with_hasher(IdPlaces::new());
        Self { generation_size: (bound / 2).max(1), in_flight: set(), young: set(), old: set() }
    }

    /// Claims `id`, unless it is known.
    pub(crate) fn claim(&mut self, id: u128) -> Seen {
        if self.young.contains(&id) || self.old.contains(&id) {
            Seen::Stored
        } else if self.in_flight.insert(id) {
            Seen::New
        } else {
            Seen::InFlight
        }
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
        Self { of, ids: Vec::new(), are_stored: false }
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
    fn ids_that_have_much_in_common_lie_apart() {
        let places = IdPlaces { low: 0x9e37_79b9_7f4a_7c15, high: 0xc2b2_ae3d_27d4_eb4f };
        for shift in [0, 32, 64, 96] {
            // The seven highest bits and the lowest ones say where an id lies.
            let of = |id: u128| places.hash_one(id << shift);
            let low: HashSet<u64> = (0..1000).map(|id| of(id) % 4096).collect();
            let high: HashSet<u64> = (0..1000).map(|id| of(id) >> 57).collect();
            assert!(low.len() > 400 && high.len() > 60, "{shift}: {} and {}", low.len(), high.len());
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
