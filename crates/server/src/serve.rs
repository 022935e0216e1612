//! Accepting connections, and ending them in order.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::access::client::Peer;
use crate::context::App;
use crate::guard::stall::Impatient;
use crate::tls::Tls;
use crate::{Config, Context, live, routes};

/// How long a client may take to send the head of a request, and how long a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may leave an answer unread before its connection is given up.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait when the system gives no more connections (no file descriptors left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address of the listener is not known.
    #[error("cannot tell the address that is listened on")]
    Address(#[source] std::io::Error),
    /// The counters could not be registered: two of us share one registry.
    #[error("the counters of the server could not be registered")]
    Metrics(#[source] prometheus::Error),
}

/// Answers requests on `listener`, over TLS when there is one, until `stop`; then takes no more connections, lets requests in
/// flight finish within the configured time, and returns.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    config: Config,
    context: Context,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let listen = listener.local_addr().map_err(ServeError::Address)?;
    let app = App::new(config, context, listen, stop.clone())?;
    let router = routes::router(&app);
    let connections = TaskTracker::new();
    let force = CancellationToken::new();
    let following = TaskTracker::new();
    following.spawn(live::run(Arc::clone(&app)));
    if let Some(tls) = &tls {
        following.spawn(tls.clone().follow(stop.clone()));
    }
    let slots = Arc::new(Semaphore::new(app.config.max_connections.max(1)));
    while let Some((stream, peer, slot)) = next(&listener, &slots, &stop).await {
        let (tls, router) = (tls.clone(), router.clone());
        let (stop, force) = (stop.clone(), force.clone());
        connections.spawn(async move {
            let _slot = slot;
            answer(stream, peer, tls.as_ref(), router, stop, force).await;
        });
    }
    app.stopping.store(true, Ordering::Relaxed);
    drop(listener);
    connections.close();
    if tokio::time::timeout(app.config.shutdown_timeout.0, connections.wait()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "some requests did not finish in time and are cut off"
        );
        force.cancel();
        connections.wait().await;
    }
    for begun in [&app.actions, &app.leftovers, &following] {
        begun.close();
        begun.wait().await;
    }
    Ok(())
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
    router: Router,
    stop: CancellationToken,
    force: CancellationToken,
) {
    // Answers are small and written whole; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let origin = Peer { address: peer, tls: tls.is_some() };
    let Some(tls) = tls else {
        return speak(Impatient::new(stream, READ_TIMEOUT), origin, router, stop, force).await;
    };
    // Nobody waits at a stop for those who have not even said hello.
    match stop.run_until_cancelled(tls.accept(stream, READ_TIMEOUT)).await {
        Some(Ok(stream)) => speak(stream, origin, router, stop, force).await,
        Some(Err(error)) => tracing::debug!(%peer, %error, "no TLS was agreed on"),
        None => {}
    }
}

/// Speaks HTTP over a stream.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    peer: Peer,
    router: Router,
    stop: CancellationToken,
    force: CancellationToken,
) {
    let service = router.map_request(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        request
    });
    let service = service.map_err(|never: Infallible| match never {});
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = force.cancelled() => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        tracing::trace!(peer = %peer.address, error = %crate::problem::chain(&error), "a connection ended early");
    }
}
