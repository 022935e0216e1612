//! What is acknowledged is there after any end, once.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use engine::vfs::{Disk, Vfs};
use engine::{Engine, EngineError};
use model::{ByteSize, MetricBatch};
use prometheus::Registry;
use store::{AppendError, Batch, TelemetryStore};

use crate::faults::Dying;
use crate::fixture::{Open, Place, Series, T0, copy_dir, deploys, expected, samples_of};

#[test]
fn everything_acknowledged_is_there_after_dropping_the_store_without_shutdown() {
    let place = Place::new();
    let store = place.open();
    let both = Batch {
        metrics: samples_of("up", &[(T0, 1.5), (T0 + 1, -0.0)]),
        events: vec![deploys(&[T0, T0 + 5])],
    };
    let appended = store.append(both).expect("appended");
    assert_eq!((appended.samples, appended.rows), (2, 2));
    store.push("down", &[(T0, f64::NAN)]);
    let (all, rows) = (store.all(), store.rows());
    assert_eq!(
        all,
        Series::from([expected("up", &[(T0, 1.5), (T0 + 1, -0.0)]), expected("down", &[(T0, f64::NAN)])])
    );
    drop(store);
    let store = place.open();
    assert_eq!((store.all(), store.rows()), (all, rows));
    assert_eq!(store.metric("watchkeeper_wal_replayed_records_total"), 2.0);
}

#[test]
fn the_state_after_many_restarts_and_checkpoints_is_the_sum_of_all() {
    let place = Place::with(|config| config.wal_segment_bytes = ByteSize(300));
    let mut samples = Vec::new();
    let mut rows = Vec::new();
    for round in 0..12 {
        let store = place.open();
        for step in 0..5 {
            let time = T0 + round * 100 + step;
            samples.push((time, time as f64));
            rows.push(time);
            store.push("up", &[(time, time as f64)]);
            store.push_rows(&[time]);
        }
        if round % 3 == 1 {
            store.engine.checkpoint().expect("a checkpoint");
        }
        assert_eq!(store.all(), Series::from([expected("up", &samples)]), "round {round}");
        assert_eq!(store.rows(), rows);
        if round % 2 == 0 {
            store.engine.shutdown();
        }
    }
    let store = place.open();
    store.engine.checkpoint().expect("a checkpoint");
    store.engine.checkpoint().expect("nothing to do is fine");
    assert_eq!(place.files("wal", ".wal").len(), 1, "the log has let go of what is in files");
    assert_eq!(store.all(), Series::from([expected("up", &samples)]));
    drop(store);
    let store = place.open();
    assert_eq!(store.metric("watchkeeper_wal_replayed_records_total"), 0.0);
    assert_eq!((store.all(), store.rows()), (Series::from([expected("up", &samples)]), rows));
}

#[test]
fn a_torn_tail_is_truncated_and_counted_wherever_it_is_torn() {
    let place = Place::new();
    let store = place.open();
    store.push("up", &[(T0, 1.0)]);
    let before = std::fs::metadata(&place.files("wal", ".wal")[0]).expect("a segment").len();
    store.push("up", &[(T0 + 1, 2.0)]);
    store.push_rows(&[]);
    drop(store);
    let segment = place.files("wal", ".wal").remove(0);
    let whole = std::fs::read(&segment).expect("a segment");
    for cut in before as usize + 1..whole.len() {
        let torn = Place::new();
        copy_dir(place.dir.path(), torn.dir.path());
        let path = torn.dir.path().join("wal").join(segment.file_name().expect("a name"));
        std::fs::write(&path, &whole[..cut]).expect("torn");
        for (opened, torn_tails) in [("first", 1.0), ("second", 0.0)] {
            let store = torn.open();
            assert_eq!(
                store.metric("watchkeeper_wal_torn_tails_total"),
                torn_tails,
                "cut at {cut}, {opened} time"
            );
            assert_eq!(store.metric("watchkeeper_wal_corrupt_records_total"), 0.0);
            assert_eq!(store.all(), Series::from([expected("up", &[(T0, 1.0)])]));
        }
    }
}

#[test]
fn a_segment_of_which_only_a_piece_of_the_header_was_written_is_a_torn_tail() {
    let place = Place::new();
    place.open().push("up", &[(T0, 1.0)]);
    std::fs::write(place.dir.path().join("wal/00000000000000000009.wal"), b"WKPR").expect("a torn header");
    let store = place.open();
    assert_eq!(store.metric("watchkeeper_wal_torn_tails_total"), 1.0);
    assert_eq!(store.all(), Series::from([expected("up", &[(T0, 1.0)])]));
}

