//! Spans.

use model::Timestamp;
use model::event::{Conventions, Event, Flaw, SpanEvent as Row, SpanLink as RowLink, SpanOccurrence};

use super::logs::id;
use super::names::{Filling, RECORD};
use super::origin::PresentOrigin;
use super::texts::Texts;
use super::{ATTRIBUTE_BYTES, RowLimits, Rows};
use crate::otlp::ids::Id;
use crate::otlp::resource::{Resource, Scope, Sink};
use crate::otlp::time::TOO_FAR_OUT;
use crate::otlp::traces::{Span, SpanEvent, SpanLink, SpanSink};

/// Gathers spans.
#[derive(Debug)]
pub struct SpanRows<'l> {
    limits: &'l RowLimits,
    now: Timestamp,
    present: PresentOrigin,
    rows: Rows,
}

impl<'l> SpanRows<'l> {
    /// A sink that has heard nothing. What does not say when it happened happened at `now`.
    pub fn new(limits: &'l RowLimits, now: Timestamp) -> Self {
        Self { limits, now, present: PresentOrigin::default(), rows: Rows::default() }
    }

    /// What it has gathered.
    pub fn finish(self) -> Rows {
        self.rows
    }

    /// When a span began, and how many nanoseconds it took.
    fn times(&self, span: &Span<'_>, texts: &mut Texts<'_>) -> Result<(Timestamp, u64), &'static str> {
        let end = span.end_time.timestamp();
        if !span.start_time.is_set() {
            texts.flaws.insert(Flaw::NoTime);
            return Ok((end.unwrap_or(self.now), 0));
        }
        let start = span.start_time.timestamp().ok_or(TOO_FAR_OUT)?;
        let duration = end.and_then(|_| span.end_time.0.checked_sub(span.start_time.0));
        if duration.is_none() {
            texts.flaws.insert(Flaw::EndTime);
        }
        Ok((start, duration.unwrap_or(0)))
    }

    fn take(&mut self, span: &Span<'_>) -> Result<(), &'static str> {
        let mut texts = Texts::of_record(self.limits);
        texts.flaws = span.beyond.flaws();
        let trace_id = needed(span.trace_id, "its trace id is missing, all zeros, or not 16 bytes long")?;
        let span_id = needed(span.span_id, "its span id is missing, all zeros, or not 8 bytes long")?;
        let (start, duration_ns) = self.times(span, &mut texts)?;
        let shared = self.present.shared();
        let mut row = Row::new(start, trace_id, span_id, shared.origin);
        row.parent_span_id = id(span.parent_span_id, Flaw::ParentId, &mut texts);
        row.name = texts.of(&span.name);
        row.kind = span.kind;
        row.duration_ns = duration_ns;
        row.status = span.status.code;
        row.status_message = texts.of_some(&span.status.message);
        row.trace_flags = (span.flags != 0).then_some(u64::from(span.flags));
        row.trace_state = texts.of_some(&span.trace_state);
        let mut filling = Filling::of(&RECORD);
        filling.kept.expect_up_to(span.attributes.len());
        for attribute in &span.attributes {
            filling.put(&attribute.key, &attribute.value, &mut texts);
        }
        let (conventions, kept) = filling.end(&mut texts);
        row.conventions = conventions;
        row.dropped_attributes = kept.dropped(span.dropped_attributes_count);
        row.attributes = kept.attributes;
        self.take_lists(span, &mut row, &mut texts);
        row.flaws = texts.flaws.join(shared.flaws);
        let inner = row.events.iter().map(|event| event.attributes.len() + 1).sum::<usize>()
            + row.links.iter().map(|link| link.attributes.len() + 1).sum::<usize>();
        let attributes = (row.attributes.len() + inner) * ATTRIBUTE_BYTES;
        let lists = row.events.len() * size_of::<SpanOccurrence>() + row.links.len() * size_of::<RowLink>();
        let bytes = size_of::<Row>() + texts.bytes() + attributes + lists + shared.bytes;
        self.rows.push(Event::Span(Box::new(row)), bytes, self.limits);
        Ok(())
    }

    /// Takes events and links, as many as are kept.
    fn take_lists(&self, span: &Span<'_>, row: &mut Row, texts: &mut Texts<'_>) {
        let limit = self.limits.max_span_events;
        for event in span.events.iter().take(limit) {
            row.events.push(occurrence(event, texts));
        }
        for link in span.links.iter().take(limit) {
            row.links.push(row_link(link, texts));
        }
        let mut cut = |sent: usize, before: u32, flaw: Flaw| {
            let beyond = sent.saturating_sub(limit);
            if beyond > 0 {
                texts.flaws.insert(flaw);
            }
            let all = beyond as u64 + u64::from(before);
            (all > 0).then_some(all)
        };
        row.dropped_events = cut(span.events.len(), span.dropped_events_count, Flaw::Events);
        row.dropped_links = cut(span.links.len(), span.dropped_links_count, Flaw::Links);
        if let Some(exception) = row.events.iter().rfind(|event| event.name == EXCEPTION) {
            fill_exception(&mut row.conventions, exception, texts);
        }
    }
}

/// The event by which a span tells of an exception.
const EXCEPTION: &str = "exception";

/// Fills the fields of an exception from the event that tells of it, where attributes of the span do not.
fn fill_exception(conventions: &mut Conventions, event: &SpanOccurrence, texts: &mut Texts<'_>) {
    let fields = [
        (&mut conventions.exception_type, "exception.type"),
        (&mut conventions.exception_message, "exception.message"),
        (&mut conventions.exception_stacktrace, "exception.stacktrace"),
    ];
    for (field, key) in fields {
        if field.is_none() {
            *field = event.attributes.get(key).map(|text| texts.charged(text.clone()));
        }
    }
}

/// An id without which nothing would find the span again.
fn needed<const N: usize>(id: Id<N>, wrong: &'static str) -> Result<String, &'static str> {
    id.text().ok_or(wrong)
}

fn occurrence(event: &SpanEvent<'_>, texts: &mut Texts<'_>) -> SpanOccurrence {
    let name = texts.of(&event.name);
    let kept = texts.attributes(&event.attributes);
    SpanOccurrence {
        time: event.time.timestamp(),
        name,
        dropped_attributes: kept.dropped(event.dropped_attributes_count),
        attributes: kept.attributes,
    }
}

fn row_link(link: &SpanLink<'_>, texts: &mut Texts<'_>) -> RowLink {
    let kept = texts.attributes(&link.attributes);
    RowLink {
        trace_id: id(link.trace_id, Flaw::TraceId, texts),
        span_id: id(link.span_id, Flaw::SpanId, texts),
        trace_state: texts.of_some(&link.trace_state),
        trace_flags: (link.flags != 0).then_some(u64::from(link.flags)),
        dropped_attributes: kept.dropped(link.dropped_attributes_count),
        attributes: kept.attributes,
    }
}

impl Sink for SpanRows<'_> {
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

impl SpanSink for SpanRows<'_> {
    fn span(&mut self, span: &Span<'_>) {
        if self.rows.is_full() {
            self.rows.reject_the_rest();
        } else if let Err(reason) = self.take(span) {
            self.rows.reject(reason);
        }
    }
}
