//! Files in use: what the catalog says about them, and when they go away.
//!
//! A query holds the files that it reads. One that retention drops is unlinked when the last query
//! that holds it has ended.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parquet::errors::ParquetError;

use crate::catalog::{FileEntry, FileKind, Part};
use crate::layout::Layout;
use crate::sums::{CheckedFile, Sums, is_damage};
use crate::vfs::Vfs;

/// A file of the store: one entry of the catalog, one Parquet file of events or up to four of metrics.
#[derive(Debug)]
pub(crate) struct StoredFile {
    pub(crate) entry: FileEntry,
    parts: Vec<(Part, PathBuf, Arc<Sums>)>,
    vfs: Arc<dyn Vfs>,
    dropped: AtomicBool,
    quarantined: AtomicBool,
    disk_failed: Arc<AtomicBool>,
}

impl StoredFile {
    pub(crate) fn new(vfs: &Arc<dyn Vfs>, layout: &Layout, entry: FileEntry) -> Self {
        let parts = entry
            .parts
            .iter()
            .map(|(part, sums)| (*part, part_path(layout, &entry, *part), Arc::new(sums.clone())))
            .collect();
        let quarantined = AtomicBool::new(entry.quarantine_reason.is_some());
        Self {
            entry,
            parts,
            vfs: Arc::clone(vfs),
            dropped: AtomicBool::new(false),
            quarantined,
            disk_failed: Arc::default(),
        }
    }

    /// The Parquet files that this consists of.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.parts.iter().map(|(_, path, _)| path)
    }

    /// The Parquet files that this consists of, with their sizes.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = (&PathBuf, u64)> {
        self.parts.iter().map(|(_, path, sums)| (path, sums.bytes))
    }

    /// Opens one of the Parquet files by its place.
    pub(crate) fn open_at(&self, place: usize) -> Option<io::Result<CheckedFile>> {
        self.parts.get(place).map(|(_, path, sums)| self.open_checked(path, sums))
    }

    /// How many Parquet files this consists of.
    pub(crate) fn part_count(&self) -> u64 {
        self.parts.len() as u64
    }

    /// Bytes of all parts.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts.iter().map(|(_, _, sums)| sums.bytes).sum()
    }

    /// Whether there is such a part.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.parts.iter().any(|(kind, _, _)| *kind == part)
    }

    /// Opens a part.
    pub(crate) fn open(&self, part: Part) -> Result<CheckedFile, ParquetError> {
        let found = self.parts.iter().find(|(kind, _, _)| *kind == part);
        let (_, path, sums) = found.ok_or_else(|| ParquetError::General("a part is missing".to_owned()))?;
        Ok(self.open_checked(path, sums)?)
    }

    fn open_checked(&self, path: &Path, sums: &Arc<Sums>) -> io::Result<CheckedFile> {
        let opened = self
            .vfs
            .open(path)
            .and_then(|file| CheckedFile::new(file, Arc::clone(sums), path, Arc::clone(&self.disk_failed)));
        opened.inspect_err(|error| {
            if !is_damage(error) {
                self.disk_failed.store(true, Ordering::Relaxed);
            }
        })
    }

    /// Reads every byte of every part, and checks it.
    pub(crate) fn verify(&self) -> io::Result<()> {
        self.parts.iter().try_for_each(|(_, path, sums)| self.open_checked(path, sums)?.verify())
    }

    /// Whether the file is damaged or gone, now that reading it has failed; else its disk has failed for
    /// now. A file whose bytes are right and mean nothing is damaged too, unless the disk may have been
    /// why it could not be read.
    pub(crate) fn is_damaged(&self) -> bool {
        match self.verify() {
            Ok(()) => !self.disk_failed.load(Ordering::Relaxed),
            Err(error) => is_damage(&error),
        }
    }

    /// Says that the catalog has let go of the file: it is unlinked when nobody holds it any more.
    pub(crate) fn drop_when_unused(&self) {
        self.dropped.store(true, Ordering::Release);
    }

    /// Whether the catalog has let go of the file.
    pub(crate) fn is_dropped(&self) -> bool {
        self.dropped.load(Ordering::Acquire)
    }

    /// Says that the file is set aside; `true` the first time.
    pub(crate) fn set_quarantined(&self) -> bool {
        !self.quarantined.swap(true, Ordering::AcqRel)
    }

    /// Whether the file is set aside.
    pub(crate) fn is_quarantined(&self) -> bool {
        self.quarantined.load(Ordering::Acquire)
    }
}

impl Drop for StoredFile {
    fn drop(&mut self) {
        if self.dropped.load(Ordering::Acquire) && !self.is_quarantined() {
            for path in self.paths() {
                if let Err(error) = self.vfs.remove(path) {
                    // The next start removes it: it is not in the catalog.
                    tracing::warn!(path = %path.display(), %error, "an expired file could not be removed");
                }
            }
        }
    }
}

fn part_path(layout: &Layout, entry: &FileEntry, part: Part) -> PathBuf {
    match entry.kind {
        FileKind::Metrics | FileKind::Rollups(_) => layout.block(entry.id, part),
        FileKind::Events(table) => layout.events(entry.id, table),
    }
}
