//! From lines to records.

use std::borrow::Cow;
use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use model::Timestamp;
use model::event::{Flaw, Flaws, Level, LogEvent, Origin};
use model::pem::{KeyMark, KeyRun, is_key_header, key_marks, key_part, may_have_key_mark};

use super::clock::Clock;
use super::draft::{Finished, Whence};
use super::lines::Line;
use super::looks::{self, Seen};
use super::options::{LogFormat, LogOptions, Multiline};
use super::severity::Severity;
use super::trace::Trace;
use super::{access, json, logfmt, text};

/// The most lines of one record; further ones are left out.
pub const MAX_JOINED_LINES: usize = 2_000;
/// The most bytes of one record.
pub const MAX_JOINED_BYTES: usize = 256 << 10;
/// The most origins that are remembered: loggers of a service, and processes, mostly.
const MAX_ORIGINS: usize = 256;

/// A record, and where the stream goes on after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What it says.
    pub log: Box<LogEvent>,
    /// Where its last line ends, in bytes from the beginning of the stream.
    pub end: u64,
}

/// What a reader has met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines.
    pub lines: u64,
    /// Records.
    pub records: u64,
    /// Lines that were too long, and records of too many.
    pub cut: u64,
    /// Lines with bytes that are no text.
    pub binary: u64,
    /// Lines that are not what the format says, and were kept as they are.
    pub unparsed: u64,
}

/// Reads the lines of one stream.
#[derive(Debug)]
pub struct LogReader {
    options: Arc<LogOptions>,
    clock: Clock,
    origin: Arc<Origin>,
    origins: HashMap<Whence, Arc<Origin>>,
    /// That of the record before: as a rule the next one has the same.
    last: Option<(Box<Whence>, Arc<Origin>)>,
    open: Option<Open>,
    /// Up to here all lines are in records that were given, or have nothing to say.
    passed: u64,
    counts: Counts,
}

/// A record to which lines may still belong.
#[derive(Debug)]
struct Open {
    log: Box<LogEvent>,
    end: u64,
    /// Whether its first line had a time or a level in front.
    is_headed: bool,
    /// Few have one, or a key: what is moved with every line is small.
    trace: Option<Box<(Trace, String)>>,
    lines: usize,
    bytes: usize,
    /// Empty lines that belong to it if another line does.
    blank: usize,
    is_cut: bool,
    /// The private key that its last line is of, if it goes on.
    key: Option<Box<KeyRun>>,
}

impl LogReader {
    /// For a stream of which nothing was read.
    pub fn new(options: Arc<LogOptions>) -> Self {
        let clock = Clock::new(options.zone.clone(), Timestamp::default());
        let origin = Arc::new(options.origin.clone());
        Self {
            clock,
            origin,
            origins: HashMap::new(),
            last: None,
            open: None,
            passed: 0,
            counts: Counts::default(),
            options,
        }
    }

    /// What time it is: for lines that have no time, and for times that have no year.
    pub fn set_now(&mut self, now: Timestamp) {
        self.clock.set(now);
    }

    /// How far the stream is in records that were given.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// Whether there is a record to which lines may still belong.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// What was met since it was last asked.
    pub fn take_counts(&mut self) -> Counts {
        mem::take(&mut self.counts)
    }

    /// Reads a line, and gives the records that are whole with it.
    pub fn line(&mut self, line: Line<'_>, each: &mut impl FnMut(Record)) {
        self.counts.lines += 1;
        let (text, is_binary) = decoded(line.bytes);
        let mut flaws = Flaws::NONE;
        if is_binary {
            self.counts.binary += 1;
            flaws.insert(Flaw::Binary);
        }
        if line.cut > 0 {
            self.counts.cut += 1;
            flaws.insert(Flaw::Text);
        }
        if text.trim_ascii().is_empty() {
            match &mut self.open {
                Some(open) => {
                    open.blank += 1;
                    open.end = line.end;
                }
                None => self.passed = line.end,
            }
            return;
        }
        if let Some(open) = &mut self.open
            && (open.takes_of_key(&self.options.multiline, &text) || belongs(&self.options, open, &text))
        {
            open.add(&text, &mut self.counts);
            open.see_key(&text);
            open.end = line.end;
            open.log.flaws = open.log.flaws.join(flaws);
            return;
        }
        self.flush(each);
        self.begin(&text, line.end, flaws, each);
    }

