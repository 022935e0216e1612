//! Gathering the rows of a scan: the first so many by time, from sources in any order.
//!
//! The more rows are there, the narrower the times that still matter, and sources outside of them need
//! not be read. Memory is bounded by twice the limit of rows, by bytes, and by what all scans may take.

use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use datafusion::execution::memory_pool::MemoryReservation;
use model::{TimeRange, Timestamp};
use store::{Order, QueryError};

use crate::events::times_of;
use crate::query::queries::query_error;
use crate::query::reader::Rows;

/// Rows of a batch in the answer.
const BATCH_ROWS: usize = 8192;

/// What one scan may return.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScanLimits {
    pub(crate) max_rows: usize,
    pub(crate) max_bytes: usize,
}

/// Rows gathered so far.
pub(crate) struct Collector {
    order: Order,
    /// How many rows are kept: the scan's limit, or one more than any scan may have.
    keep: usize,
    limits: ScanLimits,
    range: TimeRange,
    batches: Vec<RecordBatch>,
    bytes: usize,
    keys: Vec<Key>,
    /// How many rows there were when the times that matter were last narrowed.
    narrowed_at: usize,
    memory: MemoryReservation,
}

/// A row by its place in the order of all rows: by time; of the same time, as they came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    time: i64,
    source: usize,
    row: u64,
    batch: usize,
    index: usize,
}

impl Collector {
    /// Gathers the first `first` rows in `order` of those in `range`; `memory` is what it takes from.
    pub(crate) fn new(
        order: Order,
        first: usize,
        range: TimeRange,
        limits: ScanLimits,
        memory: MemoryReservation,
    ) -> Self {
        let keep = first.min(limits.max_rows.saturating_add(1));
        let (batches, keys) = (Vec::new(), Vec::new());
        Self { order, keep, limits, range, batches, bytes: 0, keys, narrowed_at: 0, memory }
    }

    /// The times that still matter.
    pub(crate) fn range(&self) -> TimeRange {
        self.range
    }

    /// Adds rows, and narrows the times that matter when there are enough of them.
    pub(crate) fn add(&mut self, Rows { rows, source, first_row }: Rows) -> Result<(), QueryError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let batch = self.batches.len();
        let times = times_of(&rows).map_err(storage)?;
        let keys = times.values().iter().enumerate().map(|(index, time)| {
            let row = first_row + index as u64;
            Key { time: *time, source, row, batch, index }
        });
        self.keys.extend(keys);
        self.bytes += rows.get_array_memory_size();
        self.batches.push(rows);
        // Sorting is not worth it for a few rows more.
        let enough = self.keep.max(self.narrowed_at.saturating_add(self.keep / 2));
        let is_full = self.bytes > self.limits.max_bytes;
        if self.keys.len() >= enough || is_full || self.memory.try_resize(self.taken()).is_err() {
            self.shrink()?;
        }
        Ok(())
    }

    fn taken(&self) -> usize {
        self.bytes + self.keys.capacity() * size_of::<Key>()
    }

    /// Keeps only rows that can be in the answer, and narrows the times that matter.
    fn shrink(&mut self) -> Result<(), QueryError> {
        match self.order {
            Order::OldestFirst => self.keys.sort_unstable(),
            Order::NewestFirst => self.keys.sort_unstable_by(|a, b| b.cmp(a)),
        }
        self.keys.truncate(self.keep);
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let kept = self
            .keys
            .chunks(BATCH_ROWS)
            .map(|keys| {
                let places: Vec<(usize, usize)> = keys.iter().map(|key| (key.batch, key.index)).collect();
                interleave_record_batch(&batches, &places)
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(storage)?;
        for (place, key) in self.keys.iter_mut().enumerate() {
            (key.batch, key.index) = (place / BATCH_ROWS, place % BATCH_ROWS);
        }
        self.batches = kept;
        self.bytes = self.batches.iter().map(RecordBatch::get_array_memory_size).sum();
        self.narrowed_at = self.keys.len();
        if self.bytes > self.limits.max_bytes || self.keys.len() > self.limits.max_rows {
            return Err(QueryError::LimitReached(format!(
                "the scan would return more than {} rows (store.max_scan_rows) or {} bytes (store.max_scan_bytes): narrow its time range, add conditions, or lower its limit",
                self.limits.max_rows, self.limits.max_bytes
            )));
        }
        self.memory.try_resize(self.taken()).map_err(query_error)?;
        if let Some(last) = self.keys.last().filter(|_| self.keys.len() == self.keep) {
            match self.order {
                Order::OldestFirst => self.range.end = Timestamp::from_nanos(last.time),
                Order::NewestFirst => self.range.start = Timestamp::from_nanos(last.time),
            }
        }
        Ok(())
    }

    /// The answer.
    pub(crate) fn finish(mut self) -> Result<Vec<RecordBatch>, QueryError> {
        self.shrink()?;
        Ok(self.batches)
    }
}

fn storage(error: arrow::error::ArrowError) -> QueryError {
    QueryError::Storage { doing: "gathering rows".to_owned(), source: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryConsumer, MemoryPool};

    use super::*;
    use crate::testing::deploys;

    const LIMITS: ScanLimits = ScanLimits { max_rows: 10, max_bytes: 1 << 20 };

    fn collector(order: Order, first: usize, memory: usize) -> Collector {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(memory));
        Collector::new(order, first, TimeRange::ALL, LIMITS, MemoryConsumer::new("test").register(&pool))
    }

    fn rows(times_ms: &[i64], source: usize) -> Rows {
        Rows { rows: deploys(times_ms), source, first_row: 0 }
    }

    fn millis(batches: &[RecordBatch]) -> Vec<i64> {
        batches
            .iter()
            .flat_map(|rows| {
                times_of(rows)
                    .expect("times")
                    .values()
                    .iter()
                    .map(|time| time / 1_000_000)
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn the_first_rows_by_time_are_kept_whatever_order_they_come_in() {
        for (order, expected, left) in [
            (Order::OldestFirst, [1, 2, 3, 4], TimeRange::new(Timestamp::MIN, Timestamp::from_millis(4))),
            (Order::NewestFirst, [9, 8, 7, 4], TimeRange::new(Timestamp::from_millis(4), Timestamp::MAX)),
        ] {
            let mut collector = collector(order, 4, 1 << 20);
            collector.add(rows(&[7, 3, 9], 0)).expect("room");
            collector.add(rows(&[1, 8, 2, 4], 1)).expect("room");
            assert_eq!(collector.range(), left);
            assert_eq!(millis(&collector.finish().expect("rows")), expected);
        }
    }

    #[test]
    fn more_rows_than_any_scan_may_have_is_an_error() {
        let new = || collector(Order::OldestFirst, usize::MAX, 1 << 20);
        assert_eq!(new().finish().expect("none").len(), 0);
        let mut collector = new();
        collector.add(rows(&(0..10).collect::<Vec<_>>(), 0)).expect("room");
        assert!(matches!(collector.add(rows(&[11], 1)), Err(QueryError::LimitReached(_))));
    }

    #[test]
    fn rows_over_the_memory_of_all_scans_are_an_error_that_names_the_limit() {
        let mut collector = collector(Order::OldestFirst, 4, 256);
        let added = collector.add(rows(&[1, 2, 3, 4], 0));
        let Err(QueryError::LimitReached(text)) = added else { panic!("{added:?}") };
        assert!(text.contains("store.scans_memory_bytes"), "{text}");
    }
}
