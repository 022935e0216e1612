//! Looking at a store from outside, without opening it: what it consists of, and whether all of it is
//! sound. Nothing is changed, and a process that has the store open goes on.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use model::{TimeRange, Timestamp};
use store::Table;

use crate::catalog::{ArchiveState, Catalog, FileEntry, FileKind};
use crate::files::StoredFile;
use crate::layout::{Layout, is_temporary, segment_id};
use crate::vfs::{Disk, Entry, Vfs};
use crate::wal::replay::State;
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
    /// What is worth knowing of it and is no damage.
    pub note: Option<String>,
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
    /// Why something could not be archived the last time that it was tried, and when; `None` when it could.
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
    let mut inspection = match Inspection::new(data_dir) {
        Err(EngineError::CatalogDamaged { path, problem }) => {
            return without_catalog(data_dir, &path, &problem, progress);
        }
        Err(error @ (EngineError::Catalog { .. } | EngineError::FormatVersion { .. })) => {
            return without_catalog(data_dir, &Layout::new(data_dir).catalog(), &told(&error), progress);
        }
        inspection => inspection?,
    };
    let all = std::mem::take(&mut inspection.all);
    let last_segment = last_segment(&all);
    let total = all.iter().map(|(file, _)| file.bytes).sum();
    let (mut read, mut verified) = (0, Vec::new());
    for (mut file, part) in all {
        progress(read, total, &file.path);
        read += file.bytes;
        match &part {
            What::Catalog => match inspection.catalog.problem() {
                Ok(None) => {}
                Ok(Some((path, problem))) => {
                    file.path = inspection.name(&path);
                    file.problem = Some(problem);
                }
                Err(error) => file.problem = Some(told(&error)),
            },
            What::Segment(id) => segment(&mut file, &inspection.layout, *id, Some(*id) == last_segment),
            What::Part(stored, place) if file.set_aside.is_none() => file.problem = part_of(stored, *place),
            What::Part(..) | What::SetAside => {}
        }
        // Somebody who has the store open may have dropped or replaced it meanwhile.
        if file.problem.is_some() && is_gone(&inspection, &part) {
            continue;
        }
        verified.push(file);
    }
    progress(total, total, Path::new(""));
    Ok(verified)
}

/// What can be checked without a catalog: the log. The checksums of the other files are in the catalog; that they
/// can be read, and are Parquet from their first bytes to their last, can be told all the same.
fn without_catalog(
    data_dir: &Path,
    path: &Path,
    problem: &str,
    progress: &mut dyn FnMut(u64, u64, &Path),
) -> Result<Vec<StoreFile>, EngineError> {
    let layout = Layout::new(data_dir);
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    let mut catalog = StoreFile::new(name(&layout, path), "catalog", bytes);
    catalog.problem = Some(format!(
        "{problem}; the files of which it has the checksums were not checked, but for their first and last bytes"
    ));
    let mut verified = vec![catalog];
    let segments = segments(&layout)?;
    let last = segments.last().map(|(id, _)| *id);
    let stored = stored(&layout)?;
    let total = segments.iter().map(|(_, file)| file).chain(&stored).map(|file| file.bytes).sum();
    let mut read = 0;
    for (id, mut file) in segments {
        progress(read, total, &file.path);
        read += file.bytes;
        segment(&mut file, &layout, id, Some(id) == last);
        verified.push(file);
    }
    for mut file in stored {
        progress(read, total, &file.path);
        read += file.bytes;
        file.problem =
            ends_of(&layout.root().join(&file.path)).unwrap_or_else(|error| Some(error.to_string()));
        verified.push(file);
    }
    verified.extend(quarantined(&layout, &[])?);
    progress(total, total, Path::new(""));
    Ok(verified)
}

/// The Parquet files that lie in the folders of the store.
fn stored(layout: &Layout) -> Result<Vec<StoreFile>, EngineError> {
    let mut all = Vec::new();
    for dir in [layout.metrics_dir(), layout.events_dir()] {
        let mut entries = Disk.list(&dir).map_err(EngineError::io("list", &dir))?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let complete = entries.iter().filter(|entry| !is_temporary(entry.name.as_ref()));
        all.extend(complete.map(|entry| {
            StoreFile::new(name(layout, &dir.join(&entry.name)), kind_of(&entry.name), entry.bytes)
        }));
    }
    Ok(all)
}

/// What a file is, by its name alone: that of its table, else a part of a block of samples.
fn kind_of(name: &str) -> &'static str {
    if Path::new(name).extension().is_some_and(|extension| extension == "wal") {
        return "wal";
    }
    name.split('.').nth(1).and_then(Table::from_name).map_or("metrics", Table::name)
}

/// What is wrong with a Parquet file, as far as its first and last bytes tell.
fn ends_of(path: &Path) -> std::io::Result<Option<String>> {
    const MAGIC: [u8; 4] = *b"PAR1";
    let file = Disk.open(path)?;
    let bytes = file.bytes()?;
    // The magic number, and at the end the length of the footer before it.
    let (mut start, mut end) = ([0; 4], [0; 8]);
    let Some(at) = bytes.checked_sub(end.len() as u64).filter(|_| bytes >= 12) else {
        return Ok(Some(format!("it has {bytes} bytes, which is too few for Parquet")));
    };
    file.read_at(&mut start, 0)?;
    file.read_at(&mut end, at)?;
    let [a, b, c, d, magic @ ..] = end;
    let is_whole = start == MAGIC && magic == MAGIC && u64::from(u32::from_le_bytes([a, b, c, d])) <= at;
    Ok((!is_whole).then(|| "it does not begin and end as Parquet does".to_owned()))
}