    /// Gives the record to which lines might still have belonged.
    pub fn flush(&mut self, each: &mut impl FnMut(Record)) {
        if let Some(open) = self.open.take() {
            self.give(open.finish(), each);
        }
    }

    fn give(&mut self, record: Record, each: &mut impl FnMut(Record)) {
        self.passed = record.end;
        self.counts.records += 1;
        each(record);
    }

    /// Begins a record with a line, and gives it where no others may belong to it.
    fn begin(&mut self, line: &str, end: u64, flaws: Flaws, each: &mut impl FnMut(Record)) {
        let joins = !matches!(self.options.multiline, Multiline::Off);
        let open = match self.understood(line) {
            Some((mut log, is_whole)) => {
                log.flaws = log.flaws.join(flaws);
                let by_start = matches!(self.options.multiline, Multiline::Start(_));
                if !joins || is_whole && !by_start {
                    return self.give(Record { log, end }, each);
                }
                // Made where it stays: it need not be moved while it is new.
                self.open.insert(Open::new(log, end, true))
            }
            None => {
                let mut open = self.plain(line, end, joins);
                open.log.flaws = open.log.flaws.join(flaws);
                if !joins {
                    return self.give(open.finish(), each);
                }
                self.open.insert(open)
            }
        };
        open.see_key(line);
    }

    /// What a line says that is of the format, and whether it is one of a form whose records have one line.
    fn understood(&mut self, line: &str) -> Option<(Box<LogEvent>, bool)> {
        let (options, clock) = (&self.options, &mut self.clock);
        let limits = &options.limits;
        let is_whole = options.format != LogFormat::Pattern;
        let finished = match options.format {
            LogFormat::Plain => return None,
            LogFormat::Auto => return self.by_its_looks(line),
            LogFormat::Text => {
                let said = text::read(line, clock);
                self.counts.unparsed += u64::from(said.is_none());
                return said.map(|said| (self.placed(said.finish(self.clock.now())), false));
            }
            LogFormat::Json => json::read(line, limits, clock),
            LogFormat::Logfmt => logfmt::read(line, limits, clock),
            LogFormat::Access => access::read(line, limits, clock),
            LogFormat::Pattern => {
                options.pattern.as_ref().and_then(|pattern| pattern.read(line, limits, clock))
            }
        };
        self.counts.unparsed += u64::from(finished.is_none());
        Some((self.placed(finished?), is_whole))
    }

    fn by_its_looks(&mut self, line: &str) -> Option<(Box<LogEvent>, bool)> {
        let seen = looks::read(line, &self.options.limits, &mut self.clock);
        // Nothing else begins as JSON does.
        self.counts.unparsed += u64::from(seen.is_none() && line.starts_with('{'));
        let Seen { log, whence, is_whole } = seen?;
        Some((self.placed((log, whence)), is_whole))
    }

    fn placed(&mut self, (mut log, whence): Finished) -> Box<LogEvent> {
        log.origin = match whence {
            Some(whence) => self.origin_of(whence),
            None => Arc::clone(&self.origin),
        };
        log
    }

    /// A line that says nothing of itself, which may be the first one of a trace.
    fn plain(&mut self, line: &str, end: u64, joins: bool) -> Open {
        let mut log = Box::new(LogEvent::new(self.clock.now(), Arc::clone(&self.origin)));
        log.flaws.insert(Flaw::NoTime);
        let trace = if joins { Trace::beginning(line) } else { None };
        if trace.is_none() {
            log.message = Some(line.to_owned());
        }
        let mut open = Open::new(log, end, false);
        open.trace = trace.map(|trace| Box::new((trace, line.to_owned())));
        open
    }

    fn origin_of(&mut self, whence: Box<Whence>) -> Arc<Origin> {
        if let Some((last, origin)) = &self.last
            && *last == whence
        {
            return Arc::clone(origin);
        }
        let origin = self.remembered(&whence);
        self.last = Some((whence, Arc::clone(&origin)));
        origin
    }

