//! Rollups in place of samples that are gone: past retention, dropped for room, or damaged.

use std::sync::Arc;

use model::{TimeRange, Timestamp};
use store::{QueryError, SelectRequest, SeriesBuffer, SeriesCursor};

use super::days::Day;
use super::{Bucket, Part, shift_ms};
use crate::catalog::FileKind;
use crate::core::{Core, View};
use crate::query::cursor::merge;
use crate::query::millis;
use crate::query::select::open;
use crate::query::sources::{Piece, pieces};

/// The last value of these stands in.
const BUCKET: Bucket = Bucket::FiveMinutes;

/// Rollups of which the last values are wanted, because samples in their range are gone.
pub(crate) struct StandIns {
    pub(crate) pieces: Vec<Piece>,
    kept: Vec<(i64, i64)>,
    /// From when on most series are kept, in milliseconds.
    horizon_ms: i64,
}

impl StandIns {
    /// What stands in for samples in a range at `now`.
    pub(crate) fn find(core: &Core, view: &View, range: TimeRange, now: Timestamp) -> Self {
        let kept = files(view);
        let horizon_ms = core.kept.usual_horizon(now).as_millis();
        let mut found = Self { pieces: Vec::new(), kept, horizon_ms };
        let Some(range) = core.kept.range_of_rollups(range, now) else { return found };
        let gaps = Gaps::new(&found.kept, horizon_ms);
        let (first_ms, last_ms) = millis(range);
        for file in view.files.iter() {
            if file.entry.kind != FileKind::Rollups(BUCKET) || !file.entry.range.overlaps(&range) {
                continue;
            }
            let day = Day::of_end(file.entry.range.end.as_millis());
            let ends_ms = (first_ms.max(day.start_ms() + 1), last_ms.min(day.end_ms()));
            if let Some(bounds_ms) = gaps.within(ends_ms) {
                let shift_ms = shift_ms(Part::Last);
                found.pieces.push(Piece { file: Arc::clone(file), shift_ms, bounds_ms });
            }
        }
        found
    }

    /// Whether there is anything that is older than most series are kept, or of which a whole day is gone.
    pub(crate) fn are_old(&self) -> bool {
        self.pieces.iter().any(|piece| {
            let (from, to) = millis(piece.file.entry.range);
            piece.bounds_ms.0 < self.horizon_ms
                || !self.kept.iter().any(|(first, last)| *first <= to && from <= *last)
        })
    }

    /// Series of samples, with what stands in for those that are gone.
    pub(crate) fn join(
        self,
        core: &Arc<Core>,
        request: &SelectRequest,
        samples: Box<dyn SeriesCursor>,
        now: Timestamp,
    ) -> Result<Box<dyn SeriesCursor>, QueryError> {
        if self.pieces.is_empty() {
            return Ok(samples);
        }
        let sources = pieces(core, self.pieces, &request.matchers, &request.cancel)?;
        let rollups = core.kept.trimmed_rollups(open(core, request, sources, millis(request.range)), now);
        let gaps = Gaps::new(&self.kept, self.horizon_ms);
        let gone = Gone { core: Arc::clone(core), rollups, now, kept: self.kept, gaps };
        Ok(Box::new(Joined { cursors: [samples, Box::new(gone)], next: [None, None] }))
    }
}

/// The times between which files have samples.
fn files(view: &View) -> Vec<(i64, i64)> {
    let files = view.files.iter().filter(|file| file.entry.kind == FileKind::Metrics);
    files.map(|file| millis(file.entry.range)).collect()
}

/// Where a series has no samples any more that is kept from a time on.
struct Gaps {
    horizon_ms: i64,
    /// Between which times there are samples, both included; ascending, and apart from each other.
    covered: Vec<(i64, i64)>,
}

impl Gaps {
    fn new(files: &[(i64, i64)], horizon_ms: i64) -> Self {
        let mut ranges: Vec<(i64, i64)> = files
            .iter()
            .map(|(first, last)| ((*first).max(horizon_ms), *last))
            .filter(|(first, last)| first <= last)
            .collect();
        ranges.sort_unstable();
        let mut covered: Vec<(i64, i64)> = Vec::new();
        for (first, last) in ranges {
            match covered.last_mut() {
                // No bucket fits between them.
                Some(before) if first <= before.1.saturating_add(BUCKET.millis()) => {
                    before.1 = before.1.max(last);
                }
                _ => covered.push((first, last)),
            }
        }
        Self { horizon_ms, covered }
    }

