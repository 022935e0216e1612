//! What is known of one worker, as plain data.

use model::Timestamp;
use model::event::{Attributes, Capability};

/// Whether a worker is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WorkerStatus {
    /// Its last heartbeat is recent.
    Online,
    /// Its last heartbeat is not recent.
    Stale,
    /// Its last heartbeat is long ago, or it was reported to be offline.
    Offline,
    /// It said that it stopped.
    Stopped,
}

impl WorkerStatus {
    /// Every status.
    pub const ALL: &[Self] = &[Self::Online, Self::Stale, Self::Offline, Self::Stopped];

    /// The status as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Stale => "stale",
            Self::Offline => "offline",
            Self::Stopped => "stopped",
        }
    }
}

impl std::str::FromStr for WorkerStatus {
    type Err = UnknownWorkerStatus;

    fn from_str(text: &str) -> Result<Self, UnknownWorkerStatus> {
        Self::ALL.iter().copied().find(|status| status.as_str() == text).ok_or(UnknownWorkerStatus)
    }
}

/// A text that names no status of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the status of a worker is one of online, stale, offline, stopped")]
pub struct UnknownWorkerStatus;

/// What is known of a worker.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerSnapshot {
    /// Its id.
    pub worker_id: String,
    /// Whether it is there.
    pub status: WorkerStatus,
    /// Whether it holds itself to be healthy.
    pub is_healthy: Option<bool>,
    /// What it can do.
    pub capability: Option<Capability>,
    /// The application that reports.
    pub service: Option<String>,
    /// The host that it runs on.
    pub host: Option<String>,
    /// Its process id there.
    pub pid: Option<u64>,
    /// The queues that it takes jobs from.
    pub queues: Vec<String>,
    /// The release that it runs.
    pub version: Option<String>,
    /// When it was first heard of.
    pub first_seen_at: Timestamp,
    /// Its last heartbeat; `None` when it was only heard to stop.
    pub last_heartbeat_at: Option<Timestamp>,
    /// When its present process began, or was first heard of.
    pub started_at: Timestamp,
    /// When it said that it stopped, if it has not come back since.
    pub stopped_at: Option<Timestamp>,
    /// Why it stopped.
    pub stop_reason: Option<String>,
    /// The exit code that it stopped with.
    pub exit_code: Option<i64>,
    /// Times that it began again under the same id, within what is remembered.
    pub restarts: u64,
    /// Times that it ended badly: a bad exit code, a signal, or a new start without a stop before it.
    pub crashes: u64,
    /// The last time that it ended badly.
    pub last_crash_at: Option<Timestamp>,
    /// The job that it works on.
    pub job_id: Option<String>,
    /// Jobs that it works on.
    pub active_tasks: Option<u64>,
    /// Jobs at once that it takes at the most.
    pub max_concurrent_tasks: Option<u64>,
    /// Jobs completed since it began.
    pub completed_tasks: Option<u64>,
    /// Jobs failed since it began.
    pub failed_tasks: Option<u64>,
    /// Jobs that ran out of time since it began.
    pub timeout_count: Option<u64>,
    /// Errors since it began.
    pub error_count: Option<u64>,
    /// Jobs failed since the last that did not.
    pub consecutive_failures: Option<u64>,
    /// Time spent on jobs since it began, in seconds.
    pub total_processing_seconds: Option<f64>,
    /// CPU, 100 is one core.
    pub cpu_percent: Option<f64>,
    /// Memory as a share of the host's, 0 to 100.
    pub memory_percent: Option<f64>,
    /// Resident memory, in bytes.
    pub memory_rss_bytes: Option<u64>,
    /// GPU, 0 to 100.
    pub gpu_percent: Option<f64>,
    /// GPU memory, 0 to 100.
    pub gpu_memory_percent: Option<f64>,
    /// Disk, 0 to 100.
    pub disk_percent: Option<f64>,
    /// Latency to its broker, in seconds.
    pub network_latency_seconds: Option<f64>,
    /// Bytes sent and received since it began.
    pub bytes_transferred: Option<u64>,
    /// The attributes of the newest event that had any.
    pub attributes: Attributes,
}

/// Conditions on workers, all of which must hold; `None` is no condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkerFilter {
    /// Whether it is there.
    pub status: Option<WorkerStatus>,
    /// What it can do.
    pub capability: Option<Capability>,
    /// The host that it runs on.
    pub host: Option<String>,
    /// A queue that it takes jobs from.
    pub queue: Option<String>,
    /// Text in its id, host or service; upper and lower case are the same.
    pub text: Option<String>,
}
