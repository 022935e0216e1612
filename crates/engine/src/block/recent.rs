//! Packed values of chunks, kept as they are for the next query of the same few series: to find them in a file again
//! takes longer than to unpack them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

/// The most memory of packed values that a block keeps.
const KEPT_BYTES: usize = 256 << 10;
/// What a chunk takes beside its bytes: its place in the table, and the counts of who holds it.
const CHUNK_BYTES: usize = 48;
/// Queries of more chunks of a block read them quickly enough together, and would push out those of all others.
pub(super) const MAX_CHUNKS: usize = 64;

/// The packed values of some chunks of a block, by their rows.
#[derive(Default)]
pub(super) struct RecentValues {
    kept: Mutex<HashMap<u32, Arc<[u8]>>>,
    bytes: AtomicUsize,
}

impl RecentValues {
    /// Those of one chunk, if they are kept.
    pub(super) fn get(&self, row: u32) -> Option<Arc<[u8]>> {
        self.kept.lock().get(&row).cloned()
    }

    /// Keeps those of one chunk, in place of all others when there is no room beside them: the queries that are
    /// still asked bring theirs back.
    pub(super) fn keep(&self, row: u32, packed: &[u8]) {
        let bytes = packed.len() + CHUNK_BYTES;
        if bytes > KEPT_BYTES {
            return;
        }
        let mut kept = self.kept.lock();
        if self.bytes() + bytes > KEPT_BYTES {
            kept.clear();
            self.bytes.store(0, Ordering::Relaxed);
        }
        if kept.insert(row, packed.into()).is_none() {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Memory of what is kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_within_the_bound_and_the_newest_are_there() {
        let recent = RecentValues::default();
        let packed = vec![7; KEPT_BYTES / 4];
        for row in 0..10 {
            recent.keep(row, &packed);
            recent.keep(row, &packed);
            assert_eq!(recent.get(row).as_deref(), Some(&packed[..]));
            assert!(recent.bytes() <= KEPT_BYTES);
            let counted: usize = recent.kept.lock().values().map(|packed| packed.len() + CHUNK_BYTES).sum();
            assert_eq!(recent.bytes(), counted);
        }
        assert_eq!(recent.get(0), None);
        recent.keep(11, &vec![7; KEPT_BYTES]);
        assert_eq!(recent.get(11), None, "what is larger than all of it pushes nothing out");
        assert!(recent.get(9).is_some());
    }
}
