//! Packed values of chunks, kept as they are for the next query of the same series: to find them in a file again takes
//! longer than to unpack them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

/// The most memory of packed values that a block keeps.
const KEPT_BYTES: usize = 4 << 20;
/// What a chunk takes beside its bytes: its place in the table, and the counts of who holds it.
const CHUNK_BYTES: usize = 48;
/// Queries of more chunks of a block spend their time on unpacking them.
pub(super) const MAX_CHUNKS: usize = 4096;

/// The packed values of some chunks of a block, by their rows.
#[derive(Default)]
pub(super) struct RecentValues {
    kept: Mutex<HashMap<u32, Arc<[u8]>>>,
    bytes: AtomicUsize,
}

/// How a query keeps what it reads: once it may push out what others have kept, and then no more than fits is kept.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Keeping {
    has_cleared: bool,
}

impl RecentValues {
    /// Of some chunks, those values that are kept.
    pub(super) fn get_all(&self, rows: impl Iterator<Item = u32>) -> Vec<Option<Arc<[u8]>>> {
        let kept = self.kept.lock();
        rows.map(|row| kept.get(&row).cloned()).collect()
    }

    /// Keeps those of one chunk, if there is room: the queries that are still asked bring theirs back.
    pub(super) fn keep(&self, row: u32, packed: &[u8], keeping: &mut Keeping) {
        let bytes = packed.len() + CHUNK_BYTES;
        if bytes > KEPT_BYTES {
            return;
        }
        let mut kept = self.kept.lock();
        if self.bytes() + bytes > KEPT_BYTES {
            if keeping.has_cleared {
                return;
            }
            keeping.has_cleared = true;
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
    fn values_are_kept_within_the_bound_and_each_query_pushes_others_out_once() {
        let recent = RecentValues::default();
        let packed = vec![7; KEPT_BYTES / 4];
        let is_kept = |row: u32| recent.get_all([row].into_iter())[0].as_deref() == Some(&packed[..]);
        for query in 0..3 {
            let mut keeping = Keeping::default();
            for row in query * 10..query * 10 + 10 {
                recent.keep(row, &packed, &mut keeping);
                recent.keep(row, &packed, &mut keeping);
                assert!(recent.bytes() <= KEPT_BYTES);
                let counted: usize =
                    recent.kept.lock().values().map(|packed| packed.len() + CHUNK_BYTES).sum();
                assert_eq!(recent.bytes(), counted);
            }
            assert_eq!((0..30).filter(|row| is_kept(*row)).count(), 3);
            let newest = (query * 10..query * 10 + 10).filter(|row| is_kept(*row)).count();
            assert_eq!(newest, 3, "what a query has kept is there for it when it comes again");
        }
        recent.keep(31, &vec![7; KEPT_BYTES], &mut Keeping::default());
        assert!(!is_kept(31) && recent.bytes() > 0, "what is larger than all of it pushes nothing out");
    }
}
