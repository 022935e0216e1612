//! The file system as the store uses it: few operations, each with a stated meaning for crashes.
//!
//! All file access of the store goes through [`Vfs`], so that a test can put a disk below it that
//! fails, tears and drops. The one exception is the catalog: SQLite does its own I/O, which is tested
//! harder than ours. Nothing here knows what is in a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// A file system.
pub trait Vfs: Send + Sync + std::fmt::Debug + 'static {
    /// Creates a directory and those above it, where they are not there.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// The files in a directory, in no order; directories in it are left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>>;
    /// Creates an empty file to append to; one that is there is emptied. The name is durable only after
    /// [`Vfs::sync_dir`].
    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>>;
    /// Opens a file to read.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>>;
    /// Renames a file, in place of one that has the new name. Durable only after [`Vfs::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file. Durable only after [`Vfs::sync_dir`].
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Bytes that are free for us on the disk that holds `dir`.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;
    /// Takes an exclusive lock that lasts as long as what is returned; `None` when another process has it.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
    /// Called before each commit of the catalog, which does its own I/O, and after it: an error says that it failed,
    /// before or after it had happened.
    fn catalog_commit(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A file of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name. Names that are not UTF-8 are not ours and are left out.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// A file that is being written.
pub trait AppendFile: Send {
    /// Adds bytes at the end. After an error, any part of them may be there.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file to its first bytes; needs no room. Durable only after [`AppendFile::sync`].
    fn cut(&mut self, bytes: u64) -> io::Result<()>;
    /// Makes what was appended durable. After an error nothing is known about what is on the disk, and
    /// asking again tells nothing: the kernel forgets which pages failed.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that is read.
pub trait ReadFile: Send + Sync {
    /// Its size.
    fn bytes(&self) -> io::Result<u64>;
    /// Fills `into` from `offset` on; an error of kind `UnexpectedEof` when there are fewer bytes.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()>;
}

/// A lock that is held until this is dropped.
pub trait Lock: Send + Sync {}

/// The real disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Vfs for Disk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                entries.push(Entry { name, bytes: metadata.len() });
            }
        }
        Ok(entries)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(OpenOptions::new().write(true).create(true).truncate(true).open(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        Ok(Arc::new(File::open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl AppendFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)?;
        self.seek(SeekFrom::Start(bytes)).map(|_| ())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

impl ReadFile for File {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(into, offset)
    }
}

/// The kernel drops the lock with the last handle of the file.
impl Lock for File {}
