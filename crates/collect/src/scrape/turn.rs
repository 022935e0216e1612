//! A turn at the processor: no more bodies are read at the same moment than there are processors.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A turn, until it is dropped.
pub(super) struct Turn {
    all: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl Turn {
    pub(super) async fn take(all: &Arc<Semaphore>) -> Self {
        let held = Arc::clone(all).acquire_owned().await.ok();
        Self { all: Arc::clone(all), held }
    }

    /// Waits, on a thread that may block, for what others give back only when they have had their turn: so this one is
    /// given up until then.
    pub(super) fn pause<T>(&mut self, wait: impl Future<Output = T>) -> T {
        self.held = None;
        let runtime = Handle::current();
        let waited = runtime.block_on(wait);
        self.held = runtime.block_on(Arc::clone(&self.all).acquire_owned()).ok();
        waited
    }
}
