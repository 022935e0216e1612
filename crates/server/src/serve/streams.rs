//! Who runs the requests of HTTP/2: a task for each, owned by the server and ended with it.

use std::future::Future;

use hyper::rt::Executor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Runs requests of HTTP/2.
#[derive(Clone)]
pub(super) struct Streams {
    pub(super) tracker: TaskTracker,
    pub(super) force: CancellationToken,
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, request: F) {
        let force = self.force.clone();
        self.tracker.spawn(async move { force.run_until_cancelled_owned(request).await });
    }
}
