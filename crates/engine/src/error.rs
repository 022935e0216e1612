//! What can go wrong with the store as a whole, as opposed to one append or one query.

use std::io;
use std::path::PathBuf;

/// The store could not be opened, or could not do its upkeep.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another process has the data directory open.
    #[error(
        "the data directory {} is in use by another process: stop that one, or give this one another data directory",
        .0.display()
    )]
    InUse(PathBuf),
    /// A file could not be read or written.
    #[error("could not {doing} {}", .path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The catalog could not be read or written.
    #[error("could not {doing} in the catalog {}", .path.display())]
    Catalog {
        /// What was being done.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// The catalog is not what was written.
    #[error(
        "the catalog {} is damaged ({problem}): put back the whole data folder from a backup, never the catalog \
         alone; without one, move the catalog away, and the next start reads the log and puts the files that it \
         finds into quarantine",
        .path.display()
    )]
    CatalogDamaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The data directory was written by a version that this one does not know.
    #[error(
        "{} has format version {found}; this version of the store reads {known}: {}",
        .path.display(),
        if found > known {
            "upgrade Watchkeeper, a newer version has written it"
        } else {
            "start the server once, which brings it up to date"
        }
    )]
    FormatVersion {
        /// Which file.
        path: PathBuf,
        /// The version that it has.
        found: u32,
        /// The version that is known.
        known: u32,
    },
    /// Stored data could not be read.
    #[error("stored data could not be read")]
    Read(#[source] store::QueryError),
    /// A Parquet file could not be written.
    #[error("could not encode {}", .path.display())]
    Encode {
        /// Which file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// A metric of the store itself could not be registered.
    #[error("a metric of the store could not be registered")]
    Metric(#[source] prometheus::Error),
    /// A thread could not be started.
    #[error("could not start the thread {name}")]
    Thread {
        /// The thread.
        name: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A thread has panicked, without which the store cannot go on.
    #[error("the thread {name} has panicked")]
    Panicked {
        /// The thread.
        name: &'static str,
    },
    /// The configuration of retention cannot be used.
    #[error("the section [store.retention_overrides] of the configuration: {0}")]
    BadRetention(String),
    /// The archive's configuration cannot be used.
    #[error("the section [store.archive] of the configuration: {0}")]
    BadArchive(String),
    /// The archive could not be used.
    #[error("the archive could not {doing}")]
    Archive {
        /// What was being done, and to what.
        doing: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no room for what a start has to write.
    #[error(
        "the disk is full: a start writes up to {needed} into {} before it takes anything, and what may go for want of \
         room is gone; make that much room beside the store (its folder quarantine can go as well) and start again: \
         nothing that was acknowledged is lost",
        .data_dir.display()
    )]
    NoRoom {
        /// The data directory.
        data_dir: PathBuf,
        /// What is written at most.
        needed: model::ByteSize,
        /// What could not be done.
        #[source]
        source: Box<EngineError>,
    },
    /// The write-ahead log cannot be written any more.
    #[error("the store has stopped writing after an error of its disk")]
    Poisoned,
}

impl EngineError {
    /// Wraps an I/O error: `map_err(EngineError::io("read", path))`.
    pub(crate) fn io<P: Into<PathBuf>>(doing: &'static str, path: P) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }

    /// The same for an error that is none of room, whatever it says: what was being done makes room.
    pub(crate) fn undoing<P: Into<PathBuf>>(doing: &'static str, path: P) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source: io::Error::other(source) }
    }

    /// Whether the disk had no room for what was being done.
    pub(crate) fn is_for_want_of_room(&self) -> bool {
        let is_full = |error: &io::Error| {
            matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        };
        match self {
            Self::Io { source, .. } => is_full(source),
            Self::Catalog { source, .. } => source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            Self::Encode { source: parquet::errors::ParquetError::External(source), .. } => {
                source.downcast_ref::<io::Error>().is_some_and(is_full)
            }
            _ => false,
        }
    }

    /// Wraps an error of the catalog: `map_err(EngineError::catalog("add files", path))`.
    pub(crate) fn catalog<P: Into<PathBuf>>(
        doing: &'static str,
        path: P,
    ) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.into();
        move |source| Self::Catalog { doing, path, source }
    }
}
