//! What happens at each bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use engine::Config;
use model::event::DeployEvent;
use model::{ByteSize, DurationText, Labels, MetricBatch, TimeRange, Timestamp};
use store::{
    AppendError, Appended, Batch, Cancel, EventBatch, EventScan, Intake, MatchOp, Matcher, QueryError, Row,
    SelectRequest, Table, TelemetryStore,
};

use crate::faults::{Dying, Filling, Sized};
use crate::fixture::{Open, Place, Series, T0, deploy, deploys, expected, labels_of, samples_of};

pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn series_over_the_limit_are_refused_and_counted_and_old_ones_go_on() {
    let place = Place::with(|config| config.max_series = 2);
    let store = place.open();
    for name in ["a", "b"] {
        assert_eq!(store.push(name, &[(T0, 1.0)]).samples, 1);
    }
    let over = store.push("c", &[(T0, 1.0), (T0 + 1, 1.0)]);
    assert_eq!((over.samples, over.samples_over_series_limit), (0, 2));
    assert_eq!(store.metric("watchkeeper_store_samples_over_series_limit_total"), 2.0);
    store.engine.checkpoint().expect("a checkpoint");
    assert_eq!(store.push("c", &[(T0 + 2, 1.0)]).samples_over_series_limit, 1, "also in the next head");
    assert_eq!(store.push("b", &[(T0 + 2, 1.0)]).samples, 1);
    drop(store);
    assert_eq!(place.open().all().len(), 2);
}

#[test]
fn late_double_and_old_samples_are_told_apart_and_survive_alike() {
    let place = Place::with(|config| config.out_of_order_window = DurationText(Duration::from_secs(1)));
    let store = place.open();
    let appended =
        store.push("up", &[(T0, 1.0), (T0 + 20, 2.0), (T0 + 10, 3.0), (T0 + 20, 9.0), (T0 - 981, 4.0)]);
    assert_eq!((appended.samples, appended.samples_duplicate, appended.samples_too_old), (3, 1, 1));
    let known = Series::from([expected("up", &[(T0, 1.0), (T0 + 10, 3.0), (T0 + 20, 2.0)])]);
    assert_eq!(store.all(), known);
    drop(store);
    assert_eq!(place.open().all(), known);
}

#[test]
fn a_nearly_full_disk_refuses_appends_and_answers_queries() {
    let place = Place::with(|config| config.disk_reserve_bytes = ByteSize(1000));
    let free = Arc::new(AtomicU64::new(1_000_000));
    let store = place.try_open_on(Arc::new(Sized(Arc::clone(&free)))).expect("the store opens");
    store.push("up", &[(T0, 1.0)]);
    free.store(999, Ordering::SeqCst);
    let full = |store: &Open| {
        let answer = store.append(samples_of("up", &[(T0 + 1, 1.0)]));
        matches!(answer, Err(AppendError::DiskFull { free_bytes: 999, reserve_bytes: 1000 }))
    };
    eventually("the disk is measured", || full(&store));
    assert_eq!(store.all().len(), 1);
    free.store(1_000_000, Ordering::SeqCst);
    eventually("the disk is measured again", || !full(&store));
}

/// A store that cannot write files any more, so that memory fills up.
fn stuck(place: &Place) -> Open {
    let (disk, left) = Dying::after(u64::MAX);
    let store = place.try_open_on(disk).expect("the store opens");
    store.push("up", &[(T0, 1.0)]);
    // Enough to freeze the head, not enough to write a file.
    left.store(5, Ordering::SeqCst);
    store.engine.checkpoint().expect_err("no files");
    left.store(u64::MAX / 2, Ordering::SeqCst);
    store
}

#[test]
fn memory_is_bounded_and_what_is_over_it_is_refused_and_counted() {
    let place = Place::with(|config| {
        config.head_max_bytes = ByteSize(4096);
        config.events_head_max_bytes = ByteSize(1 << 40);
    });
    let store = stuck(&place);
    let mut time = T0;
    let refused = loop {
        time += 1;
        match store.append(samples_of("up", &[(time, 1.0)])) {
            Ok(_) => assert!(time < T0 + 10_000, "memory fills up or is written to files"),
            Err(error) => break Some(error),
        }
        if store.stats_files() > 0 {
            break None;
        }
    };
    if let Some(refused) = refused {
        assert!(matches!(refused, AppendError::Overloaded { what: "memory for samples" }), "{refused:?}");
        assert!(store.metric("watchkeeper_store_overloaded_total") >= 1.0);
    }
    eventually("the flush is tried again, and then there is room", || {
        store.append(samples_of("down", &[(time, 1.0)])).is_ok()
    });
}

