//! `component.*`: after seed 004's components.

use std::collections::BTreeMap;

use model::event::{ComponentAction, ComponentEvent};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::envelope::Envelope;
use super::fields::{
    Amount, Count, Number, Text, Whole, amount, bytes, first_text, seconds, signed_bytes, text,
};
use super::{attributes, required};

/// A component (a model, an index) of a worker: loaded or given back.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required" = ["component"]))]
#[schemars(rename = "ComponentFields")]
pub(super) struct WireComponent {
    /// The component's name. Required.
    component: Option<Text>,
    /// The job for which it happened.
    job_id: Option<Text>,
    /// Another name of `job_id`.
    task_id: Option<Text>,
    /// The stage in which it happened.
    stage: Option<Text>,
    /// The worker.
    worker_id: Option<Text>,
    /// The application that reports.
    service: Option<Text>,
    /// How long it took, in seconds.
    duration_seconds: Option<Amount>,
    /// How long it took, in milliseconds.
    duration_ms: Option<Amount>,
    /// Resident memory afterwards, in megabytes (1,048,576 bytes).
    memory_rss_mb: Option<Amount>,
    /// Resident memory afterwards, in bytes.
    memory_rss_bytes: Option<Count>,
    /// Virtual memory afterwards, in megabytes.
    memory_vms_mb: Option<Amount>,
    /// Virtual memory afterwards, in bytes.
    memory_vms_bytes: Option<Count>,
    /// Resident memory as a share of the host's, 0 to 100.
    memory_percent: Option<Amount>,
    /// Resident memory afterwards less that before, in megabytes.
    memory_delta_mb: Option<Number>,
    /// Resident memory afterwards less that before, in bytes.
    memory_delta_bytes: Option<Whole>,
    /// GPU memory afterwards, in megabytes.
    gpu_memory_mb: Option<Amount>,
    /// GPU memory afterwards, in bytes.
    gpu_memory_bytes: Option<Count>,
    /// Further facts, kept as text; unknown fields are added to them.
    attributes: Option<BTreeMap<String, Value>>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

pub(super) fn translate(
    action: ComponentAction,
    wire: WireComponent,
    mut envelope: Envelope,
    dropped: &mut usize,
) -> Result<ComponentEvent, String> {
    Ok(ComponentEvent {
        time: envelope.time(None),
        event_id: envelope.event_id(None),
        action,
        component: required(text(wire.component), action.as_str(), "`component`")?,
        job_id: first_text([wire.job_id, wire.task_id]),
        stage: text(wire.stage),
        worker_id: text(wire.worker_id),
        service: text(wire.service),
        duration_seconds: seconds(wire.duration_seconds, wire.duration_ms),
        memory_rss_bytes: bytes(wire.memory_rss_bytes, wire.memory_rss_mb),
        memory_vms_bytes: bytes(wire.memory_vms_bytes, wire.memory_vms_mb),
        memory_percent: amount(wire.memory_percent),
        memory_delta_bytes: signed_bytes(wire.memory_delta_bytes, wire.memory_delta_mb),
        gpu_memory_bytes: bytes(wire.gpu_memory_bytes, wire.gpu_memory_mb),
        attributes: attributes::join(wire.attributes, wire.unknown, dropped),
    })
}
