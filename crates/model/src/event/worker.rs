//! Workers, and the processes that ended.

use super::Attributes;
use super::names::text_enum;
use crate::Timestamp;

text_enum! {
    /// What happened to a worker.
    WorkerAction {
        /// It is alive, and says how it is.
        Heartbeat = "worker.heartbeat",
        /// It has ended, and will not come back under this id unless it says so.
        Stopped = "worker.stopped",
    }
}

text_enum! {
    /// What a worker can do.
    Capability {
        /// Work on the CPU.
        Cpu = "cpu",
        /// Work on a GPU.
        Gpu = "gpu",
        /// Both.
        Hybrid = "hybrid",
    }
}

/// A worker says that it is alive, or that it ends. After seed 001's `WorkerMetrics`.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerEvent {
    /// When it happened.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// What happened.
    pub action: WorkerAction,
    /// The worker.
    pub worker_id: String,
    /// What it can do.
    pub capability: Option<Capability>,
    /// The application that reports.
    pub service: Option<String>,
    /// The host that it runs on.
    pub host: Option<String>,
    /// Its process id on that host.
    pub pid: Option<u64>,
    /// The queues that it takes jobs from, joined by commas.
    pub queues: Option<String>,
    /// The release that it runs.
    pub version: Option<String>,
    /// When its process began.
    pub started_at: Option<Timestamp>,
    /// The job that it works on.
    pub job_id: Option<String>,
    /// Whether it holds itself to be healthy.
    pub is_healthy: Option<bool>,
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
    /// CPU, 0 to 100 of one core and more for several.
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
    /// Why it stopped.
    pub reason: Option<String>,
    /// The exit code that it stopped with.
    pub exit_code: Option<i64>,
    /// Further facts.
    pub attributes: Attributes,
}

text_enum! {
    /// What ended a process.
    ExitCause {
        /// The kernel, or an out-of-memory daemon, for want of memory.
        OomKill = "oom_kill",
        /// A signal that the process did not handle, from outside or of its own making (a segmentation fault).
        Signal = "signal",
        /// It ended by itself, with an exit code.
        Exit = "exit",
        /// It has ended, and nobody can tell how.
        Unknown = "unknown",
    }
}

/// A process ended in a way that somebody should know of: the kernel killed it for want of memory, a
/// signal ended it, or its service manager had to start it again.
#[derive(Clone, Debug, PartialEq)]
pub struct ExitEvent {
    /// When it ended.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// What ended it.
    pub cause: ExitCause,
    /// The program's name.
    pub name: String,
    /// The host that it ran on.
    pub host: Option<String>,
    /// Its process id on that host.
    pub pid: Option<u64>,
    /// Its command line, secrets masked.
    pub command: Option<String>,
    /// The configured group of processes that it belonged to.
    pub group: Option<String>,
    /// The unit of the service manager that it ran in.
    pub unit: Option<String>,
    /// The control group that it ran in.
    pub cgroup: Option<String>,
    /// The worker that it was, where that is known.
    pub worker_id: Option<String>,
    /// The signal that ended it: `SIGKILL`.
    pub signal: Option<String>,
    /// The exit code that it ended with.
    pub exit_code: Option<i64>,
    /// Resident memory at its end, in bytes.
    pub memory_rss_bytes: Option<u64>,
    /// The part of that which no file stands behind, in bytes.
    pub memory_anon_bytes: Option<u64>,
    /// Virtual memory at its end, in bytes.
    pub memory_vms_bytes: Option<u64>,
    /// What was said of it, in words.
    pub message: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}

impl ExitEvent {
    /// An end of which no more is known than this.
    pub fn new(time: Timestamp, event_id: String, cause: ExitCause, name: String) -> Self {
        Self {
            time,
            event_id,
            cause,
            name,
            host: None,
            pid: None,
            command: None,
            group: None,
            unit: None,
            cgroup: None,
            worker_id: None,
            signal: None,
            exit_code: None,
            memory_rss_bytes: None,
            memory_anon_bytes: None,
            memory_vms_bytes: None,
            message: None,
            attributes: Attributes::new(),
        }
    }
}
