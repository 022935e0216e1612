//! `request.finished`: after seed 003's `RequestLog`.

use std::collections::BTreeMap;

use model::event::RequestEvent;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::envelope::Envelope;
use super::fields::{Amount, Count, Text, count, first_text, seconds, text};
use super::{EventType, attributes, required};

/// An HTTP request that was answered.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required" = ["path", "method", "status_code"], "anyOf" = [
    {"required": ["process_time"]}, {"required": ["duration_seconds"]}, {"required": ["duration_ms"]}
]))]
#[schemars(rename = "RequestFields")]
pub(super) struct WireRequest {
    /// The path as called. Required.
    path: Option<Text>,
    /// The route that matched: `/documents/{id}`. Without it, requests are grouped by the path with its
    /// ids taken out.
    route: Option<Text>,
    /// The method. Required.
    method: Option<Text>,
    /// The status code, 100 to 599. Required.
    status_code: Option<Count>,
    /// How long it took, in seconds. Required, here or as `duration_seconds` or `duration_ms`.
    process_time: Option<Amount>,
    /// Another name of `process_time`.
    duration_seconds: Option<Amount>,
    /// How long it took, in milliseconds.
    duration_ms: Option<Amount>,
    /// Who asked.
    user_id: Option<Text>,
    /// The id (never the text) of the API key that was used.
    api_key_id: Option<Text>,
    /// The address that asked.
    client_ip: Option<Text>,
    /// The request's id.
    request_id: Option<Text>,
    /// The application that answered.
    service: Option<Text>,
    /// The trace that it belongs to, 32 hex digits.
    trace_id: Option<Text>,
    /// Body bytes received.
    request_bytes: Option<Count>,
    /// Body bytes sent.
    response_bytes: Option<Count>,
    /// The error behind the answer.
    error_message: Option<Text>,
    /// Another name of `error_message`.
    error: Option<Text>,
    /// Further facts, kept as text; unknown fields are added to them.
    attributes: Option<BTreeMap<String, Value>>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

pub(super) fn translate(
    wire: WireRequest,
    mut envelope: Envelope,
    dropped: &mut usize,
) -> Result<RequestEvent, String> {
    let name = EventType::Request.as_str();
    let status_code = required(count(wire.status_code), name, "`status_code`")?;
    if !(100..=599).contains(&status_code) {
        return Err(format!("`status_code`: {status_code} is not an HTTP status, which is 100 to 599"));
    }
    let duration = seconds(wire.process_time.or(wire.duration_seconds), wire.duration_ms);
    Ok(RequestEvent {
        time: envelope.time(None),
        event_id: envelope.event_id(None),
        path: required(text(wire.path), name, "`path`")?,
        route: text(wire.route),
        method: required(text(wire.method), name, "`method`")?.to_ascii_uppercase(),
        status_code,
        duration_seconds: required(duration, name, "`process_time` (seconds)")?,
        user_id: text(wire.user_id),
        api_key_id: text(wire.api_key_id),
        client_ip: text(wire.client_ip),
        request_id: text(wire.request_id),
        service: text(wire.service),
        trace_id: text(wire.trace_id),
        request_bytes: count(wire.request_bytes),
        response_bytes: count(wire.response_bytes),
        error_message: first_text([wire.error_message, wire.error]),
        attributes: attributes::join(wire.attributes, wire.unknown, dropped),
    })
}
