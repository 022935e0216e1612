//! Values by hash within a bound, the newest of them.

use crate::hashed::ByHash;

/// Values by hash, in two generations: when the younger is full it becomes the older, and the older is forgotten.
#[derive(Debug)]
pub(crate) struct Generations<V> {
    /// What a generation may weigh.
    limit: usize,
    /// What was added to this one.
    weight: usize,
    young: ByHash<V>,
    old: ByHash<V>,
}

impl<V: Default> Generations<V> {
    /// For values that weigh up to `bound` together.
    pub(crate) fn new(bound: usize) -> Self {
        Self { limit: (bound / 2).max(1), weight: 0, young: ByHash::default(), old: ByHash::default() }
    }

    pub(crate) fn get(&self, key: u128) -> Option<&V> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    /// Changes a value, which grows by `weight`; one that was not there begins as its default. What had to be
    /// forgotten for it.
    pub(crate) fn change(&mut self, key: u128, weight: usize, change: impl FnOnce(&mut V)) -> Vec<V> {
        self.weight += weight;
        match self.old.get_mut(&key) {
            Some(value) if !self.young.contains_key(&key) => change(value),
            _ => change(self.young.entry(key).or_default()),
        }
        if self.weight < self.limit {
            return Vec::new();
        }
        self.weight = 0;
        let forgotten = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
        forgotten.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded_and_the_newest_stays() {
        let mut held: Generations<u64> = Generations::new(10);
        let mut forgotten = 0;
        for key in 0..100_u64 {
            forgotten += held.change(u128::from(key), 1, |value| *value = key).len();
        }
        assert_eq!(held.get(99), Some(&99));
        assert_eq!(held.get(0), None);
        assert!(held.young.len() + held.old.len() <= 10);
        assert_eq!(forgotten + held.young.len() + held.old.len(), 100);
    }

    #[test]
    fn what_grows_in_place_counts_towards_the_bound() {
        let mut held: Generations<Vec<u8>> = Generations::new(100);
        for byte in 0..250_u8 {
            held.change(1, 1, |bytes| bytes.push(byte));
        }
        assert!(held.get(1).is_none_or(|bytes| bytes.len() <= 150), "{held:?}");
    }
}
