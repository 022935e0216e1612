//! One file that is read: open by its handle, whatever becomes of its name.

use std::fmt::Write;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::event::{Event, Flaw};
use protocol::logs::{Counts, Lines, LogOptions, LogReader, Record};

use super::beside::nanos;
use super::identity::{self, FileId, Fingerprint, PRINTED_BYTES};
use super::positions::Position;

/// What ids of records of all files begin with.
pub(super) const ID_PREFIX: &str = "file:";
/// How long a record waits for lines that may belong to it once nothing more comes.
const JOIN_WAIT: Duration = Duration::from_millis(500);
/// The same, where a line has begun that may be one of them and has no end yet.
const PART_WAIT: Duration = Duration::from_secs(5);
/// How much of two files is compared to see whether one is a copy of the other.
const COMPARED_BYTES: usize = 64 << 10;

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is written at its path.
    Live,
    /// Another one has its path, or none has: it is read to its end.
    Rotated,
    /// It was read to its end. Kept to be recognised.
    Done,
}

/// Whether a file is a copy of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copied {
    /// It is.
    Yes,
    /// So far it may be: there is less of it than would tell.
    Perhaps,
    /// It is not.
    No,
}

/// A file that is read.
#[derive(Debug)]
pub(super) struct Tailed {
    pub(super) key: String,
    /// What ids of its records begin with.
    id_prefix: String,
    /// Which entry of the configuration names it.
    pub(super) entry: usize,
    /// The path at which it was written.
    pub(super) path: String,
    pub(super) id: FileId,
    pub(super) print: Fingerprint,
    pub(super) state: State,
    /// All that lies before is stored.
    pub(super) stored: u64,
    /// All that lies before is stored or on its way there. What was read behind it is in no record yet that was given.
    given: u64,
    /// Between which times records may be stored before positions are written down anew, in nanoseconds.
    pub(super) window: Option<(i64, i64)>,
    /// How large it was when it was last looked at.
    pub(super) size: u64,
    /// When it was last changed, if it is done: in nanoseconds since the epoch.
    pub(super) modified: Option<i64>,
    /// What it begins with: never less than what was read of so much.
    begin: Vec<u8>,
    /// Whether its beginning was another one when it was last read.
    is_other: bool,
    /// None, when what is not read yet is gone.
    handle: Option<File>,
    options: Arc<LogOptions>,
    lines: Lines,
    reader: LogReader,
    /// When something was last read.
    last_read: Instant,
    /// Records that could not be read again if they cannot be stored.
    held: Vec<Event>,
}

/// What was read of a file, until it is stored.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) key: String,
    /// How far the file is stored then.
    pub(super) end: u64,
    /// Whether that is all of it, and nothing more will come.
    pub(super) is_finished: bool,
    /// Whether what was not read yet is gone.
    pub(super) is_lost: bool,
    pub(super) bytes: u64,
    pub(super) counts: Counts,
    pub(super) format: &'static str,
    /// The earliest and the latest time of its records.
    pub(super) times: Option<(i64, i64)>,
}

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) now: Timestamp,
    /// Times later than that are none of an event that has happened.
    pub(super) latest: Timestamp,
    pub(super) grace: Duration,
    pub(super) max_bytes: usize,
    pub(super) max_events: usize,
}

/// The most digits of a place in a file.
const MAX_DIGITS: usize = 20;

impl Tailed {
    /// A file that is read from `offset` on, where a line begins.
    pub(super) fn new(
        (key, entry, path): (String, usize, String),
        handle: File,
        options: Arc<LogOptions>,
        offset: u64,
    ) -> io::Result<Self> {
        let metadata = handle.metadata()?;
        let begin = identity::beginning(&handle)?;
        Ok(Self {
            id_prefix: id_prefix(&key),
            key,
            entry,
            path,
            id: FileId::of(&metadata),
            print: Fingerprint::of_bytes(&begin),
            modified: None,
            begin,
            is_other: false,
            state: State::Live,
            stored: offset,
            given: offset,
            window: None,
            size: metadata.size(),
            handle: Some(handle),
            lines: Lines::at(offset),
            reader: LogReader::new(Arc::clone(&options)),
            options,
            last_read: Instant::now(),
            held: Vec::new(),
        })
    }

