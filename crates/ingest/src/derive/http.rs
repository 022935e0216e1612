//! Spans of HTTP requests that were answered.

use model::event::{Attributes, RequestEvent, SpanEvent, SpanKind, SpanStatus};

use super::{Derivation, SPAN_ID, end_of, seconds, task};

/// The status of an answer that an application owed when it failed.
const FAILED: u64 = 500;

/// The request that a span answered; one without an answer is none, unless it failed.
pub(super) fn request(span: &SpanEvent, derivation: &Derivation) -> Option<RequestEvent> {
    let conventions = &span.conventions;
    let method = conventions.http_method.as_deref().filter(|_| span.kind == SpanKind::Server)?;
    let is_failed = span.status == SpanStatus::Error;
    let status_code = conventions.http_status_code.or(is_failed.then_some(FAILED))?;
    let attribute = |names: [&str; 2]| names.into_iter().find_map(|name| span.attributes.get(name));
    let bytes = |names| attribute(names).and_then(|bytes| bytes.parse().ok());
    let route = conventions.http_route.as_deref();
    let path = conventions.url_path.as_deref().or(route).unwrap_or(&span.name);
    let error = task::error_of(span).and_then(|(kind, message)| message.or(kind));
    Some(RequestEvent {
        time: end_of(span),
        event_id: span.derived_id("request"),
        path: path.to_owned(),
        route: derivation.name_of(route),
        method: derivation.name(method),
        status_code,
        duration_seconds: seconds(span.duration_ns),
        user_id: conventions.user_id.clone(),
        api_key_id: None,
        client_ip: derivation
            .settings
            .client_addresses
            .then(|| attribute(["client.address", "http.client_ip"]).cloned())
            .flatten(),
        request_id: conventions.request_id.clone(),
        service: span.origin.service.clone(),
        trace_id: Some(span.trace_id.clone()),
        request_bytes: bytes(["http.request.body.size", "http.request_content_length"]),
        response_bytes: bytes(["http.response.body.size", "http.response_content_length"]),
        error_message: error.map(str::to_owned),
        attributes: Attributes::from([(SPAN_ID.to_owned(), span.span_id.clone())]),
    })
}
