//! One worker: when it was there, and what its newest events tell of it.

use model::Timestamp;
use model::event::{Attributes, Capability, WorkerAction, WorkerEvent};

use super::presence::Presence;
use super::{WorkerFilter, WorkerSnapshot, WorkerStatus};
use crate::Config;
use crate::latest::Latest;

/// What is known of a worker.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    id: String,
    first_seen_at: Timestamp,
    pub(super) presence: Presence,
    /// What somebody else said of it: whether it is there.
    is_online: Latest<bool>,
    is_healthy: Latest<bool>,
    capability: Latest<Capability>,
    service: Latest<String>,
    host: Latest<String>,
    pid: Latest<u64>,
    queues: Latest<String>,
    version: Latest<String>,
    started_at: Latest<Timestamp>,
    /// The newest heartbeat: its measures belong together.
    beat: Latest<Beat>,
    attributes: Latest<Attributes>,
}

/// The measures of one heartbeat.
#[derive(Clone, Debug, Default, PartialEq, PartialOrd)]
struct Beat {
    job_id: Option<String>,
    active_tasks: Option<u64>,
    max_concurrent_tasks: Option<u64>,
    completed_tasks: Option<u64>,
    failed_tasks: Option<u64>,
    timeout_count: Option<u64>,
    error_count: Option<u64>,
    consecutive_failures: Option<u64>,
    total_processing_seconds: Option<f64>,
    cpu_percent: Option<f64>,
    memory_percent: Option<f64>,
    memory_rss_bytes: Option<u64>,
    gpu_percent: Option<f64>,
    gpu_memory_percent: Option<f64>,
    disk_percent: Option<f64>,
    network_latency_seconds: Option<f64>,
    bytes_transferred: Option<u64>,
}

impl Beat {
    fn new(event: &WorkerEvent) -> Self {
        Self {
            job_id: event.job_id.clone(),
            active_tasks: event.active_tasks,
            max_concurrent_tasks: event.max_concurrent_tasks,
            completed_tasks: event.completed_tasks,
            failed_tasks: event.failed_tasks,
            timeout_count: event.timeout_count,
            error_count: event.error_count,
            consecutive_failures: event.consecutive_failures,
            total_processing_seconds: event.total_processing_seconds,
            cpu_percent: event.cpu_percent,
            memory_percent: event.memory_percent,
            memory_rss_bytes: event.memory_rss_bytes,
            gpu_percent: event.gpu_percent,
            gpu_memory_percent: event.gpu_memory_percent,
            disk_percent: event.disk_percent,
            network_latency_seconds: event.network_latency_seconds,
            bytes_transferred: event.bytes_transferred,
        }
    }
}

