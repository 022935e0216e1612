//! Durations and sizes as people write them in configuration and rules: `15s`, `1h30m`, `64MiB`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A duration written as Prometheus writes it: `500ms`, `15s`, `5m`, `1h30m`, `7d`, `2w`, `1y`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DurationText(pub Duration);

/// A size in bytes, written with a unit: `512KiB`, `64MiB`, `10GB`, or as a plain number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

/// A text that is no duration or size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: write it like {example}")]
pub struct QuantityError {
    text: String,
    what: &'static str,
    example: &'static str,
}

/// Units of duration in milliseconds, from long to short, as they must follow each other.
const DURATION_UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl FromStr for DurationText {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let fail =
            || QuantityError { text: text.to_owned(), what: "duration", example: "15s, 5m, 1h30m or 7d" };
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let mut rest = text;
        let mut millis = 0u64;
        let mut units = DURATION_UNITS.iter();
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(fail)?;
            let number: u64 = rest[..digits].parse().map_err(|_| fail())?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let (_, unit) = units.find(|(name, _)| *name == &rest[..letters]).ok_or_else(fail)?;
            millis = number.checked_mul(*unit).and_then(|part| millis.checked_add(part)).ok_or_else(fail)?;
            rest = &rest[letters..];
        }
        if text.is_empty() { Err(fail()) } else { Ok(Self(Duration::from_millis(millis))) }
    }
}

impl fmt::Display for DurationText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return f.write_str("0s");
        }
        for (name, unit) in DURATION_UNITS {
            // Weeks, and years that are not whole, hide what a reader compares; days do not.
            if name == "w" || (name == "y" && !millis.is_multiple_of(unit)) {
                continue;
            }
            if millis >= unit {
                write!(f, "{}{name}", millis / unit)?;
                millis %= unit;
            }
        }
        Ok(())
    }
}

const SIZE_UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

impl FromStr for ByteSize {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let fail = || QuantityError { text: text.to_owned(), what: "size", example: "512KiB, 64MiB or 10GB" };
        let (number, unit) = SIZE_UNITS
            .iter()
            .find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))
            .unwrap_or((text, 1));
        let number: u64 = number.trim().parse().map_err(|_| fail())?;
        number.checked_mul(unit).map(Self).ok_or_else(fail)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SIZE_UNITS.iter().find(|(_, unit)| self.0 != 0 && self.0.is_multiple_of(*unit)) {
            Some((name, unit)) => write!(f, "{}{name}", self.0 / unit),
            None => f.write_str("0B"),
        }
    }
}

macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

serde_as_text!(DurationText);
serde_as_text!(ByteSize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_as_prometheus_does() {
        let cases = [("15s", 15_000), ("1h30m", 5_400_000), ("7d", 604_800_000), ("250ms", 250), ("0", 0)];
        for (text, millis) in cases {
            assert_eq!(text.parse(), Ok(DurationText(Duration::from_millis(millis))), "{text}");
        }
        for text in ["", "s", "15", "1m1h", "1x", "99999999999999999999y", "-5s"] {
            assert!(text.parse::<DurationText>().is_err(), "{text}");
        }
        for text in ["15s", "1h30m", "7d", "400d", "1y"] {
            assert_eq!(text.parse::<DurationText>().map(|d| d.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn sizes_are_read_and_written_with_units() {
        for (text, bytes) in [("64MiB", 64 << 20), ("10 GB", 10_000_000_000), ("123", 123), ("1KiB", 1024)] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "MiB", "1.5GB", "-1", "99999999999TiB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
        assert_eq!(ByteSize(64 << 20).to_string(), "64MiB");
    }
}
