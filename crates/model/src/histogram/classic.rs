//! Classic histograms, which are several series, made into native ones with the same bounds.

use super::{Buckets, CUSTOM_SCHEMA, Histogram, InvalidHistogram, MAX_BUCKETS, Span};

/// Which series of a classic histogram a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassicPart {
    /// How many observations were at most a bound, which the label `le` says.
    Bucket,
    /// How many observations there were.
    Count,
    /// Their sum.
    Sum,
}

impl ClassicPart {
    /// Takes the name of a series apart: the name of the histogram, and what the series is of it.
    pub fn of(name: &str) -> Option<(&str, Self)> {
        let parts = [("_bucket", Self::Bucket), ("_count", Self::Count), ("_sum", Self::Sum)];
        parts.into_iter().find_map(|(suffix, part)| Some((name.strip_suffix(suffix)?, part)))
    }
}

/// What the series of one classic histogram say at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassicHistogram {
    /// Observations that were at most a bound, by bound, in the order in which they came.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

impl ClassicHistogram {
    /// Adds what the series of a bound says. Of a bound that is said twice the first holds, as in Prometheus.
    pub fn add_bucket(&mut self, bound: f64, observations: f64) {
        self.buckets.push((bound, observations));
    }

    /// Takes how many observations there were; where nobody says so, the last bucket does.
    pub fn set_count(&mut self, count: f64) {
        self.count = Some(count);
    }

    /// Takes the sum of all observations.
    pub fn set_sum(&mut self, sum: f64) {
        self.sum = sum;
    }

    /// The same observations in a native histogram with the same bounds.
    pub fn into_native(mut self) -> Result<Histogram, InvalidHistogram> {
        if self.buckets.len() > MAX_BUCKETS {
            return Err(InvalidHistogram::TooMany("buckets"));
        }
        if self.buckets.iter().any(|(bound, _)| bound.is_nan()) {
            return Err(InvalidHistogram::Bounds);
        }
        // Stable, so that the first of those with the same bound stays.
        self.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.buckets.dedup_by_key(|(bound, _)| *bound);
        let last = self.buckets.last().copied();
        let count = self.count.or(last.map(|(_, observations)| observations));
        let count = count.ok_or(InvalidHistogram::Empty)?;
        if last.is_none_or(|(bound, _)| bound != f64::INFINITY) {
            self.buckets.push((f64::INFINITY, count));
        }
        if self.buckets.last().is_some_and(|(_, observations)| *observations != count) {
            return Err(InvalidHistogram::LastBucket);
        }
        let mut before = 0.0;
        let counts: Vec<f64> = (self.buckets.iter())
            .map(|(_, observations)| observations - std::mem::replace(&mut before, *observations))
            .collect();
        if counts.iter().any(|count| *count < 0.0) {
            return Err(InvalidHistogram::NotCumulative);
        }
        let bounds = self.buckets.iter().map(|(bound, _)| *bound).filter(|bound| *bound != f64::INFINITY);
        let spans = vec![Span { offset: 0, length: counts.len() as u32 }];
        let native = Histogram {
            schema: CUSTOM_SCHEMA,
            count,
            sum: self.sum,
            custom_bounds: bounds.collect(),
            positive: Buckets { spans, counts },
            ..Histogram::default()
        };
        native.compacted().checked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(buckets: &[(f64, f64)], count: Option<f64>) -> ClassicHistogram {
        ClassicHistogram { buckets: buckets.to_vec(), count, sum: 4.5 }
    }

    #[test]
    fn a_name_says_what_a_series_is_of_its_histogram() {
        assert_eq!(ClassicPart::of("took_bucket"), Some(("took", ClassicPart::Bucket)));
        assert_eq!(ClassicPart::of("took_sum_count"), Some(("took_sum", ClassicPart::Count)));
        assert_eq!(ClassicPart::of("took_sum"), Some(("took", ClassicPart::Sum)));
        assert_eq!(ClassicPart::of("took"), None);
    }

    #[test]
    fn buckets_keep_their_bounds_and_lose_what_is_below_them() {
        let infinite = f64::INFINITY;
        let native = of(&[(1.0, 2.0), (0.5, 1.0), (infinite, 7.0), (1.0, 3.0)], Some(7.0)).into_native();
        let native = native.expect("a histogram");
        assert_eq!((native.schema, native.count, native.sum), (CUSTOM_SCHEMA, 7.0, 4.5));
        assert_eq!(native.custom_bounds, [0.5, 1.0]);
        assert_eq!(native.positive.counts, [1.0, 1.0, 5.0]);
        // Whoever does not show the last bucket, or the count, is understood all the same.
        let count = of(&[(0.5, 1.0), (1.0, 2.0)], Some(7.0)).into_native();
        assert_eq!(count.expect("a histogram"), native);
        let bucket = of(&[(0.5, 1.0), (1.0, 2.0), (infinite, 7.0)], None).into_native();
        assert_eq!(bucket.expect("a histogram"), native);
    }

    #[test]
    fn what_contradicts_itself_is_no_histogram() {
        let infinite = f64::INFINITY;
        let cases = [
            (of(&[], None), InvalidHistogram::Empty),
            (of(&[(1.0, 2.0), (2.0, 1.0)], Some(2.0)), InvalidHistogram::NotCumulative),
            (of(&[(1.0, -2.0)], Some(2.0)), InvalidHistogram::NotCumulative),
            (of(&[(1.0, 2.0), (infinite, 2.0)], Some(3.0)), InvalidHistogram::LastBucket),
            (of(&[(1.0, f64::NAN), (infinite, f64::NAN)], None), InvalidHistogram::LastBucket),
            (of(&[(f64::NAN, 2.0)], Some(2.0)), InvalidHistogram::Bounds),
            (of(&[(-infinite, 2.0)], Some(2.0)), InvalidHistogram::Bounds),
        ];
        for (histogram, expected) in cases {
            assert_eq!(histogram.clone().into_native(), Err(expected), "{histogram:?}");
        }
    }
}
