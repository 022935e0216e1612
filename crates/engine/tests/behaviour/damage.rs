//! Files that are damaged, missing, unknown or expired.

use std::time::Duration;

use engine::{Config, inspect};
use model::{DurationText, TimeRange, Timestamp};
use store::{Cancel, EventScan, SelectRequest, SeriesBuffer, Table, TelemetryStore};

use crate::fixture::{Place, Series, T0, expected};

fn flip(path: &std::path::Path, at: usize) {
    let mut bytes = std::fs::read(path).expect("a file");
    bytes[at] ^= 0x10;
    std::fs::write(path, bytes).expect("flipped");
}

#[test]
fn a_block_with_any_flipped_byte_is_set_aside_and_the_rest_is_answered() {
    for (suffix, part) in [
        (".chunks.parquet", 0.4),
        (".chunks.parquet", 0.99),
        (".times.parquet", 0.1),
        (".series.parquet", 0.2),
        (".index.parquet", 0.3),
    ] {
        let place = Place::new();
        let store = place.open();
        store.push("up", &[(T0, 1.0)]);
        store.engine.checkpoint().expect("a checkpoint");
        store.push("up", &[(T0 + 1, 2.0)]);
        store.engine.checkpoint().expect("a checkpoint");
        store.push("up", &[(T0 + 2, 3.0)]);
        drop(store);
        let path = place.files("metrics", suffix).remove(0);
        let length = std::fs::metadata(&path).expect("a file").len();
        flip(&path, (length as f64 * part) as usize);
        let store = place.open();
        let rest = Series::from([expected("up", &[(T0 + 1, 2.0), (T0 + 2, 3.0)])]);
        assert_eq!(store.all(), rest, "{suffix}");
        assert_eq!(store.metric("watchkeeper_store_quarantined_files"), 1.0);
        assert_eq!(store.engine.stats().quarantined_files, 1);
        assert_eq!(place.files("quarantine", ".parquet").len(), 4, "all parts of the block are kept");
        assert_eq!(place.files("metrics", ".parquet").len(), 4);
        drop(store);
        let store = place.open();
        assert_eq!(store.all(), rest);
        assert_eq!(store.metric("watchkeeper_store_quarantined_files"), 1.0, "it is remembered");
    }
}

#[test]
fn a_damaged_or_missing_event_file_is_set_aside_and_the_rest_is_answered() {
    for missing in [false, true] {
        let place = Place::new();
        let store = place.open();
        for time in 0..3 {
            store.push_rows(&[T0 + time]);
            store.engine.checkpoint().expect("a checkpoint");
        }
        let path = place.files("events", ".parquet").remove(1);
        if missing {
            drop(store);
            std::fs::remove_file(&path).expect("removed");
            let store = place.open();
            assert_eq!(store.rows(), [T0, T0 + 2]);
            assert_eq!(store.metric("watchkeeper_store_quarantined_files"), 1.0);
        } else {
            flip(&path, 10);
            assert_eq!(store.rows(), [T0, T0 + 2]);
            assert_eq!(store.metric("watchkeeper_store_quarantined_files"), 1.0);
        }
    }
}

#[test]
fn files_that_the_catalog_does_not_know_are_removed_and_counted() {
    let place = Place::new();
    let store = place.open();
    store.push("up", &[(T0, 1.0)]);
    store.push_rows(&[T0]);
    store.engine.checkpoint().expect("a checkpoint");
    drop(store);
    for left in [
        "metrics/0000000000000099.chunks.parquet",
        "metrics/x.tmp",
        "events/0000000000000099.deploys.parquet",
    ] {
        std::fs::write(place.dir.path().join(left), b"left behind").expect("written");
    }
    let store = place.open();
    assert_eq!(store.metric("watchkeeper_store_orphans_removed_total"), 3.0);
    assert_eq!(place.files("metrics", "").len() + place.files("events", "").len(), 5);
    assert_eq!((store.all().len(), store.rows().len()), (1, 1));
}

