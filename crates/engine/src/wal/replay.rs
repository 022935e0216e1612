//! Reading the log back when the store is opened.
//!
//! A torn end of the last segment is what a crash leaves of a write that was never acknowledged: it is
//! cut off. A bad record anywhere else, or before a good one, is damage to acknowledged data: the rest
//! of that segment is put aside for people to look at, and the segments after it are read all the same.
//! A record that is whole and cannot be read, because no version that we know wrote it, is put aside alone.
//! Records that are missing are told, by their numbers.
//!
//! One thread reads and decodes, ahead of the one that puts what it finds into the head.

use std::io::{self, Read};
use std::sync::mpsc;
use std::thread;

use arrow::array::RecordBatch;
use model::{Histograms, LabelsRef, SampleRun};
use store::Table;

use crate::EngineError;
use crate::core::Core;
use crate::head::Head;
use crate::layout::{Layout, is_temporary, quarantined_id, segment_id, temporary};
use crate::vfs::Vfs;
use crate::wal::payload::{Decoder, Sink};
use crate::wal::piece::{Pieces, WAITING};
use crate::wal::record::{self, Header};
use crate::wal::segment::{self, HeaderState};

/// Bytes that are copied at a time.
const COPIED_BYTES: usize = 1 << 20;

/// The segments on the disk, in order. Copies that a crash left unfinished are removed.
pub(crate) fn segments(core: &Core) -> Result<Vec<u64>, EngineError> {
    let dir = core.layout.wal_dir();
    let entries = core.vfs.list(&dir).map_err(EngineError::io("list", &dir))?;
    for path in entries.iter().map(|entry| dir.join(&entry.name)).filter(|path| is_temporary(path)) {
        core.vfs.remove(&path).map_err(EngineError::io("remove", path))?;
    }
    let mut ids: Vec<u64> = entries.iter().filter_map(|entry| segment_id(&entry.name)).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// How reading a segment ended.
#[derive(Debug)]
pub(crate) enum End {
    /// At the end of the file.
    Whole,
    /// The header is of another version.
    Version(u32),
    /// At bytes that are no record.
    /// `cut` when the file ends in a record.
    Bad { offset: u64, why: String, cut: bool },
}

/// Reads one segment into the head. `sequence` is the last record before it, and becomes the last in it.
/// Records up to `watermark` are in files already.
pub(crate) fn replay(
    core: &Core,
    id: u64,
    is_last: bool,
    watermark: u64,
    sequence: &mut u64,
) -> Result<(), EngineError> {
    let path = core.layout.segment(id);
    let (mut reader, length) =
        segment::read(&*core.vfs, &core.layout, id).map_err(EngineError::io("open", &path))?;
    let found = read_records(core, &core.head(), &mut reader, id, length, watermark)
        .map_err(EngineError::io("read", &path))?;
    drop(reader);
    if let Some((first, last)) = found.sequences {
        tell_missing(core, id, *sequence, first)?;
        *sequence = last.max(*sequence);
    }
    put_records_aside(core, id, &found.unreadable)?;
    match found.end {
        End::Whole => {
            if is_last {
                // A process that died between a write and its sync leaves records that only the kernel
                // has. From here on they count as stored, so the disk must have them.
                write_anew(core, id, length)?;
            }
            core.segments.note(id, length);
        }
        End::Version(found) => {
            return Err(EngineError::FormatVersion { path, found, known: segment::VERSION });
        }
        End::Bad { offset, why, .. } => {
            let torn = is_last && !goes_on(&rest_of(core, id, offset, length)?, id, *sequence);
            if torn {
                tracing::warn!(segment = id, offset, "cut off the torn end of the write-ahead log");
                core.telemetry.wal.torn_tails.inc();
            } else {
                tracing::error!(
                    segment = id,
                    offset,
                    why,
                    "the write-ahead log is corrupt: its rest is put aside"
                );
                core.telemetry.wal.corrupt_records.inc();
                put_aside(core, id, offset, length)?;
            }
            cut(core, id, offset)?;
        }
    }
    Ok(())
}

/// Tells of records between the last before a segment and its first that are nowhere: somebody has removed a
/// segment, or the disk has lost one. What was put aside before is no news; and a catalog that has never taken
/// note of a record does not know where the log began.
fn tell_missing(core: &Core, id: u64, before: u64, first: u64) -> Result<(), EngineError> {
    let missing = first.saturating_sub(before.saturating_add(1));
    if missing == 0 || before == 0 || is_put_aside(core, id)? {
        return Ok(());
    }
    core.telemetry.wal.missing_records.inc_by(missing);
    tracing::error!(
        segment = id,
        after = before,
        before = first,
        missing,
        "records of the write-ahead log are missing: a file of the folder wal was removed or lost; what is in \
         the others is kept"
    );
    Ok(())
}

/// Whether something of the segments just before `id` lies in the quarantine.
fn is_put_aside(core: &Core, id: u64) -> Result<bool, EngineError> {
    let kept = segments(core)?.into_iter().filter(|kept| *kept < id).max().unwrap_or(0);
    let dir = core.layout.quarantine_dir();
    let entries = core.vfs.list(&dir).map_err(EngineError::io("list", dir))?;
    Ok(entries.iter().filter_map(|entry| quarantined_id(&entry.name)).any(|put| (kept..id).contains(&put)))
}

/// What was read of a segment.
struct Found {
    end: End,
    /// The numbers of its first and last record.
    sequences: Option<(u64, u64)>,
    unreadable: Vec<Unreadable>,
}

/// A record that is whole and cannot be read.
struct Unreadable {
    offset: u64,
    bytes: u64,
}

fn read_records(
    core: &Core,
    head: &Head,
    reader: &mut (impl Read + Send),
    id: u64,
    length: u64,
    watermark: u64,
) -> io::Result<Found> {
    let (to, pieces) = mpsc::sync_channel(WAITING);
    thread::scope(|scope| {
        let decoding =
            thread::Builder::new().name("store-replay".to_owned()).spawn_scoped(scope, move || {
                decode_records(core, reader, id, length, watermark, Pieces::new(to))
            })?;
        let (mut sink, mut ids) = (IntoHead { head }, Vec::new());
        for piece in pieces {
            piece.give(&mut ids, &mut sink);
            head.touch();
        }
        decoding.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn decode_records(
    core: &Core,
    reader: &mut impl Read,
    id: u64,
    length: u64,
    watermark: u64,
    mut into: Pieces,
) -> io::Result<Found> {
    let mut decoder = Decoder::default();
    let (mut sequences, mut unreadable) = (None, Vec::new());
    let end = walk(reader, id, length, |record| {
        let (first, _) = *sequences.get_or_insert((record.sequence, record.sequence));
        sequences = Some((first, record.sequence));
        if record.sequence <= watermark {
            return;
        }
        core.telemetry.wal.replayed_records.inc();
        if let Err(error) = decoder.decode(record.payload, &mut into) {
            tracing::error!(
                segment = id,
                offset = record.offset,
                record = record.sequence,
                error = &error as &dyn std::error::Error,
                "a record of the write-ahead log is whole and cannot be read: it is put aside"
            );
            core.telemetry.wal.corrupt_records.inc();
            unreadable.push(Unreadable { offset: record.offset, bytes: record.bytes() });
        }
    })?;
    into.send();
    Ok(Found { end, sequences, unreadable })
}

/// A record of a segment.
pub(crate) struct Record<'a> {
    pub(crate) sequence: u64,
    /// Where it begins in the segment.
    pub(crate) offset: u64,
    pub(crate) payload: &'a [u8],
}

impl Record<'_> {
    fn bytes(&self) -> u64 {
        (record::HEADER_BYTES + self.payload.len()) as u64
    }
}

/// Goes over the records of a segment, and gives each to `take`.
pub(crate) fn walk(
    reader: &mut impl Read,
    id: u64,
    length: u64,
    mut take: impl FnMut(&Record<'_>),
) -> io::Result<End> {
    let bad = |offset, why: &str| Ok(End::Bad { offset, why: why.to_owned(), cut: false });
    let cut = |offset, why: &str| Ok(End::Bad { offset, why: why.to_owned(), cut: true });
    let mut start = [0; segment::HEADER_BYTES];
    if length < start.len() as u64 {
        return cut(0, "the segment's header is cut off");
    }
    reader.read_exact(&mut start)?;
    match segment::check_header(&start, id) {
        HeaderState::Good => {}
        HeaderState::Version(found) => return Ok(End::Version(found)),
        HeaderState::Bad => return bad(0, "the segment's header is bad"),
    }
    let mut payload = Vec::new();
    let mut offset = segment::HEADER_BYTES as u64;
    let mut previous = None;
    while offset < length {
        let mut header = [0; record::HEADER_BYTES];
        let left = length - offset;
        if left < header.len() as u64 {
            return cut(offset, "a record's header is cut off");
        }
        reader.read_exact(&mut header)?;
        let Some(header) = Header::parse(&header) else { return bad(offset, "a record's header is bad") };
        if left < (record::HEADER_BYTES + header.length) as u64 {
            return cut(offset, "a record is cut off");
        }
        payload.resize(header.length, 0);
        reader.read_exact(&mut payload)?;
        let follows = previous.is_none_or(|previous: u64| previous.checked_add(1) == Some(header.sequence));
        if !header.matches(id, &payload) || !follows {
            return bad(offset, "a record's checksum or number is wrong");
        }
        let record = Record { sequence: header.sequence, offset, payload: &payload };
        take(&record);
        previous = Some(header.sequence);
        offset += record.bytes();
    }
    Ok(End::Whole)
}

/// What a look at a segment has found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    Sound,
    Damaged(String),
    /// The file ends in a record or in zeros, as a process leaves it that was killed while it wrote.
    Torn(String),
}

/// Reads and checks every record of a segment, and changes nothing.
pub(crate) fn look(vfs: &dyn Vfs, layout: &Layout, id: u64) -> io::Result<State> {
    let (mut reader, length) = segment::read(vfs, layout, id)?;
    let mut last = 0;
    Ok(match walk(&mut reader, id, length, |record| last = record.sequence)? {
        End::Whole => State::Sound,
        End::Version(found) => {
            State::Damaged(format!("it has format version {found}; this version reads {}", segment::VERSION))
        }
        End::Bad { offset, why, cut } => {
            let text = format!("{why}, at byte {offset} of {length}");
            let mut rest = vec![0; usize::try_from(length - offset).map_err(io::Error::other)?];
            vfs.open(&layout.segment(id))?.read_at(&mut rest, offset)?;
            // A power cut leaves zeros where a file had grown and its bytes had not come.
            let is_torn = cut || rest.iter().all(|byte| *byte == 0);
            if is_torn && !goes_on(&rest, id, last) { State::Torn(text) } else { State::Damaged(text) }
        }
    })
}

/// Whether a segment whose last record seems to be cut off is whole but for a wrong length: the record's own, or
/// that of one before others.
fn goes_on(rest: &[u8], id: u64, last: u64) -> bool {
    let is_whole = rest.split_first_chunk::<{ record::HEADER_BYTES }>().is_some_and(|(header, payload)| {
        let mut header = *header;
        header[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        Header::parse(&header).is_some_and(|header| header.matches(id, payload))
    });
    is_whole || rest.get(1..).is_some_and(|rest| record::any_after(rest, id, last))
}

/// Puts what the log holds into the head. What had been refused is not in the log; what had been counted
/// as a double is one again.
pub(crate) struct IntoHead<'a> {
    pub(crate) head: &'a Head,
}

impl Sink for IntoHead<'_> {
    fn series(&mut self, labels: LabelsRef<'_>) -> u32 {
        self.head.metrics.define(labels)
    }

    fn samples<'a>(&mut self, all: impl Iterator<Item = (u32, SampleRun<'a>)>, histograms: &Histograms) {
        self.head.metrics.append(all, histograms);
    }

    fn rows(&mut self, table: Table, rows: RecordBatch) {
        self.head.events.append(table, rows).expect("rows in a table's schema can be joined");
    }
}

