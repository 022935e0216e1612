//! How the program ends: codes that scripts can rely on.

use std::fmt;

use crate::causes::told;

/// All is well.
pub(crate) const OK: u8 = 0;
/// `check`: something deserves a look. Elsewhere: it did not work.
pub(crate) const WARNING: u8 = 1;
/// `check`: something is broken. Elsewhere: the command line or the configuration is wrong.
pub(crate) const CRITICAL: u8 = 2;
/// The server cannot be reached, or does not let us in.
pub(crate) const UNREACHABLE: u8 = 3;
/// `serve`: the disk failed while the store's log was written.
pub(crate) const DISK: u8 = 4;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line or the configuration cannot be used.
    Usage(anyhow::Error),
    /// The server cannot be reached, or does not let us in.
    Unreachable(anyhow::Error),
    /// The disk failed while the store's log was written.
    Disk(anyhow::Error),
    /// Anything else.
    Other(anyhow::Error),
}

impl Failure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => CRITICAL,
            Self::Unreachable(_) => UNREACHABLE,
            Self::Disk(_) => DISK,
            Self::Other(_) => WARNING,
        }
    }

    /// What is wrong with the configuration.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(error) | Self::Unreachable(error) | Self::Disk(error) | Self::Other(error)) = self;
        f.write_str(&told(error.as_ref()))
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}
