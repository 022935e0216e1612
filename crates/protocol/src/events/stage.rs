//! `stage.*`: after seed 004's stages.

use std::collections::BTreeMap;

use model::event::{StageAction, StageEvent, StageStatus};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::envelope::Envelope;
use super::fields::{
    Amount, Count, Number, Text, When, Whole, amount, bytes, count, first_text, seconds, signed_bytes, text,
    when,
};
use super::{attributes, required};

/// A stage of a job: begun or ended.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("anyOf" = [{"required": ["job_id", "stage"]}, {"required": ["task_id", "stage"]}]))]
#[schemars(rename = "StageFields")]
pub(super) struct WireStage {
    /// The job. Required, here or as `task_id`.
    job_id: Option<Text>,
    /// Another name of `job_id`.
    task_id: Option<Text>,
    /// The stage's name. Required.
    stage: Option<Text>,
    /// The component that does the work, where one does.
    component: Option<Text>,
    /// The kind of job.
    kind: Option<Text>,
    /// The document.
    document_id: Option<Text>,
    /// The worker.
    worker_id: Option<Text>,
    /// The application that reports.
    service: Option<Text>,
    /// The trace that it belongs to, 32 hex digits.
    trace_id: Option<Text>,
    /// Which attempt of the job this is, from 0.
    retry_count: Option<Count>,
    /// When it began.
    started_at: Option<When>,
    /// When it ended.
    completed_at: Option<When>,
    /// How it ended. By default `failed` when there is an error and `completed` when there is none.
    status: Option<WireStatus>,
    /// How long it took, in seconds.
    duration_seconds: Option<Amount>,
    /// How long it took, in milliseconds.
    duration_ms: Option<Amount>,
    /// CPU time used, in seconds.
    cpu_seconds: Option<Amount>,
    /// GPU time used, in seconds.
    gpu_seconds: Option<Amount>,
    /// Resident memory at this moment, in megabytes (1,048,576 bytes).
    memory_rss_mb: Option<Amount>,
    /// Resident memory at this moment, in bytes.
    memory_rss_bytes: Option<Count>,
    /// Virtual memory at this moment, in megabytes.
    memory_vms_mb: Option<Amount>,
    /// Virtual memory at this moment, in bytes.
    memory_vms_bytes: Option<Count>,
    /// Resident memory as a share of the host's, 0 to 100.
    memory_percent: Option<Amount>,
    /// The most resident memory during the stage, in megabytes.
    memory_peak_mb: Option<Amount>,
    /// The most resident memory during the stage, in bytes.
    memory_peak_bytes: Option<Count>,
    /// Resident memory at the end less that at the start, in megabytes.
    memory_delta_mb: Option<Number>,
    /// Resident memory at the end less that at the start, in bytes.
    memory_delta_bytes: Option<Whole>,
    /// GPU memory at this moment, in megabytes.
    gpu_memory_mb: Option<Amount>,
    /// GPU memory at this moment, in bytes.
    gpu_memory_bytes: Option<Count>,
    /// How many items (pages, chunks) it handled.
    items: Option<Count>,
    /// How long it may take, in seconds: until then it is not called stuck.
    expected_max_seconds: Option<Amount>,
    /// The type of the error that ended it.
    error_type: Option<Text>,
    /// The error that ended it.
    error_message: Option<Text>,
    /// Another name of `error_message`.
    error: Option<Text>,
    /// Further facts, kept as text; unknown fields are added to them.
    attributes: Option<BTreeMap<String, Value>>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

/// How a stage ended.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum WireStatus {
    /// Well.
    #[serde(alias = "success", alias = "succeeded", alias = "ok")]
    Completed,
    /// Without an error, and without a result: not a success.
    CompletedEmpty,
    /// With an error.
    #[serde(alias = "error", alias = "failure")]
    Failed,
    /// It was not needed.
    Skipped,
    /// It runs; says nothing about its end.
    #[serde(alias = "started", alias = "in_progress", alias = "pending")]
    Running,
}

pub(super) fn translate(
    action: StageAction,
    wire: WireStage,
    mut envelope: Envelope,
    dropped: &mut usize,
) -> Result<StageEvent, String> {
    let job_id =
        required(first_text([wire.job_id, wire.task_id]), action.as_str(), "`job_id` (or `task_id`)")?;
    let stage = required(text(wire.stage), action.as_str(), "`stage`")?;
    let (started_at, completed_at) = (when(wire.started_at), when(wire.completed_at));
    let about = match action {
        StageAction::Started => started_at,
        StageAction::Finished => completed_at,
    };
    let time = envelope.time(about);
    let error_type = text(wire.error_type);
    let error_message = first_text([wire.error_message, wire.error]);
    let failed = error_type.is_some() || error_message.is_some();
    let status = match action {
        StageAction::Started => None,
        StageAction::Finished => Some(status(wire.status, failed)),
    };
    let from_start = || {
        let started = started_at.filter(|_| action == StageAction::Finished)?;
        (started <= time).then(|| time.since(started).as_secs_f64())
    };
    Ok(StageEvent {
        time,
        event_id: envelope.event_id(about),
        action,
        job_id,
        stage,
        component: text(wire.component),
        kind: text(wire.kind),
        document_id: text(wire.document_id),
        worker_id: text(wire.worker_id),
        service: text(wire.service),
        trace_id: text(wire.trace_id),
        retry_count: count(wire.retry_count),
        status,
        duration_seconds: seconds(wire.duration_seconds, wire.duration_ms).or_else(from_start),
        cpu_seconds: amount(wire.cpu_seconds),
        gpu_seconds: amount(wire.gpu_seconds),
        memory_rss_bytes: bytes(wire.memory_rss_bytes, wire.memory_rss_mb),
        memory_vms_bytes: bytes(wire.memory_vms_bytes, wire.memory_vms_mb),
        memory_percent: amount(wire.memory_percent),
        memory_peak_bytes: bytes(wire.memory_peak_bytes, wire.memory_peak_mb),
        memory_delta_bytes: signed_bytes(wire.memory_delta_bytes, wire.memory_delta_mb),
        gpu_memory_bytes: bytes(wire.gpu_memory_bytes, wire.gpu_memory_mb),
        items: count(wire.items),
        expected_max_seconds: amount(wire.expected_max_seconds),
        error_type,
        error_message,
        attributes: attributes::join(wire.attributes, wire.unknown, dropped),
    })
}

fn status(wire: Option<WireStatus>, failed: bool) -> StageStatus {
    match wire {
        Some(WireStatus::Completed) => StageStatus::Completed,
        Some(WireStatus::CompletedEmpty) => StageStatus::CompletedEmpty,
        Some(WireStatus::Failed) => StageStatus::Failed,
        Some(WireStatus::Skipped) => StageStatus::Skipped,
        None | Some(WireStatus::Running) if failed => StageStatus::Failed,
        None | Some(WireStatus::Running) => StageStatus::Completed,
    }
}
