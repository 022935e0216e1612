//! What is read off the live state at each interval.

use std::collections::BTreeMap;

use model::Timestamp;
use model::event::Capability;

use super::writer::Writer;
use crate::jobs::ActiveJobs;
use crate::{ComponentSnapshot, QueueState, QueueView, WorkerSnapshot, WorkerStatus};

/// Restarts and crashes of each worker when stored events had been read back: what happened before is
/// not counted again, or a restart of ours would look like restarts of theirs.
pub(crate) type FallsBefore = BTreeMap<String, (u64, u64)>;

pub(super) fn active_jobs(writer: &mut Writer<'_>, active: &BTreeMap<(String, String), ActiveJobs>) {
    let mut oldest: BTreeMap<&str, f64> = BTreeMap::new();
    for ((queue, kind), jobs) in active {
        let labels = [("queue", queue.as_str()), ("kind", kind.as_str())];
        writer.gauge("jobs_active", &labels, Some(jobs.count as f64));
        writer.gauge("jobs_lost", &labels, Some(jobs.lost as f64));
        let age = oldest.entry(kind).or_default();
        *age = age.max(jobs.max_age_seconds);
    }
    for (kind, age) in oldest {
        writer.gauge("job_active_max_age_seconds", &[("kind", kind)], Some(age));
    }
}

pub(super) fn queues(writer: &mut Writer<'_>, queues: &[QueueView]) {
    for queue in queues {
        let labels = [("queue", queue.queue.as_str())];
        writer.counter("queue_enqueued_total", &labels, queue.enqueued_total as f64);
        writer.counter("queue_completed_total", &labels, queue.completed_total as f64);
        writer.counter("queue_failed_total", &labels, queue.failed_total as f64);
        if !queue.ok {
            // What cannot be read has no rate.
            continue;
        }
        writer.gauge("queue_arrival_rate", &labels, queue.arrival_rate);
        writer.gauge("queue_completion_rate", &labels, queue.completion_rate);
        writer.gauge("queue_drain_seconds", &labels, queue.drain_seconds);
        writer.gauge("queue_completion_ratio", &labels, queue.completion_ratio);
        if queue.observed {
            // Its collector writes what it sees.
            continue;
        }
        for state in [QueueState::Pending, QueueState::Processing] {
            let labels = [("queue", queue.queue.as_str()), ("state", state.as_str())];
            writer.gauge("queue_depth", &labels, Some(queue.depth_of(state) as f64));
            let age = queue.oldest_age_seconds.get(&state).copied().unwrap_or(0.0);
            writer.gauge("queue_oldest_age_seconds", &labels, Some(age));
        }
    }
}

pub(super) fn components(writer: &mut Writer<'_>, components: &[ComponentSnapshot]) {
    let mut held: BTreeMap<&str, f64> = BTreeMap::new();
    for component in components {
        if let Some(bytes) = component.held_bytes() {
            *held.entry(&component.component).or_default() += bytes;
        }
    }
    for (component, bytes) in held {
        writer.gauge("component_memory_bytes", &[("component", component)], Some(bytes));
    }
}

pub(super) fn workers(
    writer: &mut Writer<'_>,
    workers: &[WorkerSnapshot],
    before: &FallsBefore,
    now: Timestamp,
) {
    let mut by_status: BTreeMap<WorkerStatus, u64> =
        WorkerStatus::ALL.iter().map(|status| (*status, 0)).collect();
    let mut by_capability: BTreeMap<Capability, u64> = BTreeMap::new();
    for worker in workers {
        *by_status.entry(worker.status).or_default() += 1;
        if let Some(capability) = worker.capability {
            *by_capability.entry(capability).or_default() += u64::from(worker.status == WorkerStatus::Online);
        }
        presence(writer, worker, now);
        falls(writer, worker, before);
        if matches!(worker.status, WorkerStatus::Online | WorkerStatus::Stale) {
            measures(writer, worker, now);
        }
    }
    for (status, count) in by_status {
        writer.gauge("workers", &[("state", status.as_str())], Some(count as f64));
    }
    for (capability, count) in by_capability {
        writer.gauge("workers_by_capability", &[("capability", capability.as_str())], Some(count as f64));
    }
}

/// A worker that said it stopped is not down: it is gone, and so are these series.
fn presence(writer: &mut Writer<'_>, worker: &WorkerSnapshot, now: Timestamp) {
    let labels = [("worker", worker.worker_id.as_str())];
    let is_up = match worker.status {
        WorkerStatus::Online => 1.0,
        WorkerStatus::Stale | WorkerStatus::Offline => 0.0,
        WorkerStatus::Stopped => return,
    };
    let last = worker.last_heartbeat_at;
    let age = last.map(|last| now.since(last).as_secs_f64());
    writer.gauge("worker_up", &labels, Some(is_up));
    writer.gauge("worker_last_heartbeat_timestamp_seconds", &labels, last.map(Timestamp::as_secs_f64));
    writer.gauge("worker_heartbeat_age_seconds", &labels, age);
}

fn falls(writer: &mut Writer<'_>, worker: &WorkerSnapshot, before: &FallsBefore) {
    let labels = [("worker", worker.worker_id.as_str())];
    let (restarts, crashes) = before.get(&worker.worker_id).copied().unwrap_or_default();
    let restarts = worker.restarts.saturating_sub(restarts);
    let crashes = worker.crashes.saturating_sub(crashes);
    writer.counter("worker_restarts_total", &labels, restarts as f64);
    writer.counter("worker_crashes_total", &labels, crashes as f64);
}

/// What the last heartbeat says. Totals are the worker's own: they begin when the worker does.
fn measures(writer: &mut Writer<'_>, worker: &WorkerSnapshot, now: Timestamp) {
    let labels = [("worker", worker.worker_id.as_str())];
    let number = |value: Option<u64>| value.map(|value| value as f64);
    let ratio = |percent: Option<f64>| percent.map(|percent| percent / 100.0);
    let uptime = now.since(worker.started_at).as_secs_f64();
    for (name, value) in [
        ("worker_uptime_seconds", Some(uptime)),
        ("worker_active_tasks", number(worker.active_tasks)),
        ("worker_completed_tasks_total", number(worker.completed_tasks)),
        ("worker_failed_tasks_total", number(worker.failed_tasks)),
        ("worker_consecutive_failures", number(worker.consecutive_failures)),
        ("worker_memory_bytes", number(worker.memory_rss_bytes)),
        ("worker_memory_ratio", ratio(worker.memory_percent)),
        ("worker_cpu_ratio", ratio(worker.cpu_percent)),
        ("worker_gpu_ratio", ratio(worker.gpu_percent)),
        ("worker_gpu_memory_ratio", ratio(worker.gpu_memory_percent)),
    ] {
        writer.gauge(name, &labels, value);
    }
}