    fn remembered(&mut self, whence: &Whence) -> Arc<Origin> {
        if let Some(origin) = self.origins.get(whence) {
            return Arc::clone(origin);
        }
        let mut origin = Origin::clone(&self.origin);
        // What a line says holds before what is known of its file.
        for (field, said) in [
            (&mut origin.scope_name, &whence.logger),
            (&mut origin.service, &whence.service),
            (&mut origin.host, &whence.host),
        ] {
            if said.is_some() {
                field.clone_from(said);
            }
        }
        origin.pid = whence.pid.or(origin.pid);
        let origin = Arc::new(origin);
        if self.origins.len() >= MAX_ORIGINS {
            self.origins.clear();
        }
        self.origins.insert(Whence::clone(whence), Arc::clone(&origin));
        origin
    }
}

/// Whether a line belongs to the record before it.
fn belongs(options: &LogOptions, open: &mut Open, line: &str) -> bool {
    match &options.multiline {
        Multiline::Off => return false,
        Multiline::Start(start) => return !start.is_match(line),
        Multiline::Auto => {}
    }
    if options.pattern.as_ref().is_some_and(|pattern| pattern.is_match(line)) {
        return false;
    }
    match line.as_bytes().first() {
        Some(b' ' | b'\t') => {
            open.sees_indented(line);
            true
        }
        // The end of something that was printed over several lines.
        Some(b'}' | b']' | b')') => open.lines > 1 && line.len() <= 3,
        Some(b'{') => false,
        _ => open.takes(line),
    }
}

impl Open {
    fn new(log: Box<LogEvent>, end: u64, is_headed: bool) -> Self {
        let bytes = log.message.as_ref().map_or(0, String::len);
        Self { log, end, is_headed, trace: None, lines: 1, bytes, blank: 0, is_cut: false, key: None }
    }

    /// Whether a line goes on with a private key, which has to be in one text to be known for what it is. Up to any
    /// length: what is beyond the bounds of a record is left out and not a record of its own.
    fn takes_of_key(&mut self, multiline: &Multiline, line: &str) -> bool {
        let Some(key) = &mut self.key else { return false };
        if matches!(multiline, Multiline::Off) {
            return false;
        }
        if key_marks(line).next().is_some_and(|(mark, _)| mark == KeyMark::End) {
            self.key = None;
            return true;
        }
        // What has something before it is a record, also where the rest of it is of a key.
        let is_whole = key_part(line).is_some_and(|part| part.is_whole);
        let is_more = is_key_header(line) || is_whole && !key.see(line).is_empty();
        if !is_more {
            self.key = None;
        }
        is_more
    }

    /// Sees whether a private key begins in a line of the record.
    fn see_key(&mut self, line: &str) {
        // As good as no line has a mark.
        if !may_have_key_mark(line) {
            return;
        }
        let mut key = KeyRun::default();
        key.see(line);
        if key.is_open() {
            self.key = Some(Box::new(key));
        }
    }

    /// Whether a line that is not indented goes on with a trace, or begins one of this record.
    fn takes(&mut self, line: &str) -> bool {
        if let Some((trace, _)) = self.trace.as_deref_mut() {
            return trace.takes(line);
        }
        if !self.is_headed || self.blank > 0 {
            return false;
        }
        let Some(trace) = Trace::beginning(line) else { return false };
        self.trace = Some(Box::new((trace, String::new())));
        true
    }

    /// An indented line goes on with whatever there is; frames make a trace of a message that is an exception.
    fn sees_indented(&mut self, line: &str) {
        if let Some((trace, _)) = self.trace.as_deref_mut() {
            return trace.sees_indented(line);
        }
        let inner = line.trim_start();
        if !inner.starts_with("at ") && !inner.starts_with("Traceback (most recent") {
            return;
        }
        let thrown = self.log.message.as_deref().and_then(|message| message.lines().next_back());
        let trace = Trace::beginning(inner).or_else(|| thrown.and_then(Trace::beginning));
        self.trace = trace.map(|trace| Box::new((trace, String::new())));
    }

