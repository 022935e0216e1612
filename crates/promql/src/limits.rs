//! What queries may cost.

use std::time::Duration;

use model::{ByteSize, DurationText};
use serde::{Deserialize, Serialize};

/// What one query may cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Samples that one query may read from the store.
    pub max_samples: u64,
    /// Values of eight bytes that one query may hold in memory at once: results (two for each sample, which has a
    /// time), groups, one side of each join, and the labels of all these. All queries together may hold twice that.
    pub max_held_samples: u64,
    /// Series that one selector may match.
    pub max_series: u64,
    /// Steps of a range query.
    pub max_steps: u64,
    /// Bytes of answers that are kept, of all queries together: whoever asks the same a moment later, as a
    /// dashboard does, waits only for what is new. 0 keeps none.
    #[schemars(with = "String")]
    pub cache_bytes: ByteSize,
    /// Whether queries with steps of whole five minutes or hours read rollups instead of samples.
    pub rollups: bool,
    /// Whether functions, aggregations, modifiers and durations may be used that Prometheus has behind a flag:
    /// they may change there, and then here.
    pub experimental: bool,
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
            // Prometheus takes a range of 11,000 times the step, which has one more at its end.
            max_steps: 11_001,
            cache_bytes: ByteSize(32 << 20),
            rollups: true,
            experimental: true,
            timeout: DurationText(Duration::from_secs(120)),
            lookback: DurationText(Duration::from_secs(300)),
            subquery_step: DurationText(Duration::from_secs(60)),
        }
    }
}
