//! Traces: those that a search of spans finds, newest first, and one as a whole.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use model::event::{LogEvent, SpanEvent, SpanStatus};
use model::{TimeRange, Timestamp};
use search::Datum;
use store::{
    Cancel, Entries, EventPass, EventScan, Order, Predicate, QueryError, Row, Table, TelemetryStore, Test,
};

use crate::fields::{Holds, Source};
use crate::read::read;
use crate::trace_jobs::{self, TraceJobs};
use crate::tree::{Node, Piece, analyse};
use crate::values::Values;
use crate::{Error, Search};

/// The most traces of an answer.
pub const MAX_TRACES: usize = 200;
/// The most spans of one trace that are read, and the most of its log records.
pub const MAX_SPANS: usize = 10_000;
/// See [`MAX_SPANS`].
pub const MAX_LOGS: usize = 1_000;
/// How many matching spans are read at a time while traces are looked for, unless more are of one time; and how many of
/// them are looked at.
const SPANS_AT_ONCE: usize = 500;
const MAX_SPANS_LOOKED_AT: usize = 5_000;
/// How far from a matching span the others of its trace are looked for.
const AROUND: Duration = Duration::from_secs(3_600);
/// The most services of a trace that are named.
const MAX_SERVICES: usize = 16;

/// A trace in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceSummary {
    /// Its id.
    pub trace_id: String,
    /// When its first span began.
    pub start: Timestamp,
    /// From then until its last span ended, in nanoseconds.
    pub duration_ns: u64,
    /// The service and the name of the span that has no parent, or else of the first one.
    pub service: Option<String>,
    /// See `service`.
    pub name: String,
    /// How many spans it has.
    pub spans: u64,
    /// How many of them failed.
    pub errors: u64,
    /// The services that take part, by name.
    pub services: Vec<String>,
    /// How many of its spans match, of those that were looked at.
    pub matching: u64,
    /// When the newest of these began.
    pub newest: Timestamp,
}

/// A whole trace.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Its spans, by when they began.
    pub spans: Vec<SpanEvent>,
    /// What is known of each from the others.
    pub nodes: Vec<Node>,
    /// Its log records, and what was audited in it, by time.
    pub logs: Vec<LogEvent>,
    /// Its jobs.
    pub jobs: TraceJobs,
    /// Whether there are more spans than these.
    pub has_more_spans: bool,
    /// Whether there are more log records than these.
    pub has_more_logs: bool,
}

/// The traces of the newest spans that a search finds, those with the newest first.
pub fn traces(
    store: &dyn TelemetryStore,
    search: &Search,
    limit: usize,
    cancel: &Cancel,
) -> Result<Vec<TraceSummary>, Error> {
    let mut found = matching(store, search, limit.min(MAX_TRACES), cancel)?;
    let (Some(newest), Some(oldest)) =
        (found.iter().map(|found| found.newest).max(), found.iter().map(|found| found.oldest).min())
    else {
        return Ok(Vec::new());
    };
    let ids = found.iter().map(|found| Predicate::column("trace_id", Test::equal(found.trace_id.as_str())));
    let pass = EventPass {
        table: Table::Spans,
        range: TimeRange::new(oldest.before(AROUND), newest.after(AROUND)),
        filters: vec![Predicate::Any(ids.collect())],
        columns: Summing::COLUMNS.into(),
        entries: Entries::all(),
        cancel: cancel.clone(),
    };
    let mut sums: HashMap<String, Summing> =
        found.iter().map(|found| (found.trace_id.clone(), Summing::default())).collect();
    let mut add = |rows: &RecordBatch| {
        Summing::add(rows, &mut sums);
        Ok(())
    };
    store.each_batch(&pass, &mut add).map_err(Error::Read)?;
    found.sort_by(|a, b| (b.newest, &a.trace_id).cmp(&(a.newest, &b.trace_id)));
    let summary = |found: Found| sums.remove(&found.trace_id).unwrap_or_default().finish(found);
    Ok(found.into_iter().map(summary).collect())
}

