//! The jobs in memory: bounded, listed, counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use model::Timestamp;
use model::event::{Event, JobEvent, StageEvent};
use parking_lot::RwLock;
use prometheus::IntCounterVec;

use super::job::Job;
use super::judge::Judge;
use super::{JobFilter, JobSnapshot, JobStatus};
use crate::digest::Digest;
use crate::observation::Observation;
use crate::stages::StageUse;
use crate::{Config, Judgement, Listing, Page, Queues, Verdict, Workers};

/// The most stages whose durations are remembered.
const MAX_STAGES: usize = 1_000;

/// How many finished jobs tell what stages there are, and in which order.
const FINISHED_FOR_STAGES: usize = 200;

/// How long half, and 95 of 100, of a stage's runs take at the most, in seconds.
pub(crate) type Durations = (Option<f64>, Option<f64>);

/// How many jobs are in memory, by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Jobs that wait.
    pub pending: usize,
    /// Jobs that run.
    pub running: usize,
    /// Jobs that ended well.
    pub completed: usize,
    /// Jobs that ended badly.
    pub failed: usize,
}

/// Running jobs of one queue and kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ActiveJobs {
    pub(crate) count: usize,
    /// The longest time that one has run, in seconds.
    pub(crate) max_age_seconds: f64,
    /// Jobs whose worker is gone: they count as lost, not as running.
    pub(crate) lost: usize,
}

/// Unfinished jobs of one queue, as events tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct QueueLoad {
    pub(crate) pending: u64,
    pub(crate) running: u64,
    /// Since when the one that waits longest waits.
    pub(crate) oldest_pending: Option<Timestamp>,
    /// Since when the one that runs longest runs.
    pub(crate) oldest_running: Option<Timestamp>,
}

/// The jobs in memory.
pub struct Jobs {
    table: RwLock<Table>,
    /// How long stages took, by name.
    history: RwLock<HashMap<String, Digest>>,
    config: Config,
    workers: Arc<Workers>,
    queues: Arc<Queues>,
    counters: JobCounters,
}

/// Jobs that were dropped from memory.
pub(crate) struct JobCounters {
    /// By reason: `finished`, `active` (too many), `silent` (too long without an event).
    pub(crate) dropped: IntCounterVec,
}

/// A job's place in an order by time.
type Place = (Timestamp, Arc<str>);

#[derive(Default)]
struct Table {
    jobs: HashMap<Arc<str>, Job>,
    /// Unfinished jobs by their newest event.
    active: BTreeSet<Place>,
    /// Finished jobs by their end.
    finished: BTreeSet<Place>,
}

impl Table {
    /// The order that a job of this place is in.
    fn order(&mut self, is_finished: bool) -> &mut BTreeSet<Place> {
        if is_finished { &mut self.finished } else { &mut self.active }
    }

    /// Changes a job where it lies. Most events leave it at its place in its order: a stage that is told of after the
    /// end of its job does.
    fn fold(&mut self, id: &str, time: Timestamp, change: impl FnOnce(&mut Job)) {
        let Some(job) = self.jobs.get_mut(id) else {
            let mut job = Job::new(id.into(), time);
            change(&mut job);
            let ((is_finished, at), id) = (place_of(&job), Arc::clone(&job.id));
            self.order(is_finished).insert((at, Arc::clone(&id)));
            self.jobs.insert(id, job);
            return;
        };
        let before = place_of(job);
        change(job);
        let after = place_of(job);
        if before != after {
            let id = Arc::clone(&job.id);
            let mut place = (before.1, id);
            self.order(before.0).remove(&place);
            place.0 = after.1;
            self.order(after.0).insert(place);
        }
    }

    /// Drops jobs beyond the bounds; how many active and finished ones.
    fn bound(&mut self, config: &Config) -> (u64, u64) {
        let mut trim = |order: &mut BTreeSet<Place>, max: usize| {
            let mut dropped = 0;
            while order.len() > max
                && let Some((_, id)) = order.pop_first()
            {
                self.jobs.remove(&id);
                dropped += 1;
            }
            dropped
        };
        (trim(&mut self.active, config.max_active_jobs), trim(&mut self.finished, config.max_finished_jobs))
    }

    /// Drops unfinished jobs without an event since `before`.
    fn forget_silent(&mut self, before: Timestamp) -> u64 {
        let mut dropped = 0;
        while self.active.first().is_some_and(|(time, _)| *time < before)
            && let Some((_, id)) = self.active.pop_first()
        {
            self.jobs.remove(&id);
            dropped += 1;
        }
        dropped
    }

    fn active_jobs(&self) -> impl Iterator<Item = &Job> {
        self.active.iter().filter_map(|(_, id)| self.jobs.get(id))
    }
}

/// Whether a job is among the finished ones, and its time there.
fn place_of(job: &Job) -> (bool, Timestamp) {
    if job.status.is_finished() { (true, job.since) } else { (false, job.last_event_at) }
}

