//! The periods that are asked for by name: those of seed 003's admin page.

use std::time::Duration;

use model::{TimeRange, Timestamp};

/// A period that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// The last 60 minutes.
    Hour,
    /// The last 24 hours.
    Day,
    /// The last 7 days.
    Week,
    /// The last 30 days.
    Month,
}

/// A text that names no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the period is one of hour, day, week, month")]
pub struct UnknownPeriod;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

impl Period {
    /// Every period.
    pub const ALL: &[Self] = &[Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The period as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// How long it is.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Self::Hour => HOUR,
            Self::Day => 24 * HOUR,
            Self::Week => 7 * 24 * HOUR,
            Self::Month => 30 * 24 * HOUR,
        })
    }

    /// The distance of the points of a chart of it. An hour has seed 003's 30 seconds; no chart has more
    /// than 340 points.
    pub const fn step(self) -> Duration {
        Duration::from_secs(match self {
            Self::Hour => 30,
            Self::Day => 5 * MINUTE,
            Self::Week => 30 * MINUTE,
            Self::Month => 150 * MINUTE,
        })
    }

    /// The period that ends at `now`.
    pub fn until(self, now: Timestamp) -> TimeRange {
        TimeRange::new(now.before(self.duration()), now)
    }
}

impl std::str::FromStr for Period {
    type Err = UnknownPeriod;

    fn from_str(text: &str) -> Result<Self, UnknownPeriod> {
        Self::ALL.iter().copied().find(|period| period.as_str() == text).ok_or(UnknownPeriod)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_as_they_are_written_and_others_are_told_which_there_are() {
        for period in Period::ALL {
            assert_eq!(period.as_str().parse(), Ok(*period));
            assert!(period.duration().as_secs() / period.step().as_secs() <= 340);
        }
        for text in ["", "year", "Hour", "hour "] {
            let error = text.parse::<Period>().expect_err(text);
            assert!(error.to_string().contains("hour, day, week, month"));
        }
    }
}
