//! The catalog: which files make up the store. A file that is not in it does not exist.
//!
//! One transaction adds files, removes files and moves the watermark of the write-ahead log, so a flush
//! happens wholly or not at all. docs/format/catalog.md describes the tables.

mod archived;
mod ballast;
pub(crate) mod sum;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{TimeRange, Timestamp};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};
use store::Table;

pub(crate) use archived::{ArchiveState, ArchivedDay};

use crate::EngineError;
use crate::rollup::Bucket;
use crate::sums::Sums;
use crate::vfs::{Disk, Vfs};

/// The version of the catalog's tables.
const VERSION: u32 = 6;

const SCHEMA: &str = "
    CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE files (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('metrics', 'events')),
        event_table TEXT CHECK ((event_table IS NULL) = (kind = 'metrics')),
        level INTEGER NOT NULL,
        min_time_ns INTEGER NOT NULL,
        max_time_ns INTEGER NOT NULL,
        rows INTEGER NOT NULL,
        quarantine_reason TEXT,
        precedence INTEGER NOT NULL,
        bucket_ms INTEGER
    ) STRICT;
    CREATE TABLE parts (
        file INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
        part TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        crc32c BLOB NOT NULL,
        block_bytes INTEGER NOT NULL,
        PRIMARY KEY (file, part)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO meta (key, value) VALUES ('wal_watermark', 0), ('next_file', 1);
";

/// The key of `meta` under which the checksum of all rows is kept: SQLite has none.
const CHECKSUM: &str = "checksum";

/// Every row of `files`: before version 5, and from then on.
const FILE_ROWS: [&str; 2] = [
    "SELECT id, kind, event_table, level, min_time_ns, max_time_ns, rows, quarantine_reason, precedence FROM files ORDER BY id",
    "SELECT id, kind, event_table, level, min_time_ns, max_time_ns, rows, quarantine_reason, precedence, bucket_ms FROM files ORDER BY id",
];

/// Every row of `parts`: before version 6, and from then on.
const PART_ROWS: [&str; 2] = [
    "SELECT file, part, bytes, crc32c FROM parts ORDER BY file, part",
    "SELECT file, part, bytes, crc32c, block_bytes FROM parts ORDER BY file, part",
];

/// A crc32c over every value of every row, in a fixed order.
fn checksum(connection: &Connection) -> Result<i64, rusqlite::Error> {
    let mut crc = 0;
    let version = version(connection)?;
    let queries = [
        "SELECT key, value FROM meta WHERE key <> 'checksum' ORDER BY key",
        FILE_ROWS[usize::from(version >= 5)],
        PART_ROWS[usize::from(version >= 6)],
        "SELECT id, url, error, failed_at_ns FROM archive ORDER BY id",
        "SELECT source, day, rows, bytes, at_ns, changed, closed FROM archived ORDER BY source, day",
    ];
    // Older versions have no archive.
    let known = if version < 4 { 3 } else { queries.len() };
    for query in &queries[..known] {
        let mut statement = connection.prepare(query)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                use rusqlite::types::ValueRef;
                let (kind, bytes): (u8, &[u8]) = match row.get_ref(column)? {
                    ValueRef::Null => (0, &[]),
                    ValueRef::Integer(number) => (1, &number.to_le_bytes()),
                    ValueRef::Real(number) => (2, &number.to_le_bytes()),
                    ValueRef::Text(text) => (3, text),
                    ValueRef::Blob(blob) => (4, blob),
                };
                crc = crc32c::crc32c_append(crc, &[kind]);
                crc = crc32c::crc32c_append(crc, &(bytes.len() as u64).to_le_bytes());
                crc = crc32c::crc32c_append(crc, bytes);
            }
        }
    }
    Ok(i64::from(crc))
}

fn keep_checksum(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    let set = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    transaction.execute(set, params![CHECKSUM, checksum(transaction)?]).map(|_| ())
}