#[test]
fn a_head_over_half_of_its_memory_is_written_to_files_by_itself() {
    let place = Place::with(|config| config.head_max_bytes = ByteSize(1 << 17));
    let store = place.open();
    let samples: Vec<(i64, f64)> = (0..40_000).map(|time| (T0 + time, time as f64)).collect();
    store.push("up", &samples);
    eventually("files are written", || store.stats_files() == 4);
    assert_eq!(store.all(), Series::from([expected("up", &samples)]));
    assert!(store.engine.stats().head_bytes < 1 << 16);
}

/// Each segment defines the series that it uses; so many that their labels fill one would fill all that follow.
#[test]
fn labels_of_series_do_not_close_a_segment_and_samples_do() {
    let place = Place::with(|config| config.wal_segment_bytes = ByteSize(8 << 10));
    let store = place.open();
    let push = |round: i64| {
        let mut batch = MetricBatch::new();
        for number in 0..400 {
            let labels = labels_of(&format!("a_name_that_is_not_so_short_{number:04}"));
            batch.push_one(&labels, T0 + round, 1.0);
        }
        store.append(batch).expect("appended");
    };
    push(0);
    push(1);
    assert!(store.engine.stats().wal_bytes > 16 << 10);
    assert_eq!(place.files("wal", ".wal").len(), 1, "labels do not count");
    (2..6).for_each(push);
    assert_eq!(place.files("wal", ".wal").len(), 2, "samples do");
    let all = store.all();
    drop(store);
    assert_eq!(place.open().all(), all);
}

#[test]
fn a_head_over_its_age_is_written_to_files_by_itself() {
    let place = Place::with(|config| config.head_max_age = DurationText(Duration::from_millis(10)));
    let store = place.open();
    store.push_rows(&[T0]);
    eventually("files are written", || store.stats_files() == 1);
    assert_eq!(store.rows(), [T0]);
}

#[test]
fn events_are_bounded_by_their_own_memory() {
    let place = Place::with(|config| config.events_head_max_bytes = ByteSize(1));
    let store = place.open();
    store.push_rows(&[T0]);
    let batch = Batch { metrics: MetricBatch::new(), events: vec![deploys(&[T0 + 1])] };
    if let Err(error) = store.append(batch) {
        assert!(matches!(error, AppendError::Overloaded { what: "memory for events" }), "{error:?}");
    }
    eventually("the head is written to files", || store.stats_files() >= 1);
}

fn rows_at(times_ms: &[i64]) -> Batch {
    Batch { metrics: MetricBatch::new(), events: vec![deploys(times_ms)] }
}

fn is_full_of_events(answer: &Result<Appended, AppendError>) -> bool {
    matches!(answer, Err(AppendError::Overloaded { what: "memory for events" }))
}

#[test]
fn memory_that_is_full_of_events_refuses_no_samples_and_leaves_room_to_what_has_a_right_to_it() {
    let place = Place::with(|config| config.events_head_max_bytes = ByteSize(1 << 20));
    let disk = Filling::default();
    let is_full = Arc::clone(&disk.for_new_files);
    let store = place.try_open_on(Arc::new(disk)).expect("the store opens");
    // No file can be begun, so that nothing leaves memory.
    is_full.store(true, Ordering::SeqCst);
    let mut time = T0;
    let refused = loop {
        assert!(time < T0 + 1_000_000, "memory fills up");
        let times: Vec<i64> = (time..time + 100).collect();
        time += 100;
        let answer = store.append(rows_at(&times));
        if answer.is_err() {
            break answer;
        }
    };
    assert!(is_full_of_events(&refused), "{refused:?}");
    assert!(
        is_full_of_events(&store.engine.reserve(1).map(|_| Appended::default())),
        "nor is any to be taken"
    );
    assert_eq!(store.push("up", &[(T0, 1.0)]).samples, 1, "samples have memory of their own");
    let both = Batch { metrics: samples_of("up", &[(T0 + 1, 1.0)]), events: vec![deploys(&[time])] };
    assert!(is_full_of_events(&store.append(both)), "what has rows as well asks for both");
    let spare = store.append_by(rows_at(&[time]), &Intake::Spare).expect("an eighth is spare");
    assert_eq!(spare.rows, 1);
    is_full.store(false, Ordering::SeqCst);
    eventually("memory is written to files, and then there is room", || {
        store.append(rows_at(&[time + 1])).is_ok()
    });
}

