//! Things read from files, kept for the next query within a number of bytes.

use std::collections::HashMap;

use parking_lot::Mutex;

/// A cache by file number that lets go of what was used longest ago.
pub(crate) struct Cache<V> {
    state: Mutex<State<V>>,
    max_bytes: usize,
}

struct State<V> {
    entries: HashMap<u64, Entry<V>>,
    bytes: usize,
    clock: u64,
}

struct Entry<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<V: Clone> Cache<V> {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { state: Mutex::new(State { entries: HashMap::new(), bytes: 0, clock: 0 }), max_bytes }
    }

    /// What is kept for a file.
    pub(crate) fn get(&self, file: u64) -> Option<V> {
        let mut state = self.state.lock();
        state.clock += 1;
        let clock = state.clock;
        let entry = state.entries.get_mut(&file)?;
        entry.used = clock;
        Some(entry.value.clone())
    }

    /// The bytes that were counted for what is kept for a file.
    pub(crate) fn bytes_of(&self, file: u64) -> Option<usize> {
        self.state.lock().entries.get(&file).map(|entry| entry.bytes)
    }

    /// Keeps something for a file, in place of what has not been used for longest. What is larger than
    /// the whole cache is not kept.
    pub(crate) fn put(&self, file: u64, value: V, bytes: usize) {
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
    pub(crate) fn forget(&self, file: u64) {
        self.state.lock().remove(file);
    }
}

impl<V> State<V> {
    fn remove(&mut self, file: u64) {
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
}
