//! Gathering the rows of a scan: the first so many by time, from sources in any order.
//!
//! The more rows are there, the narrower the times that still matter, and sources outside of them need
//! not be read. Memory is bounded by twice the limit of rows, and by bytes.

use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use model::{TimeRange, Timestamp};
use store::{EventScan, Order, QueryError};

use crate::events::times_of;

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
    pub(crate) fn new(scan: &EventScan, limits: ScanLimits) -> Self {
        let keep = scan.limit.min(limits.max_rows.saturating_add(1));
        let (batches, keys) = (Vec::new(), Vec::new());
        Self { order: scan.order, keep, limits, range: scan.range, batches, bytes: 0, keys }
    }

    /// The times that still matter.
    pub(crate) fn range(&self) -> TimeRange {
        self.range
    }

    /// Adds rows of a source, of which the first has the number `first_row` there; sources are numbered
    /// in the order in which their rows came.
    pub(crate) fn add(&mut self, rows: RecordBatch, source: usize, first_row: u64) -> Result<(), QueryError> {
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
        if self.keys.len() >= self.keep.saturating_mul(2).max(BATCH_ROWS)
            || self.bytes > self.limits.max_bytes
        {
            self.shrink()?;
        }
        Ok(())
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
        if self.bytes > self.limits.max_bytes || self.keys.len() > self.limits.max_rows {
            return Err(QueryError::LimitReached(format!(
                "the scan would return more than {} rows or {} bytes: narrow its time range, add conditions, or lower its limit",
                self.limits.max_rows, self.limits.max_bytes
            )));
        }
        if let Some(last) = self.keys.last().filter(|_| self.keys.len() == self.keep) {
            match self.order {
                Order::OldestFirst => self.range.end = Timestamp::from_nanos(last.time),
                Order::NewestFirst => self.range.start = Timestamp::from_nanos(last.time),
            }
        }
        Ok(())
    }

    /// Ends a source: from here on fewer times may matter.
    pub(crate) fn end_source(&mut self) -> Result<(), QueryError> {
        if self.keys.len() >= self.keep { self.shrink() } else { Ok(()) }
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
    use super::*;
    use crate::testing::deploys;
    use store::Table;

    const LIMITS: ScanLimits = ScanLimits { max_rows: 10, max_bytes: 1 << 20 };

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
        let scan = EventScan::new(Table::Deploys, TimeRange::ALL, 4);
        for (scan, expected, left) in [
            (scan.clone(), vec![1, 2, 3, 4], TimeRange::new(Timestamp::MIN, Timestamp::from_millis(4))),
            (
                scan.newest_first(),
                vec![9, 8, 7, 4],
                TimeRange::new(Timestamp::from_millis(4), Timestamp::MAX),
            ),
        ] {
            let mut collector = Collector::new(&scan, LIMITS);
            collector.add(deploys(&[7, 3, 9]), 0, 0).expect("room");
            collector.add(deploys(&[1, 8, 2, 4]), 1, 0).expect("room");
            collector.end_source().expect("room");
            assert_eq!(collector.range(), left);
            assert_eq!(millis(&collector.finish().expect("rows")), expected);
        }
    }

    #[test]
    fn more_rows_than_any_scan_may_have_is_an_error() {
        let scan = EventScan::new(Table::Deploys, TimeRange::ALL, usize::MAX);
        let mut collector = Collector::new(&scan, LIMITS);
        collector.add(deploys(&(0..10).collect::<Vec<_>>()), 0, 0).expect("room");
        assert_eq!(Collector::new(&scan, LIMITS).finish().expect("none").len(), 0);
        collector.add(deploys(&[11]), 0, 10).expect("not counted yet");
        assert!(matches!(collector.finish(), Err(QueryError::LimitReached(_))));
    }
}
