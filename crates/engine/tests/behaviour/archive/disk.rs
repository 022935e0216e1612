//! A disk that harms one thread: the archiver's, in a test that archives by itself. The others (upkeep, merging)
//! read and write as ever.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, ThreadId};

use engine::vfs::{AppendFile, Disk, Entry, Lock, ReadFile, Vfs};
use parking_lot::Mutex;

use crate::faults::as_the_disk;

const EIO: i32 = 5;

/// What happens to the thread.
#[derive(Clone, Debug)]
pub(super) enum Harm {
    None,
    /// The disk does not give this file.
    Unreadable(PathBuf),
    /// It panics as it opens this file.
    Panic(PathBuf),
    /// It panics at its first commit of the catalog after it has opened a file.
    PanicAfterReading,
    /// It panics at its next commit of the catalog.
    PanicAtCommit,
}

/// The real disk with a harm.
#[derive(Debug)]
pub(super) struct Harmful {
    harm: Mutex<Harm>,
    thread: ThreadId,
}

impl Harmful {
    /// For the thread that calls this.
    pub(super) fn to_this_thread() -> Arc<Self> {
        Arc::new(Self { harm: Mutex::new(Harm::None), thread: thread::current().id() })
    }

    pub(super) fn set(&self, harm: Harm) {
        *self.harm.lock() = harm;
    }

    /// The harm to the thread that calls this.
    fn harm(&self) -> Harm {
        if thread::current().id() == self.thread { self.harm.lock().clone() } else { Harm::None }
    }
}

impl Vfs for Harmful {
    as_the_disk!(create_dir_all, list, create, rename, remove, sync_dir, free_bytes, lock);

    fn open(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        match self.harm() {
            Harm::Unreadable(harmed) if harmed == path => return Err(io::Error::from_raw_os_error(EIO)),
            Harm::Panic(harmed) if harmed == path => panic!("a fault that was made for the test"),
            Harm::PanicAfterReading => self.set(Harm::PanicAtCommit),
            Harm::None | Harm::Unreadable(_) | Harm::Panic(_) | Harm::PanicAtCommit => {}
        }
        Disk.open(path)
    }
    fn catalog_commit(&self) -> io::Result<()> {
        if matches!(self.harm(), Harm::PanicAtCommit) {
            self.set(Harm::None);
            panic!("a fault that was made for the test");
        }
        Ok(())
    }
}