    /// A file that was read to its end before, and is only to be recognised.
    pub(super) fn done(position: Position, entry: usize, options: Arc<LogOptions>) -> Self {
        Self {
            id_prefix: id_prefix(&position.key),
            key: position.key,
            entry,
            path: position.path,
            id: position.id,
            print: position.print,
            modified: position.modified,
            begin: Vec::new(),
            is_other: false,
            state: State::Done,
            stored: position.position,
            given: position.position,
            window: None,
            size: position.position,
            handle: None,
            lines: Lines::at(position.position),
            reader: LogReader::new(Arc::clone(&options)),
            options,
            last_read: Instant::now(),
            held: Vec::new(),
        }
    }

    /// Where the next byte is read.
    pub(super) fn offset(&self) -> u64 {
        self.lines.offset()
    }

    pub(super) fn handle(&self) -> Option<&File> {
        self.handle.as_ref()
    }

    /// Whether what was read before began as this does.
    pub(super) fn goes_on_from(&self, print: Fingerprint) -> bool {
        print.fits_bytes(&self.begin)
    }

    /// Whether an open file is this one.
    pub(super) fn is(&self, file: &File, id: FileId) -> bool {
        if self.id != id {
            return false;
        }
        if self.print.is_empty() {
            // Of one that was left empty nothing was read.
            return self.handle.is_some() || file.metadata().is_ok_and(|metadata| metadata.size() == 0);
        }
        self.print.fits(file).unwrap_or(false)
    }

    /// Whether an open file, which is another one, is a copy of this one.
    pub(super) fn is_copied_by(&mut self, other: &File) -> io::Result<Copied> {
        self.see_beginning();
        let size = other.metadata()?.size();
        let fits = !self.print.is_empty() && self.print.fits(other)?;
        match &self.handle {
            // More of both tells more. What grows is never shorter than its copy.
            Some(own) if !self.print.is_empty() && self.print.fits(own)? => {
                if own.metadata()?.size() < size || !has_same_beginning(own, other)? {
                    return Ok(Copied::No);
                }
                Ok(if fits { Copied::Yes } else { Copied::Perhaps })
            }
            // It was emptied, or began just now.
            Some(_) => Ok(if fits { Copied::Yes } else { Copied::No }),
            None => Ok(if fits && size == self.size { Copied::Yes } else { Copied::No }),
        }
    }

    /// Sees more of the beginning of a file of which little was there.
    fn see_beginning(&mut self) {
        if self.begin.len() < PRINTED_BYTES
            && let Some(handle) = &self.handle
            && let Ok(begin) = identity::beginning(handle)
            // What was emptied just now must not be taken for what it was.
            && begin.starts_with(&self.begin)
        {
            self.take_beginning(begin);
        }
    }

    fn take_beginning(&mut self, begin: Vec<u8>) {
        self.print = Fingerprint::of_bytes(&begin);
        self.begin = begin;
    }

    /// Whether its writer has emptied it, and may have begun anew.
    pub(super) fn was_emptied(&self, size: u64) -> bool {
        if size < self.offset() {
            return true;
        }
        // Only what has changed can begin with something else.
        (size != self.size || self.is_other)
            && self.handle.as_ref().is_some_and(|handle| !self.print.fits(handle).unwrap_or(true))
    }

    /// The same, of the file as it is at this moment.
    pub(super) fn is_emptied_now(&self) -> bool {
        let size =
            self.handle.as_ref().and_then(|handle| handle.metadata().ok()).map(|metadata| metadata.size());
        size.is_some_and(|size| self.was_emptied(size))
    }

    /// Goes on with a copy that was made before the file was emptied, or with nothing where there is none.
    pub(super) fn go_on_with(&mut self, copy: Option<File>) -> io::Result<()> {
        self.state = State::Rotated;
        self.handle = None;
        self.is_other = false;
        if let Some(copy) = copy {
            let metadata = copy.metadata()?;
            (self.id, self.size) = (FileId::of(&metadata), metadata.size());
            self.handle = Some(copy);
        }
        Ok(())
    }

    /// Sees that its path is no longer its own.
    pub(super) fn rotate(&mut self) {
        if self.state == State::Live {
            self.state = State::Rotated;
            self.last_read = Instant::now();
        }
    }

    /// Ends reading.
    pub(super) fn finish(&mut self) {
        self.state = State::Done;
        self.modified = self
            .handle
            .take()
            .and_then(|handle| handle.metadata().ok())
            .and_then(|metadata| nanos(&metadata));
        self.window = None;
        self.held = Vec::new();
    }

