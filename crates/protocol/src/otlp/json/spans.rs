//! Requests of traces.

use super::Read;
use super::object::object;
use super::request::{Names, walk};
use crate::otlp::bounds::Bounds;
use crate::otlp::traces::{Span, SpanEvent, SpanLink, SpanSink, SpanStatus};

#[derive(Default)]
struct Spans;

impl Names for Spans {
    const RESOURCES: &'static str = "resourceSpans";
    const SCOPES: &'static str = "scopeSpans";
    const RECORDS: &'static str = "spans";
}

/// Takes a request apart.
pub(in crate::otlp) fn decode(body: &[u8], sink: &mut impl SpanSink) -> Read<()> {
    let bounds = Bounds::default();
    walk::<Spans, Span<'_>, _>(body, &bounds, sink, |span, sink| {
        sink.span(&Span { beyond: bounds.beyond(), ..span });
        Ok(())
    })
}

object!(Span<'de>, "a span", {
    "traceId" => trace_id,
    "spanId" => span_id,
    "parentSpanId" => parent_span_id,
    "traceState" => trace_state,
    "flags" => flags,
    "name" => name,
    "kind" => kind,
    "startTimeUnixNano" => start_time,
    "endTimeUnixNano" => end_time,
    "attributes" => attributes,
    "droppedAttributesCount" => dropped_attributes_count,
    "events" => events,
    "droppedEventsCount" => dropped_events_count,
    "links" => links,
    "droppedLinksCount" => dropped_links_count,
    "status" => status,
});

object!(SpanEvent<'de>, "an event of a span", {
    "timeUnixNano" => time,
    "name" => name,
    "attributes" => attributes,
    "droppedAttributesCount" => dropped_attributes_count,
});

object!(SpanLink<'de>, "a link of a span", {
    "traceId" => trace_id,
    "spanId" => span_id,
    "traceState" => trace_state,
    "attributes" => attributes,
    "droppedAttributesCount" => dropped_attributes_count,
    "flags" => flags,
});

object!(SpanStatus<'de>, "the status of a span", { "message" => message, "code" => code });
