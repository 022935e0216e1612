//! Log records.

use std::borrow::Cow;

use super::bounds::Beyond;
use super::ids::{SpanId, TraceId};
use super::resource::Sink;
use super::time::UnixNanos;
use super::value::{AnyValue, KeyValue};

/// A record of a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogRecord<'a> {
    /// When it happened.
    pub time: UnixNanos,
    /// When it was seen by whoever collected it.
    pub observed_time: UnixNanos,
    /// How severe it is, from 1 (trace) to 24 (fatal); 0 where nobody said.
    pub severity_number: i32,
    /// The level as the source calls it.
    pub severity_text: Cow<'a, str>,
    /// What it says.
    pub body: AnyValue<'a>,
    /// What else is known of it.
    pub attributes: Vec<KeyValue<'a>>,
    /// How many more attributes the sender had.
    pub dropped_attributes_count: u32,
    /// Flags; the last eight bits are those of W3C Trace Context.
    pub flags: u32,
    /// The trace that it belongs to.
    pub trace_id: TraceId,
    /// The span of that trace.
    pub span_id: SpanId,
    /// The name of the event that it is; empty where it is a plain record.
    pub event_name: Cow<'a, str>,
    /// What of it was not read.
    pub beyond: Beyond,
}

/// Hears the log records of a request.
pub trait LogSink: Sink {
    /// A record of the scope.
    fn record(&mut self, record: &LogRecord<'_>);
}