#[test]
fn files_beside_a_lost_catalog_are_put_aside_not_removed() {
    let place = Place::new();
    let store = place.open();
    store.push("up", &[(T0, 1.0)]);
    store.engine.checkpoint().expect("a checkpoint");
    drop(store);
    std::fs::remove_file(place.dir.path().join("catalog.db")).expect("lost");
    let store = place.open();
    assert!(store.all().is_empty());
    assert_eq!(place.files("quarantine", ".parquet").len(), 4);
    // The new catalog's files have the same numbers.
    store.push("up", &[(T0, 2.0)]);
    store.engine.checkpoint().expect("a checkpoint");
    drop(store);
    std::fs::remove_file(place.dir.path().join("catalog.db")).expect("lost again");
    let store = place.open();
    assert_eq!(place.files("quarantine", ".parquet").len(), 8, "nothing takes the place of another");
    let verified = inspect::verify(place.dir.path(), &mut |_, _, _| {}).expect("verified");
    assert_eq!(verified.iter().filter(|file| file.set_aside.is_some()).count(), 8, "{verified:?}");
    drop(store);
}

#[test]
fn expired_files_are_dropped_and_a_query_that_holds_them_goes_on() {
    let place = Place::with(|config| config.retention = Config::default().retention);
    let store = place.open();
    let (hour, day) = (3_600_000, 86_400_000);
    let young = Timestamp::now().as_millis();
    let old = young - 2 * day;
    store.push("up", &[(old, 1.0)]);
    store.push_rows(&[old]);
    store.engine.checkpoint().expect("a checkpoint");
    // An older sample that shares its file with a young one stays as long as that.
    store.push("up", &[(old - hour, 1.5), (young, 2.0)]);
    store.push_rows(&[young]);
    store.engine.checkpoint().expect("a checkpoint");
    let request = SelectRequest {
        matchers: Vec::new(),
        range: TimeRange::ALL,
        values: None,
        max_samples: u64::MAX,
        cancel: Cancel::never(),
    };
    let mut held = store.engine.select(&request).expect("a query");
    let later = Timestamp::from_millis(young + 6 * day);
    assert_eq!(store.engine.drop_expired(later).expect("retention"), 2);
    assert_eq!(store.metric("watchkeeper_store_expired_files_total"), 2.0);
    assert_eq!(store.rows(), [young]);
    assert_eq!(store.all(), Series::from([expected("up", &[(old - hour, 1.5), (young, 2.0)])]));
    let mut buffer = SeriesBuffer::default();
    assert!(held.next_series(&mut buffer).expect("a series"));
    assert_eq!(buffer.times_ms, [old - hour, old, young]);
    assert_eq!(place.files("metrics", ".parquet").len(), 8, "a query holds them");
    drop(held);
    assert_eq!(place.files("metrics", ".parquet").len(), 4, "unlinked when nobody reads it");
    drop(store);
    assert_eq!(place.open().rows(), [young]);
}

#[test]
fn what_is_set_aside_is_kept_no_longer_than_the_rest() {
    let place = Place::new();
    let store = place.open();
    store.push_rows(&[T0]);
    store.engine.checkpoint().expect("a checkpoint");
    flip(&place.files("events", ".parquet")[0], 10);
    assert_eq!(store.rows(), [0i64; 0]);
    assert_eq!(place.files("quarantine", ".parquet").len(), 1);
    let later = Timestamp::from_millis(T0).after(place.config.retention.0).after(place.config.retention.0);
    store.engine.drop_expired(later).expect("retention");
    assert_eq!(place.files("quarantine", ".parquet").len(), 0);
    assert_eq!(store.metric("watchkeeper_store_quarantined_files"), 0.0);
    let scan = EventScan::new(Table::Deploys, TimeRange::ALL, 10);
    assert!(store.scan(&scan).is_empty());
}

/// Every file by name, and what is wrong with it.
fn problems(place: &Place) -> Vec<(String, String)> {
    let verified = inspect::verify(place.dir.path(), &mut |_, _, _| {}).expect("verified");
    let named = |file: inspect::StoreFile| Some((file.path.display().to_string(), file.problem?));
    verified.into_iter().filter_map(named).collect()
}

