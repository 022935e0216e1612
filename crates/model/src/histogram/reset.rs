//! Whether the counters of a histogram began again.

use super::layout::Layout;
use super::{Histogram, ResetHint};

impl Histogram {
    /// Whether its counters began again since an earlier histogram of the series: something is counted less often, a
    /// bucket is gone that had observations, or buckets became narrower. What is known already is not found out again.
    pub fn is_reset_since(&self, before: &Self) -> bool {
        match self.reset {
            ResetHint::Reset => return true,
            ResetHint::NotReset => return false,
            // A gauge that is looked at as a counter is treated as one.
            ResetHint::Unknown | ResetHint::Gauge => {}
        }
        if self.count < before.count {
            return true;
        }
        match (self.has_custom_bounds(), before.has_custom_bounds()) {
            (true, true) => match Layout::of(self, before) {
                Ok(common) => is_less(&self.poured(&common), &before.poured(&common)),
                Err(_) => true,
            },
            (false, false) => {
                if self.schema > before.schema || self.zero_threshold < before.zero_threshold {
                    return true;
                }
                // A counter's zero bucket grows by whole buckets.
                if before.threshold_from(self.zero_threshold) != self.zero_threshold {
                    return true;
                }
                let own = Layout::Exponential { schema: self.schema, zero_threshold: self.zero_threshold };
                is_less(self, &before.poured(&own))
            }
            _ => true,
        }
    }
}

/// Whether a bucket has less than it had before.
fn is_less(now: &Histogram, before: &Histogram) -> bool {
    let mut sides = now.positive.beside(&before.positive).chain(now.negative.beside(&before.negative));
    now.zero_count < before.zero_count || sides.any(|(_, now, before)| now < before)
}
