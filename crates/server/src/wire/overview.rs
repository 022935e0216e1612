//! The pipeline at one moment: what the first page, the live stream and the terminal show.

use model::Timestamp;
use pipeline::WorkerStatus;
use serde::Serialize;
use utoipa::ToSchema;

use super::queues::Queue;
use super::shape;
use super::watch::JobCounts;

/// The pipeline at one moment, from the queues to the stages. Lists are cut to what a page shows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Overview {
    /// The version of the program.
    pub(crate) version: &'static str,
    /// The moment.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) time: Timestamp,
    /// Jobs in memory, by status.
    pub(crate) jobs: JobCounts,
    /// Queues, by name.
    pub(crate) queues: QueuesNow,
    /// Workers, those in trouble first.
    pub(crate) workers: WorkersNow,
    /// Stages, in the order in which jobs pass through them.
    pub(crate) stages: StagesNow,
    /// Where work piles up; null when it does not.
    pub(crate) bottleneck: Option<Bottleneck>,
    /// Hosts, by name.
    pub(crate) hosts: Vec<HostNow>,
    /// Alerts, counted.
    pub(crate) alerts: AlertsNow,
    /// Collectors whose last pass failed, as `name target`.
    pub(crate) collectors_down: Vec<String>,
}

/// Queues now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueuesNow {
    /// The first of them.
    pub(crate) items: Vec<Queue>,
    /// How many there are.
    pub(crate) total: usize,
}

/// Workers now.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct WorkersNow {
    /// With a recent heartbeat.
    pub(crate) online: usize,
    /// Without a recent heartbeat.
    pub(crate) stale: usize,
    /// Without one for long.
    pub(crate) offline: usize,
    /// That said that they stopped.
    pub(crate) stopped: usize,
    /// Online ones that work on something.
    pub(crate) busy: usize,
    /// The first of them: offline, stale, online, stopped.
    pub(crate) items: Vec<WorkerNow>,
    /// How many there are.
    pub(crate) total: usize,
}

shape! {
    /// A worker now.
    WorkerNow from pipeline::WorkerSnapshot {
        /// Its id.
        worker_id: String,
        /// `online`, `stale`, `offline` or `stopped`.
        status: &'static str,
        /// The host that it runs on.
        host: Option<String>,
        /// The queues that it takes jobs from.
        queues: Vec<String>,
        /// Its last heartbeat.
        #[schema(value_type = Option<String>, format = DateTime)]
        last_heartbeat_at: Option<Timestamp>,
        /// The job that it works on.
        job_id: Option<String>,
        /// Jobs that it works on.
        active_tasks: Option<u64>,
        /// Jobs completed since it began.
        completed_tasks: Option<u64>,
        /// Jobs failed since it began.
        failed_tasks: Option<u64>,
        /// CPU; 100 is one core.
        cpu_percent: Option<f64>,
        /// Resident memory, in bytes.
        memory_rss_bytes: Option<u64>,
        /// Times that it ended badly.
        crashes: u64,
    }
}

/// Stages now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StagesNow {
    /// The first of them.
    pub(crate) items: Vec<StageNow>,
    /// How many there are.
    pub(crate) total: usize,
}

/// A stage over all jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StageNow {
    /// Its name.
    pub(crate) stage: String,
    /// The queues whose jobs pass through it.
    pub(crate) queues: Vec<String>,
    /// Runs that are under way.
    pub(crate) running: usize,
    /// How long the oldest of them has taken so far, in seconds.
    pub(crate) oldest_running_seconds: Option<f64>,
    /// Runs that ended well since Watchkeeper started.
    pub(crate) completed_total: u64,
    /// Runs that ended badly since Watchkeeper started.
    pub(crate) failed_total: u64,
    /// Runs that end, per second.
    pub(crate) completion_rate: Option<f64>,
    /// How long half of the runs take at the most, in seconds.
    pub(crate) p50_seconds: Option<f64>,
    /// How long 95 of 100 runs take at the most, in seconds.
    pub(crate) p95_seconds: Option<f64>,
    /// The most memory of late, in bytes.
    pub(crate) memory_peak_bytes: Option<u64>,
}

