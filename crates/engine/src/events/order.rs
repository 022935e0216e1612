//! Rows of several parts, in any order, as one batch in ascending time.
//!
//! Each part is in order most of the time, and two of them take turns seldom: then whole runs of rows are copied, once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, RecordBatch, StructArray, UInt32Array};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;

use crate::events::{conform, times_of};
use crate::head::events::Part;

/// Rows of an average run from which on it is worth to copy runs; shorter ones cost more than their rows.
const MIN_RUN: usize = 16;

/// Neighbouring rows of a part: which one, and which of its rows.
pub(super) type Run = (usize, Range<usize>);

/// All rows, with the columns of `schema`; those of the same time stay as they came.
pub(super) fn sorted(schema: &SchemaRef, parts: &[Part]) -> Result<RecordBatch, ArrowError> {
    let parts = parts.iter().map(|part| conform(part.rows.clone(), schema)).collect::<Result<Vec<_>, _>>()?;
    if let Some(runs) = runs(&parts)? {
        return copied(schema, &parts, runs);
    }
    let all = concat_batches(schema, &parts)?;
    let times = times_of(&all)?;
    // A stable sort: of two rows with the same time, the one that came first stays first.
    let mut order: Vec<u32> = (0u32..).take(all.num_rows()).collect();
    order.sort_by_key(|row| times.value(*row as usize));
    reordered(&all, &UInt32Array::from(order))
}

/// The rows in this order.
fn reordered(rows: &RecordBatch, order: &UInt32Array) -> Result<RecordBatch, ArrowError> {
    let columns = rows.columns().iter().map(|column| match column.as_map_opt() {
        Some(maps) if maps.null_count() == 0 => reordered_maps(maps, order),
        _ => take(column, order, None),
    });
    RecordBatch::try_new(rows.schema(), columns.collect::<Result<Vec<_>, _>>()?)
}

/// Maps in this order: the entries of all of them at once. Arrow would copy them map by map, which takes many times as
/// long where a map has few entries, or none.
fn reordered_maps(maps: &MapArray, order: &UInt32Array) -> Result<ArrayRef, ArrowError> {
    let DataType::Map(field, is_sorted) = maps.data_type() else { return take(maps, order, None) };
    let offsets = maps.value_offsets();
    let mut places: Vec<u32> = Vec::with_capacity(maps.entries().len());
    let mut ends: Vec<i32> = Vec::with_capacity(order.len() + 1);
    ends.push(0);
    for row in order.values() {
        let row = *row as usize;
        // An offset is never negative.
        places.extend(offsets[row] as u32..offsets[row + 1] as u32);
        let end = i32::try_from(places.len());
        ends.push(end.map_err(|_| ArrowError::OffsetOverflowError(places.len()))?);
    }
    let places = UInt32Array::from(places);
    let entries = vec![take(maps.keys(), &places, None)?, take(maps.values(), &places, None)?];
    let entries = StructArray::try_new(maps.entries().fields().clone(), entries, None)?;
    let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
    Ok(Arc::new(MapArray::try_new(Arc::clone(field), ends, entries, None, *is_sorted)?))
}

/// Whether runs of so many rows in all are long enough to be copied one by one.
pub(super) fn are_long(runs: usize, rows: usize) -> bool {
    runs <= rows / MIN_RUN
}

/// The rows of runs, one after the other.
pub(super) fn copied(
    schema: &SchemaRef,
    parts: &[RecordBatch],
    runs: Vec<Run>,
) -> Result<RecordBatch, ArrowError> {
    let pieces = runs.into_iter().map(|(part, rows)| parts[part].slice(rows.start, rows.len()));
    concat_batches(schema, &pieces.collect::<Vec<_>>())
}

/// The runs that all rows are in ascending time; `None` when a part is not in order, or runs are short.
fn runs(parts: &[RecordBatch]) -> Result<Option<Vec<Run>>, ArrowError> {
    let times = parts.iter().map(times_of).collect::<Result<Vec<_>, _>>()?;
    if !times.iter().all(|times| times.values().is_sorted()) {
        return Ok(None);
    }
    let all = parts.iter().map(RecordBatch::num_rows).sum();
    let mut runs: Vec<Run> = Vec::new();
    // Each part by its next row; of the same time, the earlier part is first.
    let mut next: BinaryHeap<Reverse<(i64, usize, usize)>> = times
        .iter()
        .enumerate()
        .filter_map(|(part, times)| Some(Reverse((*times.values().first()?, part, 0))))
        .collect();
    while let Some(Reverse((_, part, row))) = next.pop() {
        let rest = &times[part].values()[row..];
        let count = match next.peek() {
            Some(Reverse((time, other, _))) => rest.partition_point(|own| (*own, part) < (*time, *other)),
            None => rest.len(),
        };
        let rows = row..row + count;
        if let Some(time) = times[part].values().get(rows.end) {
            next.push(Reverse((*time, part, rows.end)));
        }
        runs.push((part, rows));
        // Each part is at least one.
        if !are_long(runs.len().saturating_sub(parts.len()), all) {
            return Ok(None);
        }
    }
    Ok(Some(runs))
}

