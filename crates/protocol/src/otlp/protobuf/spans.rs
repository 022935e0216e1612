//! `ExportTraceServiceRequest`.

use std::mem::take;

use super::Read;
use super::request::{Names, Walk};
use super::value::{int32, put_attribute, text, time, uint32};
use crate::otlp::bounds::Bounds;
use crate::otlp::ids::Id;
use crate::otlp::traces::{Span, SpanEvent, SpanLink, SpanSink, SpanStatus, span_kind, status_code};
use crate::otlp::value::KeyValue;
use crate::wire::{Fields, Malformed, Value};

const NAMES: Names = Names { resources: "resource_spans", scopes: "scope_spans", records: "spans" };

/// Takes a request apart.
pub(in crate::otlp) fn decode(body: &[u8], sink: &mut impl SpanSink) -> Read<()> {
    let bounds = Bounds::default();
    let mut reader = SpanReader { bounds: &bounds, span: Span::default(), spare: Vec::new() };
    let record = |message, sink: &mut _| {
        reader.read(message)?;
        SpanSink::span(sink, &reader.span);
        Ok(())
    };
    Walk { names: NAMES, sink, bounds: &bounds, record }.request(body)
}

/// Reads span after span into the same memory.
struct SpanReader<'b, 'a> {
    bounds: &'b Bounds,
    span: Span<'a>,
    /// Lists of attributes of events and links that were, empty.
    spare: Vec<Vec<KeyValue<'a>>>,
}

impl<'a> SpanReader<'_, 'a> {
    fn read(&mut self, message: &'a [u8]) -> Read<()> {
        self.begin();
        for field in Fields::of(message) {
            let span = &mut self.span;
            match field? {
                (1, Value::Bytes(id)) => span.trace_id = Id::from_bytes(id),
                (2, Value::Bytes(id)) => span.span_id = Id::from_bytes(id),
                (3, Value::Bytes(state)) => span.trace_state = text(state, "trace_state")?,
                (4, Value::Bytes(id)) => span.parent_span_id = Id::from_bytes(id),
                (5, Value::Bytes(name)) => span.name = text(name, "name")?,
                (6, Value::Number(kind)) => span.kind = span_kind(int32(kind)),
                (7, Value::Eight(bytes)) => span.start_time = time(bytes),
                (8, Value::Eight(bytes)) => span.end_time = time(bytes),
                (9, Value::Bytes(attribute)) => {
                    put_attribute(attribute, "attributes", self.bounds, &mut span.attributes)?;
                }
                (10, Value::Number(count)) => span.dropped_attributes_count = uint32(count),
                (11, Value::Bytes(event)) => self.put_event(event)?,
                (12, Value::Number(count)) => span.dropped_events_count = uint32(count),
                (13, Value::Bytes(link)) => self.put_link(link)?,
                (14, Value::Number(count)) => span.dropped_links_count = uint32(count),
                (15, Value::Bytes(message)) => {
                    span.status = status(message).map_err(|error| error.within("status"))?;
                }
                (16, Value::Four(bytes)) => span.flags = u32::from_le_bytes(bytes),
                (number @ 1..=16, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        self.span.beyond = self.bounds.beyond();
        Ok(())
    }

    /// Forgets the span before, but for its memory.
    fn begin(&mut self) {
        let Span { mut attributes, mut events, mut links, .. } = take(&mut self.span);
        attributes.clear();
        let of_events = events.drain(..).map(|event| event.attributes);
        let of_links = links.drain(..).map(|link| link.attributes);
        self.spare.extend(of_events.chain(of_links).filter(|list| list.capacity() > 0).map(|mut list| {
            list.clear();
            list
        }));
        self.span = Span { attributes, events, links, ..Span::default() };
    }

    fn put_event(&mut self, message: &'a [u8]) -> Read<()> {
        if !self.bounds.count(1) {
            return Ok(());
        }
        let attributes = self.spare.pop().unwrap_or_default();
        let mut event = SpanEvent { attributes, ..SpanEvent::default() };
        read_event(message, self.bounds, &mut event)
            .map_err(|error| error.within_item("events", self.span.events.len()))?;
        self.span.events.push(event);
        Ok(())
    }

    fn put_link(&mut self, message: &'a [u8]) -> Read<()> {
        if !self.bounds.count(1) {
            return Ok(());
        }
        let attributes = self.spare.pop().unwrap_or_default();
        let mut link = SpanLink { attributes, ..SpanLink::default() };
        read_link(message, self.bounds, &mut link)
            .map_err(|error| error.within_item("links", self.span.links.len()))?;
        self.span.links.push(link);
        Ok(())
    }
}

fn read_event<'a>(message: &'a [u8], bounds: &Bounds, into: &mut SpanEvent<'a>) -> Read<()> {
    for field in Fields::of(message) {
        match field? {
            (1, Value::Eight(bytes)) => into.time = time(bytes),
            (2, Value::Bytes(name)) => into.name = text(name, "name")?,
            (3, Value::Bytes(attribute)) => {
                put_attribute(attribute, "attributes", bounds, &mut into.attributes)?;
            }
            (4, Value::Number(count)) => into.dropped_attributes_count = uint32(count),
            (number @ 1..=4, _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    Ok(())
}

fn read_link<'a>(message: &'a [u8], bounds: &Bounds, into: &mut SpanLink<'a>) -> Read<()> {
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(id)) => into.trace_id = Id::from_bytes(id),
            (2, Value::Bytes(id)) => into.span_id = Id::from_bytes(id),
            (3, Value::Bytes(state)) => into.trace_state = text(state, "trace_state")?,
            (4, Value::Bytes(attribute)) => {
                put_attribute(attribute, "attributes", bounds, &mut into.attributes)?;
            }
            (5, Value::Number(count)) => into.dropped_attributes_count = uint32(count),
            (6, Value::Four(bytes)) => into.flags = u32::from_le_bytes(bytes),
            (number @ 1..=6, _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    Ok(())
}

fn status(message: &[u8]) -> Read<SpanStatus<'_>> {
    let mut status = SpanStatus::default();
    for field in Fields::of(message) {
        match field? {
            (2, Value::Bytes(message)) => status.message = text(message, "message")?,
            (3, Value::Number(code)) => status.code = status_code(int32(code)),
            (number @ 2..=3, _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    Ok(status)
}
