//! The workers in memory: bounded, listed, asked about.

use std::collections::HashMap;

use model::Timestamp;
use model::event::WorkerEvent;
use parking_lot::RwLock;
use prometheus::IntCounter;

use super::worker::Worker;
use super::{WorkerFilter, WorkerSnapshot, WorkerStatus};
use crate::{Config, Listing, Page};

/// The workers in memory.
pub struct Workers {
    workers: RwLock<HashMap<String, Worker>>,
    config: Config,
    /// Workers that were dropped because there were too many.
    dropped: IntCounter,
}

/// Whom a job belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) status: WorkerStatus,
    pub(crate) last_heard_at: Timestamp,
    /// When its present process began, where processes are told apart.
    pub(crate) started_at: Option<Timestamp>,
}

impl Workers {
    pub(crate) fn new(config: Config, dropped: IntCounter) -> Self {
        Self { workers: RwLock::default(), config, dropped }
    }

    pub(crate) fn fold(&self, event: &WorkerEvent) {
        let mut workers = self.workers.write();
        if workers.len() >= self.config.max_workers && !workers.contains_key(&event.worker_id) {
            let longest_silent = workers.iter().min_by_key(|(_, worker)| worker.presence.last_heard());
            if let Some(id) = longest_silent.map(|(id, _)| id.clone()) {
                workers.remove(&id);
                self.dropped.inc();
            }
        }
        workers
            .entry(event.worker_id.clone())
            .or_insert_with(|| Worker::new(&event.worker_id, event.time))
            .note(event);
    }

    /// Forgets workers that have been gone for long.
    pub(crate) fn forget_gone(&self, now: Timestamp) {
        let before = now.before(self.config.forget_worker_after.0);
        self.workers.write().retain(|_, worker| {
            worker.presence.last_heard() >= before
                || matches!(worker.status(&self.config, now), WorkerStatus::Online | WorkerStatus::Stale)
        });
    }

    /// The workers that fulfil `filter`, by id.
    pub fn list(&self, filter: &WorkerFilter, page: Page) -> Listing<WorkerSnapshot> {
        self.list_at(filter, page, Timestamp::now())
    }

    pub(crate) fn list_at(
        &self,
        filter: &WorkerFilter,
        page: Page,
        now: Timestamp,
    ) -> Listing<WorkerSnapshot> {
        let workers = self.workers.read();
        let mut found: Vec<(&String, &Worker)> =
            workers.iter().filter(|(_, worker)| worker.matches(filter, &self.config, now)).collect();
        found.sort_by_key(|(id, _)| *id);
        Listing::take(found.into_iter(), page, |(_, worker)| worker.snapshot(&self.config, now))
    }

    /// One worker.
    pub fn get(&self, worker_id: &str) -> Option<WorkerSnapshot> {
        Some(self.workers.read().get(worker_id)?.snapshot(&self.config, Timestamp::now()))
    }

    pub(crate) fn owner(&self, worker_id: &str, now: Timestamp) -> Option<Owner> {
        let workers = self.workers.read();
        let worker = workers.get(worker_id)?;
        Some(Owner {
            status: worker.status(&self.config, now),
            last_heard_at: worker.presence.last_heard(),
            started_at: worker.begun_at(),
        })
    }

    /// Why nobody takes jobs from `queue`, in words; `None` when somebody does, and when it cannot be
    /// told: not every worker says what it takes, and not every worker sends heartbeats.
    pub(crate) fn no_consumer(&self, queue: Option<&str>, now: Timestamp) -> Option<String> {
        let workers = self.workers.read();
        let is_alive = |worker: &&Worker| {
            matches!(worker.status(&self.config, now), WorkerStatus::Online | WorkerStatus::Stale)
        };
        if workers.is_empty() {
            return None;
        }
        if !workers.values().any(|worker| is_alive(&worker)) {
            return Some(format!("none of the {} known workers is alive", workers.len()));
        }
        let queue = queue?;
        let takers: Vec<&Worker> =
            workers.values().filter(|worker| worker.queues().any(|name| name == queue)).collect();
        (!takers.is_empty() && !takers.iter().any(is_alive))
            .then(|| format!("none of the {} workers that take from {queue} is alive", takers.len()))
    }
}
