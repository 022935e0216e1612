//! Messages as records of logs.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::tz::Offset;
use model::event::{Event, Flaw, Flaws, LogEvent, Origin};
use model::{TimeRange, Timestamp};

use super::stamp::Clock;
use super::{Message, ietf, parse};
use crate::lines;
use crate::otlp::rows::RowLimits;
use crate::otlp::rows::names::{Filling, RECORD};
use crate::otlp::rows::texts::Texts;
use crate::otlp::{AnyValue, SpanId, TraceId};

/// Which part of a system speaks.
const FACILITY: &str = "syslog.facility";
/// What kind of message it is, to those who sent it.
const MESSAGE_ID: &str = "syslog.msgid";
/// What stands for the process where that is no number.
const PROCESS_ID: &str = "syslog.procid";
/// Who has sent it to us, where it names another host.
const PEER: &str = "network.peer.address";

/// How messages are understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many seconds the clocks of senders that name no offset are ahead of universal time.
    pub offset_seconds: i32,
    /// Times that can be stored. Others are faults of clocks: a router that was just started believes that it is 1993,
    /// and what it says is worth keeping.
    pub times: TimeRange,
}

/// How a message came in.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// When.
    pub time: Timestamp,
    /// From which address.
    pub peer: &'a str,
    /// Whether it was longer than what is here of it.
    pub is_cut: bool,
}

/// Gathers messages.
pub struct Records<'l> {
    limits: &'l RowLimits,
    options: Options,
    /// That of the record before: messages of one sender follow each other.
    origin: Arc<Origin>,
    events: Vec<Event>,
}

impl<'l> Records<'l> {
    /// None yet.
    pub fn new(limits: &'l RowLimits, options: Options) -> Self {
        Self { limits, options, origin: Arc::default(), events: Vec::new() }
    }

    /// Takes a message; what is not right about it.
    pub fn take(&mut self, message: &[u8], received: &Received<'_>) -> Flaws {
        let offset = Offset::from_seconds(self.options.offset_seconds).unwrap_or(Offset::UTC);
        let text = String::from_utf8_lossy(message);
        let message = parse(&text, Clock { now: received.time, offset });
        let record = self.record(&message, received);
        let flaws = record.flaws;
        self.events.push(Event::Log(Box::new(record)));
        flaws
    }

    /// All messages, in their order.
    pub fn finish(self) -> Vec<Event> {
        self.events
    }

    fn record(&mut self, message: &Message<'_>, received: &Received<'_>) -> LogEvent {
        let mut texts = Texts::of_record(self.limits);
        texts.flaws = message.flaw.into_iter().collect();
        if received.is_cut {
            texts.flaws.insert(Flaw::Text);
        }
        let header = &message.header;
        let time = header.time.filter(|time| self.options.times.contains(*time)).unwrap_or_else(|| {
            texts.flaws.insert(Flaw::NoTime);
            received.time
        });
        let pid = header.process.and_then(|process| process.parse().ok());
        let origin = Origin {
            service: header.app.map(|app| texts.of(app)),
            host: Some(texts.of(header.host.unwrap_or(received.peer))),
            pid,
            ..Origin::default()
        };
        if *self.origin != origin {
            self.origin = Arc::new(origin);
        }
        let mut log = LogEvent::new(time, Arc::clone(&self.origin));
        log.observed_time = Some(received.time);
        if let Some(priority) = message.priority {
            let (name, level, number) = priority.severity();
            (log.level, log.severity_number, log.severity_text) =
                (Some(level), Some(number), Some(name.to_owned()));
        }
        let mut filling = Filling::of(&RECORD);
        let mut put = |name: &str, value: Cow<'_, str>| filling.put(name, &AnyValue::Text(value), &mut texts);
        if let Some(priority) = message.priority {
            put(FACILITY, priority.facility().into());
        }
        if let Some(kind) = header.kind {
            put(MESSAGE_ID, kind.into());
        }
        if let Some(process) = header.process.filter(|_| pid.is_none()) {
            put(PROCESS_ID, process.into());
        }
        if header.host.is_some_and(|host| host != received.peer) {
            put(PEER, received.peer.into());
        }
        let _ = ietf::each_parameter(message.structured, |id, name, value| {
            let (trace, span) = match name {
                "trace_id" => (TraceId::from_hex(&value).text(), None),
                "span_id" => (None, SpanId::from_hex(&value).text()),
                _ => (None, None),
            };
            match name {
                _ if trace.is_some() => log.trace_id = trace,
                _ if span.is_some() => log.span_id = span,
                "" => put(id, value),
                _ if RECORD.knows(name) => put(name, value),
                _ => put(&format!("{id}.{name}"), value),
            }
        });
        let (conventions, kept) = filling.end(&mut texts);
        log.dropped_attributes = kept.dropped(0);
        log.attributes = kept.attributes;
        log.conventions = conventions;
        lines::take_line(message.text, &mut log, &mut texts);
        log.flaws = texts.flaws;
        log
    }
}
