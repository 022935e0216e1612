//! Compaction: neighbouring files of a kind become one.
//!
//! Files are merged when the day that they begin in is over and nothing will be added to it, so that a
//! day is one file; and before that when many small ones have gathered, because the head was written
//! often. Only neighbours in the order of precedence are merged, and the merged file takes their place:
//! what a query answers is the same before and after.
//!
//! A crash before the catalog's commit leaves a file that it does not know, one after it leaves the
//! files that were merged; either is removed by the next start.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::{TimeRange, Timestamp};
use store::{SeriesBuffer, SeriesCursor, Table};

use crate::EngineError;
use crate::archive::Awaited;
use crate::catalog::{FileEntry, FileKind};
use crate::core::Core;
use crate::events::merge::{Merging, Next, within_open};
use crate::files::StoredFile;
use crate::panics::caught;
use crate::query::streams::everything;
use crate::retention::let_go;
use crate::rollup;
use crate::unpublished::Unpublished;
use crate::unread::panicked;

const DAY_NANOS: i64 = 24 * 3600 * 1_000_000_000;
/// Neighbours of one level and day that are merged before the day is over.
const MANY: usize = 10;
/// What came late of a day that is over is little, where it is less than such a part of the rest.
const LITTLE: u64 = 16;
/// The most files that are merged at once.
const MAX_FILES: usize = 64;
/// The most that a merged block may have been before, in bytes. A larger one would take too long to write.
const MAX_BLOCK_BYTES: u64 = 4 << 30;
/// The most that merged event files may have been before: they take longer for each byte.
const MAX_EVENT_BYTES: u64 = 512 << 20;

/// How much is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What is worth it while more comes: days that are over, and many small files.
    Usual,
    /// All files of each day.
    Days,
}

/// Merges what there is to merge at `now`, one run of files after the other, until nothing is left or
/// `stop` is set. Returns how many files were merged to others. A file that cannot be read keeps no other
/// from being merged; the first such error is returned in the end. What is past its retention at `sure`, which may be
/// earlier than `now`, is left out.
pub(crate) fn compact(
    core: &Arc<Core>,
    (now, sure): (Timestamp, Timestamp),
    extent: Extent,
    stop: &AtomicBool,
) -> Result<usize, EngineError> {
    let mut merged = 0;
    let mut unread = None;
    let settled = now.before(settled_after(core));
    while !stop.load(Ordering::Relaxed) {
        let view = core.view();
        let has_room = |run: &[Arc<StoredFile>]| {
            let bytes = bytes_of(run);
            let has_room = core.room.has_twice(bytes);
            if !has_room {
                tracing::warn!(
                    bytes,
                    free = core.room.free(),
                    "there is no room to merge files: they stay as they are"
                );
            }
            has_room
        };
        let readable: Vec<_> = view.files.iter().map(|file| (file, !core.unread.has(file))).collect();
        let Some(run) = next_run(&readable, now, settled_after(core), extent, has_room) else { break };
        // Ingest may have taken it meanwhile.
        let Some(_room) = core.room.hold(bytes_of(&run)) else { break };
        match caught(|| merge(core, &run, sure, stop), panicked) {
            Ok(Some(files)) => merged += files,
            // Something else has changed these files; the next pass looks again.
            Ok(None) => break,
            Err(error) => {
                core.telemetry.files.compaction_errors.inc();
                if !core.unread.note(run.iter(), &error) {
                    return Err(error);
                }
                unread.get_or_insert(error);
            }
        }
    }
    rollup::make_missing(core, sure, settled, stop)?;
    unread.map_or(Ok(merged), Err)
}

/// How long after the end of a day its samples may still be in memory.
fn settled_after(core: &Core) -> Duration {
    core.config.head_max_age.0 + core.config.out_of_order_window.0
}

fn day(file: &StoredFile) -> i64 {
    file.entry.range.start.as_nanos().div_euclid(DAY_NANOS)
}

fn bytes_of(run: &[Arc<StoredFile>]) -> u64 {
    run.iter().map(|file| file.bytes()).sum()
}

