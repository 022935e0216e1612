//! Runs every collector in a task of its own, and says how each of them does.
//!
//! A pass that fails, hangs or panics costs nobody but itself. After each pass the runner stores what
//! was gathered, the collector's own `collector_*` series, and an end (a staleness marker) for every
//! series that the pass before had and this one has not, as Prometheus does for its targets.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use ingest::{Ingest, Source};
use model::{Labels, MetricBatch, STALE_NAN, Timestamp};
use parking_lot::Mutex;
use pipeline::Pipeline;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::collector::{CollectError, Collector};
use crate::config::Config;
use crate::exits::ExitReporter;
use crate::gpus::Gpus;
use crate::host::Host;
use crate::journal::Journal;
use crate::kernel_log::KernelLog;
use crate::own::Own;
use crate::probes::ProbeError;
use crate::processes::{Directory, PatternError, Processes};
use crate::redis_queue::{MappingError, QueueMetrics, QueueOperations};
use crate::samples::Samples;
use crate::scrape::{ScrapeSetupError, Scrapes};
use crate::tail::{TailSetupError, Tails};
use crate::units::Units;

/// A collector starts at a moment of its own within this time, so that not all look at once.
const START_SPREAD: Duration = Duration::from_secs(2);

/// A collector that looks more seldom than this has what it saw last written again meanwhile: queries
/// look back five minutes and no further.
const REMIND: Duration = Duration::from_secs(60);

