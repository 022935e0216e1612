//! What people and pipelines ask for: requests, calls of models, feedback on answers, deploys.

use super::Attributes;
use crate::Timestamp;

/// An HTTP request was answered. After seed 003's `RequestLog`.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestEvent {
    /// When it was answered.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// The path as called.
    pub path: String,
    /// The route that matched: `/documents/{id}`.
    pub route: Option<String>,
    /// The method.
    pub method: String,
    /// The status code.
    pub status_code: u64,
    /// How long it took, in seconds.
    pub duration_seconds: f64,
    /// Who asked.
    pub user_id: Option<String>,
    /// The id (never the text) of the API key that was used.
    pub api_key_id: Option<String>,
    /// The address that asked.
    pub client_ip: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// The application that answered.
    pub service: Option<String>,
    /// The trace that it belongs to.
    pub trace_id: Option<String>,
    /// Body bytes received.
    pub request_bytes: Option<u64>,
    /// Body bytes sent.
    pub response_bytes: Option<u64>,
    /// The error behind the answer.
    pub error_message: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}

/// A model was called.
#[derive(Clone, Debug, PartialEq)]
pub struct LlmCallEvent {
    /// When it was answered.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// The model.
    pub model: String,
    /// What was asked of it: `chat`, `embeddings`.
    pub operation: Option<String>,
    /// Whose model it is: `ollama`, `openai`.
    pub provider: Option<String>,
    /// The address that was called.
    pub backend: Option<String>,
    /// The job for which it was called.
    pub job_id: Option<String>,
    /// The stage in which it was called.
    pub stage: Option<String>,
    /// The document.
    pub document_id: Option<String>,
    /// For whom.
    pub tenant: Option<String>,
    /// Who asked.
    pub user_id: Option<String>,
    /// The worker.
    pub worker_id: Option<String>,
    /// The application that reports.
    pub service: Option<String>,
    /// The trace that it belongs to.
    pub trace_id: Option<String>,
    /// How long it took, in seconds.
    pub duration_seconds: f64,
    /// How long until the first token, in seconds.
    pub time_to_first_token_seconds: Option<f64>,
    /// Tokens sent.
    pub input_tokens: Option<u64>,
    /// Tokens received.
    pub output_tokens: Option<u64>,
    /// Tokens of the input that the backend had cached.
    pub cached_tokens: Option<u64>,
    /// What it cost, in US dollars.
    pub cost_usd: Option<f64>,
    /// Why it ended: `stop`, `length`.
    pub finish_reason: Option<String>,
    /// The error that ended it.
    pub error_message: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}

/// A person said how good a result was.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedbackEvent {
    /// When it was said.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// The job that made the result.
    pub job_id: Option<String>,
    /// The document.
    pub document_id: Option<String>,
    /// The trace that it belongs to.
    pub trace_id: Option<String>,
    /// Who said it.
    pub user_id: Option<String>,
    /// How good, 0 to 1.
    pub score: Option<f64>,
    /// In words.
    pub comment: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}

/// A release was brought out.
#[derive(Clone, Debug, PartialEq)]
pub struct DeployEvent {
    /// When it was done.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// The application.
    pub service: String,
    /// The release.
    pub version: String,
    /// Where: `production`.
    pub environment: Option<String>,
    /// In words.
    pub description: Option<String>,
    /// A page about it.
    pub url: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}
