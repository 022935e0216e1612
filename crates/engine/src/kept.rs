//! How long what is kept: by default, and for single tables and series.
//!
//! What is past its own retention is not answered any more, though its file may still be there: a file
//! goes when all of it is past retention, or when what is kept longer than the rest is; and what is past its
//! retention goes from a block when that is merged with others. Lists of series and labels go by the longest
//! that any series is kept: they are read from indexes, which know of no single sample.

use std::time::Duration;

use model::{LabelsRef, TimeRange, Timestamp};
use store::{QueryError, Retention, SeriesBuffer, SeriesCursor, Table};

use crate::catalog::FileKind;
use crate::{Config, EngineError};

/// How long what is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    samples: Retention,
    rollups: Duration,
}

impl Kept {
    pub(crate) fn new(config: &Config) -> Result<Self, EngineError> {
        let overrides = &config.retention_overrides;
        if let Some(fault) = overrides.fault() {
            return Err(EngineError::BadRetention(fault));
        }
        // A selector without any condition is none.
        if let Some(metrics) = overrides.metrics.iter().find(|metrics| metrics.matchers.is_empty()) {
            return Err(EngineError::BadRetention(format!("`{}` is no selector", metrics.r#match)));
        }
        Ok(Self { samples: config.kept(), rollups: config.rollup_retention.0 })
    }

    /// How long a file is kept: as long as what is kept longest in it.
    pub(crate) fn file(&self, kind: FileKind) -> Duration {
        match kind {
            FileKind::Metrics => self.samples.longest_series(),
            FileKind::Rollups(_) => self.rollups,
            FileKind::Events(table) => self.samples.table(table),
        }
    }

    /// The part of a range of rollups that may be answered at `now`.
    pub(crate) fn range_of_rollups(&self, range: TimeRange, now: Timestamp) -> Option<TimeRange> {
        clip(range, now.before(self.rollups))
    }

    /// From when on most series are kept at `now`.
    pub(crate) fn usual_horizon(&self, now: Timestamp) -> Timestamp {
        now.before(self.samples.usual())
    }

    /// From when on a series is kept at `now`.
    pub(crate) fn horizon_of_series(&self, labels: LabelsRef<'_>, now: Timestamp) -> Timestamp {
        now.before(self.samples_of(labels))
    }

    /// Takes from a series what is past its own retention at `now`.
    pub(crate) fn trim(&self, series: &mut SeriesBuffer, now: Timestamp) {
        if self.samples.is_one_for_series() {
            return;
        }
        let horizon = self.horizon_of_series(series.labels.as_ref(), now);
        cut(series, horizon);
    }

    /// The part of a range of series that may be answered at `now`.
    pub(crate) fn range_of_series(&self, range: TimeRange, now: Timestamp) -> Option<TimeRange> {
        clip(range, now.before(self.samples.longest_series()))
    }

    /// The part of a range of rows that may be answered at `now`.
    pub(crate) fn range_of_table(&self, table: Table, range: TimeRange, now: Timestamp) -> Option<TimeRange> {
        clip(range, now.before(self.samples.table(table)))
    }

    /// The cursor without what is past its own retention.
    pub(crate) fn trimmed(&self, cursor: Box<dyn SeriesCursor>, now: Timestamp) -> Box<dyn SeriesCursor> {
        if self.samples.is_one_for_series() {
            return cursor;
        }
        Box::new(Trimmed { cursor, kept: self.clone(), keep: Self::samples_of, now })
    }

    /// The cursor of rollups without those of series that are kept shorter than the rest.
    pub(crate) fn trimmed_rollups(
        &self,
        cursor: Box<dyn SeriesCursor>,
        now: Timestamp,
    ) -> Box<dyn SeriesCursor> {
        if self.samples.is_one_for_series() {
            return cursor;
        }
        Box::new(Trimmed { cursor, kept: self.clone(), keep: Self::rollups_of, now })
    }

    fn samples_of(&self, labels: LabelsRef<'_>) -> Duration {
        self.samples.series(labels)
    }

    /// A series that is kept shorter than the rest is not kept longer as a rollup.
    fn rollups_of(&self, labels: LabelsRef<'_>) -> Duration {
        let own = self.samples.series(labels);
        if own < self.samples.usual() { own.min(self.rollups) } else { self.rollups }
    }
}

fn clip(range: TimeRange, horizon: Timestamp) -> Option<TimeRange> {
    (range.end >= horizon).then(|| TimeRange::new(range.start.max(horizon), range.end))
}

fn cut(series: &mut SeriesBuffer, horizon: Timestamp) {
    let past = series.times_ms.partition_point(|time| *time < horizon.as_millis());
    series.times_ms.drain(..past);
    series.values.drain(..past);
}

struct Trimmed {
    cursor: Box<dyn SeriesCursor>,
    kept: Kept,
    /// How long a series is kept.
    keep: fn(&Kept, LabelsRef<'_>) -> Duration,
    now: Timestamp,
}

impl SeriesCursor for Trimmed {
    fn next_series(&mut self, into: &mut SeriesBuffer) -> Result<bool, QueryError> {
        while self.cursor.next_series(into)? {
            cut(into, self.now.before((self.keep)(&self.kept, into.labels.as_ref())));
            if !into.times_ms.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