/// All that there is of a trace.
pub fn trace(store: &dyn TelemetryStore, trace_id: &str, cancel: &Cancel) -> Result<Trace, Error> {
    let mut spans = spans_of(store, trace_id, TimeRange::ALL, MAX_SPANS + 1, cancel)?;
    let mut logs = read(store, |table| of_trace(table, trace_id, TimeRange::ALL, MAX_LOGS + 1, cancel))?;
    let (has_more_spans, has_more_logs) = (spans.len() > MAX_SPANS, logs.len() > MAX_LOGS);
    spans.truncate(MAX_SPANS);
    logs.truncate(MAX_LOGS);
    let nodes = analyse(&spans.iter().map(piece).collect::<Vec<_>>());
    let jobs = trace_jobs::of_trace(store, trace_id, (&spans, &logs), cancel)?;
    Ok(Trace { spans, nodes, logs, jobs, has_more_spans, has_more_logs })
}

/// The first spans of a trace, by when they began.
pub fn spans_of(
    store: &dyn TelemetryStore,
    trace_id: &str,
    range: TimeRange,
    limit: usize,
    cancel: &Cancel,
) -> Result<Vec<SpanEvent>, Error> {
    let mut spans = Vec::new();
    for batch in store.scan(&of_trace(Table::Spans, trace_id, range, limit, cancel)).map_err(Error::Read)? {
        spans.extend(SpanEvent::from_batch(&batch).map_err(Error::Rows)?);
    }
    Ok(spans)
}

fn of_trace(table: Table, trace_id: &str, range: TimeRange, limit: usize, cancel: &Cancel) -> EventScan {
    let scan = EventScan::new(table, range, limit).stopped_by(cancel);
    scan.matching(Predicate::column("trace_id", Test::equal(trace_id)))
}

fn piece(span: &SpanEvent) -> Piece {
    let origin = &span.origin;
    // Processes of one host have one clock.
    let clock = origin.host.as_ref().or(origin.service_instance_id.as_ref()).or(origin.service.as_ref());
    Piece {
        id: span.span_id.clone(),
        parent: span.parent_span_id.clone(),
        start: span.time.as_nanos(),
        duration: span.duration_ns,
        clock: clock.cloned().unwrap_or_default(),
        kind: span.kind,
    }
}

/// A trace of which spans match.
struct Found {
    trace_id: String,
    matching: u64,
    newest: Timestamp,
    oldest: Timestamp,
}

/// The first traces, going back in time from the newest span that matches.
fn matching(
    store: &dyn TelemetryStore,
    search: &Search,
    limit: usize,
    cancel: &Cancel,
) -> Result<Vec<Found>, Error> {
    let mut found: Vec<Found> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut range = search.range();
    let mut left = MAX_SPANS_LOOKED_AT;
    while left > 0 && range.start <= range.end && found.len() < limit {
        let Newest { spans, is_all, is_one_time } = newest(store, search, range, left, cancel)?;
        let Some((last, _)) = spans.last().cloned() else { break };
        for (time, trace_id) in spans {
            // There may be more of the last one's time: they come with the next.
            if time == last && !is_all && !is_one_time {
                break;
            }
            left = left.saturating_sub(1);
            if let Some(place) = places.get(&trace_id) {
                found[*place].matching += 1;
                found[*place].oldest = time;
            } else if found.len() < limit {
                places.insert(trace_id.clone(), found.len());
                found.push(Found { trace_id, matching: 1, newest: time, oldest: time });
            }
        }
        if is_all {
            break;
        }
        let end = if is_one_time { last.before(Duration::from_nanos(1)) } else { last };
        range = TimeRange::new(range.start, end);
    }
    Ok(found)
}

/// The newest spans that match, by their times and traces.
struct Newest {
    spans: Vec<(Timestamp, String)>,
    /// Whether there are no others.
    is_all: bool,
    /// Whether all of them began at the same time.
    is_one_time: bool,
}