/// The first run of neighbours that is worth a merge and for which there is room. `files` are in the order of
/// precedence, each with whether it can be read; between neighbours of one kind there may be files of others.
fn next_run(
    files: &[(&Arc<StoredFile>, bool)],
    now: Timestamp,
    settled_after: Duration,
    extent: Extent,
    has_room: impl Fn(&[Arc<StoredFile>]) -> bool,
) -> Option<Vec<Arc<StoredFile>>> {
    let last_day = now.before(settled_after).as_nanos().div_euclid(DAY_NANOS) - 1;
    let mut kinds: Vec<FileKind> = Vec::new();
    for (file, _) in files {
        // A day of rollups is one file from the beginning.
        if !kinds.contains(&file.entry.kind) && !matches!(file.entry.kind, FileKind::Rollups(_)) {
            kinds.push(file.entry.kind);
        }
    }
    let of_a_day = |of_kind: &[&(&Arc<StoredFile>, bool)]| {
        of_kind.chunk_by(|a, b| day(a.0) == day(b.0)).find_map(|days| {
            let is_due = extent == Extent::Days || day(days[0].0) <= last_day;
            let mut runs = is_due.then(|| within_bounds(days))?.into_iter();
            runs.find(|run| is_worth_it(run, extent) && has_room(run))
        })
    };
    let of_a_level = |of_kind: &[&(&Arc<StoredFile>, bool)]| {
        let of = |file: &Arc<StoredFile>| (day(file), file.entry.level);
        let levels = of_kind.chunk_by(|a, b| of(a.0) == of(b.0)).filter(|run| run.len() >= MANY);
        levels.flat_map(within_bounds).find(|run| run.len() >= MANY && has_room(run))
    };
    kinds.into_iter().find_map(|kind| {
        let of_kind: Vec<_> = files.iter().filter(|(file, _)| file.entry.kind == kind).collect();
        // Those on both sides of one that cannot be read are no neighbours.
        let mut pieces = of_kind.split(|(_, is_readable)| !is_readable);
        pieces.find_map(|piece| of_a_day(piece).or_else(|| of_a_level(piece)))
    })
}

/// Whether a run of a day that is over is merged now. A little that came late waits for more: each time the whole day
/// would be written anew.
fn is_worth_it(run: &[Arc<StoredFile>], extent: Extent) -> bool {
    let largest = run.iter().map(|file| file.bytes()).max().unwrap_or(0);
    let rest = bytes_of(run) - largest;
    run.len() > 1 && (extent == Extent::Days || run.len() > MANY || rest >= largest / LITTLE)
}

/// Neighbours in runs that may each be merged at once; a file that is too large by itself is in none.
fn within_bounds(files: &[&(&Arc<StoredFile>, bool)]) -> Vec<Vec<Arc<StoredFile>>> {
    let mut runs: Vec<Vec<Arc<StoredFile>>> = Vec::new();
    let mut run: Vec<Arc<StoredFile>> = Vec::new();
    for (file, _) in files {
        let fits = |run: &[Arc<StoredFile>]| {
            let bytes = bytes_of(run) + file.bytes();
            run.len() < MAX_FILES
                && match file.entry.kind {
                    FileKind::Metrics | FileKind::Rollups(_) => bytes <= MAX_BLOCK_BYTES,
                    FileKind::Events(_) => bytes <= MAX_EVENT_BYTES,
                }
        };
        if !fits(&run) {
            runs.push(std::mem::take(&mut run));
        }
        if fits(&run) {
            run.push(Arc::clone(file));
        }
    }
    runs.push(run);
    runs
}

/// What became of the samples of a run of blocks.
enum Blocks {
    Merged(FileEntry),
    /// All of them are past their retention.
    Nothing,
    /// It was told to stop.
    Stopped,
}

/// Merges a run of files, or, of events, as many of its first ones as may be open at once, and says how many. `None`
/// when that was given up, because of `stop` or because one of them is damaged or was dropped meanwhile.
fn merge(
    core: &Arc<Core>,
    run: &[Arc<StoredFile>],
    now: Timestamp,
    stop: &AtomicBool,
) -> Result<Option<usize>, EngineError> {
    let mut written = Unpublished::new(core);
    let (merged, mut entry) = match run[0].entry.kind {
        FileKind::Metrics | FileKind::Rollups(_) => match merge_blocks(core, run, &mut written, now, stop)? {
            Blocks::Merged(entry) => (run, entry),
            Blocks::Nothing => return Ok(remove(core, run)?.then_some(run.len())),
            Blocks::Stopped => return Ok(None),
        },
        FileKind::Events(table) => {
            let run = within_open(run);
            let Some(entry) = merge_events(core, run, table, &mut written, stop)? else { return Ok(None) };
            (run, entry)
        }
    };
    entry.level = merged.iter().map(|file| file.entry.level).max().unwrap_or(0) + 1;
    entry.precedence = merged[0].entry.precedence;
    written.sync_names()?;
    Ok(publish(core, merged, entry, &mut written)?.then_some(merged.len()))
}

