//! A folder for the archive. The disk that it is on may come and go.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use object_store::local::LocalFileSystem;

use super::{ArchiveError, Source};

/// A folder, as it was when it was opened. While its disk is not mounted nothing may be written in its place: that
/// would fill the disk below, and nobody would see it when the other one is back.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    identity: Identity,
}

/// What tells a folder from one that has its path at another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl From<Metadata> for Identity {
    fn from(metadata: Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

impl Folder {
    /// Opens a folder, in which objects of `used` were written before. Only the last part of its path is made: where
    /// what is above is missing, a disk is not mounted. Nor is it where nothing is left of what was written.
    pub(super) fn open(
        path: &Path,
        used: &BTreeSet<Source>,
    ) -> Result<(Self, LocalFileSystem), ArchiveError> {
        let gone = |how| ArchiveError::Gone { path: path.to_owned(), how };
        if !used.is_empty() && !used.iter().any(|source| path.join(source.name()).is_dir()) {
            return Err(gone(
                "has nothing of what was archived there: is its disk mounted? Where it was emptied on purpose, \
                 name another folder",
            ));
        }
        if !path.is_dir() {
            if !path.parent().is_some_and(Path::is_dir) {
                return Err(gone("is to be in a folder that is not there: is its disk mounted?"));
            }
            fs::create_dir(path)?;
        }
        let identity = Identity::from(fs::metadata(path)?);
        remove_unfinished(path)?;
        let store = LocalFileSystem::new_with_prefix(path)?.with_fsync(true).with_automatic_cleanup(true);
        Ok((Self { path: path.to_owned(), identity }, store))
    }

    /// Whether it is still the folder that was opened.
    pub(super) fn check(&self) -> Result<(), ArchiveError> {
        let is_same = |found: Metadata| Identity::from(found) == self.identity;
        match fs::metadata(&self.path).is_ok_and(is_same) {
            true => Ok(()),
            false => Err(ArchiveError::Gone {
                path: self.path.clone(),
                how: "is not the folder any more that it was: is its disk mounted?",
            }),
        }
    }

    /// Whether it is on the disk of `dir`. Where that cannot be told, it is.
    pub(super) fn is_on_the_disk_of(&self, dir: &Path) -> bool {
        let is_other = |found: Metadata| found.dev() != self.identity.device;
        !fs::metadata(dir).is_ok_and(is_other)
    }
}

/// Removes what a crash has left: `<object>#<number>` beside where the object would have been.
fn remove_unfinished(root: &Path) -> Result<(), ArchiveError> {
    for source in Source::all() {
        let Ok(days) = fs::read_dir(root.join(source.name())) else { continue };
        for day in days {
            let Ok(files) = fs::read_dir(day?.path()) else { continue };
            for file in files {
                let file = file?;
                let name = file.file_name();
                if name
                    .to_string_lossy()
                    .rsplit_once(".parquet#")
                    .is_some_and(|(_, number)| number.parse::<u32>().is_ok())
                {
                    fs::remove_file(file.path())?;
                }
            }
        }
    }
    Ok(())
}
