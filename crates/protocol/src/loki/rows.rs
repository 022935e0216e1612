//! Lines as records of logs.
//!
//! What labels say of the source is the record's origin, which all lines of a stream share. A record's id is a hash
//! of its stream and of the bytes that it was sent as: a request that is sent again brings the same ids. Lines that
//! are the same in one request are told apart by their number.

use std::collections::HashMap;
use std::sync::Arc;

use model::Timestamp;
use model::event::{Event, Flaw, Flaws, Level, LogEvent, Origin};
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use super::Context;
use super::labels::{self, LabelsError};
use super::names::{LABELS, LEVELS, SEVERITY_NUMBER, SPAN_IDS, TRACE_IDS};
use crate::lines;
use crate::otlp::AnyValue;
use crate::otlp::rows::names::{Filling, RECORD_WITHOUT_DOTS};
use crate::otlp::rows::texts::Texts;
use crate::otlp::rows::{ATTRIBUTE_BYTES, RowLimits, Rows};
use crate::otlp::{SpanId, TraceId};

/// Why a line with a time that cannot be written down is rejected.
pub(super) const TOO_FAR_OUT: &str = "its time is no number of nanoseconds since 1970 before the year 2262";

/// When a line happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineTime {
    /// At this time.
    At(Timestamp),
    /// Nobody said.
    Unknown,
    /// It cannot be written down.
    TooFarOut,
}

/// Gathers lines.
pub(super) struct PushRows<'c> {
    limits: &'c RowLimits,
    now: Timestamp,
    tenant: Option<&'c str>,
    stream: Stream,
    /// How often each line of the request was there so far, by the hash that its id is.
    met: HashMap<u64, u32>,
    rows: Rows,
}

/// The stream that lines belong to.
struct Stream {
    hash: u64,
    origin: Arc<Origin>,
    said: Said,
    flaws: Flaws,
    /// What that takes, with each line anew.
    bytes: usize,
    /// Why none of its lines can be kept.
    fault: Option<String>,
}

impl<'c> PushRows<'c> {
    pub(super) fn new(context: &Context<'c>) -> Self {
        let &Context { limits, now, tenant } = context;
        let stream = Stream {
            hash: 0,
            origin: Arc::default(),
            said: Said::new(),
            flaws: Flaws::NONE,
            bytes: 0,
            fault: None,
        };
        Self { limits, now, tenant, stream, met: HashMap::new(), rows: Rows::default() }
    }

    pub(super) fn finish(self) -> Rows {
        self.rows
    }

    /// Begins a stream with labels as a text.
    pub(super) fn stream_of_text(&mut self, text: &str) {
        let read = self.stream(text.as_bytes(), |put| labels::each(text, put));
        self.stream.fault = read.err().map(|error: LabelsError| {
            let begin: String = text.chars().take(64).collect();
            format!("the labels `{begin}` cannot be read: {error}")
        });
    }

    /// Begins a stream whose labels `each` hands over; `sent` are the bytes that they were sent as.
    pub(super) fn stream<E>(
        &mut self,
        sent: &[u8],
        each: impl FnOnce(&mut dyn FnMut(&str, &str)) -> Result<(), E>,
    ) -> Result<(), E> {
        // Every line is stored with all of it.
        let mut texts = Texts::of_origin(self.limits, self.limits.max_origin_bytes);
        let mut of_origin = Filling::of(&LABELS);
        let mut said = Said::new();
        let read = each(&mut |name, value| {
            if Said::knows(name) {
                said.put(name, value, &mut texts);
            } else {
                put(&mut of_origin, name, value, &mut texts);
            }
        });
        if let Some(tenant) = self.tenant {
            said.filling.fields.tenant.get_or_insert_with(|| texts.of(tenant));
        }
        let (fields, kept) = of_origin.end(&mut texts);
        let bytes = texts.bytes() + kept.bytes();
        let origin = Origin {
            dropped_resource_attributes: kept.dropped(0),
            resource_attributes: kept.attributes,
            ..fields
        };
        let mut hash = Xxh3::new();
        hash.update(self.tenant.unwrap_or_default().as_bytes());
        hash.update(&[0]);
        hash.update(sent);
        said.yields();
        self.stream = Stream {
            hash: hash.digest(),
            origin: Arc::new(origin),
            said,
            flaws: texts.flaws,
            bytes,
            fault: None,
        };
        read
    }

    /// Takes a line; `sent` are the bytes that it was sent as, and `each` hands over its metadata.
    pub(super) fn line<E>(
        &mut self,
        time: LineTime,
        line: &str,
        sent: &[u8],
        each: impl FnOnce(&mut dyn FnMut(&str, &str)) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.rows.is_full() {
            self.rows.reject_the_rest();
            return each(&mut |_, _| {});
        }
        let mut texts = Texts::of_record(self.limits);
        texts.flaws = self.stream.flaws;
        let mut said = self.stream.said.clone();
        // Also of one that is not kept: what is wrong there makes the request wrong.
        each(&mut |name, value| said.put(name, value, &mut texts))?;
        match self.record(time, line, sent, said, texts) {
            Ok((log, bytes)) => self.rows.push(Event::Log(Box::new(log)), bytes, self.limits),
            Err(reason) => self.rows.reject(&reason),
        }
        Ok(())
    }

