//! Which days have rollups that are true.

use std::collections::HashMap;
use std::sync::Arc;

use model::{TimeRange, Timestamp};
use parking_lot::Mutex;

use super::Bucket;
use crate::catalog::{FileEntry, FileKind};
use crate::core::{Core, View};
use crate::files::StoredFile;

pub(super) const DAY_MS: i64 = 24 * 3_600_000;
/// From how long before a bucket the last sample is looked for, from which the increase is counted.
pub(super) const REACH_MS: i64 = 3_600_000;

/// A day of rollups in UTC: the buckets that end after its first instant and until its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Day(pub(super) i64);

impl Day {
    /// The day of the bucket that ends at a time.
    pub(super) fn of_end(end_ms: i64) -> Self {
        Self((end_ms - 1).div_euclid(DAY_MS))
    }

    pub(super) fn start_ms(self) -> i64 {
        self.0 * DAY_MS
    }

    pub(super) fn end_ms(self) -> i64 {
        self.start_ms() + DAY_MS
    }

    /// From its first bucket's first millisecond to its end.
    pub(super) fn range(self) -> TimeRange {
        TimeRange::new(Timestamp::from_millis(self.start_ms() + 1), Timestamp::from_millis(self.end_ms()))
    }

    /// All samples on which its buckets depend: also the one before it, from which the increase is counted.
    pub(super) fn samples(self) -> TimeRange {
        TimeRange::new(
            Timestamp::from_millis(self.start_ms() - REACH_MS + 1),
            Timestamp::from_millis(self.end_ms()),
        )
    }
}

/// The rollups of a day.
pub(super) fn rollups(view: &View, bucket: Bucket, day: Day) -> Option<&Arc<StoredFile>> {
    view.files
        .iter()
        .find(|file| file.entry.kind == FileKind::Rollups(bucket) && file.entry.range == day.range())
}

/// Whether a file of samples has any that a day's buckets depend on.
pub(super) fn has_samples(file: &StoredFile, day: Day) -> bool {
    file.entry.kind == FileKind::Metrics && file.entry.range.overlaps(&day.samples())
}

/// The files of samples that a day's buckets depend on.
pub(super) fn depended_on(view: &View, day: Day) -> Vec<u64> {
    let files = view.files.iter().filter(|file| has_samples(file, day));
    files.map(|file| file.entry.id).collect()
}

/// Days of which nothing was found although files reach over them: nothing came while the store was not running.
#[derive(Debug, Default)]
pub(crate) struct EmptyDays(Mutex<HashMap<Day, Vec<u64>>>);

impl EmptyDays {
    /// More days than any rollup is kept for.
    const MOST: usize = 10_000;

    /// Notes that files have nothing of a day.
    pub(super) fn note(&self, day: Day, files: Vec<u64>) {
        let mut days = self.0.lock();
        if days.len() >= Self::MOST {
            days.clear();
        }
        days.insert(day, files);
    }

    /// Whether the files of a view have nothing of a day.
    pub(super) fn has(&self, day: Day, view: &View) -> bool {
        self.0.lock().get(&day).is_some_and(|files| *files == depended_on(view, day))
    }
}

/// Whether samples are in memory that a day's buckets depend on.
pub(super) fn is_in_memory(view: &View, day: Day) -> bool {
    let range = crate::query::millis(day.samples());
    view.frozen.iter().chain([&view.head]).any(|head| head.metrics.overlaps(range))
}

/// The rollups that new files of samples make untrue, and that can be made anew: of days whose samples are gone in
/// part, rollups say more than could be made of the rest.
pub(crate) fn untrue(core: &Core, added: &[FileEntry], now: Timestamp) -> Vec<u64> {
    let horizon = core.kept.usual_horizon(now);
    let view = core.view();
    let is_untrue = |file: &&Arc<StoredFile>| {
        if !matches!(file.entry.kind, FileKind::Rollups(_)) {
            return false;
        }
        let depends_on = Day::of_end(file.entry.range.end.as_millis()).samples();
        added.iter().any(|entry| entry.kind == FileKind::Metrics && entry.range.overlaps(&depends_on))
            && depends_on.start >= horizon
            && !core.has_lost_samples(&depends_on)
    };
    view.files.iter().filter(is_untrue).map(|file| file.entry.id).collect()
}
