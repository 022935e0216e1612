//! `feedback.given`: what a person said of a result.

use std::collections::BTreeMap;

use model::event::FeedbackEvent;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::attributes;
use super::envelope::Envelope;
use super::fields::{Share, Text, first_text, text};

/// A person said how good a result was.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "FeedbackFields")]
pub(super) struct WireFeedback {
    /// The job that made the result.
    job_id: Option<Text>,
    /// Another name of `job_id`.
    task_id: Option<Text>,
    /// The document.
    document_id: Option<Text>,
    /// The trace that it belongs to, 32 hex digits.
    trace_id: Option<Text>,
    /// Who said it.
    user_id: Option<Text>,
    /// How good, 0 to 1.
    score: Option<Share>,
    /// In words.
    comment: Option<Text>,
    /// Further facts, kept as text; unknown fields are added to them.
    attributes: Option<BTreeMap<String, Value>>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

pub(super) fn translate(wire: WireFeedback, mut envelope: Envelope, dropped: &mut usize) -> FeedbackEvent {
    FeedbackEvent {
        time: envelope.time(None),
        event_id: envelope.event_id(None),
        job_id: first_text([wire.job_id, wire.task_id]),
        document_id: text(wire.document_id),
        trace_id: text(wire.trace_id),
        user_id: text(wire.user_id),
        score: wire.score.map(|score| score.0),
        comment: text(wire.comment),
        attributes: attributes::join(wire.attributes, wire.unknown, dropped),
    }
}
