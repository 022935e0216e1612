//! What the server works with: the parts of the house, handed over by the composition root.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::Timestamp;
use prometheus::{IntCounter, Registry};
use store::TelemetryStore;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::export::Exports;
use crate::guard::hosts::AllowedHosts;
use crate::guard::memory::{IngestMemory, PATIENCE};
use crate::live::Live;
use crate::receivers::{ReceiverStatus, Receivers};
use crate::routes::LargeAnswers;
use crate::tail::Tails;
use crate::{Config, ServeError};

/// Everything that the routes need. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The version of the program, for `/api/v1/stats` and `status/buildinfo`.
    pub version: &'static str,
    /// Telemetry.
    pub store: Arc<dyn TelemetryStore>,
    /// Users, keys, sessions, alert states, audit.
    pub state: state::State,
    /// The one path in.
    pub ingest: Arc<ingest::Ingest>,
    /// Live state.
    pub pipeline: Arc<pipeline::Pipeline>,
    /// What is fetched, and how that goes.
    pub collectors: Arc<collect::Collectors>,
    /// Rules and alerts.
    pub alerts: Arc<alert::Alerts>,
    /// Metric queries.
    pub promql: promql::Engine,
    /// How far back the store reads, for jobs that are no longer in memory.
    pub retention: std::time::Duration,
    /// Our own metrics.
    pub registry: Registry,
    /// What the command line on this machine shows to be let in; whoever can read the data directory
    /// has it.
    pub local_token: String,
}

/// What handlers share.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) context: Context,
    pub(crate) hosts: AllowedHosts,
    pub(crate) requests: Semaphore,
    pub(crate) turned_away: IntCounter,
    /// What all requests of ingest take together.
    pub(crate) ingest_memory: Arc<IngestMemory>,
    pub(crate) queries: Arc<Semaphore>,
    /// Queries over a range of time take one place less than there are: the short ones, which an alert, a page or a
    /// check waits for, do not stand behind them.
    pub(crate) range_queries: Arc<Semaphore>,
    /// The pipeline hour by hour; who reads on in it does so alone.
    pub(crate) history: Arc<tokio::sync::Mutex<report::History>>,
    pub(crate) live: Live,
    pub(crate) tails: Arc<Tails>,
    pub(crate) exports: Exports,
    pub(crate) large_answers: LargeAnswers,
    /// One login after the other: two at once must not slip past the count of failures.
    pub(crate) login: tokio::sync::Mutex<()>,
    /// What changes something and is under way; see [`crate::access::record::whole`].
    pub(crate) actions: TaskTracker,
    /// Bodies that nobody reads to their end; see [`crate::guard::linger`].
    pub(crate) leftovers: TaskTracker,
    /// The receivers of OpenTelemetry that are not turned off.
    pub(crate) receivers: Vec<ReceiverStatus>,
    pub(crate) stopping: AtomicBool,
    pub(crate) started_at: Timestamp,
}

/// The shared state as handlers get it.
pub(crate) type Shared = Arc<App>;

impl App {
    pub(crate) fn new(
        config: Config,
        context: Context,
        listen: SocketAddr,
        receivers: &Receivers,
        stop: CancellationToken,
    ) -> Result<Shared, ServeError> {
        let turned_away = IntCounter::new(
            "watchkeeper_http_turned_away_total",
            "Requests refused because too many were in flight.",
        )
        .and_then(|counter| context.registry.register(Box::new(counter.clone())).map(|()| counter))
        .map_err(ServeError::Metrics)?;
        let ingest_memory = IngestMemory::new(config.max_ingest_memory, PATIENCE, &context.registry)
            .map_err(ServeError::Metrics)?;
        receivers.register(&context.registry).map_err(ServeError::Metrics)?;
        let addresses: Vec<SocketAddr> = std::iter::once(listen).chain(receivers.addresses()).collect();
        let live =
            Live::new(config.max_live_streams, &context.registry, stop).map_err(ServeError::Metrics)?;
        let tails = Tails::new(config.max_log_tails, &context.registry).map_err(ServeError::Metrics)?;
        context.ingest.subscribe(Arc::clone(&tails) as Arc<dyn ingest::EventListener>);
        let exports = Exports::new(config.max_concurrent_exports.max(1), &context.registry)
            .map_err(ServeError::Metrics)?;
        let large_answers = LargeAnswers::new(config.max_concurrent_queries.max(1), &context.registry)
            .map_err(ServeError::Metrics)?;
        Ok(Arc::new(Self {
            live,
            tails,
            exports,
            large_answers,
            hosts: AllowedHosts::new(&addresses, &config.allowed_hosts),
            requests: Semaphore::new(config.max_concurrent_requests.max(1)),
            queries: Arc::new(Semaphore::new(config.max_concurrent_queries.max(1))),
            range_queries: Arc::new(Semaphore::new(config.max_concurrent_queries.saturating_sub(1).max(1))),
            history: Arc::default(),
            login: tokio::sync::Mutex::new(()),
            turned_away,
            ingest_memory,
            actions: TaskTracker::new(),
            leftovers: TaskTracker::new(),
            receivers: receivers.status().to_vec(),
            stopping: AtomicBool::new(false),
            started_at: Timestamp::now(),
            config,
            context,
        }))
    }

    /// Whether a presented token is this machine's own. An empty one never is.
    pub(crate) fn local_token_is(&self, token: &str) -> bool {
        let own = self.context.local_token.as_bytes();
        !own.is_empty() && bool::from(own.ct_eq(token.as_bytes()))
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
