//! How far a clock is ahead of universal time, as people write it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The farthest that any clock is off, in seconds.
const FARTHEST: i32 = 18 * 3600;

/// An offset from universal time: `+02:00`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UtcOffset {
    seconds: i32,
}

/// A text that is no offset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an offset from universal time: write it like +02:00")]
pub struct OffsetError(String);

impl UtcOffset {
    /// The same in seconds.
    pub fn seconds(self) -> i32 {
        self.seconds
    }
}

impl FromStr for UtcOffset {
    type Err = OffsetError;

    fn from_str(text: &str) -> Result<Self, OffsetError> {
        read(text)
            .filter(|seconds| seconds.abs() <= FARTHEST)
            .map(|seconds| Self { seconds })
            .ok_or_else(|| OffsetError(text.chars().take(32).collect()))
    }
}

fn read(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let part = |text: &str| -> Option<i32> {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        Some(text).filter(|_| is_number)?.parse().ok()
    };
    let minutes = part(minutes).filter(|minutes| *minutes < 60)?;
    Some(sign * (part(hours)? * 3600 + minutes * 60))
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.seconds < 0 { '-' } else { '+' };
        let minutes = self.seconds.abs() / 60;
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl Serialize for UtcOffset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcOffset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_and_written_as_people_write_them() {
        for (text, seconds) in [("+00:00", 0), ("+02:00", 7200), ("-03:30", -12_600), ("+18:00", 64_800)] {
            let offset: UtcOffset = text.parse().expect(text);
            assert_eq!((offset.seconds(), offset.to_string().as_str()), (seconds, text));
        }
        for text in ["", "2", "02:00", "+2:00", "+02:60", "+19:00", "+02", "UTC", "é02:00", "++2:00"] {
            assert!(text.parse::<UtcOffset>().is_err(), "{text}");
        }
    }
}
