//! What belongs to a job: records and spans that name it, those of its traces, and the calls of models that it made.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use model::TimeRange;
use model::event::LlmCallEvent;
use search::{Datum, Quoted};
use store::{Cancel, Entries, EventPass, EventScan, Predicate, Row, Table, TelemetryStore, Test};

use crate::Error;
use crate::fields::{Holds, Source};
use crate::values::Values;

/// The most traces of one job that are followed.
pub const MAX_TRACES_OF_JOB: usize = 16;
/// How far into a list of calls or of failed jobs an answer may lie, its own items included.
pub const MAX_LISTED: usize = 10_000;

/// A job, for whoever looks for what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfJob {
    job_id: String,
    traces: Vec<String>,
    range: TimeRange,
}

/// How much belongs to a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Records of logs, what was audited among them.
    pub logs: u64,
    /// Spans.
    pub spans: u64,
    /// Calls of models.
    pub llm_calls: u64,
}

impl OfJob {
    /// A job of which one trace at most is known, and that lasted for this time.
    pub fn new(job_id: impl Into<String>, trace: Option<&str>, range: TimeRange) -> Self {
        let traces = trace.filter(|trace| !trace.is_empty()).map(str::to_owned).into_iter().collect();
        Self { job_id: job_id.into(), traces, range }
    }

    /// The same with all of its traces: those that events of the job and spans of it name as well. One that is known
    /// stays the first.
    pub fn with_all_traces(mut self, store: &dyn TelemetryStore, cancel: &Cancel) -> Result<Self, Error> {
        let mut more = BTreeSet::new();
        for table in [Table::JobEvents, Table::Spans] {
            let pass = self.pass(table, vec!["trace_id"], self.names_it(), cancel);
            let mut add = |rows: &RecordBatch| {
                let traces = Source::Column("trace_id", Holds::Text);
                let traces = Values::of(rows, &traces);
                for row in 0..rows.num_rows() {
                    if let Some(Datum::Text(trace)) = traces.get(row)
                        && more.len() < MAX_TRACES_OF_JOB
                        && !trace.is_empty()
                    {
                        more.insert(trace.into_owned());
                    }
                }
                Ok(())
            };
            store.each_batch(&pass, &mut add).map_err(Error::Read)?;
        }
        more.retain(|trace| !self.traces.contains(trace));
        self.traces.extend(more);
        self.traces.truncate(MAX_TRACES_OF_JOB);
        Ok(self)
    }

    /// Its id.
    pub fn job_id(&self) -> &str {
        &self.job_id
    }

    /// Its traces.
    pub fn traces(&self) -> &[String] {
        &self.traces
    }

    /// When it was.
    pub const fn range(&self) -> TimeRange {
        self.range
    }

    /// The search that finds its log records and its spans.
    pub fn query(&self) -> String {
        let of_traces = self.traces.iter().filter(|trace| is_hex(trace));
        let mut parts = vec![format!("job_id:{}", Quoted(&self.job_id))];
        parts.extend(of_traces.map(|trace| format!("trace_id:{}", trace.to_ascii_lowercase())));
        if parts.len() == 1 { parts.remove(0) } else { format!("({})", parts.join(" OR ")) }
    }

    /// How much belongs to it.
    pub fn counts(&self, store: &dyn TelemetryStore, cancel: &Cancel) -> Result<JobCounts, Error> {
        Ok(JobCounts {
            logs: self.count(Table::Logs, store, cancel)? + self.count(Table::AuditEvents, store, cancel)?,
            spans: self.count(Table::Spans, store, cancel)?,
            llm_calls: self.count(Table::LlmCalls, store, cancel)?,
        })
    }

    /// How many rows of a table belong to it.
    pub fn count(&self, table: Table, store: &dyn TelemetryStore, cancel: &Cancel) -> Result<u64, Error> {
        let pass = self.pass(table, vec!["time"], self.belongs(), cancel);
        let mut found = 0;
        let mut add = |rows: &RecordBatch| {
            found += rows.num_rows() as u64;
            Ok(())
        };
        store.each_batch(&pass, &mut add).map_err(Error::Read)?;
        Ok(found)
    }

    /// The calls of models that it made, oldest first, `skip` of them left out.
    pub fn llm_calls(
        &self,
        store: &dyn TelemetryStore,
        (skip, most): (usize, usize),
        cancel: &Cancel,
    ) -> Result<Vec<LlmCallEvent>, Error> {
        let limit = skip.saturating_add(most).min(MAX_LISTED);
        let scan = EventScan::new(Table::LlmCalls, self.range, limit);
        let calls = rows(store, &scan.matching(self.belongs()).stopped_by(cancel))?;
        Ok(calls.into_iter().skip(skip).collect())
    }

    /// What rows satisfy that name it.
    pub(crate) fn names_it(&self) -> Predicate {
        Predicate::column("job_id", Test::equal(self.job_id.as_str()))
    }

    /// What rows satisfy that belong to it.
    pub(crate) fn belongs(&self) -> Predicate {
        let mut ways = vec![self.names_it()];
        for trace in &self.traces {
            // Records and spans have it in lower case; others as it was sent.
            let forms = BTreeSet::from([trace.clone(), trace.to_ascii_lowercase()]);
            ways.extend(forms.into_iter().map(|trace| Predicate::column("trace_id", Test::equal(trace))));
        }
        Predicate::Any(ways)
    }

    fn pass(
        &self,
        table: Table,
        columns: Vec<&'static str>,
        predicate: Predicate,
        cancel: &Cancel,
    ) -> EventPass {
        let filters = vec![predicate];
        EventPass {
            table,
            range: self.range,
            filters,
            columns: columns.into(),
            entries: Entries::all(),
            cancel: cancel.clone(),
        }
    }
}

/// Whether a text can be the id of a trace in a search.
fn is_hex(trace: &str) -> bool {
    !trace.is_empty() && trace.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Rows that a scan finds.
pub(crate) fn rows<T: Row>(store: &dyn TelemetryStore, scan: &EventScan) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    for batch in store.scan(scan).map_err(Error::Read)? {
        all.extend(T::from_batch(&batch).map_err(Error::Rows)?);
    }
    Ok(all)
}