    fn add(&mut self, line: &str, counts: &mut Counts) {
        let blank = mem::take(&mut self.blank);
        if self.lines >= MAX_JOINED_LINES || self.bytes + blank + line.len() + 1 > MAX_JOINED_BYTES {
            if !self.is_cut {
                counts.cut += 1;
                self.is_cut = true;
                self.log.flaws.insert(Flaw::Text);
            }
            return;
        }
        self.lines += 1;
        self.bytes += blank + line.len() + 1;
        let text = match self.trace.as_deref_mut() {
            Some((_, text)) => text,
            None => self.log.message.get_or_insert_default(),
        };
        if !text.is_empty() {
            text.extend(std::iter::repeat_n('\n', blank + 1));
        }
        text.push_str(line);
    }

    fn finish(mut self) -> Record {
        if let Some((trace, text)) = self.trace.take().map(|traced| *traced) {
            let fields = &mut self.log.conventions;
            if let Some((kind, message)) = trace.exception() {
                fields.exception_type = Some(kind.to_owned());
                fields.exception_message = Some(message.to_owned()).filter(|message| !message.is_empty());
            }
            if self.log.message.as_ref().is_none_or(String::is_empty) {
                self.log.message = Some(match trace.exception() {
                    Some((kind, "")) => kind.to_owned(),
                    Some((kind, message)) => format!("{kind}: {message}"),
                    None => text.lines().next().unwrap_or_default().to_owned(),
                });
            }
            // A trace that stands by itself is of something that failed.
            if self.log.level.is_none() && !self.is_headed {
                let severity = Severity::of(Level::Error);
                (self.log.level, self.log.severity_number) = (Some(severity.level), Some(severity.number));
            }
            // A line that only looks like the first of a trace says no more than its message.
            if self.lines > 1 || self.is_headed {
                fields.exception_stacktrace = Some(text).filter(|text| !text.is_empty());
            }
        }
        Record { log: self.log, end: self.end }
    }
}

/// A line as text, without what colours it, and whether it had bytes that are none.
pub(super) fn decoded(line: &[u8]) -> (Cow<'_, str>, bool) {
    // As good as all lines are texts as they are.
    if memchr::memchr2(0, 0x1b, line).is_none()
        && let Ok(text) = std::str::from_utf8(line)
    {
        return (Cow::Borrowed(text), false);
    }
    mended(line)
}

fn mended(line: &[u8]) -> (Cow<'_, str>, bool) {
    let text = String::from_utf8_lossy(line);
    let has_zeros = memchr::memchr(0, line).is_some();
    let is_binary = has_zeros || matches!(text, Cow::Owned(_));
    let text = if has_zeros { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { text };
    let is_coloured = memchr::memchr(0x1b, line).is_some();
    (if is_coloured { Cow::Owned(without_escapes(&text)) } else { text }, is_binary)
}

/// A text without the sequences by which terminals are told colours.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split('\u{1b}');
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let after = part.strip_prefix('[').map(|sequence| {
            sequence.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ';' | '?'))
        });
        match after {
            Some(after) => plain.extend(after.chars().skip(1)),
            None => plain.push_str(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_text_is_the_same_as_one_that_is_mended() {
        let lines: [&[u8]; 10] = [
            b"",
            b"plain",
            "größer ✓".as_bytes(),
            b"\xff",
            b"half of \xe2\x9c",
            b"\xed\xa0\x80 is half of a pair",
            b"zero \0",
            b"\x1b[31mred\x1b[0m",
            b"\x1b[31m\xff\0\x1b",
            b"\x7f\t\r",
        ];
        for line in lines {
            assert_eq!(decoded(line), mended(line), "{line:?}");
        }
        assert_eq!(decoded(b"plain"), (Cow::Borrowed("plain"), false));
        assert_eq!(decoded(b"\x1b[31mred"), (Cow::Owned("red".to_owned()), false));
        assert_eq!(decoded(b"a\xff"), (Cow::Owned("a\u{fffd}".to_owned()), true));
    }
}
