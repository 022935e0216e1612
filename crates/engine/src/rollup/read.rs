//! Reading rollups, and rolling up what has none.

use std::sync::Arc;

use model::{TimeRange, Timestamp};
use store::{QueryError, RollupBuffer, RollupCursor, SelectRequest, SeriesBuffer, SeriesCursor};

use super::days::{DAY_MS, Day, REACH_MS, has_samples, is_in_memory, rollups};
use super::roll::Rolled;
use super::{Bucket, Part, shift_ms};
use crate::catalog::FileKind;
use crate::core::{Core, View};
use crate::files::StoredFile;
use crate::query::millis;
use crate::query::select::open;
use crate::query::sources::{Piece, pieces, sources};

/// How often rollups are opened when one of them turns out to be damaged: afterwards there are samples in its place,
/// or one file less.
const TRIES: usize = 2;
const SET_ASIDE: QueryError = QueryError::Stopped("a file was set aside while it was read; ask again");

/// Parts of the buckets whose ends lie in the range of a request: from rollups as far as there are any without a gap,
/// and made on the way from there on. `None` when there are no rollups to read, or when there are samples that are
/// older than any of them may be.
pub(crate) fn select(
    core: &Arc<Core>,
    request: &SelectRequest,
    bucket: Bucket,
    parts: &[Part],
    now: Timestamp,
) -> Result<Option<Box<dyn RollupCursor>>, QueryError> {
    for _ in 0..TRIES {
        if let Opened::Whole(cursor) = open_parts(core, request, bucket, parts, now)? {
            return Ok(cursor);
        }
    }
    Err(SET_ASIDE)
}

/// What came of opening rollups.
enum Opened {
    /// What there is to read, if anything is.
    Whole(Option<Box<dyn RollupCursor>>),
    /// One of the files is damaged.
    SetAside,
}

fn open_parts(
    core: &Arc<Core>,
    request: &SelectRequest,
    bucket: Bucket,
    parts: &[Part],
    now: Timestamp,
) -> Result<Opened, QueryError> {
    let Some(range) = core.kept.range_of_rollups(request.range, now) else {
        return Ok(Opened::Whole(None));
    };
    let view = core.view();
    if has_samples_before(core, &view, request.range, range.start, now) {
        return Ok(Opened::Whole(None));
    }
    let (first_ms, last_ms) = millis(range);
    // No bucket ends after that.
    let last_ms = last_ms.div_euclid(bucket.millis()) * bucket.millis();
    // Days to come have none.
    let last_day_ms = last_ms.min(now.as_millis().saturating_add(DAY_MS));
    let (files, covered_ms) = covered(core, &view, bucket, (first_ms, last_day_ms), now);
    if files.is_empty() {
        return Ok(Opened::Whole(None));
    }
    let bounds_ms = (first_ms, last_ms.min(covered_ms));
    let of_part = |part: &Part| -> Result<Box<dyn SeriesCursor>, QueryError> {
        let piece =
            |file: &Arc<StoredFile>| Piece { file: Arc::clone(file), shift_ms: shift_ms(*part), bounds_ms };
        let sources = pieces(core, files.iter().map(piece).collect(), &request.matchers, &request.cancel)?;
        Ok(core.kept.trimmed_rollups(open(core, request, sources, bounds_ms), now))
    };
    let opened = parts.iter().map(of_part).collect::<Result<_, _>>()?;
    if files.iter().any(|file| file.is_quarantined()) {
        return Ok(Opened::SetAside);
    }
    let rolled = FromFiles { parts: opened, series: SeriesBuffer::default(), files };
    if last_ms <= covered_ms {
        return Ok(Opened::Whole(Some(Box::new(rolled))));
    }
    let samples_ms = (covered_ms - REACH_MS + 1, last_ms);
    let of_samples =
        TimeRange::new(Timestamp::from_millis(samples_ms.0), Timestamp::from_millis(samples_ms.1));
    let sources = sources(core, &view, &request.matchers, of_samples, &request.cancel)?;
    let samples = core.kept.trimmed(open(core, request, sources, samples_ms), now);
    let made = Rolling {
        samples,
        bucket,
        parts: parts.to_vec(),
        after_ms: covered_ms,
        series: SeriesBuffer::default(),
        rolled: Rolled::default(),
    };
    let cursors: [Box<dyn RollupCursor>; 2] = [Box::new(rolled), Box::new(made)];
    Ok(Opened::Whole(Some(Box::new(Followed { cursors, next: [None, None] }))))
}