/// What is committed stays so without the sum, which helps to find damage, and without the ballast.
fn keep_beside(path: &Path) {
    if let Err(error) = sum::keep(path) {
        tracing::warn!(%error, "the sum of the catalog's file could not be written");
    }
    if let Err(error) = ballast::keep(path) {
        tracing::warn!(%error, "the room that the catalog keeps for a full disk could not be taken");
    }
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    // EXTRA syncs the directory after a commit too: the commit is what makes files exist.
    connection.pragma_update(None, "journal_mode", "DELETE")?;
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn version(connection: &Connection) -> Result<u32, rusqlite::Error> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// What is wrong with the database, if anything is.
fn problem(connection: &Connection, path: &Path) -> Result<Option<String>, EngineError> {
    let look = || {
        let answer: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if answer != "ok" {
            return Ok(Some(answer));
        }
        let kept = connection
            .query_row("SELECT value FROM meta WHERE key = ?1", [CHECKSUM], |row| row.get::<_, i64>(0))
            .optional()?;
        // One that an older version wrote last has none.
        let differs = kept.is_some_and(|kept| checksum(connection).ok() != Some(kept));
        Ok(differs.then(|| "its rows do not have their checksum".to_owned()))
    };
    match look() {
        Err(error) if is_corrupt(&error) => Ok(Some(error.to_string())),
        looked => looked.map_err(EngineError::catalog("check the database", path)),
    }
}

/// A number that counts something, and so is never negative.
fn count(row: &rusqlite::Row<'_>, column: usize) -> Result<u64, rusqlite::Error> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// Whether an error says that the file is not what was written, as opposed to one that could not be read for now.
fn is_corrupt(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, SchemaChanged, Unknown};
    match error {
        // A table or a column that is not there any more is an unknown error.
        Error::SqliteFailure(failure, _) => {
            matches!(failure.code, DatabaseCorrupt | NotADatabase | SchemaChanged | Unknown)
        }
        Error::SqlInputError { .. }
        | Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::InvalidColumnName(_)
        | Error::InvalidColumnIndex(_)
        | Error::QueryReturnedNoRows
        | Error::Utf8Error(..) => true,
        _ => false,
    }
}

/// Tries a transaction once more without the ballast, where the disk is full. A quota shows itself as an error of
/// writing, and a journal for which there is no room as a file that cannot be opened.
fn with_room<R>(
    path: &Path,
    run: &mut dyn FnMut() -> Result<R, rusqlite::Error>,
) -> Result<R, rusqlite::Error> {
    use rusqlite::ErrorCode::{CannotOpen, DiskFull, SystemIoFailure};
    let is_of_room = |error: &rusqlite::Error| {
        matches!(error.sqlite_error_code(), Some(DiskFull | SystemIoFailure | CannotOpen))
    };
    let result = run();
    if result.as_ref().is_err_and(is_of_room) && ballast::let_go(path) { run() } else { result }
}

/// Wraps an error of a catalog that is read: `map_err(reading(path, "open the database"))`.
fn reading(path: &Path, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> EngineError {
    move |source| match is_corrupt(&source) {
        true => EngineError::CatalogDamaged { path: path.to_owned(), problem: source.to_string() },
        false => EngineError::catalog(doing, path)(source),
    }
}

/// From version 1, in which files were never merged.
const FROM_VERSION_1: &str = "
    ALTER TABLE files ADD COLUMN precedence INTEGER NOT NULL DEFAULT 0;
    UPDATE files SET precedence = id;
";

/// From version 2, which listed the kinds of parts that there may be.
const FROM_VERSION_2: &str = "
    CREATE TABLE parts_3 (
        file INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
        part TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        crc32c BLOB NOT NULL,
        PRIMARY KEY (file, part)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO parts_3 SELECT file, part, bytes, crc32c FROM parts;
    DROP TABLE parts;
    ALTER TABLE parts_3 RENAME TO parts;
";

/// From version 4, which knew no rollups.
const FROM_VERSION_4: &str = "ALTER TABLE files ADD COLUMN bucket_ms INTEGER;";

/// From version 5, in which every checksum covered 64 KiB.
const FROM_VERSION_5: &str = "ALTER TABLE parts ADD COLUMN block_bytes INTEGER NOT NULL DEFAULT 65536;";

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FileKind {
    /// A block of metrics: chunks, and the series that they belong to.
    Metrics,
    /// A block of rollups of metrics.
    Rollups(Bucket),
    /// Rows of a table.
    Events(Table),
}

/// The Parquet files that a catalog entry consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Samples of a block.
    Chunks,
    /// Times that chunks of a block share.
    Times,
    /// Labels of a block.
    Series,
    /// Which series of a block have which label.
    Index,
    /// Rows of an event table.
    Rows,
}

impl Part {
    const ALL: [Self; 5] = [Self::Chunks, Self::Times, Self::Series, Self::Index, Self::Rows];

    /// As in the catalog, and in names of files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chunks => "chunks",
            Self::Times => "times",
            Self::Series => "series",
            Self::Index => "index",
            Self::Rows => "rows",
        }
    }
}

