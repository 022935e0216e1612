//! `worker.*`: after seed 001's `WorkerMetrics`.

use std::collections::BTreeMap;

use model::event::{Capability, WorkerAction, WorkerEvent};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::envelope::Envelope;
use super::fields::{
    Amount, Count, Text, When, Whole, amount, bytes, count, first_text, seconds, text, when,
};
use super::{attributes, required};

/// A worker: alive, or stopped. All usages are percentages, 0 to 100; 0.9 means 0.9 %.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required" = ["worker_id"]))]
#[schemars(rename = "WorkerFields")]
pub(super) struct WireWorker {
    /// The worker. Required.
    worker_id: Option<Text>,
    /// What it can do.
    capability: Option<WireCapability>,
    /// The application that reports.
    service: Option<Text>,
    /// The host that it runs on.
    host: Option<Text>,
    /// Another name of `host`.
    hostname: Option<Text>,
    /// Its process id on that host.
    pid: Option<Count>,
    /// The queues that it takes jobs from.
    queues: Option<WireQueues>,
    /// The release that it runs.
    version: Option<Text>,
    /// When its process began. A new value is a restart.
    started_at: Option<When>,
    /// When it was last heard of.
    last_heartbeat: Option<When>,
    /// The job that it works on.
    job_id: Option<Text>,
    /// Another name of `job_id`.
    current_job_id: Option<Text>,
    /// Whether whoever reports takes it to be there; `false` makes it offline at once.
    is_online: Option<bool>,
    /// Whether it holds itself to be healthy.
    is_healthy: Option<bool>,
    /// Jobs that it works on.
    active_tasks: Option<Count>,
    /// Jobs at once that it takes at the most.
    max_concurrent_tasks: Option<Count>,
    /// Jobs completed since it began.
    completed_tasks: Option<Count>,
    /// Jobs failed since it began.
    failed_tasks: Option<Count>,
    /// Jobs that ran out of time since it began.
    timeout_count: Option<Count>,
    /// Errors since it began.
    error_count: Option<Count>,
    /// Jobs failed since the last that did not.
    consecutive_failures: Option<Count>,
    /// Time spent on jobs since it began, in seconds.
    total_processing_time: Option<Amount>,
    /// Another name of `total_processing_time`.
    total_processing_seconds: Option<Amount>,
    /// Mean time of a job, in seconds. Kept as an attribute; it follows from the two above.
    average_task_duration: Option<Amount>,
    /// CPU in percent; 100 is one core.
    cpu_usage: Option<Amount>,
    /// Another name of `cpu_usage`.
    cpu_percent: Option<Amount>,
    /// Memory as a share of the host's, 0 to 100.
    memory_usage: Option<Amount>,
    /// Another name of `memory_usage`.
    memory_percent: Option<Amount>,
    /// Resident memory, in megabytes (1,048,576 bytes).
    memory_rss_mb: Option<Amount>,
    /// Resident memory, in bytes.
    memory_rss_bytes: Option<Count>,
    /// GPU, 0 to 100.
    gpu_usage: Option<Amount>,
    /// Another name of `gpu_usage`.
    gpu_percent: Option<Amount>,
    /// GPU memory, 0 to 100.
    gpu_memory_usage: Option<Amount>,
    /// Another name of `gpu_memory_usage`.
    gpu_memory_percent: Option<Amount>,
    /// Disk, 0 to 100.
    disk_usage: Option<Amount>,
    /// Another name of `disk_usage`.
    disk_percent: Option<Amount>,
    /// Latency to its broker, in seconds.
    network_latency: Option<Amount>,
    /// Latency to its broker, in milliseconds.
    network_latency_ms: Option<Amount>,
    /// Bytes sent and received since it began.
    bytes_transferred: Option<Count>,
    /// Why it stopped: `shutdown`, `SIGKILL`, `out of memory`.
    reason: Option<Text>,
    /// The exit code that it stopped with.
    exit_code: Option<Whole>,
    /// Further facts, kept as text; unknown fields are added to them.
    attributes: Option<BTreeMap<String, Value>>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

/// What a worker can do.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum WireCapability {
    /// Work on the CPU.
    Cpu,
    /// Work on a GPU.
    Gpu,
    /// Both.
    Hybrid,
}

/// Names of queues: a list, or one text with commas.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a list of names, or one text with commas")]
#[schemars(inline)]
enum WireQueues {
    List(Vec<String>),
    Joined(String),
}

pub(super) fn translate(
    action: WorkerAction,
    wire: WireWorker,
    mut envelope: Envelope,
    dropped: &mut usize,
) -> Result<WorkerEvent, String> {
    let worker_id = required(text(wire.worker_id), action.as_str(), "`worker_id`")?;
    let about = match action {
        WorkerAction::Heartbeat => when(wire.last_heartbeat),
        WorkerAction::Stopped => None,
    };
    let mut unknown = wire.unknown;
    // `is_online` is a word about the worker, not of it: it is kept where nothing can mistake it.
    unknown.extend(wire.is_online.map(|online| ("is_online".to_owned(), Value::Bool(online))));
    unknown.extend(
        wire.average_task_duration.map(|mean| ("average_task_duration".to_owned(), Value::from(mean.0))),
    );
    Ok(WorkerEvent {
        time: envelope.time(about),
        event_id: envelope.event_id(about),
        action,
        worker_id,
        capability: wire.capability.map(|capability| match capability {
            WireCapability::Cpu => Capability::Cpu,
            WireCapability::Gpu => Capability::Gpu,
            WireCapability::Hybrid => Capability::Hybrid,
        }),
        service: text(wire.service),
        host: first_text([wire.host, wire.hostname]),
        pid: count(wire.pid),
        queues: wire.queues.map(join_queues).filter(|queues| !queues.is_empty()),
        version: text(wire.version),
        started_at: when(wire.started_at),
        job_id: first_text([wire.job_id, wire.current_job_id]),
        is_healthy: wire.is_healthy,
        active_tasks: count(wire.active_tasks),
        max_concurrent_tasks: count(wire.max_concurrent_tasks),
        completed_tasks: count(wire.completed_tasks),
        failed_tasks: count(wire.failed_tasks),
        timeout_count: count(wire.timeout_count),
        error_count: count(wire.error_count),
        consecutive_failures: count(wire.consecutive_failures),
        total_processing_seconds: amount(wire.total_processing_time.or(wire.total_processing_seconds)),
        cpu_percent: amount(wire.cpu_usage.or(wire.cpu_percent)),
        memory_percent: amount(wire.memory_usage.or(wire.memory_percent)),
        memory_rss_bytes: bytes(wire.memory_rss_bytes, wire.memory_rss_mb),
        gpu_percent: amount(wire.gpu_usage.or(wire.gpu_percent)),
        gpu_memory_percent: amount(wire.gpu_memory_usage.or(wire.gpu_memory_percent)),
        disk_percent: amount(wire.disk_usage.or(wire.disk_percent)),
        network_latency_seconds: seconds(wire.network_latency, wire.network_latency_ms),
        bytes_transferred: count(wire.bytes_transferred),
        reason: text(wire.reason),
        exit_code: wire.exit_code.map(|code| code.0),
        attributes: attributes::join(wire.attributes, unknown, dropped),
    })
}

fn join_queues(queues: WireQueues) -> String {
    let joined = match queues {
        WireQueues::List(names) => names.join(","),
        WireQueues::Joined(text) => text,
    };
    let names: Vec<&str> = joined.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    names.join(",")
}
