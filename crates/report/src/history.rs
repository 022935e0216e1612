//! The pipeline hour by hour and day by day: seed 001's hourly and daily statistics.
//!
//! Hours that are over do not change any more, so they are computed once and remembered, and only what
//! came since is read again. What arrives more than an hour late is not counted in them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{TimeRange, Timestamp};
use promql::{Cancel, Engine};
use store::TelemetryStore;

use crate::tasks::{OpenJobs, TaskTally, tally};
use crate::{ReportError, series};

const HOUR: Duration = Duration::from_secs(3600);
const HOURS_A_DAY: u32 = 24;
/// How far back it goes, in days.
const DAYS: u32 = 30;

/// A job that has not moved for so long is not waited for.
const FORGET_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);

/// Averages over a time; what is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gauges {
    /// Workers that had not said that they stopped.
    pub workers: Option<f64>,
    /// Workers that were online.
    pub online: Option<f64>,
    /// Those of them that can work on a GPU.
    pub gpu_workers: Option<f64>,
    /// Those of them that can work on the CPU.
    pub cpu_workers: Option<f64>,
    /// Those of them that can do both.
    pub hybrid_workers: Option<f64>,
    /// Tasks that waited.
    pub pending: Option<f64>,
    /// Tasks that were worked on.
    pub processing: Option<f64>,
    /// Tasks that waited in queues with `gpu` in their names.
    pub gpu_queue: Option<f64>,
    /// Tasks that waited in queues with `cpu` in their names.
    pub cpu_queue: Option<f64>,
    /// Tasks that waited in queues with `fallback` in their names.
    pub fallback_queue: Option<f64>,
    /// CPU in use on the hosts, 0 to 1.
    pub cpu_ratio: Option<f64>,
    /// Memory in use on the hosts, 0 to 1.
    pub memory_ratio: Option<f64>,
    /// GPUs in use, 0 to 1: as their drivers say, or else as workers report.
    pub gpu_ratio: Option<f64>,
}

/// A gauge: how series combine to it, which, and where it is kept. Of two for one place the later one
/// counts, where it is known.
struct Measure(&'static str, &'static str, fn(&mut Gauges) -> &mut Option<f64>);

