//! Checksums below Parquet: every 16 KiB of a file has a crc32c, kept in the catalog.
//!
//! Parquet's own page checksums cover neither footers nor indexes nor page headers, and the library
//! does not write them. So a file is summed as it is written, block by block, and no byte of it reaches
//! a decoder before its block has been checked. Any tool can still read the files.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::vfs::{AppendFile, ReadFile};

/// How many bytes one checksum covers in files that are written now.
pub(crate) const BLOCK_BYTES: usize = 16 * 1024;
/// How many bytes are written at a time: whole blocks, until the last.
const WRITE_BYTES: usize = 4 * BLOCK_BYTES;
/// The most that one checksum may cover: it has to be read for a single byte.
const MAX_BLOCK_BYTES: usize = 1 << 20;

/// How many pieces of a file an open reader keeps: about one for each column that is read side by side.
const WINDOWS: usize = 6;
/// Pieces over this size are not kept, nor is their memory.
const WINDOW_MAX_BYTES: usize = 256 * 1024;
/// How much is read at least where a reader goes on from one of its pieces to the next.
const AHEAD_BYTES: u64 = 64 * 1024;
/// Of how many pieces the memory is kept for others.
const MAX_FREE: usize = 16;

/// The size and checksums of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) bytes: u64,
    /// How many bytes each checksum covers.
    pub(crate) block_bytes: usize,
    /// Clones share them.
    crcs: Arc<[u32]>,
}

impl Sums {
    /// As the catalog keeps them: little-endian words.
    pub(crate) fn to_blob(&self) -> Vec<u8> {
        self.crcs.iter().flat_map(|crc| crc.to_le_bytes()).collect()
    }

    /// From what the catalog kept. A blob of the wrong length, and blocks of a length that cannot be, give
    /// checksums that match nothing.
    pub(crate) fn from_blob(bytes: u64, block_bytes: u64, blob: &[u8]) -> Self {
        let words = blob.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
        match usize::try_from(block_bytes) {
            Ok(block_bytes @ 1..=MAX_BLOCK_BYTES) => Self { bytes, block_bytes, crcs: words.collect() },
            _ => Self { bytes, block_bytes: BLOCK_BYTES, crcs: Arc::default() },
        }
    }
}

/// Writes a file and sums it.
pub(crate) struct SummingWriter {
    file: Box<dyn AppendFile>,
    waiting: Vec<u8>,
    bytes: u64,
    crcs: Vec<u32>,
}

impl SummingWriter {
    pub(crate) fn new(file: Box<dyn AppendFile>) -> Self {
        Self { file, waiting: Vec::with_capacity(WRITE_BYTES), bytes: 0, crcs: Vec::new() }
    }

    fn append(&mut self) -> io::Result<()> {
        self.crcs.extend(self.waiting.chunks(BLOCK_BYTES).map(crc32c::crc32c));
        self.bytes += self.waiting.len() as u64;
        self.file.append(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    /// Writes what is left and syncs the file.
    pub(crate) fn finish(mut self) -> io::Result<Sums> {
        if !self.waiting.is_empty() {
            self.append()?;
        }
        self.file.sync()?;
        Ok(Sums { bytes: self.bytes, block_bytes: BLOCK_BYTES, crcs: self.crcs.into() })
    }
}

impl Write for SummingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(WRITE_BYTES - self.waiting.len());
        self.waiting.extend_from_slice(&bytes[..taken]);
        if self.waiting.len() == WRITE_BYTES {
            self.append()?;
        }
        Ok(taken)
    }

    /// Bytes are written when there are enough, and the last ones by `finish`.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file of which only checked bytes can be read. Clones share what they have read.
#[derive(Clone)]
pub(crate) struct CheckedFile(Arc<Checked>);

struct Checked {
    file: Arc<dyn ReadFile>,
    sums: Arc<Sums>,
    path: PathBuf,
    windows: Mutex<VecDeque<(u64, Bytes)>>,
    /// Set when the disk fails; on its way through the decoders an error loses its kind.
    disk_failed: Arc<AtomicBool>,
}

impl CheckedFile {
    /// Takes an open file and what is known about it.
    pub(crate) fn new(
        file: Arc<dyn ReadFile>,
        sums: Arc<Sums>,
        path: &Path,
        disk_failed: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let found = file.bytes()?;
        if found != sums.bytes {
            return Err(damaged(path, format_args!("it has {found} bytes instead of {}", sums.bytes)));
        }
        let windows = Mutex::new(VecDeque::with_capacity(WINDOWS));
        Ok(Self(Arc::new(Checked { file, sums, path: path.to_owned(), windows, disk_failed })))
    }

