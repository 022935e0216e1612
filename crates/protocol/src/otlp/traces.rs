//! Spans, with their events and links.

use std::borrow::Cow;

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

/// The side of an operation that a span shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SpanKind {
    /// Nobody said, or said something that is not known yet; may be taken for internal.
    #[default]
    Unspecified,
    /// Inside of an application.
    Internal,
    /// A request is answered.
    Server,
    /// A request is made.
    Client,
    /// A message is sent.
    Producer,
    /// A message is received.
    Consumer,
}

impl From<i32> for SpanKind {
    fn from(number: i32) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
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

/// Whether an operation went well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StatusCode {
    /// Nobody said, or said something that is not known yet.
    #[default]
    Unset,
    /// It did, as the application itself says.
    Ok,
    /// It did not.
    Error,
}

impl From<i32> for StatusCode {
    fn from(number: i32) -> Self {
        match number {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }
}

/// Hears the spans of a request.
pub trait SpanSink: Sink {
    /// A span of the scope.
    fn span(&mut self, span: &Span<'_>);
}
