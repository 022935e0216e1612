//! What fails, of the archive or of the store, harms nothing else and no object.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::inspect::ArchiveStatus;
use model::ByteSize;

use super::disk::{Harm, Harmful};
use super::{HOUR, archive, at, day, days, duckdb, fill};
use crate::faults::Sized;
use crate::fixture::Place;

/// A store whose files nobody merges, with an archive in a folder.
fn place(folder: &Path) -> Place {
    Place::with(|config| {
        config.archive = archive(format!("file://{}", folder.display()));
        config.compaction_interval = days(1);
    })
}

fn status(place: &Place) -> ArchiveStatus {
    engine::inspect::archive(place.dir.path()).expect("read").expect("an archive")
}

/// Whether what failed is said with this text.
fn is_said(place: &Place, text: &str) -> bool {
    status(place).error.is_some_and(|(error, _)| error.contains(text))
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).expect("a folder").next().is_none()
}

#[test]
fn a_folder_whose_disk_is_not_mounted_is_tried_again_and_nothing_is_written_in_its_place() {
    let parent = tempfile::tempdir().expect("a folder");
    let (disk, away) = (parent.path().join("disk"), parent.path().join("away"));
    let place = place(&disk.join("archive"));
    let store = place.open();
    fill(&store, 0, 24);
    let now = at(day() + 30 * HOUR);
    for times in [1.0, 2.0] {
        assert!(store.engine.archive(now).is_err(), "there is no disk");
        assert_eq!(store.metric("watchkeeper_store_archive_errors_total"), times);
        assert!(is_said(&place, "is its disk mounted?"), "{:?}", status(&place));
        assert!(!disk.exists());
    }
    std::fs::create_dir(&disk).expect("mounted");
    assert_eq!(store.engine.archive(now).expect("archived"), 2);
    assert_eq!(status(&place).error, None);

    // Without it there is an empty folder in its place.
    std::fs::rename(&disk, &away).expect("unmounted");
    std::fs::create_dir(&disk).expect("a folder");
    store.push_rows(&[day() + HOUR + 7]);
    store.engine.checkpoint().expect("written");
    let now = at(day() + 40 * HOUR);
    assert!(store.engine.archive(now).is_err(), "it was there a moment ago");
    drop(store);
    let store = place.open();
    assert!(store.engine.archive(now).is_err(), "nor is it there after a start");
    assert!(is_said(&place, "is its disk mounted?"), "{:?}", status(&place));
    assert!(is_empty(&disk), "it would have to be in {}", away.display());

    std::fs::remove_dir(&disk).expect("removed");
    std::fs::rename(&away, &disk).expect("mounted");
    assert_eq!(store.engine.archive(now).expect("archived"), 1);
    assert_eq!((status(&place).error, status(&place).rows), (None, 24 + 13));
}

#[test]
fn a_day_that_cannot_be_read_keeps_no_other_day_or_table_from_being_archived() {
    type Harming = fn(PathBuf) -> Harm;
    let harms: [(Harming, &str); 2] = [(Harm::Unreadable, "os error 5"), (Harm::Panic, "panicked")];
    for (harm, said) in harms {
        let folder = tempfile::tempdir().expect("a folder");
        let place = place(folder.path());
        let disk = Harmful::to_this_thread();
        let store = place.try_open_on(disk.clone()).expect("the store opens");
        fill(&store, 0, 40);
        disk.set(harm(place.files("metrics", ".chunks.parquet").remove(0)));
        let now = at(day() + 60 * HOUR);
        assert_eq!(store.engine.archive(now).expect("the others are archived"), 3, "{said}");
        let date = &at(day()).to_string()[..10];
        assert!(!folder.path().join(format!("metrics/day={date}/metrics-{date}.parquet")).exists());
        assert!(is_said(&place, &format!("metrics of {date}")), "{:?}", status(&place));
        assert!(is_said(&place, said), "{:?}", status(&place));
        assert_eq!(store.metric("watchkeeper_store_archive_errors_total"), 1.0, "{said}");
        assert_eq!(store.metric("watchkeeper_store_archive_pending_days"), 1.0, "{said}");
        assert_eq!(store.metric("watchkeeper_store_quarantined_files"), 0.0, "{said}");
        disk.set(Harm::None);
        assert_eq!(store.engine.archive(now).expect("archived"), 1, "{said}: it is tried again");
        assert_eq!((status(&place).error, status(&place).rows), (None, 40 + 20), "{said}");
    }
}

