//! Spans that came together, found by their ids.

use model::event::SpanEvent;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed, xxh3_128, xxh3_128_with_seed};

use crate::hashed::ByHash;

/// The spans of one request.
#[derive(Debug)]
pub(super) struct Family<'s> {
    spans: &'s [&'s SpanEvent],
    by_key: ByHash<usize>,
}

impl<'s> Family<'s> {
    pub(super) fn new(spans: &'s [&'s SpanEvent]) -> Self {
        Self { spans, by_key: spans.iter().map(|span| key_of(span)).zip(0..).collect() }
    }

    pub(super) fn spans(&self) -> impl Iterator<Item = &'s SpanEvent> + use<'s> {
        self.spans.iter().copied()
    }

    pub(super) fn get(&self, key: u128) -> Option<&'s SpanEvent> {
        self.by_key.get(&key).and_then(|place| self.spans.get(*place)).copied()
    }

    /// The span that a span is a part of, if it came along.
    pub(super) fn parent(&self, span: &SpanEvent) -> Option<&'s SpanEvent> {
        self.get(parent_key_of(span)?)
    }
}

fn key(trace_id: &str, span_id: &str) -> u128 {
    xxh3_128_with_seed(span_id.as_bytes(), xxh3_64(trace_id.as_bytes()))
}

/// What a span is found by.
pub(super) fn key_of(span: &SpanEvent) -> u128 {
    key(&span.trace_id, &span.span_id)
}

/// What the parent of a span is found by.
pub(super) fn parent_key_of(span: &SpanEvent) -> Option<u128> {
    span.parent_span_id.as_deref().map(|parent| key(&span.trace_id, parent))
}

/// What a trace is found by.
pub(super) fn trace_key_of(span: &SpanEvent) -> u128 {
    xxh3_128(span.trace_id.as_bytes())
}

/// A hash of what tells the process of a span from others.
pub(super) fn process_of(span: &SpanEvent) -> u64 {
    let origin = &span.origin;
    let names = [&origin.service, &origin.service_instance_id, &origin.host];
    names.into_iter().fold(origin.pid.map_or(0, |pid| pid.wrapping_add(1)), |seed, name| {
        xxh3_64_with_seed(name.as_deref().unwrap_or_default().as_bytes(), seed)
    })
}