fn rest_of(core: &Core, id: u64, offset: u64, length: u64) -> Result<Vec<u8>, EngineError> {
    let path = core.layout.segment(id);
    let read = || {
        let mut rest = vec![0; usize::try_from(length - offset).map_err(io::Error::other)?];
        core.vfs.open(&path)?.read_at(&mut rest, offset)?;
        Ok(rest)
    };
    read().map_err(EngineError::io("read", &path))
}

/// Copies the rest of a segment to the quarantine, durably.
fn put_aside(core: &Core, id: u64, offset: u64, length: u64) -> Result<(), EngineError> {
    let rest = rest_of(core, id, offset, length)?;
    let path = core.layout.quarantined_segment(id, offset);
    let write = || {
        let mut file = core.vfs.create(&path)?;
        file.append(&rest)?;
        file.sync()?;
        core.vfs.sync_dir(&core.layout.quarantine_dir())
    };
    write().map_err(EngineError::io("write", &path))
}

/// Copies records to the quarantine, one after the other, durably. The segment keeps them: a start before
/// their content would be in files finds them, and puts them aside, again.
fn put_records_aside(core: &Core, id: u64, records: &[Unreadable]) -> Result<(), EngineError> {
    let Some(first) = records.first() else { return Ok(()) };
    let (from, to) = (core.layout.segment(id), core.layout.quarantined_records(id, first.offset));
    let write = || {
        let source = core.vfs.open(&from)?;
        let mut file = core.vfs.create(&to)?;
        for record in records {
            // A record is bounded by its largest payload.
            let mut bytes = vec![0; usize::try_from(record.bytes).map_err(io::Error::other)?];
            source.read_at(&mut bytes, record.offset)?;
            file.append(&bytes)?;
        }
        file.sync()?;
        core.vfs.sync_dir(&core.layout.quarantine_dir())
    };
    write().map_err(EngineError::io("write", &to))
}

