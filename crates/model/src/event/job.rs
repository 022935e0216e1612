//! Jobs, their stages, and the components that a stage needs.

use super::Attributes;
use super::names::text_enum;
use crate::Timestamp;

text_enum! {
    /// What happened to a job.
    JobAction {
        /// It was put into a queue.
        Submitted = "job.submitted",
        /// A worker began with it.
        Started = "job.started",
        /// It got further, and is alive.
        Progress = "job.progress",
        /// It ended well.
        Completed = "job.completed",
        /// It ended badly, and will not be tried again.
        Failed = "job.failed",
        /// An attempt ended badly, and another follows.
        Retried = "job.retried",
    }
}

/// Something happened to a job. After seed 001's `TaskMetrics`.
#[derive(Clone, Debug, PartialEq)]
pub struct JobEvent {
    /// When it happened.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// What happened.
    pub action: JobAction,
    /// The job.
    pub job_id: String,
    /// What kind of job it is: `extraction`, `summary`.
    pub kind: Option<String>,
    /// The queue that it waits in, or came from.
    pub queue: Option<String>,
    /// The document that it works on.
    pub document_id: Option<String>,
    /// For whom it works.
    pub tenant: Option<String>,
    /// The job that submitted it.
    pub parent_id: Option<String>,
    /// The worker that works on it.
    pub worker_id: Option<String>,
    /// The type of its input: `application/pdf`, `audio`.
    pub content_type: Option<String>,
    /// The application that reports.
    pub service: Option<String>,
    /// The trace that it belongs to, 32 hex digits.
    pub trace_id: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// When it was submitted, where that is known here.
    pub submitted_at: Option<Timestamp>,
    /// When this attempt began, where that is known here.
    pub started_at: Option<Timestamp>,
    /// How often it was tried before.
    pub retry_count: Option<u64>,
    /// How often it is tried at the most.
    pub max_retries: Option<u64>,
    /// Its priority, as the queue has it.
    pub priority: Option<f64>,
    /// How far it is, 0 to 1.
    pub progress: Option<f64>,
    /// The stage that it is in.
    pub stage: Option<String>,
    /// What it is doing, in words.
    pub message: Option<String>,
    /// How long what it does now may take, in seconds: suppresses "stuck".
    pub expected_max_seconds: Option<f64>,
    /// The type of the error that ended the attempt.
    pub error_type: Option<String>,
    /// The error that ended the attempt.
    pub error_message: Option<String>,
    /// Whether it ran out of time.
    pub timed_out: Option<bool>,
    /// CPU time used, in seconds.
    pub cpu_seconds: Option<f64>,
    /// GPU time used, in seconds.
    pub gpu_seconds: Option<f64>,
    /// The most memory that it held, in bytes.
    pub memory_peak_bytes: Option<u64>,
    /// The size of its input, in bytes.
    pub input_bytes: Option<u64>,
    /// The size of its output, in bytes.
    pub output_bytes: Option<u64>,
    /// How many pages the document has.
    pub pages: Option<u64>,
    /// How sure the result is, 0 to 1.
    pub confidence_score: Option<f64>,
    /// Whether a lesser method had to be used.
    pub quality_degraded: Option<bool>,
    /// Further facts.
    pub attributes: Attributes,
}

impl JobEvent {
    /// An event of which no more is known than this.
    pub fn new(time: Timestamp, event_id: String, action: JobAction, job_id: String) -> Self {
        Self {
            time,
            event_id,
            action,
            job_id,
            kind: None,
            queue: None,
            document_id: None,
            tenant: None,
            parent_id: None,
            worker_id: None,
            content_type: None,
            service: None,
            trace_id: None,
            request_id: None,
            submitted_at: None,
            started_at: None,
            retry_count: None,
            max_retries: None,
            priority: None,
            progress: None,
            stage: None,
            message: None,
            expected_max_seconds: None,
            error_type: None,
            error_message: None,
            timed_out: None,
            cpu_seconds: None,
            gpu_seconds: None,
            memory_peak_bytes: None,
            input_bytes: None,
            output_bytes: None,
            pages: None,
            confidence_score: None,
            quality_degraded: None,
            attributes: Attributes::new(),
        }
    }
}

text_enum! {
    /// What happened to a stage of a job.
    StageAction {
        /// It began.
        Started = "stage.started",
        /// It ended, well or badly.
        Finished = "stage.finished",
    }
}

