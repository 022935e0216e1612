//! Segments: files of the log, each with a header and then records.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::EngineError;
use crate::layout::Layout;
use crate::vfs::{AppendFile, ReadFile, Vfs};

/// Bytes before the first record.
pub(crate) const HEADER_BYTES: usize = 24;
/// The version of the log's format. Version 1 is read too: it has samples in another kind of section.
pub(crate) const VERSION: u32 = 2;
const OLDEST_VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"WKPRWAL\n";

/// The first bytes of a segment.
pub(crate) fn header(id: u64, version: u32) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&version.to_le_bytes());
    bytes[12..20].copy_from_slice(&id.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..20]);
    bytes[20..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// What the first bytes of a segment say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderState {
    /// It is a segment with this number.
    Good,
    /// It is one of another version.
    Version(u32),
    /// It is none, or not with this number.
    Bad,
}

/// Checks a header.
pub(crate) fn check_header(bytes: &[u8; HEADER_BYTES], id: u64) -> HeaderState {
    let (rest, crc) = bytes.split_at(20);
    let version = rest[8..12].first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
    if *bytes == header(id, version) && (OLDEST_VERSION..=VERSION).contains(&version) {
        return HeaderState::Good;
    }
    let is_header = rest.starts_with(MAGIC) && crc32c::crc32c(rest).to_le_bytes() == crc;
    if is_header && !(OLDEST_VERSION..=VERSION).contains(&version) {
        HeaderState::Version(version)
    } else {
        HeaderState::Bad
    }
}

/// The segment that is being written.
pub(crate) struct SegmentWriter {
    pub(crate) id: u64,
    pub(crate) bytes: u64,
    path: PathBuf,
    file: Box<dyn AppendFile>,
}

impl SegmentWriter {
    /// Begins a segment, durably. Where there is no room for it, nothing of it is left.
    pub(crate) fn create(vfs: &dyn Vfs, layout: &Layout, id: u64) -> Result<Self, EngineError> {
        let path = layout.segment(id);
        let begin = || {
            let mut file = vfs.create(&path).map_err(EngineError::io("create", &path))?;
            file.append(&header(id, VERSION)).map_err(EngineError::io("write", &path))?;
            file.sync().map_err(EngineError::io("sync", &path))?;
            vfs.sync_dir(&layout.wal_dir()).map_err(EngineError::io("sync", layout.wal_dir()))?;
            Ok(file)
        };
        match begin() {
            Ok(file) => Ok(Self { id, bytes: HEADER_BYTES as u64, path, file }),
            Err(error) => {
                if EngineError::is_for_want_of_room(&error) {
                    Self::remove_unbegun(vfs, layout, id)?;
                }
                Err(error)
            }
        }
    }

    /// A segment after the one that is written would make a start take that one's torn end for damage.
    fn remove_unbegun(vfs: &dyn Vfs, layout: &Layout, id: u64) -> Result<(), EngineError> {
        let path = layout.segment(id);
        match vfs.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(EngineError::undoing("remove", path)(error))
            }
            _ => vfs.sync_dir(&layout.wal_dir()).map_err(EngineError::undoing("sync", layout.wal_dir())),
        }
    }

    /// Adds records, durably. Where there is no room for them, nothing of them is left.
    pub(crate) fn commit(&mut self, records: &[u8]) -> Result<(), EngineError> {
        if let Err(error) = self.file.append(records).map_err(EngineError::io("write", &self.path)) {
            if error.is_for_want_of_room() {
                self.file.cut(self.bytes).map_err(EngineError::undoing("cut", &self.path))?;
                self.file.sync().map_err(EngineError::undoing("sync", &self.path))?;
            }
            return Err(error);
        }
        // What a failed sync has left on the disk nobody knows, also when it says that there was no room.
        self.file.sync().map_err(EngineError::undoing("sync", &self.path))?;
        self.bytes += records.len() as u64;
        Ok(())
    }
}

/// Opens a segment to read it through, and says how long it is.
pub(crate) fn read(vfs: &dyn Vfs, layout: &Layout, id: u64) -> io::Result<(BufReader<SegmentRead>, u64)> {
    let file = vfs.open(&layout.segment(id))?;
    let length = file.bytes()?;
    Ok((BufReader::with_capacity(1 << 20, SegmentRead { file, offset: 0, length }), length))
}

/// Reads a segment from its beginning.
pub(crate) struct SegmentRead {
    file: Arc<dyn ReadFile>,
    offset: u64,
    length: u64,
}

impl Read for SegmentRead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length - self.offset).unwrap_or(usize::MAX);
        let length = into.len().min(left);
        self.file.read_at(&mut into[..length], self.offset)?;
        self.offset += length as u64;
        Ok(length)
    }
}

/// The segments that there are, with their sizes.
#[derive(Debug, Default)]
pub(crate) struct Segments(Mutex<BTreeMap<u64, u64>>);

impl Segments {
    /// Notes the size of a segment.
    pub(crate) fn note(&self, id: u64, bytes: u64) {
        self.0.lock().insert(id, bytes);
    }

    /// Bytes of all segments.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.lock().values().sum()
    }

    /// The first from `from` on that is written no more, with its size.
    pub(crate) fn closed(&self, from: u64) -> Option<(u64, u64)> {
        let sizes = self.0.lock();
        let (last, _) = sizes.last_key_value()?;
        sizes.range(from..*last.max(&from)).next().map(|(id, bytes)| (*id, *bytes))
    }

    /// Removes the segments before `first_kept`, whose records are all in files.
    pub(crate) fn remove_before(
        &self,
        vfs: &dyn Vfs,
        layout: &Layout,
        first_kept: u64,
    ) -> Result<(), EngineError> {
        let gone: Vec<u64> = self.0.lock().range(..first_kept).map(|(id, _)| *id).collect();
        for id in gone {
            let path = layout.segment(id);
            match vfs.remove(&path) {
                // Somebody else has removed it; its records are in files all the same.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => result.map_err(EngineError::io("remove", &path))?,
            }
            self.0.lock().remove(&id);
        }
        vfs.sync_dir(&layout.wal_dir()).map_err(EngineError::io("sync", layout.wal_dir()))
    }
}
