//! What the archive has: a row for each day of metrics and of each table.

use model::{TimeRange, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};

use super::{Catalog, FileEntry, FileKind};
use crate::EngineError;
use crate::archive::{Day, Source};

/// From version 3, which had no archive.
pub(super) const FROM_VERSION_3: &str = "
    CREATE TABLE archive (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        url TEXT NOT NULL,
        error TEXT,
        failed_at_ns INTEGER
    ) STRICT;
    CREATE TABLE archived (
        source TEXT NOT NULL,
        day INTEGER NOT NULL,
        rows INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        at_ns INTEGER,
        changed INTEGER NOT NULL CHECK (changed IN (0, 1, 2)),
        closed INTEGER NOT NULL CHECK (closed IN (0, 1)),
        PRIMARY KEY (source, day)
    ) STRICT, WITHOUT ROWID;
";

/// A day in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ArchivedDay {
    pub(crate) source: Source,
    pub(crate) day: Day,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// When it was archived; `None` when it never was as a whole.
    pub(crate) at: Option<Timestamp>,
    /// Whether rows of it came later, or it is being archived just now.
    pub(crate) changed: bool,
    /// Whether files with rows of it have been dropped or set aside: it is not archived again.
    pub(crate) closed: bool,
}

impl ArchivedDay {
    /// Whether the archive has as much of it as it will have.
    pub(crate) fn is_done(&self) -> bool {
        self.at.is_some() && (!self.changed || self.closed)
    }
}

/// Values of `changed`.
const UNCHANGED: i64 = 0;
const CHANGED: i64 = 1;
/// Since it is being archived nothing has come. Where a crash leaves it so, it is taken for changed.
const BEGUN: i64 = 2;

/// How the archive does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArchiveState {
    pub(crate) url: String,
    /// Why the last pass failed, and when; `None` when it did not.
    pub(crate) error: Option<(String, Timestamp)>,
}

impl Catalog {
    /// Says which archive is meant from now on. What another one has is forgotten; `is_same` tells whether it is
    /// one, however its place is written.
    pub(crate) fn use_archive(&self, url: &str, is_same: impl Fn(&str) -> bool) -> Result<(), EngineError> {
        if self.archive()?.is_some_and(|state| is_same(&state.url)) {
            return Ok(());
        }
        self.write("note the archive", |transaction| {
            transaction.execute("DELETE FROM archived", [])?;
            let set = "INSERT INTO archive (id, url) VALUES (1, ?1)
                       ON CONFLICT (id) DO UPDATE SET url = excluded.url, error = NULL, failed_at_ns = NULL";
            transaction.execute(set, [url]).map(|_| ())
        })
    }

    /// The archive, if there has been one.
    pub(crate) fn archive(&self) -> Result<Option<ArchiveState>, EngineError> {
        let connection = self.connection.lock();
        let read = connection.query_row("SELECT url, error, failed_at_ns FROM archive", [], |row| {
            let error: Option<String> = row.get(1)?;
            let at: Option<i64> = row.get(2)?;
            let error = error.zip(at).map(|(text, at)| (text, Timestamp::from_nanos(at)));
            Ok(ArchiveState { url: row.get(0)?, error })
        });
        read.optional().map_err(self.reading("read the archive"))
    }

    /// Notes why nothing can be archived, or that it can.
    pub(crate) fn note_archive_error(&self, error: Option<(&str, Timestamp)>) -> Result<(), EngineError> {
        if error.is_none() && self.archive()?.is_none_or(|state| state.error.is_none()) {
            return Ok(());
        }
        self.write("note an error of the archive", |transaction| {
            let (text, at) = error.unzip();
            let set = "UPDATE archive SET error = ?1, failed_at_ns = ?2";
            transaction.execute(set, params![text, at.map(Timestamp::as_nanos)]).map(|_| ())
        })
    }

    /// Every day in the archive.
    pub(crate) fn archived(&self) -> Result<Vec<ArchivedDay>, EngineError> {
        let connection = self.connection.lock();
        let read = || {
            let mut days = connection.prepare(
                "SELECT source, day, rows, bytes, at_ns, changed, closed FROM archived ORDER BY source, day",
            )?;
            let days = days.query_map([], day_from_row)?.collect::<Result<Vec<_>, _>>()?;
            Ok(days.into_iter().flatten().collect())
        };
        read().map_err(self.reading("read what was archived"))
    }

