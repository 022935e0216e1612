//! Why a store takes nothing more: said once, to whoever runs it.

use std::sync::Arc;

use tokio::sync::watch;

use crate::EngineError;

/// Nothing, until the log can no longer be written.
#[derive(Debug)]
pub(crate) struct Failure(watch::Sender<Option<Arc<EngineError>>>);

impl Default for Failure {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Failure {
    /// Says why; the first reason stays.
    pub(crate) fn tell(&self, error: EngineError) {
        self.0.send_if_modified(|told| {
            let is_first = told.is_none();
            told.get_or_insert_with(|| Arc::new(error));
            is_first
        });
    }

    /// Waits until there is a reason.
    pub(crate) async fn told(&self) -> Arc<EngineError> {
        let mut receiver = self.0.subscribe();
        loop {
            if let Some(error) = &*receiver.borrow_and_update() {
                return Arc::clone(error);
            }
            receiver.changed().await.expect("the sender is borrowed by this future");
        }
    }
}
