//! A small digest of durations: enough to say what is unusual.

/// Buckets per doubling; a quantile is exact to within a quarter of a doubling.
const PER_DOUBLING: f64 = 4.0;
/// The shortest duration told apart, in seconds.
const SHORTEST: f64 = 0.001;
/// Enough for 2^31 ms, which is 24 days.
const BUCKETS: usize = 125;
/// Beyond this many, old durations are given half their weight, so that the digest follows a change.
const HALVED_AT: u32 = 1_000;

/// Durations by logarithmic buckets.
#[derive(Clone, Debug)]
pub(crate) struct Digest {
    counts: Box<[u32; BUCKETS]>,
    total: u32,
}

impl Default for Digest {
    fn default() -> Self {
        Self { counts: Box::new([0; BUCKETS]), total: 0 }
    }
}

impl Digest {
    pub(crate) fn observe(&mut self, seconds: f64) {
        let place = ((seconds / SHORTEST).max(1.0).log2() * PER_DOUBLING) as usize;
        self.counts[place.min(BUCKETS - 1)] += 1;
        self.total += 1;
        if self.total >= HALVED_AT {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.total = self.counts.iter().sum();
        }
    }

    /// How many durations it rests on.
    pub(crate) fn weight(&self) -> u32 {
        self.total
    }

    /// The duration that a share of the durations does not exceed, in seconds: the upper edge of the
    /// bucket in which it lies.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = (share * f64::from(self.total)).ceil().max(1.0) as u32;
        let mut seen = 0;
        let place = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        Some(SHORTEST * ((place + 1) as f64 / PER_DOUBLING).exp2())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_right_to_within_a_bucket() {
        let mut digest = Digest::default();
        (1..=500).for_each(|seconds| digest.observe(f64::from(seconds)));
        let p95 = digest.quantile(0.95).expect("not empty");
        assert!((475.0..475.0 * 1.2).contains(&p95), "{p95}");
        assert_eq!(Digest::default().quantile(0.5), None);
    }

    #[test]
    fn it_follows_a_change() {
        let mut digest = Digest::default();
        (0..900).for_each(|_| digest.observe(100.0));
        (0..10_000).for_each(|_| digest.observe(1.0));
        assert!(digest.quantile(0.95).expect("not empty") < 2.0);
        assert!(digest.weight() < HALVED_AT);
    }

    #[test]
    fn extreme_durations_find_a_bucket() {
        let mut digest = Digest::default();
        [0.0, -1.0, 1e300, f64::INFINITY, f64::NAN].into_iter().for_each(|seconds| digest.observe(seconds));
        assert_eq!(digest.weight(), 5);
    }
}
