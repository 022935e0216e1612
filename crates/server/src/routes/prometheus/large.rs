//! Answers that are too large to be written as a whole: they are sent while they are written, a bounded number at a
//! time.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use prometheus::{IntCounterVec, Opts, Registry};
use promql::{HeldAnswer, Value};
use tokio::sync::Semaphore;
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

/// Begins to send an answer. A client that takes it slowly holds one of a few places for a while, and no query waits
/// for it.
pub(super) fn send(answer: LargeAnswer, app: &Shared) -> Result<Body, Failure> {
    let large = &app.large_answers;
    let Ok(place) = Arc::clone(&large.places).try_acquire_owned() else {
        large.ended.with_label_values(&["refused"]).inc();
        app.turned_away.inc();
        return Err(Failure::busy(
            "too many large answers are being sent (twice server.max_concurrent_queries); ask again later, or for \
             fewer series, a shorter range or a larger step",
            RETRY_AFTER,
        ));
    };
    let turns = u32::try_from(answer.bytes / BYTES_A_TURN + 1).unwrap_or(u32::MAX);
    let deadline = Instant::now().checked_add(app.config.request_timeout.0.saturating_mul(turns));
    // At a stop it has as long as other requests.
    let (chunks, body) = chunks::body(CancellationToken::new(), deadline);
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let client = chunks.client();
        let outcome = match answer.write(chunks) {
            Ok(()) => "finished",
            Err(_) if client.has_gone() => "gone",
            Err(error) => {
                tracing::warn!(%error, "a large answer is broken off");
                "failed"
            }
        };
        app.large_answers.ended.with_label_values(&[outcome]).inc();
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