/// An entry of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileEntry {
    pub(crate) id: u64,
    pub(crate) kind: FileKind,
    /// How often the file's content has been merged; zero as flushed.
    pub(crate) level: u32,
    /// Its place among the files: what came first has the lower one. As flushed, the file's number.
    pub(crate) precedence: u64,
    /// The times of the first and the last sample or row.
    pub(crate) range: TimeRange,
    /// Samples, or rows of events.
    pub(crate) rows: u64,
    pub(crate) parts: Vec<(Part, Sums)>,
    /// Why the file is not read any more.
    pub(crate) quarantine_reason: Option<String>,
}

/// The open catalog.
#[derive(Debug)]
pub(crate) struct Catalog {
    connection: Mutex<Connection>,
    path: PathBuf,
    /// Hears of commits.
    vfs: Arc<dyn Vfs>,
}

impl Catalog {
    /// Opens the catalog, and makes an empty one where there is none. One whose rows are not what was written
    /// is refused: its watermark may say that the log has nothing that is not in files.
    pub(crate) fn open(path: &Path, vfs: Arc<dyn Vfs>) -> Result<Self, EngineError> {
        let mut connection = connect(path).map_err(reading(path, "open the database"))?;
        let found = version(&connection).map_err(reading(path, "read the version"))?;
        if found > VERSION {
            return Err(EngineError::FormatVersion { path: path.to_owned(), found, known: VERSION });
        }
        // Version 1 has other columns, and no checksum.
        if found > 1
            && let Some(problem) = problem(&connection, path)?
        {
            return Err(EngineError::CatalogDamaged { path: path.to_owned(), problem });
        }
        let mut begin = || {
            let transaction = connection.transaction()?;
            if found == 0 {
                transaction.execute_batch(SCHEMA)?;
            }
            if found == 1 {
                transaction.execute_batch(FROM_VERSION_1)?;
            }
            if found == 1 || found == 2 {
                transaction.execute_batch(FROM_VERSION_2)?;
            }
            if found < 4 {
                transaction.execute_batch(archived::FROM_VERSION_3)?;
            }
            if (1..5).contains(&found) {
                transaction.execute_batch(FROM_VERSION_4)?;
            }
            if (1..6).contains(&found) {
                transaction.execute_batch(FROM_VERSION_5)?;
            }
            transaction.pragma_update(None, "user_version", VERSION)?;
            keep_checksum(&transaction)?;
            transaction.commit()
        };
        with_room(path, &mut begin).map_err(EngineError::catalog("bring the tables up to date", path))?;
        keep_beside(path);
        Ok(Self { connection: Mutex::new(connection), path: path.to_owned(), vfs })
    }

    /// Opens a catalog that is there, to read it beside whoever writes it.
    pub(crate) fn open_to_read(path: &Path) -> Result<Self, EngineError> {
        let open = || -> Result<(Connection, u32), rusqlite::Error> {
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection.busy_timeout(std::time::Duration::from_secs(5))?;
            let version = version(&connection)?;
            Ok((connection, version))
        };
        let (connection, found) = open().map_err(reading(path, "open the database"))?;
        if found != VERSION {
            // It may be the version's own byte that is wrong.
            return Err(match sum::problem(&connection, path) {
                Ok(Some((path, problem))) => EngineError::CatalogDamaged { path, problem },
                _ => EngineError::FormatVersion { path: path.to_owned(), found, known: VERSION },
            });
        }
        Ok(Self { connection: Mutex::new(connection), path: path.to_owned(), vfs: Arc::new(Disk) })
    }

