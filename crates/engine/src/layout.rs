//! Where things are in the data directory. Nothing else builds a path.
//!
//! ```text
//! LOCK                                   held by the process that has the store open
//! catalog.db                             which files make up the store
//! catalog.sum                            a sum over that file
//! catalog.ballast                        room to let go of where the disk is full
//! wal/<segment>.wal                      the write-ahead log
//! metrics/<id>.{chunks,times,series,index}.parquet  a block of samples
//! events/<id>.<table>.parquet            rows of an event table
//! quarantine/                            what could not be read
//! ```

use std::path::{Path, PathBuf};

use store::Table;

use crate::catalog::Part;

/// The suffix of files that are being written.
const TEMPORARY: &str = ".tmp";
const SEGMENT: &str = ".wal";

/// The data directory.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("LOCK")
    }

    pub(crate) fn catalog(&self) -> PathBuf {
        self.root.join("catalog.db")
    }

    pub(crate) fn wal_dir(&self) -> PathBuf {
        self.root.join("wal")
    }

    pub(crate) fn metrics_dir(&self) -> PathBuf {
        self.root.join("metrics")
    }

    pub(crate) fn events_dir(&self) -> PathBuf {
        self.root.join("events")
    }

    pub(crate) fn quarantine_dir(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    pub(crate) fn segment(&self, id: u64) -> PathBuf {
        self.wal_dir().join(format!("{id:020}{SEGMENT}"))
    }

    /// A part of a block of metrics.
    pub(crate) fn block(&self, id: u64, part: Part) -> PathBuf {
        self.metrics_dir().join(format!("{id:016}.{}.parquet", part.name()))
    }

    pub(crate) fn events(&self, id: u64, table: Table) -> PathBuf {
        self.events_dir().join(format!("{id:016}.{}.parquet", table.name()))
    }

    /// The number in the name of a block's part or of an event file.
    pub(crate) fn id_of(path: &Path) -> Option<u64> {
        path.file_name()?.to_str()?.split('.').next()?.parse().ok()
    }

    /// Where a file is put that could not be read.
    pub(crate) fn quarantined(&self, path: &Path) -> PathBuf {
        self.quarantine_dir().join(path.file_name().unwrap_or_default())
    }

    /// Where a file is put whose catalog was lost.
    pub(crate) fn quarantined_of_lost(&self, path: &Path, number: u64) -> PathBuf {
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push(format!(".lost-{number}.parquet"));
        self.quarantine_dir().join(name)
    }

    /// Where the unreadable rest of a segment is put.
    pub(crate) fn quarantined_segment(&self, id: u64, offset: u64) -> PathBuf {
        self.quarantine_dir().join(format!("{id:020}-from-{offset}{SEGMENT}"))
    }

    /// Where the records of a segment are put that are whole and cannot be read.
    pub(crate) fn quarantined_records(&self, id: u64, first_offset: u64) -> PathBuf {
        self.quarantine_dir().join(format!("{id:020}-records-{first_offset}{SEGMENT}"))
    }
}

/// The name under which a file is written before it is complete.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(TEMPORARY);
    name.into()
}

/// Whether a file was not complete.
pub(crate) fn is_temporary(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(TEMPORARY.as_bytes())
}

/// The segment of which a file of the quarantine has the rest.
pub(crate) fn quarantined_id(name: &str) -> Option<u64> {
    name.strip_suffix(SEGMENT)?.split_once("-from-")?.0.parse().ok()
}

/// The segment that a file name of the log's directory stands for.
pub(crate) fn segment_id(name: &str) -> Option<u64> {
    name.strip_suffix(SEGMENT)?.parse().ok()
}