#[test]
fn a_panic_of_the_archiver_is_counted_and_the_next_pass_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = place(folder.path());
    let disk = Harmful::to_this_thread();
    let store = place.try_open_on(disk.clone()).expect("the store opens");
    fill(&store, 0, 24);
    disk.set(Harm::PanicAfterReading);
    let now = at(day() + 30 * HOUR);
    let failed = store.engine.archive(now).expect_err("it has panicked");
    assert!(failed.to_string().contains("the archive could not"), "{failed}");
    assert!(is_said(&place, "panicked"), "{:?}", status(&place));
    assert_eq!(store.metric("watchkeeper_store_archive_errors_total"), 1.0);
    assert_eq!(store.engine.archive(now).expect("archived"), 2);
    assert_eq!((status(&place).error, status(&place).rows), (None, 24 + 12));
}

#[test]
fn a_day_of_which_a_file_was_set_aside_is_not_written_over_however_many_rows_come_late() {
    for is_found_before in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let place = place(folder.path());
        let store = place.open();
        let rows =
            |hour: i64, count: i64| -> Vec<i64> { (0..count).map(|row| day() + hour * HOUR + row).collect() };
        store.push_rows(&rows(1, 50));
        store.engine.checkpoint().expect("written");
        assert_eq!(store.engine.archive(at(day() + 30 * HOUR)).expect("archived"), 1);
        let path = place.files("events", ".parquet").remove(0);
        store.push_rows(&rows(2, 60));
        store.engine.checkpoint().expect("written");
        let mut bytes = std::fs::read(&path).expect("read");
        bytes[10] ^= 0x10;
        std::fs::write(&path, bytes).expect("damaged");
        if is_found_before {
            assert_eq!(store.rows().len(), 60);
        }
        for hour in [40, 60] {
            let archived = store.engine.archive(at(day() + hour * HOUR)).expect("looked");
            assert_eq!(archived, 0, "found before: {is_found_before}");
        }
        assert_eq!(store.metric("watchkeeper_store_quarantined_files"), 1.0);
        let files = folder.path().join("deploys/*/*.parquet");
        assert_eq!(
            duckdb(&format!("SELECT count(*) AS n FROM read_parquet('{}')", files.display())),
            r#"[{"n": 50}]"#,
            "found before: {is_found_before}"
        );
    }
}

#[test]
fn an_archive_on_the_disk_of_the_store_leaves_the_reserve_and_one_on_another_disk_needs_none_of_it() {
    let open = |folder: &Path| {
        let mut place = place(folder);
        place.config.disk_reserve_bytes = ByteSize(1_000);
        let free = Arc::new(AtomicU64::new(1 << 40));
        let store = place.try_open_on(Arc::new(Sized(Arc::clone(&free)))).expect("the store opens");
        fill(&store, 0, 24);
        free.store(1_010, Ordering::SeqCst);
        (place, store, free)
    };
    let now = at(day() + 30 * HOUR);
    let folder = tempfile::tempdir().expect("a folder");
    let (place, store, free) = open(folder.path());
    assert_eq!(store.engine.archive(now).expect("looked"), 0);
    assert!(is_empty(folder.path()));
    assert!(is_said(&place, "has no room"), "{:?}", status(&place));
    assert_eq!(store.metric("watchkeeper_store_archive_errors_total"), 2.0, "a day of each table");
    assert_eq!(store.metric("watchkeeper_store_archive_pending_days"), 2.0);
    free.store(1 << 40, Ordering::SeqCst);
    assert_eq!(store.engine.archive(now).expect("archived"), 2);
    assert_eq!(status(&place).error, None);

    // Where there is a second disk: the memory.
    let disk_of = |path: &Path| std::fs::metadata(path).expect("a folder").dev();
    if let Ok(memory) = tempfile::tempdir_in("/dev/shm")
        && disk_of(memory.path()) != disk_of(place.dir.path())
    {
        let (_place, store, _free) = open(memory.path());
        assert_eq!(store.engine.archive(now).expect("archived"), 2);
    }
}
