//! Quantiles of a histogram, and the fraction of observations between two values: one is about the inverse of the other.
//!
//! Within an exponential bucket observations are taken to lie evenly on a logarithmic scale; within the zero bucket and
//! within buckets with bounds of their own evenly between the bounds, as in classic histograms.

use super::Histogram;
use super::buckets::Bucket;

/// What observations that are NaN, which are in no bucket, have done to an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NanObservations {
    /// Nothing: there are none.
    #[default]
    None,
    /// They count among all observations, as if they were larger than any.
    Counted,
    /// The answer is one of them.
    Answer,
}

impl Histogram {
    /// The φ-quantile.
    pub fn quantile(&self, phi: f64) -> (f64, NanObservations) {
        if phi < 0.0 {
            return (f64::NEG_INFINITY, NanObservations::None);
        }
        if phi > 1.0 {
            return (f64::INFINITY, NanObservations::None);
        }
        if self.count == 0.0 || phi.is_nan() {
            return (f64::NAN, NanObservations::None);
        }
        let mut buckets = self.buckets();
        // From above rounding errors are smaller where most is below; NaNs are counted from below.
        let from_below = self.sum.is_nan() || phi < 0.5;
        if !from_below {
            buckets.reverse();
        }
        let mut rank = (if from_below { phi } else { 1.0 - phi }) * self.count;
        let mut count = 0.0;
        let mut found = None;
        let mut rest = buckets.iter();
        for bucket in rest.by_ref() {
            found = Some(*bucket);
            count += bucket.count;
            if bucket.count != 0.0 && count >= rank {
                break;
            }
        }
        let none = Bucket { lower: 0.0, upper: 0.0, has_lower: false, has_upper: false, count: 0.0 };
        let mut bucket = found.unwrap_or(none);
        if self.has_custom_bounds() {
            if bucket.lower == f64::NEG_INFINITY {
                if bucket.upper <= 0.0 {
                    return (bucket.upper, NanObservations::None);
                }
                bucket.lower = 0.0;
            } else if bucket.upper == f64::INFINITY {
                return (bucket.lower, NanObservations::None);
            }
        } else if bucket.lower < 0.0 && bucket.upper > 0.0 {
            self.narrow_zero_bucket(&mut bucket);
        }
        count = if count > self.count { self.count } else { count };
        if count < rank {
            return match self.sum.is_nan() {
                true => (f64::NAN, NanObservations::Answer),
                false => (bucket.upper, NanObservations::None),
            };
        }
        rank = if from_below { rank - (count - bucket.count) } else { count - rank };
        let mut nans = NanObservations::None;
        if self.sum.is_nan() && count + rest.map(|bucket| bucket.count).sum::<f64>() < self.count {
            nans = NanObservations::Counted;
        }
        let fraction = rank / bucket.count;
        let value = if self.is_linear(&bucket) {
            bucket.lower + (bucket.upper - bucket.lower) * fraction
        } else {
            let (lower, upper) = (bucket.lower.abs().log2(), bucket.upper.abs().log2());
            match bucket.lower > 0.0 {
                true => (lower + (upper - lower) * fraction).exp2(),
                false => -(upper + (lower - upper) * (1.0 - fraction)).exp2(),
            }
        };
        (value, nans)
    }

    /// The fraction of all observations that lies between two values.
    pub fn fraction(&self, lower: f64, upper: f64) -> (f64, NanObservations) {
        if self.count == 0.0 || lower.is_nan() || upper.is_nan() {
            return (f64::NAN, NanObservations::None);
        }
        if lower >= upper {
            return (0.0, NanObservations::None);
        }
        let (mut below, mut ranks) = (0.0, [None; 2]);
        let buckets = self.buckets();
        for bucket in &buckets {
            let mut bucket = *bucket;
            let is_linear = self.is_linear(&bucket);
            if bucket.lower <= 0.0 && bucket.upper >= 0.0 {
                self.narrow_zero_bucket(&mut bucket);
            }
            for (rank, value) in ranks.iter_mut().zip([lower, upper]).filter(|(rank, _)| rank.is_none()) {
                if bucket.lower >= value {
                    *rank = Some(below);
                } else if bucket.upper > value {
                    *rank = Some(rank_within(&bucket, value, below, is_linear));
                }
            }
            below += bucket.count;
        }
        let in_buckets: f64 = buckets.iter().map(|bucket| bucket.count).sum();
        let (most, nans) = match self.sum.is_nan() {
            true if in_buckets < self.count => (in_buckets, NanObservations::Counted),
            true => (in_buckets, NanObservations::None),
            false => (self.count, NanObservations::None),
        };
        let [lower, upper] = ranks.map(|rank| rank.filter(|rank| *rank <= most).unwrap_or(most));
        ((upper - lower) / self.count, nans)
    }

    fn is_linear(&self, bucket: &Bucket) -> bool {
        self.has_custom_bounds() || (bucket.lower <= 0.0 && bucket.upper >= 0.0)
    }

    /// Where all other observations are on one side of zero, so are those in the zero bucket.
    fn narrow_zero_bucket(&self, bucket: &mut Bucket) {
        match (self.negative.counts.is_empty(), self.positive.counts.is_empty()) {
            (true, false) => bucket.lower = 0.0,
            (false, true) => bucket.upper = 0.0,
            _ => {}
        }
    }
}

/// How many observations are below a value that is within a bucket.
fn rank_within(bucket: &Bucket, value: f64, below: f64, is_linear: bool) -> f64 {
    let Bucket { lower, upper, count, .. } = *bucket;
    if is_linear {
        // Nothing is known of how far an infinite bucket reaches.
        return if lower == f64::NEG_INFINITY {
            count
        } else {
            below + count * (value - lower) / (upper - lower)
        };
    }
    let [lower, upper, at] = [lower, upper, value].map(|number| number.abs().log2());
    let fraction =
        if value > 0.0 { (at - lower) / (upper - lower) } else { 1.0 - (at - upper) / (lower - upper) };
    below + count * fraction
}
