//! A disk in memory that behaves as badly as a real one may.
//!
//! What was appended is durable after a sync, names are durable after the sync of their directory, and
//! nothing else is promised. When the power goes, of what was not synced any part may be there: all,
//! nothing, a beginning, some sectors of 512 bytes and not others, with bits flipped; and each change of
//! a name by itself may have happened or not. Calls fail when the seed says so. The same seed and the
//! same calls give the same disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::vfs::{AppendFile, Entry, Lock, ReadFile, Vfs};
use fastrand::Rng;
use parking_lot::Mutex;

const SECTOR: usize = 512;
const ENOSPC: i32 = 28;
const EIO: i32 = 5;

/// How often calls fail, of a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Calls that read.
    pub(crate) reads: u32,
    /// Calls that change something.
    pub(crate) writes: u32,
}

/// The disk. Clones are the same disk.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    rng: Rng,
    inodes: Vec<Inode>,
    /// Names as programs see them.
    names: BTreeMap<PathBuf, usize>,
    /// Names as they are found after the power was gone.
    durable: BTreeMap<PathBuf, usize>,
    /// Changes of names that no sync has made durable yet, in order.
    changes: Vec<Change>,
    operations: u64,
    dies_at: Option<u64>,
    is_dead: bool,
    /// Counts starts: a handle of an earlier one is of a process that is gone.
    start: u64,
    is_locked: bool,
    faults: Faults,
    injected: u64,
    /// The calls, for a person who looks for the cause of a failure.
    history: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    bytes: Vec<u8>,
    synced: usize,
    /// What was cut off and may be there again: the cut was not synced.
    cut: Vec<u8>,
    /// Bytes whose sync has failed: the kernel takes them for written, and the disk need not have them.
    doubtful: Vec<std::ops::Range<usize>>,
}

#[derive(Clone, Debug)]
enum Change {
    Set { path: PathBuf, inode: usize },
    Rename { from: PathBuf, to: PathBuf, inode: usize },
    Remove { path: PathBuf },
}

impl Change {
    fn is_in(&self, dir: &Path) -> bool {
        let within = |path: &Path| path.parent() == Some(dir);
        match self {
            Self::Set { path, .. } | Self::Remove { path } => within(path),
            // A journal writes both ends of a rename in one.
            Self::Rename { from, to, .. } => within(from) || within(to),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Set { path, inode } => drop(names.insert(path.clone(), *inode)),
            Self::Rename { from, to, inode } => {
                names.remove(from);
                names.insert(to.clone(), *inode);
            }
            Self::Remove { path } => drop(names.remove(path)),
        }
    }
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The kernel lives on, and has everything that was written.
    Killed,
    /// The machine went off.
    PowerLoss,
}

