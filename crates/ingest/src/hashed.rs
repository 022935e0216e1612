//! Sets and maps whose keys are hashes of texts already.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

/// Hashes.
pub(crate) type Hashes = HashSet<u128, Places>;
/// Values by hashes.
pub(crate) type ByHash<V> = HashMap<u128, V, Places>;

/// Says where a hash lies. To hash it once more takes longer than to look it up, and one multiplication is enough; with
/// numbers that nobody outside knows, for whoever sends texts can choose such whose hashes have much in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    low: u64,
    high: u64,
}

impl Default for Places {
    fn default() -> Self {
        let random = RandomState::new();
        Self { low: random.hash_one(0_u8), high: random.hash_one(1_u8) }
    }
}

impl BuildHasher for Places {
    type Hasher = Place;

    fn build_hasher(&self) -> Place {
        Place { places: *self, place: 0 }
    }
}

/// Where one hash lies.
pub(crate) struct Place {
    places: Places,
    place: u64,
}

impl Hasher for Place {
    fn write_u128(&mut self, hash: u128) {
        let (low, high) = (hash as u64 ^ self.places.low, (hash >> 64) as u64 ^ self.places.high);
        let product = u128::from(low) * u128::from(high);
        self.place = self.place.rotate_left(1) ^ product as u64 ^ (product >> 64) as u64;
    }

    /// A hash is one number, so this is not asked for.
    fn write(&mut self, bytes: &[u8]) {
        for bytes in bytes.chunks(16) {
            let mut hash = [0; 16];
            hash[..bytes.len()].copy_from_slice(bytes);
            self.write_u128(u128::from_le_bytes(hash));
        }
    }

    fn finish(&self) -> u64 {
        self.place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_that_have_much_in_common_lie_apart() {
        let places = Places { low: 0x9e37_79b9_7f4a_7c15, high: 0xc2b2_ae3d_27d4_eb4f };
        for shift in [0, 32, 64, 96] {
            // The seven highest bits and the lowest ones say where a hash lies.
            let of = |hash: u128| places.hash_one(hash << shift);
            let low: HashSet<u64> = (0..1000).map(|hash| of(hash) % 4096).collect();
            let high: HashSet<u64> = (0..1000).map(|hash| of(hash) >> 57).collect();
            assert!(low.len() > 400 && high.len() > 60, "{shift}: {} and {}", low.len(), high.len());
        }
    }
}
