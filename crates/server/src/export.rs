//! Exports: rows of the store as a file, sent while it is made.
//!
//! One blocking thread reads and encodes, and waits when the client takes no more; what is made and not
//! taken yet is a few chunks. It ends when the client goes away, and at the stop of the server.

use std::io::{self, Write};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures::stream;
use model::TimeRange;
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use store::QueryError;
use tabular::{Format, RowWriter, Rows, Selection, WriteError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::context::Shared;
use crate::problem::{self, Kind, Problem};

/// Bytes that are sent at once.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that are made and not taken yet.
const CHUNKS: usize = 4;
/// When to come back after all places were taken.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(30);

/// The places of exports, and what became of those that ran.
pub(crate) struct Exports {
    places: Arc<Semaphore>,
    open: IntGauge,
    rows: IntCounter,
    ended: IntCounterVec,
}

impl Exports {
    /// At most `max` at once.
    pub(crate) fn new(max: usize, registry: &Registry) -> Result<Self, prometheus::Error> {
        let open = IntGauge::new("watchkeeper_exports_open", "Exports that run.")?;
        let rows = IntCounter::new("watchkeeper_export_rows_total", "Rows that were exported.")?;
        let ended = Opts::new("watchkeeper_exports_total", "Exports that have ended, by how.");
        let ended = IntCounterVec::new(ended, &["outcome"])?;
        registry.register(Box::new(open.clone()))?;
        registry.register(Box::new(rows.clone()))?;
        registry.register(Box::new(ended.clone()))?;
        Ok(Self { places: Arc::new(Semaphore::new(max)), open, rows, ended })
    }
}

/// What is wanted.
pub(crate) struct Request {
    pub(crate) selection: Selection,
    pub(crate) range: TimeRange,
    pub(crate) format: Format,
}

/// The body of an export. What cannot be begun is told here; what fails later breaks the body off.
pub(crate) async fn body(app: &Shared, request: Request) -> Result<Body, Problem> {
    let Ok(place) = Arc::clone(&app.exports.places).try_acquire_owned() else {
        app.turned_away.inc();
        return Err(Problem::new(Kind::Overloaded, "Too many exports run; begin this one again later.")
            .retry_after(RETRY_AFTER));
    };
    let (chunks, taken) = mpsc::channel(CHUNKS);
    let (ready, begun) = oneshot::channel();
    let run = Run { app: Arc::clone(app), chunks, _place: place };
    app.exports.open.inc();
    tokio::task::spawn_blocking(move || run.run(request, ready));
    begun.await.map_err(|error| Problem::internal(&error))??;
    let stop = app.live.stop().clone();
    Ok(Body::from_stream(stream::unfold((taken, stop), |(mut taken, stop)| async move {
        let chunk = stop.run_until_cancelled(taken.recv()).await;
        // A body that ended as if it were whole would be taken for it.
        let chunk = chunk.unwrap_or_else(|| Some(Err(io::Error::other("the server is stopping"))))?;
        Some((chunk, (taken, stop)))
    })))
}

/// An export that runs. Its place is free again when it is dropped.
struct Run {
    app: Shared,
    chunks: mpsc::Sender<io::Result<Bytes>>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Run {
    fn drop(&mut self) {
        self.app.exports.open.dec();
    }
}

impl Run {
    fn run(self, request: Request, ready: oneshot::Sender<Result<(), Problem>>) {
        let store = Arc::clone(&self.app.context.store);
        let rows = match Rows::new(&*store, request.selection, request.range) {
            Ok(rows) => rows,
            Err(error) => {
                // Nobody waits any more: then nobody needs to know.
                let _ = ready.send(Err(error.into()));
                return;
            }
        };
        if ready.send(Ok(())).is_err() {
            return;
        }
        let outcome = match self.write(&rows, request.format) {
            Ok(()) => "finished",
            Err(_) if self.chunks.is_closed() => "gone",
            Err(error) => {
                tracing::error!(error = %problem::chain(&error), "an export failed and is broken off");
                let broken = io::Error::other("the export failed");
                // The client may have gone meanwhile.
                let _ = self.chunks.blocking_send(Err(broken));
                "failed"
            }
        };
        self.app.exports.ended.with_label_values(&[outcome]).inc();
    }

    fn write(&self, rows: &Rows<'_>, format: Format) -> Result<(), ExportError> {
        let output = Chunks { made: Vec::with_capacity(CHUNK_BYTES), chunks: self.chunks.clone() };
        let mut writer = RowWriter::new(format, &rows.schema(), output)?;
        let mut failed = None;
        let gone_over = rows.each(&mut |batch| {
            // Parquet gathers much before it writes.
            if self.chunks.is_closed() {
                return Err(QueryError::Stopped("the client has gone away"));
            }
            self.app.exports.rows.inc_by(batch.num_rows() as u64);
            writer.write(&batch).map_err(|error| {
                failed = Some(error);
                QueryError::Stopped("rows could not be written")
            })
        });
        match (failed, gone_over) {
            (Some(error), _) => return Err(error.into()),
            (None, result) => result?,
        }
        let mut output = writer.finish()?;
        output.send()?;
        Ok(())
    }
}

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("the store could not be read")]
    Read(#[from] QueryError),
    #[error("the rows could not be encoded")]
    Write(#[from] WriteError),
    #[error("the client has gone away")]
    Gone(#[from] io::Error),
}

/// An output that hands chunks to whoever sends them, and waits while there are too many.
struct Chunks {
    made: Vec<u8>,
    chunks: mpsc::Sender<io::Result<Bytes>>,
}

impl Chunks {
    fn send(&mut self) -> io::Result<()> {
        if self.made.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.made, Vec::with_capacity(CHUNK_BYTES));
        self.chunks.blocking_send(Ok(chunk.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK_BYTES);
        self.made.extend_from_slice(&bytes[..taken]);
        if self.made.len() >= CHUNK_BYTES {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
