//! Seed 001's `DashboardData`, with the metrics of workers and tasks.

use model::Timestamp;
use pipeline::{JobSnapshot, JobStatus, WorkerSnapshot, WorkerStatus};
use serde::Serialize;
use utoipa::ToSchema;

use super::mb;

pub(crate) use super::alerts::Alert;
pub(crate) use super::system::{Present, SystemMetrics};

/// The whole dashboard.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DashboardData {
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) timestamp: Timestamp,
    /// The pipeline as a whole.
    pub(crate) system_metrics: SystemMetrics,
    /// Workers by id, 1,000 at the most.
    pub(crate) worker_metrics: Vec<WorkerMetrics>,
    /// The 50 newest tasks, newest first.
    pub(crate) recent_tasks: Vec<TaskMetrics>,
    /// Alerts that fire, acknowledged or not; 1,000 at the most.
    pub(crate) active_alerts: Vec<Alert>,
    /// The last 24 hours of the clock (UTC), oldest first, this one included; hours of which nothing is
    /// stored are left out.
    pub(crate) hourly_stats: Vec<SystemMetrics>,
    /// The last 30 days (UTC), oldest first, this one included; days of which nothing is stored are left
    /// out.
    pub(crate) daily_stats: Vec<SystemMetrics>,
}

/// A worker. What it does not report is 0.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkerMetrics {
    /// Its id.
    worker_id: String,
    /// When this was looked at.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// Whether its last heartbeat is recent.
    is_online: bool,
    /// Whether it is online and holds itself to be healthy.
    is_healthy: bool,
    /// Its last heartbeat, or else when it was last heard of.
    #[schema(value_type = String, format = DateTime)]
    last_heartbeat: Timestamp,
    /// Tasks that it works on.
    active_tasks: u64,
    /// Tasks completed since it began.
    completed_tasks: u64,
    /// Tasks failed since it began.
    failed_tasks: u64,
    /// Time spent on tasks since it began, in seconds.
    total_processing_time: f64,
    /// That time by the tasks that it has ended, in seconds.
    average_task_duration: f64,
    /// CPU, in percent of one core: 100 and more for several.
    cpu_usage: f64,
    /// Memory, in percent of the host's.
    memory_usage: f64,
    /// GPU, in percent.
    gpu_usage: f64,
    /// GPU memory, in percent.
    gpu_memory_usage: f64,
    /// Disk, in percent.
    disk_usage: f64,
    /// Latency to its broker, in seconds.
    network_latency: f64,
    /// Bytes sent and received since it began.
    bytes_transferred: u64,
    /// Errors since it began.
    error_count: u64,
    /// Tasks that ran out of time since it began.
    timeout_count: u64,
    /// Tasks failed since the last that did not.
    consecutive_failures: u64,
}

impl WorkerMetrics {
    pub(crate) fn new(worker: WorkerSnapshot, now: Timestamp) -> Self {
        let known = Option::<u64>::unwrap_or_default;
        let measured = Option::<f64>::unwrap_or_default;
        let (completed, failed) = (known(worker.completed_tasks), known(worker.failed_tasks));
        let spent = measured(worker.total_processing_seconds);
        let is_online = worker.status == WorkerStatus::Online;
        Self {
            timestamp: now,
            is_online,
            is_healthy: is_online && worker.is_healthy.unwrap_or(true),
            last_heartbeat: worker.last_heartbeat_at.or(worker.stopped_at).unwrap_or(worker.first_seen_at),
            worker_id: worker.worker_id,
            active_tasks: known(worker.active_tasks),
            completed_tasks: completed,
            failed_tasks: failed,
            total_processing_time: spent,
            average_task_duration: spent / completed.saturating_add(failed).max(1) as f64,
            cpu_usage: measured(worker.cpu_percent),
            memory_usage: measured(worker.memory_percent),
            gpu_usage: measured(worker.gpu_percent),
            gpu_memory_usage: measured(worker.gpu_memory_percent),
            disk_usage: measured(worker.disk_percent),
            network_latency: measured(worker.network_latency_seconds),
            bytes_transferred: known(worker.bytes_transferred),
            error_count: worker.error_count.unwrap_or(failed),
            timeout_count: known(worker.timeout_count),
            consecutive_failures: known(worker.consecutive_failures),
        }
    }
}

/// A task. What is not known is 0.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskMetrics {
    /// Its id.
    task_id: String,
    /// The worker that works or worked on it last.
    worker_id: Option<String>,
    /// The type of its input, or else its kind, or `unknown`.
    content_type: String,
    /// When anything was last said of it.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// When it was submitted, or else first heard of.
    #[schema(value_type = String, format = DateTime)]
    submitted_at: Timestamp,
    /// When its last attempt began.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Timestamp>,
    /// How long it waited for its last attempt, in seconds.
    queue_wait_time: f64,
    /// How long its last attempt took, or has taken so far, in seconds.
    processing_time: f64,
    /// From submission to the end, or until now, in seconds.
    total_time: f64,
    /// `pending`, `processing`, `completed` or `failed`.
    status: &'static str,
    /// The error of its last attempt.
    error_message: Option<String>,
    /// How often it was tried again.
    retry_count: u64,
    /// CPU time, in seconds.
    cpu_time: f64,
    /// The most memory that it held, in MB.
    memory_peak: f64,
    /// GPU time, in seconds.
    gpu_time: f64,
    /// The size of its input, in bytes.
    input_file_size: u64,
    /// The size of its output, in bytes.
    output_file_size: u64,
    /// How sure its result is, 0 to 1.
    confidence_score: f64,
    /// Whether a lesser method had to be used.
    quality_degraded: bool,
}

impl From<JobSnapshot> for TaskMetrics {
    fn from(job: JobSnapshot) -> Self {
        let measured = Option::<f64>::unwrap_or_default;
        let error = job.error.and_then(|error| error.message.or(error.error_type));
        Self {
            task_id: job.job_id,
            worker_id: job.worker_id,
            content_type: job.content_type.or(job.kind).unwrap_or_else(|| "unknown".to_owned()),
            timestamp: job.last_event_at,
            submitted_at: job.submitted_at.unwrap_or(job.first_event_at),
            started_at: job.started_at,
            completed_at: job.ended_at,
            queue_wait_time: measured(job.queue_wait_seconds),
            processing_time: measured(job.duration_seconds),
            total_time: measured(job.total_seconds),
            status: match job.status {
                JobStatus::Running => "processing",
                status @ (JobStatus::Pending | JobStatus::Completed | JobStatus::Failed) => status.as_str(),
            },
            error_message: error,
            retry_count: job.retry_count,
            cpu_time: measured(job.cpu_seconds),
            memory_peak: mb(job.memory_peak_bytes.unwrap_or_default() as f64),
            gpu_time: measured(job.gpu_seconds),
            input_file_size: job.input_bytes.unwrap_or_default(),
            output_file_size: job.output_bytes.unwrap_or_default(),
            confidence_score: measured(job.confidence_score),
            quality_degraded: job.quality_degraded.unwrap_or_default(),
        }
    }
}