/// Reads the newest spans of a range, at most so many: some hundred, or twice as many again and again as long as all are
/// of one time, for others of that time could not be asked for otherwise.
fn newest(
    store: &dyn TelemetryStore,
    search: &Search,
    range: TimeRange,
    most: usize,
    cancel: &Cancel,
) -> Result<Newest, Error> {
    let mut limit = SPANS_AT_ONCE.min(most);
    let mut fewer = None;
    loop {
        let scan = search.scan(Table::Spans, range, Order::NewestFirst, limit, cancel);
        let batches = match (store.scan(&scan), fewer) {
            (Ok(batches), _) => batches,
            // More of them than before are too large to be read at once.
            (Err(QueryError::LimitReached(_)), Some(fewer)) => return Ok(fewer),
            (Err(error), _) => return Err(Error::Read(error)),
        };
        let spans: Vec<(Timestamp, String)> = batches.iter().flat_map(ids).collect();
        let is_all = spans.len() < limit;
        let is_one_time = spans.first().map(|span| span.0) == spans.last().map(|span| span.0);
        let read = Newest { spans, is_all, is_one_time };
        if is_all || !is_one_time || limit >= most {
            return Ok(read);
        }
        fewer = Some(read);
        limit = limit.saturating_mul(2).min(most);
    }
}

/// The times and traces of spans.
fn ids(rows: &RecordBatch) -> Vec<(Timestamp, String)> {
    let (times, traces) = (Source::Column("time", Holds::Time), Source::Column("trace_id", Holds::Text));
    let (times, traces) = (Values::of(rows, &times), Values::of(rows, &traces));
    let id = |row| match (times.get(row), traces.get(row)) {
        (Some(Datum::Time(time)), Some(Datum::Text(trace))) => Some((time, trace.into_owned())),
        _ => None,
    };
    (0..rows.num_rows()).filter_map(id).collect()
}

/// What the spans of a trace sum up to, in the making.
#[derive(Default)]
struct Summing {
    range: Option<TimeRange>,
    /// Whether it has a parent, when it began, and what it is: the one that the trace is named after.
    first: Option<(bool, Timestamp, Option<String>, String)>,
    spans: u64,
    errors: u64,
    services: BTreeSet<String>,
}

impl Summing {
    const COLUMNS: &[&str] =
        &["time", "trace_id", "parent_span_id", "name", "service", "duration_ns", "status"];

    fn add(rows: &RecordBatch, sums: &mut HashMap<String, Self>) {
        let texts =
            |column: &str| rows.column_by_name(column).and_then(|column| column.as_string_opt::<i32>());
        let [traces, parents, names, services, states] =
            ["trace_id", "parent_span_id", "name", "service", "status"].map(texts);
        let times = Source::Column("time", Holds::Time);
        let durations = Source::Column("duration_ns", Holds::Nanos);
        let (times, durations) = (Values::of(rows, &times), Values::of(rows, &durations));
        for row in 0..rows.num_rows() {
            let text = |texts: Option<&StringArray>| {
                texts.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row).to_owned())
            };
            let Some(sum) = text(traces).and_then(|trace| sums.get_mut(&trace)) else { continue };
            let Some(Datum::Time(start)) = times.get(row) else { continue };
            let duration = match durations.get(row) {
                Some(Datum::Duration(duration)) => duration,
                _ => Duration::ZERO,
            };
            let range = sum.range.get_or_insert(TimeRange::new(start, start));
            *range = TimeRange::new(range.start.min(start), range.end.max(start.after(duration)));
            sum.spans += 1;
            sum.errors += u64::from(text(states).as_deref() == Some(SpanStatus::Error.as_str()));
            let service = text(services);
            sum.services.extend(service.clone().filter(|_| sum.services.len() < MAX_SERVICES));
            let has_parent = text(parents).is_some();
            if sum.first.as_ref().is_none_or(|first| (has_parent, start) < (first.0, first.1)) {
                sum.first = Some((has_parent, start, service, text(names).unwrap_or_default()));
            }
        }
    }

    fn finish(self, found: Found) -> TraceSummary {
        let Found { trace_id, matching, newest, .. } = found;
        let range = self.range.unwrap_or(TimeRange::new(newest, newest));
        let (service, name) =
            self.first.map_or((None, String::new()), |(_, _, service, name)| (service, name));
        TraceSummary {
            trace_id,
            start: range.start,
            duration_ns: u64::try_from(range.end.since(range.start).as_nanos()).unwrap_or(u64::MAX),
            service,
            name,
            spans: self.spans,
            errors: self.errors,
            services: self.services.into_iter().collect(),
            matching,
            newest,
        }
    }
}