#[test]
fn requests_of_several_parts_that_go_beyond_the_memory_for_events_take_nothing_of_what_is_spare() {
    let place = Place::with(|config| config.events_head_max_bytes = ByteSize(1 << 20));
    let disk = Filling::default();
    let is_full = Arc::clone(&disk.for_new_files);
    let store = place.try_open_on(Arc::new(disk)).expect("the store opens");
    // No file can be begun, so that nothing leaves memory.
    is_full.store(true, Ordering::SeqCst);
    let reserved = Intake::Reserved(Arc::new(store.engine.reserve(64 << 20).expect("there is room")));
    for part in 0..8 {
        let times: Vec<i64> = (0..10_000).map(|row| T0 + part * 10_000 + row).collect();
        let taken = store.append_by(rows_at(&times), &reserved).expect("it has room");
        assert_eq!(taken.rows, 10_000);
    }
    let spare = |time: i64| store.append_by(rows_at(&[T0 + time]), &Intake::Spare);
    assert_eq!(spare(100_000).expect("the rest is on its way").rows, 1);
    drop(reserved);
    assert!(store.engine.stats().head_bytes > 1 << 20);
    assert!(is_full_of_events(&store.append(rows_at(&[T0 + 100_001]))), "others wait");
    assert!(store.engine.reserve(1).is_err());
    assert_eq!(spare(100_002).expect("all parts are stored").rows, 1);
    let mut time = 100_003;
    let refused = loop {
        assert!(time < 10_000_000, "what is spare is bounded as well");
        let times: Vec<i64> = (time..time + 100).map(|time| T0 + time).collect();
        time += 100;
        let answer = store.append_by(rows_at(&times), &Intake::Spare);
        if answer.is_err() {
            break answer;
        }
    };
    assert!(is_full_of_events(&refused), "{refused:?}");
    is_full.store(false, Ordering::SeqCst);
}

#[test]
fn room_that_was_taken_is_there_for_all_batches_until_it_is_given_back() {
    let place = Place::with(|config| config.events_head_max_bytes = ByteSize(64 << 20));
    let store = place.open();
    let reservation = Arc::new(store.engine.reserve(128 << 20).expect("there is room"));
    assert!(is_full_of_events(&store.append(rows_at(&[T0]))), "it is taken");
    assert!(store.engine.reserve(1).is_err(), "and cannot be taken twice");
    assert_eq!(store.push("up", &[(T0, 1.0)]).samples, 1);
    let reserved = Intake::Reserved(reservation);
    for time in 0..3 {
        assert_eq!(store.append_by(rows_at(&[T0 + time]), &reserved).expect("it has room").rows, 1);
    }
    drop(reserved);
    store.push_rows(&[T0 + 3]);
    assert_eq!(store.rows(), [T0, T0 + 1, T0 + 2, T0 + 3]);
}

#[test]
fn room_is_taken_of_the_disk_too_before_the_first_batch_and_not_refused_to_any_after_it() {
    let place = Place::with(|config| config.disk_reserve_bytes = ByteSize(1000));
    let free = Arc::new(AtomicU64::new(1_000_000));
    let store = place.try_open_on(Arc::new(Sized(Arc::clone(&free)))).expect("the store opens");
    let too_much = store.engine.reserve(2_000_000);
    assert!(matches!(too_much, Err(AppendError::DiskFull { .. })), "{too_much:?}");
    let reservation = Arc::new(store.engine.reserve(900_000).expect("there is room"));
    let others = store.append(rows_at(&(T0..T0 + 20_000).collect::<Vec<_>>()));
    assert!(matches!(others, Err(AppendError::DiskFull { .. })), "{others:?}");
    store.append_by(rows_at(&[T0]), &Intake::Reserved(reservation)).expect("it has room");
}