/// Three segments, of which the one in the middle holds three records.
fn three_segments() -> Place {
    let place = Place::new();
    place.open().push("first", &[(T0, 1.0)]);
    let store = place.open();
    for time in [1, 2, 3] {
        store.push("second", &[(T0 + time, 2.0)]);
    }
    drop(store);
    place.open().push("third", &[(T0, 3.0)]);
    assert_eq!(place.files("wal", ".wal").len(), 3);
    place
}

#[test]
fn a_bad_record_in_a_middle_segment_is_put_aside_and_later_segments_are_replayed() {
    let place = three_segments();
    let middle = place.files("wal", ".wal").remove(1);
    let mut bytes = std::fs::read(&middle).expect("a segment");
    let last_value = bytes.len() - 1;
    bytes[last_value] ^= 0x40;
    std::fs::write(&middle, &bytes).expect("flipped");
    for (opened, corrupt) in [("first", 1.0), ("second", 0.0)] {
        let store = place.open();
        assert_eq!(store.metric("watchkeeper_wal_corrupt_records_total"), corrupt, "{opened} time");
        assert_eq!(store.metric("watchkeeper_wal_torn_tails_total"), 0.0);
        let known = [
            expected("first", &[(T0, 1.0)]),
            expected("second", &[(T0 + 1, 2.0), (T0 + 2, 2.0)]),
            expected("third", &[(T0, 3.0)]),
        ];
        assert_eq!(store.all(), Series::from(known));
        assert_eq!(place.files("quarantine", ".wal").len(), 1);
    }
}

#[test]
fn a_bad_record_before_a_good_one_in_the_last_segment_is_corruption_not_a_torn_tail() {
    let place = three_segments();
    for later in place.files("wal", ".wal").drain(2..) {
        std::fs::remove_file(later).expect("removed");
    }
    let last = place.files("wal", ".wal").remove(1);
    let mut bytes = std::fs::read(&last).expect("a segment");
    let in_the_middle = bytes.len() / 2;
    bytes[in_the_middle] ^= 1;
    std::fs::write(&last, &bytes).expect("flipped");
    let store = place.open();
    assert_eq!(store.metric("watchkeeper_wal_corrupt_records_total"), 1.0);
    assert_eq!(store.metric("watchkeeper_wal_torn_tails_total"), 0.0);
}

#[test]
fn a_segment_that_is_gone_is_told_with_what_it_held_and_the_others_are_replayed() {
    let place = three_segments();
    std::fs::remove_file(place.files("wal", ".wal").remove(1)).expect("removed");
    let store = place.open();
    assert_eq!(store.metric("watchkeeper_wal_missing_records_total"), 3.0);
    let known = [expected("first", &[(T0, 1.0)]), expected("third", &[(T0, 3.0)])];
    assert_eq!(store.all(), Series::from(known));
    store.engine.checkpoint().expect("files");
    drop(store);
    assert_eq!(place.open().metric("watchkeeper_wal_missing_records_total"), 0.0, "files know of no gap");
}

#[test]
fn a_segment_that_is_gone_before_all_others_is_told_as_well() {
    let place = three_segments();
    let store = place.open();
    store.engine.checkpoint().expect("files");
    store.push("fourth", &[(T0, 4.0)]);
    drop(store);
    place.open().push("fifth", &[(T0, 5.0)]);
    std::fs::remove_file(place.files("wal", ".wal").remove(0)).expect("removed");
    let store = place.open();
    assert_eq!(store.metric("watchkeeper_wal_missing_records_total"), 1.0);
    assert_eq!(store.all().len(), 4, "all but the fourth");
}

