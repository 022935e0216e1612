//! How much has gone through a queue, and how fast.
//!
//! Two witnesses tell of it: the collector, by its totals, and the jobs' events. Each may see only a part
//! (a collector that started late, workers that do not report), so of each total the higher counts: both
//! only grow, and so does the higher of the two.

use std::collections::VecDeque;
use std::time::Duration;

use model::Timestamp;

use crate::jobs::AttemptOutcome;

/// Rates over less than this are noise.
const LEAST_SPAN: Duration = Duration::from_secs(10);
/// The most points kept of one queue: a ratio window of an hour at 15 s has 240.
const MAX_POINTS: usize = 2_000;

/// Something that moved through a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    In,
    Out(AttemptOutcome),
}

/// Totals of arrivals and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) enqueued: u64,
    /// Well or badly.
    pub(super) ended: u64,
    pub(super) failed: u64,
}

/// A total that a collector counts from its own start; it falls back when the collector starts again.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    last: u64,
    total: u64,
}

impl Counted {
    fn see(&mut self, value: Option<u64>) {
        if let Some(value) = value {
            self.total += if value >= self.last { value - self.last } else { value };
            self.last = value;
        }
    }
}

/// What has gone through a queue.
#[derive(Debug, Default)]
pub(super) struct Flow {
    enqueued: Counted,
    completed: Counted,
    failed: Counted,
    told: Totals,
    points: VecDeque<(Timestamp, Totals)>,
    /// Completed ones, as shown before: shown numbers never fall, even when a late event says that one
    /// of those that ended had failed.
    completed_shown: u64,
}

impl Flow {
    /// Takes note of a collector's totals.
    pub(super) fn see(&mut self, enqueued: Option<u64>, completed: Option<u64>, failed: Option<u64>) {
        self.enqueued.see(enqueued);
        self.completed.see(completed);
        self.failed.see(failed);
        self.refresh();
    }

    /// Takes note of what an event told.
    pub(super) fn hear(&mut self, moved: Moved) {
        match moved {
            Moved::In => self.told.enqueued += 1,
            Moved::Out(AttemptOutcome::Completed) => self.told.ended += 1,
            Moved::Out(AttemptOutcome::Failed) => {
                self.told.ended += 1;
                self.told.failed += 1;
            }
            // It comes back: neither well nor badly ended.
            Moved::Out(AttemptOutcome::Retried) => {}
        }
        self.refresh();
    }

    fn refresh(&mut self) {
        let totals = self.totals();
        self.completed_shown = self.completed_shown.max(totals.ended - totals.failed);
    }

    pub(super) fn totals(&self) -> Totals {
        Totals {
            enqueued: self.enqueued.total.max(self.told.enqueued),
            ended: (self.completed.total + self.failed.total).max(self.told.ended),
            failed: self.failed.total.max(self.told.failed),
        }
    }

    pub(super) fn completed(&self) -> u64 {
        self.completed_shown
    }

    /// Writes the totals down, and forgets those that are older than `window`.
    pub(super) fn mark(&mut self, now: Timestamp, window: Duration) {
        if self.points.back().is_none_or(|(time, _)| *time < now) {
            self.points.push_back((now, self.totals()));
        }
        let before = now.before(window);
        // One point older than the window stays: it is where the window begins.
        while self.points.len() > MAX_POINTS || self.points.get(1).is_some_and(|(time, _)| *time <= before) {
            self.points.pop_front();
        }
    }

    /// What has gone through within `window`, and how long that window really is.
    fn within(&self, window: Duration, now: Timestamp) -> Option<(Totals, Duration)> {
        let before = now.before(window);
        let (start, then) =
            self.points.iter().rev().find(|(time, _)| *time <= before).or(self.points.front())?;
        let span = now.since(*start);
        let current = self.totals();
        (span >= LEAST_SPAN).then(|| {
            let moved = Totals {
                enqueued: current.enqueued - then.enqueued,
                ended: current.ended - then.ended,
                failed: current.failed - then.failed,
            };
            (moved, span)
        })
    }

    /// Arrivals and ends per second.
    pub(super) fn rates(&self, window: Duration, now: Timestamp) -> Option<(f64, f64)> {
        let (moved, span) = self.within(window, now)?;
        let seconds = span.as_secs_f64();
        Some((moved.enqueued as f64 / seconds, moved.ended as f64 / seconds))
    }

    /// Ended well among ended, 0 to 1.
    pub(super) fn completion_ratio(&self, window: Duration, now: Timestamp) -> Option<f64> {
        let (moved, _) = self.within(window, now)?;
        (moved.ended > 0).then(|| 1.0 - (moved.failed as f64 / moved.ended as f64).min(1.0))
    }

    /// Whether anything has ended within `window`; `None` where nothing has and less than that was seen.
    pub(super) fn ended_within(&self, window: Duration, now: Timestamp) -> Option<bool> {
        let (moved, span) = self.within(window, now)?;
        (moved.ended > 0 || span >= window).then_some(moved.ended > 0)
    }

    /// Whether nothing has ended for the whole of `window`.
    pub(super) fn is_at_rest(&self, window: Duration, now: Timestamp) -> bool {
        self.within(window, now).is_some_and(|(moved, span)| moved.ended == 0 && span >= window)
    }
}
