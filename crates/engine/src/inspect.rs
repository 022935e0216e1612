//! Looking at a store from outside, without opening it: what it consists of, and whether all of it is
//! sound. Nothing is changed, and a process that has the store open goes on.

use std::path::{Path, PathBuf};

use model::{TimeRange, Timestamp};

use crate::catalog::{ArchiveState, Catalog, FileKind};
use crate::files::StoredFile;
use crate::layout::{Layout, segment_id};
use crate::vfs::{Disk, Vfs};
use crate::{EngineError, wal};

/// A file of a store.
#[derive(Clone, Debug)]
pub struct StoreFile {
    /// Its path below the data directory.
    pub path: PathBuf,
    /// What it is: `catalog`, `wal`, `metrics`, or the table of events.
    pub kind: &'static str,
    /// Its size as it should be.
    pub bytes: u64,
    /// Samples or rows in it; those of a block of metrics stand with its chunks.
    pub rows: Option<u64>,
    /// From the first sample or row to the last.
    pub range: Option<TimeRange>,
    /// Why it is not read any more, when it was set aside before.
    pub set_aside: Option<String>,
    /// What is wrong with it, as far as somebody has looked.
    pub problem: Option<String>,
}

/// What a store consists of: the catalog, the log, and the files that the catalog names.
pub fn files(data_dir: &Path) -> Result<Vec<StoreFile>, EngineError> {
    Ok(Inspection::new(data_dir)?.all.into_iter().map(|(file, _)| file).collect())
}

/// How the archive of a store does.
#[derive(Clone, Debug)]
pub struct ArchiveStatus {
    /// Where it is.
    pub url: String,
    /// Days of metrics and of tables in it.
    pub days: u64,
    /// Points and rows in it.
    pub rows: u64,
    /// Bytes in it.
    pub bytes: u64,
    /// The newest day in it, as its first instant.
    pub newest_day: Option<Timestamp>,
    /// Days to which rows came after they were archived, and that are archived again.
    pub changed_days: u64,
    /// Why nothing could be archived the last time that it was tried, and when; `None` when it could.
    pub error: Option<(String, Timestamp)>,
}

/// The archive of a store; `None` where there has been none.
pub fn archive(data_dir: &Path) -> Result<Option<ArchiveStatus>, EngineError> {
    let catalog = Catalog::open_to_read(&Layout::new(data_dir).catalog())?;
    let Some(ArchiveState { url, error }) = catalog.archive()? else { return Ok(None) };
    let known = catalog.archived()?;
    let whole = || known.iter().filter(|day| day.at.is_some());
    Ok(Some(ArchiveStatus {
        url,
        days: whole().count() as u64,
        rows: whole().map(|day| day.rows).sum(),
        bytes: whole().map(|day| day.bytes).sum(),
        newest_day: whole().map(|day| day.day.range().start).max(),
        changed_days: whole().filter(|day| !day.is_done()).count() as u64,
        error,
    }))
}

/// Reads and checks every byte. `progress` is told the bytes that are read of all, before each file.
pub fn verify(
    data_dir: &Path,
    progress: &mut dyn FnMut(u64, u64, &Path),
) -> Result<Vec<StoreFile>, EngineError> {
    let mut inspection = Inspection::new(data_dir)?;
    let all = std::mem::take(&mut inspection.all);
    let total = all.iter().map(|(file, _)| file.bytes).sum();
    let (mut read, mut verified) = (0, Vec::new());
    for (mut file, part) in all {
        progress(read, total, &file.path);
        read += file.bytes;
        file.problem = match &part {
            What::Catalog => inspection.catalog.problem()?,
            What::Segment(id) => segment(&inspection.layout, *id),
            What::Part(stored, place) if file.set_aside.is_none() => part_of(stored, *place),
            What::Part(..) => None,
        };
        // Somebody who has the store open may have dropped or replaced it meanwhile.
        if file.problem.is_some() && is_gone(&inspection, &part)? {
            continue;
        }
        verified.push(file);
    }
    progress(total, total, Path::new(""));
    Ok(verified)
}

struct Inspection {
    layout: Layout,
    catalog: Catalog,
    all: Vec<(StoreFile, What)>,
}

enum What {
    Catalog,
    Segment(u64),
    Part(StoredFile, usize),
}

impl Inspection {
    fn new(data_dir: &Path) -> Result<Self, EngineError> {
        let layout = Layout::new(data_dir);
        let path = layout.catalog();
        let bytes = std::fs::metadata(&path).map_err(EngineError::io("read", &path))?.len();
        let catalog = Catalog::open_to_read(&path)?;
        let mut this = Self { layout, catalog, all: Vec::new() };
        this.add(&path, "catalog", bytes, What::Catalog);
        let wal_dir = this.layout.wal_dir();
        let mut segments = Disk.list(&wal_dir).map_err(EngineError::io("list", &wal_dir))?;
        segments.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in segments {
            if let Some(id) = segment_id(&entry.name) {
                this.add(&wal_dir.join(&entry.name), "wal", entry.bytes, What::Segment(id));
            }
        }
        this.add_files()?;
        Ok(this)
    }

    fn add_files(&mut self) -> Result<(), EngineError> {
        let disk: std::sync::Arc<dyn Vfs> = std::sync::Arc::new(Disk);
        for entry in self.catalog.entries()? {
            let kind = match entry.kind {
                FileKind::Metrics => "metrics",
                FileKind::Rollups(_) => "rollups",
                FileKind::Events(table) => table.name(),
            };
            let (range, rows, set_aside) = (entry.range, entry.rows, entry.quarantine_reason.clone());
            let sizes: Vec<(PathBuf, u64)> = StoredFile::new(&disk, &self.layout, entry.clone())
                .sizes()
                .map(|(path, bytes)| (path.clone(), bytes))
                .collect();
            for (place, (path, bytes)) in sizes.into_iter().enumerate() {
                let stored = StoredFile::new(&disk, &self.layout, entry.clone());
                self.add(&path, kind, bytes, What::Part(stored, place));
                if let Some((file, _)) = self.all.last_mut() {
                    file.range = Some(range);
                    file.rows = (place == 0).then_some(rows);
                    file.set_aside.clone_from(&set_aside);
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, kind: &'static str, bytes: u64, what: What) {
        let path = path.strip_prefix(self.layout.root()).unwrap_or(path).to_owned();
        let file = StoreFile { path, kind, bytes, rows: None, range: None, set_aside: None, problem: None };
        self.all.push((file, what));
    }
}

fn segment(layout: &Layout, id: u64) -> Option<String> {
    wal::replay::problem(&Disk, layout, id).unwrap_or_else(|error| Some(error.to_string()))
}

fn part_of(stored: &StoredFile, place: usize) -> Option<String> {
    let checked = stored.open_at(place)?.and_then(|part| part.verify());
    checked.err().map(|error| error.to_string())
}

/// Whether what seemed wrong is gone, or right by now: a segment grows while it is read.
fn is_gone(inspection: &Inspection, what: &What) -> Result<bool, EngineError> {
    match what {
        What::Catalog => Ok(false),
        What::Segment(id) => {
            std::thread::sleep(std::time::Duration::from_millis(300));
            let path = inspection.layout.segment(*id);
            Ok(!path.exists() || segment(&inspection.layout, *id).is_none())
        }
        What::Part(stored, _) => {
            let entries = inspection.catalog.entries()?;
            Ok(!entries.iter().any(|entry| entry.id == stored.entry.id && entry.quarantine_reason.is_none()))
        }
    }
}
