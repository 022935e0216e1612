//! Things read from files, kept for the next query within a number of bytes.

use std::collections::HashMap;
use std::hash::Hash;

use parking_lot::Mutex;

/// A cache that lets go of what was used longest ago; by file number, where nothing else is said.
pub(crate) struct Cache<V, K = u64> {
    state: Mutex<State<V, K>>,
    max_bytes: usize,
}

struct State<V, K> {
    entries: HashMap<K, Entry<V>>,
    bytes: usize,
    clock: u64,
}

struct Entry<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<V: Clone, K: Copy + Eq + Hash> Cache<V, K> {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { state: Mutex::new(State { entries: HashMap::new(), bytes: 0, clock: 0 }), max_bytes }
    }

    /// What is kept for a file, or a part of one.
    pub(crate) fn get(&self, file: K) -> Option<V> {
        let mut state = self.state.lock();
        state.clock += 1;
        let clock = state.clock;
        let entry = state.entries.get_mut(&file)?;
        entry.used = clock;
        Some(entry.value.clone())
    }

    /// The bytes that were counted for what is kept for a file.
    pub(crate) fn bytes_of(&self, file: K) -> Option<usize> {
        self.state.lock().entries.get(&file).map(|entry| entry.bytes)
    }

    /// Keeps something for a file, in place of what has not been used for longest. What is larger than
    /// the whole cache is not kept.
    pub(crate) fn put(&self, file: K, value: V, bytes: usize) {
        let mut state = self.state.lock();
        state.remove(file);
        if bytes > self.max_bytes {
            return;
        }
        while state.bytes + bytes > self.max_bytes {
            // The cache holds a few thousand entries at most, and is put to after reading a file.
            let oldest = state.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(file, _)| *file);
            let Some(oldest) = oldest else { break };
            state.remove(oldest);
        }
        state.clock += 1;
        state.bytes += bytes;
        let used = state.clock;
        state.entries.insert(file, Entry { value, bytes, used });
    }

    /// Lets go of what is kept for a file.
    pub(crate) fn forget(&self, file: K) {
        self.state.lock().remove(file);
    }

    /// Lets go of all that is kept for such files, or parts of them.
    pub(crate) fn forget_where(&self, is_gone: impl Fn(K) -> bool) {
        let mut state = self.state.lock();
        let gone: Vec<K> = state.entries.keys().copied().filter(|file| is_gone(*file)).collect();
        gone.into_iter().for_each(|file| state.remove(file));
    }
}

impl<V, K: Copy + Eq + Hash> State<V, K> {
    fn remove(&mut self, file: K) {
        if let Some(entry) = self.entries.remove(&file) {
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_stays_within_its_bytes_and_keeps_what_was_used_last() {
        let cache = Cache::new(10);
        cache.put(1, "a", 4);
        cache.put(2, "b", 4);
        assert_eq!(cache.get(1), Some("a"));
        cache.put(3, "c", 4);
        assert_eq!((cache.get(1), cache.get(2), cache.get(3)), (Some("a"), None, Some("c")));
        cache.put(4, "d", 11);
        assert_eq!((cache.get(4), cache.get(1)), (None, Some("a")));
        cache.forget(1);
        assert_eq!(cache.get(1), None);
    }

    #[test]
    fn all_parts_of_a_file_are_let_go_of_at_once() {
        let cache = Cache::new(10);
        for part in [(1_u64, 0_usize), (1, 1), (2, 0)] {
            cache.put(part, part, 3);
        }
        cache.forget_where(|(file, _)| file == 1);
        assert_eq!([(1, 0), (1, 1), (2, 0)].map(|part| cache.get(part)), [None, None, Some((2, 0))]);
        cache.put((3, 0), (3, 0), 7);
        assert!(cache.get((2, 0)).is_some(), "the bytes of the others are free again");
    }
}
