//! Jobs, with their attempts and stages.

use model::Timestamp;
use model::event::{Attributes, LlmCallEvent};
use serde::Serialize;
use utoipa::ToSchema;

use super::shape;

shape! {
    /// The error that ended an attempt or a stage.
    JobError from pipeline::JobError {
        /// Its type, as the application names it.
        error_type: Option<String>,
        /// What it says.
        message: Option<String>,
        /// Whether it was a time limit.
        timed_out: bool,
    }
}

shape! {
    /// What is wrong with a job, as far as can be told.
    Judgement from pipeline::Judgement {
        /// `fine`, `waiting_no_consumer`, `owner_gone`, `over_expected_time`, `over_stage_history` or `no_heartbeat`.
        verdict: &'static str,
        /// Why, in one sentence; empty when nothing is wrong.
        reason: String,
    }
}

shape! {
    /// One attempt at a job.
    Attempt from pipeline::AttemptSnapshot {
        /// Its number, from 0.
        number: u64,
        /// Since when the job waited for it.
        #[schema(value_type = Option<String>, format = DateTime)]
        queued_at: Option<Timestamp>,
        /// When it began.
        #[schema(value_type = Option<String>, format = DateTime)]
        started_at: Option<Timestamp>,
        /// When it ended.
        #[schema(value_type = Option<String>, format = DateTime)]
        ended_at: Option<Timestamp>,
        /// `completed`, `failed` or `retried`; null while it runs.
        outcome: Option<&'static str>,
        /// Who made it.
        worker_id: Option<String>,
        /// The error that ended it.
        error: Option<JobError>,
    }
}

shape! {
    /// One stage of one attempt.
    Stage from pipeline::StageSnapshot {
        /// Its name.
        stage: String,
        /// The attempt that it belongs to, from 0, where that is known.
        attempt: Option<u64>,
        /// The component that does the work.
        component: Option<String>,
        /// The worker.
        worker_id: Option<String>,
        /// When it began.
        #[schema(value_type = Option<String>, format = DateTime)]
        started_at: Option<Timestamp>,
        /// When it ended.
        #[schema(value_type = Option<String>, format = DateTime)]
        ended_at: Option<Timestamp>,
        /// How long it took, or has taken so far, in seconds.
        duration_seconds: Option<f64>,
        /// Whether it runs now.
        running: bool,
        /// `completed`, `completed_empty`, `failed` or `skipped`; null while it runs.
        status: Option<&'static str>,
        /// Resident memory when it began, in bytes.
        memory_rss_start_bytes: Option<u64>,
        /// Resident memory when it ended, in bytes.
        memory_rss_end_bytes: Option<u64>,
        /// Virtual memory, in bytes.
        memory_vms_bytes: Option<u64>,
        /// Resident memory as a share of the host's, 0 to 100.
        memory_percent: Option<f64>,
        /// The most resident memory, in bytes.
        memory_peak_bytes: Option<u64>,
        /// Resident memory at the end less that at the start, in bytes.
        memory_delta_bytes: Option<i64>,
        /// GPU memory, in bytes.
        gpu_memory_bytes: Option<u64>,
        /// CPU time, in seconds.
        cpu_seconds: Option<f64>,
        /// GPU time, in seconds.
        gpu_seconds: Option<f64>,
        /// Items handled.
        items: Option<u64>,
        /// The error that ended it.
        error: Option<JobError>,
    }
}

