//! Numbers, durations, sizes and times, as they are written in queries and found in attributes.
//!
//! Durations and sizes are read exactly, fractions included; `model::DurationText` is for configuration and
//! knows neither fractions nor less than a millisecond.

use std::time::Duration;

use model::Timestamp;

/// Units of duration in nanoseconds, from long to short, as they must follow each other.
const DURATION_UNITS: [(&str, u128); 11] = [
    ("y", 365 * 86_400_000_000_000),
    ("w", 7 * 86_400_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    // The two letters for micro that Unicode has.
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ns", 1),
];

/// Units of size in bytes, in lower case.
const SIZE_UNITS: [(&str, u128); 11] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("pb", 1_000_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// A finite number: `5`, `-0.5`, `1e6`.
pub(crate) fn number(text: &str) -> Option<f64> {
    let is_of_number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    if !text.bytes().all(is_of_number) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A duration: `5s`, `1m30s`, `1.5h`, `250us`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut nanos: u128 = 0;
    let mut units = DURATION_UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(digits);
        let letters = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        let (_, unit) = units.find(|(name, _)| *name == unit)?;
        nanos = nanos.checked_add(multiple(number, *unit)?)?;
        rest = behind;
    }
    let nanos = u64::try_from(nanos).ok()?;
    (!text.is_empty()).then(|| Duration::from_nanos(nanos))
}

/// A size in bytes: `2GB`, `10MiB`, `1.5kb`, `512`.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.to_ascii_lowercase();
    let (_, unit) = SIZE_UNITS.iter().find(|(name, _)| *name == unit)?;
    u64::try_from(multiple(number, *unit)?).ok()
}

/// A decimal number without a sign, times a unit, rounded down.
fn multiple(number: &str, unit: u128) -> Option<u128> {
    /// Enough for what people write, and few enough that no product of two overflows.
    const MAX_DIGITS: usize = 18;
    let digits = |text: &str| -> Option<u128> {
        let is_number = !text.is_empty() && text.len() <= MAX_DIGITS;
        if is_number && text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
    };
    let Some((whole, fraction)) = number.split_once('.') else { return digits(number)?.checked_mul(unit) };
    let places = u32::try_from(fraction.len()).ok()?;
    let part = digits(fraction)?.checked_mul(unit)? / 10u128.pow(places);
    digits(whole)?.checked_mul(unit)?.checked_add(part)
}

/// A time as it is written, which may be a whole day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Its first instant.
    pub(crate) first: Timestamp,
    /// Its last instant.
    pub(crate) last: Timestamp,
    /// Whether it depends on when it is asked.
    pub(crate) is_relative: bool,
}

/// The last nanosecond of a day, counted from its first.
const DAY: Duration = Duration::from_nanos(86_400_000_000_000 - 1);

/// A time: RFC 3339, a day, `-15m`, `now-1h`, or a number of seconds, or parts of them, since the epoch.
pub(crate) fn moment(text: &str, now: Timestamp) -> Option<Moment> {
    if let Some(time) = relative(text, now) {
        return Some(Moment { first: time, last: time, is_relative: true });
    }
    if text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2 {
        let first = Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")).ok()?;
        return Some(Moment { first, last: first.after(DAY), is_relative: false });
    }
    let time = if text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        Timestamp::from_epoch_number(number(text)?).ok()?
    } else {
        Timestamp::parse_rfc3339(text).ok()?
    };
    Some(Moment { first: time, last: time, is_relative: false })
}

fn relative(text: &str, now: Timestamp) -> Option<Timestamp> {
    let offset = text.strip_prefix("now").unwrap_or(text);
    if let Some(ago) = offset.strip_prefix('-') {
        return duration(ago).map(|ago| now.before(ago));
    }
    if let Some(ahead) = offset.strip_prefix('+') {
        return duration(ahead).map(|ahead| now.after(ahead));
    }
    (text == "now").then_some(now)
}

#[cfg(test)]
mod tests;
