//! From a frozen head to files: written, synced, named, entered into the catalog, and only then does
//! the log let go of them.
//!
//! A crash before the catalog's commit leaves files that the catalog does not know, which the next
//! start removes, and a log that still has everything. A crash after it leaves segments that are all in
//! files, which the next start removes too. Nothing is lost and nothing is there twice.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crate::EngineError;
use crate::block;
use crate::catalog::{FileEntry, FileKind, Part};
use crate::core::Core;
use crate::events;
use crate::files::StoredFile;
use crate::head::Head;
use crate::layout::temporary;
use crate::telemetry::seconds_since;
use crate::wal::writer::Frozen;

/// Writes a frozen head to files and lets the log go. When it fails, it can be called again with the
/// same head.
pub(crate) fn flush(core: &Core, frozen: &Frozen) -> Result<(), EngineError> {
    let start = Instant::now();
    let result = publish(core, frozen);
    match &result {
        Ok(files) => {
            core.telemetry.files.flushes.inc();
            core.telemetry.files.flush_seconds.observe(seconds_since(start));
            tracing::debug!(files, seconds = seconds_since(start), "wrote the head to files");
        }
        Err(_) => core.telemetry.files.flush_errors.inc(),
    }
    result.map(|_| ())
}

fn publish(core: &Core, frozen: &Frozen) -> Result<usize, EngineError> {
    let mut written = Written { core, entries: Vec::new(), paths: Vec::new(), published: false };
    // A commit that was reported as failed can have happened all the same.
    let published_before = core.catalog.watermark()? >= frozen.watermark;
    let entries = if published_before {
        let known: Vec<u64> = core.view().files.iter().map(|file| file.entry.id).collect();
        let is_new = |entry: &FileEntry| entry.quarantine_reason.is_none() && !known.contains(&entry.id);
        core.catalog.entries()?.into_iter().filter(is_new).collect()
    } else {
        written.metrics(&frozen.head)?;
        written.events(&frozen.head)?;
        written.sync_names()?;
        written.publish(frozen.watermark)?
    };
    let files: Vec<_> =
        entries.into_iter().map(|entry| Arc::new(StoredFile::new(&core.vfs, &core.layout, entry))).collect();
    let count = files.len();
    core.replace_frozen(files);
    core.segments.remove_before(&*core.vfs, &core.layout, frozen.first_segment)?;
    Ok(count)
}

/// Files that are written and not in the catalog yet. Unless they are published they are removed.
struct Written<'a> {
    core: &'a Core,
    entries: Vec<FileEntry>,
    paths: Vec<PathBuf>,
    published: bool,
}

impl Written<'_> {
    fn metrics(&mut self, head: &Head) -> Result<(), EngineError> {
        let id = self.core.new_file_id();
        let (chunks, series) = (self.core.layout.chunks(id), self.core.layout.series(id));
        let (chunks_temporary, series_temporary) = (self.temporary(&chunks), self.temporary(&series));
        let block =
            block::write::write(&*self.core.vfs, &chunks_temporary, &series_temporary, &head.metrics)?;
        let Some(block) = block else { return Ok(()) };
        self.rename(&chunks_temporary, chunks)?;
        self.rename(&series_temporary, series)?;
        self.entries.push(FileEntry {
            id,
            kind: FileKind::Metrics,
            level: 0,
            range: block.range,
            rows: block.samples,
            parts: vec![(Part::Chunks, block.chunks), (Part::Series, block.series)],
            quarantine_reason: None,
        });
        Ok(())
    }

    fn events(&mut self, head: &Head) -> Result<(), EngineError> {
        for table in head.events.tables() {
            let id = self.core.new_file_id();
            let path = self.core.layout.events(id, table);
            let unfinished = self.temporary(&path);
            let file = events::write::write(&*self.core.vfs, &unfinished, table, &head.events.parts(table))?;
            self.rename(&unfinished, path)?;
            self.entries.push(FileEntry {
                id,
                kind: FileKind::Events(table),
                level: 0,
                range: file.range,
                rows: file.rows,
                parts: vec![(Part::Rows, file.sums)],
                quarantine_reason: None,
            });
        }
        Ok(())
    }

    fn temporary(&mut self, path: &Path) -> PathBuf {
        let unfinished = temporary(path);
        self.paths.push(unfinished.clone());
        unfinished
    }

    fn rename(&mut self, from: &Path, to: PathBuf) -> Result<(), EngineError> {
        self.core.vfs.rename(from, &to).map_err(EngineError::io("rename", from))?;
        self.paths.push(to);
        self.paths.retain(|path| path != from);
        Ok(())
    }

    fn sync_names(&self) -> Result<(), EngineError> {
        for dir in [self.core.layout.metrics_dir(), self.core.layout.events_dir()] {
            self.core.vfs.sync_dir(&dir).map_err(EngineError::io("sync", dir))?;
        }
        Ok(())
    }

    fn publish(&mut self, watermark: u64) -> Result<Vec<FileEntry>, EngineError> {
        // From here on the files may be in the catalog, whatever it answers.
        self.published = true;
        if let Err(error) = self.core.catalog.publish(&self.entries, watermark) {
            // A catalog that says that it has not taken them lets go of them: a flush that is tried again
            // and again must not fill the disk.
            if self.core.catalog.watermark().is_ok_and(|found| found < watermark) {
                self.published = false;
            }
            return Err(error);
        }
        Ok(std::mem::take(&mut self.entries))
    }
}

impl Drop for Written<'_> {
    fn drop(&mut self) {
        if !self.published {
            for path in &self.paths {
                // What cannot be removed now is removed by the next start.
                _ = self.core.vfs.remove(path);
            }
        }
    }
}
