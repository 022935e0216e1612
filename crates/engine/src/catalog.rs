//! The catalog: which files make up the store. A file that is not in it does not exist.
//!
//! One transaction adds files, removes files and moves the watermark of the write-ahead log, so a flush
//! happens wholly or not at all. docs/format/catalog.md describes the tables.

use std::path::Path;

use model::{TimeRange, Timestamp};
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use store::Table;

use crate::EngineError;
use crate::sums::Sums;

/// The version of the catalog's tables.
const VERSION: u32 = 1;

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
        quarantine_reason TEXT
    ) STRICT;
    CREATE TABLE parts (
        file INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
        part TEXT NOT NULL CHECK (part IN ('chunks', 'series', 'rows')),
        bytes INTEGER NOT NULL,
        crc32c BLOB NOT NULL,
        PRIMARY KEY (file, part)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO meta (key, value) VALUES ('wal_watermark', 0), ('next_file', 1);
";

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FileKind {
    /// A block of metrics: chunks, and the series that they belong to.
    Metrics,
    /// Rows of a table.
    Events(Table),
}

/// The Parquet files that a catalog entry consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Samples of a block.
    Chunks,
    /// Labels of a block.
    Series,
    /// Rows of an event table.
    Rows,
}

impl Part {
    const ALL: [Self; 3] = [Self::Chunks, Self::Series, Self::Rows];

    fn name(self) -> &'static str {
        match self {
            Self::Chunks => "chunks",
            Self::Series => "series",
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
}

impl Catalog {
    /// Opens the catalog, and makes an empty one where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, EngineError> {
        let fail = EngineError::catalog("open the database");
        let open = || -> Result<(Connection, u32), rusqlite::Error> {
            let mut connection = Connection::open(path)?;
            // EXTRA syncs the directory after a commit too: the commit is what makes files exist.
            connection.pragma_update(None, "journal_mode", "DELETE")?;
            connection.pragma_update(None, "synchronous", "EXTRA")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            let transaction = connection.transaction()?;
            let mut version = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            if version == 0u32 {
                transaction.execute_batch(SCHEMA)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
                version = VERSION;
            }
            transaction.commit()?;
            Ok((connection, version))
        };
        let (connection, found) = open().map_err(fail)?;
        if found != VERSION {
            return Err(EngineError::FormatVersion { path: path.to_owned(), found, known: VERSION });
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn write<R>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<R, rusqlite::Error>,
    ) -> Result<R, EngineError> {
        let mut connection = self.connection.lock();
        let run = || {
            let transaction = connection.transaction()?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        run().map_err(EngineError::catalog(doing))
    }

    fn meta(&self, key: &'static str) -> Result<u64, EngineError> {
        let connection = self.connection.lock();
        let value = connection
            .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get::<_, i64>(0))
            .optional();
        value.map(|value| value.unwrap_or(0) as u64).map_err(EngineError::catalog("read a number"))
    }

    /// The last record of the write-ahead log whose content is in files.
    pub(crate) fn watermark(&self) -> Result<u64, EngineError> {
        self.meta("wal_watermark")
    }

    /// A number that no file has had.
    pub(crate) fn next_file(&self) -> Result<u64, EngineError> {
        self.meta("next_file")
    }

