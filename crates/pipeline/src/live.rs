//! The live state as a whole.

use std::sync::Arc;
use std::time::Duration;

use ingest::{EventListener, Ingest};
use model::Timestamp;
use model::event::Event;
use store::{ColumnError, QueryError, TelemetryStore};
use tokio_util::sync::CancellationToken;

use crate::{Components, Config, Hosts, JobSnapshot, Jobs, Queues, Workers};

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

/// The live state: jobs, workers, queues, components, hosts.
pub struct Pipeline {
    jobs: Jobs,
    workers: Workers,
    queues: Queues,
    components: Components,
    hosts: Hosts,
}

impl Pipeline {
    /// An empty live state, whose own counters are registered at `registry`.
    pub fn new(config: Config, _registry: &prometheus::Registry) -> Result<Arc<Self>, PipelineError> {
        Ok(Arc::new(Self {
            jobs: Jobs {},
            workers: Workers {},
            queues: Queues {},
            components: Components::new(config.max_named),
            hosts: Hosts::new(config.max_named),
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

    /// The hosts.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Folds the stored events of the configured window before `now` back into the live state, and
    /// says how many there were. Counters of derived metrics are left alone. Blocks; call it before
    /// events are taken in.
    pub fn rebuild(&self, _store: &dyn TelemetryStore, _now: Timestamp) -> Result<usize, PipelineError> {
        Ok(0)
    }

    /// Writes derived metrics every `interval` until `stop`.
    pub async fn run(self: Arc<Self>, _ingest: Arc<Ingest>, _interval: Duration, stop: CancellationToken) {
        stop.cancelled().await;
    }
}

impl EventListener for Pipeline {
    fn on_events(&self, _events: &[Event]) {}
}

/// One job, folded from what is stored of it since `since`; `None` when nothing is. Blocks.
pub fn stored_job(
    _store: &dyn TelemetryStore,
    _job_id: &str,
    _since: Timestamp,
    _now: Timestamp,
) -> Result<Option<JobSnapshot>, PipelineError> {
    Ok(None)
}
