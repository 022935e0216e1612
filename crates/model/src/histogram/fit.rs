//! Histograms within a bound on buckets.

use super::Histogram;
use super::check::MIN_SCHEMA;

impl Histogram {
    /// Buckets of both sides.
    pub fn bucket_count(&self) -> usize {
        self.positive.counts.len() + self.negative.counts.len()
    }

    /// Makes buckets coarser, step by step, until there are at most `most`; `false` when that cannot be.
    pub fn fit_buckets(&mut self, most: usize) -> bool {
        while self.bucket_count() > most {
            if self.schema <= MIN_SCHEMA {
                return false;
            }
            self.positive = self.positive.coarser(1);
            self.negative = self.negative.coarser(1);
            self.schema -= 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::Histogram;
    use crate::histogram::{Buckets, CUSTOM_SCHEMA, Span};

    fn of(schema: i8, counts: &[f64]) -> Histogram {
        let spans = vec![Span { offset: 1, length: counts.len() as u32 }];
        Histogram { schema, positive: Buckets { spans, counts: counts.to_vec() }, ..Histogram::default() }
    }

    #[test]
    fn buckets_become_no_coarser_than_they_must_be() {
        let mut histogram = of(2, &[1.0, 2.0, 3.0, 4.0]);
        assert!(histogram.fit_buckets(4));
        assert_eq!(histogram, of(2, &[1.0, 2.0, 3.0, 4.0]));
        assert!(histogram.fit_buckets(3));
        assert_eq!(histogram, of(1, &[3.0, 7.0]));
        assert!(histogram.fit_buckets(1));
        assert_eq!(histogram, of(0, &[10.0]));
    }

    #[test]
    fn what_cannot_become_coarse_enough_is_told() {
        let mut both = of(-3, &[1.0, 2.0]);
        both.negative = both.positive.clone();
        assert!(!both.fit_buckets(1));
        let mut custom = of(CUSTOM_SCHEMA, &[1.0, 2.0]);
        custom.custom_bounds = vec![1.0];
        assert!(!custom.clone().fit_buckets(1));
        assert_eq!(custom.bucket_count(), 2);
    }
}
