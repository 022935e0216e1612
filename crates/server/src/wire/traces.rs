//! Traces and their spans.

use model::Timestamp;
use model::event::{Attributes, SpanEvent};
use serde::Serialize;
use utoipa::ToSchema;

use super::jobs::JobInShort;
use super::records::{LogRecord, RecordConventions, RecordOrigin, SearchHint, flaws, origin};
use super::shape;

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// A trace in short.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TraceSummary {
    /// Its id.
    trace_id: String,
    /// When its first span began.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// From then until its last span ended, in seconds.
    duration_seconds: f64,
    /// The service of the span that has no parent, or else of the first one.
    service: Option<String>,
    /// The name of that span.
    name: String,
    /// How many spans there are of it, within an hour of those that match.
    spans: u64,
    /// How many of them failed.
    errors: u64,
    /// The services that take part, 16 at most.
    services: Vec<String>,
    /// How many of its spans match, of those that were looked at.
    matching: u64,
}

impl From<records::TraceSummary> for TraceSummary {
    fn from(trace: records::TraceSummary) -> Self {
        Self {
            trace_id: trace.trace_id,
            start: trace.start,
            duration_seconds: seconds(trace.duration_ns),
            service: trace.service,
            name: trace.name,
            spans: trace.spans,
            errors: trace.errors,
            services: trace.services,
            matching: trace.matching,
        }
    }
}

/// Traces that a search finds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TraceList {
    /// The traces, those with the newest matching spans first.
    pub(crate) items: Vec<TraceSummary>,
    /// What to know of the search.
    pub(crate) hints: Vec<SearchHint>,
}

shape! {
    /// Something that happened while a span lasted.
    SpanOccurrence from model::event::SpanOccurrence {
        /// When; a sender need not say.
        #[schema(value_type = Option<String>, format = DateTime)]
        time: Option<Timestamp>,
        /// What.
        name: String,
        /// What else is known of it.
        #[schema(value_type = std::collections::BTreeMap<String, String>)]
        attributes: Attributes,
    }
}

shape! {
    /// Another span that a span has to do with.
    SpanLink from model::event::SpanLink {
        /// The trace.
        trace_id: Option<String>,
        /// The span of that trace.
        span_id: Option<String>,
        /// What else is known of the link.
        #[schema(value_type = std::collections::BTreeMap<String, String>)]
        attributes: Attributes,
    }
}

/// A span of a trace. What is not known of it is not there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TraceSpan {
    /// Its id.
    span_id: String,
    /// The span that it is a part of, as the sender says.
    parent_span_id: Option<String>,
    /// The place of that span in the list, from 0; null of roots, and where that span is not there.
    parent: Option<usize>,
    /// How many spans it is within.
    depth: usize,
    /// Whether it names a parent that is not there.
    orphan: bool,
    /// Whether it was cut off spans that are parts of one another in a circle.
    cut: bool,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// How long it took, in seconds.
    duration_seconds: f64,
    /// By how much its clock is taken to be wrong: add this to its time, in seconds.
    skew_seconds: f64,
    /// How long it ran while none of its parts did, in seconds.
    self_seconds: f64,
    /// How long the whole trace waited for it and for none of its parts, in seconds; more than 0 is on the critical
    /// path.
    critical_seconds: f64,
    /// How long the whole trace waited for it to begin while nothing ran, as in a queue, in seconds. The critical path
    /// is as long as these of all spans together.
    waiting_seconds: f64,
    /// What is done.
    name: String,
    /// `unspecified`, `internal`, `server`, `client`, `producer` or `consumer`.
    kind: &'static str,
    /// `unset`, `ok` or `error`.
    status: &'static str,
    /// What went wrong, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<String>,
    /// What happened on the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<SpanOccurrence>,
    /// Other spans that it has to do with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<SpanLink>,
    /// What it comes from.
    origin: RecordOrigin,
    /// What it says under names that all senders share.
    conventions: RecordConventions,
    /// Further facts.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    attributes: Attributes,
    /// What is not right about it, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flaws: Vec<&'static str>,
}

impl TraceSpan {
    fn of(span: SpanEvent, node: &records::Node) -> Self {
        Self {
            span_id: span.span_id,
            parent_span_id: span.parent_span_id,
            parent: node.parent,
            depth: node.depth,
            orphan: node.is_orphan,
            cut: node.is_cut,
            time: span.time,
            duration_seconds: seconds(span.duration_ns),
            skew_seconds: node.skew as f64 / 1e9,
            self_seconds: seconds(node.own),
            critical_seconds: seconds(node.critical),
            waiting_seconds: seconds(node.waiting),
            name: span.name,
            kind: span.kind.as_str(),
            status: span.status.as_str(),
            status_message: span.status_message,
            events: span.events.into_iter().map(Into::into).collect(),
            links: span.links.into_iter().map(Into::into).collect(),
            origin: origin(span.origin),
            conventions: span.conventions.into(),
            attributes: span.attributes,
            flaws: flaws(span.flaws),
        }
    }
}

/// A whole trace.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Trace {
    /// Its id.
    trace_id: String,
    /// Its spans, by when they began, 10,000 at most.
    spans: Vec<TraceSpan>,
    /// Its log records, by time, 1,000 at most.
    logs: Vec<LogRecord>,
    /// Its jobs, in the order in which they were first told of, 50 at most.
    jobs: Vec<JobInShort>,
    /// Whether there are more spans than these.
    more_spans: bool,
    /// Whether there are more log records than these.
    more_logs: bool,
    /// Whether there are more jobs than these.
    more_jobs: bool,
}

impl Trace {
    /// A trace, whose jobs are these.
    pub(crate) fn of(trace_id: String, trace: records::Trace, jobs: Vec<JobInShort>) -> Self {
        let spans = trace.spans.into_iter().zip(&trace.nodes);
        Self {
            trace_id,
            spans: spans.map(|(span, node)| TraceSpan::of(span, node)).collect(),
            logs: trace.logs.into_iter().map(Into::into).collect(),
            jobs,
            more_spans: trace.has_more_spans,
            more_logs: trace.has_more_logs,
            more_jobs: trace.jobs.has_more(),
        }
    }
}