    /// What is wrong with the catalog's own file, or with the sum beside it, by path.
    pub(crate) fn problem(&self) -> Result<Option<(PathBuf, String)>, EngineError> {
        let connection = self.connection.lock();
        match problem(&connection, &self.path)? {
            Some(problem) => Ok(Some((self.path.clone(), problem))),
            None => sum::problem(&connection, &self.path).map_err(self.reading("check the database")),
        }
    }

    fn write<R>(
        &self,
        doing: &'static str,
        work: impl Fn(&Transaction<'_>) -> Result<R, rusqlite::Error>,
    ) -> Result<R, EngineError> {
        let told = || self.vfs.catalog_commit().map_err(EngineError::io("commit", &self.path));
        let mut connection = self.connection.lock();
        told()?;
        let mut run = || {
            let transaction = connection.transaction()?;
            let result = work(&transaction)?;
            keep_checksum(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        let result = with_room(&self.path, &mut run).map_err(EngineError::catalog(doing, &self.path))?;
        keep_beside(&self.path);
        told()?;
        Ok(result)
    }

    fn reading(&self, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> EngineError {
        reading(&self.path, doing)
    }

    fn meta(&self, key: &'static str) -> Result<u64, EngineError> {
        let connection = self.connection.lock();
        let value = connection
            .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| count(row, 0))
            .optional();
        value.map(Option::unwrap_or_default).map_err(self.reading("read a number"))
    }

    /// The last record of the write-ahead log whose content is in files.
    pub(crate) fn watermark(&self) -> Result<u64, EngineError> {
        self.meta("wal_watermark")
    }

    /// A number that no file has had.
    pub(crate) fn next_file(&self) -> Result<u64, EngineError> {
        self.meta("next_file")
    }

    /// The numbers of all files, those of kinds included that only a version to come knows.
    pub(crate) fn ids(&self) -> Result<HashSet<u64>, EngineError> {
        let connection = self.connection.lock();
        let read = || {
            let mut files = connection.prepare("SELECT id FROM files")?;
            files.query_map([], |row| count(row, 0))?.collect::<Result<HashSet<u64>, _>>()
        };
        read().map_err(self.reading("read the numbers of files"))
    }

    /// Every entry, in the order in which the files were written.
    pub(crate) fn entries(&self) -> Result<Vec<FileEntry>, EngineError> {
        let connection = self.connection.lock();
        let read = || {
            let mut files = connection.prepare(
                "SELECT id, kind, event_table, level, min_time_ns, max_time_ns, rows, quarantine_reason, precedence, bucket_ms
                 FROM files ORDER BY precedence, id",
            )?;
            let mut parts =
                connection.prepare("SELECT part, bytes, block_bytes, crc32c FROM parts WHERE file = ?1")?;
            let entries = files.query_map([], entry_from_row)?.collect::<Result<Vec<_>, _>>()?;
            // A table that this version does not know is of a version to come: it is left alone.
            let mut entries: Vec<FileEntry> = entries.into_iter().flatten().collect();
            for entry in &mut entries {
                let found =
                    parts.query_map([entry.id as i64], part_from_row)?.collect::<Result<Vec<_>, _>>()?;
                entry.parts = found.into_iter().flatten().collect();
            }
            Ok(entries)
        };
        read().map_err(self.reading("read the files"))
    }

    /// Puts a file in the place of those that it was merged from, in one step.
    pub(crate) fn replace(&self, merged: &FileEntry, gone: &[u64]) -> Result<(), EngineError> {
        self.write("replace files", |transaction| {
            for id in gone {
                // One that is not there was replaced by a commit that seemed to fail: what is in it would be twice.
                if transaction.execute("DELETE FROM files WHERE id = ?1", [*id as i64])? != 1 {
                    return Err(rusqlite::Error::StatementChangedRows(0));
                }
            }
            insert(transaction, merged)?;
            let set = "UPDATE meta SET value = max(value, ?2) WHERE key = ?1";
            transaction.execute(set, params!["next_file", merged.id as i64 + 1]).map(|_| ())
        })
    }

    /// Adds files, takes away those that they make untrue, and moves the watermark, in one step.
    pub(crate) fn publish(
        &self,
        added: &[FileEntry],
        untrue: &[u64],
        watermark: u64,
    ) -> Result<(), EngineError> {
        self.write("publish files", |transaction| {
            for id in untrue {
                transaction.execute("DELETE FROM files WHERE id = ?1", [*id as i64])?;
            }
            for entry in added {
                insert(transaction, entry)?;
                archived::mark_changed(transaction, entry)?;
            }
            let set = "UPDATE meta SET value = max(value, ?2) WHERE key = ?1";
            transaction.execute(set, params!["wal_watermark", watermark as i64])?;
            if let Some(last) = added.iter().map(|entry| entry.id).max() {
                transaction.execute(set, params!["next_file", last as i64 + 1])?;
            }
            Ok(())
        })
    }

    /// Removes files.
    pub(crate) fn remove(&self, ids: &[u64]) -> Result<(), EngineError> {
        self.write("remove files", |transaction| {
            for id in ids {
                archived::mark_closed(transaction, *id)?;
                transaction.execute("DELETE FROM files WHERE id = ?1", [*id as i64])?;
            }
            Ok(())
        })
    }

    /// Notes that a file is not read any more, and why.
    pub(crate) fn quarantine(&self, id: u64, reason: &str) -> Result<(), EngineError> {
        self.write("quarantine a file", |transaction| {
            archived::mark_closed(transaction, id)?;
            let set = "UPDATE files SET quarantine_reason = ?2 WHERE id = ?1";
            transaction.execute(set, params![id as i64, reason]).map(|_| ())
        })
    }
}

fn insert(transaction: &Transaction<'_>, entry: &FileEntry) -> Result<(), rusqlite::Error> {
    let (kind, table, bucket_ms) = match entry.kind {
        FileKind::Metrics => ("metrics", None, None),
        FileKind::Rollups(bucket) => ("metrics", None, Some(bucket.millis())),
        FileKind::Events(table) => ("events", Some(table.name()), None),
    };
    transaction.execute(
        "INSERT INTO files (id, kind, event_table, level, min_time_ns, max_time_ns, rows, precedence, bucket_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            entry.id as i64,
            kind,
            table,
            entry.level,
            entry.range.start.as_nanos(),
            entry.range.end.as_nanos(),
            entry.rows as i64,
            entry.precedence as i64,
            bucket_ms
        ],
    )?;
    for (part, sums) in &entry.parts {
        transaction.execute(
            "INSERT INTO parts (file, part, bytes, block_bytes, crc32c) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![entry.id as i64, part.name(), sums.bytes as i64, sums.block_bytes as i64, sums.to_blob()],
        )?;
    }
    Ok(())
}

fn entry_from_row(row: &rusqlite::Row<'_>) -> Result<Option<FileEntry>, rusqlite::Error> {
    let bucket_ms: Option<i64> = row.get(9)?;
    let kind = match row.get::<_, Option<String>>(2)? {
        None => match bucket_ms.map(Bucket::from_millis) {
            None => FileKind::Metrics,
            Some(Some(bucket)) => FileKind::Rollups(bucket),
            Some(None) => return Ok(None),
        },
        Some(name) => match Table::from_name(&name) {
            Some(table) => FileKind::Events(table),
            None => return Ok(None),
        },
    };
    let (start, end) = (Timestamp::from_nanos(row.get(4)?), Timestamp::from_nanos(row.get(5)?));
    Ok(Some(FileEntry {
        id: count(row, 0)?,
        kind,
        level: row.get(3)?,
        range: TimeRange::new(start, end),
        rows: count(row, 6)?,
        parts: Vec::new(),
        quarantine_reason: row.get(7)?,
        precedence: count(row, 8)?,
    }))
}

fn part_from_row(row: &rusqlite::Row<'_>) -> Result<Option<(Part, Sums)>, rusqlite::Error> {
    let name: String = row.get(0)?;
    let part = Part::ALL.into_iter().find(|part| part.name() == name);
    let bytes = count(row, 1)?;
    let block_bytes = count(row, 2)?;
    let blob = row.get_ref(3)?.as_blob()?;
    Ok(part.map(|part| (part, Sums::from_blob(bytes, block_bytes, blob))))
}

#[cfg(test)]
mod tests {
    use store::{Batch, EventBatch, TelemetryStore};

    use super::*;

    fn entry(id: u64, kind: FileKind) -> FileEntry {
        let range = TimeRange::new(Timestamp::from_nanos(-5), Timestamp::from_nanos(7));
        let parts = vec![(Part::Rows, Sums::from_blob(9, 4096, &[1, 2, 3, 4]))];
        FileEntry { id, kind, level: 0, precedence: id, range, rows: 3, parts, quarantine_reason: None }
    }

    #[test]
    fn what_is_published_is_there_after_opening_again() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("catalog.db");
        let entries = [
            entry(1, FileKind::Metrics),
            entry(2, FileKind::Events(Table::Deploys)),
            entry(3, FileKind::Rollups(Bucket::Hour)),
        ];
        let catalog = Catalog::open(&path, Arc::new(Disk)).expect("new");
        catalog.publish(&entries, &[], 17).expect("publish");
        drop(catalog);
        let catalog = Catalog::open(&path, Arc::new(Disk)).expect("again");
        assert_eq!(catalog.entries().expect("entries"), entries);
        assert_eq!(catalog.watermark().expect("watermark"), 17);
        catalog.remove(&[1, 2, 3]).expect("remove");
        catalog.publish(&[], &[], 12).expect("publish");
        assert_eq!(catalog.next_file().expect("next"), 4, "numbers are not used again");
        assert_eq!(catalog.watermark().expect("watermark"), 17, "it never goes back");
    }

    #[test]
    fn where_the_disk_is_full_the_ballast_goes_and_comes_back() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("catalog.db");
        let catalog = Catalog::open(&path, Arc::new(Disk)).expect("new");
        let ballast = ballast::path(&path);
        assert!(ballast.exists());
        // SQLite says of a bound on its pages what it says of a disk.
        let bound = |pages: &str| {
            let set = format!("PRAGMA max_page_count = {pages}");
            catalog.connection.lock().query_row(&set, [], |_| Ok(())).expect("set");
        };
        bound("1");
        let many: Vec<FileEntry> = (1..500).map(|id| entry(id, FileKind::Metrics)).collect();
        let refused = catalog.publish(&many, &[], 1).expect_err("there is no room");
        assert!(refused.is_for_want_of_room(), "{refused:?}");
        assert!(!ballast.exists(), "it was tried again without");
        assert_eq!(catalog.entries().expect("entries"), []);
        bound("1000000");
        catalog.publish(&many, &[], 1).expect("published");
        assert!(ballast.exists());
        assert_eq!(catalog.entries().expect("entries").len(), 499);
    }