#[cfg(test)]
mod tests {
    use arrow::compute::take_record_batch;
    use model::event::{DeployEvent, LogEvent};
    use model::{TimeRange, Timestamp};
    use store::{Row, Table, schema};

    use super::*;
    use crate::testing::{deploy, deploys};

    fn parts(times_ms: &[Vec<i64>]) -> Vec<Part> {
        let range = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
        times_ms.iter().map(|times| Part::new(Table::Deploys, deploys(times), range)).collect()
    }

    fn expected(times_ms: &[Vec<i64>]) -> Vec<i64> {
        let mut all: Vec<i64> = times_ms.iter().flatten().map(|time| time * 1_000_000).collect();
        all.sort_unstable();
        all
    }

    fn are_copied_by_runs(times_ms: &[Vec<i64>]) -> bool {
        let parts: Vec<RecordBatch> = parts(times_ms).into_iter().map(|part| part.rows).collect();
        runs(&parts).expect("times").is_some()
    }

    #[test]
    fn rows_of_parts_come_in_ascending_time_however_they_lie() {
        let from = |start: i64, step: i64, count: i64| (0..count).map(|row| start + row * step).collect();
        let cases: [(Vec<Vec<i64>>, bool); 6] = [
            (vec![from(0, 1, 100), from(100, 1, 100)], true),
            (vec![from(100, 1, 100), from(0, 1, 100), from(50, 1, 3)], true),
            (vec![from(0, 2, 500), from(1, 2, 500)], false),
            (vec![vec![3, 1, 2], vec![0]], false),
            (vec![from(7, 0, 40), from(7, 0, 40), from(6, 1, 3)], true),
            (vec![vec![5]], true),
        ];
        for (times, by_runs) in cases {
            let rows = sorted(&schema(Table::Deploys), &parts(&times)).expect("rows");
            assert_eq!(times_of(&rows).expect("times").values().to_vec(), expected(&times));
            assert_eq!(are_copied_by_runs(&times), by_runs, "{times:?}");
        }
    }

    #[test]
    fn maps_are_put_in_order_as_arrow_does_it() {
        let log = |row: i64| LogEvent {
            attributes: (0..row % 4).map(|key| (format!("key{key}"), format!("of {row}"))).collect(),
            ..LogEvent::new(Timestamp::from_millis(row), Arc::default())
        };
        let rows = LogEvent::to_batch(&(0..50).map(log).collect::<Vec<_>>()).expect("rows of one table");
        for (first, count) in [(0, 50), (9, 33), (4, 1), (0, 0)] {
            let rows = rows.slice(first, count);
            // Each once, some twice, and some left out.
            for step in [1, 7, 11] {
                let order: Vec<u32> = (0..count).map(|row| (row * step % count) as u32).collect();
                let order = UInt32Array::from(order);
                let expected = take_record_batch(&rows, &order).expect("rows");
                assert_eq!(reordered(&rows, &order).expect("rows"), expected, "{first} {count} {step}");
            }
        }
    }

    #[test]
    fn of_the_same_time_the_row_that_came_first_is_first() {
        let came = |service: &str, times: &[i64]| {
            let rows: Vec<_> = times.iter().map(|time| deploy(*time, service)).collect();
            DeployEvent::to_batch(&rows).expect("rows of one table")
        };
        for others in [vec![1, 2, 2, 3], vec![2, 1, 3, 2]] {
            let range = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
            let rows = [came("first", &[1, 2, 3]), came("second", &others), came("third", &[2])];
            let parts: Vec<Part> =
                rows.into_iter().map(|rows| Part::new(Table::Deploys, rows, range)).collect();
            let all = sorted(&schema(Table::Deploys), &parts).expect("rows");
            let names = all.column_by_name("service").expect("there").as_string::<i32>();
            let names: Vec<&str> = names.iter().flatten().collect();
            let by_time = ["first", "second", "first", "second", "second", "third", "first", "second"];
            assert_eq!(names, by_time);
        }
    }
}