    /// What is stored is stored.
    pub(super) fn settle(&mut self, end: u64) {
        self.stored = end;
        self.given = self.given.max(end);
        self.held = Vec::new();
    }

    /// Whether there is nothing to be read and nothing waits: most files at most times.
    pub(super) fn is_idle(&self) -> bool {
        self.state == State::Done
            || self.state == State::Live
                && self.size == self.offset()
                && !self.reader.is_open()
                && self.held.is_empty()
    }

    /// Whether more of it can be read while what was read before is still being stored: it has its path and its handle, so
    /// that nothing of it ends, is lost or has to be held.
    pub(super) fn can_be_read_ahead(&self) -> bool {
        self.state == State::Live && self.handle.is_some() && self.held.is_empty() && !self.is_other
    }

    /// Bytes that are not stored yet.
    pub(super) fn lag(&self) -> u64 {
        self.size.max(self.offset()).saturating_sub(self.stored)
    }

    /// Reads on, from where reading stands to the end of the file or to a bound. Says whether it came to the end.
    pub(super) fn read(
        &mut self,
        how: Reading,
        buffer: &mut [u8],
        into: &mut Vec<Event>,
    ) -> io::Result<(Taken, bool)> {
        let before = into.len();
        let (begun, mut bytes, mut is_at_end) = (self.offset(), 0, false);
        self.reader.set_now(how.now);
        into.extend(self.held.iter().cloned());
        let mut times = span_of(None, &into[before..]);
        while bytes < how.max_bytes && into.len() < how.max_events {
            let Some(handle) = &self.handle else {
                is_at_end = true;
                break;
            };
            match handle.read_at(buffer, begun + bytes as u64) {
                Ok(0) => {
                    is_at_end = true;
                    break;
                }
                Ok(length) => {
                    self.read_at_beginning(begun + bytes as u64, &buffer[..length]);
                    bytes += length;
                    let known = into.len();
                    let (lines, reader, prefix) = (&mut self.lines, &mut self.reader, &self.id_prefix);
                    lines.feed(&buffer[..length], |line| {
                        reader.line(line, &mut |record| into.push(event(prefix, record, how)));
                    });
                    // While they are still near: a pass has megabytes of them.
                    times = span_of(times, &into[known..]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What was read before it counts; the next read meets it again.
                Err(_) if bytes > 0 => break,
                Err(error) => return Err(error),
            }
        }
        if bytes > 0
            && let Err(became) = self.check_beginning()
        {
            into.truncate(before);
            self.go_back_to(self.given);
            self.is_other = true;
            return became.map_or_else(|| Ok((self.nothing(), true)), Err);
        }
        if bytes > 0 {
            self.last_read = Instant::now();
            self.size = self.size.max(self.offset());
        }
        let known = into.len();
        let is_finished = is_at_end && self.end(how, into);
        times = span_of(times, &into[known..]);
        self.given = if is_finished { self.offset() } else { self.reader.passed().max(self.given) };
        let taken = Taken {
            key: self.key.clone(),
            end: self.given,
            is_finished,
            is_lost: false,
            bytes: bytes as u64,
            counts: self.reader.take_counts(),
            format: self.options.format.as_str(),
            times,
        };
        Ok((taken, is_at_end))
    }

    /// Remembers what was read of the beginning.
    fn read_at_beginning(&mut self, at: u64, piece: &[u8]) {
        let known = self.begin.len();
        let from = usize::try_from(at).ok().and_then(|at| known.checked_sub(at));
        let room = PRINTED_BYTES.saturating_sub(known);
        if let Some(more) = from.and_then(|from| piece.get(from..))
            && room > 0
            && !more.is_empty()
        {
            let mut begin = std::mem::take(&mut self.begin);
            begin.extend_from_slice(&more[..more.len().min(room)]);
            self.take_beginning(begin);
        }
    }

    /// Refuses what was read where the file was emptied and begun anew meanwhile: nothing says of which of both it is.
    fn check_beginning(&self) -> Result<(), Option<io::Error>> {
        match self.handle.as_ref().map(|handle| self.print.fits(handle)) {
            Some(Ok(true)) => Ok(()),
            Some(Ok(false)) | None => Err(None),
            Some(Err(error)) => Err(Some(error)),
        }
    }

    /// Nothing was taken: of a file that has no path of its own any more nothing will be.
    fn nothing(&mut self) -> Taken {
        let is_lost = self.state == State::Rotated;
        if is_lost {
            self.handle = None;
        }
        Taken {
            key: self.key.clone(),
            end: self.given,
            is_finished: false,
            is_lost,
            bytes: 0,
            counts: self.reader.take_counts(),
            format: self.options.format.as_str(),
            times: None,
        }
    }

    /// At the end of what there is: gives the record that waits for more when none comes, and says whether no more will.
    fn end(&mut self, how: Reading, into: &mut Vec<Event>) -> bool {
        let quiet = self.last_read.elapsed();
        let is_rotated = self.state == State::Rotated;
        let is_over = is_rotated && (self.handle.is_none() || quiet >= how.grace);
        let (lines, reader, prefix) = (&mut self.lines, &mut self.reader, &self.id_prefix);
        let before = into.len();
        if is_over {
            lines.finish(|line| reader.line(line, &mut |record| into.push(event(prefix, record, how))));
        }
        let is_waited_for =
            if lines.has_part() { quiet >= PART_WAIT } else { is_rotated || quiet >= JOIN_WAIT };
        if is_over || is_waited_for {
            reader.flush(&mut |record| into.push(event(prefix, record, how)));
        }
        if self.handle.is_none() {
            self.held.extend(into[before..].iter().cloned());
        }
        is_over
    }

    /// Goes back to what is stored: what was read after it could not be.
    pub(super) fn go_back(&mut self) {
        self.go_back_to(self.stored);
    }

    fn go_back_to(&mut self, offset: u64) {
        if self.handle.is_some() {
            self.given = offset;
            self.lines = Lines::at(offset);
            self.reader = LogReader::new(Arc::clone(&self.options));
        }
    }

    /// What is kept of it over restarts.
    pub(super) fn position(&self) -> Position {
        Position {
            key: self.key.clone(),
            path: self.path.clone(),
            id: self.id,
            print: self.print,
            position: self.stored,
            is_done: self.state == State::Done,
            window: self.window,
            modified: self.modified,
            absent_since: None,
        }
    }
}

/// The earliest and the latest time of events, with those that are known.
fn span_of(known: Option<(i64, i64)>, events: &[Event]) -> Option<(i64, i64)> {
    let times = events.iter().map(|event| event.time().as_nanos());
    times.fold(known, |span, time| {
        let (from, to) = span.unwrap_or((time, time));
        Some((time.min(from), time.max(to)))
    })
}

/// A record as an event, under an id that says where it ends.
fn event(id_prefix: &str, record: Record, how: Reading) -> Event {
    let Record { mut log, end } = record;
    let mut id = String::with_capacity(id_prefix.len() + MAX_DIGITS);
    id.push_str(id_prefix);
    // A text takes whatever is written to it.
    _ = write!(id, "{end}");
    log.event_id = Some(id);
    log.observed_time = Some(how.now);
    if log.time > how.latest {
        // A clock that is wrong, or a zone: the record is worth more than its time.
        log.attributes.insert("log.time".to_owned(), log.time.to_string());
        log.time = how.now;
        log.flaws.insert(Flaw::NoTime);
    }
    Event::Log(log)
}

/// What ids of records of a file begin with.
fn id_prefix(key: &str) -> String {
    format!("{ID_PREFIX}{key}:")
}

/// Where the last line of a file begins that has no end yet; its end where there is none such.
pub(super) fn last_line(file: &File, size: u64) -> io::Result<u64> {
    let mut end = vec![0; COMPARED_BYTES.min(usize::try_from(size).unwrap_or(COMPARED_BYTES))];
    let from = size - end.len() as u64;
    let mut length = 0;
    while length < end.len() {
        match file.read_at(&mut end[length..], from + length as u64)? {
            0 => break,
            read => length += read,
        }
    }
    let last = end[..length].iter().rposition(|byte| *byte == b'\n');
    Ok(last.map_or(size, |last| from + last as u64 + 1))
}

/// Whether two files begin alike, as far as both go and are compared.
fn has_same_beginning(one: &File, other: &File) -> io::Result<bool> {
    let (mut left, mut right) = (vec![0; COMPARED_BYTES], vec![0; COMPARED_BYTES]);
    let length = one.read_at(&mut left, 0)?.min(other.read_at(&mut right, 0)?);
    Ok(left[..length] == right[..length])
}