impl From<pipeline::StageView> for StageNow {
    fn from(view: pipeline::StageView) -> Self {
        Self {
            stage: view.stage,
            queues: view.queues.into_iter().collect(),
            running: view.running,
            oldest_running_seconds: view.oldest_running_seconds,
            completed_total: view.completed_total,
            failed_total: view.failed_total,
            completion_rate: view.completion_rate,
            p50_seconds: view.p50_seconds,
            p95_seconds: view.p95_seconds,
            memory_peak_bytes: view.memory_peak_bytes,
        }
    }
}

shape! {
    /// Where work piles up.
    Bottleneck from pipeline::Bottleneck {
        /// The queue that grows.
        queue: String,
        /// The stage that takes most of the time of its jobs, where that is known.
        stage: Option<String>,
        /// Why, in one sentence.
        reason: String,
    }
}

/// A host now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HostNow {
    /// Its name.
    pub(crate) host: String,
    /// Processors.
    pub(crate) cpus: u64,
    /// Share of the processors in use, 0 to 1.
    pub(crate) cpu_ratio: Option<f64>,
    /// Share of the memory in use, 0 to 1.
    pub(crate) memory_ratio: Option<f64>,
    /// Memory, in bytes.
    pub(crate) memory_total_bytes: u64,
    /// The fullest file system, 0 to 1.
    pub(crate) disk_ratio: Option<f64>,
}

impl From<pipeline::HostView> for HostNow {
    fn from(view: pipeline::HostView) -> Self {
        let host = view.host;
        let used = host.filesystems.iter().filter(|one| one.size_bytes > 0).map(|one| {
            let used = one.size_bytes.saturating_sub(one.available_bytes);
            used as f64 / one.size_bytes as f64
        });
        Self {
            memory_ratio: host.memory_ratio(),
            cpus: host.cpus,
            cpu_ratio: host.cpu_ratio,
            memory_total_bytes: host.memory_total_bytes,
            disk_ratio: used.reduce(f64::max),
            host: host.host,
        }
    }
}

/// Alerts now. When one of these numbers changes, or the time of the last change, the list of alerts
/// is worth another look.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct AlertsNow {
    /// Firing, critical, and taken on by nobody.
    pub(crate) critical: usize,
    /// Firing, errors, and taken on by nobody.
    pub(crate) error: usize,
    /// Firing, warnings, and taken on by nobody.
    pub(crate) warning: usize,
    /// Firing, for information, and taken on by nobody.
    pub(crate) info: usize,
    /// Taken on by somebody.
    pub(crate) acknowledged: usize,
    /// Whose condition does not hold for long enough yet.
    pub(crate) pending: usize,
    /// When an alert last changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) changed_at: Option<Timestamp>,
}

impl WorkersNow {
    /// Counts all, and shows the first `limit`, those in trouble before the others.
    pub(crate) fn of(mut all: Vec<pipeline::WorkerSnapshot>, limit: usize) -> Self {
        let mut now = Self { total: all.len(), ..Self::default() };
        for worker in &all {
            let counter = match worker.status {
                WorkerStatus::Online => &mut now.online,
                WorkerStatus::Stale => &mut now.stale,
                WorkerStatus::Offline => &mut now.offline,
                WorkerStatus::Stopped => &mut now.stopped,
            };
            *counter += 1;
            let works = worker.job_id.is_some() || worker.active_tasks.is_some_and(|tasks| tasks > 0);
            now.busy += usize::from(works && worker.status == WorkerStatus::Online);
        }
        let rank = |status| match status {
            WorkerStatus::Offline => 0,
            WorkerStatus::Stale => 1,
            WorkerStatus::Online => 2,
            WorkerStatus::Stopped => 3,
        };
        // Stable: by id within a status.
        all.sort_by_key(|worker| rank(worker.status));
        now.items = all.into_iter().take(limit).map(Into::into).collect();
        now
    }
}