#[test]
fn a_flipped_byte_in_any_file_is_found_and_named() {
    let place =
        Place::with(|config| config.rollup_retention = DurationText(Duration::from_secs(30 * 86_400)));
    let store = place.open();
    for round in 0..2 {
        store.push("up", &[(T0 + round, 1.0)]);
        store.push_rows(&[T0 + round]);
        store.engine.checkpoint().expect("written");
    }
    // A day that is over, with its rollups.
    let past = Timestamp::now().as_millis() - 2 * 86_400_000;
    store.push("up", &[(past, 1.0), (past + 60_000, 2.0)]);
    store.engine.checkpoint().expect("written");
    store.push("up", &[(Timestamp::now().as_millis(), 3.0)]);
    store.engine.checkpoint().expect("written");
    store.engine.compact(Timestamp::now()).expect("rolled up");
    store.push("up", &[(past + 120_000, 9.0)]);
    store.push_rows(&[T0 + 9]);
    assert_eq!(problems(&place), [], "beside a store that is open");
    drop(store);
    let files = inspect::files(place.dir.path()).expect("listed");
    let kinds: std::collections::BTreeSet<&str> = files.iter().map(|file| file.kind).collect();
    assert_eq!(kinds, ["catalog", "deploys", "metrics", "rollups", "wal"].into());
    let rows =
        |kind| files.iter().filter(move |file| file.kind == kind).filter_map(|file| file.rows).sum::<u64>();
    assert_eq!((rows("deploys"), rows("metrics")), (2, 5), "{files:?}");
    for file in files.iter().filter(|file| file.kind != "catalog") {
        let path = place.dir.path().join(&file.path);
        let sound = std::fs::read(&path).expect("read");
        assert_eq!(sound.len() as u64, file.bytes);
        for place_of_flip in [0, sound.len() / 3, sound.len() / 2, sound.len() - 1] {
            let mut bytes = sound.clone();
            bytes[place_of_flip] ^= 0x10;
            std::fs::write(&path, &bytes).expect("written");
            let found = problems(&place);
            assert_eq!(found.len(), 1, "byte {place_of_flip} of {}: {found:?}", path.display());
            assert_eq!(found[0].0, file.path.display().to_string());
        }
        std::fs::write(&path, sound).expect("written");
    }
    for name in ["catalog.db", "catalog.sum"] {
        let path = place.dir.path().join(name);
        let sound = std::fs::read(&path).expect("read");
        for at in (0..sound.len().min(100)).chain((100..sound.len()).step_by(101)) {
            let mut bytes = sound.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, &bytes).expect("written");
            let found = problems(&place);
            assert!(found.iter().any(|(file, _)| file == name), "byte {at} of {name}: {found:?}");
        }
        std::fs::write(&path, sound).expect("written");
    }
    assert_eq!(problems(&place), []);
    std::fs::remove_file(place.files("metrics", ".chunks.parquet").remove(0)).expect("removed");
    assert!(problems(&place)[0].0.ends_with(".chunks.parquet"), "{:?}", problems(&place));
}

/// SQLite itself has no checksums: a changed value is found by ours.
#[test]
fn a_changed_value_in_the_catalog_is_found() {
    let place = Place::new();
    let store = place.open();
    store.push_rows(&[T0]);
    store.engine.checkpoint().expect("written");
    drop(store);
    let path = place.dir.path().join("catalog.db");
    let sound = std::fs::read(&path).expect("read");
    let time = (T0 * 1_000_000).to_be_bytes();
    let at = sound.windows(8).position(|bytes| bytes == time).expect("the time of the row");
    let mut bytes = sound.clone();
    bytes[at + 7] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    assert_eq!(
        problems(&place),
        [("catalog.db".to_owned(), "its rows do not have their checksum".to_owned())]
    );
    let mut bytes = sound;
    bytes[100..200].fill(0xff);
    std::fs::write(&path, bytes).expect("written");
    assert_eq!(problems(&place)[0].0, "catalog.db", "{:?}", problems(&place));
    assert!(problems(&place)[0].1.contains("were not checked"), "{:?}", problems(&place));
    // What can be told of the others without their checksums is told.
    assert_eq!(problems(&place).len(), 1);
    let rows = place.files("events", ".parquet").remove(0);
    let end = std::fs::metadata(&rows).expect("a file").len() as usize - 1;
    flip(&rows, end);
    let found = problems(&place);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[1].0.starts_with("events/") && found[1].1.contains("as Parquet does"), "{found:?}");
    flip(&rows, end);
    let Err(refused) = place.try_open_on(std::sync::Arc::new(engine::vfs::Disk)) else {
        panic!("a damaged catalog is opened")
    };
    assert!(refused.to_string().contains("catalog.db is damaged"), "{refused}");
}