impl SimulatedDisk {
    pub(crate) fn new(seed: u64) -> Self {
        let state = State {
            rng: Rng::with_seed(seed),
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable: BTreeMap::new(),
            changes: Vec::new(),
            operations: 0,
            dies_at: None,
            is_dead: false,
            start: 0,
            is_locked: false,
            faults: Faults::default(),
            injected: 0,
            history: Vec::new(),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Lets calls fail from now on.
    pub(crate) fn set_faults(&self, faults: Faults) {
        self.state.lock().faults = faults;
    }

    /// Dies at the call with this number, counted from here; never with `None`.
    pub(crate) fn die_after(&self, calls: Option<u64>) {
        let mut state = self.state.lock();
        state.dies_at = calls.map(|calls| state.operations + calls);
    }

    /// Calls so far.
    pub(crate) fn operations(&self) -> u64 {
        self.state.lock().operations
    }

    /// Calls that were made to fail so far.
    pub(crate) fn injected(&self) -> u64 {
        self.state.lock().injected
    }

    /// Whether it has died.
    pub(crate) fn is_dead(&self) -> bool {
        self.state.lock().is_dead
    }

    /// The last calls.
    pub(crate) fn history(&self) -> String {
        let state = self.state.lock();
        state.history[state.history.len().saturating_sub(200)..].join("\n")
    }

    /// Ends the process that uses it, and gives the disk as the next one finds it.
    pub(crate) fn end(&self, end: End) {
        let mut state = self.state.lock();
        state.history.push(format!("{end:?}"));
        state.start += 1;
        state.is_dead = false;
        state.is_locked = false;
        state.dies_at = None;
        if end == End::PowerLoss {
            state.lose_power();
        }
    }
}

impl State {
    fn lose_power(&mut self) {
        for change in std::mem::take(&mut self.changes) {
            if self.rng.bool() {
                change.apply(&mut self.durable);
            }
        }
        self.names = self.durable.clone();
        for index in 0..self.inodes.len() {
            let mut inode = std::mem::take(&mut self.inodes[index]);
            let cut = std::mem::take(&mut inode.cut);
            if self.rng.bool() {
                inode.bytes.extend(cut);
            }
            for range in std::mem::take(&mut inode.doubtful) {
                let end = range.end.min(inode.bytes.len());
                let kept = self.surviving(&inode.bytes[range.start.min(end)..end], range.start);
                inode.bytes[range.start.min(end)..end]
                    .copy_from_slice(&padded(kept, end - range.start.min(end)));
            }
            let tail = inode.bytes.split_off(inode.synced.min(inode.bytes.len()));
            let kept = self.surviving(&tail, inode.bytes.len());
            inode.bytes.extend(kept);
            inode.synced = inode.bytes.len();
            self.inodes[index] = inode;
        }
    }

    /// What the disk has of bytes that were never synced, at `offset` of their file.
    fn surviving(&mut self, bytes: &[u8], offset: usize) -> Vec<u8> {
        let mut kept = bytes.to_vec();
        match self.rng.u8(0..10) {
            0..=2 => kept.clear(),
            3..=4 => {}
            5..=6 => kept.truncate(self.rng.usize(0..=bytes.len())),
            _ => {
                // Sectors are written in any order: one that is missing is a hole of zeros.
                let mut end = 0;
                for (place, byte) in kept.iter_mut().enumerate() {
                    let begins = place == 0 || (offset + place).is_multiple_of(SECTOR);
                    if begins {
                        end = if self.rng.bool() { usize::MAX } else { 0 };
                    }
                    if end == 0 {
                        *byte = 0;
                    }
                }
                if self.rng.bool() {
                    let end = kept.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                    kept.truncate(end);
                }
            }
        }
        if !kept.is_empty() && self.rng.u8(0..8) == 0 {
            let place = self.rng.usize(0..kept.len());
            kept[place] ^= 1 << self.rng.u8(0..8);
        }
        kept
    }

    fn live(&self, start: u64) -> io::Result<()> {
        if self.is_dead || start != self.start { Err(io::Error::other("the power is gone")) } else { Ok(()) }
    }

    /// Counts a call, which may be the last one or fail.
    fn call(&mut self, start: u64, changes: bool, what: impl FnOnce() -> String) -> io::Result<()> {
        let called = self.outcome(start, changes);
        let outcome = called.as_ref().map_or_else(|error| format!(": {error}"), |()| String::new());
        self.history.push(format!("{} {}{outcome}", self.operations, what()));
        called
    }

    fn outcome(&mut self, start: u64, changes: bool) -> io::Result<()> {
        self.live(start)?;
        self.operations += 1;
        if self.dies_at == Some(self.operations) {
            self.is_dead = true;
            return Err(io::Error::other("the power went off"));
        }
        let chance = if changes { self.faults.writes } else { self.faults.reads };
        if chance > 0 && self.rng.u32(0..1000) < chance {
            self.injected += 1;
            let code = if changes && self.rng.bool() { ENOSPC } else { EIO };
            return Err(io::Error::from_raw_os_error(code));
        }
        Ok(())
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }
}

fn name_of(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}

fn padded(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.resize(length, 0);
    bytes
}

impl Vfs for SimulatedDisk {
    fn create_dir_all(&self, _: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        let start = state.start;
        state.call(start, true, || "create_dir_all".to_owned())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let mut state = self.state.lock();
        let start = state.start;
        state.call(start, false, || format!("list {}", name_of(dir)))?;
        let files = state.names.iter().filter(|(path, _)| path.parent() == Some(dir));
        let entry = |(path, inode): (&PathBuf, &usize)| {
            let name = path.file_name()?.to_str()?.to_owned();
            Some(Entry { name, bytes: state.inodes[*inode].bytes.len() as u64 })
        };
        Ok(files.filter_map(entry).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let mut state = self.state.lock();
        let start = state.start;
        state.call(start, true, || format!("create {}", name_of(path)))?;
        let inode = state.inodes.len();
        state.inodes.push(Inode::default());
        state.change(Change::Set { path: path.to_owned(), inode });
        Ok(Box::new(Handle { disk: self.clone(), inode, start }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        let mut state = self.state.lock();
        let start = state.start;
        state.call(start, false, || format!("open {}", name_of(path)))?;
        let inode = state.find(path)?;
        Ok(Arc::new(Handle { disk: self.clone(), inode, start }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        let start = state.start;
        state.call(start, true, || format!("rename {} to {}", name_of(from), name_of(to)))?;
        let inode = state.find(from)?;
        state.change(Change::Rename { from: from.to_owned(), to: to.to_owned(), inode });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        let start = state.start;
        state.call(start, true, || format!("remove {}", name_of(path)))?;
        state.find(path)?;
        state.change(Change::Remove { path: path.to_owned() });
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        let start = state.start;
        state.call(start, true, || format!("sync_dir {}", name_of(dir)))?;
        let (synced, left): (Vec<Change>, Vec<Change>) =
            std::mem::take(&mut state.changes).into_iter().partition(|change| change.is_in(dir));
        state.changes = left;
        for change in synced {
            change.apply(&mut state.durable);
        }
        Ok(())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn catalog_commit(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        let start = state.start;
        state.call(start, true, || "commit of the catalog".to_owned())
    }

    fn lock(&self, _: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let mut state = self.state.lock();
        let start = state.start;
        state.live(start)?;
        if std::mem::replace(&mut state.is_locked, true) {
            return Ok(None);
        }
        Ok(Some(Box::new(Held { disk: self.clone(), start })))
    }
}

struct Held {
    disk: SimulatedDisk,
    start: u64,
}

impl Lock for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.disk.state.lock();
        if state.start == self.start {
            state.is_locked = false;
        }
    }
}

struct Handle {
    disk: SimulatedDisk,
    inode: usize,
    start: u64,
}

impl AppendFile for Handle {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let inode = self.inode;
        let mut state = self.disk.state.lock();
        let called =
            state.call(self.start, true, || format!("append {} bytes to inode {inode}", bytes.len()));
        let written = match &called {
            Ok(()) => bytes.len(),
            // A write that fails can have written some of it; that of a process before this one, nothing.
            Err(_) if self.start == state.start => state.rng.usize(0..=bytes.len()),
            Err(_) => 0,
        };
        state.inodes[inode].bytes.extend_from_slice(&bytes[..written]);
        called
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        let inode = self.inode;
        let mut state = self.disk.state.lock();
        state.call(self.start, true, || format!("cut inode {inode} to {bytes} bytes"))?;
        let inode = &mut state.inodes[inode];
        let bytes = usize::try_from(bytes).expect("small files");
        assert!(inode.synced <= bytes, "what is durable is cut off");
        inode.cut = inode.bytes.split_off(bytes.min(inode.bytes.len()));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let inode = self.inode;
        let mut state = self.disk.state.lock();
        let called = state.call(self.start, true, || format!("sync inode {inode}"));
        let inode = &mut state.inodes[inode];
        match &called {
            Ok(()) => {
                inode.synced = inode.bytes.len();
                inode.cut.clear();
            }
            Err(_) => {
                let unsynced = inode.synced..inode.bytes.len();
                inode.doubtful.push(unsynced);
            }
        }
        called
    }
}

impl ReadFile for Handle {
    fn bytes(&self) -> io::Result<u64> {
        let inode = self.inode;
        let mut state = self.disk.state.lock();
        state.call(self.start, false, || format!("size of inode {inode}"))?;
        Ok(state.inodes[inode].bytes.len() as u64)
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        let inode = self.inode;
        let mut state = self.disk.state.lock();
        state.call(self.start, false, || format!("read {} at {offset} of inode {inode}", into.len()))?;
        let offset = usize::try_from(offset).expect("small files");
        let bytes = state.inodes[inode].bytes.get(offset..offset + into.len());
        into.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}
