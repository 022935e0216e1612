//! Workers.

use model::Timestamp;
use model::event::Attributes;

use super::shape;

shape! {
    /// A worker.
    Worker from pipeline::WorkerSnapshot {
        /// Its id.
        worker_id: String,
        /// `online`, `stale`, `offline` or `stopped`.
        status: &'static str,
        /// Whether it holds itself to be healthy.
        is_healthy: Option<bool>,
        /// `cpu`, `gpu` or `hybrid`.
        capability: Option<&'static str>,
        /// The application that reports.
        service: Option<String>,
        /// The host that it runs on.
        host: Option<String>,
        /// Its process id there.
        pid: Option<u64>,
        /// The queues that it takes jobs from.
        queues: Vec<String>,
        /// The release that it runs.
        version: Option<String>,
        /// When it was first heard of.
        #[schema(value_type = String, format = DateTime)]
        first_seen_at: Timestamp,
        /// Its last heartbeat.
        #[schema(value_type = Option<String>, format = DateTime)]
        last_heartbeat_at: Option<Timestamp>,
        /// When its present process began, or was first heard of.
        #[schema(value_type = String, format = DateTime)]
        started_at: Timestamp,
        /// When it said that it stopped.
        #[schema(value_type = Option<String>, format = DateTime)]
        stopped_at: Option<Timestamp>,
        /// Why it stopped.
        stop_reason: Option<String>,
        /// The exit code that it stopped with.
        exit_code: Option<i64>,
        /// Times that it began again under the same id.
        restarts: u64,
        /// Times that it ended badly.
        crashes: u64,
        /// The last time that it ended badly.
        #[schema(value_type = Option<String>, format = DateTime)]
        last_crash_at: Option<Timestamp>,
        /// The job that it works on.
        job_id: Option<String>,
        /// Jobs that it works on.
        active_tasks: Option<u64>,
        /// Jobs at once that it takes at the most.
        max_concurrent_tasks: Option<u64>,
        /// Jobs completed since it began.
        completed_tasks: Option<u64>,
        /// Jobs failed since it began.
        failed_tasks: Option<u64>,
        /// Jobs that ran out of time since it began.
        timeout_count: Option<u64>,
        /// Errors since it began.
        error_count: Option<u64>,
        /// Jobs failed since the last that did not.
        consecutive_failures: Option<u64>,
        /// Time spent on jobs since it began, in seconds.
        total_processing_seconds: Option<f64>,
        /// CPU; 100 is one core.
        cpu_percent: Option<f64>,
        /// Memory as a share of the host's, 0 to 100.
        memory_percent: Option<f64>,
        /// Resident memory, in bytes.
        memory_rss_bytes: Option<u64>,
        /// GPU, 0 to 100.
        gpu_percent: Option<f64>,
        /// GPU memory, 0 to 100.
        gpu_memory_percent: Option<f64>,
        /// Disk, 0 to 100.
        disk_percent: Option<f64>,
        /// Latency to its broker, in seconds.
        network_latency_seconds: Option<f64>,
        /// Bytes sent and received since it began.
        bytes_transferred: Option<u64>,
        /// Further facts.
        #[schema(value_type = std::collections::BTreeMap<String, String>)]
        attributes: Attributes,
    }
}