    #[test]
    fn files_of_a_kind_that_a_later_version_knows_outlive_a_start() {
        let dir = tempfile::tempdir().expect("dir");
        let open = || crate::Engine::open(dir.path(), crate::Config::default(), &prometheus::Registry::new());
        let engine = open().expect("opens");
        let rows = crate::testing::deploys(&[Timestamp::now().as_millis()]);
        let batch = Batch { events: vec![EventBatch { table: Table::Deploys, rows }], ..Batch::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(engine.append(batch)).expect("appended");
        engine.checkpoint().expect("written");
        drop((engine, runtime));
        let as_it_comes = |set: &str| {
            let catalog = Catalog::open(&dir.path().join("catalog.db"), Arc::new(Disk)).expect("opens");
            catalog.write("change it", |transaction| transaction.execute(set, [])).expect("changed");
        };
        as_it_comes("UPDATE files SET event_table = 'to_come'");
        let path = dir.path().join("events/0000000000000001.deploys.parquet");
        let of_later = dir.path().join("events/0000000000000001.to_come.parquet");
        std::fs::rename(path, &of_later).expect("renamed");
        let engine = open().expect("opens");
        assert_eq!(engine.stats().files, 0);
        drop(engine);
        assert!(of_later.exists());
        as_it_comes("DELETE FROM files");
        drop(open().expect("opens"));
        assert!(!of_later.exists(), "one that no version knows is removed");
    }

    #[test]
    fn a_catalog_of_version_1_is_taken_over() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("catalog.db");
        let connection = Connection::open(&path).expect("open");
        let as_it_was =
            SCHEMA.replace(",\n        precedence INTEGER NOT NULL,\n        bucket_ms INTEGER", "");
        let as_it_was = as_it_was.replace("        block_bytes INTEGER NOT NULL,\n", "");
        connection.execute_batch(&as_it_was).expect("made");
        connection
            .execute_batch(
                "INSERT INTO files VALUES (7, 'metrics', NULL, 0, 1, 2, 3, NULL);
                 INSERT INTO parts VALUES (7, 'chunks', 9, x'01020304');
                 PRAGMA user_version = 1;",
            )
            .expect("filled");
        drop(connection);
        let catalog = Catalog::open(&path, Arc::new(Disk)).expect("taken over");
        let entries = catalog.entries().expect("entries");
        assert_eq!((entries.len(), entries[0].id, entries[0].precedence), (1, 7, 7));
        assert_eq!(entries[0].parts[0].1.block_bytes, 65_536);
        assert_eq!(catalog.problem().expect("looked"), None);
    }

