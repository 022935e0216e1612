//! Running a query: off the async threads, a bounded number at a time, stopped when nobody waits.

use std::sync::Arc;
use std::time::Duration;

use model::{DurationText, Timestamp};
use promql::{Cancel, Engine, Error, Query, Value, VectorSample};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::Failure;
use crate::blocking::{StopOnDrop, longest};
use crate::context::Shared;

/// What is run.
pub(super) type Job<T> = Box<dyn FnOnce(&Engine, &Cancel) -> Result<T, Error> + Send>;

/// Runs `job` within `timeout`, waiting for a slot included. The slot is held until the job has really
/// ended, also when nobody waits for it any more.
pub(super) async fn run<T: Send + 'static>(
    app: &Shared,
    timeout: Option<Duration>,
    job: Job<T>,
) -> Result<T, Failure> {
    run_in(app, &[&app.queries], timeout, job).await
}

/// The same for what goes over a range of time: it leaves a slot to the others.
pub(super) async fn run_range<T: Send + 'static>(
    app: &Shared,
    timeout: Option<Duration>,
    job: Job<T>,
) -> Result<T, Failure> {
    run_in(app, &[&app.range_queries, &app.queries], timeout, job).await
}

async fn run_in<T: Send + 'static>(
    app: &Shared,
    among: &[&Arc<Semaphore>],
    timeout: Option<Duration>,
    job: Job<T>,
) -> Result<T, Failure> {
    let most = longest(app);
    let asked = timeout.filter(|timeout| *timeout < most);
    let timeout = asked.unwrap_or(most);
    let cancel = Cancel::new();
    let _stop = StopOnDrop(cancel.clone());
    let engine = app.context.promql.clone();
    let work = async {
        let mut slots: Vec<OwnedSemaphorePermit> = Vec::new();
        for slot in among {
            let slot = Arc::clone(slot).acquire_owned().await;
            slots.push(slot.map_err(|error| Failure::internal(&error))?);
        }
        let task = tokio::task::spawn_blocking(move || {
            let _slots = slots;
            job(&engine, &cancel)
        });
        task.await.map_err(|error| Failure::internal(&error))?.map_err(|error| Failure::from(&error))
    };
    let done = match timeout {
        // No time at all: some would be had until the clock ticks.
        Duration::ZERO => None,
        timeout => tokio::time::timeout(timeout, work).await.ok(),
    };
    done.ok_or_else(|| {
        let limit = DurationText(timeout);
        let named = match asked {
            Some(_) => "the parameter timeout",
            None => "what server.request_timeout leaves",
        };
        Failure::timed_out(format!(
            "the query took longer than {limit} ({named}), the wait for its turn among \
             server.max_concurrent_queries included; ask for a shorter range, a larger step or fewer series"
        ))
    })?
}

/// What a query of our own gives now, for a page that is worth showing without it: what goes wrong is
/// logged.
pub(in crate::routes) async fn now(app: &Shared, query: Query) -> Vec<VectorSample> {
    let text = query.text().to_owned();
    let job: Job<_> = Box::new(move |engine, cancel| engine.instant(&query, Timestamp::now(), cancel));
    match run(app, None, job).await {
        Ok(output) => match output.value {
            Value::Vector(samples) => samples,
            Value::Scalar(_) | Value::Text { .. } | Value::Matrix(_) => Vec::new(),
        },
        Err(failure) => {
            tracing::warn!(query = %text, ?failure, "a query of our own failed");
            Vec::new()
        }
    }
}