    /// Notes that a day is being archived: what comes from now on changes it.
    pub(crate) fn begin_archiving(&self, source: Source, day: Day) -> Result<(), EngineError> {
        self.write("note what is being archived", |transaction| {
            let set = "INSERT INTO archived (source, day, rows, bytes, changed, closed) VALUES (?1, ?2, 0, 0, ?3, 0)
                       ON CONFLICT (source, day) DO UPDATE SET changed = excluded.changed";
            transaction.execute(set, params![source.name(), day.number(), BEGUN]).map(|_| ())
        })
    }

    /// Notes that a day was archived.
    pub(crate) fn note_archived(
        &self,
        source: Source,
        day: Day,
        (rows, bytes): (u64, u64),
        at: Timestamp,
    ) -> Result<(), EngineError> {
        self.write("note what was archived", |transaction| {
            let set = "UPDATE archived SET rows = ?3, bytes = ?4, at_ns = ?5,
                       changed = CASE changed WHEN ?6 THEN ?7 ELSE changed END WHERE source = ?1 AND day = ?2";
            let values = params![
                source.name(), day.number(), rows as i64, bytes as i64, at.as_nanos(), BEGUN, UNCHANGED
            ];
            transaction.execute(set, values).map(|_| ())
        })
    }

    /// Says that a day is not archived again.
    pub(crate) fn close_archived(&self, source: Source, day: Day) -> Result<(), EngineError> {
        self.write("close a day of the archive", |transaction| {
            let set = "UPDATE archived SET closed = 1 WHERE source = ?1 AND day = ?2";
            transaction.execute(set, params![source.name(), day.number()]).map(|_| ())
        })
    }

    /// Forgets days that the archive does not keep any more.
    pub(crate) fn forget_archived_before(&self, oldest: Day) -> Result<(), EngineError> {
        if self.archived()?.iter().all(|day| day.day >= oldest) {
            return Ok(());
        }
        self.write("forget what the archive has dropped", |transaction| {
            transaction.execute("DELETE FROM archived WHERE day < ?1", [oldest.number()]).map(|_| ())
        })
    }
}

/// Notes that rows came to days that may be archived.
pub(super) fn mark_changed(transaction: &Transaction<'_>, entry: &FileEntry) -> Result<(), rusqlite::Error> {
    mark("changed", transaction, entry.kind, entry.range)
}

/// Notes that rows of days that may be archived go with a file.
pub(super) fn mark_closed(transaction: &Transaction<'_>, id: u64) -> Result<(), rusqlite::Error> {
    let find =
        "SELECT id, kind, event_table, level, min_time_ns, max_time_ns, rows, quarantine_reason, precedence, bucket_ms
                FROM files WHERE id = ?1";
    let found = transaction.query_row(find, [id as i64], super::entry_from_row).optional()?.flatten();
    match found {
        Some(entry) => mark("closed", transaction, entry.kind, entry.range),
        None => Ok(()),
    }
}

fn mark(
    what: &'static str,
    transaction: &Transaction<'_>,
    kind: FileKind,
    range: TimeRange,
) -> Result<(), rusqlite::Error> {
    let Some(source) = Source::of(kind) else { return Ok(()) };
    let set = format!("UPDATE archived SET {what} = {CHANGED} WHERE source = ?1 AND day BETWEEN ?2 AND ?3");
    let (first, last) = (Day::of(range.start), Day::of(range.end));
    transaction.execute(&set, params![source.name(), first.number(), last.number()]).map(|_| ())
}

fn day_from_row(row: &rusqlite::Row<'_>) -> Result<Option<ArchivedDay>, rusqlite::Error> {
    // A table of a version to come.
    let Some(source) = Source::from_name(&row.get::<_, String>(0)?) else { return Ok(None) };
    Ok(Some(ArchivedDay {
        source,
        day: Day::from_number(row.get(1)?),
        rows: super::count(row, 2)?,
        bytes: super::count(row, 3)?,
        at: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_nanos),
        changed: row.get::<_, i64>(5)? != UNCHANGED,
        closed: row.get(6)?,
    }))
}
