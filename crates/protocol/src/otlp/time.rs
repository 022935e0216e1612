//! Times as OTLP has them.

use model::Timestamp;

/// Nanoseconds since the Unix epoch; 0 where nobody said. May lie further out than any [`Timestamp`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixNanos(pub u64);

/// Why what has a time that cannot be written down is rejected.
pub(super) const TOO_FAR_OUT: &str = "its time is no number of nanoseconds between 1970 and the year 2262";

impl UnixNanos {
    /// Stands for whatever was sent as a time and is none: what lies before 1970, or beyond what fits.
    pub const BEYOND: Self = Self(u64::MAX);

    /// The time, if one was sent and it can be written down (until the year 2262).
    pub fn timestamp(self) -> Option<Timestamp> {
        i64::try_from(self.0).ok().filter(|nanos| *nanos != 0).map(Timestamp::from_nanos)
    }

    /// Whether a time was sent.
    pub fn is_set(self) -> bool {
        self.0 != 0
    }

    /// Milliseconds since the epoch, rounded down.
    pub fn as_millis(self) -> i64 {
        // A millionth of any `u64` is far from the ends of an `i64`.
        (self.0 / 1_000_000).cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_was_not_sent_or_lies_too_far_out_is_none() {
        assert_eq!(UnixNanos(1_500_000).timestamp(), Some(Timestamp::from_nanos(1_500_000)));
        assert_eq!(UnixNanos(1_999_999).as_millis(), 1);
        assert_eq!((UnixNanos(0).timestamp(), UnixNanos(u64::MAX).timestamp()), (None, None));
        assert_eq!(UnixNanos(u64::MAX).as_millis(), 18_446_744_073_709);
        assert!(UnixNanos(u64::MAX).is_set() && !UnixNanos(0).is_set());
    }
}
