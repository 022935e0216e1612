//! Who has a task of a queue in work. Redis says that somebody took it, events say who works on what;
//! only together do they say that nobody does.

use std::time::Duration;

use model::Timestamp;

use crate::{
    JobFilter, JobSnapshot, JobStatus, Page, Pipeline, QueueTask, Verdict, WorkerFilter, WorkerSnapshot,
    WorkerStatus,
};

/// How many jobs and workers are looked through.
const LOOKED_THROUGH: Page = Page { offset: 0, limit: 10_000 };

/// Who has a task in work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// A worker that is there.
    Held {
        /// The worker.
        worker: String,
    },
    /// Nobody any more, or nobody at all.
    Nobody {
        /// The worker that had it, where one is known.
        worker: Option<String>,
        /// Why, in one sentence.
        reason: String,
    },
    /// It cannot be told: no worker says what it works on.
    Unknown,
}

/// The running jobs and the workers, as of one moment.
pub struct Owners {
    running: Vec<JobSnapshot>,
    workers: Vec<WorkerSnapshot>,
    /// For so long after a task was taken, nobody saying to have it means nothing.
    patience: Duration,
}

impl Owners {
    /// Takes note of who works on what. `patience` should be longer than workers keep silent.
    pub(crate) fn of(pipeline: &Pipeline, patience: Duration) -> Self {
        let filter = JobFilter { status: Some(JobStatus::Running), ..JobFilter::default() };
        Self {
            running: pipeline.jobs().list(&filter, LOOKED_THROUGH).items,
            workers: pipeline.workers().list(&WorkerFilter::default(), LOOKED_THROUGH).items,
            patience,
        }
    }

    /// The jobs that run.
    pub fn running(&self) -> &[JobSnapshot] {
        &self.running
    }

    /// The running job that a task is: by its id, or else the only one of its document and kind.
    pub fn job_of(&self, task: &QueueTask) -> Option<&JobSnapshot> {
        let by_id = self.running.iter().find(|job| job.job_id == task.id);
        by_id.or_else(|| {
            let document = task.document_id.as_deref()?;
            let mut same = self.running.iter().filter(|job| {
                job.document_id.as_deref() == Some(document) && task.kind.is_some() && job.kind == task.kind
            });
            same.next().filter(|_| same.next().is_none())
        })
    }

    /// Who has a task that was taken.
    pub fn owner(&self, task: &QueueTask, now: Timestamp) -> Ownership {
        let job = self.job_of(task);
        if let Some(job) = job.filter(|job| job.judgement.verdict == Verdict::OwnerGone) {
            return Ownership::Nobody { worker: job.worker_id.clone(), reason: job.judgement.reason.clone() };
        }
        let named = job.and_then(|job| job.worker_id.as_deref());
        let holder = self.workers.iter().find(|worker| {
            named == Some(worker.worker_id.as_str()) || worker.job_id.as_deref() == Some(task.id.as_str())
        });
        match holder {
            Some(worker) if matches!(worker.status, WorkerStatus::Offline | WorkerStatus::Stopped) => {
                let reason = format!("its worker {} is {}", worker.worker_id, worker.status.as_str());
                Ownership::Nobody { worker: Some(worker.worker_id.clone()), reason }
            }
            Some(worker) => Ownership::Held { worker: worker.worker_id.clone() },
            None if named.is_none() && self.tell() && task.age_seconds(now) > self.patience.as_secs_f64() => {
                let reason = "no worker says that it has it".to_owned();
                Ownership::Nobody { worker: None, reason }
            }
            None => named.map_or(Ownership::Unknown, |worker| Ownership::Held { worker: worker.to_owned() }),
        }
    }

    /// Whether workers ever say what they work on. Where none does, silence about a task says nothing.
    fn tell(&self) -> bool {
        self.workers.iter().any(|worker| worker.job_id.is_some() || worker.active_tasks.is_some())
    }
}

#[cfg(test)]
mod tests;
