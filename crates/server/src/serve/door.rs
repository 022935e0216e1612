//! A port, and who comes in by it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::{Ends, READ_TIMEOUT, connection};
use crate::access::client::Peer;
use crate::guard::stall::Impatient;
use crate::tls::Tls;

/// How long to wait when the system gives no more connections (no file descriptors left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is spoken on a port.
#[derive(Clone, Copy, Debug)]
pub(super) enum Speech {
    /// HTTP/1.1.
    Http1,
    /// HTTP/1.1 or HTTP/2, as the client begins.
    Either {
        /// After how long without a request a connection of HTTP/2 is ended.
        quiet: Duration,
    },
}

/// A port.
pub(super) struct Door {
    pub(super) listener: TcpListener,
    pub(super) tls: Option<Tls>,
    pub(super) speech: Speech,
    /// What is behind it.
    pub(super) router: Router,
    /// Connections that may be open at once.
    pub(super) max_connections: usize,
}

impl Door {
    /// Takes connections until the stop, then closes the port.
    pub(super) async fn keep(self, ends: &Ends) {
        let slots = Arc::new(Semaphore::new(self.max_connections.max(1)));
        while let Some((stream, peer, slot)) = next(&self.listener, &slots, &ends.stop).await {
            let (tls, router, speech) = (self.tls.clone(), self.router.clone(), self.speech);
            let ends = ends.clone();
            ends.connections.clone().spawn(async move {
                let _slot = slot;
                answer(stream, peer, tls.as_ref(), speech, router, &ends).await;
            });
        }
    }
}

/// The next connection, once there is a slot for it; `None` after `stop`.
async fn next(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let accept = async {
        let slot = Arc::clone(slots).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return Some((stream, peer, slot)),
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        accepted = accept => accepted,
    }
}

/// Answers what comes over one connection.
async fn answer(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<&Tls>,
    speech: Speech,
    router: Router,
    ends: &Ends,
) {
    // Answers are small and written whole; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let origin = Peer { address: peer, tls: tls.is_some() };
    let Some(tls) = tls else {
        let stream = Impatient::new(stream, READ_TIMEOUT);
        return connection::speak(stream, origin, speech, router, ends).await;
    };
    // Nobody waits at a stop for those who have not even said hello.
    match ends.stop.run_until_cancelled(tls.accept(stream, READ_TIMEOUT)).await {
        Some(Ok(stream)) => connection::speak(stream, origin, speech, router, ends).await,
        Some(Err(error)) => tracing::debug!(%peer, %error, "no TLS was agreed on"),
        None => {}
    }
}
