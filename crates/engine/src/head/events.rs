//! Event rows in memory: Arrow batches for each table, in the order in which they came.
//!
//! Pipelines send events a few at a time, and a batch of few rows takes many times the memory of its
//! rows. So batches are joined as they come: the newest with the one before while that is not much
//! larger, as a binary counter carries. Each row is copied a logarithmic number of times.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::error::ArrowError;
use model::{TimeRange, Timestamp};
use parking_lot::RwLock;
use store::{Predicate, Table};

use super::ids::SeenIds;
use crate::events::{joined, times_of};

/// Batches are not joined beyond this: what one of half as many rows takes beside them is little, and a query filters
/// batch by batch. Who sends a thousand rows at once has none of them copied, and they stay in order where the rows of
/// two requests take turns.
const PART_MAX_ROWS: usize = 1024;

/// Memory of a column beside its values.
const COLUMN_BYTES: usize = 192;

/// Some rows of a table, and when they were.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) rows: RecordBatch,
    pub(crate) range: TimeRange,
    ids: Arc<SeenIds>,
}

impl Part {
    pub(crate) fn new(table: Table, rows: RecordBatch, range: TimeRange) -> Self {
        Self { rows, range, ids: Arc::new(SeenIds::of(table)) }
    }

    /// Whether one of its rows can satisfy all of these, as far as ids tell that rows must have.
    pub(crate) fn may_satisfy(&self, predicates: &[Predicate]) -> bool {
        predicates.iter().all(|predicate| self.ids.let_hold(&self.rows, predicate))
    }
}

/// The events of a head.
#[derive(Debug, Default)]
pub(crate) struct EventsHead {
    tables: RwLock<BTreeMap<Table, Vec<Part>>>,
    bytes: AtomicU64,
    /// Those of rows for which room was taken before they came.
    reserved: AtomicU64,
}

impl EventsHead {
    /// Adds rows, which are in the table's schema without columns in which there is nothing.
    pub(crate) fn append(&self, table: Table, rows: RecordBatch) -> Result<(), ArrowError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let range = range_of(&rows)?;
        let mut added = memory_of(&rows) as i64;
        let mut tables = self.tables.write();
        let parts = tables.entry(table).or_default();
        parts.push(Part::new(table, rows, range));
        while let [.., before, last] = parts.as_slice()
            && before.rows.num_rows() < 2 * last.rows.num_rows()
            && before.rows.num_rows() + last.rows.num_rows() <= PART_MAX_ROWS
        {
            let rows = [&before.rows, &last.rows];
            let schema = store::joint(&store::schema(table), rows.iter().map(|rows| rows.schema_ref()));
            let joined = joined(&schema, rows.into_iter())?;
            added +=
                memory_of(&joined) as i64 - memory_of(&before.rows) as i64 - memory_of(&last.rows) as i64;
            let range = TimeRange::new(
                before.range.start.min(last.range.start),
                before.range.end.max(last.range.end),
            );
            parts.truncate(parts.len() - 2);
            parts.push(Part::new(table, joined, range));
        }
        drop(tables);
        // Joining can free more than the new rows take; the sum over all of them stays positive.
        self.bytes.fetch_add(added as u64, Ordering::Relaxed);
        Ok(())
    }

    /// The rows of a table. Batches are shared, not copied.
    pub(crate) fn parts(&self, table: Table) -> Vec<Part> {
        self.tables.read().get(&table).cloned().unwrap_or_default()
    }

    /// The tables that have rows.
    pub(crate) fn tables(&self) -> Vec<Table> {
        self.tables.read().keys().copied().collect()
    }

    /// Memory of the rows.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Notes that rows come for whose bytes room was taken before, so many at the most.
    pub(crate) fn note_reserved(&self, bytes: u64) {
        self.reserved.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Memory of the rows for which none was taken.
    pub(crate) fn unreserved_bytes(&self) -> u64 {
        self.bytes().saturating_sub(self.reserved.load(Ordering::Relaxed))
    }
}

/// What rows take, without what their columns share: columns that came out of the log are slices of one
/// buffer, and each would count all of it.
fn memory_of(rows: &RecordBatch) -> usize {
    let column = |column: &ArrayRef| column.to_data().get_slice_memory_size().unwrap_or(0) + COLUMN_BYTES;
    rows.columns().iter().map(column).sum()
}

fn range_of(rows: &RecordBatch) -> Result<TimeRange, ArrowError> {
    let times = times_of(rows)?;
    let bounds =
        times.values().iter().fold((i64::MAX, i64::MIN), |(min, max), time| (min.min(*time), max.max(*time)));
    Ok(TimeRange::new(Timestamp::from_nanos(bounds.0), Timestamp::from_nanos(bounds.1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::deploys;

    #[test]
    fn small_batches_are_joined_and_no_row_is_lost_or_moved() {
        let head = EventsHead::default();
        for time in 0..1000 {
            head.append(Table::Deploys, deploys(&[time])).expect("append");
        }
        let parts = head.parts(Table::Deploys);
        assert!(parts.len() < 12, "{}", parts.len());
        let times: Vec<i64> =
            parts.iter().flat_map(|part| times_of(&part.rows).expect("times").values().to_vec()).collect();
        assert_eq!(times, (0..1000).map(|time| time * 1_000_000).collect::<Vec<i64>>());
        let held: usize = parts.iter().map(|part| memory_of(&part.rows)).sum();
        assert_eq!(head.bytes(), held as u64);
    }
}