impl Jobs {
    pub(crate) fn new(
        config: Config,
        workers: Arc<Workers>,
        queues: Arc<Queues>,
        counters: JobCounters,
    ) -> Self {
        Self { table: RwLock::default(), history: RwLock::default(), config, workers, queues, counters }
    }

    /// Folds the events that are about jobs; what they say for the first time.
    pub(crate) fn fold(&self, events: &[Event]) -> Vec<Observation> {
        let mut found = Vec::new();
        let mut table = self.table.write();
        for event in events {
            match event {
                Event::Job(event) => fold_job(&mut table, event, &mut found),
                Event::Stage(event) => fold_stage(&mut table, event, &mut found),
                Event::Component(_)
                | Event::Worker(_)
                | Event::Request(_)
                | Event::LlmCall(_)
                | Event::Feedback(_)
                | Event::Deploy(_)
                | Event::Audit(_)
                | Event::Exit(_)
                | Event::Exemplar(_)
                | Event::Log(_)
                | Event::Span(_) => {}
            }
        }
        let (active, finished) = table.bound(&self.config);
        drop(table);
        self.counters.dropped.with_label_values(&["active"]).inc_by(active);
        self.counters.dropped.with_label_values(&["finished"]).inc_by(finished);
        self.remember(&found);
        found
    }

    fn remember(&self, found: &[Observation]) {
        let mut history = self.history.write();
        for observation in found {
            if let Observation::StageTook { stage, seconds } = observation {
                if let Some(digest) = history.get_mut(stage) {
                    digest.observe(*seconds);
                } else if history.len() < MAX_STAGES {
                    history.entry(stage.clone()).or_default().observe(*seconds);
                }
            }
        }
    }

    /// Drops unfinished jobs that have said nothing for so long that a restart would not find them either.
    pub(crate) fn forget_silent(&self, now: Timestamp) {
        let dropped = self.table.write().forget_silent(now.before(self.config.rebuild_window.0));
        self.counters.dropped.with_label_values(&["silent"]).inc_by(dropped);
    }

    /// The jobs that fulfil `filter`, newest first (by submission, else by the first word of them).
    pub fn list(&self, filter: &JobFilter, page: Page) -> Listing<JobSnapshot> {
        self.list_at(filter, page, Timestamp::now())
    }

    pub(crate) fn list_at(&self, filter: &JobFilter, page: Page, now: Timestamp) -> Listing<JobSnapshot> {
        let (table, history) = (self.table.read(), self.history.read());
        let mut found: Vec<&Job> = table.jobs.values().filter(|job| job.matches(filter)).collect();
        found.sort_unstable_by(|a, b| (b.created_at(), &b.id).cmp(&(a.created_at(), &a.id)));
        let judge = self.judge(&history, now);
        Listing::take(found.into_iter(), page, |job| job.snapshot(now, judge.judge(job)))
    }

    /// One job, if it is in memory. For others see [`crate::stored_job`].
    pub fn get(&self, job_id: &str) -> Option<JobSnapshot> {
        self.get_at(job_id, Timestamp::now())
    }

    pub(crate) fn get_at(&self, job_id: &str, now: Timestamp) -> Option<JobSnapshot> {
        let (table, history) = (self.table.read(), self.history.read());
        let job = table.jobs.get(job_id)?;
        Some(job.snapshot(now, self.judge(&history, now).judge(job)))
    }

    fn judge<'a>(&'a self, history: &'a HashMap<String, Digest>, now: Timestamp) -> Judge<'a> {
        Judge { config: &self.config, workers: &self.workers, queues: &self.queues, history, now }
    }

    /// How many jobs are in memory, by status.
    pub fn counts(&self) -> JobCounts {
        let mut counts = JobCounts::default();
        for job in self.table.read().jobs.values() {
            match job.status {
                JobStatus::Pending => counts.pending += 1,
                JobStatus::Running => counts.running += 1,
                JobStatus::Completed => counts.completed += 1,
                JobStatus::Failed => counts.failed += 1,
            }
        }
        counts
    }

    /// How stages are used by the unfinished jobs and the last finished ones, and how long half and 95 of
    /// 100 of their runs take at the most, in seconds.
    pub(crate) fn stages(&self, now: Timestamp) -> (HashMap<String, StageUse>, HashMap<String, Durations>) {
        let mut uses: HashMap<String, StageUse> = HashMap::new();
        let table = self.table.read();
        let running = table.active_jobs().filter(|job| job.status == JobStatus::Running);
        let finished = table.finished.iter().rev().take(FINISHED_FOR_STAGES);
        let finished = finished.filter_map(|(_, id)| table.jobs.get(id));
        for job in running.chain(finished) {
            job.note_stages(&mut uses, now);
        }
        drop(table);
        let history = self.history.read();
        let of = |digest: &Digest| (digest.quantile(0.5), digest.quantile(0.95));
        let durations = history.iter().map(|(stage, digest)| (stage.clone(), of(digest))).collect();
        (uses, durations)
    }

