//! What there was in a time of something that is named: jobs that failed, and calls of models.
//!
//! Not every event says everything: of a job often only the one that began it names its worker, and a call names its
//! job and no queue. So what events of the same job say counts for all of them.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::Duration;

use arrow::array::RecordBatch;
use model::TimeRange;
use model::event::{JobAction, JobEvent, LlmCallEvent};
use regex::Regex;
use search::Datum;
use store::{Cancel, Entries, EventPass, EventScan, Predicate, Table, TelemetryStore, Test, TextPattern};

use crate::Error;
use crate::fields::{Holds, Source};
use crate::jobs::{MAX_LISTED, OfJob, rows};
use crate::values::Values;

/// How long before a time events of the same jobs are looked for: these may have begun long ago.
pub const BEGUN_BEFORE: Duration = Duration::from_secs(7 * 24 * 3_600);
/// The most jobs, the newest, whose other events are looked at.
const MAX_JOBS: usize = 1_000;
/// The most workers of one host that are told apart by their ids.
const MAX_WORKERS: usize = 200;

/// What is asked for. What is not named may be anything.
#[derive(Clone, Debug, Default)]
pub struct OfWhat {
    /// The application.
    pub service: Option<String>,
    /// The queue.
    pub queue: Option<String>,
    /// The kind of job.
    pub kind: Option<String>,
    /// The stage.
    pub stage: Option<String>,
    /// The model that was called.
    pub model: Option<String>,
    /// The address at which it was called.
    pub backend: Option<String>,
    /// Who worked on it.
    pub workers: Option<WorkersOf>,
    /// The job, with its traces.
    pub job: Option<OfJob>,
}

/// A worker, or those of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkersOf {
    ids: BTreeSet<String>,
    host: Option<String>,
}

impl WorkersOf {
    /// One worker.
    pub fn one(worker: impl Into<String>) -> Self {
        Self { ids: BTreeSet::from([worker.into()]), host: None }
    }

    /// Those of a host: these, and all whose ids say so, as `HOST:PID` and `NAME@HOST` do.
    pub fn on(host: impl Into<String>, ids: impl IntoIterator<Item = String>) -> Self {
        Self { ids: ids.into_iter().take(MAX_WORKERS).collect(), host: Some(host.into()) }
    }

    /// The same with those that have told in a time that they run on the host.
    pub fn with_stored(
        mut self,
        store: &dyn TelemetryStore,
        range: TimeRange,
        cancel: &Cancel,
    ) -> Result<Self, Error> {
        let Some(host) = &self.host else { return Ok(self) };
        let filters = vec![Predicate::column("host", Test::equal(host.as_str()))];
        let pass = pass(Table::WorkerEvents, range, filters, "worker_id", cancel);
        let ids = &mut self.ids;
        let mut add = |rows: &RecordBatch| {
            each_text(rows, "worker_id", |worker| {
                if ids.len() < MAX_WORKERS {
                    ids.insert(worker);
                }
            });
            Ok(())
        };
        store.each_batch(&pass, &mut add).map_err(Error::Read)?;
        Ok(self)
    }

    /// Their ids, as far as they are known.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(String::as_str)
    }

    /// Their host, if they are asked for by it.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    fn predicate(&self) -> Predicate {
        let mut ways: Vec<Predicate> = self.ids.iter().map(|id| equal("worker_id", id)).collect();
        let of_host = self.host.as_deref().map(regex::escape);
        // One that would be too large is of no host that there is.
        let of_host = of_host.and_then(|host| Regex::new(&format!("^{host}:[0-9]+$|@{host}$")).ok());
        ways.extend(
            of_host.map(|host| Predicate::column("worker_id", Test::Matches(TextPattern::new(host, [])))),
        );
        Predicate::Any(ways)
    }
}

/// The events by which jobs ended badly in a time, newest first; no model and no backend narrows them.
pub fn failed_jobs(
    store: &dyn TelemetryStore,
    range: TimeRange,
    of: &OfWhat,
    most: usize,
    cancel: &Cancel,
) -> Result<Vec<JobEvent>, Error> {
    let failed = equal("action", JobAction::Failed.as_str());
    let own = ["service", "queue", "kind", "worker_id", "stage"];
    let mut asked = Asked { store, table: Table::JobEvents, range, filters: vec![failed], cancel };
    asked.narrow(of, &own)?;
    asked.newest(most)
}

