//! The live state as a whole.

use std::sync::Arc;
use std::time::Duration;

use ingest::{EventListener, Ingest};
use model::Timestamp;
use model::event::Event;
use parking_lot::{Mutex, MutexGuard};
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};
use store::{ColumnError, QueryError, TelemetryStore};
use tokio_util::sync::CancellationToken;

use crate::derive::{self, FallsBefore, Tally};
use crate::jobs::JobCounters;
use crate::observation::Observation;
use crate::queues::Moved;
use crate::stages::{StageEnds, StageView};
use crate::{
    Components, Config, Exits, Hosts, Jobs, Listing, Owners, Page, Probes, Queues, WorkerFilter, Workers,
    rebuild,
};

/// Why the live state could not be made or read back.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The counters could not be registered: two of us share one registry.
    #[error("the counters of the pipeline could not be registered")]
    Metrics(#[source] prometheus::Error),
    /// Stored events could not be read.
    #[error("stored events could not be read")]
    Read(#[source] QueryError),
    /// Stored events are not what they should be.
    #[error("stored events could not be understood")]
    Rows(#[source] ColumnError),
}

/// The live state: jobs, workers, queues, components, hosts, probed services, exits.
pub struct Pipeline {
    jobs: Jobs,
    workers: Arc<Workers>,
    queues: Arc<Queues>,
    components: Components,
    hosts: Hosts,
    exits: Exits,
    probes: Probes,
    tally: Mutex<Tally>,
    stage_ends: StageEnds,
    falls_before: Mutex<FallsBefore>,
    config: Config,
}

/// Whether what events tell is counted, or was counted before a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    Counted,
    CountedBefore,
}

impl Pipeline {
    /// An empty live state, whose own counters are registered at `registry`.
    pub fn new(config: Config, registry: &Registry) -> Result<Arc<Self>, PipelineError> {
        let own = OwnCounters::new(registry).map_err(PipelineError::Metrics)?;
        let workers = Arc::new(Workers::new(config.clone(), own.workers_dropped));
        let queues = Arc::new(Queues::new(config.clone()));
        let counters = JobCounters { dropped: own.jobs_dropped };
        Ok(Arc::new(Self {
            jobs: Jobs::new(config.clone(), Arc::clone(&workers), Arc::clone(&queues), counters),
            workers,
            queues,
            components: Components::new(config.max_named),
            hosts: Hosts::new(config.max_named),
            exits: Exits::new(config.max_exits),
            probes: Probes::new(config.max_named),
            tally: Mutex::new(Tally::new(config.max_series_per_metric, own.series_beyond)),
            stage_ends: StageEnds::new(config.max_series_per_metric, config.rate_window.0),
            falls_before: Mutex::default(),
            config,
        }))
    }

    /// The jobs.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// The workers.
    pub fn workers(&self) -> &Workers {
        &self.workers
    }

    /// The queues.
    pub fn queues(&self) -> &Queues {
        &self.queues
    }

    /// The components of workers.
    pub fn components(&self) -> &Components {
        &self.components
    }

    /// Who works on what, as of now.
    pub fn owners(&self) -> Owners {
        Owners::of(self, self.config.unowned_after.0)
    }

    /// The hosts.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// The stages of all jobs, in the order in which jobs pass through them; at most `limit`.
    pub fn stages(&self, limit: usize) -> Listing<StageView> {
        let now = Timestamp::now();
        let (uses, durations) = self.jobs.stages(now);
        let mut views: Vec<StageView> = uses
            .into_iter()
            .map(|(stage, used)| {
                let ended = self.stage_ends.of(&stage, now);
                let (p50_seconds, p95_seconds) = durations.get(&stage).copied().unwrap_or_default();
                StageView {
                    position: used.position(),
                    queues: used.queues,
                    running: used.running,
                    oldest_running_seconds: used.oldest_running_seconds,
                    completed_total: ended.completed,
                    failed_total: ended.failed,
                    completion_rate: ended.rate,
                    p50_seconds,
                    p95_seconds,
                    memory_peak_bytes: None,
                    stage,
                }
            })
            .collect();
        views.sort_by(|a, b| a.position.total_cmp(&b.position).then_with(|| a.stage.cmp(&b.stage)));
        let total = views.len();
        views.truncate(limit);
        let tally = self.tally();
        for view in &mut views {
            view.memory_peak_bytes = tally.stage_memory_peak(&view.stage, now);
        }
        Listing { items: views, total }
    }

    /// The processes that ended of late.
    pub fn exits(&self) -> &Exits {
        &self.exits
    }

    /// The probed services.
    pub fn probes(&self) -> &Probes {
        &self.probes
    }

    /// Folds the stored events of the configured window before `now` back into the live state, and
    /// says how many there were. Counters of derived metrics are left alone: they begin again at zero.
    /// Blocks; call it before events are taken in.
    pub fn rebuild(&self, store: &dyn TelemetryStore, now: Timestamp) -> Result<usize, PipelineError> {
        let count = rebuild::rebuild(store, now.before(self.config.rebuild_window.0), |events| {
            self.fold(events, Counting::CountedBefore);
        })?;
        self.tick(now);
        let workers =
            self.workers.list_at(&WorkerFilter::default(), Page { offset: 0, limit: usize::MAX }, now);
        *self.falls_before.lock() = workers
            .items
            .into_iter()
            .map(|worker| (worker.worker_id, (worker.restarts, worker.crashes)))
            .collect();
        Ok(count)
    }

    /// Writes derived metrics every `interval` until `stop`.
    pub async fn run(self: Arc<Self>, ingest: Arc<Ingest>, interval: Duration, stop: CancellationToken) {
        derive::run(self, ingest, interval, stop).await;
    }

    /// Lets go of what is gone, and brings together what must be known of each other.
    pub(crate) fn tick(&self, now: Timestamp) {
        self.jobs.forget_silent(now);
        self.workers.forget_gone(now);
        self.queues.tick(&self.jobs.loads(), now);
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock()
    }

    pub(crate) fn falls_before(&self) -> FallsBefore {
        self.falls_before.lock().clone()
    }

    pub(crate) fn fold(&self, events: &[Event], counting: Counting) {
        let found = self.jobs.fold(events);
        for event in events {
            match event {
                Event::Worker(event) => self.workers.fold(event),
                Event::Component(event) => self.components.fold(event),
                Event::Exit(event) => self.exits.fold(event),
                Event::Job(_)
                | Event::Stage(_)
                | Event::Request(_)
                | Event::LlmCall(_)
                | Event::Feedback(_)
                | Event::Deploy(_)
                | Event::Audit(_)
                | Event::Exemplar(_)
                | Event::Log(_)
                | Event::Span(_) => {}
            }
        }
        match counting {
            Counting::Counted => self.count(events, &found),
            Counting::CountedBefore => {
                let mut tally = self.tally.lock();
                for observation in &found {
                    if let Observation::StageMemory { stage, time, rss, peak, delta } = observation {
                        tally.note_memory(stage, *time, (*rss, *peak, *delta));
                    }
                }
            }
        }
    }

    fn count(&self, events: &[Event], found: &[Observation]) {
        let now = Timestamp::now();
        for observation in found {
            match observation {
                Observation::Enqueued { queue } if !queue.is_empty() => {
                    self.queues.hear(queue, Moved::In, now);
                }
                Observation::AttemptEnded { queue, outcome, .. } if !queue.is_empty() => {
                    self.queues.hear(queue, Moved::Out(*outcome), now);
                }
                Observation::StageEnded { stage, status } => self.stage_ends.hear(stage, *status, now),
                _ => {}
            }
        }
        let mut tally = self.tally.lock();
        found.iter().for_each(|observation| tally.observe(observation));
        for event in events {
            match event {
                Event::Request(event) => tally.request(event),
                Event::LlmCall(event) => tally.llm_call(event),
                Event::Exit(event) => tally.exit(event),
                _ => {}
            }
        }
    }
}

impl EventListener for Pipeline {
    fn on_events(&self, events: &[Event]) {
        self.fold(events, Counting::Counted);
    }
}

/// What this crate counts about itself.
struct OwnCounters {
    jobs_dropped: IntCounterVec,
    workers_dropped: IntCounter,
    series_beyond: IntCounterVec,
}

impl OwnCounters {
    fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let vector = |name: &str, help: &str, label: &str| {
            let counter = IntCounterVec::new(Opts::new(name, help), &[label])?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let workers_dropped = IntCounter::new(
            "watchkeeper_pipeline_workers_dropped_total",
            "Workers dropped from memory because there were too many.",
        )?;
        registry.register(Box::new(workers_dropped.clone()))?;
        Ok(Self {
            jobs_dropped: vector(
                "watchkeeper_pipeline_jobs_dropped_total",
                "Jobs dropped from memory, by reason: finished or active (too many), silent (too long).",
                "reason",
            )?,
            workers_dropped,
            series_beyond: vector(
                "watchkeeper_pipeline_series_beyond_limit_total",
                "Items of derived metrics counted under other because there were too many series.",
                "metric",
            )?,
        })
    }
}
