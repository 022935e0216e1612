//! Times as senders of syslog write them.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use model::Timestamp;

use super::header::word;

/// By what a time is understood that does not say all of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// The present time, which tells the year.
    pub(super) now: Timestamp,
    /// The offset of times that name none.
    pub(super) offset: Offset,
}

/// Months as they are written, in capitals or not.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// No time as ISO 8601 has it is longer.
const MAX_ISO_BYTES: usize = 64;
/// Years that stand in messages; other numbers of four digits are none.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2199;

/// The time at the beginning of a message, and what follows it; whether a colon stood between the two.
pub(super) fn read(text: &str, clock: Clock) -> Option<(Timestamp, bool, &str)> {
    // Routers mark a time that they are not sure of.
    let text = text.trim_start_matches(['*', '.']);
    let (first, after) = word(text)?;
    if let Some(time) = iso(first.trim_end_matches(':'), clock) {
        return Some((time, first.ends_with(':'), after));
    }
    if let Some((second, after)) = word(after)
        && first.len() == 10
        && let Some(time) = iso(&format!("{first}T{}", second.trim_end_matches(':')), clock)
    {
        return Some((time, second.ends_with(':'), after));
    }
    of_old(text, clock)
}

/// `2026-11-30T08:00:00.123+01:00`, without an offset, too.
pub(super) fn iso(text: &str, clock: Clock) -> Option<Timestamp> {
    let is_likely =
        (15..=MAX_ISO_BYTES).contains(&text.len()) && text.starts_with(|c: char| c.is_ascii_digit());
    if !is_likely {
        return None;
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return nanos(time);
    }
    at(text.parse().ok()?, clock.offset)
}

/// `Nov 30 08:00:00`, with a year before the month, before the time or behind it, a fraction, and the name of a zone.
fn of_old(text: &str, clock: Clock) -> Option<(Timestamp, bool, &str)> {
    let (mut next, mut rest) = word(text)?;
    let mut year = year_of(next);
    if year.is_some() {
        (next, rest) = word(rest)?;
    }
    let month = month_of(next)?;
    let (day, after) = word(rest)?;
    let day = number(day, 1..=2)?;
    (next, rest) = word(after)?;
    if year.is_none() && year_of(next).is_some() {
        year = year_of(next);
        (next, rest) = word(rest)?;
    }
    let mut has_colon = next.ends_with(':');
    let time = TimeOfDay::read(next.trim_end_matches(':'))?;
    if let Some((next, after)) = word(rest).filter(|_| year.is_none() && !has_colon)
        && let Some(found) = year_of(next.trim_end_matches(':'))
    {
        (year, has_colon, rest) = (Some(found), next.ends_with(':'), after);
    }
    let mut offset = clock.offset;
    if let Some((next, after)) = word(rest).filter(|_| !has_colon)
        && let Some(named) = zone(next, after)
    {
        (offset, has_colon, rest) = (named.unwrap_or(offset), true, after);
    }
    let time = match year {
        Some(year) => time.on(year, month, day, offset),
        None => nearest(clock.now, offset, |year| time.on(year, month, day, offset)),
    };
    Some((time?, has_colon, rest))
}

/// A time on the clock.
#[derive(Clone, Copy, Debug)]
struct TimeOfDay {
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
}

impl TimeOfDay {
    /// `08:00:00`, with a fraction or without.
    fn read(text: &str) -> Option<Self> {
        let (text, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
        let mut parts = text.split(':');
        let mut part = || number(parts.next()?, 1..=2);
        let (hour, minute, second) = (part()?, part()?, part()?);
        let is_digit = |byte: u8| byte.is_ascii_digit();
        if parts.next().is_some() || fraction.len() > 9 || !fraction.bytes().all(is_digit) {
            return None;
        }
        // Up to nine digits, filled up with zeros.
        let nanos = format!("{fraction:0<9}").parse().ok()?;
        // A leap second counts as the one before it.
        Some(Self { hour, minute, second: if second == 60 { 59 } else { second }, nanos })
    }

    fn on(self, year: i16, month: i8, day: i8, offset: Offset) -> Option<Timestamp> {
        let Self { hour, minute, second, nanos } = self;
        at(DateTime::new(year, month, day, hour, minute, second, nanos).ok()?, offset)
    }
}

/// The time of the year that is nearest to now: at the turn of the year the last one's December is not eleven months
/// ahead.
fn nearest(now: Timestamp, offset: Offset, of: impl Fn(i16) -> Option<Timestamp>) -> Option<Timestamp> {
    let present = jiff::Timestamp::from_nanosecond(i128::from(now.as_nanos())).ok()?;
    let year = offset.to_datetime(present).year();
    let all = [year - 1, year, year + 1].into_iter().filter_map(of);
    all.min_by_key(|time| i128::from(time.as_nanos()).abs_diff(i128::from(now.as_nanos())))
}

fn at(time: DateTime, offset: Offset) -> Option<Timestamp> {
    nanos(offset.to_timestamp(time).ok()?)
}

fn nanos(time: jiff::Timestamp) -> Option<Timestamp> {
    i64::try_from(time.as_nanosecond()).ok().map(Timestamp::from_nanos)
}

fn month_of(word: &str) -> Option<i8> {
    let place = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(word))?;
    i8::try_from(place + 1).ok()
}

fn year_of(word: &str) -> Option<i16> {
    let year = (word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit())).then(|| word.parse().ok());
    year.flatten().filter(|year| YEARS.contains(year))
}

/// A number of so many digits.
fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i8> {
    let is_number = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    Some(text).filter(|_| is_number)?.parse().ok()
}

/// The name of a zone, as routers write it: in capitals, with a colon behind it and then the name of the message. Of
/// these names only those of universal time mean one thing.
fn zone(word: &str, after: &str) -> Option<Option<Offset>> {
    let name = word.strip_suffix(':')?;
    if matches!(name, "UTC" | "GMT") {
        return Some(Some(Offset::UTC));
    }
    let is_name = (1..=5).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_name && after.trim_start_matches(' ').starts_with('%')).then_some(None)
}