/// Cuts a segment off where its good records end, so that it is whole when it is read again.
fn cut(core: &Core, id: u64, offset: u64) -> Result<(), EngineError> {
    let path = core.layout.segment(id);
    if offset < segment::HEADER_BYTES as u64 {
        core.vfs.remove(&path).map_err(EngineError::io("remove", &path))?;
        let dir = core.layout.wal_dir();
        return core.vfs.sync_dir(&dir).map_err(EngineError::io("sync", dir));
    }
    write_anew(core, id, offset)?;
    core.segments.note(id, offset);
    Ok(())
}

/// Puts a durable copy of the first `length` bytes of a segment in its place.
///
/// To sync it would not do: when the sync of a process before has failed, the kernel takes for written
/// what the disk does not have, shows it to us, and would not write it again.
fn write_anew(core: &Core, id: u64, length: u64) -> Result<(), EngineError> {
    let path = core.layout.segment(id);
    let unfinished = temporary(&path);
    let write = || {
        let (reader, _) = segment::read(&*core.vfs, &core.layout, id)?;
        let mut reader = reader.take(length);
        let mut file = core.vfs.create(&unfinished)?;
        let mut piece = vec![0; COPIED_BYTES];
        loop {
            let read = reader.read(&mut piece)?;
            if read == 0 {
                break;
            }
            file.append(&piece[..read])?;
        }
        file.sync()?;
        core.vfs.rename(&unfinished, &path)?;
        core.vfs.sync_dir(&core.layout.wal_dir())
    };
    write().map_err(EngineError::io("write anew", &path))
}
