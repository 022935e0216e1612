//! What is in memory and not in files yet.
//!
//! There is one head that takes what comes, and at most one frozen head whose files are being written.

pub(crate) mod events;
mod ids;
mod late;
pub(crate) mod metrics;
mod packed;
pub(crate) mod registry;
mod runs;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use events::EventsHead;
use metrics::{Limits, MetricsHead};

/// Metrics and events in memory.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) metrics: MetricsHead,
    pub(crate) events: EventsHead,
    since: OnceLock<Instant>,
}

impl Head {
    /// An empty head that follows `previous`.
    pub(crate) fn after(previous: Option<&Self>, limits: Limits) -> Self {
        Self {
            metrics: MetricsHead::after(previous.map(|head| &head.metrics), limits),
            events: EventsHead::default(),
            since: OnceLock::new(),
        }
    }

    /// Notes that something has been added, for [`Head::age`].
    pub(crate) fn touch(&self) {
        self.since.get_or_init(Instant::now);
    }

    /// How long ago the first thing was added.
    pub(crate) fn age(&self) -> Duration {
        self.since.get().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// Roughly how much memory the head takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.metrics.sample_bytes() + self.metrics.series_bytes() + self.events.bytes()
    }
}
