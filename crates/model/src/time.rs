//! Points in time and ranges of it.
//!
//! Events carry [`Timestamp`]s (nanoseconds). Samples carry plain `i64` milliseconds in flat arrays,
//! as Prometheus does; [`Timestamp::as_millis`] and [`Timestamp::from_millis`] are the only bridge.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time: nanoseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest time that can be written down.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest time that can be written down.
    pub const MAX: Self = Self(i64::MAX);

    /// The wall clock, now.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }

    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From milliseconds since the epoch; saturates at the ends of the representable range.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// From seconds since the epoch; saturates, and NaN becomes the epoch.
    pub fn from_secs_f64(secs: f64) -> Self {
        Self((secs * 1e9) as i64)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Seconds since the epoch.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This time plus `duration`, saturating.
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// This time minus `duration`, saturating.
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// Reads RFC 3339 (`2025-08-01T21:30:00.000Z`, any offset, `T` or a space). A time without an
    /// offset is taken as UTC, because Python's `datetime.utcnow().isoformat()` writes it so.
    pub fn parse_rfc3339(text: &str) -> Result<Self, ParseTimeError> {
        let fail = || ParseTimeError { text: text.chars().take(64).collect() };
        let instant = match text.parse::<jiff::Timestamp>() {
            Ok(instant) => instant,
            Err(_) => {
                let civil: jiff::civil::DateTime = text.parse().map_err(|_| fail())?;
                civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| fail())?.timestamp()
            }
        };
        i64::try_from(instant.as_nanosecond()).map(Self).map_err(|_| fail())
    }

    /// Reads a number as seconds, milliseconds, microseconds or nanoseconds since the epoch, by its
    /// size: every clock since 1973 and until 5138 is told apart.
    pub fn from_epoch_number(number: f64) -> Result<Self, ParseTimeError> {
        let nanos = match number.abs() {
            n if !n.is_finite() => return Err(ParseTimeError { text: number.to_string() }),
            n if n < 1e11 => number * 1e9,
            n if n < 1e14 => number * 1e6,
            n if n < 1e17 => number * 1e3,
            _ => number,
        };
        Ok(Self(nanos as i64))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with as many fractional digits as are needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{}ns", self.0),
        }
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time or a number of seconds since the epoch")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse_rfc3339(text).map_err(E::custom)
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Timestamp, E> {
                Timestamp::from_epoch_number(number as f64).map_err(E::custom)
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Timestamp, E> {
                Timestamp::from_epoch_number(number as f64).map_err(E::custom)
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Timestamp, E> {
                Timestamp::from_epoch_number(number).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time: give RFC 3339 (2025-08-01T21:30:00Z) or seconds since the epoch")]
pub struct ParseTimeError {
    text: String,
}

/// A range of time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// The first instant in the range.
    pub start: Timestamp,
    /// The last instant in the range.
    pub end: Timestamp,
}

impl TimeRange {
    /// All of time.
    pub const ALL: Self = Self { start: Timestamp::MIN, end: Timestamp::MAX };

    /// The range from `start` to `end`, both included.
    pub const fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    /// Whether `time` lies in the range.
    pub fn contains(&self, time: Timestamp) -> bool {
        self.start <= time && time <= self.end
    }

    /// Whether the two ranges share an instant.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_that_pipelines_write() {
        let cases = [
            ("2025-08-01T21:30:00.000Z", 1_754_083_800_000),
            ("2025-08-01T21:30:00", 1_754_083_800_000),
            ("2025-08-01 21:30:00.5", 1_754_083_800_500),
            ("2025-08-01T23:30:00+02:00", 1_754_083_800_000),
        ];
        for (text, millis) in cases {
            assert_eq!(Timestamp::parse_rfc3339(text).map(Timestamp::as_millis), Ok(millis), "{text}");
        }
        for text in ["", "yesterday", "2025-13-01T00:00:00Z", "9999999-01-01"] {
            assert!(Timestamp::parse_rfc3339(text).is_err(), "{text}");
        }
    }

    #[test]
    fn epoch_numbers_are_told_apart_by_size() {
        for number in [1_754_083_800.0, 1_754_083_800_000.0, 1_754_083_800_000_000.0, 1.754_083_8e18] {
            let time = Timestamp::from_epoch_number(number).expect("finite");
            assert_eq!(time.as_millis(), 1_754_083_800_000, "{number}");
        }
        assert!(Timestamp::from_epoch_number(f64::NAN).is_err());
    }

    #[test]
    fn times_are_written_as_rfc3339() {
        assert_eq!(Timestamp::from_millis(1_754_083_800_500).to_string(), "2025-08-01T21:30:00.5Z");
    }
}
