//! Reading to its end what was refused.
//!
//! A request may be answered before its body was read: it is too large, or its sender is not let in.
//! Closing the connection then would make the sender's system throw the answer away while it still
//! sends. So the rest of the body is read and dropped for a short while, after the answer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::{Stream, StreamExt};
use tokio_util::task::TaskTracker;

use crate::context::Shared;

/// For how long the rest is read.
const LINGER: Duration = Duration::from_secs(3);
/// How much of the rest is read, in bytes.
const MOST: u64 = 256 << 20;

/// Reads what handlers leave of a body.
pub(crate) async fn read_to_the_end(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let tracker = app.leftovers.clone();
    let request = request.map(|body| {
        if body.is_end_stream() {
            return body;
        }
        Body::from_stream(Whole { rest: Some(body.into_data_stream()), tracker })
    });
    next.run(request).await
}

/// A body that is read to its end also when it is dropped before.
struct Whole {
    rest: Option<BodyDataStream>,
    tracker: TaskTracker,
}

impl Stream for Whole {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let polled = rest.poll_next_unpin(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.rest = None;
        }
        polled
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        // Without a runtime the process is ending, and nobody waits for an answer.
        let (Some(rest), Ok(runtime)) = (self.rest.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        self.tracker.spawn_on(
            async move {
                let _ = tokio::time::timeout(LINGER, drop_all(rest)).await;
            },
            &runtime,
        );
    }
}

async fn drop_all(mut rest: BodyDataStream) {
    let mut left = MOST;
    while let Some(Ok(chunk)) = rest.next().await {
        left = left.saturating_sub(chunk.len() as u64);
        if left == 0 {
            return;
        }
    }
}
