//! Pages of records: by time, and of one time in the order in which they came.
//!
//! A page ends at a [`Cursor`], from which the next one goes on. It says how many records of one time have been given,
//! for many may have the same, and which was the last of them, so that the next page goes on behind it though others
//! of that time have come in before it.

use std::fmt;
use std::str::FromStr;

use model::event::LogEvent;
use model::{TimeRange, Timestamp};
use store::{Cancel, Order, TelemetryStore};
use xxhash_rust::xxh3::Xxh3Default;

use crate::read::read;
use crate::{Error, Search};

/// The most records of a page.
pub const MAX_ROWS: usize = 1_000;
/// About the most bytes of a page; one that has as many ends there.
const MAX_BYTES: usize = 8 << 20;
/// How many records may have come in between two pages, of the time at which the one ended, so that the next one still
/// finds its place.
const LATE: usize = 32;
/// The most records of one time that are told apart by where a page ends. Those behind them are found by a narrower
/// search.
const MAX_OF_ONE_TIME: u32 = 100_000;

/// Which page.
#[derive(Clone, Debug)]
pub struct Page {
    /// At most this many records, and no more than [`MAX_ROWS`].
    pub limit: usize,
    /// By time.
    pub order: Order,
    /// Where the page before it ended; the first page has none.
    pub after: Option<Cursor>,
}

/// Records of a page.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The records.
    pub items: Vec<T>,
    /// Where they end, when there are more.
    pub next: Option<Cursor>,
}

/// Where a page ends. As a text it is short and means nothing to anybody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The time of the last record.
    time: Timestamp,
    /// How many of that time have been given.
    given: u32,
    /// The last one.
    last: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{:016x}", self.time.as_nanos(), self.given, self.last)
    }
}

/// A text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no cursor; take it from `next_cursor` of the page before")]
pub struct UnknownCursor;

impl FromStr for Cursor {
    type Err = UnknownCursor;

    fn from_str(text: &str) -> Result<Self, UnknownCursor> {
        let mut parts = text.split('_');
        let (Some(time), Some(given), Some(last), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(UnknownCursor);
        };
        let time = Timestamp::from_nanos(time.parse().map_err(|_| UnknownCursor)?);
        let given = given.parse().ok().filter(|given| (1..=MAX_OF_ONE_TIME).contains(given));
        let last = u64::from_str_radix(last, 16).map_err(|_| UnknownCursor)?;
        Ok(Self { time, given: given.ok_or(UnknownCursor)?, last })
    }
}

/// What tells a record of a log from others of its time: the sender's id, or what it says and where it comes from.
pub fn id_of_log(log: &LogEvent) -> u64 {
    let origin = &log.origin;
    let parts = [
        &log.event_id,
        &log.message,
        &log.event_name,
        &log.trace_id,
        &log.span_id,
        &origin.service,
        &origin.host,
        &origin.service_instance_id,
        &log.conventions.job_id,
    ];
    id_of(parts.map(Option::as_deref))
}

/// The same of its parts, in that order.
pub(crate) fn id_of(parts: [Option<&str>; 9]) -> u64 {
    let mut hash = Xxh3Default::new();
    for part in parts {
        // A length in front parts what is there from what comes behind it.
        hash.update(&part.map_or(u64::MAX, |part| part.len() as u64).to_le_bytes());
        hash.update(part.unwrap_or_default().as_bytes());
    }
    hash.digest()
}

/// A page of the records of logs that a search finds.
pub fn logs(
    store: &dyn TelemetryStore,
    search: &Search,
    page: &Page,
    cancel: &Cancel,
) -> Result<Listed<LogEvent>, Error> {
    let limit = page.limit.min(MAX_ROWS);
    let range = left_of(search.range(), page);
    if range.start > range.end || limit == 0 {
        return Ok(Listed { items: Vec::new(), next: None });
    }
    let before = page.after.map_or(0, |cursor| cursor.given as usize + LATE);
    // One more tells that there are more.
    let most = limit + before + 1;
    let rows = read(store, |table| search.scan(table, range, page.order, most, cancel))?;
    let begin = page.after.map_or(0, |cursor| begin(&rows, cursor));
    let end = end(&rows, begin, limit);
    let next = if end < rows.len() { end.checked_sub(1).map(|last| cursor_at(&rows, last)) } else { None };
    let items = rows.into_iter().skip(begin).take(end - begin).collect();
    Ok(Listed { items, next })
}

/// The part of a range in which a page may lie.
fn left_of(range: TimeRange, page: &Page) -> TimeRange {
    match (page.after, page.order) {
        (None, _) => range,
        (Some(cursor), Order::OldestFirst) => TimeRange::new(range.start.max(cursor.time), range.end),
        (Some(cursor), Order::NewestFirst) => TimeRange::new(range.start, range.end.min(cursor.time)),
    }
}

