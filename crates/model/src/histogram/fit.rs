//! Histograms within a bound on buckets, or on how fine they are.

use super::check::{MAX_SCHEMA, MIN_SCHEMA};
use super::{CUSTOM_SCHEMA, Histogram, MAX_BUCKETS};

/// The finest schema whose buckets are each at least so many times as wide as the one before; the coarsest where even
/// its buckets are not. Anything that is no more than 1 asks for nothing.
pub fn schema_of_factor(factor: f64) -> i8 {
    if factor.is_nan() || factor <= 1.0 {
        return MAX_SCHEMA;
    }
    let exact = -factor.log2().log2();
    exact.floor().clamp(f64::from(MIN_SCHEMA), f64::from(MAX_SCHEMA)) as i8
}

impl Histogram {
    /// Makes buckets coarser until their schema is at most this. Bounds of its own stay.
    pub fn fit_schema(&mut self, most: i8) {
        let most = most.max(MIN_SCHEMA);
        if self.schema == CUSTOM_SCHEMA || self.schema <= most {
            return;
        }
        let by = (self.schema - most).unsigned_abs();
        self.positive = self.positive.coarser(by);
        self.negative = self.negative.coarser(by);
        self.schema = most;
    }

    /// Buckets of both sides.
    pub fn bucket_count(&self) -> usize {
        self.positive.counts.len() + self.negative.counts.len()
    }

    /// Makes buckets coarser, step by step, until there are at most `most`; `false` when that cannot be.
    pub fn fit_buckets(&mut self, most: usize) -> bool {
        while self.bucket_count() > most {
            if !self.halve() {
                return false;
            }
        }
        true
    }

    /// Whether it has no more buckets and spans on a side than a stored one may have.
    pub fn fits_format(&self) -> bool {
        [&self.positive, &self.negative]
            .iter()
            .all(|side| side.counts.len() <= MAX_BUCKETS && side.spans.len() <= MAX_BUCKETS)
    }

    /// Makes buckets coarser, step by step, until it can be stored; `false` when that cannot be.
    pub fn fit_format(&mut self) -> bool {
        while !self.fits_format() {
            if !self.halve() {
                return false;
            }
        }
        true
    }

    /// Makes one bucket of two; `false` when there are none that are coarser.
    fn halve(&mut self) -> bool {
        if self.schema <= MIN_SCHEMA {
            return false;
        }
        self.positive = self.positive.coarser(1);
        self.negative = self.negative.coarser(1);
        self.schema -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::Histogram;
    use crate::histogram::{Buckets, CUSTOM_SCHEMA, MAX_BUCKETS, Span, schema_of_factor};

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
    fn a_factor_between_buckets_tells_the_finest_schema() {
        let cases = [
            (0.0, 8),
            (1.0, 8),
            (1.002, 8),
            (1.01, 6),
            (1.1, 2),
            (2f64.powf(0.25), 2),
            (2.0, 0),
            (4.0, -1),
            (1e9, -4),
            (f64::INFINITY, -4),
            (f64::NAN, 8),
        ];
        for (factor, expected) in cases {
            assert_eq!(schema_of_factor(factor), expected, "{factor}");
        }
    }

    #[test]
    fn buckets_become_as_coarse_as_they_are_told_to() {
        let mut histogram = of(2, &[1.0, 2.0, 3.0, 4.0]);
        histogram.fit_schema(3);
        assert_eq!(histogram, of(2, &[1.0, 2.0, 3.0, 4.0]));
        histogram.fit_schema(0);
        assert_eq!(histogram, of(0, &[10.0]));
        let mut custom = of(CUSTOM_SCHEMA, &[1.0]);
        custom.fit_schema(-4);
        assert_eq!(custom, of(CUSTOM_SCHEMA, &[1.0]));
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

    #[test]
    fn a_histogram_fits_the_format_as_long_as_it_can_be_read_back() {
        for (count, fits) in [(MAX_BUCKETS, true), (MAX_BUCKETS + 1, false)] {
            let negative = of(0, &vec![1.0; count]).positive;
            let histogram = Histogram { negative, ..Histogram::default() };
            let mut bytes = Vec::new();
            histogram.encode(&mut bytes);
            let is_read = Histogram::decode(&bytes).is_ok();
            assert_eq!((histogram.fits_format(), is_read), (fits, fits), "{count}");
        }
    }

    #[test]
    fn what_has_too_many_buckets_to_be_stored_becomes_coarser_as_far_as_that_goes() {
        let mut wide = of(8, &vec![1.0; 2 * MAX_BUCKETS + 1]);
        assert!(!wide.fits_format() && wide.fit_format() && wide.fits_format());
        assert_eq!((wide.schema, wide.positive.counts.len()), (6, MAX_BUCKETS / 2 + 1));
        let mut bytes = Vec::new();
        wide.encode(&mut bytes);
        assert_eq!(Histogram::decode(&bytes), Ok(wide));
        // So far apart that nothing is joined.
        let span = Span { offset: 1 << 14, length: 1 };
        let counts = vec![1.0; MAX_BUCKETS + 1];
        let positive = Buckets { spans: vec![span; counts.len()], counts };
        let mut sparse = Histogram { schema: 8, positive, ..Histogram::default() };
        assert!(!sparse.fit_format());
        let mut custom = Histogram { schema: CUSTOM_SCHEMA, ..of(0, &vec![1.0; MAX_BUCKETS + 1]) };
        assert!(!custom.fit_format());
    }
}
