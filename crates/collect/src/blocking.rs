//! Work that reads `/proc` or asks a file system, off the async threads.
//!
//! The kernel can keep a reader waiting for ever (a dead disk). Then the one thread that waits is the
//! price: no further pass is started until it is back, and each says so.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::collector::CollectError;
use crate::runner::panic_text;

/// State that one blocking pass at a time works on.
pub(crate) struct Blocking<T>(Arc<Mutex<T>>);

impl<T: Send + 'static> Blocking<T> {
    pub(crate) fn new(state: T) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// Changes the state, while no pass runs.
    #[cfg(test)]
    pub(crate) fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.0.lock())
    }

    /// Whether nothing works on the state, and nothing is about to.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Runs `work` on the state. When an earlier call was given up and still runs, fails at once.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut T) -> Result<R, CollectError> + Send + 'static,
    ) -> Result<R, CollectError> {
        let state = Arc::clone(&self.0);
        let pass = tokio::task::spawn_blocking(move || match state.try_lock() {
            Some(mut state) => work(&mut state),
            None => Err(CollectError::StillBusy),
        });
        match pass.await {
            Ok(outcome) => outcome,
            Err(error) => Err(CollectError::Panicked(match error.try_into_panic() {
                Ok(panic) => panic_text(&*panic),
                Err(_) => "the program is ending".to_owned(),
            })),
        }
    }
}
