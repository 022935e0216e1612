//! The jobs of a trace, and to which of them a record of a log belongs that does not say so itself.
//!
//! Events of jobs and of stages name their traces. Those that follow from spans name their spans, too, so what was
//! written within a span belongs to the job that the nearest span around it tells of.

use std::collections::{HashMap, HashSet};

use arrow::array::RecordBatch;
use model::TimeRange;
use model::event::{JobAction, LogEvent, SpanEvent};
use search::Datum;
use store::{Cancel, Entries, EventPass, Predicate, Table, TelemetryStore, Test};

use crate::Error;
use crate::fields::{Holds, Source};
use crate::traces::{MAX_SPANS, spans_of};
use crate::values::Values;

/// The most jobs of one trace that are told.
pub const MAX_JOBS_OF_TRACE: usize = 50;
/// The most spans that are remembered for telling whose a record is.
const MAX_SPANS_OF_JOBS: usize = 10_000;
/// The attribute by which an event that follows from a span names it.
const SPAN_ID: &str = "span_id";
/// What is read of events.
const COLUMNS: &[&str] = &["action", "job_id", "kind", "attributes"];

/// A job, as far as a trace tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceJob {
    /// Its id.
    pub job_id: String,
    /// What kind of job it is.
    pub kind: Option<String>,
}

/// The jobs of a trace, in the order in which they were first told of.
#[derive(Clone, Debug, Default)]
pub struct TraceJobs {
    jobs: Vec<TraceJob>,
    places: HashMap<String, usize>,
    /// Which job a span is of, by the span.
    spans: HashMap<String, usize>,
    has_more: bool,
}

impl TraceJobs {
    /// The jobs, [`MAX_JOBS_OF_TRACE`] at most.
    pub fn jobs(&self) -> &[TraceJob] {
        &self.jobs
    }

    /// Whether there are more.
    pub const fn has_more(&self) -> bool {
        self.has_more
    }

    /// The same of a job that something names, whose trace is not looked at.
    fn named(job_id: &str) -> Self {
        let mut jobs = Self::default();
        jobs.note(job_id, None, None);
        jobs
    }

    /// Those of events that name the trace.
    fn of_events(store: &dyn TelemetryStore, trace_id: &str, cancel: &Cancel) -> Result<Self, Error> {
        let mut found = Self::default();
        // Records and spans have it in lower case; others as it was sent.
        let forms = [trace_id.to_owned(), trace_id.to_ascii_lowercase(), trace_id.to_ascii_uppercase()];
        let forms = forms.into_iter().collect::<HashSet<String>>().into_iter();
        let names_it = forms.map(|form| Predicate::column("trace_id", Test::equal(form))).collect();
        let names_it = Predicate::Any(names_it);
        for table in [Table::JobEvents, Table::StageEvents] {
            let pass = EventPass {
                table,
                range: TimeRange::ALL,
                filters: vec![names_it.clone()],
                columns: COLUMNS.into(),
                entries: Entries::all(),
                cancel: cancel.clone(),
            };
            let mut add = |rows: &RecordBatch| {
                found.add(rows);
                Ok(())
            };
            store.each_batch(&pass, &mut add).map_err(Error::Read)?;
        }
        Ok(found)
    }

    fn add(&mut self, rows: &RecordBatch) {
        let sources = [
            Source::Column("job_id", Holds::Text),
            Source::Column("kind", Holds::Text),
            Source::Attribute("attributes", SPAN_ID.to_owned()),
            Source::Column("action", Holds::Text),
        ];
        let [jobs, kinds, spans, actions] = [0, 1, 2, 3].map(|source| Values::of(rows, &sources[source]));
        for row in 0..rows.num_rows() {
            let Some(job) = text(&jobs, row) else { continue };
            // Who submits a job is within another one, or in none.
            let is_within = text(&actions, row).is_none_or(|action| action != JobAction::Submitted.as_str());
            let span = text(&spans, row).filter(|_| is_within);
            self.note(&job, text(&kinds, row), span);
        }
    }

    fn note(&mut self, job_id: &str, kind: Option<String>, span: Option<String>) {
        if job_id.is_empty() {
            return;
        }
        let place = match self.places.get(job_id) {
            Some(place) => *place,
            None if self.jobs.len() == MAX_JOBS_OF_TRACE => {
                self.has_more = true;
                return;
            }
            None => {
                self.places.insert(job_id.to_owned(), self.jobs.len());
                self.jobs.push(TraceJob { job_id: job_id.to_owned(), kind: None });
                self.jobs.len() - 1
            }
        };
        let job = &mut self.jobs[place];
        job.kind = job.kind.take().or(kind);
        if let Some(span) = span
            && self.spans.len() < MAX_SPANS_OF_JOBS
        {
            self.spans.insert(span.to_ascii_lowercase(), place);
        }
    }

    /// Adds those that spans and records of the trace name themselves.
    fn add_named(&mut self, spans: &[SpanEvent], logs: &[LogEvent]) {
        for span in spans {
            if let Some(job_id) = &span.conventions.job_id {
                self.note(job_id, None, Some(span.span_id.clone()));
            }
        }
        for job_id in logs.iter().filter_map(|log| log.conventions.job_id.as_ref()) {
            self.note(job_id, None, None);
        }
    }

    /// The job of the nearest span of a job around a span, itself included.
    fn around(&self, spans: &[SpanEvent], span_id: &str) -> Option<&TraceJob> {
        let parents: HashMap<&str, &str> = spans
            .iter()
            .filter_map(|span| Some((span.span_id.as_str(), span.parent_span_id.as_deref()?)))
            .collect();
        let mut at = span_id;
        // Spans may be parts of one another in a circle.
        for _ in 0..=spans.len() {
            if let Some(place) = self.spans.get(at) {
                return self.jobs.get(*place);
            }
            at = parents.get(at).copied()?;
        }
        None
    }
}

/// The jobs of a trace whose spans and records are at hand.
pub(crate) fn of_trace(
    store: &dyn TelemetryStore,
    trace_id: &str,
    (spans, logs): (&[SpanEvent], &[LogEvent]),
    cancel: &Cancel,
) -> Result<TraceJobs, Error> {
    let mut found = TraceJobs::of_events(store, trace_id, cancel)?;
    found.add_named(spans, logs);
    Ok(found)
}

/// The job of a record of a log: the one that it names, or the one whose span it was written in. If neither is known,
/// those of its trace.
pub fn jobs_of_log(store: &dyn TelemetryStore, log: &LogEvent, cancel: &Cancel) -> Result<TraceJobs, Error> {
    if let Some(job_id) = &log.conventions.job_id {
        return Ok(TraceJobs::named(job_id));
    }
    let Some(trace_id) = &log.trace_id else { return Ok(TraceJobs::default()) };
    let mut found = TraceJobs::of_events(store, trace_id, cancel)?;
    let spans = spans_of(store, trace_id, TimeRange::ALL, MAX_SPANS, cancel)?;
    found.add_named(&spans, &[]);
    let whose = log.span_id.as_deref().and_then(|span| found.around(&spans, span)).cloned();
    if let Some(job) = whose {
        found.jobs = vec![job];
        found.has_more = false;
    }
    Ok(found)
}

fn text(values: &Values<'_>, row: usize) -> Option<String> {
    match values.get(row) {
        Some(Datum::Text(text)) => Some(text.into_owned()),
        _ => None,
    }
}
