//! Which days have rollups that are true.

use std::sync::Arc;

use model::{TimeRange, Timestamp};

use super::Bucket;
use crate::catalog::{FileEntry, FileKind};
use crate::core::View;
use crate::files::StoredFile;

pub(super) const DAY_MS: i64 = 24 * 3_600_000;

/// A day of rollups in UTC: the buckets that end after its first instant and until its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    pub(super) fn samples(self, bucket: Bucket) -> TimeRange {
        TimeRange::new(
            Timestamp::from_millis(self.start_ms() - bucket.millis() + 1),
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
pub(super) fn has_samples(file: &StoredFile, day: Day, bucket: Bucket) -> bool {
    file.entry.kind == FileKind::Metrics && file.entry.range.overlaps(&day.samples(bucket))
}

/// Whether samples are in memory that a day's buckets depend on.
pub(super) fn is_in_memory(view: &View, day: Day, bucket: Bucket) -> bool {
    let range = crate::query::millis(day.samples(bucket));
    view.frozen.iter().chain([&view.head]).any(|head| head.metrics.overlaps(range))
}

/// The rollups that new files of samples make untrue.
pub(crate) fn untrue(view: &View, added: &[FileEntry]) -> Vec<u64> {
    let is_untrue = |file: &&Arc<StoredFile>| {
        let FileKind::Rollups(bucket) = file.entry.kind else { return false };
        let depends_on = TimeRange::new(
            file.entry.range.start.before(std::time::Duration::from_millis(bucket.millis().unsigned_abs())),
            file.entry.range.end,
        );
        added.iter().any(|entry| entry.kind == FileKind::Metrics && entry.range.overlaps(&depends_on))
    };
    view.files.iter().filter(is_untrue).map(|file| file.entry.id).collect()
}
