//! Work that blocks (queries, scans), off the async threads and a bounded number at a time.

use std::sync::Arc;
use std::time::Duration;

use report::ReportError;
use store::Cancel;

use crate::Context;
use crate::context::{App, Shared};
use crate::problem::{Kind, Problem};

/// Runs `work` once there is a slot for it. The slot is held until the work really ends, also when
/// nobody waits for it any more.
async fn run<T: Send + 'static>(
    app: &Shared,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let slot = Arc::clone(&app.queries).acquire_owned().await.map_err(|error| Problem::internal(&error))?;
    let task = tokio::task::spawn_blocking(move || {
        let _slot = slot;
        work()
    });
    task.await.map_err(|error| Problem::internal(&error))
}

/// Part of the time that a request may take which is left for the answer.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// How long the work of a request may take.
pub(crate) fn longest(app: &App) -> Duration {
    app.config.request_timeout.0.saturating_sub(ANSWER_TIME).max(ANSWER_TIME)
}

/// Stops the work when the request is dropped: its client has gone away, or it took too long.
pub(crate) struct StopOnDrop(pub(crate) Cancel);

impl StopOnDrop {
    /// The work goes on: somebody else waits for it now.
    pub(crate) fn keep_on(mut self) {
        self.0 = Cancel::never();
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Does work that can be stopped, and stops it when nobody waits for it.
pub(crate) async fn stoppable<T: Send + 'static>(
    app: &Shared,
    work: impl FnOnce(&Cancel) -> T + Send + 'static,
) -> Result<T, Problem> {
    let cancel = Cancel::new();
    let _stop = StopOnDrop(cancel.clone());
    let done = tokio::time::timeout(longest(app), run(app, move || work(&cancel))).await;
    done.map_err(|_| Problem::new(Kind::TimedOut, "Ask for a shorter time, or set more conditions."))?
}

/// Makes a report, and stops making it when nobody waits for it.
pub(crate) async fn report<T: Send + 'static>(
    app: &Shared,
    make: impl FnOnce(&Context, &Cancel) -> Result<T, ReportError> + Send + 'static,
) -> Result<T, Problem> {
    let context = app.context.clone();
    Ok(stoppable(app, move |cancel| make(&context, cancel)).await??)
}