impl Worker {
    pub(super) fn new(id: &str, time: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            first_seen_at: time,
            presence: Presence::default(),
            is_online: Latest::default(),
            is_healthy: Latest::default(),
            capability: Latest::default(),
            service: Latest::default(),
            host: Latest::default(),
            pid: Latest::default(),
            queues: Latest::default(),
            version: Latest::default(),
            started_at: Latest::default(),
            beat: Latest::default(),
            attributes: Latest::default(),
        }
    }

    pub(super) fn note(&mut self, event: &WorkerEvent) {
        let time = event.time;
        self.first_seen_at = self.first_seen_at.min(time);
        self.is_healthy.offer(time, event.is_healthy.as_ref());
        self.capability.offer(time, event.capability.as_ref());
        self.service.offer(time, event.service.as_ref());
        self.host.offer(time, event.host.as_ref());
        self.pid.offer(time, event.pid.as_ref());
        self.queues.offer(time, event.queues.as_ref());
        self.version.offer(time, event.version.as_ref());
        self.started_at.offer(time, event.started_at.as_ref());
        self.attributes.offer(time, Some(&event.attributes).filter(|attributes| !attributes.is_empty()));
        match event.action {
            WorkerAction::Heartbeat => {
                self.presence.heartbeat(event);
                self.beat.offer(time, Some(&Beat::new(event)));
                let online = event.attributes.get("is_online").is_none_or(|online| online != "false");
                self.is_online.offer(time, Some(&online));
            }
            WorkerAction::Stopped => self.presence.stop(event),
        }
    }

    pub(super) fn status(&self, config: &Config, now: Timestamp) -> WorkerStatus {
        if self.presence.stopped().is_some() {
            return WorkerStatus::Stopped;
        }
        if self.is_online.get() == Some(&false) {
            return WorkerStatus::Offline;
        }
        match self.presence.last_heartbeat().map(|last| now.since(last)) {
            Some(age) if age < config.stale_after.0 => WorkerStatus::Online,
            Some(age) if age < config.offline_after.0 => WorkerStatus::Stale,
            Some(_) | None => WorkerStatus::Offline,
        }
    }

    /// When its present process began, as far as is known.
    pub(super) fn started_at(&self) -> Timestamp {
        self.started_at.cloned().or(self.presence.present_since()).unwrap_or(self.first_seen_at)
    }

    /// When its present process is known to have begun; `None` when nothing tells processes apart.
    pub(super) fn begun_at(&self) -> Option<Timestamp> {
        self.started_at
            .cloned()
            .or_else(|| self.presence.present_since().filter(|_| self.presence.falls().restarts > 0))
    }

    /// The queues that it takes jobs from; empty when it does not say.
    pub(super) fn queues(&self) -> impl Iterator<Item = &str> {
        self.queues.get().into_iter().flat_map(|queues| queues.split(',')).filter(|name| !name.is_empty())
    }

    pub(super) fn matches(&self, filter: &WorkerFilter, config: &Config, now: Timestamp) -> bool {
        let has_text = |text: &String| {
            let text = text.to_lowercase();
            let texts = [Some(&self.id), self.host.get(), self.service.get()];
            texts.into_iter().flatten().any(|candidate| candidate.to_lowercase().contains(&text))
        };
        filter.status.is_none_or(|status| status == self.status(config, now))
            && filter.capability.is_none_or(|capability| Some(&capability) == self.capability.get())
            && filter.host.as_ref().is_none_or(|host| Some(host) == self.host.get())
            && filter.queue.as_ref().is_none_or(|queue| self.queues().any(|name| name == queue))
            && filter.text.as_ref().is_none_or(has_text)
    }

    pub(super) fn snapshot(&self, config: &Config, now: Timestamp) -> WorkerSnapshot {
        let falls = self.presence.falls();
        let stopped = self.presence.stopped();
        let beat = self.beat.cloned().unwrap_or_default();
        WorkerSnapshot {
            worker_id: self.id.clone(),
            status: self.status(config, now),
            is_healthy: self.is_healthy.cloned(),
            capability: self.capability.cloned(),
            service: self.service.cloned(),
            host: self.host.cloned(),
            pid: self.pid.cloned(),
            queues: self.queues().map(str::to_owned).collect(),
            version: self.version.cloned(),
            first_seen_at: self.first_seen_at,
            last_heartbeat_at: self.presence.last_heartbeat(),
            started_at: self.started_at(),
            stopped_at: stopped.map(|stop| stop.time),
            stop_reason: stopped.and_then(|stop| stop.reason.clone()),
            exit_code: stopped.and_then(|stop| stop.exit_code),
            restarts: falls.restarts,
            crashes: falls.crashes,
            last_crash_at: falls.last_crash_at,
            job_id: beat.job_id,
            active_tasks: beat.active_tasks,
            max_concurrent_tasks: beat.max_concurrent_tasks,
            completed_tasks: beat.completed_tasks,
            failed_tasks: beat.failed_tasks,
            timeout_count: beat.timeout_count,
            error_count: beat.error_count,
            consecutive_failures: beat.consecutive_failures,
            total_processing_seconds: beat.total_processing_seconds,
            cpu_percent: beat.cpu_percent,
            memory_percent: beat.memory_percent,
            memory_rss_bytes: beat.memory_rss_bytes,
            gpu_percent: beat.gpu_percent,
            gpu_memory_percent: beat.gpu_memory_percent,
            disk_percent: beat.disk_percent,
            network_latency_seconds: beat.network_latency_seconds,
            bytes_transferred: beat.bytes_transferred,
            attributes: self.attributes.cloned().unwrap_or_default(),
        }
    }
}