/// Told apart from a store without room: the same batch would be refused for ever.
#[test]
fn a_batch_larger_than_any_record_of_the_log_is_refused_as_too_large() {
    let place = Place::with(|_| {});
    let store = place.open();
    let row = DeployEvent { description: Some("x".repeat(210 << 20)), ..deploy(T0) };
    let rows = DeployEvent::to_batch(&[row]).expect("rows");
    let batch =
        Batch { metrics: MetricBatch::new(), events: vec![EventBatch { table: Table::Deploys, rows }] };
    let refused = store.append(batch);
    let Err(AppendError::TooLarge { bytes, max_bytes }) = refused else { panic!("{refused:?}") };
    assert!(bytes > max_bytes && max_bytes >= 200 << 20, "{bytes} {max_bytes}");
    store.push_rows(&[T0]);
    assert_eq!(store.rows(), [T0], "others are taken as before");
}

#[test]
fn a_query_over_its_limit_of_samples_says_how_to_narrow_it() {
    let place = Place::with(|config| config.max_query_samples = 10);
    let store = place.open();
    store.push("a", &(0..6).map(|time| (T0 + time, 1.0)).collect::<Vec<_>>());
    store.engine.checkpoint().expect("a checkpoint");
    store.push("b", &(0..6).map(|time| (T0 + time, 1.0)).collect::<Vec<_>>());
    for (max, fits) in [(12, false), (u64::MAX, false), (5, false)] {
        let answer = store.select(&[], TimeRange::ALL, max);
        let Err(QueryError::LimitReached(text)) = answer else { panic!("{max} {fits}: {answer:?}") };
        assert!(text.contains("narrow its time range"), "{text}");
    }
    let narrow = store.select(&[Matcher::equal("__name__", "a")], TimeRange::ALL, 6).expect("it fits");
    assert_eq!(narrow.len(), 1);
}

fn is_over_samples(answer: &Result<Series, QueryError>) -> bool {
    matches!(answer, Err(QueryError::LimitReached(text)) if text.contains(" samples ("))
}

#[test]
fn a_series_that_is_longer_than_may_be_is_refused_before_its_values_are_read() {
    let place = Place::new();
    let store = place.open();
    let samples: Vec<(i64, f64)> =
        (0..40_000).map(|at| (T0 + at * 1000, (at as f64 * 0.7368).sin())).collect();
    store.push("up", &samples);
    store.engine.checkpoint().expect("a checkpoint");
    drop(store);
    // In the midst of the values: whoever reads them sets the file aside.
    let path = place.files("metrics", ".chunks.parquet").remove(0);
    let mut bytes = std::fs::read(&path).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&path, bytes).expect("flipped");
    let store = place.open();
    let answer = store.select(&[], TimeRange::ALL, 39_999);
    assert!(is_over_samples(&answer), "{answer:?}");
    assert_eq!(store.metric("watchkeeper_store_quarantined_files"), 0.0);
    assert!(store.select(&[], TimeRange::ALL, 40_000).expect("without the file").is_empty());
    assert_eq!(store.metric("watchkeeper_store_quarantined_files"), 1.0);
}

#[test]
fn samples_count_once_that_two_files_have_and_those_outside_the_range_do_not() {
    let place = Place::new();
    let store = place.open();
    let samples: Vec<(i64, f64)> = (0..6000).map(|at| (T0 + at * 1000, at as f64)).collect();
    store.push("up", &samples[..5000]);
    store.engine.checkpoint().expect("a checkpoint");
    store.push("up", &samples[2500..]);
    store.engine.checkpoint().expect("a checkpoint");
    let between = |first: i64, last: i64| {
        TimeRange::new(Timestamp::from_millis(T0 + first * 1000), Timestamp::from_millis(T0 + last * 1000))
    };
    for (range, count) in [
        (TimeRange::ALL, 6000),
        (between(700, 5500), 4801),
        (between(0, 4999), 5000),
        (between(2500, 5999), 3500),
        (between(5000, 5999), 1000),
    ] {
        let found = store.select(&[], range, count).expect("it fits");
        assert_eq!(found.values().map(Vec::len).sum::<usize>() as u64, count);
        let answer = store.select(&[], range, count - 1);
        assert!(is_over_samples(&answer), "{count}: {answer:?}");
    }
}