    /// Every entry, in the order in which the files were written.
    pub(crate) fn entries(&self) -> Result<Vec<FileEntry>, EngineError> {
        let connection = self.connection.lock();
        let read = || {
            let mut files = connection.prepare(
                "SELECT id, kind, event_table, level, min_time_ns, max_time_ns, rows, quarantine_reason
                 FROM files ORDER BY id",
            )?;
            let mut parts = connection.prepare("SELECT part, bytes, crc32c FROM parts WHERE file = ?1")?;
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
        read().map_err(EngineError::catalog("read the files"))
    }

    /// Adds files and moves the watermark, in one step.
    pub(crate) fn publish(&self, added: &[FileEntry], watermark: u64) -> Result<(), EngineError> {
        self.write("publish files", |transaction| {
            for entry in added {
                insert(transaction, entry)?;
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
                transaction.execute("DELETE FROM files WHERE id = ?1", [*id as i64])?;
            }
            Ok(())
        })
    }

    /// Notes that a file is not read any more, and why.
    pub(crate) fn quarantine(&self, id: u64, reason: &str) -> Result<(), EngineError> {
        self.write("quarantine a file", |transaction| {
            let set = "UPDATE files SET quarantine_reason = ?2 WHERE id = ?1";
            transaction.execute(set, params![id as i64, reason]).map(|_| ())
        })
    }
}

fn insert(transaction: &Transaction<'_>, entry: &FileEntry) -> Result<(), rusqlite::Error> {
    let (kind, table) = match entry.kind {
        FileKind::Metrics => ("metrics", None),
        FileKind::Events(table) => ("events", Some(table.name())),
    };
    transaction.execute(
        "INSERT INTO files (id, kind, event_table, level, min_time_ns, max_time_ns, rows)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            entry.id as i64,
            kind,
            table,
            entry.level,
            entry.range.start.as_nanos(),
            entry.range.end.as_nanos(),
            entry.rows as i64
        ],
    )?;
    for (part, sums) in &entry.parts {
        transaction.execute(
            "INSERT INTO parts (file, part, bytes, crc32c) VALUES (?1, ?2, ?3, ?4)",
            params![entry.id as i64, part.name(), sums.bytes as i64, sums.to_blob()],
        )?;
    }
    Ok(())
}

fn entry_from_row(row: &rusqlite::Row<'_>) -> Result<Option<FileEntry>, rusqlite::Error> {
    let kind = match row.get::<_, Option<String>>(2)? {
        None => FileKind::Metrics,
        Some(name) => match Table::from_name(&name) {
            Some(table) => FileKind::Events(table),
            None => return Ok(None),
        },
    };
    let (start, end) = (Timestamp::from_nanos(row.get(4)?), Timestamp::from_nanos(row.get(5)?));
    Ok(Some(FileEntry {
        id: row.get::<_, i64>(0)? as u64,
        kind,
        level: row.get(3)?,
        range: TimeRange::new(start, end),
        rows: row.get::<_, i64>(6)? as u64,
        parts: Vec::new(),
        quarantine_reason: row.get(7)?,
    }))
}

fn part_from_row(row: &rusqlite::Row<'_>) -> Result<Option<(Part, Sums)>, rusqlite::Error> {
    let name: String = row.get(0)?;
    let part = Part::ALL.into_iter().find(|part| part.name() == name);
    let bytes = row.get::<_, i64>(1)? as u64;
    let blob = row.get_ref(2)?.as_blob()?;
    Ok(part.map(|part| (part, Sums::from_blob(bytes, blob))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u64, kind: FileKind) -> FileEntry {
        let range = TimeRange::new(Timestamp::from_nanos(-5), Timestamp::from_nanos(7));
        let parts = vec![(Part::Rows, Sums::from_blob(9, &[1, 2, 3, 4]))];
        FileEntry { id, kind, level: 0, range, rows: 3, parts, quarantine_reason: None }
    }

    #[test]
    fn what_is_published_is_there_after_opening_again() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("catalog.db");
        let entries = [entry(1, FileKind::Metrics), entry(2, FileKind::Events(Table::Deploys))];
        let catalog = Catalog::open(&path).expect("new");
        catalog.publish(&entries, 17).expect("publish");
        drop(catalog);
        let catalog = Catalog::open(&path).expect("again");
        assert_eq!(catalog.entries().expect("entries"), entries);
        assert_eq!(catalog.watermark().expect("watermark"), 17);
        catalog.remove(&[1, 2]).expect("remove");
        catalog.publish(&[], 12).expect("publish");
        assert_eq!(catalog.next_file().expect("next"), 3, "numbers are not used again");
        assert_eq!(catalog.watermark().expect("watermark"), 17, "it never goes back");
    }

    #[test]
    fn a_failed_publish_adds_nothing() {
        let dir = tempfile::tempdir().expect("dir");
        let catalog = Catalog::open(&dir.path().join("catalog.db")).expect("new");
        let twice = [entry(1, FileKind::Metrics), entry(1, FileKind::Metrics)];
        assert!(catalog.publish(&twice, 5).is_err());
        assert_eq!(catalog.entries().expect("entries"), []);
        assert_eq!(catalog.watermark().expect("watermark"), 0);
    }

    #[test]
    fn a_catalog_of_another_version_is_refused() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("catalog.db");
        let connection = Connection::open(&path).expect("open");
        connection.pragma_update(None, "user_version", 99).expect("set");
        drop(connection);
        assert!(matches!(Catalog::open(&path), Err(EngineError::FormatVersion { found: 99, .. })));
    }
}