    /// The unfinished jobs with which something is wrong, by verdict and then age; at most `limit`.
    pub fn troubled(&self, limit: usize) -> Vec<JobSnapshot> {
        let now = Timestamp::now();
        let (table, history) = (self.table.read(), self.history.read());
        let judge = self.judge(&history, now);
        let mut found: Vec<(Judgement, &Job)> = table
            .active_jobs()
            .map(|job| (judge.judge(job), job))
            .filter(|(found, _)| !found.is_fine())
            .collect();
        found.sort_by_key(|(judgement, job)| (judgement.verdict, job.since));
        found.truncate(limit);
        found.into_iter().map(|(judgement, job)| job.snapshot(now, judgement)).collect()
    }

    /// Running jobs by queue and kind, and those that nobody runs any more.
    pub(crate) fn active(&self, now: Timestamp) -> BTreeMap<(String, String), ActiveJobs> {
        let mut active: BTreeMap<(String, String), ActiveJobs> = BTreeMap::new();
        let (table, history) = (self.table.read(), self.history.read());
        let judge = self.judge(&history, now);
        for job in table.active_jobs().filter(|job| job.status == JobStatus::Running) {
            let facts = &job.facts;
            let key = (facts.queue.cloned().unwrap_or_default(), facts.kind.cloned().unwrap_or_default());
            let entry = active.entry(key).or_default();
            if judge.judge(job).verdict == Verdict::OwnerGone {
                entry.lost += 1;
                continue;
            }
            entry.count += 1;
            entry.max_age_seconds = entry.max_age_seconds.max(now.since(job.since).as_secs_f64());
        }
        active
    }

    /// Unfinished jobs by queue.
    pub(crate) fn loads(&self) -> BTreeMap<String, QueueLoad> {
        let mut loads: BTreeMap<String, QueueLoad> = BTreeMap::new();
        for job in self.table.read().active_jobs() {
            let Some(queue) = job.facts.queue.get() else { continue };
            let load = match loads.get_mut(queue) {
                Some(load) => load,
                None => loads.entry(queue.clone()).or_default(),
            };
            let (count, oldest) = match job.status {
                JobStatus::Running => (&mut load.running, &mut load.oldest_running),
                JobStatus::Pending | JobStatus::Completed | JobStatus::Failed => {
                    (&mut load.pending, &mut load.oldest_pending)
                }
            };
            *count += 1;
            *oldest = Some(oldest.map_or(job.since, |oldest| oldest.min(job.since)));
        }
        loads
    }
}

fn fold_job(table: &mut Table, event: &JobEvent, found: &mut Vec<Observation>) {
    table.fold(&event.job_id, event.time, |job| job.note_job(event, found));
}

fn fold_stage(table: &mut Table, event: &StageEvent, found: &mut Vec<Observation>) {
    table.fold(&event.job_id, event.time, |job| job.note_stage(event, found));
}

impl JobSnapshot {
    /// A job as its events tell, whatever their order: for jobs that are no longer in memory. `None` when
    /// no event is about `job_id`. Nobody judges it.
    pub fn from_events(job_id: &str, events: &[Event], now: Timestamp) -> Option<Self> {
        let mut table = Table::default();
        let mut found = Vec::new();
        for event in events {
            match event {
                Event::Job(event) if event.job_id == job_id => fold_job(&mut table, event, &mut found),
                Event::Stage(event) if event.job_id == job_id => fold_stage(&mut table, event, &mut found),
                _ => {}
            }
        }
        Some(table.jobs.get(job_id)?.snapshot(now, Judgement::fine()))
    }
}

#[cfg(test)]
mod tests {
    use model::event::{JobAction, StageAction};

    use super::*;
    use crate::fixtures::{job, stage};

    #[test]
    fn every_job_lies_at_its_one_place_whatever_events_tell_and_in_whatever_order() {
        let actions = [
            JobAction::Submitted,
            JobAction::Started,
            JobAction::Retried,
            JobAction::Progress,
            JobAction::Completed,
        ];
        let (mut table, mut found) = (Table::default(), Vec::new());
        let mut was_finished = 0;
        // Times go back and forth.
        for (round, seconds) in (0..300_usize).zip((0..101_i64).cycle().step_by(37)) {
            let id = format!("j{}", round % 7);
            match round % 4 {
                0 => fold_stage(&mut table, &stage(StageAction::Finished, &id, "ocr", seconds), &mut found),
                2 => fold_stage(&mut table, &stage(StageAction::Started, &id, "ocr", seconds), &mut found),
                _ => fold_job(&mut table, &job(actions[round / 2 % 5], &id, seconds), &mut found),
            }
            let places = |finished: bool| -> BTreeSet<Place> {
                let jobs = table.jobs.values().filter(|job| job.status.is_finished() == finished);
                jobs.map(|job| (place_of(job).1, Arc::clone(&job.id))).collect()
            };
            assert_eq!((&table.active, &table.finished), (&places(false), &places(true)), "{round}");
            was_finished += table.finished.len();
        }
        assert!(was_finished > 0, "some were");
        assert_eq!(table.jobs.len(), 7);
    }
}
