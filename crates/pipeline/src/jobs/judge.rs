//! Says what is wrong with a job that is not finished.

use std::collections::HashMap;
use std::time::Duration;

use model::Timestamp;

use super::JobStatus;
use super::job::Job;
use crate::digest::Digest;
use crate::queues::Queues;
use crate::workers::{WorkerStatus, Workers};
use crate::{Config, Judgement, Verdict};

/// A stage is unusually slow from this many times its 95th percentile.
const SLOW_FACTOR: f64 = 3.0;
/// Fewer runs than this are no history.
const LEAST_HISTORY: u32 = 20;
/// No stage is called slow before this long: a p95 of milliseconds says nothing.
const LEAST_SLOW_SECONDS: f64 = 10.0;

/// What a judgement rests on.
pub(super) struct Judge<'a> {
    pub(super) config: &'a Config,
    pub(super) workers: &'a Workers,
    pub(super) queues: &'a Queues,
    pub(super) history: &'a HashMap<String, Digest>,
    pub(super) now: Timestamp,
}

impl Judge<'_> {
    pub(super) fn judge(&self, job: &Job) -> Judgement {
        let judgement = match job.status {
            JobStatus::Completed | JobStatus::Failed => None,
            JobStatus::Pending => self.unconsumed(job),
            JobStatus::Running => self
                .owner_gone(job)
                .or_else(|| self.over_expected(job))
                .or_else(|| self.over_history(job))
                .or_else(|| self.silent(job)),
        };
        judgement.unwrap_or_else(Judgement::fine)
    }

    fn age(&self, since: Timestamp) -> Duration {
        self.now.since(since)
    }

    fn unconsumed(&self, job: &Job) -> Option<Judgement> {
        let waited = self.age(job.since);
        if waited < self.config.unconsumed_after.0 {
            return None;
        }
        let queue = job.facts.queue.get();
        let reason = match queue {
            Some(queue) if self.queues.is_at_rest(queue, self.now) => {
                format!("nothing has been taken from {queue} for {}", words(self.config.rate_window.0))
            }
            queue => self.workers.no_consumer(queue.map(String::as_str), self.now)?,
        };
        let reason = format!("it has waited for {}: {reason}", words(waited));
        Some(Judgement::new(Verdict::WaitingNoConsumer, reason))
    }

    fn owner_gone(&self, job: &Job) -> Option<Judgement> {
        let worker = job.facts.worker_id.get()?;
        let owner = self.workers.owner(worker, self.now)?;
        let reason = match owner.status {
            WorkerStatus::Stopped => format!("its worker {worker} has stopped"),
            WorkerStatus::Offline => {
                format!("its worker {worker} was last heard of {} ago", words(self.age(owner.last_heard_at)))
            }
            WorkerStatus::Online | WorkerStatus::Stale => {
                let restart = owner.started_at.filter(|started| *started > job.since)?;
                format!("its worker {worker} has started again since, {} ago", words(self.age(restart)))
            }
        };
        Some(Judgement::new(Verdict::OwnerGone, reason))
    }

    fn over_expected(&self, job: &Job) -> Option<Judgement> {
        let (since, expected) = self.expectation(job)?;
        let runs = self.age(since).as_secs_f64();
        (runs > expected).then(|| {
            let (runs, expected) = (seconds_in_words(runs), seconds_in_words(expected));
            let reason = format!("it has been at this for {runs}, and said that it takes {expected} at most");
            Judgement::new(Verdict::OverExpectedTime, reason)
        })
    }

    /// Since when, and for how many seconds at most, it expects to be at what it does now. What was said
    /// last counts, if it was said in this attempt.
    fn expectation(&self, job: &Job) -> Option<(Timestamp, f64)> {
        let of_stage =
            job.running_stage().and_then(|run| Some((run.started_at()?, run.expected_max_seconds()?)));
        let of_job = job.facts.expected_max_seconds.at().map(|(time, seconds)| (time, *seconds));
        [of_stage, of_job]
            .into_iter()
            .flatten()
            .filter(|(since, _)| *since >= job.since)
            .max_by_key(|said| said.0)
    }

    fn over_history(&self, job: &Job) -> Option<Judgement> {
        // Who says how long it may take knows better than history.
        if self.expectation(job).is_some() {
            return None;
        }
        let run = job.running_stage()?;
        let digest = self.history.get(run.stage()).filter(|digest| digest.weight() >= LEAST_HISTORY)?;
        let p95 = digest.quantile(0.95)?;
        let runs = self.age(run.started_at()?).as_secs_f64();
        (runs > (p95 * SLOW_FACTOR).max(LEAST_SLOW_SECONDS)).then(|| {
            let reason = format!(
                "its stage {} has run for {}; 95 % of such stages took {} at most",
                run.stage(),
                seconds_in_words(runs),
                seconds_in_words(p95)
            );
            Judgement::new(Verdict::OverStageHistory, reason)
        })
    }

    fn silent(&self, job: &Job) -> Option<Judgement> {
        let silence = self.age(job.last_event_at);
        let worker = job.facts.worker_id.get();
        let is_watched = worker.is_some_and(|worker| self.workers.owner(worker, self.now).is_some());
        if is_watched || silence < self.config.silent_after.0 || self.expectation(job).is_some() {
            return None;
        }
        let owner = match worker {
            Some(worker) => format!("its worker {worker} sends no heartbeats"),
            None => "its worker is not known".to_owned(),
        };
        let reason = format!("nothing was heard of it for {}, and {owner}", words(silence));
        Some(Judgement::new(Verdict::NoHeartbeat, reason))
    }
}

/// A duration as people say it, in whole seconds from one second on.
fn words(duration: Duration) -> String {
    let whole = if duration.as_secs() > 0 { Duration::from_secs(duration.as_secs()) } else { duration };
    model::DurationText(whole).to_string()
}

fn seconds_in_words(seconds: f64) -> String {
    words(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}