/// A record of a version to come: whole, and of no kind that this one knows.
#[test]
fn a_record_that_is_whole_and_cannot_be_read_is_put_aside_alone() {
    let place = three_segments();
    let middle = place.files("wal", ".wal").remove(1);
    let mut bytes = std::fs::read(&middle).expect("a segment");
    // The first record after the segment's header: length, checksum, sequence, type, payload.
    let length = u32::from_le_bytes(bytes[24..28].try_into().expect("four bytes")) as usize;
    let (start, end) = (24 + 17, 24 + 17 + length);
    bytes[start] = 99;
    let covered = [&2u64.to_le_bytes()[..], &bytes[32..41], &bytes[start..end]].concat();
    let crc = crc32c(&covered);
    bytes[28..32].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&middle, &bytes).expect("written");
    for opened in ["first", "second"] {
        let store = place.open();
        // The other two are of the series that the first one defined.
        assert_eq!(store.metric("watchkeeper_wal_corrupt_records_total"), 3.0, "{opened} time");
        assert_eq!(store.metric("watchkeeper_wal_missing_records_total"), 0.0);
        let known = [expected("first", &[(T0, 1.0)]), expected("third", &[(T0, 3.0)])];
        assert_eq!(store.all(), Series::from(known));
        let aside = place.files("quarantine", ".wal");
        assert_eq!(aside.len(), 1);
        assert_eq!(std::fs::read(&aside[0]).expect("records"), bytes[24..]);
        assert_eq!(std::fs::read(&middle).expect("a segment"), bytes, "the segment stays as it is");
    }
}

#[test]
fn a_log_of_another_version_is_refused_and_left_alone() {
    let place = Place::new();
    place.open().push("up", &[(T0, 1.0)]);
    let segment = place.files("wal", ".wal").remove(0);
    let mut bytes = std::fs::read(&segment).expect("a segment");
    bytes[8] = 77;
    let crc = crc32c(&bytes[..20]);
    bytes[20..24].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&segment, &bytes).expect("written");
    let refused = place.try_open_on(Arc::new(Disk)).map(|_| ());
    assert!(matches!(refused, Err(EngineError::FormatVersion { found: 77, .. })), "{refused:?}");
    assert_eq!(std::fs::read(&segment).expect("a segment"), bytes);
}

/// Castagnoli's CRC, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn a_second_store_in_the_same_directory_is_refused_with_advice() {
    let place = Place::new();
    let first = place.open();
    let second = Engine::open(place.dir.path(), place.config.clone(), &Registry::new()).map(|_| ());
    let error = second.expect_err("in use");
    assert!(matches!(error, EngineError::InUse(_)), "{error:?}");
    assert!(error.to_string().contains("stop that one"), "{error}");
    drop(first);
    place.open();
}

