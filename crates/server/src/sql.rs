//! Answers to statements of SQL, sent while they are made.
//!
//! What goes wrong before the first piece is sent is a problem; what goes wrong later breaks the body off, so that a
//! part is not taken for the whole. The first piece waits until there is much of it, so that hardly anything is late.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use parking_lot::Mutex;
use store::{Cancel, SqlQuery};
use tabular::{AnswerFormat, AnswerWriter};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::blocking::{StopOnDrop, longest};
use crate::chunks::{self, CHUNK_BYTES, Chunks};
use crate::context::Shared;
use crate::errors::of_statement;
use crate::problem::{self, Kind, Problem};

/// What is made before the answer begins: less than what waits for its client without being taken.
const HELD_BACK_BYTES: usize = 2 * CHUNK_BYTES;

/// The body of the answer to a statement.
pub(crate) async fn body(app: &Shared, query: SqlQuery, format: AnswerFormat) -> Result<Body, Problem> {
    let most = longest(app);
    let begin = async {
        let mut slots: Vec<OwnedSemaphorePermit> = Vec::new();
        // As what goes over a range of time: it leaves a place to what people wait for.
        for among in [&app.range_queries, &app.queries] {
            let slot = Arc::clone(among).acquire_owned().await;
            slots.push(slot.map_err(|error| Problem::internal(&error))?);
        }
        let cancel = Cancel::new();
        let stop = StopOnDrop(cancel.clone());
        let timeout = query.timeout.map_or(most, |asked| asked.min(most));
        let query = SqlQuery { cancel, timeout: Some(timeout), ..query };
        let (chunks, body) = chunks::body(app.live.stop().clone(), None);
        let (ready, begun) = oneshot::channel();
        let run = Run { app: Arc::clone(app), query, format, _slots: slots };
        tokio::task::spawn_blocking(move || run.run(chunks, &Begun(Arc::new(Mutex::new(Some(ready))))));
        begun.await.map_err(|error| Problem::internal(&error))??;
        // From here on its client ends it, by going away.
        stop.keep_on();
        Ok::<_, Problem>(body)
    };
    // The store has the same bound, and says more of it; here the wait for a place counts as well.
    let late = most.saturating_add(Duration::from_millis(500));
    tokio::time::timeout(late, begin).await.map_err(|_| {
        Problem::new(Kind::TimedOut, "Too many queries run (server.max_concurrent_queries); ask again later.")
    })?
}

/// A statement that is answered.
struct Run {
    app: Shared,
    query: SqlQuery,
    format: AnswerFormat,
    _slots: Vec<OwnedSemaphorePermit>,
}

impl Run {
    fn run(self, chunks: Chunks, begun: &Begun) {
        let client = chunks.client();
        let mut answer = AnswerWriter::new(self.format, HeldBack { chunks, begun: begun.clone(), bytes: 0 });
        let answered = self.app.context.store.sql(&self.query, &mut answer);
        let failed = match answered {
            Ok(summary) => {
                let finished = answer.finish(&summary).map_err(|error| problem::chain(&error));
                finished.and_then(|held| {
                    held.begun.tell(Ok(()));
                    held.chunks.finish().map_err(|error| problem::chain(&error))
                })
            }
            Err(error) => match answer.take_failure() {
                Some(error) => Err(problem::chain(&error)),
                None => {
                    let text = problem::chain(&error);
                    // Whoever has no answer yet is told; a body that was begun breaks off.
                    let told = begun.tell(Err(of_statement(error, &self.query.statement)));
                    if told { Ok(()) } else { Err(text) }
                }
            },
        };
        if let Err(error) = failed {
            // Of rows that could not be written before the answer began: by their format.
            let said = format!(
                "The answer cannot be written in this format: {error}. Choose another, or cast its columns."
            );
            let is_told = begun.tell(Err(Problem::new(Kind::BadParameter, said)));
            if !is_told && !client.has_gone() {
                tracing::warn!(error, "an answer of SQL is broken off");
            }
        }
    }
}

/// Who waits to hear whether the answer begins.
type Waiting = oneshot::Sender<Result<(), Problem>>;

/// Tells once whether the answer begins.
#[derive(Clone)]
struct Begun(Arc<Mutex<Option<Waiting>>>);

impl Begun {
    /// Whether it was told now, and not before.
    fn tell(&self, begins: Result<(), Problem>) -> bool {
        let Some(ready) = self.0.lock().take() else { return false };
        // Nobody waits any more: then nobody needs to know.
        ready.send(begins).is_ok()
    }
}

/// An output that says when enough was made.
struct HeldBack {
    chunks: Chunks,
    begun: Begun,
    bytes: usize,
}

impl Write for HeldBack {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.chunks.write(bytes)?;
        self.bytes = self.bytes.saturating_add(written);
        if self.bytes >= HELD_BACK_BYTES {
            self.begun.tell(Ok(()));
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.chunks.flush()
    }
}
