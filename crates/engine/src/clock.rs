//! Which time it is for whatever drops what is old.
//!
//! A machine may start with a clock that is wrong for a while, and be set right a minute later. A clock that is
//! ahead would have everything dropped that is kept. So for a while after a start, and after each leap of the clock,
//! it is no later than the newest of what is in files.

use std::time::{Duration, Instant, SystemTime};

use model::Timestamp;
use parking_lot::Mutex;

/// How long a clock is not trusted.
const SETTLES: Duration = Duration::from_secs(600);
/// A difference from the time that has passed which is no leap.
const DRIFT: Duration = Duration::from_secs(300);

/// Watches the system's clock.
#[derive(Debug)]
pub(crate) struct Clock(Mutex<Seen>);

#[derive(Debug)]
struct Seen {
    /// When the clock was looked at last, by itself and by one that never leaps.
    wall: SystemTime,
    steady: Instant,
    /// Since when it has not leapt.
    since: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let steady = Instant::now();
        Self(Mutex::new(Seen { wall: SystemTime::now(), steady, since: steady }))
    }

    /// The time, and no later than `newest` while the clock may be wrong.
    pub(crate) fn now(&self, newest: impl FnOnce() -> Option<Timestamp>) -> Timestamp {
        let now = Timestamp::now();
        match self.0.lock().has_settled(SystemTime::now(), Instant::now()) {
            true => now,
            false => newest().map_or(Timestamp::from_millis(0), |newest| now.min(newest)),
        }
    }
}

impl Seen {
    fn has_settled(&mut self, wall: SystemTime, steady: Instant) -> bool {
        let passed = steady.saturating_duration_since(self.steady);
        let expected = self.wall + passed;
        let ahead = wall.duration_since(expected).unwrap_or_else(|behind| behind.duration());
        if ahead > DRIFT {
            self.since = steady;
        }
        (self.wall, self.steady) = (wall, steady);
        steady.saturating_duration_since(self.since) >= SETTLES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_trusted_when_it_has_not_leapt_for_a_while() {
        let (wall, steady) = (SystemTime::now(), Instant::now());
        let mut seen = Seen { wall, steady, since: steady };
        let mut at = |passed: u64, leapt: u64| {
            let leapt = Duration::from_secs(leapt);
            seen.has_settled(wall + Duration::from_secs(passed) + leapt, steady + Duration::from_secs(passed))
        };
        assert!(!at(1, 0) && !at(599, 0) && at(600, 0));
        assert!(at(660, 200), "it was set right by a little");
        assert!(!at(720, 86_400) && !at(1_319, 86_400) && at(1_320, 86_400));
        assert!(!at(1_380, 0), "back again");
        assert!(at(1_980, 0));
    }

    #[test]
    fn until_then_it_is_no_later_than_what_is_there() {
        let clock = Clock::new();
        let newest = Timestamp::from_millis(5);
        assert_eq!(clock.now(|| Some(newest)), newest);
        assert_eq!(clock.now(|| None), Timestamp::from_millis(0), "where nothing is, nothing is old");
    }
}
