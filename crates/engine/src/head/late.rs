//! Samples of one series that came late: where they wait, and how doubles are told.
//!
//! Whether there is a sample at a time already is known from the run of samples in order, which has to be
//! unpacked for it. For a short run that costs little. Of a long one the times are kept after a few questions, so
//! that a sender that repeats everything, or sends it backwards, costs a search each and not a run each.

use model::Sample;

/// Samples that wait at least before they are worked into the run.
const MIN_WAITING: usize = 64;
/// Questions after which the times of a long run are kept.
const QUESTIONS: u32 = 8;
/// A run of so many samples is long.
const LONG: usize = 1024;

/// What is kept beside a run.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// Sorted by time.
    waiting: Vec<Sample>,
    /// The times of all samples of the run, if it is long and was asked for often.
    times: Vec<i64>,
    questions: u32,
}

impl Late {
    pub(super) fn samples(&self) -> &[Sample] {
        &self.waiting
    }

    pub(super) fn insert(&mut self, place: usize, sample: Sample) {
        self.waiting.insert(place, sample);
    }

    /// Whether so many wait that working them in costs less than letting more wait: the one costs a step for each
    /// sample of the run, the other a move of all that wait.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MIN_WAITING.max(4 * self.times.len().isqrt())
    }

    /// Whether the run, whose times `unpacked` gives, has a sample at a time.
    pub(super) fn is_in_run(&mut self, time_ms: i64, unpacked: impl FnOnce() -> Vec<i64>) -> bool {
        if self.times.is_empty() {
            let times = unpacked();
            let is_there = times.binary_search(&time_ms).is_ok();
            self.questions += 1;
            if self.questions >= QUESTIONS && times.len() >= LONG {
                self.times = times;
            }
            return is_there;
        }
        self.times.binary_search(&time_ms).is_ok()
    }

    /// Notes that the run has a sample more, at its end.
    pub(super) fn went_on(&mut self, time_ms: i64) {
        if !self.times.is_empty() {
            self.times.push(time_ms);
        }
    }

    /// What is kept when everything that waited is in the run, which has samples at these times.
    pub(super) fn worked_in(mut self: Box<Self>, times: &[i64]) -> Box<Self> {
        self.waiting = Vec::new();
        if !self.times.is_empty() {
            self.times.clear();
            self.times.extend_from_slice(times);
        }
        self
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.waiting.capacity() * size_of::<Sample>()
            + self.times.capacity() * size_of::<i64>()
    }
}
