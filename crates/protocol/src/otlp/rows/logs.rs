//! Records of logs.

use std::ops::RangeInclusive;

use model::Timestamp;
use model::event::{Event, Flaw, Level, LogEvent};

use super::names::{Filling, RECORD};
use super::origin::PresentOrigin;
use super::texts::Texts;
use super::{RowLimits, Rows};
use crate::otlp::ids::{Id, SpanId, TraceId};
use crate::otlp::logs::{LogRecord, LogSink};
use crate::otlp::resource::{Resource, Scope, Sink};
use crate::otlp::time::TOO_FAR_OUT;
use crate::otlp::value::AnyValue;

/// The attribute that tells a record from all others.
const RECORD_UID: &str = "log.record.uid";
/// The attribute that was the name of an event before it had a field.
const EVENT_NAME: &str = "event.name";

/// The numbers of severities that there are; 0 is that nobody said.
const SEVERITIES: RangeInclusive<i32> = 0..=24;

/// Gathers records of logs.
#[derive(Debug)]
pub struct LogRows<'l> {
    limits: &'l RowLimits,
    now: Timestamp,
    present: PresentOrigin,
    rows: Rows,
}

impl<'l> LogRows<'l> {
    /// A sink that has heard nothing. What does not say when it happened happened at `now`.
    pub fn new(limits: &'l RowLimits, now: Timestamp) -> Self {
        Self { limits, now, present: PresentOrigin::default(), rows: Rows::default() }
    }

    /// What it has gathered.
    pub fn finish(self) -> Rows {
        self.rows
    }

    /// When a record happened: as it says, or else when it was seen.
    fn time(&self, record: &LogRecord<'_>, texts: &mut Texts<'_>) -> Result<Timestamp, &'static str> {
        if record.time.is_set() {
            return record.time.timestamp().ok_or(TOO_FAR_OUT);
        }
        Ok(record.observed_time.timestamp().unwrap_or_else(|| {
            texts.flaws.insert(Flaw::NoTime);
            self.now
        }))
    }

    fn take(&mut self, record: &LogRecord<'_>) -> Result<(), &'static str> {
        let mut texts = Texts::of_record(self.limits);
        texts.flaws = record.beyond.flaws();
        let time = self.time(record, &mut texts)?;
        let shared = self.present.shared();
        let severity_number = u64::try_from(record.severity_number).ok().filter(|number| *number > 0);
        if !SEVERITIES.contains(&record.severity_number) {
            texts.flaws.insert(Flaw::Severity);
        }
        let severity_text = texts.of_some(&record.severity_text);
        let level = severity_number
            .and_then(Level::from_severity)
            .or_else(|| Level::from_text(&record.severity_text));
        let (mut event_id, mut event_name) = (None, texts.of_some(&record.event_name));
        let is_said = !matches!(record.body, AnyValue::Empty);
        let message = is_said.then(|| texts.of_value(&record.body));
        let (trace_id, span_id) = ids(record.trace_id, record.span_id, &mut texts);
        let mut filling = Filling::of(&RECORD);
        filling.kept.expect_up_to(record.attributes.len());
        for attribute in &record.attributes {
            match attribute.key.as_ref() {
                RECORD_UID if event_id.is_none() => event_id = texts.id(&attribute.value),
                EVENT_NAME if event_name.is_none() => {
                    event_name = Some(texts.of_value(&attribute.value)).filter(|name| !name.is_empty());
                }
                key => filling.put(key, &attribute.value, &mut texts),
            }
        }
        let (conventions, kept) = filling.end(&mut texts);
        let bytes = size_of::<LogEvent>() + texts.bytes() + kept.bytes() + shared.bytes;
        // Made where it stays, of its parts: it is a kilobyte, which is not to be moved for each of them.
        let log = Box::new(LogEvent {
            time,
            event_id,
            // Whoever takes in a record for the first time observes it, as the specification has it.
            observed_time: Some(record.observed_time.timestamp().unwrap_or(self.now)),
            level,
            severity_number,
            severity_text,
            event_name,
            message,
            trace_id,
            span_id,
            trace_flags: (record.flags != 0).then_some(u64::from(record.flags)),
            origin: shared.origin,
            conventions,
            dropped_attributes: kept.dropped(record.dropped_attributes_count),
            attributes: kept.attributes,
            flaws: texts.flaws.join(shared.flaws),
        });
        self.rows.push(Event::Log(log), bytes, self.limits);
        Ok(())
    }
}

/// The ids of a trace and of a span of it, without those that are none.
fn ids(trace: TraceId, span: SpanId, texts: &mut Texts<'_>) -> (Option<String>, Option<String>) {
    (id(trace, Flaw::TraceId, texts), id(span, Flaw::SpanId, texts))
}

/// An id as text; one that is none leaves a mark.
pub(super) fn id<const N: usize>(id: Id<N>, flaw: Flaw, texts: &mut Texts<'_>) -> Option<String> {
    match id {
        Id::Known(_) => id.text(),
        Id::Absent => None,
        Id::Invalid => {
            texts.flaws.insert(flaw);
            None
        }
    }
}

impl Sink for LogRows<'_> {
    fn resource(&mut self, resource: &Resource<'_>) {
        if !self.rows.is_full() {
            self.present.set_resource(resource, self.limits);
        }
    }

    fn scope(&mut self, scope: &Scope<'_>) {
        if !self.rows.is_full() {
            self.present.set_scope(scope, self.limits);
        }
    }
}

impl LogSink for LogRows<'_> {
    fn record(&mut self, record: &LogRecord<'_>) {
        if self.rows.is_full() {
            self.rows.reject_the_rest();
        } else if let Err(reason) = self.take(record) {
            self.rows.reject(reason);
        }
    }
}
