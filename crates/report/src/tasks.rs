//! What became of jobs, hour by hour, from their events.

use std::collections::{BTreeMap, HashMap};

use arrow::array::RecordBatch;
use model::event::JobAction;
use model::{TimeRange, Timestamp};
use promql::Cancel;
use store::{ColumnFilter, Entries, EventPass, FilterOp, Scalar, Table, TelemetryStore};

use crate::ReportError;
use crate::columns::{Texts, Times, says_yes};
use crate::history::hour_of;

/// What jobs came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TaskTally {
    /// Jobs that ended well.
    pub completed: u64,
    /// Jobs that ended badly.
    pub failed: u64,
    /// Attempts that ended badly, with another to follow.
    pub retried: u64,
    /// Attempts that ran out of time.
    pub timed_out: u64,
    /// Attempts of jobs that ended well whose duration is known.
    pub timed: u64,
    /// How long those took together, in seconds.
    pub seconds: f64,
    /// Attempts that began and whose wait is known.
    pub waited: u64,
    /// How long those had waited together, in seconds.
    pub wait_seconds: f64,
}

impl TaskTally {
    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        self.completed += other.completed;
        self.failed += other.failed;
        self.retried += other.retried;
        self.timed_out += other.timed_out;
        self.timed += other.timed;
        self.seconds += other.seconds;
        self.waited += other.waited;
        self.wait_seconds += other.wait_seconds;
    }

    /// How long a job took on average, in seconds; 0 when it is not known of any.
    pub fn average_seconds(&self) -> f64 {
        self.seconds / self.timed.max(1) as f64
    }

    /// How long an attempt had waited on average, in seconds; 0 when it is not known of any.
    pub fn average_wait_seconds(&self) -> f64 {
        self.wait_seconds / self.waited.max(1) as f64
    }

    /// Jobs that ended badly among those that ended, 0 to 1.
    pub fn error_rate(&self) -> f64 {
        self.failed as f64 / (self.completed + self.failed).max(1) as f64
    }

    /// Attempts that ran out of time among those that ended, 0 to 1.
    pub fn timeout_rate(&self) -> f64 {
        self.timed_out as f64 / self.attempts().max(1) as f64
    }

    /// Attempts that were followed by another among those that ended, 0 to 1.
    pub fn retry_rate(&self) -> f64 {
        self.retried as f64 / self.attempts().max(1) as f64
    }

    fn attempts(&self) -> u64 {
        self.completed + self.failed + self.retried
    }
}

/// The most jobs whose beginning is remembered until their end. Of jobs beyond them the end is counted,
/// and how long they took is not known.
const MAX_OPEN: usize = 100_000;

/// Jobs that have begun and not ended: since when they waited, and since when they run.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenJobs(HashMap<String, Open>);

#[derive(Clone, Copy, Debug, Default)]
struct Open {
    queued: Option<Timestamp>,
    started: Option<Timestamp>,
}

/// Adds what is stored of jobs in `range` to the tallies of its hours.
pub(crate) fn tally(
    store: &dyn TelemetryStore,
    range: TimeRange,
    open: &mut OpenJobs,
    hours: &mut BTreeMap<Timestamp, TaskTally>,
    cancel: &Cancel,
) -> Result<(), ReportError> {
    let pass = EventPass {
        table: Table::JobEvents,
        range,
        filters: vec![
            ColumnFilter {
                column: "action",
                op: FilterOp::NotEqual,
                value: Scalar::Text(JobAction::Progress.as_str().to_owned()),
            }
            .into(),
        ],
        columns: (&["time", "action", "job_id", "submitted_at", "started_at", "timed_out"]).into(),
        entries: Entries::all(),
        cancel: cancel.clone(),
    };
    let mut add = |rows: &RecordBatch| {
        open.follow(rows, hours);
        Ok(())
    };
    store.each_batch(&pass, &mut add).map_err(ReportError::Events)
}

impl OpenJobs {
    fn follow(&mut self, rows: &RecordBatch, hours: &mut BTreeMap<Timestamp, TaskTally>) {
        let (times, actions, jobs) =
            (Times::of(rows, "time"), Texts::of(rows, "action"), Texts::of(rows, "job_id"));
        let (submitted, started) = (Times::of(rows, "submitted_at"), Times::of(rows, "started_at"));
        for row in 0..rows.num_rows() {
            let action = actions.get(row).and_then(|action| action.parse().ok());
            if let (Some(time), Some(job), Some(action)) = (times.time(row), jobs.get(row), action) {
                let timed_out = says_yes(rows, "timed_out", row);
                let step = Step {
                    time,
                    job,
                    action,
                    submitted: submitted.time(row),
                    started: started.time(row),
                    timed_out,
                };
                self.take(&step, hours.entry(hour_of(time)).or_default());
            }
        }
    }

    fn take(&mut self, step: &Step<'_>, hour: &mut TaskTally) {
        match step.action {
            JobAction::Submitted => {
                let queued = step.submitted.unwrap_or(step.time);
                self.note(step.job, |open| open.queued = Some(queued));
            }
            JobAction::Started => {
                let started = step.started.unwrap_or(step.time);
                let queued = self.0.get(step.job).and_then(|open| open.queued).or(step.submitted);
                if let Some(queued) = queued {
                    hour.waited += 1;
                    hour.wait_seconds += started.since(queued).as_secs_f64();
                }
                self.note(step.job, |open| open.started = Some(started));
            }
            JobAction::Retried => {
                hour.retried += 1;
                hour.timed_out += u64::from(step.timed_out);
                self.note(step.job, |open| *open = Open { queued: Some(step.time), started: None });
            }
            JobAction::Completed => {
                hour.completed += 1;
                hour.timed_out += u64::from(step.timed_out);
                let known = self.0.remove(step.job).and_then(|open| open.started);
                if let Some(started) = step.started.or(known) {
                    hour.timed += 1;
                    hour.seconds += step.time.since(started).as_secs_f64();
                }
            }
            JobAction::Failed => {
                hour.failed += 1;
                hour.timed_out += u64::from(step.timed_out);
                self.0.remove(step.job);
            }
            JobAction::Progress => {}
        }
    }

    fn note(&mut self, job: &str, change: impl FnOnce(&mut Open)) {
        if let Some(open) = self.0.get_mut(job) {
            change(open);
        } else if self.0.len() < MAX_OPEN {
            change(self.0.entry(job.to_owned()).or_default());
        }
    }

    /// Lets go of jobs that have not moved since `before`: they will not end any more.
    pub(crate) fn forget(&mut self, before: Timestamp) {
        self.0.retain(|_, open| open.started.max(open.queued) >= Some(before));
    }
}

/// What an event says of a job.
struct Step<'a> {
    time: Timestamp,
    job: &'a str,
    action: JobAction,
    submitted: Option<Timestamp>,
    started: Option<Timestamp>,
    timed_out: bool,
}