shape! {
    /// A job.
    Job from pipeline::JobSnapshot {
        /// Its id.
        job_id: String,
        /// `pending`, `running`, `completed` or `failed`.
        status: &'static str,
        /// What is wrong with it.
        judgement: Judgement,
        /// What kind of job it is.
        kind: Option<String>,
        /// Its queue.
        queue: Option<String>,
        /// Its document.
        document_id: Option<String>,
        /// For whom it works.
        tenant: Option<String>,
        /// The job that submitted it.
        parent_id: Option<String>,
        /// The worker that works or worked on it last.
        worker_id: Option<String>,
        /// The type of its input.
        content_type: Option<String>,
        /// The application that reports.
        service: Option<String>,
        /// Its trace.
        trace_id: Option<String>,
        /// The request that caused it.
        request_id: Option<String>,
        /// When it was submitted.
        #[schema(value_type = Option<String>, format = DateTime)]
        submitted_at: Option<Timestamp>,
        /// When the last attempt began.
        #[schema(value_type = Option<String>, format = DateTime)]
        started_at: Option<Timestamp>,
        /// When it ended.
        #[schema(value_type = Option<String>, format = DateTime)]
        ended_at: Option<Timestamp>,
        /// The earliest time that anything was said of it.
        #[schema(value_type = String, format = DateTime)]
        first_event_at: Timestamp,
        /// The latest time that anything was said of it.
        #[schema(value_type = String, format = DateTime)]
        last_event_at: Timestamp,
        /// How long it waited for the last attempt, in seconds.
        queue_wait_seconds: Option<f64>,
        /// How long the last attempt took, or has taken so far, in seconds.
        duration_seconds: Option<f64>,
        /// From submission to the end, or until now, in seconds.
        total_seconds: Option<f64>,
        /// Attempts so far.
        attempts: Vec<Attempt>,
        /// How often it was tried again.
        retry_count: u64,
        /// How often it is tried again at the most.
        max_retries: Option<u64>,
        /// Its priority.
        priority: Option<f64>,
        /// How far it is, 0 to 1.
        progress: Option<f64>,
        /// How long it may still take, in seconds.
        eta_seconds: Option<f64>,
        /// The stage that it is in.
        stage: Option<String>,
        /// What it is doing, in words.
        message: Option<String>,
        /// The error of the last attempt that ended badly.
        error: Option<JobError>,
        /// CPU time, in seconds.
        cpu_seconds: Option<f64>,
        /// GPU time, in seconds.
        gpu_seconds: Option<f64>,
        /// The most memory, in bytes.
        memory_peak_bytes: Option<u64>,
        /// The size of its input, in bytes.
        input_bytes: Option<u64>,
        /// The size of its output, in bytes.
        output_bytes: Option<u64>,
        /// Pages of its document.
        pages: Option<u64>,
        /// How sure its result is, 0 to 1.
        confidence_score: Option<f64>,
        /// Whether a lesser method had to be used.
        quality_degraded: Option<bool>,
        /// Its stages, in the order in which they began.
        stages: Vec<Stage>,
        /// Further facts.
        #[schema(value_type = std::collections::BTreeMap<String, String>)]
        attributes: Attributes,
    }
}

/// A job in short, where something leads to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobInShort {
    /// Its id, for `/api/v1/jobs/{id}`.
    pub(crate) job_id: String,
    /// What kind of job it is.
    pub(crate) kind: Option<String>,
    /// `pending`, `running`, `completed` or `failed`; null if nothing is known of it.
    pub(crate) status: Option<&'static str>,
}

/// Where what belongs to a job is found: its log records at `/api/v1/jobs/{id}/logs`, its trace at `…/trace`, its calls
/// of models at `…/llm-calls`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobRecords {
    /// The search that finds its log records and its spans.
    q: String,
    /// From when on they are looked for.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// How many log records there are; null if they were not counted.
    logs: Option<u64>,
    /// How many spans.
    spans: Option<u64>,
    /// How many calls of models.
    llm_calls: Option<u64>,
}

/// A job, and where what belongs to it is found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobDetail {
    /// The job.
    #[serde(flatten)]
    job: Job,
    /// Its traces, 16 at most: the one that is known of it, and, if they were counted, those that others of its events
    /// and its spans name.
    trace_ids: Vec<String>,
    /// What belongs to it.
    records: JobRecords,
}

impl JobDetail {
    pub(crate) fn of(
        job: pipeline::JobSnapshot,
        of_job: &records::OfJob,
        counts: Option<records::JobCounts>,
    ) -> Self {
        let range = of_job.range();
        let records = JobRecords {
            q: of_job.query(),
            from: range.start,
            to: range.end,
            logs: counts.map(|counts| counts.logs),
            spans: counts.map(|counts| counts.spans),
            llm_calls: counts.map(|counts| counts.llm_calls),
        };
        Self { job: job.into(), trace_ids: of_job.traces().to_vec(), records }
    }
}

shape! {
    /// A call of a model.
    LlmCall from LlmCallEvent {
        /// When it was answered.
        #[schema(value_type = String, format = DateTime)]
        time: Timestamp,
        /// The sender's id of it.
        event_id: String,
        /// The model.
        model: String,
        /// What was asked of it: `chat`, `embeddings`.
        operation: Option<String>,
        /// Whose model it is.
        provider: Option<String>,
        /// The address that was called.
        backend: Option<String>,
        /// The job for which it was called.
        job_id: Option<String>,
        /// The stage in which it was called.
        stage: Option<String>,
        /// The document.
        document_id: Option<String>,
        /// For whom.
        tenant: Option<String>,
        /// Who asked.
        user_id: Option<String>,
        /// The worker.
        worker_id: Option<String>,
        /// The application that reports.
        service: Option<String>,
        /// The trace that it belongs to.
        trace_id: Option<String>,
        /// How long it took, in seconds.
        duration_seconds: f64,
        /// How long until the first token, in seconds.
        time_to_first_token_seconds: Option<f64>,
        /// Tokens sent.
        input_tokens: Option<u64>,
        /// Tokens received.
        output_tokens: Option<u64>,
        /// Tokens of the input that the backend had cached.
        cached_tokens: Option<u64>,
        /// What it cost, in US dollars.
        cost_usd: Option<f64>,
        /// Why it ended: `stop`, `length`.
        finish_reason: Option<String>,
        /// The error that ended it.
        error_message: Option<String>,
        /// Further facts.
        #[schema(value_type = std::collections::BTreeMap<String, String>)]
        attributes: Attributes,
    }
}
