//! Log files are read where they are: followed through rotation, and over restarts, with nothing lost and nothing twice.
//!
//! A file is what it holds and not what it is called: it is recognised by its number on its file system and by how it
//! begins, and read by its handle to its end whatever becomes of its name. One that was renamed is read on for a while,
//! one that was emptied is begun anew after what its copy still has. Files are looked at several times a second and not
//! followed by notifications: those do not come from network file systems and out of containers, and looking costs little.
//!
//! Whoever reads waits for the store: there is never more than one batch on the way and one that was read meanwhile, and
//! what could not be stored is read again. How a restart goes on where the store ends is in [`positions`]. Start reading
//! at [`Tails`], then [`look::Look`].

mod again;
mod beside;
mod config;
mod ends;
mod file;
mod glob;
mod identity;
mod look;
mod metrics;
mod positions;
mod siblings;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ingest::{Ingest, IngestError, Source};
use model::event::Event;
use model::{MetricBatch, Timestamp};
use parking_lot::Mutex;
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

use crate::blocking::Blocking;
use crate::collector::{CollectError, Collector};
use file::Taken;
use look::{Batch, Look};
use metrics::Metrics;

pub use config::{Joining, LineFormat, LogsConfig, StartAt, TailSetupError, TailingConfig};

/// How long to wait until the store may have room again.
const WAIT_FOR_ROOM: Duration = Duration::from_millis(500);
/// The longest to wait until it is tried again to find out where reading goes on.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// For how long it is read on before it is looked again what became of the files.
const LONGEST_STEP: Duration = Duration::from_millis(250);
/// Shorter intervals are taken as this one.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);
/// How often it is told how tailing does.
const STATUS_INTERVAL: Duration = Duration::from_secs(15);

/// Tails all log files of the configuration.
pub(crate) struct Tails {
    look: Blocking<Look>,
    ingest: Arc<Ingest>,
    interval: Duration,
    health: Arc<Mutex<Health>>,
    target: String,
}

/// How tailing does.
#[derive(Debug, Default)]
struct Health {
    /// Why nothing is read.
    failure: Option<String>,
    /// Why some is not.
    troubles: Option<String>,
}

impl Tails {
    /// Checks the entries; nothing is read before [`run`](Self::run). `None`, when there are none.
    pub(crate) fn new(
        config: &TailingConfig,
        entries: &[LogsConfig],
        (host, data_dir): (String, &Path),
        ingest: &Arc<Ingest>,
        registry: &Registry,
    ) -> Result<Option<Arc<Self>>, TailSetupError> {
        let Some(target) = entries.first().and_then(|entry| entry.paths.first()) else {
            return entries.first().map_or(Ok(None), |entry| entry.check().map(|()| None));
        };
        let metrics = Metrics::new(registry).map_err(TailSetupError::Metrics)?;
        let look = Look::new(config, entries, (host, data_dir), Arc::clone(ingest), metrics)?;
        Ok(Some(Arc::new(Self {
            look: Blocking::new(look),
            ingest: Arc::clone(ingest),
            interval: config.interval.0.max(SHORTEST_INTERVAL),
            health: Arc::default(),
            target: target.clone(),
        })))
    }

    /// A collector that tells how this does.
    pub(crate) fn status(&self) -> Box<dyn Collector> {
        Box::new(TailStatus { target: self.target.clone(), health: Arc::clone(&self.health) })
    }

    /// Reads until `cancel`. What was read by then is stored, and how far that is written down.
    pub(crate) async fn run(self: Arc<Self>, cancel: CancellationToken) {
        let mut failures = 0;
        loop {
            let step = self.step().await;
            failures = if step.is_ok() { 0 } else { u32::saturating_add(failures, 1) };
            let pause = match step {
                Ok(true) => Duration::ZERO,
                Ok(false) => self.interval,
                Err(error) => {
                    self.fail(&error);
                    pause_after(&error, failures).max(self.interval)
                }
            };
            let pausing = tokio::time::sleep(pause);
            if cancel.is_cancelled() || cancel.run_until_cancelled(pausing).await.is_none() {
                break;
            }
        }
        if let Err(error) = self.look.run(Look::close).await {
            tracing::warn!(error = %error.chain(), "positions in log files could not be kept; the store is asked for them");
        }
    }

