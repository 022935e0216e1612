//! Room for a day, where the archive is on the disk of the store.

use std::sync::Arc;

use model::{ByteSize, TimeRange};

use super::destination::Destination;
use super::due::Due;
use super::{ArchiveError, Source};
use crate::core::Core;
use crate::files::StoredFile;
use crate::room::Held;

/// How much more room than in a block points take as plain rows, about.
const PLAIN_POINTS: u64 = 3;

/// Holds room for the object of a day; `None` where it takes none of the store's disk.
pub(super) fn hold<'a>(
    core: &'a Core,
    destination: &Destination,
    due: &Due,
) -> Result<Option<Held<'a>>, ArchiveError> {
    if !destination.is_on_the_disk_of(core.layout.root()) {
        return Ok(None);
    }
    // The object before this one may have been written since.
    core.measure_disk();
    let needed = estimate(core, due);
    match core.room.hold(needed) {
        Some(held) => Ok(Some(held)),
        None => Err(ArchiveError::NoRoom { needed: ByteSize(needed), free: ByteSize(core.room.free()) }),
    }
}

/// About how many bytes the object of a day takes: of a file that reaches over several days, as much as of its time is
/// of this one.
fn estimate(core: &Core, due: &Due) -> u64 {
    let day = due.day.range();
    let of_day = |file: &Arc<StoredFile>| {
        let range = file.entry.range;
        if Source::of(file.entry.kind) != Some(due.source) || !range.overlaps(&day) {
            return 0;
        }
        let nanos =
            |range: TimeRange| range.end.as_nanos().saturating_sub(range.start.as_nanos()).max(1) as f64;
        let within = TimeRange::new(range.start.max(day.start), range.end.min(day.end));
        (file.bytes() as f64 * nanos(within) / nanos(range)).ceil() as u64
    };
    let bytes: u64 = core.view().files.iter().map(of_day).sum();
    match due.source {
        Source::Metrics => bytes.saturating_mul(PLAIN_POINTS),
        // Rows of events are packed in the store as they are in the archive.
        Source::Events(_) => bytes,
    }
}
