//! Files that are merged: fewer of them, and the same answers.

use std::sync::Arc;

use model::{Labels, MetricBatch, Timestamp};
use store::{Batch, EventScan, Table, TelemetryStore};

use crate::faults::BadSectors;
use crate::fixture::{Place, Series, T0, deploys, expected};

const HOUR: i64 = 3_600_000;
/// The beginning of the day of `T0`, in UTC.
const DAY: i64 = T0 - T0 % (24 * HOUR);

fn at(time_ms: i64) -> Timestamp {
    Timestamp::from_millis(time_ms)
}

#[test]
fn a_day_that_is_over_becomes_one_block_and_one_file_of_each_table() {
    let place = Place::new();
    let store = place.open();
    let mut samples = Vec::new();
    for hour in 0..30 {
        let time = DAY + hour * HOUR;
        samples.push((time, hour as f64));
        store.push("up", &[(time, hour as f64)]);
        if hour % 2 == 0 {
            store.push("even", &[(time, 1.0)]);
        }
        store.push_rows(&[time]);
        if hour % 5 == 4 {
            store.engine.checkpoint().expect("written");
        }
    }
    let (all, rows) = (store.all(), store.rows());
    let soon = at(DAY + 27 * HOUR);
    assert_eq!(store.engine.compact(soon).expect("looked"), 0, "late samples may still come");
    let later = at(DAY + 29 * HOUR);
    // Files of five hours: five of them begin on the first day.
    assert_eq!(store.engine.compact(later).expect("merged"), 10);
    assert_eq!(place.files("metrics", ".chunks.parquet").len(), 2);
    assert_eq!(place.files("events", ".parquet").len(), 2);
    assert_eq!((store.all(), store.rows()), (all.clone(), rows.clone()));
    assert_eq!(all["up{job=\"test\", parity=\"even\"}"].len(), 30);
    assert_eq!(store.engine.compact(later).expect("looked"), 0, "there is nothing left to merge");
    drop(store);
    let store = place.open();
    assert_eq!((store.all(), store.rows()), (all, rows), "after a start as well");
    assert_eq!(store.metric("watchkeeper_store_orphans_removed_total"), 0.0);
}

#[test]
fn where_nothing_comes_any_more_a_few_files_of_a_day_that_goes_on_become_one_too() {
    let place = Place::new();
    let store = place.open();
    for round in 0..3 {
        store.push("up", &[(T0 + round, 0.5)]);
        store.push_rows(&[T0 + round]);
        store.engine.checkpoint().expect("written");
    }
    let (all, rows) = (store.all(), store.rows());
    assert_eq!(store.engine.compact(at(T0 + HOUR)).expect("looked"), 0);
    assert_eq!(store.engine.compact_days(at(T0 + HOUR)).expect("merged"), 6);
    assert_eq!(place.files("metrics", ".chunks.parquet").len(), 1);
    assert_eq!(place.files("events", ".parquet").len(), 1);
    assert_eq!((store.all(), store.rows()), (all, rows));
    assert_eq!(store.engine.compact_days(at(T0 + HOUR)).expect("looked"), 0);
}

#[test]
fn many_small_files_of_a_day_that_goes_on_become_one() {
    let place = Place::new();
    let store = place.open();
    for round in 0..21 {
        store.push("up", &[(T0 + round, 0.5)]);
        store.engine.checkpoint().expect("written");
    }
    assert_eq!(store.engine.compact(at(T0 + HOUR)).expect("merged"), 21);
    assert_eq!(place.files("metrics", ".chunks.parquet").len(), 1);
    assert_eq!(store.all().values().map(Vec::len).sum::<usize>(), 21);
}

/// More series than are read at a time, more chunks than are decoded at a time, some with several.
#[test]
fn thousands_of_series_are_the_same_after_they_were_merged() {
    let place = Place::new();
    let store = place.open();
    for round in 0..3 {
        let mut metrics = MetricBatch::new();
        for series in 0..2500 {
            // Some end with the first file, some begin with the last.
            if (round > 0 && series % 7 == 0) || (round < 2 && series % 11 == 0) {
                continue;
            }
            let labels = Labels::metric("depth", &[("queue", &series.to_string())]);
            let samples = if series % 500 == 1 { 2000 } else { 2 };
            let jitter = i64::from(series % 3);
            for sample in 0..samples {
                let time = T0 + round * 2000 * 15 + sample * 15 + jitter;
                metrics.push_one(&labels, time, (i64::from(series) * sample) as f64);
            }
        }
        store.append(Batch { metrics, events: Vec::new() }).expect("appended");
        store.engine.checkpoint().expect("written");
    }
    let all = store.all();
    assert_eq!(all.len(), 2500 - 2500 / 77 - 1);
    assert_eq!(store.engine.compact_days(at(T0 + HOUR)).expect("merged"), 3);
    assert_eq!(place.files("metrics", ".chunks.parquet").len(), 1);
    assert!(store.all() == all, "it is not what it was");
    // Asked again, places and times of chunks are known.
    assert!(store.all() == all, "it is not what it was");
}