/// Whether samples that a request asks for are kept longer than rollups.
fn has_samples_before(
    core: &Core,
    view: &View,
    asked: TimeRange,
    rollups_from: Timestamp,
    now: Timestamp,
) -> bool {
    if asked.start >= rollups_from {
        return false;
    }
    let older = TimeRange::new(asked.start, rollups_from);
    let kept = core.kept.range_of_series(older, now);
    let is_there = |file: &Arc<StoredFile>, kept| {
        file.entry.kind == FileKind::Metrics && file.entry.range.overlaps(&kept)
    };
    kept.is_some_and(|kept| view.files.iter().any(|file| is_there(file, kept)))
}

/// The rollups from a bucket on that have no gap between them, and the end of the last bucket that is known from
/// them. A day of which the store has nothing is no gap, and neither is one whose samples are past the usual
/// horizon: what there still is of series that are kept longer says nothing of the others.
fn covered(
    core: &Core,
    view: &View,
    bucket: Bucket,
    (first_ms, last_ms): (i64, i64),
    now: Timestamp,
) -> (Vec<Arc<StoredFile>>, i64) {
    let horizon = core.kept.usual_horizon(now);
    let may_have =
        |day| view.files.iter().any(|file| has_samples(file, day)) && !core.empty_days.has(day, view);
    let mut files = Vec::new();
    let mut until_ms = i64::MIN;
    for day in (Day::of_end(first_ms).0..=Day::of_end(last_ms).0).map(Day) {
        let is_past = day.samples().start < horizon;
        if !is_past && is_in_memory(view, day) {
            break;
        }
        match rollups(view, bucket, day) {
            Some(file) => {
                files.push(Arc::clone(file));
                until_ms = day.end_ms();
            }
            None if day.end_ms() >= horizon.as_millis() && may_have(day) => break,
            None => {}
        }
    }
    (files, until_ms)
}

/// Parts of series, each read by itself: files do not change.
struct FromFiles {
    parts: Vec<Box<dyn SeriesCursor>>,
    series: SeriesBuffer,
    files: Vec<Arc<StoredFile>>,
}

impl FromFiles {
    /// A file that turned out to be damaged is no reason for an answer with a hole: samples may be there.
    fn check(&self) -> Result<(), QueryError> {
        match self.files.iter().any(|file| file.is_quarantined()) {
            true => Err(SET_ASIDE),
            false => Ok(()),
        }
    }
}

impl RollupCursor for FromFiles {
    fn next_series(&mut self, into: &mut RollupBuffer) -> Result<bool, QueryError> {
        into.parts.resize_with(self.parts.len(), Vec::new);
        for (place, cursor) in self.parts.iter_mut().enumerate() {
            let is_there = cursor.next_series(&mut self.series)?;
            if place == 0 {
                if !is_there {
                    return self.check().map(|()| false);
                }
                into.labels = self.series.labels.clone();
                std::mem::swap(&mut into.times_ms, &mut self.series.times_ms);
            } else if !is_there || self.series.labels != into.labels || self.series.times_ms != into.times_ms
            {
                // A file that is damaged was set aside between two of its parts.
                return Err(SET_ASIDE);
            }
            std::mem::swap(&mut into.parts[place], &mut self.series.values);
        }
        Ok(true)
    }
}

/// Series rolled up as they come.
struct Rolling {
    samples: Box<dyn SeriesCursor>,
    bucket: Bucket,
    parts: Vec<Part>,
    after_ms: i64,
    series: SeriesBuffer,
    rolled: Rolled,
}

impl RollupCursor for Rolling {
    fn next_series(&mut self, into: &mut RollupBuffer) -> Result<bool, QueryError> {
        while self.samples.next_series(&mut self.series)? {
            self.rolled.roll(&self.series, self.bucket.millis(), self.after_ms);
            if !self.rolled.times_ms.is_empty() {
                into.labels = self.series.labels.clone();
                into.times_ms.clone_from(&self.rolled.times_ms);
                into.parts.clear();
                into.parts.extend(self.parts.iter().map(|part| self.rolled.part(*part).to_vec()));
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Two cursors, of which the second one goes on in time where the first one ends.
struct Followed {
    cursors: [Box<dyn RollupCursor>; 2],
    next: [Option<RollupBuffer>; 2],
}

impl RollupCursor for Followed {
    fn next_series(&mut self, into: &mut RollupBuffer) -> Result<bool, QueryError> {
        for (cursor, next) in self.cursors.iter_mut().zip(&mut self.next) {
            if next.is_none() {
                let mut buffer = RollupBuffer::default();
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
            && let Some(second) = second.take()
        {
            into.times_ms.extend_from_slice(&second.times_ms);
            for (part, more) in into.parts.iter_mut().zip(&second.parts) {
                part.extend_from_slice(more);
            }
        }
        Ok(true)
    }
}
