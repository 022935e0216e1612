//! The live stream: what changes, sent to those who watch, about once a second.
//!
//! One task looks at the live state while anybody watches, and keeps the newest [`Frame`]. A stream
//! holds no queue of its own: it sends the parts that changed since it sent last, so a slow reader
//! misses what lies between, and one that reads nothing is cut off by the connection's patience.

mod frame;
mod glance;
mod reader;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use futures::stream::{self, StreamExt};
use prometheus::{IntGauge, Registry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::context::Shared;
use crate::problem::{Kind, Problem};
use frame::Frame;
pub(crate) use glance::overview;
pub(crate) use reader::Reader;

/// How often the live state is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Who watches, and what they are shown.
pub(crate) struct Live {
    frames: watch::Sender<Arc<Frame>>,
    places: Arc<Semaphore>,
    watching: IntGauge,
    stop: CancellationToken,
}

impl Live {
    /// At most `max` streams at once; all end when `stop` is cancelled.
    pub(crate) fn new(
        max: usize,
        registry: &Registry,
        stop: CancellationToken,
    ) -> Result<Self, prometheus::Error> {
        let watching = IntGauge::new("watchkeeper_live_streams", "Live streams that are open.")?;
        registry.register(Box::new(watching.clone()))?;
        let places = Arc::new(Semaphore::new(max));
        Ok(Self { frames: watch::Sender::new(Arc::default()), places, watching, stop })
    }

    /// Cancelled when the server stops.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.stop
    }
}

/// Looks at the live state while anybody watches, until the stop.
pub(crate) async fn run(app: Shared) {
    let live = &app.live;
    let mut ticks = interval(EVERY);
    while live.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if live.frames.receiver_count() == 0 {
            continue;
        }
        match overview(&app).await {
            Ok(now) => live.frames.send_modify(|frame| *frame = Arc::new(frame.followed_by(&now))),
            Err(problem) => tracing::warn!(?problem, "the live state could not be shown"),
        }
    }
}

fn interval(every: Duration) -> Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// One open stream. Its place is free again when it is dropped.
struct Watcher {
    app: Shared,
    frames: watch::Receiver<Arc<Frame>>,
    /// The serial of the last frame that was sent.
    sent: u64,
    reader: Reader,
    greeted: bool,
    _place: OwnedSemaphorePermit,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.app.live.watching.dec();
    }
}

/// The body of a stream for whoever has shown `credentials`.
pub(crate) fn stream(app: &Shared, credentials: HeaderMap) -> Result<Body, Problem> {
    let Ok(place) = Arc::clone(&app.live.places).try_acquire_owned() else {
        app.turned_away.inc();
        return Err(Problem::new(
            Kind::Overloaded,
            "Too many live streams are open; ask for /api/v1/overview.",
        )
        .retry_after(Duration::from_secs(10)));
    };
    app.live.watching.inc();
    let mut frames = app.live.frames.subscribe();
    // What is there may be from the last time that anybody watched.
    frames.mark_unchanged();
    let (app, reader) = (Arc::clone(app), Reader::new(app, credentials));
    let watcher = Watcher { app, frames, sent: 0, reader, greeted: false, _place: place };
    let sent = stream::unfold(watcher, |mut watcher| async move {
        let chunk = watcher.next().await?;
        Some((Ok::<_, Infallible>(chunk), watcher))
    });
    Ok(Body::from_stream(sent.fuse()))
}

impl Watcher {
    /// What is to be sent next; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.greeted {
            self.greeted = true;
            return Some(Bytes::from_static(b"retry: 2000\n\n"));
        }
        loop {
            tokio::select! {
                biased;
                () = self.app.live.stop.cancelled() => return None,
                () = self.reader.tick() => return self.reader.beat().await,
                changed = self.frames.changed() => {
                    changed.ok()?;
                    let frame = Arc::clone(&self.frames.borrow_and_update());
                    let text = frame.since(self.sent);
                    self.sent = frame.serial();
                    if !text.is_empty() {
                        return Some(text.into());
                    }
                }
            }
        }
    }
}
