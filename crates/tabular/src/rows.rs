//! Going over what is selected, batch by batch.

use std::borrow::Cow;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use model::{TimeRange, Timestamp};
use store::{Cancel, Entries, EventPass, Matcher, QueryError, Table, TelemetryStore};

use crate::points::{PointTable, Points};

/// Series are read this much time at once, so that a long one need not fit into memory.
const WINDOW: Duration = Duration::from_secs(24 * 3600);
/// About the most windows that a range is cut into.
const MAX_WINDOWS: u32 = 1_000;

/// What is wanted of a store.
#[derive(Clone, Debug)]
pub enum Selection {
    /// All rows of a table.
    Events(Table),
    /// All series that match.
    Series(Vec<Matcher>),
}

/// The rows of a selection.
pub struct Rows<'a> {
    store: &'a dyn TelemetryStore,
    range: TimeRange,
    what: What,
}

enum What {
    Events(Table),
    Series(Vec<Matcher>, PointTable),
}

impl<'a> Rows<'a> {
    /// Finds out what columns the rows of `selection` within `range` have. Blocks.
    pub fn new(
        store: &'a dyn TelemetryStore,
        selection: Selection,
        range: TimeRange,
    ) -> Result<Self, QueryError> {
        let what = match selection {
            Selection::Events(table) => What::Events(table),
            Selection::Series(matchers) => {
                let names = store.label_names(&matchers, range, &Cancel::never())?;
                What::Series(matchers, PointTable::new(names))
            }
        };
        Ok(Self { store, range, what })
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        match &self.what {
            What::Events(table) => store::schema(*table),
            What::Series(_, table) => table.schema(),
        }
    }

    /// Gives all rows to `each`, whose first error ends it. Series come day by day, within a day series by
    /// series; events come about in ascending time. Blocks.
    pub fn each(
        &self,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        match &self.what {
            What::Events(table) => {
                let schema = store::schema(*table);
                let pass = EventPass {
                    table: *table,
                    range: self.range,
                    filters: Vec::new(),
                    columns: Cow::default(),
                    entries: Entries::all(),
                    cancel: Cancel::never(),
                };
                self.store.each_batch_unhurried(&pass, &mut |rows| {
                    let rows = store::conform(rows, &schema).map_err(|error| QueryError::Storage {
                        doing: format!("reading rows of {}", table.name()),
                        source: Box::new(error),
                    })?;
                    each(rows)
                })
            }
            What::Series(matchers, table) => {
                let mut points = Points::new(table);
                for window in windows(self.range, self.store.stats().oldest) {
                    self.store.each_series(matchers, window, &mut |series| points.push(series, each))?;
                }
                points.flush(each)
            }
        }
    }
}

/// The range cut at the ends of days. What lies before `oldest`, where hardly anything is, is one piece.
fn windows(range: TimeRange, oldest: Option<Timestamp>) -> Vec<TimeRange> {
    let day = WINDOW.as_nanos() as i64;
    let from = oldest.unwrap_or(range.end).max(range.start).min(range.end);
    let step = (range.end.since(from) / MAX_WINDOWS).max(WINDOW).as_nanos();
    let step = i64::try_from(step).unwrap_or(i64::MAX) / day * day;
    let mut windows = Vec::new();
    let mut start = range.start;
    let mut cut = from.as_nanos().div_euclid(day).saturating_mul(day).saturating_add(step);
    while cut <= range.end.as_nanos() && cut < i64::MAX {
        windows.push(TimeRange::new(start, Timestamp::from_nanos(cut - 1)));
        start = Timestamp::from_nanos(cut);
        cut = cut.saturating_add(step);
    }
    windows.push(TimeRange::new(start, range.end));
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_days_that_cover_the_range_and_nothing_twice() {
        let time = |text: &str| Timestamp::parse_rfc3339(text).expect("a time");
        let cases = [
            ("2026-11-01T07:00:00Z", "2026-11-03T00:00:00Z", None, 1),
            ("2026-11-01T07:00:00Z", "2026-11-03T00:00:00Z", Some("2020-01-01T00:00:00Z"), 3),
            ("2026-11-01T07:00:00Z", "2026-11-03T12:00:00Z", Some("2026-11-02T01:00:00Z"), 2),
            ("1700-01-01T00:00:00Z", "2026-11-03T12:00:00Z", Some("1700-01-01T00:00:00Z"), 1_000),
        ];
        for (start, end, oldest, count) in cases {
            let range = TimeRange::new(time(start), time(end));
            let cut = windows(range, oldest.map(time));
            let most = if count == 1_000 { 1_200 } else { count };
            assert!((count..=most).contains(&cut.len()), "{start} {end}: {}", cut.len());
            assert_eq!((cut[0].start, cut[cut.len() - 1].end), (range.start, range.end));
            for pair in cut.windows(2) {
                assert_eq!(pair[0].end.as_nanos() + 1, pair[1].start.as_nanos());
                assert_eq!(pair[1].start.as_nanos() % (86_400 * 1_000_000_000), 0);
            }
        }
        assert_eq!(windows(TimeRange::ALL, None).len(), 1);
        assert!(windows(TimeRange::ALL, Some(Timestamp::now())).len() <= 1_200);
    }
}