#[test]
fn concurrent_appends_are_all_durable() {
    let place = Place::new();
    let store = place.open();
    let engine = Arc::clone(&store.engine);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().expect("a runtime");
    runtime.block_on(async {
        let writers = (0..16).map(|writer| {
            let engine = Arc::clone(&engine);
            tokio::spawn(async move {
                for step in 0..20 {
                    let name = format!("writer_{writer:02}");
                    let samples = samples_of(&name, &[(T0 + step, f64::from(writer))]);
                    let batch = Batch {
                        metrics: samples,
                        events: vec![deploys(&[T0 + i64::from(writer) * 100 + step])],
                    };
                    engine.append(batch).await.expect("appended");
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.expect("a writer");
        }
    });
    let commits = store.metric("watchkeeper_wal_commits_total");
    assert!(commits < 320.0, "writers share commits: {commits}");
    drop((store, engine));
    let store = place.open();
    let all = store.all();
    assert_eq!(all.len(), 16);
    assert!(all.values().all(|samples| samples.len() == 20));
    assert_eq!(store.rows().len(), 320);
}

/// Appends, checkpoints and appends again until something fails; gives what was acknowledged.
fn work(store: &Open) -> Vec<i64> {
    let mut acknowledged = Vec::new();
    for time in 0..12 {
        let batch =
            Batch { metrics: samples_of("up", &[(T0 + time, 1.0)]), events: vec![deploys(&[T0 + time])] };
        match store.append(batch) {
            Ok(_) => acknowledged.push(T0 + time),
            Err(AppendError::Poisoned) => break,
            Err(error) => panic!("an answer that a dying disk does not give: {error}"),
        }
        if time % 5 == 4 && store.engine.checkpoint().is_err() {
            break;
        }
    }
    acknowledged
}

fn assert_recovered(dir: &Path, place: &Place, acknowledged: &[i64], at: u64) {
    let store = place.open();
    let rows = store.rows();
    assert!(rows.starts_with(acknowledged), "died at {at}: {acknowledged:?} acknowledged, {rows:?} found");
    assert!(rows.len() <= acknowledged.len() + 1, "died at {at}: only the batch in flight may be more");
    let samples: Vec<i64> = store.all().values().flatten().map(|(time, _)| *time).collect();
    assert_eq!(samples, rows, "died at {at}: a batch is there wholly or not at all");
    store.engine.checkpoint().expect("a checkpoint");
    assert_eq!(store.rows(), rows);
    let unfinished = place.files("metrics", ".tmp").len() + place.files("events", ".tmp").len();
    assert_eq!(unfinished, 0, "died at {at}: {}", dir.display());
}

#[test]
fn dying_at_any_operation_loses_nothing_acknowledged_and_doubles_nothing() {
    for at in 0.. {
        let place = Place::new();
        let (disk, left) = Dying::after(at);
        let acknowledged = place.try_open_on(disk).map(|store| work(&store)).unwrap_or_default();
        let lived = left.load(Ordering::SeqCst) > 0;
        assert_recovered(place.dir.path(), &place, &acknowledged, at);
        if lived {
            assert_eq!(acknowledged.len(), 12);
            assert!(at > 60, "the work takes many operations: {at}");
            return;
        }
    }
}

#[test]
fn dying_at_any_operation_of_recovery_loses_nothing_either() {
    let place = Place::with(|config| config.wal_segment_bytes = ByteSize(200));
    let samples: Vec<(i64, f64)> = (0..40).map(|time| (T0 + time, time as f64)).collect();
    let (disk, _) = Dying::after(101);
    let store = place.try_open_on(disk).expect("enough for opening");
    let stored =
        samples.iter().take_while(|sample| store.append(samples_of("up", &[**sample])).is_ok()).count();
    assert!((20..40).contains(&stored), "{stored}");
    drop(store);
    for at in 0.. {
        // So little memory that files are written while the log is read.
        let again = Place::with(|config| config.head_max_bytes = ByteSize(256));
        copy_dir(place.dir.path(), again.dir.path());
        let (disk, left) = Dying::after(at);
        let opened = again.try_open_on(disk);
        let lived = opened.is_ok() && left.load(Ordering::SeqCst) > 0;
        drop(opened);
        let found = again.open().all();
        let found: Vec<_> = found.values().flatten().copied().collect();
        let known: Vec<_> = samples.iter().map(|(time, value)| (*time, value.to_bits())).collect();
        assert!(
            known.starts_with(&found) && found.len() >= stored,
            "died at {at}: {} of {stored}",
            found.len()
        );
        if lived {
            return;
        }
    }
}

#[test]
fn a_failed_sync_ends_writing_for_ever_and_queries_go_on() {
    let place = Place::new();
    let (disk, _) = Dying::after(u64::MAX);
    let store = place.try_open_on(Arc::clone(&disk) as Arc<dyn Vfs>).expect("the store opens");
    store.push("up", &[(T0, 1.0)]);
    // The next write succeeds, its sync does not.
    disk.fails_to_sync.store(true, Ordering::SeqCst);
    let refused = |store: &Open| store.append(samples_of("up", &[(T0 + 1, 2.0)]));
    assert!(matches!(refused(&store), Err(AppendError::Poisoned)));
    disk.fails_to_sync.store(false, Ordering::SeqCst);
    assert!(matches!(refused(&store), Err(AppendError::Poisoned)), "it is never tried again");
    assert!(matches!(store.engine.checkpoint(), Err(EngineError::Poisoned)));
    assert_eq!(store.all(), Series::from([expected("up", &[(T0, 1.0)])]));
    let failure = store.failed();
    assert!(
        matches!(&*failure, EngineError::Io { doing: "sync", path, .. } if path.ends_with("00000000000000000001.wal")),
        "{failure:?}"
    );
    drop(store);
    place.open().push("up", &[(T0 + 2, 3.0)]);
}

#[test]
fn a_closed_store_takes_nothing_and_an_empty_batch_is_nothing() {
    let place = Place::new();
    let store = place.open();
    assert_eq!(store.append(MetricBatch::new()).expect("nothing"), store::Appended::default());
    store.push("up", &[(T0, 1.0)]);
    store.engine.shutdown();
    assert!(matches!(store.append(samples_of("up", &[(T0 + 1, 1.0)])), Err(AppendError::Closed)));
    assert_eq!(store.all().len(), 1, "queries are still answered");
    store.engine.checkpoint().expect("nothing is left to do");
}
