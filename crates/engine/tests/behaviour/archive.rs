//! Days that are over, in a folder and in a bucket.

mod bucket;
mod disk;
mod failures;
mod line;

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use engine::ArchiveConfig;
use model::{ByteSize, DurationText, MetricBatch, Timestamp};
use store::{Batch, TelemetryStore};

use crate::fixture::{Open, Place, deploys};

const HOUR: i64 = 3_600_000;
const DAYS: i64 = 24 * HOUR;
/// How long the store keeps files here. The background drops nothing, and tests ask as of much later.
const KEPT_DAYS: u64 = 1_000;
const KEPT: i64 = KEPT_DAYS as i64 * DAYS;

/// The beginning of a day some weeks ago, in UTC.
fn day() -> i64 {
    static DAY: LazyLock<i64> = LazyLock::new(|| {
        let now = Timestamp::now().as_millis();
        now - now % DAYS - 40 * DAYS
    });
    *DAY
}

fn at(time_ms: i64) -> Timestamp {
    Timestamp::from_millis(time_ms)
}

fn days(days: u64) -> DurationText {
    DurationText(std::time::Duration::from_secs(days * 86_400))
}

/// An archive that keeps everything: the data of tests gets older.
fn archive(url: String) -> ArchiveConfig {
    ArchiveConfig { url, retention: days(0), ..ArchiveConfig::default() }
}

/// What DuckDB answers.
fn duckdb(sql: &str) -> String {
    let output = Command::new(testkit::python())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/opens.py"))
        .args(["--duckdb", sql])
        .output()
        .expect("Python runs");
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("JSON").trim().to_owned()
}

/// Stores a sample, and on even hours a row, at each hour from `from` to before `to`.
fn fill(store: &Open, from: i64, to: i64) {
    for hour in from..to {
        let time = day() + hour * HOUR;
        store.push("up", &[(time, hour as f64)]);
        if hour % 2 == 0 {
            let events = vec![deploys(&[time])];
            store.append(Batch { metrics: MetricBatch::new(), events }).expect("appended");
        }
        if hour % 5 == 4 {
            store.engine.checkpoint().expect("written");
        }
    }
    store.engine.checkpoint().expect("written");
}

#[test]
fn a_day_that_is_over_is_archived_once_and_duckdb_reads_the_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("archive");
    let mut place = Place::with(|config| config.archive = archive(format!("file://{}", root.display())));
    let store = place.open();
    fill(&store, 0, 30);
    assert_eq!(store.engine.archive(at(day() + 25 * HOUR)).expect("looked"), 0, "late rows may still come");
    assert_eq!(store.engine.archive(at(day() + 29 * HOUR)).expect("archived"), 2);
    assert_eq!(store.engine.archive(at(day() + 29 * HOUR)).expect("looked"), 0, "nothing is archived twice");
    let date = &at(day()).to_string()[..10];
    assert!(root.join(format!("metrics/day={date}/metrics-{date}.parquet")).exists());
    drop(store);
    // What a crash in the middle of an object leaves.
    let unfinished = root.join(format!("deploys/day={date}/deploys-{date}.parquet#1"));
    std::fs::write(&unfinished, "half").expect("written");
    // The same place, written in another way.
    place.config.archive.url = format!("{}/", root.display());
    let store = place.open();
    assert_eq!(store.engine.archive(at(day() + 29 * HOUR)).expect("looked"), 0, "nor after a start");
    assert!(!unfinished.exists());
    store.engine.compact(at(day() + 60 * HOUR)).expect("merged");
    assert_eq!(store.engine.archive(at(day() + 60 * HOUR)).expect("archived"), 2, "the second day");
    let read = |table: &str, what: &str| {
        let files = root.join(table).join("**/*.parquet");
        duckdb(&format!(
            "SELECT {what} FROM read_parquet('{}', hive_partitioning = true, union_by_name = true)",
            files.display()
        ))
    };
    assert_eq!(
        read(
            "metrics",
            "count(*) AS n, sum(value) AS s, min(name) AS name, min(job) AS job, count(DISTINCT day) AS days"
        ),
        r#"[{"n": 30, "s": 435.0, "name": "up", "job": "test", "days": 2}]"#
    );
    assert_eq!(
        read(
            "deploys",
            "count(*) AS n, epoch_ms(min(time)::TIMESTAMPTZ) AS first, map_keys(any_value(attributes)) AS keys"
        ),
        format!(r#"[{{"n": 15, "first": {}, "keys": ["k"]}}]"#, day())
    );
    assert_eq!(store.metric("watchkeeper_store_archived_rows_total"), 9.0, "since the start");
    assert_eq!(store.metric("watchkeeper_store_archive_pending_days"), 0.0);
    let status = engine::inspect::archive(place.dir.path()).expect("read").expect("an archive");
    assert_eq!((status.days, status.rows, status.error), (4, 45, None));
}

