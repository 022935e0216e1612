//! Histograms cut at a value: only the observations below it, or above it, are left.
//!
//! Where a cut goes through a bucket, its observations are divided as quantiles divide them. The sum is estimated anew
//! from the middle of what is left of each bucket, unless nothing was cut off.

use super::buckets::{Bucket, Side};
use super::{Buckets, Histogram};

/// Which observations are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Those below.
    Below,
    /// Those above.
    Above,
}

/// What is left of a bucket: how many observations, and the value that they are taken for.
struct Rest {
    count: f64,
    middle: f64,
}

impl Histogram {
    /// What is left when it is cut at a value.
    pub fn trimmed(&self, at: f64, keep: Keep) -> Self {
        let mut trimmed = self.clone();
        let (mut count, mut sum, mut is_cut) = (0.0, 0.0, false);
        let mut cut = |bucket: &Bucket, rest: Rest| {
            count += rest.count;
            sum += rest.middle * rest.count;
            is_cut |= rest.count != bucket.count;
            rest.count
        };
        let has_any = |buckets: &Buckets| buckets.counts.iter().any(|count| *count != 0.0);
        for side in [Side::Positive, Side::Negative] {
            let (from, into) = match side {
                Side::Positive => (&self.positive, &mut trimmed.positive),
                Side::Negative => (&self.negative, &mut trimmed.negative),
            };
            for (place, bucket) in from.indexed().enumerate().filter(|(_, (_, count))| *count != 0.0) {
                let bucket = self.bucket(side, bucket);
                into.counts[place] = cut(&bucket, self.rest(&bucket, at, keep));
            }
        }
        if self.zero_count > 0.0 {
            let mut bucket = self.zero_bucket();
            match (has_any(&self.negative), has_any(&self.positive)) {
                (true, false) => bucket.upper = 0.0,
                (false, true) => bucket.lower = 0.0,
                _ => {}
            }
            trimmed.zero_count = cut(&bucket, rest_of_zero(&bucket, at, keep));
        }
        if is_cut {
            trimmed.count = count;
            trimmed.sum = sum;
            trimmed.compact();
        }
        trimmed
    }

    fn rest(&self, bucket: &Bucket, at: f64, keep: Keep) -> Rest {
        let Bucket { lower, upper, count, .. } = *bucket;
        let (is_kept, is_gone) = match keep {
            Keep::Below => (upper <= at, lower >= at),
            Keep::Above => (lower >= at, upper <= at),
        };
        if is_kept {
            return Rest { count, middle: self.middle(lower, upper) };
        }
        if is_gone || at.is_nan() {
            return Rest { count: 0.0, middle: 0.0 };
        }
        if lower.is_infinite() || upper.is_infinite() {
            return rest_of_infinite(bucket, at, keep);
        }
        let below = count * self.fraction_below(bucket, at);
        match keep {
            Keep::Below => Rest { count: below, middle: self.middle(lower, at) },
            Keep::Above => Rest { count: count - below, middle: self.middle(at, upper) },
        }
    }

    fn fraction_below(&self, bucket: &Bucket, at: f64) -> f64 {
        let Bucket { lower, upper, .. } = *bucket;
        if self.has_custom_bounds() {
            return (at - lower) / (upper - lower);
        }
        let [near, far, log_at] = [lower, upper, at].map(|number| number.abs().log2());
        if upper > 0.0 { (log_at - near) / (far - near) } else { 1.0 - (log_at - far) / (near - far) }
    }

    /// The value that observations between two are taken for.
    fn middle(&self, lower: f64, upper: f64) -> f64 {
        match (lower.is_infinite(), upper.is_infinite()) {
            (true, true) => 0.0,
            (true, false) if upper > 0.0 => upper / 2.0,
            (true, false) => upper,
            (false, true) => lower,
            (false, false) if self.has_custom_bounds() => f64::midpoint(lower, upper),
            (false, false) => (lower * upper).abs().sqrt().copysign(lower),
        }
    }
}

/// Nothing is known of how observations lie in a bucket without end, so nothing is made up: such a bucket is kept or
/// dropped as a whole, but for one that is taken to begin at zero.
fn rest_of_infinite(bucket: &Bucket, at: f64, keep: Keep) -> Rest {
    let Bucket { lower, upper, count, .. } = *bucket;
    let begins_at_zero = lower == f64::NEG_INFINITY && upper > 0.0 && upper.is_finite();
    match keep {
        Keep::Below if begins_at_zero && at > 0.0 => Rest { count: count * at / upper, middle: at / 2.0 },
        Keep::Below if lower == f64::NEG_INFINITY && upper <= 0.0 => Rest { count, middle: at },
        Keep::Above if begins_at_zero && at >= 0.0 => {
            Rest { count: count * (1.0 - at / upper), middle: f64::midpoint(at, upper) }
        }
        Keep::Above if lower.is_finite() => Rest { count, middle: at },
        _ => Rest { count: 0.0, middle: 0.0 },
    }
}

fn rest_of_zero(bucket: &Bucket, at: f64, keep: Keep) -> Rest {
    let Bucket { lower, upper, count, .. } = *bucket;
    let (is_below, is_above) = (at >= upper && at > lower, at <= lower);
    match keep {
        Keep::Below if is_above => Rest { count: 0.0, middle: 0.0 },
        Keep::Above if is_below => Rest { count: 0.0, middle: 0.0 },
        _ if is_below || is_above => Rest { count, middle: f64::midpoint(lower, upper) },
        Keep::Below => {
            Rest { count: count * (at - lower) / (upper - lower), middle: f64::midpoint(lower, at) }
        }
        Keep::Above => {
            Rest { count: count * (upper - at) / (upper - lower), middle: f64::midpoint(at, upper) }
        }
    }
}
