//! Remote read answered as a stream of chunks, read while it is sent.

use std::io;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use protocol::remote_read::STREAM_TYPE;

use super::super::answer::Failure;
use super::super::large::{self, LargePlace};
use super::super::run::{self, Job};
use super::passes::{Pass, Rest};
use super::{External, Selection};
use crate::context::Shared;

/// What cannot be read at first is told as an error; what fails later breaks the stream off. Memory is bounded by what
/// one pass keeps.
pub(super) async fn answer(
    app: &Shared,
    selections: Vec<Selection>,
    external: External,
) -> Result<Response, Failure> {
    let mut rest = Some(Rest::of(selections, external, app.context.promql.limits()));
    let (mut pieces, mut bytes) = (Vec::new(), 0);
    // An answer that is small takes no place from large ones.
    while bytes <= large::LEAST_BYTES
        && let Some(left) = rest.take()
    {
        let pass = pass(app, left).await?;
        bytes += size(&pass.pieces);
        pieces.extend(pass.pieces);
        rest = pass.rest;
    }
    let body = if rest.is_none() && bytes <= large::LEAST_BYTES {
        Body::from(pieces.concat())
    } else {
        let place = large::place(app)?;
        let deadline = large::deadline(app, bytes);
        let sending = Sending { app: app.clone(), pieces: pieces.into_iter(), rest, deadline, place };
        Body::from_stream(stream::try_unfold(sending, Sending::next))
    };
    Ok(([(header::CONTENT_TYPE, STREAM_TYPE)], body).into_response())
}

async fn pass(app: &Shared, rest: Rest) -> Result<Pass, Failure> {
    let store = app.context.store.clone();
    let job: Job<_> = Box::new(move |engine, cancel| rest.pass(store.as_ref(), engine.limits(), cancel));
    run::run_range(app, None, job).await
}

fn size(pieces: &[Bytes]) -> usize {
    pieces.iter().map(Bytes::len).sum()
}

/// A stream on its way. When its client goes away it is dropped, and with it the pass that runs for it.
struct Sending {
    app: Shared,
    pieces: std::vec::IntoIter<Bytes>,
    rest: Option<Rest>,
    /// Until when the client may take what was read.
    deadline: Option<Instant>,
    place: LargePlace,
}

impl Sending {
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        loop {
            if self.deadline.is_some_and(|deadline| deadline < Instant::now()) {
                return Err(self
                    .place
                    .failed(io::Error::new(io::ErrorKind::TimedOut, "the client is too slow")));
            }
            if let Some(piece) = self.pieces.next() {
                return Ok(Some((piece, self)));
            }
            let Some(rest) = self.rest.take() else {
                self.place.finished();
                return Ok(None);
            };
            match pass(&self.app, rest).await {
                Ok(Pass { pieces, rest }) => {
                    self.deadline = large::deadline(&self.app, size(&pieces));
                    (self.pieces, self.rest) = (pieces.into_iter(), rest);
                }
                Err(failure) => return Err(self.place.failed(io::Error::other(failure.text()))),
            }
        }
    }
}