    /// Looks at the files, and stores what they say. While something is stored, what is more is read, for a while. Says
    /// whether there may still be more; all that was read is settled then.
    async fn step(&self) -> Result<bool, CollectError> {
        let begun = Instant::now();
        let pass = |look: &mut Look| {
            let batch = look.pass()?;
            look.announce(&batch.taken)?;
            Ok((batch, look.troubles()))
        };
        let (mut batch, troubles) = self.look.run(pass).await?;
        // Of some files there may be more that is not to be read ahead: another pass sees to them.
        let is_left = batch.has_more;
        loop {
            let Batch { events, taken, has_more } = batch;
            let is_read_on = has_more && begun.elapsed() < LONGEST_STEP;
            let (stored, next) = tokio::join!(self.store(events), self.read_ahead(is_read_on));
            match self.settle(stored, taken, next).await? {
                Some(next) if !next.taken.is_empty() => batch = next,
                _ => break,
            }
        }
        let mut health = self.health.lock();
        if health.failure.take().is_some() {
            tracing::info!("log files are read again");
        }
        health.troubles = troubles;
        Ok(is_left)
    }

    async fn store(&self, events: Vec<Event>) -> Result<(), IngestError> {
        if events.is_empty() {
            return Ok(());
        }
        self.ingest.append_events(Source::LogFile, events).await.map(|_| ())
    }

    async fn read_ahead(&self, is_wanted: bool) -> Result<Option<Batch>, CollectError> {
        if !is_wanted {
            return Ok(None);
        }
        self.look.run(|look| Ok(Some(look.read_ahead()))).await
    }

    /// Settles what was read, and gives what was read meanwhile, which may be stored then. What could not be stored is read
    /// again, and with it what was read behind it.
    async fn settle(
        &self,
        stored: Result<(), IngestError>,
        mut taken: Vec<Taken>,
        next: Result<Option<Batch>, CollectError>,
    ) -> Result<Option<Batch>, CollectError> {
        if let Err(error) = stored {
            taken.extend(next.ok().flatten().into_iter().flat_map(|next| next.taken));
            let back = move |look: &mut Look| {
                look.go_back(&taken);
                Ok(())
            };
            self.look.run(back).await?;
            let what = "lines of log files into the store; they are read again".to_owned();
            return Err(CollectError::Change { what, source: Box::new(error) });
        }
        let settle = move |look: &mut Look| match next {
            Ok(Some(next)) => {
                look.settle_and_announce(&taken, &next.taken)?;
                Ok(Some(next))
            }
            nothing => {
                look.settle(&taken)?;
                nothing
            }
        };
        self.look.run(settle).await
    }

    fn fail(&self, error: &CollectError) {
        let said = error.chain();
        let mut health = self.health.lock();
        if health.failure.as_ref() != Some(&said) {
            tracing::warn!(error = %said, "log files are not read");
        }
        health.failure = Some(said);
    }
}

/// How long to wait after so many failures. A store that is full may have room at any time. To find out where reading goes
/// on goes over what is stored: begun anew all the time that would keep the store busy, and not end sooner.
fn pause_after(error: &CollectError, failures: u32) -> Duration {
    match error {
        CollectError::Read { .. } => {
            WAIT_FOR_ROOM.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_WAIT)
        }
        _ => WAIT_FOR_ROOM,
    }
}

/// Tells how tailing does, among the collectors.
struct TailStatus {
    target: String,
    health: Arc<Mutex<Health>>,
}

#[async_trait]
impl Collector for TailStatus {
    fn name(&self) -> &'static str {
        "logs"
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn interval(&self) -> Duration {
        STATUS_INTERVAL
    }

    async fn collect(&mut self, _now: Timestamp) -> Result<MetricBatch, CollectError> {
        match &self.health.lock().failure {
            Some(failure) => Err(CollectError::Mismatch(failure.clone())),
            None => Ok(MetricBatch::new()),
        }
    }

    fn remark(&self) -> Option<String> {
        self.health.lock().troubles.clone()
    }
}

#[cfg(test)]
mod tests;
