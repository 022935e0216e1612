//! When a target is asked: at moments of its own on a grid of its interval, the same ones after every restart.

use std::time::Duration;

use model::Timestamp;

/// A scrape that begins so little after its moment has that moment as its time: equal distances are stored in less.
/// As in Prometheus, and never more than a hundredth of the interval.
const TOLERANCE_MS: i64 = 2;

/// The grid of one target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    interval_ms: i64,
    offset_ms: i64,
    last_ms: i64,
}

impl Clock {
    /// A grid whose offset is told by a hash of the target, so that not all are asked at once.
    pub(super) fn new(interval: Duration, id: u64) -> Self {
        let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
        let offset_ms = (id % interval_ms.cast_unsigned()).cast_signed();
        Self { interval_ms, offset_ms, last_ms: i64::MIN }
    }

    /// The next moment after `now_ms`, and after the one that was given before unless the clock was set back by more.
    pub(super) fn next(&mut self, now_ms: i64) -> i64 {
        let before = now_ms.saturating_sub(self.offset_ms).div_euclid(self.interval_ms);
        let mut next = (before + 1).saturating_mul(self.interval_ms).saturating_add(self.offset_ms);
        if next == self.last_ms {
            // The timer was early.
            next = next.saturating_add(self.interval_ms);
        }
        self.last_ms = next;
        next
    }

    /// The time of a scrape that was due at `due_ms` and begins at `now_ms`.
    pub(super) fn snap(&self, due_ms: i64, now_ms: i64) -> i64 {
        let tolerance = TOLERANCE_MS.min(self.interval_ms / 100);
        if (now_ms - due_ms).abs() <= tolerance { due_ms } else { now_ms }
    }
}

/// Waits until the wall clock shows `due_ms`.
pub(super) async fn sleep_until(due_ms: i64) {
    let now = Timestamp::now();
    tokio::time::sleep(Timestamp::from_millis(due_ms).since(now)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_lie_on_a_grid_that_is_the_same_after_a_restart() {
        let mut clock = Clock::new(Duration::from_secs(15), 31_234);
        let first = clock.next(1_000_000);
        assert_eq!((first - 1_234) % 15_000, 0);
        assert!(first > 1_000_000 && first <= 1_015_000, "{first}");
        assert_eq!(clock.next(first), first + 15_000);
        assert_eq!(clock.next(first + 15_000 - 1), first + 30_000, "a timer that was early");
        assert_eq!(Clock::new(Duration::from_secs(15), 31_234).next(first + 1), first + 15_000);
        assert_eq!(clock.next(first + 100_000), first + 105_000, "what was missed is not caught up with");
    }

    #[test]
    fn times_snap_to_the_grid_within_two_milliseconds_and_a_hundredth_of_the_interval() {
        let long = Clock::new(Duration::from_secs(15), 0);
        for (now, expected) in [(15_000, 15_000), (15_002, 15_000), (14_998, 15_000), (15_003, 15_003)] {
            assert_eq!(long.snap(15_000, now), expected);
        }
        let short = Clock::new(Duration::from_millis(100), 0);
        assert_eq!(short.snap(100, 101), 100);
        assert_eq!(short.snap(100, 102), 102);
    }
}