    fn record(
        &mut self,
        time: LineTime,
        line: &str,
        sent: &[u8],
        said: Said,
        mut texts: Texts<'_>,
    ) -> Result<(LogEvent, usize), String> {
        if let Some(fault) = &self.stream.fault {
            return Err(fault.clone());
        }
        let at = match time {
            LineTime::At(time) => time,
            LineTime::Unknown => {
                texts.flaws.insert(Flaw::NoTime);
                self.now
            }
            LineTime::TooFarOut => return Err(TOO_FAR_OUT.to_owned()),
        };
        let mut log = LogEvent::new(at, Arc::clone(&self.stream.origin));
        log.observed_time = Some(self.now);
        said.fill(&mut log, &mut texts);
        lines::take_line(line, &mut log, &mut texts);
        log.flaws = texts.flaws;
        let bytes = size_of::<LogEvent>()
            + self.stream.bytes
            + texts.bytes()
            + log.attributes.len() * ATTRIBUTE_BYTES;
        // Two lines without a time that say the same are two, whenever they come.
        if time != LineTime::Unknown && self.rows.has_room(bytes, self.limits) {
            log.event_id = Some(self.id(sent));
        }
        Ok((log, bytes))
    }

    fn id(&mut self, sent: &[u8]) -> String {
        let hash = xxh3_64_with_seed(sent, self.stream.hash);
        let met = self.met.entry(hash).or_insert(0);
        let id = if *met == 0 { format!("{hash:016x}") } else { format!("{hash:016x}-{met}") };
        *met += 1;
        id
    }
}

/// Puts a text where it belongs.
fn put<T: Default + 'static>(filling: &mut Filling<T>, name: &str, value: &str, texts: &mut Texts<'_>) {
    filling.put(name, &AnyValue::Text(value.into()), texts);
}

/// What labels and metadata say of a line, beside where it comes from.
#[derive(Clone)]
struct Said {
    filling: Filling<model::event::Conventions>,
    /// As its source calls it, and by which of the names.
    severity: Option<(usize, String)>,
    severity_number: Option<u64>,
    trace_id: Option<String>,
    span_id: Option<String>,
}

impl Said {
    fn new() -> Self {
        Self {
            filling: Filling::of(&RECORD_WITHOUT_DOTS),
            severity: None,
            severity_number: None,
            trace_id: None,
            span_id: None,
        }
    }

    /// Whether a name says something of lines, and not of where they come from.
    fn knows(name: &str) -> bool {
        let lists = [LEVELS, TRACE_IDS, SPAN_IDS];
        name == SEVERITY_NUMBER
            || lists.iter().any(|names| names.contains(&name))
            || RECORD_WITHOUT_DOTS.knows(name)
    }

    /// What metadata says holds before what was said until now.
    fn yields(&mut self) {
        if let Some((rank, _)) = &mut self.severity {
            *rank = usize::MAX;
        }
    }

    fn put(&mut self, name: &str, value: &str, texts: &mut Texts<'_>) {
        if let Some(rank) = LEVELS.iter().position(|level| *level == name) {
            return self.put_severity(rank, value, texts);
        }
        let is_taken = if TRACE_IDS.contains(&name) {
            replace(&mut self.trace_id, TraceId::from_hex(value).text())
        } else if SPAN_IDS.contains(&name) {
            replace(&mut self.span_id, SpanId::from_hex(value).text())
        } else if name == SEVERITY_NUMBER {
            let number = value.parse().ok().filter(|number| (1..=24).contains(number));
            self.severity_number = number.or(self.severity_number);
            number.is_some()
        } else {
            false
        };
        if !is_taken {
            put(&mut self.filling, name, value, texts);
        }
    }

    /// Takes the level by the best name; other words of other names stay attributes.
    fn put_severity(&mut self, rank: usize, value: &str, texts: &mut Texts<'_>) {
        if value.is_empty() || value.eq_ignore_ascii_case("unknown") {
            return;
        }
        let replaced = match &self.severity {
            Some((there, _)) if *there <= rank => Some((rank, value.to_owned())),
            _ => self.severity.replace((rank, texts.of(value))),
        };
        let Some((rank, left)) = replaced else { return };
        let is_same = self.severity.as_ref().is_some_and(|(_, there)| there.eq_ignore_ascii_case(&left));
        // Labels that metadata outdoes have lost their name.
        if let Some(name) = LEVELS.get(rank).filter(|_| !is_same) {
            put(&mut self.filling, name, &left, texts);
        }
    }

    fn fill(self, log: &mut LogEvent, texts: &mut Texts<'_>) {
        let severity = self.severity.map(|(_, text)| text);
        let by_text = severity.as_deref().and_then(Level::from_text);
        log.level = by_text.or_else(|| self.severity_number.and_then(Level::from_severity));
        log.severity_number = self.severity_number;
        log.severity_text = severity;
        (log.trace_id, log.span_id) = (self.trace_id, self.span_id);
        let (conventions, kept) = self.filling.end(texts);
        log.dropped_attributes = kept.dropped(0);
        log.attributes = kept.attributes;
        log.conventions = conventions;
    }
}

/// Puts an id into its place, if it is one.
fn replace(place: &mut Option<String>, id: Option<String>) -> bool {
    let is_one = id.is_some();
    if is_one {
        *place = id;
    }
    is_one
}