/// A sample of each of two thousand series, which are of two metrics, and in the next minute with each block.
fn many_labels(block: i64) -> MetricBatch {
    let mut metrics = MetricBatch::new();
    for series in 0..2000 {
        let queue = format!("a queue with a long name {series}");
        let labels = Labels::metric(&format!("depth_{}", series % 2), &[("queue", &queue)]);
        metrics.push_one(&labels, T0 + block * 60_000, 1.0);
    }
    metrics
}

/// Four blocks of many labels.
fn push_many_labels(store: &Open) {
    for block in 0..4 {
        store.append(many_labels(block)).expect("appended");
        store.engine.checkpoint().expect("a checkpoint");
    }
}

#[test]
fn a_query_of_too_many_labels_says_how_to_narrow_it() {
    let place = Place::with(|config| config.max_query_labels_bytes = ByteSize(500_000));
    let store = place.open();
    push_many_labels(&store);
    let answer = store.select(&[], TimeRange::ALL, u64::MAX);
    let Err(QueryError::LimitReached(text)) = answer else { panic!("{answer:?}") };
    assert!(text.contains("(store.max_query_labels_bytes): narrow its time range"), "{text}");
    assert!(store.metric("watchkeeper_store_query_limits_total") >= 1.0);
    let one_block = TimeRange::new(Timestamp::from_millis(T0), Timestamp::from_millis(T0 + 1));
    assert_eq!(store.select(&[], one_block, u64::MAX).expect("it fits").len(), 2000);
    let one_metric = [Matcher::equal("__name__", "depth_0")];
    drop(store);
    let found = place.open().select(&one_metric, TimeRange::ALL, u64::MAX).expect("it fits");
    assert_eq!(found.len(), 1000);
    assert!(found.values().all(|samples| samples.len() == 4));
}

#[test]
fn the_values_of_a_label_that_a_query_names_count_as_labels_do() {
    let place = Place::with(|config| config.max_query_labels_bytes = ByteSize(500_000));
    let store = place.open();
    push_many_labels(&store);
    let one_series = [Matcher::equal("queue", "a queue with a long name 7")];
    // Whether the blocks are read for it, or have been.
    for _ in 0..2 {
        let answer = store.select(&one_series, TimeRange::ALL, u64::MAX);
        let Err(QueryError::LimitReached(text)) = answer else { panic!("{answer:?}") };
        assert!(text.contains("(store.max_query_labels_bytes): narrow its time range"), "{text}");
    }
    let one_block = TimeRange::new(Timestamp::from_millis(T0), Timestamp::from_millis(T0 + 1));
    assert_eq!(store.select(&one_series, one_block, u64::MAX).expect("it fits").len(), 1);
}