/// What came first stays first: a merged file has the place of what it was merged from.
#[test]
fn of_doubles_and_of_rows_at_one_time_the_order_stays() {
    let place = Place::new();
    let store = place.open();
    for value in [1.0, 2.0] {
        store.push("up", &[(T0, value), (T0 + value as i64, value)]);
        let rows = Batch { metrics: MetricBatch::new(), events: vec![deploys(&[T0, T0])] };
        store.append(rows).expect("appended");
        store.engine.checkpoint().expect("written");
    }
    // The third begins on the next day and is no neighbour to be merged; it comes after both.
    store.push("up", &[(DAY + 24 * HOUR, 3.0), (DAY + 25 * HOUR, 3.0)]);
    store.engine.checkpoint().expect("written");
    let scan = EventScan::new(Table::Deploys, model::TimeRange::ALL, 100);
    let rows = store.scan(&scan);
    assert_eq!(store.engine.compact(at(DAY + 40 * HOUR)).expect("merged"), 4);
    let wanted = [(T0, 1.0), (T0 + 1, 1.0), (T0 + 2, 2.0), (DAY + 24 * HOUR, 3.0), (DAY + 25 * HOUR, 3.0)];
    assert_eq!(store.all(), Series::from([expected("up", &wanted)]));
    assert_eq!(store.scan(&scan), rows);
}

#[test]
fn a_damaged_file_is_set_aside_and_the_others_are_merged() {
    let place = Place::new();
    let store = place.open();
    for round in 0..4 {
        store.push("up", &[(T0 + round, 0.5)]);
        store.engine.checkpoint().expect("written");
    }
    let path = place.files("metrics", ".chunks.parquet").remove(1);
    let mut bytes = std::fs::read(&path).expect("read");
    bytes[40] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let later = at(T0 + 100 * HOUR);
    let merged = store.engine.compact(later).expect("looked") + store.engine.compact(later).expect("merged");
    // What lies on both sides of it are no neighbours any more in time, but they are in precedence.
    assert_eq!((merged, store.engine.stats().quarantined_files), (3, 1));
    assert_eq!(store.all().values().map(Vec::len).sum::<usize>(), 3);
}

#[test]
fn a_file_that_cannot_be_read_keeps_no_other_from_being_merged_and_rolled_up() {
    for panics in [false, true] {
        let place = Place::with(|config| config.rollup_retention = config.retention);
        let disk = BadSectors { panics, ..BadSectors::default() };
        let store = place.try_open_on(Arc::new(disk.clone())).expect("the store opens");
        for hour in [0, 1, 24, 25, 48, 49] {
            store.push("up", &[(DAY + hour * HOUR + 5_400_000, 1.0)]);
            store.engine.checkpoint().expect("written");
        }
        let chunks = || place.files("metrics", ".chunks.parquet").len();
        assert_eq!(chunks(), 6);
        // The parts of the first file.
        *disk.files.lock().expect("a lock") =
            place.files("metrics", ".parquet").into_iter().take(4).collect();
        let later = at(DAY + 100 * HOUR);
        let error = store.engine.compact(later).expect_err("the first day cannot be read");
        assert!(panics || format!("{error:?}").contains("0000000000000001."), "the file is named: {error:?}");
        // Two files of the first day, one of each of the others, and two of rollups of each of these.
        assert_eq!(chunks(), 2 + 2 + 4);
        assert_eq!(store.engine.compact(later).expect("it is left alone for a while"), 0);
        assert_eq!(store.metric("watchkeeper_store_quarantined_files"), 0.0, "it may be readable again");
        drop(store);
        let store = place.open();
        assert_eq!(store.engine.compact(later).expect("merged"), 2);
        assert_eq!(chunks(), 3 + 6);
        assert_eq!(store.all().values().map(Vec::len).sum::<usize>(), 6);
    }
}

#[test]
fn files_of_a_day_are_merged_around_one_that_cannot_be_read() {
    let place = Place::new();
    let disk = BadSectors::default();
    let store = place.try_open_on(Arc::new(disk.clone())).expect("the store opens");
    for hour in 0..7 {
        store.push("up", &[(DAY + hour * HOUR, 1.0)]);
        store.engine.checkpoint().expect("written");
    }
    let files = place.files("metrics", ".parquet");
    *disk.files.lock().expect("a lock") = files[3 * 4..4 * 4].to_vec();
    store.engine.compact(at(DAY + 100 * HOUR)).expect_err("one of seven cannot be read");
    assert_eq!(
        place.files("metrics", ".chunks.parquet").len(),
        3,
        "three before it and three behind are one each"
    );
}

#[test]
fn a_little_that_comes_late_of_a_day_that_is_over_waits_for_more() {
    let place = Place::new();
    let store = place.open();
    let later = at(DAY + 29 * HOUR);
    let rows = |round: i64| (0..20_000).map(|row| DAY + round * 20_000 + row).collect::<Vec<_>>();
    for round in 0..3 {
        store.push_rows(&rows(round));
        store.engine.checkpoint().expect("written");
    }
    assert_eq!(store.engine.compact(later).expect("merged"), 3);
    let mut merged = 0;
    for late in 0..10 {
        store.push_rows(&[DAY + HOUR + late]);
        store.engine.checkpoint().expect("written");
        merged += store.engine.compact(later).expect("looked");
    }
    assert!(merged <= 15, "{merged}: each by itself, it would be twenty");
    assert!(place.files("events", ".parquet").len() <= 10);
    assert_eq!(store.rows().len(), 60_010);
    store.engine.compact_days(later).expect("merged");
    assert_eq!(place.files("events", ".parquet").len(), 1, "told to, it merges all the same");
}
