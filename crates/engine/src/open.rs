//! Opening a store: what the catalog says is put against what is on the disk, then the log is replayed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::EngineError;
use crate::core::Core;
use crate::files::StoredFile;
use crate::flush::flush;
use crate::layout::{Layout, is_temporary};
use crate::quarantine::{move_parts, quarantine};
use crate::retention::drop_expired;
use crate::wal::replay::{replay, segments};
use crate::wal::segment::SegmentWriter;
use crate::wal::writer::Frozen;

/// Where the log goes on.
pub(crate) struct Opened {
    pub(crate) segment: SegmentWriter,
    /// The last record there has been.
    pub(crate) sequence: u64,
    /// The last record whose content is in files.
    pub(crate) watermark: u64,
}

/// Brings the files in use and the head to where the store was. Where less than `needed` bytes are free, what may go
/// for want of room goes first.
pub(crate) fn open(core: &Core, needed: u64) -> Result<Opened, EngineError> {
    let on_disk = remove_orphans(core)?;
    take_files(core, &on_disk)?;
    if core.room.free() < needed
        && let Err(error) = drop_expired(core, core.now())
    {
        tracing::error!(error = &error as &dyn std::error::Error, "no files could be dropped for the start");
    }
    let mut watermark = core.catalog.watermark()?;
    let mut sequence = watermark;
    let ids = segments(core)?;
    for (place, id) in ids.iter().enumerate() {
        let is_last = place + 1 == ids.len();
        replay(core, *id, is_last, watermark, &mut sequence)?;
        if sequence <= watermark {
            // A crash came between the catalog's commit and the removal of the segment.
            core.segments.remove_before(&*core.vfs, &core.layout, id + 1)?;
        } else if core.is_flush_due(&core.head()) {
            // The log can hold more than memory may.
            let head = core.freeze_head();
            flush(core, &Frozen { head, watermark: sequence, first_segment: id + 1 })?;
            watermark = sequence;
        }
    }
    let next = ids.last().map_or(1, |last| last + 1);
    let segment = SegmentWriter::create(&*core.vfs, &core.layout, next)?;
    Ok(Opened { segment, sequence, watermark })
}

/// Removes files that the catalog does not know, and returns those that are left.
///
/// A catalog that has never known a file, beside files, is either the trace of a crash in the first
/// flush or a catalog that somebody has lost. So nothing is removed then, but put aside.
fn remove_orphans(core: &Core) -> Result<HashSet<PathBuf>, EngineError> {
    let is_new = core.catalog.next_file()? == 1;
    let entries = core.catalog.entries()?;
    let known: HashSet<PathBuf> = entries
        .into_iter()
        .flat_map(|entry| {
            let file = StoredFile::new(&core.vfs, &core.layout, entry);
            file.paths().cloned().collect::<Vec<_>>()
        })
        .collect();
    let ids = core.catalog.ids()?;
    let mut left = HashSet::new();
    for dir in [core.layout.metrics_dir(), core.layout.events_dir()] {
        for entry in core.vfs.list(&dir).map_err(EngineError::io("list", &dir))? {
            let path = dir.join(&entry.name);
            if known.contains(&path) {
                left.insert(path);
            } else if !is_temporary(&path) && Layout::id_of(&path).is_some_and(|id| ids.contains(&id)) {
                tracing::info!(path = %path.display(), "left alone a file of a kind that a later version knows");
            } else if is_new && !is_temporary(&path) {
                tracing::warn!(path = %path.display(), "put aside a file that a new catalog does not know");
                let aside = free_place(core, &path)?;
                core.vfs.rename(&path, &aside).map_err(EngineError::io("put aside", path))?;
            } else {
                remove_orphan(core, &path)?;
            }
        }
    }
    Ok(left)
}

/// Where a file of a catalog that was lost is put. The new catalog gives the same numbers again, so that one of its
/// own files may be set aside under the same name, and so may those of the next one that is lost.
fn free_place(core: &Core, path: &Path) -> Result<PathBuf, EngineError> {
    let dir = core.layout.quarantine_dir();
    let there = core.vfs.list(&dir).map_err(EngineError::io("list", dir))?;
    let free = (1..)
        .map(|number| core.layout.quarantined_of_lost(path, number))
        .find(|place| there.iter().all(|entry| place.file_name() != Some(std::ffi::OsStr::new(&entry.name))));
    Ok(free.expect("numbers do not end"))
}

fn remove_orphan(core: &Core, path: &Path) -> Result<(), EngineError> {
    tracing::warn!(path = %path.display(), "removed a file that is not in the catalog");
    core.vfs.remove(path).map_err(EngineError::io("remove", path))?;
    core.telemetry.files.orphans_removed.inc();
    Ok(())
}

/// Takes the files of the catalog into use; those that are gone are set aside.
fn take_files(core: &Core, on_disk: &HashSet<PathBuf>) -> Result<(), EngineError> {
    let (set_aside, in_use): (Vec<_>, Vec<_>) = core
        .catalog
        .entries()?
        .into_iter()
        .map(|entry| Arc::new(StoredFile::new(&core.vfs, &core.layout, entry)))
        .partition(|file| file.is_quarantined());
    for file in set_aside {
        move_parts(core, &file);
        core.note_quarantined(file);
    }
    core.replace_frozen(in_use.clone());
    for file in in_use {
        if let Some(missing) = file.paths().find(|path| !on_disk.contains(*path)) {
            quarantine(core, &file, &format!("{} is missing", missing.display()));
        }
    }
    Ok(())
}
