//! `llm.call`: one call of a model.

use std::collections::BTreeMap;

use model::event::LlmCallEvent;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::envelope::Envelope;
use super::fields::{Amount, Count, Text, amount, count, first_text, seconds, text};
use super::{EventType, attributes, required};

/// A model that was called.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required" = ["model"], "anyOf" = [
    {"required": ["duration_seconds"]}, {"required": ["duration_ms"]}
]))]
#[schemars(rename = "LlmCallFields")]
pub(super) struct WireLlmCall {
    /// The model. Required.
    model: Option<Text>,
    /// What was asked of it: `chat`, `embeddings`.
    operation: Option<Text>,
    /// Whose model it is: `ollama`, `openai`.
    provider: Option<Text>,
    /// The address that was called.
    backend: Option<Text>,
    /// The job for which it was called.
    job_id: Option<Text>,
    /// Another name of `job_id`.
    task_id: Option<Text>,
    /// The stage in which it was called.
    stage: Option<Text>,
    /// The document.
    document_id: Option<Text>,
    /// For whom.
    tenant: Option<Text>,
    /// Who asked.
    user_id: Option<Text>,
    /// The worker.
    worker_id: Option<Text>,
    /// The application that reports.
    service: Option<Text>,
    /// The trace that it belongs to, 32 hex digits.
    trace_id: Option<Text>,
    /// How long it took, in seconds. Required, here or as `duration_ms`.
    duration_seconds: Option<Amount>,
    /// How long it took, in milliseconds.
    duration_ms: Option<Amount>,
    /// How long until the first token, in seconds.
    time_to_first_token_seconds: Option<Amount>,
    /// How long until the first token, in milliseconds.
    time_to_first_token_ms: Option<Amount>,
    /// Tokens sent.
    input_tokens: Option<Count>,
    /// Another name of `input_tokens`.
    prompt_tokens: Option<Count>,
    /// Tokens received.
    output_tokens: Option<Count>,
    /// Another name of `output_tokens`.
    completion_tokens: Option<Count>,
    /// Tokens of the input that the backend had cached.
    cached_tokens: Option<Count>,
    /// What it cost, in US dollars.
    cost_usd: Option<Amount>,
    /// Why it ended: `stop`, `length`.
    finish_reason: Option<Text>,
    /// The error that ended it.
    error_message: Option<Text>,
    /// Another name of `error_message`.
    error: Option<Text>,
    /// Further facts, kept as text; unknown fields are added to them.
    attributes: Option<BTreeMap<String, Value>>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

pub(super) fn translate(
    wire: WireLlmCall,
    mut envelope: Envelope,
    dropped: &mut usize,
) -> Result<LlmCallEvent, String> {
    let name = EventType::LlmCall.as_str();
    let duration = seconds(wire.duration_seconds, wire.duration_ms);
    Ok(LlmCallEvent {
        time: envelope.time(None),
        event_id: envelope.event_id(None),
        model: required(text(wire.model), name, "`model`")?,
        operation: text(wire.operation),
        provider: text(wire.provider),
        backend: text(wire.backend),
        job_id: first_text([wire.job_id, wire.task_id]),
        stage: text(wire.stage),
        document_id: text(wire.document_id),
        tenant: text(wire.tenant),
        user_id: text(wire.user_id),
        worker_id: text(wire.worker_id),
        service: text(wire.service),
        trace_id: text(wire.trace_id),
        duration_seconds: required(duration, name, "`duration_seconds` (or `duration_ms`)")?,
        time_to_first_token_seconds: seconds(wire.time_to_first_token_seconds, wire.time_to_first_token_ms),
        input_tokens: count(wire.input_tokens.or(wire.prompt_tokens)),
        output_tokens: count(wire.output_tokens.or(wire.completion_tokens)),
        cached_tokens: count(wire.cached_tokens),
        cost_usd: amount(wire.cost_usd),
        finish_reason: text(wire.finish_reason),
        error_message: first_text([wire.error_message, wire.error]),
        attributes: attributes::join(wire.attributes, wire.unknown, dropped),
    })
}