/// Which row is the first behind a cursor.
fn begin(rows: &[LogEvent], cursor: Cursor) -> usize {
    let of_time = rows.iter().take_while(|row| row.time == cursor.time).count();
    let given = (cursor.given as usize).min(of_time);
    // Where the last one stood, and behind that, in case that others of its time have come in before it.
    let first = given.saturating_sub(1);
    let looked_at = first..of_time.min(given + LATE);
    let last = looked_at.into_iter().find(|row| id_of_log(&rows[*row]) == cursor.last);
    last.map_or(given, |last| last + 1)
}

/// Where a page ends that begins there.
fn end(rows: &[LogEvent], begin: usize, limit: usize) -> usize {
    let mut bytes = 0;
    for (place, row) in rows.iter().enumerate().skip(begin) {
        if place - begin == limit || bytes > MAX_BYTES {
            return place;
        }
        bytes += bytes_of_log(row);
    }
    rows.len()
}

fn cursor_at(rows: &[LogEvent], last: usize) -> Cursor {
    let row = &rows[last];
    let given = rows[..=last].iter().rev().take_while(|other| other.time == row.time).count();
    let given = u32::try_from(given).unwrap_or(MAX_OF_ONE_TIME).min(MAX_OF_ONE_TIME);
    Cursor { time: row.time, given, last: id_of_log(row) }
}

/// About how many bytes of texts a record has.
pub fn bytes_of_log(log: &LogEvent) -> usize {
    let of = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let maps = [&log.attributes, &log.origin.resource_attributes, &log.origin.scope_attributes];
    let attributes = maps.into_iter().flatten().map(|(key, value)| key.len() + value.len()).sum::<usize>();
    let said = &log.conventions;
    256 + of(&log.message)
        + of(&said.exception_message)
        + of(&said.exception_stacktrace)
        + of(&said.db_query)
        + attributes
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn cursors_survive_being_written_and_others_are_refused() {
        let cursor = Cursor { time: Timestamp::from_nanos(-5), given: 3, last: 0xabc };
        assert_eq!(cursor.to_string(), "-5_3_0000000000000abc");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "5", "5_1", "5_0_a", "5_1_x", "x_1_a", "5_1_a_b", "5_100001_a", "5_-1_a"] {
            assert_eq!(text.parse::<Cursor>(), Err(UnknownCursor), "{text}");
        }
    }

    fn at(time: i64, message: &str) -> LogEvent {
        let log = LogEvent::new(Timestamp::from_nanos(time), Arc::default());
        LogEvent { message: Some(message.to_owned()), ..log }
    }

    #[test]
    fn a_page_goes_on_behind_the_last_record_also_when_others_of_its_time_have_come() {
        let rows = [at(5, "a"), at(5, "b"), at(5, "c"), at(4, "d")];
        let cursor = cursor_at(&rows, 1);
        assert_eq!((cursor.given, begin(&rows, cursor)), (2, 2));
        let more = [at(5, "y"), at(5, "z"), at(5, "a"), at(5, "b"), at(5, "c"), at(4, "d")];
        assert_eq!(begin(&more, cursor), 4);
        // It was dropped: the next one has its place.
        assert_eq!(begin(&[at(5, "a"), at(5, "x"), at(5, "c")], cursor), 2);
        assert_eq!(begin(&[at(4, "d")], cursor), 0);
        assert_eq!(cursor_at(&rows, 3).given, 1);
    }

    #[test]
    fn records_are_told_apart_by_their_ids_and_by_what_they_say() {
        let with_id = |id: &str| LogEvent { event_id: Some(id.to_owned()), ..at(1, "a") };
        let ids = [at(1, "a"), at(1, "b"), with_id("a"), with_id("b")].map(|log| id_of_log(&log));
        assert!((1..4).all(|place| !ids[..place].contains(&ids[place])), "{ids:?}");
        assert_eq!(id_of_log(&at(2, "a")), ids[0]);
    }

    #[test]
    fn a_page_of_large_records_ends_early_but_never_before_its_first() {
        let large = "x".repeat(MAX_BYTES / 2 + 1);
        let rows = [at(1, &large), at(2, &large), at(3, &large)];
        assert_eq!(end(&rows, 0, 3), 2);
        assert_eq!(end(&rows, 2, 3), 3);
        assert_eq!(end(&rows, 0, 1), 1);
        let huge = "x".repeat(2 * MAX_BYTES);
        assert_eq!(end(&[at(1, &huge), at(2, "")], 0, 5), 1);
    }
}
