//! The cursor over series: sources merged by labels, samples merged by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use model::{Sample, Starts};
use store::{Cancel, QueryError, SeriesBuffer, SeriesCursor};

use crate::block::read::SamplesLeft;
use crate::core::Core;
use crate::query::sources::{SeriesKey, SeriesSource};

/// Sources in the order of their next series. Of equal ones the oldest comes first.
pub(super) struct Merge<S> {
    sources: Vec<S>,
    heap: BinaryHeap<Reverse<(SeriesKey, usize)>>,
}

impl<S: SeriesSource> Merge<S> {
    pub(super) fn new(sources: Vec<S>) -> Self {
        let keys = sources.iter().enumerate();
        let heap = keys.filter_map(|(place, source)| Some(Reverse((source.key()?, place)))).collect();
        Self { sources, heap }
    }

    /// The next series, and the sources that have it, oldest first. Each is given to `take`, which must
    /// take or skip it.
    pub(super) fn next(
        &mut self,
        mut take: impl FnMut(&mut S) -> Result<(), QueryError>,
    ) -> Result<Option<SeriesKey>, QueryError> {
        let Some(Reverse((key, mut place))) = self.heap.pop() else { return Ok(None) };
        loop {
            let source = &mut self.sources[place];
            take(source)?;
            if let Some(next) = source.key() {
                self.heap.push(Reverse((next, place)));
            }
            match self.heap.peek() {
                Some(Reverse((other, _))) if *other == key => {}
                _ => return Ok(Some(key)),
            }
            let Some(Reverse((_, next))) = self.heap.pop() else { return Ok(Some(key)) };
            place = next;
        }
    }
}

/// Series after series of a query.
pub(crate) struct Cursor<S> {
    core: Arc<Core>,
    merge: Merge<S>,
    range_ms: (i64, i64),
    samples_left: u64,
    max_samples: u64,
    cancel: Cancel,
    /// The samples of one source more.
    more: SeriesBuffer,
}

impl<S: SeriesSource> Cursor<S> {
    pub(crate) fn new(
        core: Arc<Core>,
        sources: Vec<S>,
        range_ms: (i64, i64),
        max_samples: u64,
        cancel: Cancel,
    ) -> Self {
        Self {
            core,
            merge: Merge::new(sources),
            range_ms,
            samples_left: max_samples,
            max_samples,
            cancel,
            more: SeriesBuffer::default(),
        }
    }
}

fn too_many_samples(core: &Core, most: u64) -> QueryError {
    core.telemetry.query_limits.inc();
    let limit = match most < core.config.max_query_samples {
        true => "what promql.max_samples leaves of those of the whole query",
        false => "store.max_query_samples",
    };
    QueryError::LimitReached(format!(
        "a selector would read more than {most} samples ({limit}): narrow its time range or select fewer series"
    ))
}

impl<S: SeriesSource + Send> SeriesCursor for Cursor<S> {
    fn next_series(&mut self, into: &mut SeriesBuffer) -> Result<bool, QueryError> {
        loop {
            if self.cancel.is_cancelled() {
                return Err(QueryError::Stopped("nobody waits for it any more"));
            }
            into.clear();
            let (more, range_ms) = (&mut self.more, self.range_ms);
            let (core, max_samples, samples_left) = (&self.core, self.max_samples, self.samples_left);
            let key = self.merge.next(|source| {
                let left = SamplesLeft::of(samples_left, &into.times_ms);
                let fits = if into.times_ms.is_empty() {
                    // What was said of samples that were cut off.
                    into.starts.clear();
                    source.read(range_ms, left, into)?
                } else {
                    more.clear();
                    // All histograms lie in one place, so that values stand for the same on both sides.
                    std::mem::swap(&mut more.histograms, &mut into.histograms);
                    let read = source.read(range_ms, left, more);
                    std::mem::swap(&mut more.histograms, &mut into.histograms);
                    let fits = read?;
                    merge(into, more);
                    fits
                };
                let is_over = !fits || size_in_samples(into) > samples_left;
                if is_over { Err(too_many_samples(core, max_samples)) } else { Ok(()) }
            })?;
            let Some(key) = key else { return Ok(false) };
            // No source was let go beyond what is left.
            self.samples_left -= size_in_samples(into);
            if !into.times_ms.is_empty() {
                into.labels = key.to_labels();
                return Ok(true);
            }
        }
    }
}

/// How many samples there are; histograms and starts count as those that take as much memory.
fn size_in_samples(series: &SeriesBuffer) -> u64 {
    let beside = series.histograms.size_bytes() + series.starts.size_bytes();
    (series.times_ms.len() + beside / size_of::<Sample>()) as u64
}

/// Adds samples of a newer source whose histograms are where these are. At a time that is there already, what is there stays.
pub(crate) fn merge(into: &mut SeriesBuffer, newer: &SeriesBuffer) {
    let (times, values) = (newer.times_ms.as_slice(), newer.values.as_slice());
    let (Some(first), Some(newest)) = (times.first(), times.last()) else { return };
    if into.times_ms.last().is_none_or(|last| first > last) {
        into.times_ms.extend_from_slice(times);
        into.values.extend_from_slice(values);
        into.starts.follow((*first, *newest), &newer.starts);
        return;
    }
    let has_starts = !into.starts.is_empty() || !newer.starts.is_empty();
    let old_starts = if has_starts { into.starts.clone() } else { Starts::default() };
    // Sources overlap at their edges only: what lies before the newer one's first sample stays in place.
    let start = into.times_ms.partition_point(|time| time < first);
    let old_times = into.times_ms.split_off(start);
    let old_values = into.values.split_off(start);
    let (mut old, mut new) = (0, 0);
    while old < old_times.len() || new < times.len() {
        let take_old = match (old_times.get(old), times.get(new)) {
            (Some(old_time), Some(new_time)) => {
                if old_time == new_time {
                    new += 1;
                    continue;
                }
                old_time < new_time
            }
            (old_time, _) => old_time.is_some(),
        };
        let (time, value) = if take_old {
            old += 1;
            (old_times[old - 1], old_values[old - 1])
        } else {
            new += 1;
            (times[new - 1], values[new - 1])
        };
        into.times_ms.push(time);
        into.values.push(value);
        if has_starts {
            let starts = if take_old { &old_starts } else { &newer.starts };
            into.starts.push(time, starts.at(time));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::NO_START;

    #[test]
    fn samples_of_overlapping_sources_are_merged_and_the_older_stays() {
        let mut into = SeriesBuffer::default();
        for (times, value) in
            [(&[1, 3, 5, 9][..], 1.0), (&[][..], 9.0), (&[2, 3, 9, 10], 2.0), (&[11, 12], 3.0)]
        {
            let (times_ms, values) = (times.to_vec(), vec![value; times.len()]);
            let mut newer = SeriesBuffer { times_ms, values, ..SeriesBuffer::default() };
            // Of the second and the third no start is known.
            newer.starts.push(0, if value == 2.0 { NO_START } else { value as i64 });
            merge(&mut into, &newer);
        }
        assert_eq!(into.times_ms, [1, 2, 3, 5, 9, 10, 11, 12]);
        assert_eq!(into.values, [1.0, 2.0, 1.0, 1.0, 1.0, 2.0, 3.0, 3.0]);
        let mut starts = Vec::new();
        into.starts.of(&into.times_ms, &mut starts);
        assert_eq!(starts, [1, 0, 1, 1, 1, 0, 3, 3]);
    }
}
