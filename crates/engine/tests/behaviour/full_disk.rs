//! A disk that is nearly full: nothing is taken, everything else goes on, and it mends by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use engine::EngineError;
use model::{ByteSize, DurationText, MetricBatch, Timestamp};
use store::{AppendError, Batch};

use crate::faults::{Filling, Full, Sized, Small};
use crate::fixture::{Open, Place, Series, T0, deploys, expected, samples_of};

fn is_refused(store: &Open, time: i64) -> bool {
    match store.append(samples_of("up", &[(time, 1.0)])) {
        // What was written since the disk was measured is taken off.
        Err(AppendError::DiskFull { free_bytes: ..=999, reserve_bytes: 1000 }) => true,
        Err(error) => panic!("refused for another reason: {error}"),
        Ok(_) => false,
    }
}

/// Tries until it is as wanted; the disk is measured once a second.
fn until(what: &str, wanted: impl Fn() -> bool) {
    let begun = Instant::now();
    while !wanted() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_nearly_full_disk_takes_nothing_and_reads_writes_files_and_deletes_until_there_is_room() {
    let place = Place::with(|config| {
        config.disk_reserve_bytes = ByteSize(1000);
        config.retention = DurationText(Duration::from_secs(100 * 365 * 86_400));
    });
    let free = Arc::new(AtomicU64::new(1_000_000));
    let store = place.try_open_on(Arc::new(Sized(Arc::clone(&free)))).expect("the store opens");
    store.push("old", &[(T0, 1.0)]);
    store.engine.checkpoint().expect("files");
    store.push("new", &[(T0 + 86_400_000, 2.0)]);
    free.store(999, Ordering::SeqCst);
    until("the disk is measured", || is_refused(&store, T0 + 86_400_000));
    let taken = store.all();
    store.engine.checkpoint().expect("what is in memory becomes files, and the log lets go");
    assert_eq!(store.all(), taken, "queries are answered");
    // A time at which what is old has expired, and what is new has not.
    let then = Timestamp::from_millis(T0 + 2_000).after(Duration::from_secs(100 * 365 * 86_400));
    assert_eq!(store.engine.drop_expired(then).expect("files are dropped"), 1);
    assert_eq!(place.files("metrics", ".chunks.parquet").len(), 1, "what was dropped is unlinked");
    assert!(is_refused(&store, T0 + 86_400_001), "there is no more room by then");
    free.store(1_000_000, Ordering::SeqCst);
    until("the disk is measured", || !is_refused(&store, T0 + 86_400_002));
    drop(store);
    let known = [expected("new", &[(T0 + 86_400_000, 2.0)]), expected("up", &[(T0 + 86_400_002, 1.0)])];
    let found = place.open().all();
    assert!(Series::from(known).into_iter().all(|(series, samples)| {
        let found = found.get(&series).expect("the series");
        samples.iter().all(|sample| found.contains(sample))
    }));
}

#[test]
fn a_start_on_a_full_disk_says_what_to_do_and_loses_nothing() {
    let place = Place::new();
    let store = place.open();
    store.push("up", &[(T0, 1.0)]);
    drop(store);
    let refused = place.try_open_on(Arc::new(Full)).err().expect("there is no room");
    let EngineError::NoRoom { needed, .. } = &refused else { panic!("{refused:?}") };
    assert!(needed.0 > 4 << 20);
    assert!(refused.to_string().contains("make that much room"), "{refused}");
    assert_eq!(place.open().all(), Series::from([expected("up", &[(T0, 1.0)])]));
}

#[test]
fn a_start_on_a_full_disk_lets_go_of_what_may_go_for_want_of_room() {
    let mut place = Place::new();
    let most = Arc::new(AtomicU64::new(1 << 40));
    let disk = Small { dir: place.dir.path().to_owned(), most: Arc::clone(&most) };
    let store = place.try_open_on(Arc::new(disk.clone())).expect("the store opens");
    let now = Timestamp::now().as_millis();
    for (name, ago) in [("old", 3 * 86_400_000), ("recent", 3_600_000)] {
        store.push(name, &[(now - ago, 1.0)]);
        store.engine.checkpoint().expect("files");
    }
    store.push("new", &[(now, 2.0)]);
    drop(store);
    most.store(disk.used(), Ordering::SeqCst);
    let refused = place.try_open_on(Arc::new(disk.clone())).err().expect("nothing may go");
    assert!(matches!(refused, EngineError::NoRoom { .. }), "{refused}");
    place.config.retention_free_bytes = ByteSize(1 << 20);
    let store = place.try_open_on(Arc::new(disk)).expect("the store opens");
    let left = [expected("new", &[(now, 2.0)]), expected("recent", &[(now - 3_600_000, 1.0)])];
    assert_eq!(store.all(), Series::from(left));
    assert_eq!(store.metric("watchkeeper_store_dropped_for_space_files_total"), 1.0);
}

#[test]
fn where_no_file_can_be_begun_the_log_goes_on_in_the_last_one_until_there_is_room() {
    let place = Place::with(|config| config.wal_segment_bytes = ByteSize(500));
    let disk = Filling::default();
    let full = Arc::clone(&disk.for_new_files);
    let store = place.try_open_on(Arc::new(disk)).expect("the store opens");
    store.push("up", &[(T0, 1.0)]);
    full.store(true, Ordering::SeqCst);
    let segments = place.files("wal", ".wal");
    let error = store.engine.checkpoint().expect_err("there is no room for files");
    assert!(!matches!(error, EngineError::Poisoned), "{error}");
    for time in 1..40 {
        store.push("up", &[(T0 + time, 1.0)]);
    }
    // The last one may still be tried when the writer has its answer.
    until("nothing is left of segments that could not be begun", || place.files("wal", ".wal") == segments);
    assert_eq!(store.all().values().map(Vec::len).sum::<usize>(), 40);
    full.store(false, Ordering::SeqCst);
    store.push("up", &[(T0 + 40, 1.0)]);
    until("there is room for the next", || place.files("wal", ".wal").len() > segments.len());
    store.engine.checkpoint().expect("files are written");
    store.push("up", &[(T0 + 41, 1.0)]);
    drop(store);
    assert_eq!(place.open().all().values().map(Vec::len).sum::<usize>(), 42);
}

#[test]
fn where_nothing_can_be_written_nothing_is_taken_all_is_read_and_it_goes_on_when_there_is_room() {
    let place = Place::new();
    let disk = Filling::default();
    let full: Arc<AtomicBool> = Arc::clone(&disk.for_all);
    let store = place.try_open_on(Arc::new(disk)).expect("the store opens");
    for round in 0..3 {
        store.push("up", &[(T0 + round * 10, 1.0)]);
        full.store(true, Ordering::SeqCst);
        for name in ["up", "new"] {
            let refused = store.append(samples_of(name, &[(T0 + round * 10 + 1, 1.0)]));
            assert!(matches!(refused, Err(AppendError::DiskFull { .. })), "{refused:?}");
        }
        let error = store.engine.checkpoint().expect_err("there is no room for files");
        assert!(!matches!(error, EngineError::Poisoned), "{error}");
        assert_eq!(store.all().values().map(Vec::len).sum::<usize>(), 1 + 2 * round as usize);
        full.store(false, Ordering::SeqCst);
        store.push("new", &[(T0 + round * 10 + 2, 1.0)]);
    }
    let all = store.all();
    drop(store);
    let store = place.open();
    assert_eq!(store.all(), all);
    assert_eq!(store.metric("watchkeeper_wal_torn_tails_total"), 0.0);
    assert_eq!(store.metric("watchkeeper_wal_corrupt_records_total"), 0.0);
}

#[test]
fn what_would_touch_the_reserve_is_refused_although_the_disk_was_not_measured_since() {
    let place = Place::with(|config| config.disk_reserve_bytes = ByteSize(1000));
    let free = Arc::new(AtomicU64::new(1_000_000));
    let store = place.try_open_on(Arc::new(Sized(free))).expect("the store opens");
    let rows: Vec<i64> = (T0..T0 + 1000).collect();
    let refused = (0..1000).find_map(|_| {
        let batch = Batch { metrics: MetricBatch::new(), events: vec![deploys(&rows)] };
        store.append(batch).err()
    });
    let Some(AppendError::DiskFull { free_bytes, reserve_bytes: 1000 }) = refused else {
        panic!("{refused:?}")
    };
    assert!(free_bytes >= 1000, "{free_bytes}");
}

#[test]
fn where_there_is_no_room_to_merge_large_files_small_ones_are_merged_all_the_same() {
    let place = Place::with(|config| config.disk_reserve_bytes = ByteSize(1000));
    let free = Arc::new(AtomicU64::new(1 << 40));
    let store = place.try_open_on(Arc::new(Sized(Arc::clone(&free)))).expect("the store opens");
    for round in 0..3 {
        let time = T0 + round * 1_000_000;
        let noise = |second: i64| ((second * 7919 + round) as f64).sin();
        store.push("up", &(0..20_000).map(|second| (time + second, noise(second))).collect::<Vec<_>>());
        store.push_rows(&[time]);
        store.engine.checkpoint().expect("written");
    }
    let (all, rows) = (store.all(), store.rows());
    let size = |path: &std::path::PathBuf| std::fs::metadata(path).expect("a file").len();
    let bytes = |dir| place.files(dir, ".parquet").iter().map(size).sum::<u64>();
    let (large, small) = (bytes("metrics"), bytes("events"));
    assert!(large > 8 * small, "{large} and {small}");
    free.store(1000 + large, Ordering::SeqCst);
    until("the disk is measured", || store.metric("watchkeeper_store_free_bytes") < 1e9);
    let later = Timestamp::from_millis(T0 + 3 * 86_400_000);
    assert_eq!(store.engine.compact(later).expect("looked"), 3);
    assert_eq!(place.files("metrics", ".chunks.parquet").len(), 3);
    assert_eq!(place.files("events", ".parquet").len(), 1);
    free.store(1 << 40, Ordering::SeqCst);
    until("the disk is measured", || store.metric("watchkeeper_store_free_bytes") > 1e9);
    assert_eq!(store.engine.compact(later).expect("merged"), 3);
    assert_eq!(place.files("metrics", ".chunks.parquet").len(), 1);
    assert_eq!((store.all(), store.rows()), (all, rows));
}
