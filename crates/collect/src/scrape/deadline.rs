//! When a scrape must have its answer.

use std::time::Duration;

use model::DurationText;
use tokio::time::Instant;

use super::error::ScrapeError;

/// A moment, and how long it was until then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    at: Instant,
    timeout: Duration,
}

impl Deadline {
    pub(super) fn after(timeout: Duration) -> Self {
        Self { at: Instant::now() + timeout, timeout }
    }

    pub(super) fn at(self) -> Instant {
        self.at
    }

    /// How long it was.
    pub(super) fn timeout(self) -> Duration {
        self.timeout
    }

    /// What comes of `future`, if it comes in time.
    pub(super) async fn bound<T>(self, future: impl Future<Output = T>) -> Result<T, ScrapeError> {
        let in_time = tokio::time::timeout_at(self.at, future).await;
        in_time.map_err(|_| ScrapeError::TimedOut(DurationText(self.timeout)))
    }
}
