//! What is archived at a time: a day of metrics, or of a table of events.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use model::{TimeRange, Timestamp};
use store::{Cancel, Entries, EventPass, QueryError, Table};
use tabular::{Format, PointTable, Points, RowWriter};

use super::ArchiveError;
use super::destination::Destination;
use super::due::Due;
use crate::catalog::FileKind;
use crate::core::Core;
use crate::query;

const DAY_NANOS: i64 = 24 * 3600 * 1_000_000_000;

/// Metrics, or a table of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Source {
    Metrics,
    Events(Table),
}

impl Source {
    /// What a file of the store holds, if that is archived: rollups are made of what is.
    pub(crate) fn of(kind: FileKind) -> Option<Self> {
        match kind {
            FileKind::Metrics => Some(Self::Metrics),
            FileKind::Events(table) => Some(Self::Events(table)),
            FileKind::Rollups(_) => None,
        }
    }

    /// Everything that can be archived.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        [Self::Metrics].into_iter().chain(Table::ALL.iter().map(|table| Self::Events(*table)))
    }

    /// The name of its folder, and in the catalog.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Events(table) => table.name(),
        }
    }

    /// What has this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|source| source.name() == name)
    }
}

/// A day in UTC, by its number since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Day(i64);

impl Day {
    pub(crate) fn of(time: Timestamp) -> Self {
        Self(time.as_nanos().div_euclid(DAY_NANOS))
    }

    pub(crate) fn from_number(number: i64) -> Self {
        Self(number)
    }

    pub(crate) fn number(self) -> i64 {
        self.0
    }

    /// So many days before.
    pub(super) fn before(self, days: i64) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// From its first nanosecond to its last.
    pub(crate) fn range(self) -> TimeRange {
        let start = self.0.saturating_mul(DAY_NANOS);
        TimeRange::new(
            Timestamp::from_nanos(start),
            Timestamp::from_nanos(start.saturating_add(DAY_NANOS - 1)),
        )
    }

    /// The day that a text like `2026-11-24` means.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")).ok().map(Self::of)
    }

    /// Days that a range touches, from `oldest` on.
    pub(super) fn touched(range: TimeRange, oldest: Self) -> impl Iterator<Item = Self> {
        let (first, last) = (Self::of(range.start).max(oldest), Self::of(range.end));
        (first.0..=last.0).map(Self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.range().start.to_string();
        f.write_str(text.split('T').next().unwrap_or(&text))
    }
}

/// What became of a day.
#[derive(Clone, Copy, Debug)]
pub(super) enum Written {
    /// Its object holds all that the store has of it. Without rows there is no object.
    Whole { rows: u64, bytes: u64 },
    /// The archive has what the store has lost by now: it was left alone.
    Poorer,
}

/// Writes an object with everything that the store has of a day.
pub(super) fn write(
    destination: &Destination,
    core: &Arc<Core>,
    due: &Due,
    stop: &AtomicBool,
) -> Result<Written, ArchiveError> {
    let range = due.day.range();
    let columns = match due.source {
        Source::Metrics => Columns::Points(PointTable::new(query::labels::names(
            core,
            &[],
            (range, range.end),
            &Cancel::never(),
        )?)),
        Source::Events(table) => Columns::Table(table),
    };
    let upload = destination.upload(due.source, due.day, stop);
    let mut writer = RowWriter::new(Format::Parquet, &columns.schema(), upload)?;
    let (mut rows, mut failed) = (0, None);
    let gone_over = columns.each(core, range, &mut |batch| {
        if stop.load(Ordering::Relaxed) {
            failed = Some(ArchiveError::Stopped);
            return Err(QueryError::Stopped("the store is stopping"));
        }
        rows += batch.num_rows() as u64;
        writer.write(&batch).map_err(|error| {
            failed = Some(error.into());
            QueryError::Stopped("rows could not be written")
        })
    });
    match failed {
        Some(error) => return Err(error),
        None => gone_over?,
    }
    // There may be as many rows as before, of which others were dropped.
    if rows < due.rows || (due.rows > 0 && is_closed(core, due)?) {
        return Ok(Written::Poorer);
    }
    if rows == 0 {
        return Ok(Written::Whole { rows, bytes: 0 });
    }
    let bytes = writer.finish()?.finish()?;
    Ok(Written::Whole { rows, bytes })
}

/// Whether files with rows of a day that was archived are gone by now.
fn is_closed(core: &Core, due: &Due) -> Result<bool, ArchiveError> {
    // A file is passed over from when it is found damaged, which the catalog knows a moment later.
    let _changing = core.changing_files();
    let known = core.catalog.archived().map_err(Box::new)?;
    Ok(known.iter().any(|known| (known.source, known.day) == (due.source, due.day) && known.closed))
}

enum Columns {
    Points(PointTable),
    Table(Table),
}

impl Columns {
    fn schema(&self) -> arrow::datatypes::SchemaRef {
        match self {
            Self::Points(table) => table.schema(),
            Self::Table(table) => store::schema(*table),
        }
    }

    fn each(
        &self,
        core: &Arc<Core>,
        range: TimeRange,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        match self {
            Self::Points(table) => {
                let mut points = Points::new(table);
                query::pass::each_series(core, &[], range, &mut |series| points.push(series, each))?;
                points.flush(each)
            }
            Self::Table(table) => {
                let schema = store::schema(*table);
                let pass = EventPass {
                    table: *table,
                    range,
                    filters: Vec::new(),
                    columns: Cow::default(),
                    entries: Entries::all(),
                    cancel: Cancel::never(),
                };
                query::pass::each_batch(core, &pass, &mut |rows| {
                    each(store::conform(rows, &schema).map_err(|error| QueryError::Storage {
                        doing: format!("reading rows of {}", table.name()),
                        source: Box::new(error),
                    })?)
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_dates_and_read_back() {
        let day = Day::of(Timestamp::parse_rfc3339("2026-11-24T23:59:59.999Z").expect("a time"));
        assert_eq!(day.to_string(), "2026-11-24");
        assert_eq!(Day::parse("2026-11-24"), Some(day));
        let next = Day::from_number(day.number() + 1);
        assert_eq!(day.range().end.as_nanos() + 1, next.range().start.as_nanos());
        assert_eq!(Day::of(Timestamp::from_nanos(-1)).to_string(), "1969-12-31");
        for wrong in ["2026-11-24T00", "2026-13-01", "x", ""] {
            assert_eq!(Day::parse(wrong), None, "{wrong}");
        }
        let range = TimeRange::new(day.range().start, next.range().start);
        assert_eq!(Day::touched(range, day).count(), 2);
        assert_eq!(Day::touched(range, next).count(), 1);
        assert_eq!(Day::touched(TimeRange::ALL, next).next(), Some(next));
    }
}
