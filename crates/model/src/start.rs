//! When what a sample counts began: start timestamps, which Prometheus also calls created timestamps.
//!
//! A counter that begins again at zero can be higher at the next look than it was at the last one. Whoever says since
//! when it counts shows that all the same. Start reading at [`Starts`].

use crate::Sample;

/// Stands for a start that nobody has told.
pub const NO_START: i64 = 0;

/// The samples of one series on their way in, and when what they count began.
#[derive(Clone, Copy, Debug)]
pub struct SampleRun<'a> {
    /// The samples.
    pub samples: &'a [Sample],
    /// Their starts in milliseconds since the Unix epoch, one for each sample; none, when nothing is told of any.
    pub starts: &'a [i64],
}

impl<'a> SampleRun<'a> {
    /// Samples of which no start is told.
    pub fn plain(samples: &'a [Sample]) -> Self {
        Self { samples, starts: &[] }
    }

    /// Each sample with its start, or with [`NO_START`].
    pub fn iter(&self) -> impl Iterator<Item = (Sample, i64)> {
        let starts = self.starts.iter().copied().chain(std::iter::repeat(NO_START));
        self.samples.iter().copied().zip(starts)
    }

    /// Adds the starts behind those of so many samples before, to an array that is empty as long as there are none.
    pub fn put_starts(&self, before: usize, into: &mut Vec<i64>) {
        if into.is_empty() && self.starts.iter().all(|start| *start == NO_START) {
            return;
        }
        into.resize(before, NO_START);
        into.extend_from_slice(self.starts);
        into.resize(before + self.samples.len(), NO_START);
    }
}

/// From a time on, samples count since a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartRun {
    /// The time of the first sample of which that is so, in milliseconds.
    pub from_ms: i64,
    /// The start, in milliseconds since the Unix epoch; [`NO_START`] when it is not known.
    pub start_ms: i64,
}

/// The starts of the samples of one series. Most counters keep theirs for days, so it is written down where it
/// changes, by time: samples that are left out change nothing about the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Starts {
    /// In strictly ascending time, each with another start than the one before.
    runs: Vec<StartRun>,
}

impl Starts {
    /// Whether no start is known.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Where the start changes, in ascending time.
    pub fn runs(&self) -> &[StartRun] {
        &self.runs
    }

    /// The start of a sample at a time; [`NO_START`] when it is not known.
    pub fn at(&self, time_ms: i64) -> i64 {
        let after = self.runs.partition_point(|run| run.from_ms <= time_ms);
        after.checked_sub(1).map_or(NO_START, |last| self.runs[last].start_ms)
    }

    /// From a time on the start is another. What was said of later times is forgotten.
    pub fn push(&mut self, from_ms: i64, start_ms: i64) {
        while self.runs.last().is_some_and(|last| last.from_ms >= from_ms) {
            self.runs.pop();
        }
        if self.runs.last().map_or(NO_START, |last| last.start_ms) != start_ms {
            self.runs.push(StartRun { from_ms, start_ms });
        }
    }

    /// At one time alone the start is another; later samples keep theirs.
    pub fn insert(&mut self, time_ms: i64, start_ms: i64) {
        // Times are whole: what follows begins a millisecond later at the earliest.
        let next_ms = time_ms.saturating_add(1);
        let (before, after) = (self.at(time_ms.saturating_sub(1)), self.at(next_ms));
        let from = self.runs.partition_point(|run| run.from_ms < time_ms);
        let to = self.runs.partition_point(|run| run.from_ms <= next_ms);
        let here = (start_ms != before).then_some(StartRun { from_ms: time_ms, start_ms });
        let next = (after != start_ms && next_ms > time_ms)
            .then_some(StartRun { from_ms: next_ms, start_ms: after });
        self.runs.splice(from..to, here.into_iter().chain(next));
    }

    /// Adds the starts that others give to samples between two times, both included, which lie behind all that were
    /// here before.
    pub fn follow(&mut self, (first_ms, last_ms): (i64, i64), others: &Self) {
        if self.runs.is_empty() && others.runs.is_empty() {
            return;
        }
        self.push(first_ms, others.at(first_ms));
        let from = others.runs.partition_point(|run| run.from_ms <= first_ms);
        let inside = others.runs[from..].iter().take_while(|run| run.from_ms <= last_ms);
        inside.for_each(|run| self.push(run.from_ms, run.start_ms));
    }

    /// The start of each sample, by their times, which ascend. Nothing, when none is known.
    pub fn of(&self, times_ms: &[i64], into: &mut Vec<i64>) {
        into.clear();
        if self.runs.is_empty() {
            return;
        }
        let mut next = self.runs.iter().peekable();
        let mut start_ms = NO_START;
        into.extend(times_ms.iter().map(|time_ms| {
            while let Some(run) = next.next_if(|run| run.from_ms <= *time_ms) {
                start_ms = run.start_ms;
            }
            start_ms
        }));
    }

    /// Forgets all of them; keeps the memory.
    pub fn clear(&mut self) {
        self.runs.clear();
    }

    /// Bytes of all of them.
    pub fn size_bytes(&self) -> usize {
        self.runs.len() * size_of::<StartRun>()
    }

    /// Memory that is held for them.
    pub fn capacity_bytes(&self) -> usize {
        self.runs.capacity() * size_of::<StartRun>()
    }
}

/// The time of a sample and its start, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time.
    pub time_ms: i64,
    /// The start, or [`NO_START`].
    pub start_ms: i64,
}

impl Moment {
    /// Whether the start says that a counter began again after the sample before, whatever its values are. A start at
    /// the time of the sample itself is how OpenTelemetry says that it is not known; one behind it is wrong.
    pub fn began_again_after(self, before: Self) -> bool {
        if self.start_ms == NO_START || self.start_ms >= self.time_ms {
            return false;
        }
        match self.start_ms.cmp(&before.time_ms) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            // Each sample counts since the one before. If that had no start either, nothing began in between.
            std::cmp::Ordering::Equal => before.start_ms != NO_START && before.start_ms < before.time_ms,
        }
    }

    /// Whether the sample counts since a time before the last sample, and since another than that: two counters have
    /// become one series, or clocks do not agree.
    pub fn overlaps(self, before: Self) -> bool {
        self.start_ms != NO_START && self.start_ms < before.time_ms && self.start_ms != before.start_ms
    }
}

#[cfg(test)]
mod tests;