    #[test]
    fn a_merged_file_has_the_place_of_what_it_was_merged_from() {
        let dir = tempfile::tempdir().expect("dir");
        let catalog = Catalog::open(&dir.path().join("catalog.db"), Arc::new(Disk)).expect("new");
        let all = [1, 2, 3].map(|id| entry(id, FileKind::Metrics));
        catalog.publish(&all, &[], 5).expect("published");
        let merged = FileEntry { precedence: 1, level: 1, ..entry(4, FileKind::Metrics) };
        catalog.replace(&merged, &[1, 2]).expect("replaced");
        assert_eq!(catalog.entries().expect("entries"), [merged, all[2].clone()]);
        assert_eq!(catalog.next_file().expect("next"), 5);
    }

    #[test]
    fn a_failed_publish_adds_nothing() {
        let dir = tempfile::tempdir().expect("dir");
        let catalog = Catalog::open(&dir.path().join("catalog.db"), Arc::new(Disk)).expect("new");
        let twice = [entry(1, FileKind::Metrics), entry(1, FileKind::Metrics)];
        assert!(catalog.publish(&twice, &[], 5).is_err());
        assert_eq!(catalog.entries().expect("entries"), []);
        assert_eq!(catalog.watermark().expect("watermark"), 0);
    }

    #[test]
    fn a_catalog_whose_rows_are_not_what_was_written_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("catalog.db");
        Catalog::open(&path, Arc::new(Disk))
            .expect("new")
            .publish(&[entry(1, FileKind::Metrics)], &[], 17)
            .expect("published");
        // As a bit that flips in a page: SQLite has no checksum that would say so.
        let connection = Connection::open(&path).expect("open");
        connection.execute("UPDATE meta SET value = 81 WHERE key = 'wal_watermark'", []).expect("set");
        drop(connection);
        let before = std::fs::read(&path).expect("read");
        for _ in 0..2 {
            let refused = Catalog::open(&path, Arc::new(Disk));
            assert!(matches!(refused, Err(EngineError::CatalogDamaged { .. })), "{refused:?}");
        }
        assert_eq!(std::fs::read(&path).expect("read"), before);
    }

    #[test]
    fn a_catalog_of_another_version_is_refused() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("catalog.db");
        let connection = Connection::open(&path).expect("open");
        connection.pragma_update(None, "user_version", 99).expect("set");
        drop(connection);
        assert!(matches!(
            Catalog::open(&path, Arc::new(Disk)),
            Err(EngineError::FormatVersion { found: 99, .. })
        ));
    }
}