/// Shorter intervals are taken as this one.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// A configuration that cannot be watched by.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A group's pattern is no regular expression.
    #[error("the section [processes] cannot be used")]
    Processes(#[source] PatternError),
    /// A Redis section or a queue's mapping is wrong.
    #[error("a section [[redis]] cannot be used")]
    Redis(#[source] MappingError),
    /// What is scraped cannot be used.
    #[error(transparent)]
    Scrapes(#[from] ScrapeSetupError),
    /// An entry of log files is wrong.
    #[error("a section [[logs]] cannot be used")]
    Logs(#[source] TailSetupError),
    /// A probe is wrong.
    #[error("the section [probes] cannot be used")]
    Probes(#[source] ProbeError),
    /// The counters could not be registered: two of us share one registry.
    #[error("the counters of collect could not be registered")]
    Metrics(#[source] prometheus::Error),
}

/// How one collector does.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectorStatus {
    /// What kind it is.
    pub name: String,
    /// What it looks at.
    pub target: String,
    /// Whether its last pass succeeded.
    pub up: bool,
    /// Whether there is nothing to watch, and nobody asked for it by name. No fault: `up` is false,
    /// and no `collector_up` series is written.
    pub absent: bool,
    /// When a pass last succeeded.
    pub last_success: Option<Timestamp>,
    /// Why the last pass failed; empty once one has succeeded.
    pub last_error: Option<String>,
    /// What is wrong with a part of what it looks at, although the last pass succeeded.
    pub remark: Option<String>,
    /// How long the last pass took.
    pub duration: Duration,
    /// How often it looks.
    pub interval: Duration,
    /// Passes so far.
    pub runs: u64,
    /// Passes that failed.
    pub errors: u64,
}

/// All collectors that the configuration asks for.
pub struct Collectors {
    ingest: Arc<Ingest>,
    waiting: Mutex<Vec<Watched>>,
    statuses: Vec<Arc<Mutex<CollectorStatus>>>,
    operations: Option<QueueOperations>,
    scrapes: Option<Arc<Scrapes>>,
    tails: Option<Arc<Tails>>,
    journal: Option<Arc<Journal>>,
}

/// A collector, where its samples count as coming from, and its status.
struct Watched {
    collector: Box<dyn Collector>,
    source: Source,
    status: Arc<Mutex<CollectorStatus>>,
    /// How long after a pass it is written again.
    remind: Duration,
    /// Whether what the last pass gathered could not be stored.
    is_unstored: bool,
}

/// The series of the last pass by their hashes, with their last values.
type Live = HashMap<u64, (Labels, f64)>;

impl Collectors {
    /// Checks the configuration and makes its collectors; none looks at anything before
    /// [`run`](Self::run). What a collector must remember over restarts lies in `data_dir`.
    pub fn new(
        config: &Config,
        data_dir: &Path,
        ingest: Arc<Ingest>,
        pipeline: &Arc<Pipeline>,
        registry: &prometheus::Registry,
    ) -> Result<Arc<Self>, SetupError> {
        let host = crate::host::host_name(&config.host);
        let directory = Arc::new(Directory::default());
        let mut collectors: Vec<(Box<dyn Collector>, Source)> = Vec::new();
        if config.host.enabled {
            let collector = Host::new(&config.host, host.clone(), Arc::clone(pipeline));
            collectors.push((Box::new(collector), Source::Collector));
        }
        if config.processes.enabled {
            let collector =
                Processes::new(&config.processes, host.clone(), Arc::clone(pipeline), Arc::clone(&directory))
                    .map_err(SetupError::Processes)?;
            collectors.push((Box::new(collector), Source::Collector));
        }
        if config.gpus.enabled {
            let directory = Arc::clone(&directory);
            let collector = Gpus::new(&config.gpus, host.clone(), Arc::clone(pipeline), directory);
            collectors.push((Box::new(collector), Source::Collector));
        }
        let reporter = ExitReporter::new(Arc::clone(&ingest), host.clone(), Arc::clone(&directory));
        let reporter = Arc::new(reporter);
        if config.kernel_log.enabled {
            let collector = KernelLog::new(&config.kernel_log, data_dir, host.clone(), Arc::clone(&reporter));
            collectors.push((Box::new(collector), Source::Collector));
        }
        if config.units.enabled {
            let collector = Units::new(&config.units, host.clone(), directory, reporter);
            collectors.push((Box::new(collector), Source::Collector));
        }
        let metrics = QueueMetrics::new(registry).map_err(SetupError::Metrics)?;
        let redis = crate::redis_server::collectors(&config.redis, pipeline, &metrics);
        let (redis, operations) = redis.map_err(SetupError::Redis)?;
        for collector in redis {
            collectors.push((collector, Source::Collector));
        }
        let probes = crate::probes::collectors(&config.probes, pipeline).map_err(SetupError::Probes)?;
        collectors.extend(probes.into_iter().map(|probe| (probe, Source::Collector)));
        let journal =
            config.journal.enabled.then(|| Journal::new(&config.journal, data_dir, Arc::clone(&ingest)));
        collectors.extend(journal.iter().map(|journal| (journal.status(), Source::Collector)));
        let place = (host.clone(), data_dir);
        let tails = Tails::new(&config.tailing, &config.logs, place, &ingest, registry);
        let tails = tails.map_err(SetupError::Logs)?;
        collectors.extend(tails.iter().map(|tails| (tails.status(), Source::Collector)));
        if config.own.enabled {
            let own = Own::new(&config.own, host, registry.clone(), Arc::clone(&ingest));
            collectors.push((Box::new(own), Source::Own));
        }
        let scrapes =
            Scrapes::new(&config.scraping, &config.scrape, &config.base, Arc::clone(&ingest), registry)?;
        Ok(Arc::new(Self {
            operations: Some(operations),
            scrapes: Some(scrapes),
            tails,
            journal,
            ..Self::unshared(collectors, ingest)
        }))
    }

    /// Runs `collectors`, whatever they are.
    #[cfg(test)]
    pub(crate) fn of(collectors: Vec<(Box<dyn Collector>, Source)>, ingest: Arc<Ingest>) -> Arc<Self> {
        Arc::new(Self::unshared(collectors, ingest))
    }

    fn unshared(collectors: Vec<(Box<dyn Collector>, Source)>, ingest: Arc<Ingest>) -> Self {
        let waiting: Vec<Watched> = collectors
            .into_iter()
            .map(|(collector, source)| {
                let status = Arc::new(Mutex::new(CollectorStatus::before_the_first_pass(&*collector)));
                Watched { collector, source, status, remind: REMIND, is_unstored: false }
            })
            .collect();
        let statuses = waiting.iter().map(|watched| Arc::clone(&watched.status)).collect();
        Self {
            ingest,
            waiting: Mutex::new(waiting),
            statuses,
            operations: None,
            scrapes: None,
            tails: None,
            journal: None,
        }
    }

    /// Runs every collector until `cancel`; ends when all of them have. A second call finds none left
    /// to run.
    pub async fn run(self: Arc<Self>, cancel: CancellationToken) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        let tasks = TaskTracker::new();
        for watched in waiting {
            tasks.spawn(watched.watch(Arc::clone(&self.ingest), cancel.clone()));
        }
        if let Some(scrapes) = &self.scrapes {
            tasks.spawn(Arc::clone(scrapes).run(cancel.clone()));
        }
        if let Some(tails) = &self.tails {
            tasks.spawn(Arc::clone(tails).run(cancel.clone()));
        }
        if let Some(journal) = &self.journal {
            tasks.spawn(Arc::clone(journal).run(cancel));
        }
        tasks.close();
        tasks.wait().await;
    }

    /// What is scraped, and how that goes.
    pub fn scrapes(&self) -> Option<&Arc<Scrapes>> {
        self.scrapes.as_ref()
    }

    /// What can be done with the tasks of the mapped queues.
    pub fn operations(&self) -> Option<&QueueOperations> {
        self.operations.as_ref()
    }

    /// How each collector does, in the order of the configuration.
    pub fn status(&self) -> Vec<CollectorStatus> {
        self.statuses.iter().map(|status| status.lock().clone()).collect()
    }
}

impl CollectorStatus {
    fn before_the_first_pass(collector: &dyn Collector) -> Self {
        Self {
            name: collector.name().to_owned(),
            target: collector.target().to_owned(),
            up: false,
            absent: false,
            last_success: None,
            last_error: None,
            remark: None,
            duration: Duration::ZERO,
            interval: collector.interval(),
            runs: 0,
            errors: 0,
        }
    }

    /// Notes what became of a pass. Says whether that is news to be logged.
    fn note(&mut self, outcome: Result<(), &CollectError>, now: Timestamp, took: Duration) -> bool {
        let before = (self.up, self.last_error.take());
        self.runs += 1;
        self.duration = took;
        self.up = outcome.is_ok();
        self.absent = matches!(outcome, Err(CollectError::Absent(_)));
        match outcome {
            Ok(()) => self.last_success = Some(now),
            Err(error) => {
                self.last_error = Some(error.chain());
                self.errors += u64::from(!self.absent);
            }
        }
        before != (self.up, self.last_error.clone())
    }
}

impl Watched {
    async fn watch(mut self, ingest: Arc<Ingest>, cancel: CancellationToken) {
        let interval = self.collector.interval().max(SHORTEST_INTERVAL);
        let spread = START_SPREAD.min(interval);
        let seed = format!("{}\0{}", self.collector.name(), self.collector.target());
        let share = xxhash_rust::xxh3::xxh3_64(seed.as_bytes()) % 1000;
        let start = tokio::time::Instant::now() + spread * u32::try_from(share).unwrap_or(0) / 1000;
        let mut ticks = tokio::time::interval_at(start, interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut live = Live::new();
        let mut last = Timestamp::MIN;
        loop {
            let pass = async {
                let due = tokio::select! {
                    biased;
                    _ = ticks.tick() => true,
                    () = tokio::time::sleep(self.remind), if last > Timestamp::MIN => false,
                };
                last = time_of_pass(Timestamp::now(), last);
                if due {
                    self.pass(&ingest, &mut live, last).await;
                } else {
                    self.remind(&ingest, &live, last).await;
                }
            };
            if cancel.run_until_cancelled(pass).await.is_none() {
                return;
            }
        }
    }

    /// One pass: look, note, store.
    async fn pass(&mut self, ingest: &Ingest, live: &mut Live, now: Timestamp) {
        let begin = Instant::now();
        let outcome = look(&mut *self.collector, now).await;
        let took = begin.elapsed();
        let (status, news) = {
            let mut status = self.status.lock();
            let was_up = status.up;
            let news = status.note(outcome.as_ref().map(|_| ()), now, took);
            let remark = outcome.is_ok().then(|| self.collector.remark()).flatten();
            // That it still works is none, where only the storing has failed.
            let news = news && !(self.is_unstored && was_up && outcome.is_ok()) || status.remark != remark;
            status.remark = remark;
            (status.clone(), news)
        };
        if news {
            log(&status);
        }
        let mut batch = match outcome {
            Ok(batch) => batch,
            Err(_) if status.absent => MetricBatch::new(),
            Err(_) => self.collector.when_down(now),
        };
        end_what_is_gone(&mut batch, live, now);
        self.store(ingest, batch, &status, now).await;
    }

    /// Writes what the last pass saw once more, between two that lie far apart. It counts as no pass.
    async fn remind(&mut self, ingest: &Ingest, live: &Live, now: Timestamp) {
        let mut batch = MetricBatch::new();
        for (labels, value) in live.values() {
            batch.push_one(labels, now.as_millis(), *value);
        }
        let status = self.status.lock().clone();
        self.store(ingest, batch, &status, now).await;
    }

    async fn store(
        &mut self,
        ingest: &Ingest,
        mut batch: MetricBatch,
        status: &CollectorStatus,
        now: Timestamp,
    ) {
        if !status.absent {
            add_own_series(&mut batch, status, now);
        }
        let stored = ingest.append_metrics(self.source, batch).await;
        self.is_unstored = stored.is_err();
        if let Err(error) = stored {
            // Counted by `ingest`, which also tells why; here it shows beside the collector.
            let mut status = self.status.lock();
            status.errors += 1;
            status.last_error = Some(format!("what was gathered could not be stored: {error}"));
        }
    }
}

/// The time of all samples of a pass: the whole second, so that passes of different collectors can be
/// compared. Where that was the time of the pass before, which happens when a tick is a little early,
/// the exact time: no two samples of a series may have the same.
fn time_of_pass(now: Timestamp, last: Timestamp) -> Timestamp {
    let second = Timestamp::from_millis(now.as_millis().div_euclid(1000) * 1000);
    if second > last { second } else { now }
}

/// One look, with a time limit, and with a panic contained.
async fn look(collector: &mut dyn Collector, now: Timestamp) -> Result<MetricBatch, CollectError> {
    let limit = collector.time_limit();
    let looking = AssertUnwindSafe(collector.collect(now)).catch_unwind();
    match tokio::time::timeout(limit, looking).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(CollectError::Panicked(panic_text(&*panic))),
        Err(_) => Err(CollectError::TimedOut(limit)),
    }
}

pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// Adds an end for each series in `live` that `batch` has not; `live` holds `batch`'s series afterwards.
fn end_what_is_gone(batch: &mut MetricBatch, live: &mut Live, now: Timestamp) {
    let present: HashMap<u64, f64> =
        batch.iter().filter_map(|(labels, samples)| Some((labels.hash64(), samples.last()?.value))).collect();
    live.retain(|hash, (labels, value)| {
        if let Some(newest) = present.get(hash) {
            *value = *newest;
            return true;
        }
        batch.push_one(labels, now.as_millis(), STALE_NAN);
        false
    });
    let fresh: Vec<(u64, (Labels, f64))> = batch
        .iter()
        .map(|(labels, _)| (labels.hash64(), labels))
        .filter(|(hash, _)| !live.contains_key(hash))
        .filter_map(|(hash, labels)| Some((hash, (labels.to_owned(), *present.get(&hash)?))))
        .collect();
    live.extend(fresh);
}

fn add_own_series(batch: &mut MetricBatch, status: &CollectorStatus, now: Timestamp) {
    let labels = [("collector", status.name.as_str()), ("target", status.target.as_str())];
    let mut samples = Samples::extend(std::mem::take(batch), now, &labels);
    samples.push("collector_up", &[], f64::from(u8::from(status.up)));
    samples.push("collector_duration_seconds", &[], status.duration.as_secs_f64());
    samples.push("collector_errors_total", &[], status.errors as f64);
    let success = status.last_success.map(Timestamp::as_secs_f64);
    samples.push_some("collector_last_success_timestamp_seconds", &[], success);
    *batch = samples.finish();
}

fn log(status: &CollectorStatus) {
    let (collector, target) = (&status.name, &status.target);
    match &status.last_error {
        Some(error) if status.absent => tracing::info!(collector, target, %error, "nothing to watch"),
        Some(error) => tracing::warn!(collector, target, %error, "a collector fails"),
        None => match &status.remark {
            Some(remark) => tracing::warn!(collector, target, %remark, "a collector works in part"),
            None => tracing::info!(collector, target, "a collector works"),
        },
    }
}

#[cfg(test)]
pub(crate) mod tests;
