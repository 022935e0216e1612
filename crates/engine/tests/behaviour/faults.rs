//! A file system that fails when a test wants it to.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use engine::vfs::{AppendFile, Disk, Entry, Lock, ReadFile, Vfs};

/// Calls of [`Vfs`] that do what the real disk does.
macro_rules! as_the_disk {
    ($($call:ident),+) => {
        $(as_the_disk!(@$call);)+
    };
    (@create_dir_all) => {
        fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
            Disk.create_dir_all(dir)
        }
    };
    (@list) => {
        fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
            Disk.list(dir)
        }
    };
    (@create) => {
        fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
            Disk.create(path)
        }
    };
    (@open) => {
        fn open(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
            Disk.open(path)
        }
    };
    (@rename) => {
        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            Disk.rename(from, to)
        }
    };
    (@remove) => {
        fn remove(&self, path: &Path) -> io::Result<()> {
            Disk.remove(path)
        }
    };
    (@sync_dir) => {
        fn sync_dir(&self, dir: &Path) -> io::Result<()> {
            Disk.sync_dir(dir)
        }
    };
    (@free_bytes) => {
        fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
            Disk.free_bytes(dir)
        }
    };
    (@lock) => {
        fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
            Disk.lock(path)
        }
    };
}
pub(crate) use as_the_disk;

/// The real disk, until a number of operations that change it have been done: from then on each fails,
/// as if the process had been killed. The write at which it happens is torn.
#[derive(Debug)]
pub(crate) struct Dying {
    left: Arc<AtomicU64>,
    /// Whether each sync of a file fails, although what was written before it went well.
    pub(crate) fails_to_sync: Arc<AtomicBool>,
}

impl Dying {
    pub(crate) fn after(operations: u64) -> (Arc<Self>, Arc<AtomicU64>) {
        let left = Arc::new(AtomicU64::new(operations));
        (Arc::new(Self { left: Arc::clone(&left), fails_to_sync: Arc::default() }), left)
    }

    fn live(&self) -> io::Result<()> {
        live(&self.left)
    }
}

fn live(left: &AtomicU64) -> io::Result<()> {
    let one_less = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    one_less.map(|_| ()).map_err(|_| io::Error::other("the process is dead"))
}

impl Vfs for Dying {
    as_the_disk!(list, open, free_bytes, lock);

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.live()?;
        Disk.create_dir_all(dir)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        self.live()?;
        Ok(Box::new(DyingFile {
            file: Disk.create(path)?,
            left: Arc::clone(&self.left),
            fails_to_sync: Arc::clone(&self.fails_to_sync),
        }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.live()?;
        Disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.live()?;
        Disk.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.live()?;
        Disk.sync_dir(dir)
    }
}

struct DyingFile {
    file: Box<dyn AppendFile>,
    left: Arc<AtomicU64>,
    fails_to_sync: Arc<AtomicBool>,
}

impl AppendFile for DyingFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.left.load(Ordering::SeqCst) == 0 {
            return Err(io::Error::other("the process is dead"));
        }
        if self.left.load(Ordering::SeqCst) == 1 {
            self.file.append(&bytes[..bytes.len() / 2])?;
            self.left.store(0, Ordering::SeqCst);
            return Err(io::Error::other("the process died while it wrote"));
        }
        live(&self.left)?;
        self.file.append(bytes)
    }
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        live(&self.left)?;
        self.file.cut(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        live(&self.left)?;
        if self.fails_to_sync.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk lost a page"));
        }
        self.file.sync()
    }
}

/// The real disk with as much free space as a test says.
#[derive(Debug)]
pub(crate) struct Sized(pub(crate) Arc<AtomicU64>);

impl Vfs for Sized {
    as_the_disk!(create_dir_all, list, create, open, rename, remove, sync_dir, lock);

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(self.0.load(Ordering::SeqCst))
    }
}

/// The real disk, without room for another byte.
#[derive(Debug)]
pub(crate) struct Full;

impl Vfs for Full {
    as_the_disk!(create_dir_all, list, open, rename, remove, sync_dir, lock);

    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Disk.create(path)?;
        Ok(Box::new(FullFile))
    }
    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(0)
    }
}

struct FullFile;

impl AppendFile for FullFile {
    fn append(&mut self, _bytes: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
    fn cut(&mut self, _bytes: u64) -> io::Result<()> {
        Ok(())
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The real disk, on which no file can be begun, or none grow either, while it is full.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    pub(crate) for_new_files: Arc<AtomicBool>,
    pub(crate) for_all: Arc<AtomicBool>,
}

impl Vfs for Filling {
    as_the_disk!(create_dir_all, list, open, rename, remove, sync_dir, free_bytes, lock);

    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let file = Disk.create(path)?;
        let is_full = |full: &AtomicBool| full.load(Ordering::SeqCst);
        if is_full(&self.for_new_files) || is_full(&self.for_all) {
            return Ok(Box::new(FullFile));
        }
        Ok(Box::new(FillingFile { file, full: Arc::clone(&self.for_all) }))
    }
}

/// A file of which, on a full disk, half of what is appended is written.
struct FillingFile {
    file: Box<dyn AppendFile>,
    full: Arc<AtomicBool>,
}

impl AppendFile for FillingFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.full.load(Ordering::SeqCst) {
            self.file.append(&bytes[..bytes.len() / 2])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.append(bytes)
    }
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.file.cut(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }
}

/// The real disk, on which some files have a bad sector: they open, and cannot be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct BadSectors {
    pub(crate) files: Arc<Mutex<Vec<PathBuf>>>,
    /// Whether reading them panics, as bytes may make a decoder do.
    pub(crate) panics: bool,
}

impl Vfs for BadSectors {
    as_the_disk!(create_dir_all, list, create, rename, remove, sync_dir, free_bytes, lock);

    fn open(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        let file = Disk.open(path)?;
        let is_bad = self.files.lock().expect("a lock").iter().any(|bad| bad == path);
        Ok(if is_bad { Arc::new(BadSector { file, panics: self.panics }) } else { file })
    }
}

struct BadSector {
    file: Arc<dyn ReadFile>,
    panics: bool,
}

impl ReadFile for BadSector {
    fn bytes(&self) -> io::Result<u64> {
        self.file.bytes()
    }
    fn read_at(&self, _into: &mut [u8], _offset: u64) -> io::Result<()> {
        assert!(!self.panics, "a decoder has met what it did not expect");
        // Input/output error, as the system says it.
        Err(io::Error::from_raw_os_error(5))
    }
}

/// A directory on the real disk that takes no more bytes than a test says. What the catalog takes is not counted.
#[derive(Clone, Debug)]
pub(crate) struct Small {
    pub(crate) dir: PathBuf,
    pub(crate) most: Arc<AtomicU64>,
}

impl Small {
    pub(crate) fn used(&self) -> u64 {
        let bytes = |dir: &str| Disk.list(&self.dir.join(dir)).into_iter().flatten().map(|entry| entry.bytes);
        ["wal", "metrics", "events", "quarantine"].into_iter().flat_map(bytes).sum()
    }

    fn free(&self) -> u64 {
        self.most.load(Ordering::SeqCst).saturating_sub(self.used())
    }
}

impl Vfs for Small {
    as_the_disk!(create_dir_all, list, open, rename, remove, sync_dir, lock);

    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(SmallFile { file: Disk.create(path)?, disk: self.clone() }))
    }
    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(self.free())
    }
}

struct SmallFile {
    file: Box<dyn AppendFile>,
    disk: Small,
}

impl AppendFile for SmallFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.disk.free() < bytes.len() as u64 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.append(bytes)
    }
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.file.cut(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }
}
