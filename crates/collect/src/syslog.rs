//! Syslog: what daemons, network devices and relays send over UDP and TCP becomes records of logs.
//!
//! Off unless an address is set. Receivers put messages into a queue with a bound, and one task makes records of them,
//! in batches, and hands them to `ingest`. Who sends over TCP waits while there is no room; over UDP nobody can wait,
//! and what finds none is dropped and counted. How a message is read is in `protocol`.
//!
//! It lies here, among what is fetched, because nobody is answered: there are no requests, no callers and no HTTP, but
//! tasks of its own that feed `ingest`, as collectors are. Start reading at [`Syslog`].

mod batch;
mod config;
mod metrics;
mod offset;
mod queue;
mod tcp;
mod udp;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use ingest::Ingest;
use prometheus::Registry;
use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use batch::Batcher;
pub use config::SyslogConfig;
use metrics::{Metrics, Transport};
pub use offset::{OffsetError, UtcOffset};
use queue::Queue;
use tcp::Tcp;

/// Why messages are not listened for.
#[derive(Debug, thiserror::Error)]
pub enum SyslogError {
    /// The address is taken, or not ours.
    #[error("cannot listen for syslog on {address} over {transport}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// `udp` or `tcp`.
        transport: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The counters could not be registered: two of us share one registry.
    #[error("the counters of syslog could not be registered")]
    Metrics(#[source] prometheus::Error),
}

/// Sockets that are listened on; nothing is read before [`run`](Self::run).
#[derive(Debug)]
pub struct Syslog {
    config: SyslogConfig,
    udp: Option<UdpSocket>,
    tcp: Option<TcpListener>,
}

impl Syslog {
    /// Listens where the configuration says; `None` where it says nowhere.
    pub async fn bind(config: &SyslogConfig) -> Result<Option<Self>, SyslogError> {
        let fault = |transport: Transport, address| {
            move |source| SyslogError::Bind { address, transport: transport.as_str(), source }
        };
        let udp = match config.udp {
            Some(address) => Some(UdpSocket::bind(address).await.map_err(fault(Transport::Udp, address))?),
            None => None,
        };
        let tcp = match config.tcp {
            Some(address) => Some(TcpListener::bind(address).await.map_err(fault(Transport::Tcp, address))?),
            None => None,
        };
        if udp.is_none() && tcp.is_none() {
            return Ok(None);
        }
        for address in [config.udp, config.tcp].into_iter().flatten().filter(|to| !to.ip().is_loopback()) {
            tracing::warn!(%address, "whoever reaches this address can send syslog, and it is not encrypted");
        }
        Ok(Some(Self { config: config.clone(), udp, tcp }))
    }

    /// Where it listens over UDP.
    pub fn udp_address(&self) -> Option<SocketAddr> {
        self.udp.as_ref()?.local_addr().ok()
    }

    /// Where it listens over TCP.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        self.tcp.as_ref()?.local_addr().ok()
    }

    /// Takes messages until `stop`, then stores those that it has, and returns.
    pub async fn run(
        self,
        ingest: Arc<Ingest>,
        registry: &Registry,
        stop: CancellationToken,
    ) -> Result<(), SyslogError> {
        let Self { config, udp, tcp } = self;
        let metrics = Metrics::new(registry).map_err(SyslogError::Metrics)?;
        let (sender, messages) = queue::channel();
        let receivers = TaskTracker::new();
        if let Some(socket) = udp {
            let queue = Queue::new(Transport::Udp, config.max_queue, sender.clone(), metrics.clone());
            receivers.spawn(udp::receive(socket, queue, stop.clone()));
        }
        if let Some(listener) = tcp {
            let queue = Queue::new(Transport::Tcp, config.max_queue, sender.clone(), metrics.clone());
            let tcp = Tcp::new(&config, queue, metrics.clone());
            receivers.spawn(tcp.accept(listener, stop.clone()));
        }
        // Once the receivers have ended, nobody can send any more, and what is left is the last.
        drop(sender);
        receivers.close();
        let batcher = Batcher::new(ingest, config.utc_offset, metrics);
        tokio::join!(receivers.wait(), batcher.run(messages, stop));
        Ok(())
    }
}