#[test]
fn lists_of_labels_are_bounded_as_what_a_selector_reads_is() {
    let all = Matcher::new("__name__", MatchOp::Regex, ".+").expect("a matcher");
    for (most, fits) in [(150_000, false), (300_000, true)] {
        let place = Place::with(|config| config.max_query_labels_bytes = ByteSize(most));
        let store = place.open();
        store.append(many_labels(0)).expect("appended");
        for lies in ["in memory", "in files"] {
            for matchers in [&[][..], std::slice::from_ref(&all)] {
                let list = store.engine.label_values("queue", matchers, TimeRange::ALL, &Cancel::never());
                match list {
                    Ok(values) => assert!(fits && values.len() == 2000, "{most}, {lies}: {matchers:?}"),
                    Err(QueryError::LimitReached(text)) => {
                        assert!(!fits && text.contains("(store.max_query_labels_bytes)"), "{lies}: {text}");
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            let names =
                store.engine.label_names(&[], TimeRange::ALL, &Cancel::never()).expect("there are few");
            assert_eq!(names, ["__name__", "queue"]);
            store.engine.checkpoint().expect("a checkpoint");
        }
    }
}

#[test]
fn what_all_queries_hold_of_labels_is_bounded_until_some_of_them_end() {
    let place = Place::with(|config| {
        config.max_query_labels_bytes = ByteSize(1_000_000);
        config.cache_bytes = ByteSize(0);
    });
    let store = place.open();
    push_many_labels(&store);
    let request = SelectRequest {
        matchers: vec![Matcher::equal("queue", "a queue with a long name 7")],
        range: TimeRange::ALL,
        values: None,
        max_samples: u64::MAX,
        cancel: Cancel::never(),
    };
    let mut running = Vec::new();
    let refused = loop {
        assert!(running.len() < 10, "each holds more than a tenth of what all may");
        match store.engine.select(&request) {
            Ok(cursor) => running.push(cursor),
            Err(error) => break error,
        }
    };
    assert!(!running.is_empty(), "{refused}");
    let QueryError::LimitReached(text) = refused else { panic!("{refused:?}") };
    assert!(text.contains("ask again when other queries have ended"), "{text}");
    drop(running);
    let found = store.select(&request.matchers, TimeRange::ALL, u64::MAX).expect("there is room again");
    assert_eq!(found.len(), 1);
}

#[test]
fn a_scan_over_its_limit_of_rows_is_an_error_and_a_smaller_limit_is_none() {
    let place = Place::with(|config| config.max_scan_rows = 10);
    let store = place.open();
    store.push_rows(&(T0..T0 + 11).collect::<Vec<_>>());
    let scan = |limit| store.engine.scan(&EventScan::new(Table::Deploys, TimeRange::ALL, limit));
    assert!(matches!(scan(11), Err(QueryError::LimitReached(_))));
    assert_eq!(scan(10).expect("it fits").iter().map(RecordBatch::num_rows).sum::<usize>(), 10);
    assert!(scan(0).expect("nothing").is_empty());
}

impl Open {
    fn stats_files(&self) -> u64 {
        self.engine.stats().files
    }
}

#[test]
fn the_oldest_files_go_when_all_take_more_than_they_may() {
    let place = Place::with(|config| config.retention_bytes = ByteSize(1));
    let store = place.open();
    store.push_rows(&[T0]);
    store.engine.checkpoint().expect("written");
    let one =
        place.files("events", ".parquet").iter().map(|path| path.metadata().expect("it").len()).sum::<u64>();
    drop(store);
    let place =
        Place { config: Config { retention_bytes: ByteSize(one * 5 / 2), ..place.config.clone() }, ..place };
    let store = place.open();
    for time in [T0 + 5, T0 + 2, T0 + 9] {
        store.push_rows(&[time]);
        store.engine.checkpoint().expect("written");
    }
    assert_eq!(store.engine.drop_expired(Timestamp::from_millis(T0 + 10)).expect("looked"), 2);
    assert_eq!(store.rows(), [T0 + 5, T0 + 9]);
    assert_eq!(store.metric("watchkeeper_store_dropped_for_space_files_total"), 2.0);
    assert_eq!(place.files("events", ".parquet").len(), 2);
}

#[test]
fn a_disk_that_fills_takes_the_oldest_files_and_none_of_the_last_day() {
    let place = Place::with(|config| config.retention_free_bytes = ByteSize(1000));
    let free = Arc::new(AtomicU64::new(2000));
    let store = place.try_open_on(Arc::new(Sized(Arc::clone(&free)))).expect("opens");
    for days in 0..3 {
        store.push_rows(&[T0 + days * 86_400_000]);
        store.engine.checkpoint().expect("written");
    }
    let now = Timestamp::from_millis(T0 + 2 * 86_400_000 + 1);
    assert_eq!(store.engine.drop_expired(now).expect("looked"), 0, "there is room");
    free.store(999, Ordering::SeqCst);
    assert_eq!(store.engine.drop_expired(now).expect("looked"), 1, "one is enough");
    free.store(0, Ordering::SeqCst);
    assert_eq!(store.engine.drop_expired(now).expect("looked"), 1);
    assert_eq!(store.engine.drop_expired(now).expect("looked"), 0);
    assert_eq!(store.rows(), [T0 + 2 * 86_400_000]);
}
