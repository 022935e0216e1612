//! Spans, with their events and links.

use std::borrow::Cow;

use model::event::{SpanKind, SpanStatus as StatusCode};

use super::bounds::Beyond;
use super::ids::{SpanId, TraceId};
use super::resource::Sink;
use super::time::UnixNanos;
use super::value::KeyValue;

/// One operation of a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Span<'a> {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// The span that it is a part of; absent in the root of a trace.
    pub parent_span_id: SpanId,
    /// What vendors pass on from span to span, as W3C Trace Context has it.
    pub trace_state: Cow<'a, str>,
    /// Flags; the last eight bits are those of W3C Trace Context.
    pub flags: u32,
    /// What is done.
    pub name: Cow<'a, str>,
    /// The side of it that the span shows.
    pub kind: SpanKind,
    /// When it began.
    pub start_time: UnixNanos,
    /// When it ended.
    pub end_time: UnixNanos,
    /// What else is known of it.
    pub attributes: Vec<KeyValue<'a>>,
    /// How many more attributes the sender had.
    pub dropped_attributes_count: u32,
    /// What happened on the way.
    pub events: Vec<SpanEvent<'a>>,
    /// How many more events the sender had.
    pub dropped_events_count: u32,
    /// Other spans that it has to do with.
    pub links: Vec<SpanLink<'a>>,
    /// How many more links the sender had.
    pub dropped_links_count: u32,
    /// How it ended.
    pub status: SpanStatus<'a>,
    /// What of it, its events and its links was not read.
    pub beyond: Beyond,
}

/// Something that happened while a span lasted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpanEvent<'a> {
    /// When.
    pub time: UnixNanos,
    /// What.
    pub name: Cow<'a, str>,
    /// What else is known of it.
    pub attributes: Vec<KeyValue<'a>>,
    /// How many more attributes the sender had.
    pub dropped_attributes_count: u32,
}

/// Another span that a span has to do with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpanLink<'a> {
    /// The trace.
    pub trace_id: TraceId,
    /// The span of that trace.
    pub span_id: SpanId,
    /// What vendors pass on with it.
    pub trace_state: Cow<'a, str>,
    /// What else is known of the link.
    pub attributes: Vec<KeyValue<'a>>,
    /// How many more attributes the sender had.
    pub dropped_attributes_count: u32,
    /// Flags; the last eight bits are those of W3C Trace Context.
    pub flags: u32,
}

/// The side of an operation that a number stands for (`Span.SpanKind`); of one that is not known yet nobody said.
pub(super) fn span_kind(number: i32) -> SpanKind {
    match number {
        1 => SpanKind::Internal,
        2 => SpanKind::Server,
        3 => SpanKind::Client,
        4 => SpanKind::Producer,
        5 => SpanKind::Consumer,
        _ => SpanKind::Unspecified,
    }
}

/// How a span ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanStatus<'a> {
    /// Well or not.
    pub code: StatusCode,
    /// What went wrong, for people.
    pub message: Cow<'a, str>,
}

/// How an operation went, by the number that stands for it (`Status.StatusCode`).
pub(super) fn status_code(number: i32) -> StatusCode {
    match number {
        1 => StatusCode::Ok,
        2 => StatusCode::Error,
        _ => StatusCode::Unset,
    }
}

/// Hears the spans of a request.
pub trait SpanSink: Sink {
    /// A span of the scope.
    fn span(&mut self, span: &Span<'_>);
}
