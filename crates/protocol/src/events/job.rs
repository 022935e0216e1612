//! `job.*`: after seed 001's `TaskMetrics`.

use std::collections::BTreeMap;

use model::event::{JobAction, JobEvent};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::envelope::Envelope;
use super::fields::{
    Amount, Count, Number, Share, Text, When, amount, bytes, count, earlier, first_text, seconds, text, when,
};
use super::{attributes, required};

/// A job: submitted, started, in progress, completed, failed, or about to be tried again.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("anyOf" = [{"required": ["job_id"]}, {"required": ["task_id"]}]))]
#[schemars(rename = "JobFields")]
pub(super) struct WireJob {
    /// The job. Required, here or as `task_id`.
    job_id: Option<Text>,
    /// Another name of `job_id`.
    task_id: Option<Text>,
    /// What kind of job it is: `extraction`, `summary`.
    kind: Option<Text>,
    /// Another name of `kind`.
    task_type: Option<Text>,
    /// Another name of `kind`.
    job_type: Option<Text>,
    /// The queue that it waits in, or came from.
    queue: Option<Text>,
    /// The document that it works on.
    document_id: Option<Text>,
    /// For whom it works.
    tenant: Option<Text>,
    /// The job that submitted it.
    parent_id: Option<Text>,
    /// The worker that works on it.
    worker_id: Option<Text>,
    /// The type of its input: `application/pdf`, `audio`.
    content_type: Option<Text>,
    /// The application that reports.
    service: Option<Text>,
    /// The trace that it belongs to, 32 hex digits.
    trace_id: Option<Text>,
    /// The request that caused it.
    request_id: Option<Text>,
    /// When it was submitted.
    submitted_at: Option<When>,
    /// When this attempt began.
    started_at: Option<When>,
    /// When this attempt ended.
    completed_at: Option<When>,
    /// How long it waited before this attempt, in seconds; gives `submitted_at` where that is missing.
    queue_wait_time: Option<Amount>,
    /// How long this attempt took, in seconds; gives `started_at` where that is missing.
    processing_time: Option<Amount>,
    /// Another name of `processing_time`.
    duration_seconds: Option<Amount>,
    /// `processing_time` in milliseconds.
    duration_ms: Option<Amount>,
    /// From submission to the end, in seconds; gives `submitted_at` where that is missing.
    total_time: Option<Amount>,
    /// How often it was tried before this attempt.
    retry_count: Option<Count>,
    /// How often it is tried again at the most.
    max_retries: Option<Count>,
    /// Its priority, as the queue has it.
    priority: Option<Number>,
    /// How far it is, 0 to 1.
    progress: Option<Share>,
    /// How far it is, 0 to 100.
    progress_percent: Option<Amount>,
    /// The stage that it is in.
    stage: Option<Text>,
    /// What it is doing, in words.
    message: Option<Text>,
    /// How long what it does now may take, in seconds: until then it is not called stuck.
    expected_max_seconds: Option<Amount>,
    /// The type of the error that ended the attempt.
    error_type: Option<Text>,
    /// The error that ended the attempt.
    error_message: Option<Text>,
    /// Another name of `error_message`.
    error: Option<Text>,
    /// Whether it ran out of time.
    timed_out: Option<bool>,
    /// CPU time used, in seconds.
    cpu_time: Option<Amount>,
    /// Another name of `cpu_time`.
    cpu_seconds: Option<Amount>,
    /// GPU time used, in seconds.
    gpu_time: Option<Amount>,
    /// Another name of `gpu_time`.
    gpu_seconds: Option<Amount>,
    /// The most memory that it held, in megabytes (1,048,576 bytes).
    memory_peak: Option<Amount>,
    /// Another name of `memory_peak`.
    memory_peak_mb: Option<Amount>,
    /// The most memory that it held, in bytes.
    memory_peak_bytes: Option<Count>,
    /// The size of its input, in bytes.
    input_file_size: Option<Count>,
    /// Another name of `input_file_size`.
    input_bytes: Option<Count>,
    /// The size of its output, in bytes.
    output_file_size: Option<Count>,
    /// Another name of `output_file_size`.
    output_bytes: Option<Count>,
    /// How many pages the document has.
    pages: Option<Count>,
    /// How sure the result is, 0 to 1.
    confidence_score: Option<Share>,
    /// Whether a lesser method had to be used.
    quality_degraded: Option<bool>,
    /// Further facts, kept as text; unknown fields are added to them.
    attributes: Option<BTreeMap<String, Value>>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

pub(super) fn translate(
    action: JobAction,
    wire: WireJob,
    mut envelope: Envelope,
    dropped: &mut usize,
) -> Result<JobEvent, String> {
    let job_id =
        required(first_text([wire.job_id, wire.task_id]), action.as_str(), "`job_id` (or `task_id`)")?;
    let (submitted_at, started_at) = (when(wire.submitted_at), when(wire.started_at));
    let about = match action {
        JobAction::Submitted => submitted_at,
        JobAction::Started => started_at,
        JobAction::Progress => None,
        JobAction::Completed | JobAction::Failed | JobAction::Retried => when(wire.completed_at),
    };
    let time = envelope.time(about);
    // Durations are turned into the times that they imply: times are what is kept. Zero is what senders
    // write when they did not measure.
    let known = |seconds: Option<f64>| seconds.filter(|seconds| *seconds > 0.0);
    let ended = matches!(action, JobAction::Completed | JobAction::Failed | JobAction::Retried);
    let processing = seconds(wire.processing_time.or(wire.duration_seconds), wire.duration_ms);
    let implied_start = known(processing).filter(|_| ended).map(|seconds| earlier(time, seconds));
    let started_at = started_at.or(implied_start);
    let total = known(amount(wire.total_time)).filter(|_| ended);
    let begun = started_at.or((action == JobAction::Started).then_some(time));
    let waited = known(amount(wire.queue_wait_time));
    let implied_submission =
        total.map(|seconds| earlier(time, seconds)).or_else(|| Some(earlier(begun?, waited?)));
    Ok(JobEvent {
        time,
        event_id: envelope.event_id(about),
        action,
        job_id,
        kind: first_text([wire.kind, wire.task_type, wire.job_type]),
        queue: text(wire.queue),
        document_id: text(wire.document_id),
        tenant: text(wire.tenant),
        parent_id: text(wire.parent_id),
        worker_id: text(wire.worker_id),
        content_type: text(wire.content_type),
        service: text(wire.service),
        trace_id: text(wire.trace_id),
        request_id: text(wire.request_id),
        submitted_at: submitted_at.or(implied_submission),
        started_at,
        retry_count: count(wire.retry_count),
        max_retries: count(wire.max_retries),
        priority: wire.priority.map(|priority| priority.0),
        progress: progress(wire.progress, wire.progress_percent)?,
        stage: text(wire.stage),
        message: text(wire.message),
        expected_max_seconds: amount(wire.expected_max_seconds),
        error_type: text(wire.error_type),
        error_message: first_text([wire.error_message, wire.error]),
        timed_out: wire.timed_out,
        cpu_seconds: amount(wire.cpu_time.or(wire.cpu_seconds)),
        gpu_seconds: amount(wire.gpu_time.or(wire.gpu_seconds)),
        memory_peak_bytes: bytes(wire.memory_peak_bytes, wire.memory_peak.or(wire.memory_peak_mb))
            .filter(|bytes| *bytes > 0),
        input_bytes: count(wire.input_file_size.or(wire.input_bytes)),
        output_bytes: count(wire.output_file_size.or(wire.output_bytes)),
        pages: count(wire.pages),
        confidence_score: wire.confidence_score.map(|score| score.0),
        quality_degraded: wire.quality_degraded,
        attributes: attributes::join(wire.attributes, wire.unknown, dropped),
    })
}

fn progress(share: Option<Share>, percent: Option<Amount>) -> Result<Option<f64>, String> {
    match (share, amount(percent)) {
        (Some(share), _) => Ok(Some(share.0)),
        (None, Some(percent)) if percent > 100.0 => {
            Err(format!("`progress_percent`: {percent} is more than 100"))
        }
        (None, percent) => Ok(percent.map(|percent| percent / 100.0)),
    }
}