/// The calls of models in a time: those that failed, newest first, and then the others.
pub fn llm_calls(
    store: &dyn TelemetryStore,
    range: TimeRange,
    of: &OfWhat,
    most: usize,
    cancel: &Cancel,
) -> Result<Vec<LlmCallEvent>, Error> {
    let own = ["service", "worker_id", "stage"];
    let mut asked = Asked { store, table: Table::LlmCalls, range, filters: Vec::new(), cancel };
    for (column, name) in [("model", &of.model), ("backend", &of.backend)] {
        asked.filters.extend(name.as_deref().map(|name| equal(column, name)));
    }
    asked.narrow(of, &own)?;
    let failed = Predicate::column("error_message", Test::Exists);
    asked.filters.push(failed.clone());
    let mut calls: Vec<LlmCallEvent> = asked.newest(most)?;
    if calls.len() < most {
        asked.filters.pop();
        asked.filters.push(failed.opposite());
        calls.extend(asked.newest::<LlmCallEvent>(most - calls.len())?);
    }
    Ok(calls)
}

fn equal(column: &'static str, value: &str) -> Predicate {
    Predicate::column(column, Test::equal(value))
}

/// Rows that are asked for.
struct Asked<'a> {
    store: &'a dyn TelemetryStore,
    table: Table,
    range: TimeRange,
    filters: Vec<Predicate>,
    cancel: &'a Cancel,
}

impl Asked<'_> {
    fn newest<T: store::Row>(&self, most: usize) -> Result<Vec<T>, Error> {
        let scan = EventScan::new(self.table, self.range, most.min(MAX_LISTED)).newest_first();
        let scan = EventScan { filters: self.filters.clone(), ..scan.stopped_by(self.cancel) };
        rows(self.store, &scan)
    }

    /// Adds what is asked for; `own` are the columns by which rows say themselves what other events of their jobs say.
    fn narrow(&mut self, of: &OfWhat, own: &[&str]) -> Result<(), Error> {
        self.filters.extend(of.service.as_deref().map(|name| equal("service", name)));
        // Other jobs of its traces are others.
        let is_job = self.table == Table::JobEvents;
        let of_job = of.job.as_ref().map(|job| if is_job { job.names_it() } else { job.belongs() });
        self.filters.extend(of_job);
        let by_name = |column: &'static str, name: &Option<String>| {
            name.as_deref().map(|name| (column, equal(column, name)))
        };
        let told = [
            (Table::JobEvents, by_name("queue", &of.queue)),
            (Table::JobEvents, by_name("kind", &of.kind)),
            (Table::JobEvents, of.workers.as_ref().map(|workers| ("worker_id", workers.predicate()))),
            (Table::StageEvents, by_name("stage", &of.stage)),
        ];
        for (table, told) in told {
            let Some((column, named)) = told else { continue };
            let jobs = self.jobs_that(table, named.clone())?;
            let own = own.contains(&column).then_some(named);
            let of_jobs = jobs.iter().map(|job| equal("job_id", job));
            self.filters.push(Predicate::Any(own.into_iter().chain(of_jobs).collect()));
        }
        Ok(())
    }

    /// The jobs of rows that are asked for so far of which another event says something.
    fn jobs_that(&self, table: Table, say: Predicate) -> Result<VecDeque<String>, Error> {
        let asked = self.jobs(self.table, self.range, self.filters.clone())?;
        if asked.is_empty() {
            return Ok(asked);
        }
        let one_of_them = Predicate::Any(asked.iter().map(|job| equal("job_id", job)).collect());
        let range = TimeRange::new(self.range.start.before(BEGUN_BEFORE), self.range.end);
        self.jobs(table, range, vec![say, one_of_them])
    }

    /// The jobs of rows, the newest of them.
    fn jobs(
        &self,
        table: Table,
        range: TimeRange,
        filters: Vec<Predicate>,
    ) -> Result<VecDeque<String>, Error> {
        let pass = pass(table, range, filters, "job_id", self.cancel);
        let (mut known, mut newest) = (HashSet::new(), VecDeque::new());
        let mut add = |rows: &RecordBatch| {
            each_text(rows, "job_id", |job| {
                if known.insert(job.clone()) {
                    newest.push_back(job);
                }
                if newest.len() > MAX_JOBS
                    && let Some(oldest) = newest.pop_front()
                {
                    known.remove(&oldest);
                }
            });
            Ok(())
        };
        self.store.each_batch(&pass, &mut add).map_err(Error::Read)?;
        Ok(newest)
    }
}

fn pass(
    table: Table,
    range: TimeRange,
    filters: Vec<Predicate>,
    column: &'static str,
    cancel: &Cancel,
) -> EventPass {
    EventPass {
        table,
        range,
        filters,
        columns: vec![column].into(),
        entries: Entries::all(),
        cancel: cancel.clone(),
    }
}

/// Hands over the texts of a column.
fn each_text(rows: &RecordBatch, column: &'static str, mut each: impl FnMut(String)) {
    let source = Source::Column(column, Holds::Text);
    let texts = Values::of(rows, &source);
    for row in 0..rows.num_rows() {
        if let Some(Datum::Text(text)) = texts.get(row) {
            each(text.into_owned());
        }
    }
}
