//! Messages over TCP: streams, taken apart as RFC 6587 has it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use prometheus::IntGauge;
use protocol::syslog::{Frame, Framer};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::config::SyslogConfig;
use super::metrics::Metrics;
use super::queue::Queue;

/// The longest message that is taken; longer ones are cut.
const MAX_MESSAGE: usize = 256 << 10;
/// How much is read of a connection at a time.
const READ_BYTES: usize = 16 << 10;
/// How long to wait when the system gives no more connections (no file descriptors left).
const PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
#[derive(Clone)]
pub(super) struct Tcp {
    queue: Queue,
    metrics: Metrics,
    slots: Arc<Semaphore>,
    idle: Duration,
}

impl Tcp {
    pub(super) fn new(config: &SyslogConfig, queue: Queue, metrics: Metrics) -> Self {
        let slots = Arc::new(Semaphore::new(config.max_connections.clamp(1, Semaphore::MAX_PERMITS)));
        Self { queue, metrics, slots, idle: config.idle_timeout.0 }
    }

    /// Takes connections until `stop`, then waits until all have ended.
    pub(super) async fn accept(self, listener: TcpListener, stop: CancellationToken) {
        let connections = TaskTracker::new();
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            match accepted {
                Ok((stream, peer)) => self.begin(stream, peer.ip(), &connections, &stop),
                Err(error) => {
                    tracing::warn!(%error, "a connection of syslog could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        connections.close();
        connections.wait().await;
    }

    /// Reads a connection in a task of its own, if there is a place for it. Waiting for one, as requests do, would be
    /// of no use: connections of syslog stay for days.
    fn begin(&self, stream: TcpStream, peer: IpAddr, connections: &TaskTracker, stop: &CancellationToken) {
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            self.metrics.refused.inc();
            tracing::debug!(%peer, "a connection of syslog is one too many");
            return;
        };
        let (this, stop) = (self.clone(), stop.clone());
        connections.spawn(async move {
            let _slot = slot;
            let _open = Open::new(this.metrics.connections.clone());
            this.read(stream, peer, stop).await;
        });
    }

    /// Reads a connection to its end.
    async fn read(&self, mut stream: TcpStream, peer: IpAddr, stop: CancellationToken) {
        let mut framer = Framer::new(MAX_MESSAGE);
        let mut buffer = vec![0; READ_BYTES];
        let mut whole = Vec::new();
        loop {
            let reading = tokio::time::timeout(self.idle, stream.read(&mut buffer));
            let length = match stop.run_until_cancelled(reading).await {
                Some(Ok(Ok(length))) if length > 0 => length,
                Some(Ok(Err(error))) => {
                    tracing::debug!(%peer, %error, "a connection of syslog broke off");
                    break;
                }
                // It has ended, nothing came for long, or we stop.
                _ => break,
            };
            framer.push(&buffer[..length], |frame| whole.push(owned(frame)));
            self.put(&mut whole, peer).await;
        }
        framer.finish(|frame| whole.push(owned(frame)));
        self.put(&mut whole, peer).await;
    }

    async fn put(&self, whole: &mut Vec<(Vec<u8>, bool)>, peer: IpAddr) {
        for (message, is_cut) in whole.drain(..) {
            self.queue.put(message, peer, is_cut).await;
        }
    }
}

fn owned(frame: Frame<'_>) -> (Vec<u8>, bool) {
    (frame.bytes.to_vec(), frame.is_cut)
}

/// Counts a connection for as long as it is open.
struct Open(IntGauge);

impl Open {
    fn new(connections: IntGauge) -> Self {
        connections.inc();
        Self(connections)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
