//! Reading rollups, and rolling up what has none.

use std::sync::Arc;

use model::{TimeRange, Timestamp};
use store::{QueryError, SelectRequest, SeriesBuffer, SeriesCursor};

use super::days::{DAY_MS, Day, has_samples, is_in_memory, rollups};
use super::roll::Rolled;
use super::{Bucket, Part, shift_ms};
use crate::catalog::FileKind;
use crate::core::{Core, View};
use crate::files::StoredFile;
use crate::query::millis;
use crate::query::select::open;
use crate::query::sources::{Piece, pieces, sources};

/// The buckets whose ends lie in the range of a request: from rollups as far as there are any without a gap, and
/// made on the way from there on. `None` when there are no rollups to read.
pub(crate) fn select(
    core: &Arc<Core>,
    request: &SelectRequest,
    bucket: Bucket,
    part: Part,
    now: Timestamp,
) -> Result<Option<Box<dyn SeriesCursor>>, QueryError> {
    let Some(range) = core.kept.range_of_rollups(request.range, now) else { return Ok(None) };
    let view = core.view();
    let (first_ms, last_ms) = millis(range);
    // No bucket ends after that.
    let last_ms = last_ms.div_euclid(bucket.millis()) * bucket.millis();
    // Days to come have none.
    let (files, covered_ms) =
        covered(&view, bucket, first_ms, last_ms.min(now.as_millis().saturating_add(DAY_MS)));
    if files.is_empty() {
        return Ok(None);
    }
    let bounds_ms = (first_ms, last_ms.min(covered_ms));
    let of_files =
        files.into_iter().map(|file| Piece { file, shift_ms: shift_ms(part), bounds_ms }).collect();
    let rolled = open(core, request, pieces(core, of_files, &request.matchers)?, bounds_ms);
    let rolled = core.kept.trimmed_rollups(rolled, now);
    if last_ms <= covered_ms {
        return Ok(Some(rolled));
    }
    let samples_ms = (covered_ms - bucket.millis() + 1, last_ms);
    let of_samples =
        TimeRange::new(Timestamp::from_millis(samples_ms.0), Timestamp::from_millis(samples_ms.1));
    let sources = sources(core, &view, &request.matchers, of_samples)?;
    let samples = open(core, request, sources, samples_ms);
    let samples = core.kept.trimmed(samples, now);
    let made = Rolling { samples, bucket, part, after_ms: covered_ms, rolled: Rolled::default() };
    Ok(Some(Box::new(Followed::new(rolled, Box::new(made)))))
}

/// The rollups from a bucket on that have no gap between them, and the end of the last bucket that is known from
/// them. A day of which the store has nothing is no gap.
fn covered(view: &View, bucket: Bucket, first_ms: i64, last_ms: i64) -> (Vec<Arc<StoredFile>>, i64) {
    let mut files = Vec::new();
    let mut until_ms = i64::MIN;
    for day in (Day::of_end(first_ms).0..=Day::of_end(last_ms).0).map(Day) {
        if is_in_memory(view, day, bucket) {
            break;
        }
        match rollups(view, bucket, day) {
            Some(file) => {
                files.push(Arc::clone(file));
                until_ms = day.end_ms();
            }
            None if view.files.iter().any(|file| has_samples(file, day, bucket)) => break,
            None => {}
        }
    }
    (files, until_ms)
}

/// The rollups whose last values stand in for samples in a range that are past retention at `now`.
pub(crate) fn stand_ins(core: &Core, view: &View, range: TimeRange, now: Timestamp) -> Vec<Piece> {
    let Some(range) = core.kept.range_of_rollups(range, now) else { return Vec::new() };
    let horizon = core.kept.range_of_series(TimeRange::ALL, now).map_or(now, |kept| kept.start);
    let (first_ms, last_ms) = millis(range);
    let bucket = Bucket::FiveMinutes;
    let files = view
        .files
        .iter()
        .filter(|file| file.entry.kind == FileKind::Rollups(bucket) && file.entry.range.overlaps(&range));
    let piece = |file: &Arc<StoredFile>| {
        let day = Day::of_end(file.entry.range.end.as_millis());
        // Until where the samples of the day are gone: buckets that end before any that is left.
        let of_samples = view.files.iter().filter(|other| has_samples(other, day, bucket));
        let kept_from = of_samples.filter(|other| other.entry.range.end >= horizon);
        let kept_from = kept_from.map(|other| other.entry.range.start.max(horizon)).min();
        let gone_ms = kept_from.map_or(day.end_ms(), |from| from.as_millis() - 1).min(day.end_ms());
        let bounds_ms = (first_ms.max(day.start_ms() + 1), last_ms.min(gone_ms));
        let shift_ms = shift_ms(Part::Last);
        (bounds_ms.0 <= bounds_ms.1).then(|| Piece { file: Arc::clone(file), shift_ms, bounds_ms })
    };
    files.filter_map(piece).collect()
}

/// Series rolled up as they come.
struct Rolling {
    samples: Box<dyn SeriesCursor>,
    bucket: Bucket,
    part: Part,
    after_ms: i64,
    rolled: Rolled,
}

impl SeriesCursor for Rolling {
    fn next_series(&mut self, into: &mut SeriesBuffer) -> Result<bool, QueryError> {
        while self.samples.next_series(into)? {
            self.rolled.roll(&into.times_ms, &into.values, self.bucket.millis(), self.after_ms);
            if !self.rolled.times_ms.is_empty() {
                into.times_ms.clone_from(&self.rolled.times_ms);
                into.values.clear();
                into.values.extend_from_slice(self.rolled.part(self.part));
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Two cursors, of which the second one goes on in time where the first one ends.
pub(crate) struct Followed {
    cursors: [Box<dyn SeriesCursor>; 2],
    next: [Option<SeriesBuffer>; 2],
}

impl Followed {
    pub(crate) fn new(first: Box<dyn SeriesCursor>, second: Box<dyn SeriesCursor>) -> Self {
        Self { cursors: [first, second], next: [None, None] }
    }
}

impl SeriesCursor for Followed {
    fn next_series(&mut self, into: &mut SeriesBuffer) -> Result<bool, QueryError> {
        for (cursor, next) in self.cursors.iter_mut().zip(&mut self.next) {
            if next.is_none() {
                let mut buffer = SeriesBuffer::default();
                // At its end a cursor gives none, as often as it is asked.
                *next = cursor.next_series(&mut buffer)?.then_some(buffer);
            }
        }
        let bytes = |buffer: &SeriesBuffer| buffer.labels.as_ref().as_bytes().to_vec();
        let [first, second] = &mut self.next;
        let order = match (first.as_ref().map(bytes), second.as_ref().map(bytes)) {
            (None, None) => return Ok(false),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(first), Some(second)) => first.cmp(&second),
        };
        if order.is_gt() {
            *into = second.take().unwrap_or_default();
            return Ok(true);
        }
        *into = first.take().unwrap_or_default();
        if order.is_eq()
            && let Some(second) = second.take()
        {
            into.times_ms.extend_from_slice(&second.times_ms);
            into.values.extend_from_slice(&second.values);
        }
        Ok(true)
    }
}
