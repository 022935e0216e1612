//! Exports: rows of the store as a file, sent while it is made.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use model::TimeRange;
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use store::QueryError;
use tabular::{Format, RowWriter, Rows, Selection, WriteError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::chunks::{self, Chunks, Client};
use crate::context::Shared;
use crate::problem::{self, Kind, Problem};

/// When to come back after all places were taken.
const RETRY_AFTER: Duration = Duration::from_secs(30);

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
    let place = Place::take(app)?;
    let (chunks, body) = chunks::body(app.live.stop().clone(), None);
    let (ready, begun) = oneshot::channel();
    let run = Run { place, client: chunks.client() };
    tokio::task::spawn_blocking(move || run.run(request, chunks, ready));
    begun.await.map_err(|error| Problem::internal(&error))??;
    Ok(body)
}

/// A place among the exports that run. It is free again when it is dropped.
pub(crate) struct Place {
    app: Shared,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// A place, unless all are taken.
    pub(crate) fn take(app: &Shared) -> Result<Self, Problem> {
        let Ok(permit) = Arc::clone(&app.exports.places).try_acquire_owned() else {
            app.turned_away.inc();
            return Err(Problem::new(Kind::Overloaded, "Too many exports run; begin this one again later.")
                .retry_after(RETRY_AFTER));
        };
        app.exports.open.inc();
        Ok(Self { app: Arc::clone(app), _permit: permit })
    }

    /// Counts rows that were exported.
    pub(crate) fn count_rows(&self, rows: u64) {
        self.app.exports.rows.inc_by(rows);
    }

    /// Counts the end of the export, and says in the log why it has failed; one whose client has gone has not.
    pub(crate) fn count_end(&self, failed: Option<&(dyn Error + 'static)>, client: &Client) {
        let outcome = match failed {
            None => "finished",
            Some(_) if client.has_gone() => "gone",
            Some(error) => {
                tracing::error!(error = %problem::chain(error), "an export failed and is broken off");
                "failed"
            }
        };
        self.app.exports.ended.with_label_values(&[outcome]).inc();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.exports.open.dec();
    }
}

/// An export that runs.
struct Run {
    place: Place,
    client: Client,
}

impl Run {
    fn run(self, request: Request, chunks: Chunks, ready: oneshot::Sender<Result<(), Problem>>) {
        let store = Arc::clone(&self.place.app.context.store);
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
        let written = self.write(&rows, request.format, chunks);
        self.place
            .count_end(written.as_ref().err().map(|error| error as &(dyn Error + 'static)), &self.client);
    }

    fn write(&self, rows: &Rows<'_>, format: Format, chunks: Chunks) -> Result<(), ExportError> {
        let mut writer = RowWriter::new(format, &rows.schema(), chunks)?;
        let mut failed = None;
        let gone_over = rows.each(&mut |batch| {
            // Parquet gathers much before it writes.
            if self.client.has_gone() {
                return Err(QueryError::Stopped("the client has gone away"));
            }
            self.place.count_rows(batch.num_rows() as u64);
            writer.write(&batch).map_err(|error| {
                failed = Some(error);
                QueryError::Stopped("rows could not be written")
            })
        });
        match (failed, gone_over) {
            (Some(error), _) => return Err(error.into()),
            (None, result) => result?,
        }
        writer.finish()?.finish()?;
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
    #[error("the end could not be sent")]
    Send(#[from] io::Error),
}
