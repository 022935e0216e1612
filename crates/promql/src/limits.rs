//! What one query may cost, and how it is stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::DurationText;
use serde::{Deserialize, Serialize};

/// What one query may cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Samples that one query may read from the store.
    pub max_samples: u64,
    /// Values that one query may hold in memory at once: results, groups, and one side of each join.
    pub max_held_samples: u64,
    /// Series that one selector may match.
    pub max_series: u64,
    /// Steps of a range query.
    pub max_steps: u64,
    /// How long one query may take.
    #[schemars(with = "String")]
    pub timeout: DurationText,
    /// How long a sample is taken for the current one when no newer follows.
    #[schemars(with = "String")]
    pub lookback: DurationText,
    /// The step of a subquery that names none.
    #[schemars(with = "String")]
    pub subquery_step: DurationText,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_samples: 500_000_000,
            max_held_samples: 50_000_000,
            max_series: 1_000_000,
            max_steps: 11_000,
            timeout: DurationText(Duration::from_secs(120)),
            lookback: DurationText(Duration::from_secs(300)),
            subquery_step: DurationText(Duration::from_secs(60)),
        }
    }
}

/// A switch that stops a running query from another thread. Clones are the same switch.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A switch that is off.
    pub fn new() -> Self {
        Self::default()
    }

    /// A switch that nobody holds: the query ends by itself or by its timeout.
    pub fn never() -> Self {
        Self::default()
    }

    /// Stops the query at its next check.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the query shall stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
