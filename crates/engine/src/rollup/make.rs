//! Making the rollups of days that are over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::{Starts, Timestamp};
use store::{SeriesBuffer, SeriesCursor};

use super::days::{Day, depended_on, has_samples, is_in_memory, rollups};
use super::roll::Rolled;
use super::{Bucket, Part, shift_ms};
use crate::EngineError;
use crate::block::write::Beside;
use crate::catalog::{FileEntry, FileKind};
use crate::core::{Core, View};
use crate::files::StoredFile;
use crate::panics::caught;
use crate::query::cursor::Cursor;
use crate::query::streams::{Stream, of_view};
use crate::unpublished::Unpublished;
use crate::unread::panicked;

/// Makes what is missing of rollups of days that ended before `settled`, and are not past retention at `now`. A day
/// that cannot be read keeps no other from being rolled up; the first such error is returned in the end.
pub(crate) fn make_missing(
    core: &Arc<Core>,
    now: Timestamp,
    settled: Timestamp,
    stop: &AtomicBool,
) -> Result<(), EngineError> {
    let kept = core.config.rollup_retention.0;
    if kept.is_zero() {
        return Ok(());
    }
    let view = core.view();
    let of_samples = || view.files.iter().filter(|file| file.entry.kind == FileKind::Metrics);
    let Some(first) = of_samples().map(|file| file.entry.range.start).min() else { return Ok(()) };
    let Some(last) = of_samples().map(|file| file.entry.range.end).max() else { return Ok(()) };
    let first = Day::of_end(first.max(now.before(kept)).as_millis() + 1);
    let last = Day::of_end(last.min(settled).as_millis());
    let (mut unread, mut without_room) = (None, 0u64);
    for day in (first.0..=last.0).map(Day).filter(|day| day.end_ms() <= settled.as_millis()) {
        for bucket in Bucket::ALL {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let view = core.view();
            if rollups(&view, bucket, day).is_some()
                || is_in_memory(&view, day)
                || core.empty_days.has(day, &view)
            {
                continue;
            }
            let of_day = view.files.iter().filter(|file| has_samples(file, day));
            if of_day.clone().any(|file| core.unread.has(file)) {
                continue;
            }
            // Rollups take less than what they are made of.
            let Some(_room) = core.room.hold(of_day.clone().map(|file| file.bytes()).sum()) else {
                without_room += 1;
                continue;
            };
            if let Err(error) = caught(|| make(core, &view, day, bucket, stop), panicked) {
                core.telemetry.files.compaction_errors.inc();
                if !core.unread.note(of_day, &error) {
                    return Err(error);
                }
                unread.get_or_insert(error);
            }
        }
    }
    if without_room > 0 {
        let free = core.room.free();
        tracing::warn!(files = without_room, free, "there is no room for rollups: they are tried again");
    }
    unread.map_or(Ok(()), Err)
}

fn make(
    core: &Arc<Core>,
    view: &View,
    day: Day,
    bucket: Bucket,
    stop: &AtomicBool,
) -> Result<(), EngineError> {
    let files = depended_on(view, day);
    if files.is_empty() {
        return Ok(());
    }
    let range = day.samples();
    let cursor = of_view(core, view, &[], range).map_err(EngineError::Read)?;
    let mut series =
        Buckets { cursor, day, bucket, samples: SeriesBuffer::default(), rolled: Rolled::default() };
    // A block with nothing in it is none.
    if !series.next()? {
        core.empty_days.note(day, files);
        return Ok(());
    }
    let mut written = Unpublished::new(core);
    let mut stopped = false;
    let entry = written.metrics(|block| {
        loop {
            let Rolled { times_ms, .. } = &series.rolled;
            let shifted =
                Part::ALL.map(|part| times_ms.iter().map(|time| time + shift_ms(part)).collect::<Vec<_>>());
            let pieces =
                Part::ALL.iter().map(|part| (shifted[*part as usize].as_slice(), series.rolled.part(*part)));
            let SeriesBuffer { labels, histograms, .. } = &series.samples;
            // What starts have to say is in the increases.
            let beside = Beside { histograms, starts: &Starts::default() };
            block.push_pieces(labels.as_ref(), pieces, beside)?;
            stopped = stop.load(Ordering::Relaxed);
            if stopped || !series.next()? {
                return Ok(());
            }
        }
    })?;
    if stopped {
        return Ok(());
    }
    written.sync_names()?;
    let entry = FileEntry { kind: FileKind::Rollups(bucket), range: day.range(), ..entry };
    let _changing = core.changing_files();
    // What was read may have changed meanwhile: the next pass looks again.
    let now = core.view();
    if depended_on(&now, day) != files || is_in_memory(&now, day) {
        return Ok(());
    }
    written.replace(&entry, &[])?;
    core.replace_files(Arc::new(StoredFile::new(&core.vfs, &core.layout, entry)), &[]);
    core.telemetry.files.rollups.inc();
    tracing::debug!(day = day.0, ?bucket, "rolled up a day");
    Ok(())
}

/// The buckets of one series after the other.
struct Buckets {
    cursor: Cursor<Stream>,
    day: Day,
    bucket: Bucket,
    samples: SeriesBuffer,
    rolled: Rolled,
}

impl Buckets {
    /// Goes on to the next series that has buckets in the day.
    fn next(&mut self) -> Result<bool, EngineError> {
        while self.cursor.next_series(&mut self.samples).map_err(EngineError::Read)? {
            self.rolled.roll(&self.samples, self.bucket.millis(), self.day.start_ms());
            if !self.rolled.times_ms.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