#[test]
fn rows_that_come_late_are_archived_as_well_and_no_object_becomes_poorer() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::with(|config| {
        config.archive = archive(folder.path().display().to_string());
        config.retention = days(KEPT_DAYS);
    });
    let store = place.open();
    fill(&store, 0, 24);
    let count = || {
        let files = folder.path().join("deploys/*/*.parquet");
        duckdb(&format!("SELECT count(*) AS n FROM read_parquet('{}')", files.display()))
    };
    assert_eq!(store.engine.archive(at(day() + 30 * HOUR)).expect("archived"), 2);
    assert_eq!(count(), r#"[{"n": 12}]"#);
    store.push_rows(&[day() + HOUR + 7]);
    store.engine.checkpoint().expect("written");
    assert_eq!(store.engine.archive(at(day() + 31 * HOUR)).expect("looked"), 0, "more of them may come");
    assert_eq!(store.engine.archive(at(day() + 37 * HOUR)).expect("archived"), 1);
    assert_eq!(count(), r#"[{"n": 13}]"#);
    // Some of the day is gone; what comes then cannot be archived with the rest.
    assert!(store.engine.drop_expired(at(day() + KEPT + 6 * HOUR)).expect("dropped") > 0);
    store.push_rows(&[day() + HOUR + 8]);
    store.engine.checkpoint().expect("written");
    assert_eq!(store.engine.archive(at(day() + 60 * HOUR)).expect("looked"), 0);
    assert_eq!(count(), r#"[{"n": 13}]"#);
    assert_eq!(store.metric("watchkeeper_store_dropped_unarchived_files_total"), 0.0);
}

#[test]
fn the_archive_drops_what_is_older_than_it_keeps_and_nothing_of_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::with(|config| {
        config.archive =
            ArchiveConfig { retention: days(300), ..archive(folder.path().display().to_string()) };
    });
    let store = place.open();
    fill(&store, 0, 24);
    assert_eq!(store.engine.archive(at(day() + 30 * HOUR)).expect("archived"), 2);
    let date = &at(day()).to_string()[..10];
    let of_day = folder.path().join(format!("metrics/day={date}"));
    let ours = of_day.join(format!("metrics-{date}.parquet"));
    std::fs::write(of_day.join("notes.txt"), "somebody else's").expect("written");
    drop(store);
    let store = place.open();
    store.engine.archive(at(day() + 299 * DAYS)).expect("looked");
    assert!(ours.exists());
    drop(store);
    let store = place.open();
    assert_eq!(
        store.engine.archive(at(day() + 302 * DAYS)).expect("looked"),
        0,
        "what is too old is not archived again"
    );
    assert!(!ours.exists() && of_day.join("notes.txt").exists());
    assert!(!folder.path().join(format!("deploys/day={date}")).exists());
    assert_eq!(store.metric("watchkeeper_store_archive_expired_days_total"), 2.0);
    let status = engine::inspect::archive(place.dir.path()).expect("read").expect("an archive");
    assert_eq!(status.days, 0);
}

#[test]
fn files_wait_for_an_archive_that_is_down_but_not_for_ever_and_not_when_the_disk_is_short() {
    let nobody = format!("http://127.0.0.1:{}", testkit::free_port().expect("a port"));
    let place = |change: fn(&mut engine::Config)| {
        Place::with(|config| {
            bucket::trust();
            config.retention = days(KEPT_DAYS);
            config.archive = ArchiveConfig { patience: days(2), ..bucket::config("s3://archive", &nobody) };
            change(config);
        })
    };
    let waits = place(|_| {});
    let store = waits.open();
    fill(&store, 0, 24);
    let files = store.engine.stats().files;
    assert!(store.engine.archive(at(day() + 30 * HOUR)).is_err(), "nobody is there");
    assert_eq!(store.engine.drop_expired(at(day() + KEPT + 2 * DAYS)).expect("looked"), 0, "they wait");
    assert!(store.engine.drop_expired(at(day() + KEPT + 3 * DAYS)).expect("dropped") > 0);
    assert_eq!(store.engine.stats().files, 0);
    assert!(files > 0 && store.metric("watchkeeper_store_dropped_unarchived_files_total") > 0.0);
    assert_eq!(store.metric("watchkeeper_store_archive_errors_total"), 1.0);
    let status = engine::inspect::archive(waits.dir.path()).expect("read").expect("an archive");
    assert!(status.error.is_some_and(|(text, _)| text.contains("metrics of") || text.contains("deploys of")));

    let short = place(|config| config.retention_bytes = ByteSize(1));
    let store = short.open();
    fill(&store, 0, 24);
    assert!(
        store.engine.drop_expired(at(day() + 25 * HOUR)).expect("dropped") > 0,
        "there is no room to wait"
    );
    assert!(store.metric("watchkeeper_store_dropped_unarchived_files_total") > 0.0);
}

#[test]
fn an_archive_that_cannot_be_meant_is_refused_at_the_start() {
    for url in ["ftp://host/x", "s3://", "file://not/from/the/root"] {
        let place = Place::with(|config| config.archive = archive(url.to_owned()));
        let failed = place.try_open_on(std::sync::Arc::new(engine::vfs::Disk)).err().expect(url);
        let told = failed.to_string();
        assert!(told.contains("[store.archive]") && told.contains(url), "{told}");
    }
}
