//! The queues in memory.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use model::Timestamp;
use parking_lot::RwLock;

use super::flow::{Flow, Moved};
use super::{QueueSnapshot, QueueState, QueueTask, QueueView};
use crate::jobs::QueueLoad;
use crate::{Config, Listing, Page};

/// Within this time an end counts as one of now: the window of rates is so long that for minutes it does
/// not show that workers have stopped.
const LATELY: Duration = Duration::from_secs(60);

/// The queues in memory.
pub struct Queues {
    queues: RwLock<HashMap<String, Queue>>,
    config: Config,
}

/// What is known of a queue.
#[derive(Default)]
struct Queue {
    /// What a collector saw last.
    seen: Option<QueueSnapshot>,
    /// What jobs' events tell of it.
    load: QueueLoad,
    /// When it was last looked at or heard of.
    time: Timestamp,
    flow: Flow,
}

impl Queues {
    pub(crate) fn new(config: Config) -> Self {
        Self { queues: RwLock::default(), config }
    }

    /// Takes note of what a collector saw.
    pub fn observe(&self, snapshot: QueueSnapshot) {
        self.change(&snapshot.queue.clone(), snapshot.time, |queue| {
            if snapshot.ok {
                queue.flow.see(snapshot.enqueued_total, snapshot.completed_total, snapshot.failed_total);
            }
            queue.seen = Some(snapshot);
        });
    }

    /// Takes note of what an event told.
    pub(crate) fn hear(&self, queue: &str, moved: Moved, time: Timestamp) {
        self.change(queue, time, |queue| queue.flow.hear(moved));
    }

    fn change(&self, name: &str, time: Timestamp, change: impl FnOnce(&mut Queue)) {
        let mut queues = self.queues.write();
        if queues.len() >= self.config.max_named && !queues.contains_key(name) {
            let oldest = queues.iter().min_by_key(|(_, queue)| queue.time).map(|(name, _)| name.clone());
            oldest.map(|oldest| queues.remove(&oldest));
        }
        let queue = queues.entry(name.to_owned()).or_default();
        queue.time = queue.time.max(time);
        change(queue);
    }

    /// Once an interval: takes over what jobs' events tell, writes totals down for the rates, and forgets
    /// queues that nobody has told of.
    pub(crate) fn tick(&self, loads: &BTreeMap<String, QueueLoad>, now: Timestamp) {
        for name in loads.keys() {
            self.change(name, now, |_| {});
        }
        let before = now.before(self.config.forget_queue_after.0);
        let mut queues = self.queues.write();
        queues.retain(|_, queue| queue.time >= before);
        for (name, queue) in queues.iter_mut() {
            queue.load = loads.get(name).copied().unwrap_or_default();
            queue.flow.mark(now, self.config.ratio_window.0.max(self.config.rate_window.0));
        }
    }

    /// The queues, by name.
    pub fn list(&self, page: Page) -> Listing<QueueView> {
        self.list_at(page, Timestamp::now())
    }

    pub(crate) fn list_at(&self, page: Page, now: Timestamp) -> Listing<QueueView> {
        let queues = self.queues.read();
        let mut all: Vec<(&String, &Queue)> = queues.iter().collect();
        all.sort_by_key(|(name, _)| *name);
        Listing::take(all.into_iter(), page, |(name, queue)| queue.view(name, &self.config, now))
    }

    /// One queue.
    pub fn get(&self, queue: &str) -> Option<QueueView> {
        Some(self.queues.read().get(queue)?.view(queue, &self.config, Timestamp::now()))
    }

    /// The oldest tasks in a state, of one queue or of all, with the queue's name; oldest first.
    pub fn oldest_tasks(
        &self,
        queue: Option<&str>,
        state: QueueState,
        limit: usize,
    ) -> Vec<(String, QueueTask)> {
        let now = Timestamp::now();
        let queues = self.queues.read();
        let mut tasks: Vec<(&str, &QueueTask)> = queues
            .iter()
            .filter(|(name, _)| queue.is_none_or(|queue| queue == *name))
            .filter_map(|(name, queue)| Some((name.as_str(), queue.seen.as_ref()?)))
            .flat_map(|(name, seen)| seen.tasks.iter().map(move |task| (name, task)))
            .filter(|(_, task)| task.state == state)
            .collect();
        tasks.sort_by(|(_, a), (_, b)| b.age_seconds(now).total_cmp(&a.age_seconds(now)));
        tasks.truncate(limit);
        tasks.into_iter().map(|(name, task)| (name.to_owned(), task.clone())).collect()
    }

    /// Whether a collector sees that tasks wait and nobody takes any: nothing is being processed, and
    /// nothing has ended for a whole window.
    pub(crate) fn is_at_rest(&self, queue: &str, now: Timestamp) -> bool {
        let queues = self.queues.read();
        let Some((queue, seen)) = queues.get(queue).and_then(|queue| Some((queue, queue.seen.as_ref()?)))
        else {
            return false;
        };
        let depth = |state| seen.depth.get(&state).copied();
        seen.ok
            && depth(QueueState::Pending) > Some(0)
            && depth(QueueState::Processing) == Some(0)
            && queue.flow.is_at_rest(self.config.rate_window.0, now)
    }
}

impl Queue {
    fn view(&self, name: &str, config: &Config, now: Timestamp) -> QueueView {
        let totals = self.flow.totals();
        let rates = self.flow.rates(config.rate_window.0, now);
        let mut view = QueueView {
            queue: name.to_owned(),
            system: "events".to_owned(),
            time: self.time,
            ok: true,
            observed: false,
            depth: self.load.depth(),
            oldest_age_seconds: self.load.oldest_age_seconds(now),
            tasks: Vec::new(),
            enqueued_total: totals.enqueued,
            completed_total: self.flow.completed(),
            failed_total: totals.failed,
            arrival_rate: rates.map(|(arrivals, _)| arrivals),
            completion_rate: rates.map(|(_, ends)| ends),
            ended_lately: self.flow.ended_within(LATELY, now),
            drain_seconds: None,
            completion_ratio: self.flow.completion_ratio(config.ratio_window.0, now),
        };
        if let Some(seen) = &self.seen {
            view.system.clone_from(&seen.system);
            view.time = seen.time;
            view.ok = seen.ok;
            view.observed = true;
            view.depth.clone_from(&seen.depth);
            view.oldest_age_seconds.clone_from(&seen.oldest_age_seconds);
            view.tasks.clone_from(&seen.tasks);
        }
        let pending = view.depth_of(QueueState::Pending) as f64;
        view.drain_seconds = match view.completion_rate {
            _ if pending == 0.0 => Some(0.0),
            Some(rate) if rate > 0.0 => Some(pending / rate),
            Some(_) | None => None,
        };
        view
    }
}

impl QueueLoad {
    fn depth(&self) -> BTreeMap<QueueState, u64> {
        [(QueueState::Pending, self.pending), (QueueState::Processing, self.running)].into()
    }

    fn oldest_age_seconds(&self, now: Timestamp) -> BTreeMap<QueueState, f64> {
        let age = |since: Option<Timestamp>| since.map(|since| now.since(since).as_secs_f64());
        [(QueueState::Pending, age(self.oldest_pending)), (QueueState::Processing, age(self.oldest_running))]
            .into_iter()
            .filter_map(|(state, age)| Some((state, age?)))
            .collect()
    }
}
