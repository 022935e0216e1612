//! How long what is kept: by default, and for single tables and series.
//!
//! What is past its own retention is not answered any more, though its file may still be there: a file
//! goes when all of it is past retention, or when what is kept longer than the rest is.

use std::collections::HashMap;
use std::time::Duration;

use model::{LabelsRef, TimeRange, Timestamp};
use store::{Matcher, QueryError, SeriesBuffer, SeriesCursor, Table};

use crate::catalog::FileKind;
use crate::{Config, EngineError};

/// How long what is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    usual: Duration,
    rollups: Duration,
    tables: HashMap<Table, Duration>,
    series: Vec<(Vec<Matcher>, Duration)>,
}

impl Kept {
    pub(crate) fn new(config: &Config) -> Result<Self, EngineError> {
        let overrides = &config.retention_overrides;
        if let Some(fault) = overrides.fault() {
            return Err(EngineError::BadRetention(fault));
        }
        let tables = overrides.tables.iter();
        let tables = tables.filter_map(|(name, keep)| Some((Table::from_name(name)?, keep.0))).collect();
        let mut series = Vec::new();
        for metrics in &overrides.metrics {
            // A selector without any condition is none.
            if metrics.matchers.is_empty() {
                return Err(EngineError::BadRetention(format!("`{}` is no selector", metrics.r#match)));
            }
            series.push((metrics.matchers.clone(), metrics.keep.0));
        }
        Ok(Self { usual: config.retention.0, rollups: config.rollup_retention.0, tables, series })
    }

    /// How long rows of a table are kept.
    pub(crate) fn table(&self, table: Table) -> Duration {
        self.tables.get(&table).copied().unwrap_or(self.usual)
    }

    /// How long a file is kept: as long as what is kept longest in it.
    pub(crate) fn file(&self, kind: FileKind) -> Duration {
        match kind {
            FileKind::Metrics => self.longest(),
            FileKind::Rollups(_) => self.rollups,
            FileKind::Events(table) => self.table(table),
        }
    }

    /// The part of a range of rollups that may be answered at `now`.
    pub(crate) fn range_of_rollups(&self, range: TimeRange, now: Timestamp) -> Option<TimeRange> {
        clip(range, now.before(self.rollups))
    }

    /// The longest that any series is kept.
    fn longest(&self) -> Duration {
        self.series.iter().map(|(_, keep)| *keep).fold(self.usual, Duration::max)
    }

    /// How long a series is kept: as the first that matches it says.
    pub(crate) fn series(&self, labels: LabelsRef<'_>) -> Duration {
        let says =
            self.series.iter().find(|(matchers, _)| matchers.iter().all(|matcher| matcher.matches(labels)));
        says.map_or(self.usual, |(_, keep)| *keep)
    }

    /// Takes from a series what is past its own retention at `now`.
    pub(crate) fn trim(&self, series: &mut SeriesBuffer, now: Timestamp) {
        if self.series.is_empty() {
            return;
        }
        let horizon = now.before(self.series(series.labels.as_ref())).as_millis();
        let past = series.times_ms.partition_point(|time| *time < horizon);
        series.times_ms.drain(..past);
        series.values.drain(..past);
    }

    /// The part of a range of series that may be answered at `now`.
    pub(crate) fn range_of_series(&self, range: TimeRange, now: Timestamp) -> Option<TimeRange> {
        clip(range, now.before(self.longest()))
    }

    /// The part of a range of rows that may be answered at `now`.
    pub(crate) fn range_of_table(&self, table: Table, range: TimeRange, now: Timestamp) -> Option<TimeRange> {
        clip(range, now.before(self.table(table)))
    }

    /// The cursor without what is past its own retention.
    pub(crate) fn trimmed(&self, cursor: Box<dyn SeriesCursor>, now: Timestamp) -> Box<dyn SeriesCursor> {
        if self.series.is_empty() {
            return cursor;
        }
        Box::new(Trimmed { cursor, kept: self.clone(), now })
    }
}

fn clip(range: TimeRange, horizon: Timestamp) -> Option<TimeRange> {
    (range.end >= horizon).then(|| TimeRange::new(range.start.max(horizon), range.end))
}

struct Trimmed {
    cursor: Box<dyn SeriesCursor>,
    kept: Kept,
    now: Timestamp,
}

impl SeriesCursor for Trimmed {
    fn next_series(&mut self, into: &mut SeriesBuffer) -> Result<bool, QueryError> {
        while self.cursor.next_series(into)? {
            self.kept.trim(into, self.now);
            if !into.times_ms.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
