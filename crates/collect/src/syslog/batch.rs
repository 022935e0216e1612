//! Makes records of messages and stores them, many at a time: each append waits for the disk once.

use std::sync::Arc;
use std::time::Duration;

use ingest::{Ingest, Source};
use model::Timestamp;
use model::event::{Event, Flaw};
use protocol::otlp::rows::RowLimits;
use protocol::syslog::{Options, Received, Records};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::UtcOffset;
use super::metrics::{Dropped, Metrics};
use super::queue::{Messages, Queued};

/// The most messages of a batch.
const MAX_BATCH: usize = 1_000;
/// How long a message waits for others to come.
const GATHER: Duration = Duration::from_millis(200);
/// How long to wait before what could not be stored is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Stores what comes out of the queue.
pub(super) struct Batcher {
    ingest: Arc<Ingest>,
    limits: RowLimits,
    offset: UtcOffset,
    metrics: Metrics,
}

impl Batcher {
    pub(super) fn new(ingest: Arc<Ingest>, offset: UtcOffset, metrics: Metrics) -> Self {
        let limits = ingest.limits();
        let limits = RowLimits {
            max_text_bytes: limits.max_text_bytes,
            max_name_bytes: limits.max_name_bytes,
            max_attributes: limits.max_attributes,
            ..RowLimits::default()
        };
        Self { ingest, limits, offset, metrics }
    }

    /// Stores messages until nobody can send any more and none is left.
    pub(super) async fn run(self, mut messages: Messages, stop: CancellationToken) {
        let mut batch = Vec::new();
        while gather(&mut messages, &mut batch).await {
            self.store(&batch, &stop).await;
            batch.clear();
        }
    }

    /// Stores messages, and tries until there is room for them: those who send over TCP wait for it. At a stop it is
    /// tried once more.
    async fn store(&self, batch: &[Queued], stop: &CancellationToken) {
        let events = self.events(batch);
        let malformed = events.iter().zip(batch).filter(|(event, _)| is_malformed(event));
        malformed.for_each(|(_, message)| self.metrics.malformed(message.transport));
        let mut next = Some(events);
        let mut is_told = false;
        loop {
            let events = next.take().unwrap_or_else(|| self.events(batch));
            let is_last = stop.is_cancelled();
            match self.ingest.append_events(Source::Syslog, events).await {
                Ok(_) => return,
                Err(error) if error.is_passing() && !is_last => {
                    if !is_told {
                        tracing::warn!(%error, "messages of syslog cannot be stored, and wait");
                        is_told = true;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, messages = batch.len(), "messages of syslog are lost");
                    batch.iter().for_each(|lost| self.metrics.dropped(lost.transport, Dropped::NotStored));
                    return;
                }
            }
            let _ = stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
    }

    fn events(&self, batch: &[Queued]) -> Vec<Event> {
        let times = self.ingest.log_times(Timestamp::now());
        let mut records =
            Records::new(&self.limits, Options { offset_seconds: self.offset.seconds(), times });
        for Queued { bytes, time, peer, is_cut, .. } in batch {
            records.take(bytes, &Received { time: *time, peer: &peer.to_string(), is_cut: *is_cut });
        }
        records.finish()
    }
}

fn is_malformed(event: &Event) -> bool {
    matches!(event, Event::Log(log) if log.flaws.contains(Flaw::Format))
}

/// Fills a batch with what is there, or comes within a short time; whether there is anything.
async fn gather(messages: &mut Messages, batch: &mut Vec<Queued>) -> bool {
    let Some(first) = messages.recv().await else { return false };
    batch.push(first);
    let end = Instant::now() + GATHER;
    while batch.len() < MAX_BATCH {
        let more = messages.recv_many(batch, MAX_BATCH - batch.len());
        match tokio::time::timeout_at(end, more).await {
            Ok(count) if count > 0 => {}
            _ => break,
        }
    }
    true
}