    /// Reads every byte, and checks it.
    pub(crate) fn verify(&self) -> io::Result<()> {
        let mut start = 0;
        while let Some(end) = self.verify_from(start)? {
            start = end;
        }
        Ok(())
    }

    /// Reads some bytes from `start` on, and checks them; says where they end, or `None` at the file's end.
    pub(crate) fn verify_from(&self, start: u64) -> io::Result<Option<u64>> {
        let length = self.len().saturating_sub(start).min(WINDOW_MAX_BYTES as u64);
        if length == 0 {
            return Ok(None);
        }
        self.read(start, length as usize)?;
        Ok(Some(start + length))
    }

    fn read(&self, start: u64, length: usize) -> io::Result<Bytes> {
        self.read_checked(start, length).inspect_err(|error| {
            if !is_damage(error) {
                self.0.disk_failed.store(true, Ordering::Relaxed);
            }
        })
    }

    fn read_checked(&self, start: u64, length: usize) -> io::Result<Bytes> {
        let file = &*self.0;
        let end = start.checked_add(length as u64).filter(|end| *end <= file.sums.bytes);
        let end = end.ok_or_else(|| damaged(&file.path, format_args!("it points outside itself")))?;
        let is_next = match file.kept(start, end) {
            Kept::There(bytes) => return Ok(bytes),
            Kept::Next => true,
            Kept::No => false,
        };
        let block_bytes = file.sums.block_bytes as u64;
        let first_block = start / block_bytes;
        let window_start = first_block * block_bytes;
        let least = if is_next { window_start + AHEAD_BYTES } else { 0 };
        let window_end = end.max(least).next_multiple_of(block_bytes).min(file.sums.bytes);
        let mut window = Window::of((window_end - window_start) as usize);
        let read = file.file.read_at(window.as_mut(), window_start);
        read.map_err(|error| unread(&file.path, &error))?;
        for (block, bytes) in (first_block..).zip(window.as_ref().chunks(file.sums.block_bytes)) {
            if file.sums.crcs.get(block as usize) != Some(&crc32c::crc32c(bytes)) {
                return Err(damaged(&file.path, format_args!("block {block} does not have its checksum")));
            }
        }
        let window = Bytes::from_owner(window);
        let offset = (start - window_start) as usize;
        let bytes = window.slice(offset..offset + length);
        file.keep(window_start, window);
        Ok(bytes)
    }
}

/// Memory that pieces of files were read into, for the next ones: it need not be zeroed, nor asked of the system.
static FREE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Memory that a piece of a file is read into.
struct Window {
    memory: Vec<u8>,
    length: usize,
}

impl Window {
    fn of(length: usize) -> Self {
        let mut memory =
            if length <= WINDOW_MAX_BYTES { FREE.lock().pop() } else { None }.unwrap_or_default();
        if memory.len() < length {
            memory = vec![0; length];
        }
        Self { memory, length }
    }
}

impl AsRef<[u8]> for Window {
    fn as_ref(&self) -> &[u8] {
        &self.memory[..self.length]
    }
}

impl AsMut<[u8]> for Window {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.length]
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if self.memory.len() <= WINDOW_MAX_BYTES {
            let mut free = FREE.lock();
            if free.len() < MAX_FREE {
                free.push(std::mem::take(&mut self.memory));
            }
        }
    }
}

/// Whether an open reader has some bytes.
enum Kept {
    There(Bytes),
    /// It has those before them.
    Next,
    No,
}

impl Checked {
    fn kept(&self, start: u64, end: u64) -> Kept {
        let windows = self.windows.lock();
        let end_of = |offset: u64, window: &Bytes| offset + window.len() as u64;
        let begins = |(offset, window): &&(u64, Bytes)| *offset <= start && start <= end_of(*offset, window);
        let mut has_begin = windows.iter().filter(begins).peekable();
        if has_begin.peek().is_none() {
            return Kept::No;
        }
        match has_begin.find(|(offset, window)| end <= end_of(*offset, window)) {
            Some((offset, window)) => {
                Kept::There(window.slice((start - offset) as usize..(end - offset) as usize))
            }
            None => Kept::Next,
        }
    }