text_enum! {
    /// How a stage ended.
    StageStatus {
        /// Well.
        Completed = "completed",
        /// Without an error, and without a result: not a success.
        CompletedEmpty = "completed_empty",
        /// With an error.
        Failed = "failed",
        /// It was not needed.
        Skipped = "skipped",
    }
}

/// A stage of a job began or ended. After seed 004's stages.
#[derive(Clone, Debug, PartialEq)]
pub struct StageEvent {
    /// When it happened.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// What happened.
    pub action: StageAction,
    /// The job.
    pub job_id: String,
    /// The stage's name.
    pub stage: String,
    /// The component that does the work, where one does.
    pub component: Option<String>,
    /// The kind of job.
    pub kind: Option<String>,
    /// The document.
    pub document_id: Option<String>,
    /// The worker.
    pub worker_id: Option<String>,
    /// The application that reports.
    pub service: Option<String>,
    /// The trace that it belongs to.
    pub trace_id: Option<String>,
    /// Which attempt of the job this is, from 0.
    pub retry_count: Option<u64>,
    /// How it ended.
    pub status: Option<StageStatus>,
    /// How long it took, in seconds.
    pub duration_seconds: Option<f64>,
    /// CPU time used, in seconds.
    pub cpu_seconds: Option<f64>,
    /// GPU time used, in seconds.
    pub gpu_seconds: Option<f64>,
    /// Resident memory at this moment, in bytes.
    pub memory_rss_bytes: Option<u64>,
    /// Virtual memory at this moment, in bytes.
    pub memory_vms_bytes: Option<u64>,
    /// Resident memory as a share of the host's, 0 to 100.
    pub memory_percent: Option<f64>,
    /// The most resident memory during the stage, in bytes.
    pub memory_peak_bytes: Option<u64>,
    /// Resident memory at the end less that at the start, in bytes.
    pub memory_delta_bytes: Option<i64>,
    /// GPU memory at this moment, in bytes.
    pub gpu_memory_bytes: Option<u64>,
    /// How many items (pages, chunks) it handled.
    pub items: Option<u64>,
    /// How long it may take, in seconds: suppresses "stuck".
    pub expected_max_seconds: Option<f64>,
    /// The type of the error that ended it.
    pub error_type: Option<String>,
    /// The error that ended it.
    pub error_message: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}

impl StageEvent {
    /// An event of which no more is known than this.
    pub fn new(
        time: Timestamp,
        event_id: String,
        action: StageAction,
        job_id: String,
        stage: String,
    ) -> Self {
        Self {
            time,
            event_id,
            action,
            job_id,
            stage,
            component: None,
            kind: None,
            document_id: None,
            worker_id: None,
            service: None,
            trace_id: None,
            retry_count: None,
            status: None,
            duration_seconds: None,
            cpu_seconds: None,
            gpu_seconds: None,
            memory_rss_bytes: None,
            memory_vms_bytes: None,
            memory_percent: None,
            memory_peak_bytes: None,
            memory_delta_bytes: None,
            gpu_memory_bytes: None,
            items: None,
            expected_max_seconds: None,
            error_type: None,
            error_message: None,
            attributes: Attributes::new(),
        }
    }
}

text_enum! {
    /// What happened to a component (a model, an index) of a worker.
    ComponentAction {
        /// It was loaded.
        Loaded = "component.loaded",
        /// It was given back.
        Unloaded = "component.unloaded",
    }
}

/// A component was loaded or given back. After seed 004's components.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentEvent {
    /// When it happened.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// What happened.
    pub action: ComponentAction,
    /// The component's name.
    pub component: String,
    /// The job for which it happened.
    pub job_id: Option<String>,
    /// The stage in which it happened.
    pub stage: Option<String>,
    /// The worker.
    pub worker_id: Option<String>,
    /// The application that reports.
    pub service: Option<String>,
    /// How long it took, in seconds.
    pub duration_seconds: Option<f64>,
    /// Resident memory afterwards, in bytes.
    pub memory_rss_bytes: Option<u64>,
    /// Virtual memory afterwards, in bytes.
    pub memory_vms_bytes: Option<u64>,
    /// Resident memory as a share of the host's, 0 to 100.
    pub memory_percent: Option<f64>,
    /// Resident memory afterwards less that before, in bytes.
    pub memory_delta_bytes: Option<i64>,
    /// GPU memory afterwards, in bytes.
    pub gpu_memory_bytes: Option<u64>,
    /// Further facts.
    pub attributes: Attributes,
}
