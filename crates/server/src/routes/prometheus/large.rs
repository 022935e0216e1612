//! Answers that are too large to be written as a whole: they are sent while they are written, a bounded number at a
//! time.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use prometheus::{IntCounterVec, Opts, Registry};
use promql::{HeldAnswer, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::answer::{BEGIN, Failure};
use super::write::{self, Output};
use crate::chunks::{self, CHUNK_BYTES, Chunks};
use crate::context::Shared;

/// From how many bytes on an answer is large.
pub(super) const LEAST_BYTES: usize = 1 << 20;
/// How many are sent at once for each query that may run.
const PER_QUERY: usize = 2;
/// As often as an answer has so many bytes, its client has as long as a request may take.
const BYTES_A_TURN: usize = 16 << 20;
/// When to come back after all places were taken.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The places of large answers, and what became of those that were sent.
pub(crate) struct LargeAnswers {
    places: Arc<Semaphore>,
    ended: IntCounterVec,
}

impl LargeAnswers {
    /// For so many queries that run at once.
    pub(crate) fn new(queries: usize, registry: &Registry) -> Result<Self, prometheus::Error> {
        let ended = Opts::new(
            "watchkeeper_large_answers_total",
            "Answers of a mebibyte and more that have ended, by how.",
        );
        let ended = IntCounterVec::new(ended, &["outcome"])?;
        registry.register(Box::new(ended.clone()))?;
        Ok(Self { places: Arc::new(Semaphore::new(queries * PER_QUERY)), ended })
    }
}

/// What is sent.
pub(super) struct LargeAnswer {
    pub(super) value: Value,
    /// About how many the answer has.
    pub(super) bytes: usize,
    /// What stands behind the value.
    pub(super) end: String,
    /// Held until all is written.
    pub(super) held: HeldAnswer,
}

/// A place that is held by an answer. An answer that is dropped before it has ended otherwise had a client that has
/// gone away.
pub(super) struct LargePlace {
    app: Shared,
    outcome: &'static str,
    _permit: OwnedSemaphorePermit,
}

/// A place for one more, if there is one.
pub(super) fn place(app: &Shared) -> Result<LargePlace, Failure> {
    let large = &app.large_answers;
    match Arc::clone(&large.places).try_acquire_owned() {
        Ok(permit) => Ok(LargePlace { app: Arc::clone(app), outcome: "gone", _permit: permit }),
        Err(_) => {
            large.ended.with_label_values(&["refused"]).inc();
            app.turned_away.inc();
            Err(Failure::busy(
                "too many large answers are being sent (twice server.max_concurrent_queries); ask again later, or for \
                 fewer series, a shorter range or a larger step",
                RETRY_AFTER,
            ))
        }
    }
}

/// Until when a client may take so many bytes.
pub(super) fn deadline(app: &Shared, bytes: usize) -> Option<Instant> {
    let turns = u32::try_from(bytes / BYTES_A_TURN + 1).unwrap_or(u32::MAX);
    Instant::now().checked_add(app.config.request_timeout.0.saturating_mul(turns))
}

impl LargePlace {
    /// All of it was sent.
    pub(super) fn finished(mut self) {
        self.outcome = "finished";
    }

    /// It is broken off.
    pub(super) fn failed(mut self, error: io::Error) -> io::Error {
        tracing::warn!(%error, "a large answer is broken off");
        self.outcome = "failed";
        error
    }
}

impl Drop for LargePlace {
    fn drop(&mut self) {
        self.app.large_answers.ended.with_label_values(&[self.outcome]).inc();
    }
}

/// Begins to send an answer. A client that takes it slowly holds one of a few places for a while, and no query waits
/// for it.
pub(super) fn send(answer: LargeAnswer, app: &Shared) -> Result<Body, Failure> {
    let place = place(app)?;
    // At a stop it has as long as other requests.
    let (chunks, body) = chunks::body(CancellationToken::new(), deadline(app, answer.bytes));
    tokio::task::spawn_blocking(move || {
        let client = chunks.client();
        match answer.write(chunks) {
            Ok(()) => place.finished(),
            Err(_) if client.has_gone() => drop(place),
            Err(error) => drop(place.failed(error)),
        }
    });
    Ok(body)
}

impl LargeAnswer {
    fn write(self, mut chunks: Chunks) -> io::Result<()> {
        let Self { value, end, mut held, .. } = self;
        let mut text = String::with_capacity(CHUNK_BYTES * 2);
        text.push_str(BEGIN);
        write::value(value, &mut text, &mut Sending { chunks: &mut chunks, held: &mut held })?;
        text.push_str(&end);
        chunks.put(text.into_bytes())?;
        chunks.finish()
    }
}

/// An answer on its way.
struct Sending<'a> {
    chunks: &'a mut Chunks,
    held: &'a mut HeldAnswer,
}

impl Output for Sending<'_> {
    fn take(&mut self, text: &mut String) -> io::Result<()> {
        let next = String::with_capacity(CHUNK_BYTES * 2);
        self.chunks.put(std::mem::replace(text, next).into_bytes())
    }

    fn written(&mut self, samples: usize) {
        self.held.give_back(samples);
    }
}
