//! HTTP over one connection, in the version that the client begins with.

use std::convert::Infallible;
use std::future::Future;
use std::io::Cursor;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::HttpService;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tower::ServiceExt;

use super::Ends;
use super::door::Speech;
use super::streams::Streams;
use crate::access::client::Peer;

/// How long a client may take to send the head of a request, and how long a connection of HTTP/1.1 may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection of HTTP/2 may bring no request. Exporters keep theirs for the next batch, which comes within
/// a minute; whoever was sent away comes back by itself.
pub(super) const QUIET: Duration = Duration::from_secs(300);
/// How long a client may take to leave that was asked to.
const GOODBYE: Duration = Duration::from_secs(30);

/// How a connection of HTTP/2 begins.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// As much of it as no request of HTTP/1.1 begins with.
const TELLING: usize = 4;
/// The requests that may be in flight on one connection of HTTP/2.
const MAX_STREAMS: u32 = 128;
/// The largest head of a request in HTTP/2, in bytes.
const MAX_HEAD_BYTES: u32 = 16 << 10;
/// How much of one request may be on its way before it is read, in bytes.
const STREAM_WINDOW: u32 = 256 << 10;
/// The same of all requests of a connection: what it may have us hold.
const CONNECTION_WINDOW: u32 = 1 << 20;
/// How much of an answer is held until the client takes it, in bytes. Answers to exporters are small.
const SEND_BUFFER: usize = 64 << 10;
/// How often a client is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(60);
/// How long it may take to say so.
const PONG_TIMEOUT: Duration = Duration::from_secs(20);

/// Answers requests until the client leaves, or the server stops.
pub(super) async fn speak(
    mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    speech: Speech,
    router: Router,
    ends: &Ends,
) {
    let requests = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&requests);
    let service = router.map_request(move |request: hyper::Request<Incoming>| {
        counted.fetch_add(1, Ordering::Relaxed);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        request
    });
    let service = TowerToHyperService::new(service.map_err(|never: Infallible| match never {}));
    let ended = match speech {
        Speech::Http1 => over_http1(stream, service, ends).await,
        Speech::Either { quiet } => {
            let Some(first) = first_bytes(&mut stream, ends).await else { return };
            let is_http2 = first == PREFACE;
            let (read, write) = tokio::io::split(stream);
            let stream = tokio::io::join(Cursor::new(first).chain(read), write);
            if is_http2 {
                over_http2(stream, service, silence(requests, quiet), ends).await
            } else {
                over_http1(stream, service, ends).await
            }
        }
    };
    if let Err(error) = ended {
        tracing::trace!(peer = %peer.address, error = %crate::problem::chain(&error), "a connection ended early");
    }
}

/// What a client begins with: all of the preface of HTTP/2, so that nobody is waited for behind a part of it. `None`
/// when nothing of either version comes in time.
async fn first_bytes(stream: &mut (impl AsyncRead + Unpin), ends: &Ends) -> Option<Vec<u8>> {
    let reading = async {
        let mut first = vec![0; TELLING];
        stream.read_exact(&mut first).await?;
        if PREFACE.starts_with(&first) {
            first.resize(PREFACE.len(), 0);
            stream.read_exact(&mut first[TELLING..]).await?;
        }
        std::io::Result::Ok(first)
    };
    ends.stop.run_until_cancelled(tokio::time::timeout(HEAD_TIMEOUT, reading)).await?.ok()?.ok()
}

/// Ends once no request has come for `quiet`.
async fn silence(requests: Arc<AtomicU64>, quiet: Duration) {
    let mut before = None;
    loop {
        let now = requests.load(Ordering::Relaxed);
        if before == Some(now) {
            return;
        }
        before = Some(now);
        tokio::time::sleep(quiet).await;
    }
}

async fn over_http1<S>(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    service: S,
    ends: &Ends,
) -> Result<(), hyper::Error>
where
    S: HttpService<Incoming, ResBody = Body>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    // Those that are idle are ended by the timeout of heads.
    until_it_ends(connection, std::future::pending(), ends).await
}

async fn over_http2<S>(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    service: S,
    silence: impl Future<Output = ()>,
    ends: &Ends,
) -> Result<(), hyper::Error>
where
    S: HttpService<Incoming, ResBody = Body>,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let streams = Streams { tracker: ends.streams.clone(), force: ends.force.clone() };
    let connection = http2::Builder::new(streams)
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    until_it_ends(connection, silence, ends).await
}

/// Lets a connection go on until its end, the stop, or the end of `silence`.
async fn until_it_ends<C>(
    connection: C,
    silence: impl Future<Output = ()>,
    ends: &Ends,
) -> Result<(), hyper::Error>
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = pin!(connection);
    let stopped = tokio::select! {
        ended = connection.as_mut() => return ended,
        () = ends.stop.cancelled() => true,
        () = silence => false,
    };
    connection.as_mut().graceful_shutdown();
    let patience = async {
        if stopped {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(GOODBYE).await;
    };
    tokio::select! {
        ended = connection.as_mut() => ended,
        () = ends.force.cancelled() => Ok(()),
        () = patience => Ok(()),
    }
}
