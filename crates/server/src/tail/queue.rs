//! What has come for one follower and was not sent yet.

use std::sync::Arc;

use model::event::LogEvent;

/// The most records that wait for a follower, and about the most bytes of them; one record fits in any case.
pub(super) const MAX_RECORDS: usize = 1_000;
const MAX_BYTES: usize = 2 << 20;

/// Records that wait, and how many behind them found no room.
#[derive(Debug, Default)]
pub(super) struct Queue {
    records: Vec<Arc<LogEvent>>,
    bytes: usize,
    dropped: u64,
}

impl Queue {
    /// Puts a record of about so many bytes behind the others, if there is room. Once one found none, those behind it
    /// find none either, until all is taken: so a gap is in one place.
    pub(super) fn offer(&mut self, bytes: usize, record: impl FnOnce() -> Arc<LogEvent>) -> bool {
        let is_full = self.records.len() >= MAX_RECORDS
            || (self.bytes.saturating_add(bytes) > MAX_BYTES && !self.records.is_empty());
        if is_full || self.dropped > 0 {
            self.dropped += 1;
            return false;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.records.push(record());
        true
    }

    /// All that waits, and how many behind it found no room.
    pub(super) fn take(&mut self) -> (Vec<Arc<LogEvent>>, u64) {
        let Self { records, dropped, .. } = std::mem::take(self);
        (records, dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Arc<LogEvent> {
        Arc::new(LogEvent::new(model::Timestamp::now(), Arc::default()))
    }

    #[test]
    fn a_queue_is_full_by_records_or_by_bytes_and_a_gap_is_in_one_place() {
        let mut queue = Queue::default();
        assert!(queue.offer(2 * MAX_BYTES, record), "one fits in any case");
        assert!(!queue.offer(1, record));
        assert_eq!((queue.take().1, queue.take().1), (1, 0));
        assert!(queue.offer(MAX_BYTES - 1, record));
        assert!(!queue.offer(2, record), "too large for what is left");
        assert!(!queue.offer(1, record), "it would stand behind the gap");
        let (records, dropped) = queue.take();
        assert_eq!((records.len(), dropped), (1, 2));
        assert_eq!((0..MAX_RECORDS + 2).filter(|_| queue.offer(1, record)).count(), MAX_RECORDS);
    }
}
