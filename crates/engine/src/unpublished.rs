//! Files that are written and not in the catalog yet. Unless the catalog takes them they are removed.

use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use store::Table;

use crate::EngineError;
use crate::block::write::{BlockWriter, PARTS};
use crate::catalog::{FileEntry, FileKind, Part};
use crate::core::Core;
use crate::events::lifted;
use crate::events::write::EventWriter;
use crate::layout::temporary;

/// Files on their way into the catalog.
pub(crate) struct Unpublished<'a> {
    core: &'a Core,
    paths: Vec<PathBuf>,
    kept: bool,
}

impl<'a> Unpublished<'a> {
    pub(crate) fn new(core: &'a Core) -> Self {
        Self { core, paths: Vec::new(), kept: false }
    }

    /// Writes a block of metrics, whose series `fill` pushes.
    pub(crate) fn metrics(
        &mut self,
        fill: impl FnOnce(&mut BlockWriter) -> Result<(), EngineError>,
    ) -> Result<FileEntry, EngineError> {
        let id = self.core.new_file_id();
        let layout = &self.core.layout;
        let paths = PARTS.map(|part| layout.block(id, part));
        let mut block = BlockWriter::create(&*self.core.vfs, |part| {
            let unfinished = temporary(&self.core.layout.block(id, part));
            self.paths.push(unfinished.clone());
            unfinished
        })?;
        fill(&mut block)?;
        let block = block.finish()?;
        for path in paths {
            self.rename(&temporary(&path), path)?;
        }
        Ok(FileEntry {
            id,
            kind: FileKind::Metrics,
            level: 0,
            precedence: id,
            range: block.range,
            rows: block.samples,
            parts: block.parts,
            quarantine_reason: None,
        })
    }

    /// Writes rows of a table with the columns of `schema`, which `fill` pushes in ascending time, and with columns of
    /// their own for attributes that are lifted.
    pub(crate) fn events(
        &mut self,
        table: Table,
        schema: SchemaRef,
        lifted: Vec<lifted::Column>,
        fill: impl FnOnce(&mut EventWriter) -> Result<(), EngineError>,
    ) -> Result<FileEntry, EngineError> {
        let id = self.core.new_file_id();
        let path = self.core.layout.events(id, table);
        let unfinished = temporary(&path);
        self.paths.push(unfinished.clone());
        let mut file = EventWriter::create(&*self.core.vfs, &unfinished, table, schema, lifted)?;
        fill(&mut file)?;
        let file = file.finish()?;
        self.rename(&unfinished, path)?;
        Ok(FileEntry {
            id,
            kind: FileKind::Events(table),
            level: 0,
            precedence: id,
            range: file.range,
            rows: file.rows,
            parts: vec![(Part::Rows, file.sums)],
            quarantine_reason: None,
        })
    }

    /// Makes the names durable.
    pub(crate) fn sync_names(&self) -> Result<(), EngineError> {
        for dir in [self.core.layout.metrics_dir(), self.core.layout.events_dir()] {
            self.core.vfs.sync_dir(&dir).map_err(EngineError::io("sync", dir))?;
        }
        Ok(())
    }

    /// Enters a file into the catalog, in the place of those that it was made from.
    pub(crate) fn replace(&mut self, entry: &FileEntry, gone: &[u64]) -> Result<(), EngineError> {
        self.keep();
        let Err(error) = self.core.catalog.replace(entry, gone) else { return Ok(()) };
        // It may have happened all the same. Only a catalog that says that it has not lets go of the file.
        match self.core.catalog.entries() {
            Ok(entries) if entries.iter().any(|known| known.id == entry.id) => Ok(()),
            Ok(_) => {
                self.let_go();
                Err(error)
            }
            Err(_) => Err(error),
        }
    }

    /// The catalog may have them: they are not removed.
    pub(crate) fn keep(&mut self) {
        self.kept = true;
    }

    /// The catalog does not have them: they are removed.
    pub(crate) fn let_go(&mut self) {
        self.kept = false;
    }

    fn rename(&mut self, from: &Path, to: PathBuf) -> Result<(), EngineError> {
        self.core.vfs.rename(from, &to).map_err(EngineError::io("rename", from))?;
        self.paths.push(to);
        self.paths.retain(|path| path != from);
        Ok(())
    }
}

impl Drop for Unpublished<'_> {
    fn drop(&mut self) {
        if !self.kept {
            for path in &self.paths {
                // What cannot be removed now is removed by the next start.
                _ = self.core.vfs.remove(path);
            }
        }
    }
}
