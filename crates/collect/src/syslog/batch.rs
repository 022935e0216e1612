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
/// The most bytes of a batch, but for those of its last message. `ingest` stores what takes more than 16 MiB in parts,
/// of which one may find room and the next none: messages have no ids by which the first would be known when all are
/// sent again. So the logs of a batch must be one part, also where each byte is no text and becomes three. What is audited
/// has ids, and is stored before them.
const MAX_BATCH_BYTES: usize = 4 << 20;
/// What a record takes beside its message.
const RECORD_BYTES: usize = 1 << 10;
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
        while gather(&mut messages, &mut batch, GATHER).await {
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

/// Fills a batch with what is there, or comes within a time; whether there is anything.
async fn gather(messages: &mut Messages, batch: &mut Vec<Queued>, within: Duration) -> bool {
    let Some(first) = messages.recv().await else { return false };
    let mut bytes = bytes_of(&first);
    batch.push(first);
    let end = Instant::now() + within;
    while batch.len() < MAX_BATCH && bytes < MAX_BATCH_BYTES {
        let Ok(Some(more)) = tokio::time::timeout_at(end, messages.recv()).await else { break };
        bytes += bytes_of(&more);
        batch.push(more);
    }
    true
}

/// Roughly what a message takes in a batch.
fn bytes_of(message: &Queued) -> usize {
    message.bytes.len() + RECORD_BYTES
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use model::ByteSize;
    use prometheus::Registry;

    use super::super::metrics::Transport;
    use super::super::queue::{Queue, channel};
    use super::*;

    /// The batches of so many messages of the same bytes.
    async fn batches(count: usize, message: &[u8]) -> Vec<Vec<Queued>> {
        let (sender, mut messages) = channel();
        let queue = Queue::new(Transport::Tcp, ByteSize(1 << 30), sender, metrics());
        for _ in 0..count {
            queue.put(message.to_vec(), IpAddr::V4(Ipv4Addr::LOCALHOST), false).await;
        }
        drop(queue);
        let (mut batch, mut batches) = (Vec::new(), Vec::new());
        while gather(&mut messages, &mut batch, Duration::from_secs(3_600)).await {
            batches.push(std::mem::take(&mut batch));
        }
        batches
    }

    fn metrics() -> Metrics {
        Metrics::new(&Registry::new()).expect("a fresh registry")
    }

    #[tokio::test]
    async fn a_batch_ends_with_a_thousand_messages_or_with_four_mebibytes() {
        let lengths = async |count, bytes| -> Vec<usize> {
            batches(count, &vec![b'x'; bytes]).await.iter().map(Vec::len).collect()
        };
        assert_eq!(lengths(2_500, 10).await, [1_000, 1_000, 500]);
        assert_eq!(lengths(150, 63 << 10).await, [64, 64, 22], "64 KiB each, with what a record takes");
        assert_eq!(lengths(2, 8 << 20).await, [1, 1]);
    }

    #[tokio::test]
    async fn a_batch_is_stored_as_one_part() {
        let ingest = crate::runner::tests::ingest(&Arc::default());
        let batcher = Batcher::new(ingest, UtcOffset::default(), metrics());
        for message in [vec![b'x'; 16_000], vec![0xff; 16_000], vec![0xff; 5_000]] {
            for batch in batches(2_000, &message).await {
                let sizes = batcher.events(&batch).iter().map(store::size_of_event).sum::<usize>();
                assert!(sizes <= 16 << 20, "{} messages take {sizes} bytes", batch.len());
            }
        }
    }
}
