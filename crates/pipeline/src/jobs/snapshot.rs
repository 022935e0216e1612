//! What is known of one job, as plain data: the job, its attempts and its stages.

use model::Timestamp;
use model::event::{Attributes, StageStatus};

use crate::Judgement;

/// Where a job is in its life.
///
/// `Pending → Running → Completed | Failed`; a retry leads from `Running` (or `Failed`) back to
/// `Pending`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JobStatus {
    /// It waits: for its first attempt, or for another.
    Pending,
    /// A worker is at it.
    Running,
    /// It ended well.
    Completed,
    /// It ended badly.
    Failed,
}

impl JobStatus {
    /// Every status.
    pub const ALL: &[Self] = &[Self::Pending, Self::Running, Self::Completed, Self::Failed];

    /// The status as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Whether the job has ended.
    pub const fn is_finished(self) -> bool {
        match self {
            Self::Pending | Self::Running => false,
            Self::Completed | Self::Failed => true,
        }
    }
}

impl std::str::FromStr for JobStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.iter().copied().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

/// A text that names no status of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the status of a job is one of pending, running, completed, failed")]
pub struct UnknownStatus;

/// The error that ended an attempt or a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobError {
    /// Its type, as the application names it.
    pub error_type: Option<String>,
    /// What it says.
    pub message: Option<String>,
    /// Whether it was a time limit.
    pub timed_out: bool,
}

/// One attempt at a job.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptSnapshot {
    /// Its number, from 0.
    pub number: u64,
    /// Since when the job waited for it.
    pub queued_at: Option<Timestamp>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended; `None` while it runs, and when nothing was said of its end.
    pub outcome: Option<AttemptOutcome>,
    /// Who made it.
    pub worker_id: Option<String>,
    /// The error that ended it.
    pub error: Option<JobError>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// Well.
    Completed,
    /// Badly, and for good.
    Failed,
    /// Badly, and another follows.
    Retried,
}

impl AttemptOutcome {
    /// The outcome as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Retried => "retried",
        }
    }
}

/// One run of one stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StageSnapshot {
    /// The stage's name.
    pub stage: String,
    /// The attempt that it belongs to, from 0, where that is known.
    pub attempt: Option<u64>,
    /// The component that does the work.
    pub component: Option<String>,
    /// Who does it.
    pub worker_id: Option<String>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How long it took, or has taken so far, in seconds.
    pub duration_seconds: Option<f64>,
    /// Whether it runs now.
    pub running: bool,
    /// How it ended; `None` while it runs, and when it was cut short.
    pub status: Option<StageStatus>,
    /// Resident memory when it began, in bytes.
    pub memory_rss_start_bytes: Option<u64>,
    /// Resident memory when it ended, in bytes.
    pub memory_rss_end_bytes: Option<u64>,
    /// Virtual memory when it ended, or else when it began, in bytes.
    pub memory_vms_bytes: Option<u64>,
    /// Resident memory as a share of the host's at its end, or else at its start, 0 to 100.
    pub memory_percent: Option<f64>,
    /// The most resident memory, in bytes.
    pub memory_peak_bytes: Option<u64>,
    /// Resident memory at the end less that at the start, in bytes.
    pub memory_delta_bytes: Option<i64>,
    /// GPU memory at its end, or else at its start, in bytes.
    pub gpu_memory_bytes: Option<u64>,
    /// CPU time, in seconds.
    pub cpu_seconds: Option<f64>,
    /// GPU time, in seconds.
    pub gpu_seconds: Option<f64>,
    /// Items handled.
    pub items: Option<u64>,
    /// The error that ended it.
    pub error: Option<JobError>,
}

/// What is known of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSnapshot {
    /// Its id.
    pub job_id: String,
    /// Where it is in its life.
    pub status: JobStatus,
    /// What is wrong with it.
    pub judgement: Judgement,
    /// What kind of job it is.
    pub kind: Option<String>,
    /// Its queue.
    pub queue: Option<String>,
    /// Its document.
    pub document_id: Option<String>,
    /// For whom it works.
    pub tenant: Option<String>,
    /// The job that submitted it.
    pub parent_id: Option<String>,
    /// The worker that works or worked on it last.
    pub worker_id: Option<String>,
    /// The type of its input.
    pub content_type: Option<String>,
    /// The application that reports.
    pub service: Option<String>,
    /// Its trace.
    pub trace_id: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// When it was submitted.
    pub submitted_at: Option<Timestamp>,
    /// When the last attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The earliest time that anything was said of it.
    pub first_event_at: Timestamp,
    /// The latest time that anything was said of it.
    pub last_event_at: Timestamp,
    /// How long it waited (or has waited) for the last attempt, in seconds.
    pub queue_wait_seconds: Option<f64>,
    /// How long the last attempt took, or has taken so far, in seconds.
    pub duration_seconds: Option<f64>,
    /// From submission to the end, or until now, in seconds.
    pub total_seconds: Option<f64>,
    /// Attempts so far.
    pub attempts: Vec<AttemptSnapshot>,
    /// How often it was tried again.
    pub retry_count: u64,
    /// How often it is tried again at the most.
    pub max_retries: Option<u64>,
    /// Its priority.
    pub priority: Option<f64>,
    /// How far it is, 0 to 1.
    pub progress: Option<f64>,
    /// How long it may still take, in seconds, if it goes on as it has.
    pub eta_seconds: Option<f64>,
    /// The stage that it is in.
    pub stage: Option<String>,
    /// What it is doing, in words.
    pub message: Option<String>,
    /// The error of the last attempt that ended badly; `None` once the job has completed.
    pub error: Option<JobError>,
    /// CPU time, in seconds.
    pub cpu_seconds: Option<f64>,
    /// GPU time, in seconds.
    pub gpu_seconds: Option<f64>,
    /// The most memory, in bytes: of the job, or else of its stages.
    pub memory_peak_bytes: Option<u64>,
    /// The size of its input, in bytes.
    pub input_bytes: Option<u64>,
    /// The size of its output, in bytes.
    pub output_bytes: Option<u64>,
    /// Pages of its document.
    pub pages: Option<u64>,
    /// How sure its result is, 0 to 1.
    pub confidence_score: Option<f64>,
    /// Whether a lesser method had to be used.
    pub quality_degraded: Option<bool>,
    /// Its stages, in the order in which they began.
    pub stages: Vec<StageSnapshot>,
    /// The attributes of the newest event that had any.
    pub attributes: Attributes,
}
