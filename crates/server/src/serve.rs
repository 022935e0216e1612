//! Accepting connections, and ending them in order.
//!
//! Each port has a [`door::Door`], which takes its connections; [`connection`] speaks over one of them.

mod connection;
mod door;
mod streams;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::context::{App, Shared};
use crate::receivers::Receivers;
use crate::tls::Tls;
use crate::{Config, Context, live, routes};
use door::{Door, Speech};

/// How long a client may leave an answer unread before its connection is given up.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(30);

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

/// What connections of all ports have in common: how they end.
#[derive(Clone)]
struct Ends {
    /// No more requests are taken.
    stop: CancellationToken,
    /// Those in flight are cut off.
    force: CancellationToken,
    connections: TaskTracker,
    /// Requests of HTTP/2, of which one connection has several.
    streams: TaskTracker,
}

impl Ends {
    fn new(stop: CancellationToken) -> Self {
        let force = CancellationToken::new();
        Self { stop, force, connections: TaskTracker::new(), streams: TaskTracker::new() }
    }

    /// Waits until requests in flight have ended, or their time has.
    async fn wait(&self, patience: Duration) {
        self.connections.close();
        self.streams.close();
        let all = || async {
            self.connections.wait().await;
            self.streams.wait().await;
        };
        if tokio::time::timeout(patience, all()).await.is_err() {
            tracing::warn!(
                connections = self.connections.len(),
                "some requests did not finish in time and are cut off"
            );
            self.force.cancel();
            all().await;
        }
    }
}

/// Answers requests on `listener`, and exporters of OpenTelemetry on `receivers`, over TLS when there is one, until
/// `stop`; then takes no more connections, lets requests in flight finish within the configured time, and returns.
pub async fn serve(
    listener: TcpListener,
    receivers: Receivers,
    tls: Option<Tls>,
    config: Config,
    context: Context,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let listen = listener.local_addr().map_err(ServeError::Address)?;
    let app = App::new(config, context, listen, &receivers, stop.clone())?;
    let following = TaskTracker::new();
    following.spawn(live::run(Arc::clone(&app)));
    if let Some(tls) = &tls {
        following.spawn(tls.clone().follow(stop.clone()));
    }
    let ends = Ends::new(stop);
    let doors = doors(&app, listener, receivers, tls);
    futures::future::join_all(doors.into_iter().map(|door| door.keep(&ends))).await;
    app.stopping.store(true, Ordering::Relaxed);
    ends.wait(app.config.shutdown_timeout.0).await;
    for begun in [&app.actions, &app.leftovers, &following] {
        begun.close();
        begun.wait().await;
    }
    Ok(())
}

/// The main port, which has everything, and those of the receivers, which take OpenTelemetry and nothing else.
fn doors(app: &Shared, listener: TcpListener, receivers: Receivers, tls: Option<Tls>) -> Vec<Door> {
    let max_connections = app.config.max_connections;
    // Whoever asks nothing for so long is not in the middle of a request.
    let quiet = connection::QUIET.max(app.config.request_timeout.0 * 2);
    let with_http2 = tls.as_ref().map(Tls::with_http2);
    let main = Door { listener, tls, speech: Speech::Http1, router: routes::router(app), max_connections };
    let router = routes::receiver(app);
    let others = receivers.listeners.into_iter().map(|listener| Door {
        listener,
        tls: with_http2.clone(),
        speech: Speech::Either { quiet },
        router: router.clone(),
        max_connections,
    });
    std::iter::once(main).chain(others).collect()
}