const MEASURES: [Measure; 14] = [
    Measure("sum", r#"workers{state!="stopped"}"#, |gauges| &mut gauges.workers),
    Measure("sum", r#"workers{state="online"}"#, |gauges| &mut gauges.online),
    Measure("sum", r#"workers_by_capability{capability="gpu"}"#, |gauges| &mut gauges.gpu_workers),
    Measure("sum", r#"workers_by_capability{capability="cpu"}"#, |gauges| &mut gauges.cpu_workers),
    Measure("sum", r#"workers_by_capability{capability="hybrid"}"#, |gauges| &mut gauges.hybrid_workers),
    Measure("sum", r#"queue_depth{state="pending"}"#, |gauges| &mut gauges.pending),
    Measure("sum", r#"queue_depth{state="processing"}"#, |gauges| &mut gauges.processing),
    Measure("sum", r#"queue_depth{state="pending",queue=~"(?i).*gpu.*"}"#, |gauges| &mut gauges.gpu_queue),
    Measure("sum", r#"queue_depth{state="pending",queue=~"(?i).*cpu.*"}"#, |gauges| &mut gauges.cpu_queue),
    Measure("sum", r#"queue_depth{state="pending",queue=~"(?i).*fallback.*"}"#, |gauges| {
        &mut gauges.fallback_queue
    }),
    Measure("avg", "host_cpu_usage_ratio", |gauges| &mut gauges.cpu_ratio),
    Measure("avg", "host_memory_usage_ratio", |gauges| &mut gauges.memory_ratio),
    Measure("avg", "worker_gpu_ratio", |gauges| &mut gauges.gpu_ratio),
    Measure("avg", "gpu_utilization_ratio", |gauges| &mut gauges.gpu_ratio),
];

/// An hour or a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// When it begins, in UTC.
    pub start: Timestamp,
    /// How much of it is over.
    pub elapsed: Duration,
    /// What became of jobs in it.
    pub tasks: TaskTally,
    /// How the pipeline was in it, on average.
    pub gauges: Gauges,
}

impl Bucket {
    /// Jobs that ended well, per hour.
    pub fn completed_per_hour(&self) -> f64 {
        // Of an hour that has just begun a minute is taken, or one job would be thousands an hour.
        let hours = self.elapsed.as_secs_f64().max(60.0) / HOUR.as_secs_f64();
        self.tasks.completed as f64 / hours
    }
}

/// The hours that are over, as they were computed.
#[derive(Debug, Default)]
pub struct History {
    /// Everything before this time has been read.
    read_until: Option<Timestamp>,
    tasks: BTreeMap<Timestamp, TaskTally>,
    gauges: BTreeMap<Timestamp, Gauges>,
    /// Jobs that were under way at `read_until`.
    open: OpenJobs,
}

impl History {
    /// A history of which nothing has been read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The hours of the last 30 days of which something is stored, oldest first, the present one
    /// included. The first call reads all of them, further ones what came since.
    pub fn hours(
        &mut self,
        store: &dyn TelemetryStore,
        engine: &Engine,
        now: Timestamp,
        cancel: &Cancel,
    ) -> Result<Vec<Bucket>, ReportError> {
        let present = hour_of(now);
        let first = present.before(HOUR * (DAYS * HOURS_A_DAY - 1));
        // The hour before the present one may still get late events.
        let settled = present.before(HOUR);
        // Day by day, so that who gives up half-way leaves less to do for the next.
        loop {
            let from = self.read_until.unwrap_or(first).max(first);
            if from >= settled {
                break;
            }
            self.settle(store, engine, from, from.after(HOUR * HOURS_A_DAY).min(settled), cancel)?;
        }
        self.tasks.retain(|hour, _| *hour >= first);
        self.gauges.retain(|hour, _| *hour >= first);
        let (mut open, mut tasks, mut known) = (self.open.clone(), self.tasks.clone(), self.gauges.clone());
        // Clocks of workers may be ahead of ours.
        let until_now = TimeRange::new(settled, just_before(present.after(HOUR)));
        tally(store, until_now, &mut open, &mut tasks, cancel)?;
        known.extend(gauges(engine, settled, present.after(HOUR), cancel)?);
        let starts: BTreeSet<Timestamp> = tasks.keys().chain(known.keys()).copied().collect();
        let bucket = |start: Timestamp| Bucket {
            start,
            elapsed: now.since(start).min(HOUR),
            tasks: tasks.get(&start).copied().unwrap_or_default(),
            gauges: known.get(&start).copied().unwrap_or_default(),
        };
        Ok(starts.into_iter().filter(|start| *start >= first).map(bucket).collect())
    }

    /// Computes the hours from `from` to `to` for good.
    fn settle(
        &mut self,
        store: &dyn TelemetryStore,
        engine: &Engine,
        from: Timestamp,
        to: Timestamp,
        cancel: &Cancel,
    ) -> Result<(), ReportError> {
        // An error half-way must leave nothing half counted.
        let (mut open, mut tasks) = (self.open.clone(), BTreeMap::new());
        tally(store, TimeRange::new(from, just_before(to)), &mut open, &mut tasks, cancel)?;
        let gauges = gauges(engine, from, to, cancel)?;
        open.forget(to.before(FORGET_AFTER));
        self.tasks.extend(tasks);
        self.gauges.extend(gauges);
        (self.open, self.read_until) = (open, Some(to));
        Ok(())
    }
}

/// The hour in which a time lies, by its beginning.
pub(crate) fn hour_of(time: Timestamp) -> Timestamp {
    floor(time, HOUR)
}

fn floor(time: Timestamp, to: Duration) -> Timestamp {
    let to = i64::try_from(to.as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_nanos(time.as_nanos() - time.as_nanos().rem_euclid(to))
}

fn just_before(time: Timestamp) -> Timestamp {
    time.before(Duration::from_nanos(1))
}

/// The gauges of the hours from `start` to `end`.
fn gauges(
    engine: &Engine,
    start: Timestamp,
    end: Timestamp,
    cancel: &Cancel,
) -> Result<BTreeMap<Timestamp, Gauges>, ReportError> {
    let mut hours: BTreeMap<Timestamp, Gauges> = BTreeMap::new();
    // A window ends at the end of its hour.
    let ends = TimeRange::new(start.after(HOUR), end);
    for Measure(combine, name, place) in &MEASURES {
        let expression = format!("{combine}(avg_over_time({name}[1h]))");
        for (time, value) in series::over(engine, &expression, ends, HOUR, cancel)? {
            *place(hours.entry(time.before(HOUR)).or_default()) = Some(value);
        }
    }
    Ok(hours)
}

/// The gauges as they are now.
pub fn gauges_now(engine: &Engine, now: Timestamp, cancel: &Cancel) -> Result<Gauges, ReportError> {
    let mut gauges = Gauges::default();
    for Measure(combine, name, place) in &MEASURES {
        if let Some(value) = series::at(engine, &format!("{combine}({name})"), now, cancel)? {
            *place(&mut gauges) = Some(value);
        }
    }
    Ok(gauges)
}

/// Days of hours, in UTC, oldest first.
pub fn days(hours: &[Bucket]) -> Vec<Bucket> {
    let mut days: Vec<Vec<Bucket>> = Vec::new();
    for hour in hours {
        match days.last_mut().filter(|day| day_of(day[0].start) == day_of(hour.start)) {
            Some(day) => day.push(*hour),
            None => days.push(vec![*hour]),
        }
    }
    days.iter().map(|hours| day(hours)).collect()
}

fn day_of(time: Timestamp) -> Timestamp {
    floor(time, HOUR * HOURS_A_DAY)
}

/// A day of at least one hour: jobs are summed, gauges averaged over the hours in which they are known.
fn day(hours: &[Bucket]) -> Bucket {
    let start = day_of(hours[0].start);
    let elapsed = hours.last().map(|last| last.start.after(last.elapsed).since(start)).unwrap_or_default();
    let mut tasks = TaskTally::default();
    hours.iter().for_each(|hour| tasks.add(&hour.tasks));
    let mut gauges = Gauges::default();
    for Measure(_, _, place) in &MEASURES {
        let known: Vec<f64> = hours.iter().filter_map(|hour| *place(&mut hour.gauges.clone())).collect();
        *place(&mut gauges) = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
    }
    Bucket { start, elapsed, tasks, gauges }
}