#[test]
fn a_catalog_of_a_later_version_is_a_finding_and_the_log_is_checked_all_the_same() {
    let place = Place::new();
    let store = place.open();
    store.push("up", &[(T0, 1.0)]);
    drop(store);
    let path = place.dir.path().join("catalog.db");
    let connection = rusqlite::Connection::open(&path).expect("open");
    connection.pragma_update(None, "user_version", 99).expect("set");
    drop(connection);
    let wal = place.files("wal", ".wal").remove(0);
    flip(&wal, 30);
    let found = problems(&place);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].0 == "catalog.db" && found[0].1.contains("upgrade Watchkeeper"), "{found:?}");
    assert!(found[1].0.starts_with("wal/"), "{found:?}");
}

#[test]
fn what_a_start_put_aside_of_the_log_is_told_afterwards() {
    let place = Place::new();
    let store = place.open();
    store.push("up", &[(T0, 1.0)]);
    store.push("up", &[(T0 + 1, 2.0)]);
    drop(store);
    flip(&place.files("wal", ".wal").remove(0), 30);
    drop(place.open());
    assert_eq!(problems(&place), []);
    let files = inspect::files(place.dir.path()).expect("listed");
    let aside: Vec<_> = files.iter().filter(|file| file.set_aside.is_some()).collect();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert!(aside[0].kind == "wal" && aside[0].path.starts_with("quarantine"), "{aside:?}");
}

/// A sum that a crash has left behind is of an earlier commit: no damage, and written anew by the next start.
#[test]
fn a_sum_of_an_earlier_commit_is_no_damage() {
    let place = Place::new();
    let store = place.open();
    let sum = place.dir.path().join("catalog.sum");
    let earlier = std::fs::read(&sum).expect("read");
    store.push_rows(&[T0]);
    store.engine.checkpoint().expect("written");
    drop(store);
    for left in [Some(&earlier[..]), Some(&[0; 12]), Some(&[]), None] {
        match left {
            Some(left) => std::fs::write(&sum, left).expect("written"),
            None => std::fs::remove_file(&sum).expect("removed"),
        }
        assert_eq!(problems(&place), [], "{left:?}");
    }
    drop(place.open());
    assert!(sum.exists());
    assert_eq!(problems(&place), []);
}

#[test]
fn a_record_that_a_kill_has_cut_off_is_a_note_and_a_wrong_length_is_damage() {
    let place = Place::new();
    let store = place.open();
    store.push("up", &[(T0, 1.0)]);
    store.push("up", &[(T0 + 1, 2.0)]);
    drop(store);
    let path = place.files("wal", ".wal").remove(0);
    let sound = std::fs::read(&path).expect("read");
    let notes = || -> Vec<String> {
        let verified = inspect::verify(place.dir.path(), &mut |_, _, _| {}).expect("verified");
        verified.into_iter().filter_map(|file| file.note).collect()
    };
    let zeros = [&sound[..], &[0; 100]].concat();
    let left = [1, 20, sound.len() - 10, sound.len()].map(|cut| sound[..sound.len() - cut].to_vec());
    for cut in left.into_iter().chain([zeros]) {
        std::fs::write(&path, &cut).expect("written");
        let cut = cut.len();
        assert_eq!((problems(&place).len(), notes().len()), (0, 1), "{cut}: {:?}", problems(&place));
        assert!(notes()[0].contains("the next start cuts it off"), "{:?}", notes());
    }
    // The lengths of both records, one after the other: each is four bytes at a record's begin.
    let lengths: Vec<usize> = (0..sound.len() - 17)
        .filter(|at| {
            let length = u32::from_le_bytes(sound[*at..at + 4].try_into().expect("four bytes")) as usize;
            length > 0 && (at + 17 + length == sound.len() || sound[*at + 16] == 1)
        })
        .collect();
    assert!(!lengths.is_empty());
    for at in lengths {
        let mut bytes = sound.clone();
        bytes[at + 1] ^= 0x10;
        std::fs::write(&path, &bytes).expect("written");
        assert_eq!((problems(&place).len(), notes().len()), (1, 0), "length at {at}");
    }
}
