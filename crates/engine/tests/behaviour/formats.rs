//! Stores as every version of the formats wrote them, kept in `tests/fixtures/format/`: each is read, and
//! holds what the text beside it says. docs/format/README.md says how a fixture is made.

mod content;
mod recipes;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::inspect;
use engine::vfs::Disk;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::fixture::{Place, copy_dir};
use content::content_of;
use recipes::RECIPES;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/format")
}

/// The names of all fixtures.
fn names() -> Vec<String> {
    let entries = std::fs::read_dir(fixtures()).expect("the fixtures");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut names: Vec<String> = paths
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Files below `dir` whose names end so, sorted.
fn files(dir: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("a directory of the store");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(suffix));
    paths.sort();
    paths
}

#[test]
fn a_store_of_every_format_version_is_read_and_holds_what_was_put_into_it() {
    let names = names();
    assert!(names.len() >= 5, "fixtures are missing: {names:?}");
    for name in names {
        let wanted = std::fs::read_to_string(fixtures().join(format!("{name}.txt"))).expect("its text");
        let place = Place::with(|config| config.rollup_retention = config.retention);
        copy_dir(&fixtures().join(&name), place.dir.path());
        let times =
            ["as it was", "after a start", "after its log became files", "after its files were merged"];
        for time in times {
            let store = place.open();
            let mut found = content_of(&store);
            if time == "after its files were merged" && !wanted.contains("rollup ") {
                // The merge has made rollups, of what had none.
                found.truncate(found.find("rollup ").unwrap_or(found.len()));
            }
            if let Some((line, (found, wanted))) =
                found.lines().zip(wanted.lines()).enumerate().find(|(_, (found, wanted))| found != wanted)
            {
                panic!("{name}, {time}, line {}: {found:?} instead of {wanted:?}", line + 1);
            }
            assert_eq!(found.len(), wanted.len(), "{name}, {time}: the one goes on where the other ends");
            assert_eq!(store.metric("watchkeeper_wal_corrupt_records_total"), 0.0, "{name}, {time}");
            assert_eq!(store.metric("watchkeeper_store_orphans_removed_total"), 0.0, "{name}, {time}");
            if time == "after a start" {
                store.engine.checkpoint().expect("files are written");
            }
            if time == "after its log became files" {
                store.engine.compact_days(::model::Timestamp::now()).expect("merged");
            }
            drop(store);
            let verified = inspect::verify(place.dir.path(), &mut |_, _, _| {}).expect("verified");
            let problems: Vec<_> = verified.iter().filter(|file| file.problem.is_some()).collect();
            assert!(problems.is_empty(), "{name}, {time}: {problems:?}");
        }
    }
}

/// Where this fails, the format has been changed: its recipe gets a new name (`wal-2`), and
/// `WATCHKEEPER_BLESS=1` makes the fixture of it. The old fixture stays as it is, for ever.
#[test]
fn what_is_written_today_is_of_a_version_that_has_a_fixture() {
    for (name, write) in RECIPES {
        let kept = fixtures().join(name);
        if !kept.exists() && std::env::var_os("WATCHKEEPER_BLESS").is_some() {
            std::fs::create_dir_all(&kept).expect("its directory");
            let text = write(&kept);
            std::fs::write(kept.with_extension("txt"), text).expect("its text");
        }
        assert!(kept.exists(), "there is no fixture {name}: WATCHKEEPER_BLESS=1 makes it");
        let dir = tempfile::tempdir().expect("a directory");
        let text = write(dir.path());
        let kept_text = std::fs::read_to_string(kept.with_extension("txt")).expect("its text");
        let other = text.lines().zip(kept_text.lines()).find(|(now, before)| now != before);
        assert!(text == kept_text, "{name} is to hold something else than it did: {other:?}");
        assert_eq!(shape(name, dir.path()), shape(name, &kept), "the format of {name} is another today");
    }
}

/// What tells a version of the format that a fixture is about from another.
fn shape(name: &str, dir: &Path) -> Vec<String> {
    if name.starts_with("wal-") {
        // The first segment holds metrics alone: what a library writes does not come into it.
        let first = files(&dir.join("wal"), ".wal").remove(0);
        let bytes = std::fs::read(first).expect("a segment");
        return bytes.chunks(32).map(|bytes| format!("{bytes:02x?}")).collect();
    }
    if name.starts_with("catalog-") {
        let catalog = rusqlite::Connection::open(dir.join("catalog.db")).expect("a catalog");
        let version: u32 = catalog.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a version");
        let mut tables = catalog
            .prepare("SELECT m.name || '.' || c.name || ' ' || c.type FROM sqlite_schema m, pragma_table_info(m.name) c ORDER BY 1")
            .expect("a statement");
        let columns = tables.query_map([], |row| row.get(0)).expect("columns");
        return [version.to_string()].into_iter().chain(columns.map(|row| row.expect("a row"))).collect();
    }
    if name.starts_with("metrics-block-") {
        let parts = [".chunks.parquet", ".times.parquet", ".series.parquet", ".index.parquet"];
        return parts.iter().flat_map(|part| parquet_columns(&dir.join("metrics"), part)).collect();
    }
    // A table gets columns without becoming another format.
    let kept = ["time ", "trace_id ", "span_id ", "parent_span_id "];
    let is_lifted = name.ends_with("-lifted");
    let is_kept = |column: &String| {
        kept.iter().any(|kept| column.starts_with(kept)) || is_lifted && column.starts_with("attributes.")
    };
    let tables: &[&str] = match name.rsplit('-').next() {
        Some("exemplars") => &[".exemplars.parquet"],
        Some("records" | "ids") => &[".logs.parquet", ".spans.parquet"],
        Some("audit") => &[".audit_events.parquet"],
        Some("lifted") => &[".logs.parquet"],
        _ => &[".deploys.parquet"],
    };
    let columns = tables.iter().flat_map(|table| parquet_columns(&dir.join("events"), table));
    let told = tables.iter().flat_map(|table| told_of_lifted(&dir.join("events"), table));
    columns.filter(is_kept).chain(told).collect()
}

/// What the first file says of attributes in columns of their own.
fn told_of_lifted(dir: &Path, suffix: &str) -> Option<String> {
    let first = std::fs::File::open(files(dir, suffix).remove(0)).expect("a file");
    let reader = SerializedFileReader::new(first).expect("a Parquet file");
    let mut pairs = reader.metadata().file_metadata().key_value_metadata().into_iter().flatten();
    pairs.find(|pair| pair.key == "watchkeeper.lifted").and_then(|pair| pair.value.clone())
}

fn parquet_columns(dir: &Path, suffix: &str) -> Vec<String> {
    let first = std::fs::File::open(files(dir, suffix).remove(0)).expect("a file");
    let reader = SerializedFileReader::new(first).expect("a Parquet file");
    let group = reader.metadata().row_group(0);
    let column = |column: &parquet::file::metadata::ColumnChunkMetaData| {
        format!(
            "{} {:?} {:?}",
            column.column_path(),
            column.column_type(),
            column.column_descr().logical_type_ref()
        )
    };
    group.columns().iter().map(column).collect()
}

/// What a store in `dir` is opened with: segments so small that there are several.
fn open_small(dir: &Path) -> crate::fixture::Open {
    let place = Place::with(|config| {
        config.wal_segment_bytes = ::model::ByteSize(240);
        config.rollup_retention = config.retention;
    });
    let registry = prometheus::Registry::new();
    let engine = engine::Engine::open_on(Arc::new(Disk), dir, place.config, &registry);
    crate::fixture::Open::of(engine.expect("the store opens"), registry)
}