    fn keep(&self, offset: u64, window: Bytes) {
        if window.len() <= WINDOW_MAX_BYTES {
            let mut windows = self.windows.lock();
            windows.truncate(WINDOWS - 1);
            windows.push_front((offset, window));
        }
    }
}

fn damaged(path: &Path, how: std::fmt::Arguments<'_>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged: {how}", path.display()))
}

/// An error of the system, which does not say of which file it is.
fn unread(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{} cannot be read: {error}", path.display()))
}

/// Whether an error means that the file is damaged or gone, as opposed to a disk that failed for now.
pub(crate) fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, NotFound, UnexpectedEof};
    matches!(error.kind(), NotFound | UnexpectedEof | InvalidData)
}

impl Length for CheckedFile {
    fn len(&self) -> u64 {
        self.0.sums.bytes
    }
}

impl ChunkReader for CheckedFile {
    type T = CheckedRead;

    fn get_read(&self, start: u64) -> Result<CheckedRead, ParquetError> {
        Ok(CheckedRead { file: self.clone(), offset: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        Ok(self.read(start, length)?)
    }
}

/// Reads on from some offset.
pub(crate) struct CheckedRead {
    file: CheckedFile,
    offset: u64,
}

impl Read for CheckedRead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.file.len().saturating_sub(self.offset);
        let length = into.len().min(AHEAD_BYTES as usize).min(usize::try_from(left).unwrap_or(usize::MAX));
        into[..length].copy_from_slice(&self.file.read(self.offset, length)?);
        self.offset += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::{Disk, Vfs};

    fn written(dir: &Path, content: &[u8]) -> (PathBuf, Arc<Sums>) {
        let path = dir.join("file");
        let mut writer = SummingWriter::new(Disk.create(&path).expect("create"));
        writer.write_all(content).expect("write");
        (path, Arc::new(writer.finish().expect("finish")))
    }

    #[test]
    fn any_range_of_a_summed_file_reads_back() {
        let dir = tempfile::tempdir().expect("dir");
        let content: Vec<u8> = (0..BLOCK_BYTES * 3 + 17).map(|i| (i % 251) as u8).collect();
        let (path, sums) = written(dir.path(), &content);
        let sums = Arc::new(Sums::from_blob(sums.bytes, BLOCK_BYTES as u64, &sums.to_blob()));
        let file = CheckedFile::new(Disk.open(&path).expect("open"), sums, &path, Arc::default())
            .expect("same size");
        for (start, length) in
            [(0, 1), (BLOCK_BYTES - 3, 6), (BLOCK_BYTES, BLOCK_BYTES), (5, BLOCK_BYTES * 3)]
        {
            let read = file.get_bytes(start as u64, length).expect("read");
            assert_eq!(read, content[start..start + length], "{start} {length}");
        }
        let mut rest = Vec::new();
        file.get_read(7).expect("reader").read_to_end(&mut rest).expect("read");
        assert_eq!(rest, content[7..]);
    }

    #[test]
    fn a_flipped_bit_a_cut_and_a_wild_offset_are_damage() {
        let dir = tempfile::tempdir().expect("dir");
        let mut content = vec![7; BLOCK_BYTES * 2];
        let (path, sums) = written(dir.path(), &content);
        let open =
            || CheckedFile::new(Disk.open(&path).expect("open"), Arc::clone(&sums), &path, Arc::default());
        open().expect("same size").verify().expect("whole");
        let error = open().expect("whole").read(BLOCK_BYTES as u64 * 2, 1).expect_err("outside");
        assert!(is_damage(&error));
        content[BLOCK_BYTES + 5] ^= 1;
        std::fs::write(&path, &content).expect("flip");
        let file = open().expect("same size");
        assert!(file.get_bytes(0, BLOCK_BYTES).is_ok(), "the first block is whole");
        assert!(is_damage(&file.read(BLOCK_BYTES as u64, 1).expect_err("flipped")));
        assert!(is_damage(&open().expect("same size").verify().expect_err("flipped")));
        std::fs::write(&path, &content[1..]).expect("cut");
        assert!(open().is_err());
    }
}
