//! Spans of calls of models.
//!
//! After the conventions for generative AI (<https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>), and
//! names that libraries wrote before there were any; those are in the one table of names of `protocol`.

use model::event::{LlmCallEvent, SpanEvent, SpanKind, SpanStatus};

use super::{Derivation, SPAN_ID, end_of, seconds, task};

/// What a model is asked for; tools and agents are no calls of a model.
const OPERATIONS: &[&str] =
    &["chat", "text_completion", "completion", "generate_content", "embeddings", "embedding", "rerank"];

/// A span that is a call of a model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'s> {
    model: &'s str,
    operation: Option<&'s str>,
    span: &'s SpanEvent,
}

impl<'s> Call<'s> {
    pub(super) fn of(span: &'s SpanEvent) -> Option<Self> {
        // The side that serves tells of the same call once more.
        if !matches!(span.kind, SpanKind::Client | SpanKind::Internal) {
            return None;
        }
        let conventions = &span.conventions;
        let asked = conventions.gen_ai_request_model.as_deref();
        let model = asked.or(conventions.gen_ai_response_model.as_deref())?;
        let operation = conventions.gen_ai_operation.as_deref();
        let is_call = match operation {
            Some(operation) => OPERATIONS.contains(&operation),
            None => conventions.gen_ai_input_tokens.is_some() || conventions.gen_ai_output_tokens.is_some(),
        };
        is_call.then_some(Self { model, operation, span })
    }

    /// The call, of a job and a stage where these are known.
    pub(super) fn event(
        &self,
        derivation: &Derivation,
        (job_id, stage): (Option<String>, Option<String>),
    ) -> LlmCallEvent {
        let (span, conventions) = (self.span, &self.span.conventions);
        let number = |names: &[&str]| {
            let text = names.iter().find_map(|name| span.attributes.get(name))?;
            text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
        };
        let mut event = LlmCallEvent {
            time: end_of(span),
            event_id: span.derived_id("call"),
            model: derivation.name(self.model),
            operation: derivation.name_of(self.operation),
            provider: derivation.name_of(conventions.gen_ai_provider.as_deref()),
            backend: backend_of(span),
            job_id: conventions.job_id.clone().or(job_id),
            stage: derivation.name_of(conventions.stage.as_deref()).or(stage),
            document_id: conventions.document_id.clone(),
            tenant: conventions.tenant.clone(),
            user_id: conventions.user_id.clone(),
            worker_id: conventions.worker_id.clone(),
            service: span.origin.service.clone(),
            trace_id: Some(span.trace_id.clone()),
            duration_seconds: seconds(span.duration_ns),
            time_to_first_token_seconds: number(&[
                "gen_ai.response.time_to_first_chunk",
                "gen_ai.server.time_to_first_token",
            ]),
            input_tokens: conventions.gen_ai_input_tokens,
            output_tokens: conventions.gen_ai_output_tokens,
            cached_tokens: number(&[
                "gen_ai.usage.cache_read.input_tokens",
                "gen_ai.usage.cache_read_input_tokens",
                "gen_ai.usage.cached_tokens",
            ])
            .map(|tokens| tokens as u64),
            cost_usd: number(&["gen_ai.usage.cost", "llm.usage.cost"]),
            finish_reason: derivation.name_of(conventions.gen_ai_finish_reason.as_deref()),
            error_message: error_of(span),
            attributes: [(SPAN_ID.to_owned(), span.span_id.clone())].into(),
        };
        if let Some(answered) =
            conventions.gen_ai_response_model.as_ref().filter(|model| **model != self.model)
        {
            event.attributes.insert("gen_ai.response.model".to_owned(), answered.clone());
        }
        event
    }
}

fn backend_of(span: &SpanEvent) -> Option<String> {
    let address = span.attributes.get("server.address")?;
    Some(match span.attributes.get("server.port") {
        Some(port) => format!("{address}:{port}"),
        None => address.clone(),
    })
}

/// How it failed; a call that failed without a word has failed all the same.
fn error_of(span: &SpanEvent) -> Option<String> {
    if span.status != SpanStatus::Error {
        return None;
    }
    let (kind, message) = task::error_of(span).unwrap_or_default();
    Some(message.or(kind).unwrap_or("error").to_owned())
}