/// What lies in the quarantine and no entry of the catalog knows.
fn quarantined(layout: &Layout, known: &[(StoreFile, What)]) -> Result<Vec<StoreFile>, EngineError> {
    let dir = layout.quarantine_dir();
    let mut entries = match Disk.list(&dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        listed => listed.map_err(EngineError::io("list", &dir))?,
    };
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let names: HashSet<&OsStr> = known.iter().filter_map(|(file, _)| file.path.file_name()).collect();
    let others = entries.iter().filter(|entry| !names.contains(OsStr::new(&entry.name)));
    Ok(others
        .map(|entry| {
            let kind = kind_of(&entry.name);
            let mut file = StoreFile::new(name(layout, &dir.join(&entry.name)), kind, entry.bytes);
            let reason = if kind == "wal" {
                "a start could not read this part of the log"
            } else {
                "a start found it beside a catalog that did not know it"
            };
            file.set_aside = Some(reason.to_owned());
            file
        })
        .collect())
}

/// An error of the catalog with its cause.
fn told(error: &EngineError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// A file's path below the data directory.
fn name(layout: &Layout, path: &Path) -> PathBuf {
    path.strip_prefix(layout.root()).unwrap_or(path).to_owned()
}

/// The segments of the log, oldest first.
fn segments(layout: &Layout) -> Result<Vec<(u64, StoreFile)>, EngineError> {
    let wal_dir = layout.wal_dir();
    let mut entries = Disk.list(&wal_dir).map_err(EngineError::io("list", &wal_dir))?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let of_entry = |entry: &Entry| {
        let file = StoreFile::new(name(layout, &wal_dir.join(&entry.name)), "wal", entry.bytes);
        Some((segment_id(&entry.name)?, file))
    };
    Ok(entries.iter().filter_map(of_entry).collect())
}

fn last_segment(all: &[(StoreFile, What)]) -> Option<u64> {
    let ids = all.iter().filter_map(|(_, what)| if let What::Segment(id) = what { Some(*id) } else { None });
    ids.max()
}

impl StoreFile {
    fn new(path: PathBuf, kind: &'static str, bytes: u64) -> Self {
        Self { path, kind, bytes, rows: None, range: None, set_aside: None, problem: None, note: None }
    }
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
    /// Of the quarantine.
    SetAside,
}

impl Inspection {
    fn new(data_dir: &Path) -> Result<Self, EngineError> {
        let layout = Layout::new(data_dir);
        let path = layout.catalog();
        let bytes = std::fs::metadata(&path).map_err(EngineError::io("read", &path))?.len();
        let catalog = Catalog::open_to_read(&path)?;
        let mut this = Self { layout, catalog, all: Vec::new() };
        this.add(&path, "catalog", bytes, What::Catalog);
        for (id, file) in segments(&this.layout)? {
            this.all.push((file, What::Segment(id)));
        }
        this.add_files()?;
        let others = quarantined(&this.layout, &this.all)?;
        this.all.extend(others.into_iter().map(|file| (file, What::SetAside)));
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
        self.all.push((StoreFile::new(self.name(path), kind, bytes), what));
    }

    fn name(&self, path: &Path) -> PathBuf {
        name(&self.layout, path)
    }
}

fn segment(file: &mut StoreFile, layout: &Layout, id: u64, is_last: bool) {
    (file.problem, file.note) = match wal::replay::look(&Disk, layout, id) {
        Ok(State::Sound) => (None, None),
        Ok(State::Torn(text)) if is_last => {
            let what = "as a process leaves it that was killed while it wrote; the next start cuts it off, and nothing \
                        of it was acknowledged";
            (None, Some(format!("{text}: {what}")))
        }
        Ok(State::Torn(text) | State::Damaged(text)) => (Some(text), None),
        Err(error) => (Some(error.to_string()), None),
    };
}

fn part_of(stored: &StoredFile, place: usize) -> Option<String> {
    let checked = stored.open_at(place)?.and_then(|part| part.verify());
    checked.err().map(|error| error.to_string())
}

/// Whether what seemed wrong is gone, or right by now: a segment grows while it is read.
fn is_gone(inspection: &Inspection, what: &What) -> bool {
    match what {
        What::Catalog | What::SetAside => false,
        What::Segment(id) => {
            std::thread::sleep(std::time::Duration::from_millis(300));
            let path = inspection.layout.segment(*id);
            !path.exists() || matches!(wal::replay::look(&Disk, &inspection.layout, *id), Ok(State::Sound))
        }
        What::Part(stored, _) => {
            let is_this =
                |entry: &FileEntry| entry.id == stored.entry.id && entry.quarantine_reason.is_none();
            inspection.catalog.entries().is_ok_and(|entries| !entries.iter().any(is_this))
        }
    }
}
