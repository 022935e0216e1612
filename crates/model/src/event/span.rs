//! Spans of traces.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::names::text_enum;
use super::{Attributes, Conventions, Flaws, Origin};
use crate::Timestamp;

text_enum! {
    /// The side of an operation that a span shows.
    #[derive(Default)]
    SpanKind {
        /// Nobody said; may be taken for internal.
        #[default]
        Unspecified = "unspecified",
        /// Inside of an application.
        Internal = "internal",
        /// A request is answered.
        Server = "server",
        /// A request is made.
        Client = "client",
        /// A message is sent.
        Producer = "producer",
        /// A message is received.
        Consumer = "consumer",
    }
}

text_enum! {
    /// Whether an operation went well.
    #[derive(Default)]
    SpanStatus {
        /// Nobody said: there was no error that the library knows of.
        #[default]
        Unset = "unset",
        /// It did, as the application itself says.
        Ok = "ok",
        /// It did not.
        Error = "error",
    }
}

/// One operation of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanEvent {
    /// When it began.
    pub time: Timestamp,
    /// The trace, 32 hex digits.
    pub trace_id: String,
    /// The span, 16 hex digits.
    pub span_id: String,
    /// The span that it is a part of; the root of a trace has none.
    pub parent_span_id: Option<String>,
    /// What is done.
    pub name: String,
    /// The side of it that the span shows.
    pub kind: SpanKind,
    /// How long it took, in nanoseconds.
    pub duration_ns: u64,
    /// How it ended.
    pub status: SpanStatus,
    /// What went wrong, for people.
    pub status_message: Option<String>,
    /// Flags; the last eight bits are those of W3C Trace Context.
    pub trace_flags: Option<u64>,
    /// What vendors pass on from span to span.
    pub trace_state: Option<String>,
    /// What happened on the way.
    pub events: Vec<SpanOccurrence>,
    /// Other spans that it has to do with.
    pub links: Vec<SpanLink>,
    /// What it comes from.
    pub origin: Arc<Origin>,
    /// What it says under names that all senders share.
    pub conventions: Conventions,
    /// Further facts.
    pub attributes: Attributes,
    /// Attributes that are not here: the sender left them out, or they were too many.
    pub dropped_attributes: Option<u64>,
    /// The same of what happened on the way.
    pub dropped_events: Option<u64>,
    /// The same of links.
    pub dropped_links: Option<u64>,
    /// What is not right about it.
    pub flaws: Flaws,
}

impl SpanEvent {
    /// A span of which no more is known than this.
    pub fn new(time: Timestamp, trace_id: String, span_id: String, origin: Arc<Origin>) -> Self {
        Self {
            time,
            trace_id,
            span_id,
            parent_span_id: None,
            name: String::new(),
            kind: SpanKind::Unspecified,
            duration_ns: 0,
            status: SpanStatus::Unset,
            status_message: None,
            trace_flags: None,
            trace_state: None,
            events: Vec::new(),
            links: Vec::new(),
            origin,
            conventions: Conventions::default(),
            attributes: Attributes::new(),
            dropped_attributes: None,
            dropped_events: None,
            dropped_links: None,
            flaws: Flaws::NONE,
        }
    }

    /// What tells it from all other spans: its trace, its own id, and its side. Some libraries (Zipkin's among them)
    /// let the server go on under the id of the client that called it: those are two spans, and both are kept.
    pub fn event_id(&self) -> String {
        [self.trace_id.as_str(), self.span_id.as_str(), "-", self.kind.as_str()].concat()
    }

    /// The id of an event that follows from it: its own, and what follows.
    pub fn derived_id(&self, what: &str) -> String {
        [self.trace_id.as_str(), self.span_id.as_str(), "-", self.kind.as_str(), "-", what].concat()
    }
}

/// Something that happened while a span lasted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanOccurrence {
    /// When; a sender need not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// What.
    pub name: String,
    /// What else is known of it.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Attributes that are not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped_attributes: Option<u64>,
}

/// Another span that a span has to do with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpanLink {
    /// The trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The span of that trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// What vendors pass on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_state: Option<String>,
    /// Flags; the last eight bits are those of W3C Trace Context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_flags: Option<u64>,
    /// What else is known of the link.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Attributes that are not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped_attributes: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_call_may_have_one_id_and_are_two_spans() {
        let span = |kind| {
            let (trace, span) = ("ab".repeat(16), "cd".repeat(8));
            SpanEvent { kind, ..SpanEvent::new(Timestamp::from_millis(5), trace, span, Arc::default()) }
        };
        let ids = [SpanKind::Client, SpanKind::Server].map(|kind| span(kind).event_id());
        assert_ne!(ids[0], ids[1]);
        assert_eq!(span(SpanKind::Client).event_id(), ids[0], "a span that is sent again is the same");
        let derived = span(SpanKind::Client).derived_id("stage");
        assert_eq!(derived.strip_prefix(ids[0].as_str()), Some("-stage"), "it is known whose it is");
    }
}
