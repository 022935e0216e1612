//! Running a query: off the async threads, a bounded number at a time, stopped when nobody waits.

use std::sync::Arc;
use std::time::Duration;

use model::DurationText;
use promql::{Cancel, Engine, Error};

use super::answer::Failure;
use crate::context::Shared;

/// What is run.
pub(super) type Job<T> = Box<dyn FnOnce(&Engine, &Cancel) -> Result<T, Error> + Send>;

/// Stops the query when the request is dropped: its client has gone away, or it took too long.
struct StopOnDrop(Cancel);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Part of the time that a request may take which is left for the answer.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// Runs `job` within `timeout`, waiting for a slot included. The slot is held until the job has really
/// ended, also when nobody waits for it any more.
pub(super) async fn run<T: Send + 'static>(
    app: &Shared,
    timeout: Option<Duration>,
    job: Job<T>,
) -> Result<T, Failure> {
    let most = app.config.request_timeout.0.saturating_sub(ANSWER_TIME).max(ANSWER_TIME);
    let timeout = timeout.map_or(most, |timeout| timeout.min(most));
    let cancel = Cancel::new();
    let _stop = StopOnDrop(cancel.clone());
    let engine = app.context.promql.clone();
    let work = async {
        let slot =
            Arc::clone(&app.queries).acquire_owned().await.map_err(|error| Failure::internal(&error))?;
        let task = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            job(&engine, &cancel)
        });
        task.await.map_err(|error| Failure::internal(&error))?.map_err(|error| Failure::from(&error))
    };
    tokio::time::timeout(timeout, work).await.map_err(|_| {
        let limit = DurationText(timeout);
        Failure::timed_out(format!(
            "the query took longer than {limit}; ask for a shorter range, a larger step or fewer series"
        ))
    })?
}
