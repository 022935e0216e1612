//! Quantiles of any number of durations in bounded memory.

use std::collections::BTreeMap;

/// Buckets per doubling. A quantile is given as the middle of its bucket, which is right to within 1.1 %.
const PER_DOUBLING: f64 = 32.0;
/// The shortest duration told apart, in seconds.
const SHORTEST: f64 = 1e-6;
/// Forty doublings of a microsecond are twelve days; what takes longer is counted as that.
const BUCKETS: u16 = 40 * 32;

/// Durations by logarithmic buckets, of which only those that occur take memory.
#[derive(Clone, Debug, Default)]
pub struct Quantiles {
    counts: BTreeMap<u16, u64>,
    total: u64,
}

impl Quantiles {
    pub(crate) fn observe(&mut self, seconds: f64) {
        // `max` takes the other side of a NaN.
        let place = ((seconds / SHORTEST).max(1.0).log2() * PER_DOUBLING) as u16;
        *self.counts.entry(place.min(BUCKETS)).or_default() += 1;
        self.total += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (place, count) in &other.counts {
            *self.counts.entry(*place).or_default() += count;
        }
        self.total += other.total;
    }

    /// The duration that a share of the durations, 0 to 1, does not exceed, in seconds; `None` without any.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = ((share * self.total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let place = self.counts.iter().find_map(|(place, count)| {
            seen += count;
            (seen >= wanted).then_some(*place)
        })?;
        Some(SHORTEST * ((f64::from(place) + 0.5) / PER_DOUBLING).exp2())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_within_their_bound() {
        let mut durations = Quantiles::default();
        (1..=10_000).for_each(|n| durations.observe(f64::from(n) / 1000.0));
        for (share, exact) in [(0.5, 5.0), (0.95, 9.5), (0.99, 9.9), (1.0, 10.0), (0.0001, 0.001)] {
            let found = durations.quantile(share).expect("not empty");
            assert!((found / exact - 1.0).abs() < 0.012, "{share}: {found} and not {exact}");
        }
        assert_eq!(Quantiles::default().quantile(0.5), None);
    }

    #[test]
    fn no_duration_is_without_a_place() {
        let mut durations = Quantiles::default();
        [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300]
            .into_iter()
            .for_each(|seconds| durations.observe(seconds));
        assert_eq!(durations.total, 5);
        assert!(durations.quantile(0.99).is_some_and(f64::is_finite));
    }
}
