//! Where `/proc` is, and how its files are read and what went wrong is told.

use std::path::{Path, PathBuf};

use procfs::prelude::{FromRead, FromReadSI};
use procfs::{ExplicitSystemInfo, ProcError};

use crate::collector::{BoxError, CollectError};

/// The root of a proc file system: `/proc`, or a copy of one in a test.
#[derive(Clone, Debug)]
pub(crate) struct ProcRoot {
    path: PathBuf,
    system: ExplicitSystemInfo,
}

impl ProcRoot {
    /// The proc file system of this host.
    pub(crate) fn of_this_host() -> Self {
        Self::at("/proc")
    }

    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        let system = ExplicitSystemInfo {
            boot_time_secs: 0,
            ticks_per_second: procfs::ticks_per_second(),
            page_size: procfs::page_size(),
            is_little_endian: cfg!(target_endian = "little"),
        };
        Self { path: path.into(), system }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.path
    }

    /// Clock ticks in a second, by which `/proc` measures CPU time.
    pub(crate) fn ticks_per_second(&self) -> f64 {
        self.system.ticks_per_second as f64
    }

    pub(crate) fn page_size(&self) -> u64 {
        self.system.page_size
    }

    /// Reads a file that must be there.
    pub(crate) fn read<T: FromRead>(&self, name: &str) -> Result<T, CollectError> {
        let path = self.path(name);
        T::from_file(&path).map_err(|error| read_error(&path, error))
    }

    /// Reads a file that must be there and whose meaning depends on the system.
    pub(crate) fn read_with_system<T: FromReadSI>(&self, name: &str) -> Result<T, CollectError> {
        let path = self.path(name);
        T::from_file(&path, &self.system).map_err(|error| read_error(&path, error))
    }

    /// Reads a file that not every kernel has; `None` where it is missing or not for us to read.
    pub(crate) fn read_text_if_there(&self, name: &str) -> Result<Option<String>, CollectError> {
        let path = self.path(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            // Pressure files exist but answer EOPNOTSUPP where the kernel was started without them.
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => {
                Err(CollectError::Read { what: path.display().to_string(), source: Box::new(error) })
            }
        }
    }
}

fn is_missing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotFound, PermissionDenied, Unsupported};
    matches!(error.kind(), NotFound | PermissionDenied | Unsupported)
}

fn read_error(path: &Path, error: ProcError) -> CollectError {
    let source: BoxError = match error {
        ProcError::NotFound(_) => "no such file".into(),
        ProcError::PermissionDenied(_) => "permission denied".into(),
        ProcError::Incomplete(_) => "it ends too early".into(),
        ProcError::Io(error, _) => Box::new(error),
        ProcError::Other(text) => text.into(),
        ProcError::InternalError(error) => error.msg.into(),
    };
    CollectError::Read { what: path.display().to_string(), source }
}