    /// Whether a bucket lies apart from all samples that are left.
    fn has(&self, end_ms: i64) -> bool {
        let start_ms = end_ms - BUCKET.millis();
        let next = self.covered.partition_point(|(_, last)| *last <= start_ms);
        self.covered.get(next).is_none_or(|(first, _)| *first > end_ms)
    }

    /// The ends of the first and the last bucket that lie apart from all samples, of those between two times.
    fn within(&self, (first_ms, last_ms): (i64, i64)) -> Option<(i64, i64)> {
        let bucket_ms = BUCKET.millis();
        let first_end = (first_ms + bucket_ms - 1).div_euclid(bucket_ms) * bucket_ms;
        let mut ends = (first_end..=last_ms).step_by(bucket_ms as usize).filter(|end| self.has(*end));
        let first = ends.next()?;
        Some((first, ends.last().unwrap_or(first)))
    }
}

/// The buckets of series that lie where their samples are gone.
struct Gone {
    core: Arc<Core>,
    rollups: Box<dyn SeriesCursor>,
    now: Timestamp,
    kept: Vec<(i64, i64)>,
    gaps: Gaps,
}

impl SeriesCursor for Gone {
    fn next_series(&mut self, into: &mut SeriesBuffer) -> Result<bool, QueryError> {
        while self.rollups.next_series(into)? {
            let horizon_ms = self.core.kept.horizon_of_series(into.labels.as_ref(), self.now).as_millis();
            if horizon_ms != self.gaps.horizon_ms {
                self.gaps = Gaps::new(&self.kept, horizon_ms);
            }
            let mut kept = 0;
            for at in 0..into.times_ms.len() {
                if self.gaps.has(into.times_ms[at]) {
                    into.times_ms[kept] = into.times_ms[at];
                    into.values[kept] = into.values[at];
                    kept += 1;
                }
            }
            into.times_ms.truncate(kept);
            into.values.truncate(kept);
            if kept > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Two cursors whose series are joined. At a time that both have, the first one's value stays.
struct Joined {
    cursors: [Box<dyn SeriesCursor>; 2],
    next: [Option<SeriesBuffer>; 2],
}

impl SeriesCursor for Joined {
    fn next_series(&mut self, into: &mut SeriesBuffer) -> Result<bool, QueryError> {
        for (cursor, next) in self.cursors.iter_mut().zip(&mut self.next) {
            if next.is_none() {
                let mut buffer = SeriesBuffer::default();
                // At its end a cursor gives none, as often as it is asked.
                *next = cursor.next_series(&mut buffer)?.then_some(buffer);
            }
        }
        let [first, second] = &mut self.next;
        let labels = [&*first, &*second].map(|next| next.as_ref().map(|series| &series.labels));
        let Some(order) = super::order(labels) else { return Ok(false) };
        if order.is_gt() {
            *into = second.take().unwrap_or_default();
            return Ok(true);
        }
        *into = first.take().unwrap_or_default();
        if order.is_eq()
            && let Some(mut second) = second.take()
        {
            into.histograms.adopt(&second.histograms, &mut second.values);
            merge(into, &second);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    #[test]
    fn buckets_stand_in_where_no_file_has_samples_or_a_series_is_past_its_retention() {
        let at = |minute: i64| minute * MINUTE;
        let files = [(at(60), at(100)), (at(10), at(20)), (at(21), at(30)), (at(99), at(110))];
        let gaps = Gaps::new(&files, 0);
        assert_eq!(gaps.covered, [(at(10), at(30)), (at(60), at(110))]);
        let has = |gaps: &Gaps, minute: i64| gaps.has(at(minute));
        assert!(has(&gaps, 5) && !has(&gaps, 10), "the bucket that ends with the first sample has it");
        assert!(
            !has(&gaps, 30) && has(&gaps, 35),
            "a bucket that begins with the last sample does not have it"
        );
        assert!(has(&gaps, 55) && !has(&gaps, 60) && !has(&gaps, 110) && has(&gaps, 115));
        assert_eq!(gaps.within((at(6), at(70))), Some((at(35), at(55))));
        assert_eq!(gaps.within((at(6), at(30))), None);
        let young = Gaps::new(&files, at(25));
        assert!(has(&young, 20) && !has(&young, 25) && !has(&young, 30));
        assert_eq!(young.within((at(1), at(30))), Some((at(5), at(20))));
    }
}
