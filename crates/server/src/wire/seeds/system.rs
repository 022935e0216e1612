//! Seed 001's `SystemMetrics`: the pipeline as a whole, now or in an hour or a day.

use model::Timestamp;
use model::event::Capability;
use pipeline::{JobCounts, QueueState, QueueView, WorkerSnapshot, WorkerStatus};
use report::{Bucket, Gauges, TaskTally};
use serde::Serialize;
use utoipa::ToSchema;

use super::stats::whole;

/// The pipeline as a whole. What is not known is 0.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct SystemMetrics {
    /// When: now, or the beginning (UTC) of the hour or day.
    #[schema(value_type = String, format = DateTime)]
    pub(super) timestamp: Timestamp,
    /// Workers that have not said that they stopped.
    pub(super) total_workers: u64,
    /// Workers that are online.
    pub(super) online_workers: u64,
    /// Workers that can work on a GPU.
    pub(super) gpu_workers: u64,
    /// Workers that can work on the CPU.
    pub(super) cpu_workers: u64,
    /// Workers that can do both.
    pub(super) hybrid_workers: u64,
    /// Pending, processing, completed and failed tasks together.
    pub(super) total_tasks: u64,
    /// Tasks that wait.
    pub(super) pending_tasks: u64,
    /// Tasks that are worked on.
    pub(super) processing_tasks: u64,
    /// Tasks that ended well: in the hour or day, or in the hours of `hourly_stats`.
    pub(super) completed_tasks: u64,
    /// Tasks that ended badly, for good.
    pub(super) failed_tasks: u64,
    /// Tasks that wait in queues with `gpu` in their names.
    pub(super) gpu_queue_size: u64,
    /// Tasks that wait in queues with `cpu` in their names.
    pub(super) cpu_queue_size: u64,
    /// Tasks that wait in queues with `fallback` in their names.
    pub(super) fallback_queue_size: u64,
    /// How long a completed task took on average, from its last start to its end, in seconds.
    pub(super) average_task_duration: f64,
    /// How long a task had waited on average when it was started, in seconds.
    pub(super) average_queue_wait_time: f64,
    /// Completed tasks per hour; now: of this hour and the one before.
    pub(super) system_throughput: f64,
    /// CPU in use, in percent; of several hosts their average.
    pub(super) total_cpu_usage: f64,
    /// Memory in use, in percent; of several hosts their average.
    pub(super) total_memory_usage: f64,
    /// GPUs in use, in percent; of several their average.
    pub(super) total_gpu_usage: f64,
    /// Failed tasks among those that ended, 0 to 1.
    pub(super) error_rate: f64,
    /// Attempts that ran out of time among those that ended, 0 to 1.
    pub(super) timeout_rate: f64,
    /// Attempts that were followed by another among those that ended, 0 to 1.
    pub(super) retry_rate: f64,
}

impl SystemMetrics {
    /// An hour or a day: what was counted in it, and averages of the rest.
    pub(crate) fn of(bucket: &Bucket) -> Self {
        let gauges = &bucket.gauges;
        let mut this = Self {
            timestamp: bucket.start,
            total_workers: whole(gauges.workers),
            online_workers: whole(gauges.online),
            gpu_workers: whole(gauges.gpu_workers),
            cpu_workers: whole(gauges.cpu_workers),
            hybrid_workers: whole(gauges.hybrid_workers),
            pending_tasks: whole(gauges.pending),
            processing_tasks: whole(gauges.processing),
            gpu_queue_size: whole(gauges.gpu_queue),
            cpu_queue_size: whole(gauges.cpu_queue),
            fallback_queue_size: whole(gauges.fallback_queue),
            system_throughput: bucket.completed_per_hour(),
            ..Self::default()
        };
        this.note_tasks(&bucket.tasks);
        this.note_use(gauges);
        this
    }

    fn note_tasks(&mut self, tasks: &TaskTally) {
        self.completed_tasks = tasks.completed;
        self.failed_tasks = tasks.failed;
        self.total_tasks = self.pending_tasks + self.processing_tasks + tasks.completed + tasks.failed;
        self.average_task_duration = tasks.average_seconds();
        self.average_queue_wait_time = tasks.average_wait_seconds();
        self.error_rate = tasks.error_rate();
        self.timeout_rate = tasks.timeout_rate();
        self.retry_rate = tasks.retry_rate();
    }

    fn note_use(&mut self, gauges: &Gauges) {
        let percent = |ratio: Option<f64>| 100.0 * ratio.unwrap_or_default();
        self.total_cpu_usage = percent(gauges.cpu_ratio);
        self.total_memory_usage = percent(gauges.memory_ratio);
        self.total_gpu_usage = percent(gauges.gpu_ratio);
    }
}

/// What the present is made of.
pub(crate) struct Present<'a> {
    pub(crate) now: Timestamp,
    pub(crate) workers: &'a [WorkerSnapshot],
    pub(crate) queues: &'a [QueueView],
    pub(crate) jobs: JobCounts,
    /// The hours over which tasks that ended are counted, oldest first.
    pub(crate) hours: &'a [Bucket],
    pub(crate) gauges: &'a Gauges,
}

impl Present<'_> {
    pub(crate) fn metrics(&self) -> SystemMetrics {
        let (present, depth) = (self.workers_there(), |state| self.depth(state, ""));
        // Some tasks only their queue knows of, and others only their events: the larger number is nearer.
        let jobs = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let mut this = SystemMetrics {
            timestamp: self.now,
            total_workers: present.len() as u64,
            online_workers: count(&present, |worker| worker.status == WorkerStatus::Online),
            gpu_workers: count(&present, |worker| worker.capability == Some(Capability::Gpu)),
            cpu_workers: count(&present, |worker| worker.capability == Some(Capability::Cpu)),
            hybrid_workers: count(&present, |worker| worker.capability == Some(Capability::Hybrid)),
            pending_tasks: depth(QueueState::Pending).max(jobs(self.jobs.pending)),
            processing_tasks: depth(QueueState::Processing).max(jobs(self.jobs.running)),
            gpu_queue_size: self.depth(QueueState::Pending, "gpu"),
            cpu_queue_size: self.depth(QueueState::Pending, "cpu"),
            fallback_queue_size: self.depth(QueueState::Pending, "fallback"),
            system_throughput: self.throughput(),
            ..SystemMetrics::default()
        };
        let mut tasks = TaskTally::default();
        self.hours.iter().for_each(|hour| tasks.add(&hour.tasks));
        this.note_tasks(&tasks);
        this.note_use(self.gauges);
        this
    }

    fn workers_there(&self) -> Vec<&WorkerSnapshot> {
        self.workers.iter().filter(|worker| worker.status != WorkerStatus::Stopped).collect()
    }

    fn depth(&self, state: QueueState, part: &str) -> u64 {
        let named = self.queues.iter().filter(|queue| queue.queue.to_lowercase().contains(part));
        named.map(|queue| queue.depth_of(state)).sum()
    }

    /// Completed tasks per hour of the present hour and the one before, which alone says little when the
    /// hour has just begun.
    fn throughput(&self) -> f64 {
        let last = &self.hours[self.hours.len().saturating_sub(2)..];
        let hours: f64 = last.iter().map(|hour| hour.elapsed.as_secs_f64() / 3600.0).sum();
        let completed: u64 = last.iter().map(|hour| hour.tasks.completed).sum();
        if hours > 0.0 { completed as f64 / hours } else { 0.0 }
    }
}

fn count(workers: &[&WorkerSnapshot], is: impl Fn(&WorkerSnapshot) -> bool) -> u64 {
    workers.iter().filter(|worker| is(worker)).count() as u64
}