fn merge_events(
    core: &Core,
    run: &[Arc<StoredFile>],
    table: Table,
    written: &mut Unpublished<'_>,
    stop: &AtomicBool,
) -> Result<Option<FileEntry>, EngineError> {
    let mut merging = Merging::new(core, table, run);
    // A file with nothing in it is none.
    let Next::Rows(mut rows) = merging.next().map_err(EngineError::Read)? else { return Ok(None) };
    let mut given_up = false;
    let lifted = merging.lifted(&rows);
    let entry = written.events(table, merging.schema(), lifted, |file| {
        loop {
            file.push(&rows)?;
            if stop.load(Ordering::Relaxed) {
                given_up = true;
                return Ok(());
            }
            rows = match merging.next().map_err(EngineError::Read)? {
                Next::Rows(rows) => rows,
                Next::Damaged => {
                    given_up = true;
                    return Ok(());
                }
                Next::End => return Ok(()),
            };
        }
    })?;
    Ok((!given_up).then_some(entry))
}

fn merge_blocks(
    core: &Arc<Core>,
    run: &[Arc<StoredFile>],
    written: &mut Unpublished<'_>,
    now: Timestamp,
    stop: &AtomicBool,
) -> Result<Blocks, EngineError> {
    let cursor = everything(core, run, &[], &[], TimeRange::ALL).map_err(EngineError::Read)?;
    let mut cursor: Box<dyn SeriesCursor> = Box::new(cursor);
    // The archive takes whole days, past their retention or not.
    let awaited = Awaited::new(core, now)?;
    if !awaited.is_some_and(|awaited| run.iter().any(|file| awaited.lacks(file))) {
        cursor = core.kept.trimmed(cursor, now);
    }
    let mut series = SeriesBuffer::default();
    // A block with nothing in it is none.
    if !cursor.next_series(&mut series).map_err(EngineError::Read)? {
        return Ok(Blocks::Nothing);
    }
    let mut stopped = false;
    let entry = written.metrics(|block| {
        loop {
            block.push(&series)?;
            stopped = stop.load(Ordering::Relaxed);
            if stopped || !cursor.next_series(&mut series).map_err(EngineError::Read)? {
                return Ok(());
            }
        }
    })?;
    Ok(if stopped { Blocks::Stopped } else { Blocks::Merged(entry) })
}

/// Lets go of a run of which nothing is left. `false` when one of its files was set aside or dropped
/// meanwhile: then that may be why nothing was found.
fn remove(core: &Core, run: &[Arc<StoredFile>]) -> Result<bool, EngineError> {
    let _changing = core.changing_files();
    if run.iter().any(|file| file.is_quarantined() || file.is_dropped()) {
        return Ok(false);
    }
    let_go(core, run)?;
    core.telemetry.files.expired.inc_by(run.len() as u64);
    Ok(true)
}

fn publish(
    core: &Core,
    run: &[Arc<StoredFile>],
    entry: FileEntry,
    written: &mut Unpublished<'_>,
) -> Result<bool, EngineError> {
    let _changing = core.changing_files();
    // A query may have set one aside, retention may have dropped one: what was read of it is no matter.
    if run.iter().any(|file| file.is_quarantined() || file.is_dropped()) {
        return Ok(false);
    }
    let gone: Vec<u64> = run.iter().map(|file| file.entry.id).collect();
    written.replace(&entry, &gone)?;
    core.replace_files(Arc::new(StoredFile::new(&core.vfs, &core.layout, entry)), &gone);
    for file in run {
        file.drop_when_unused();
        core.forget(file.entry.id);
    }
    core.telemetry.files.compactions.inc();
    core.telemetry.files.compacted_files.inc_by(run.len() as u64);
    tracing::debug!(files = run.len(), kind = ?run[0].entry.kind, "merged files to one");
    Ok(true)
}
