//! Work that blocks (queries, scans), off the async threads and a bounded number at a time.

use std::sync::Arc;

use crate::context::Shared;
use crate::problem::Problem;

/// Runs `work` once there is a slot for it. The slot is held until the work really ends, also when
/// nobody waits for it any more.
pub(crate) async fn run<T: Send + 'static>(
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
