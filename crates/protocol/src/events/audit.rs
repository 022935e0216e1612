//! `audit.recorded`: who did what to what, for the account that an application keeps.

use std::collections::BTreeMap;

use model::event::{AuditCategory, AuditEvent, AuditOutcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::envelope::Envelope;
use super::fields::{Text, first_text, text};
use super::{EventType, attributes, required};

/// Somebody did something that is kept account of.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required" = ["action"]))]
#[schemars(rename = "AuditFields")]
pub(super) struct WireAudit {
    /// What was done: `document.delete`, `login`. Required.
    action: Option<Text>,
    /// What kind of thing that is; `user_action` if left out.
    category: Option<WireCategory>,
    /// What became of it.
    outcome: Option<WireOutcome>,
    /// Who did it.
    user_id: Option<Text>,
    /// Another name of `user_id`.
    actor: Option<Text>,
    /// To what it was done.
    target: Option<Text>,
    /// Another name of `target`.
    resource: Option<Text>,
    /// In words.
    message: Option<Text>,
    /// Another name of `message`.
    reason: Option<Text>,
    /// From which address.
    client_ip: Option<Text>,
    /// For whom.
    tenant: Option<Text>,
    /// The application.
    service: Option<Text>,
    /// The machine.
    host: Option<Text>,
    /// The job that it concerns.
    job_id: Option<Text>,
    /// Another name of `job_id`.
    task_id: Option<Text>,
    /// The document that it concerns.
    document_id: Option<Text>,
    /// The request in which it was done.
    request_id: Option<Text>,
    /// The trace that it belongs to, 32 hex digits.
    trace_id: Option<Text>,
    /// Further facts, kept as text; unknown fields are added to them.
    attributes: Option<BTreeMap<String, Value>>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

/// What kind of thing was done.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "AuditCategory")]
enum WireCategory {
    /// A person, or somebody's key, did something.
    UserAction,
    /// A system did something of its own accord.
    System,
    /// It concerns who may do what: logins, keys, permissions, what was denied.
    Security,
}

/// What became of it.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "AuditOutcome")]
enum WireOutcome {
    /// It was done.
    Success,
    /// It was tried and has failed.
    Failure,
    /// It was not allowed.
    Denied,
}

fn category(wire: Option<WireCategory>) -> AuditCategory {
    match wire {
        None | Some(WireCategory::UserAction) => AuditCategory::UserAction,
        Some(WireCategory::System) => AuditCategory::System,
        Some(WireCategory::Security) => AuditCategory::Security,
    }
}

fn outcome(wire: WireOutcome) -> AuditOutcome {
    match wire {
        WireOutcome::Success => AuditOutcome::Success,
        WireOutcome::Failure => AuditOutcome::Failure,
        WireOutcome::Denied => AuditOutcome::Denied,
    }
}

pub(super) fn translate(
    wire: WireAudit,
    mut envelope: Envelope,
    dropped: &mut usize,
) -> Result<AuditEvent, String> {
    Ok(AuditEvent {
        time: envelope.time(None),
        event_id: envelope.event_id(None),
        action: required(text(wire.action), EventType::Audit.as_str(), "`action`")?,
        category: category(wire.category),
        outcome: wire.outcome.map(outcome),
        user_id: first_text([wire.user_id, wire.actor]),
        target: first_text([wire.target, wire.resource]),
        message: first_text([wire.message, wire.reason]),
        client_ip: text(wire.client_ip),
        tenant: text(wire.tenant),
        service: text(wire.service),
        host: text(wire.host),
        job_id: first_text([wire.job_id, wire.task_id]),
        document_id: text(wire.document_id),
        request_id: text(wire.request_id),
        trace_id: text(wire.trace_id),
        attributes: attributes::join(wire.attributes, wire.unknown, dropped),
    })
}
