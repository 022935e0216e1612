//! What a histogram from outside must be like, before anything else is made of it.

use super::{Buckets, CUSTOM_SCHEMA, Histogram, MAX_BUCKETS, Span};

/// The finest schema that is kept.
pub(super) const MAX_SCHEMA: i8 = 8;
/// The coarsest.
pub(super) const MIN_SCHEMA: i8 = -4;
/// The finest schema that is taken: what is finer than [`MAX_SCHEMA`] is made coarser.
const MAX_TAKEN_SCHEMA: i8 = 52;

/// A histogram that is none, in words that say what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHistogram {
    /// Nobody knows the bounds of its buckets.
    #[error("its schema is {0}; -4 to 52 and -53 (bounds of its own) are known")]
    Schema(i8),
    /// Spans and counts do not fit each other.
    #[error("the spans of its {side} buckets have room for {spans} counts, and there are {counts}")]
    Spans {
        /// Positive or negative.
        side: &'static str,
        /// Buckets of all spans.
        spans: u64,
        /// Counts.
        counts: usize,
    },
    /// A span goes back to before the one that precedes it.
    #[error("a span of its {0} buckets begins before the end of the one before")]
    Overlap(&'static str),
    /// A bucket lies further out than any number.
    #[error("its {0} buckets lie out of range")]
    OutOfRange(&'static str),
    /// There is more than is taken.
    #[error("it has more than {MAX_BUCKETS} {0}")]
    TooMany(&'static str),
    /// Less than nothing was observed.
    #[error("its {0} is negative")]
    Negative(&'static str),
    /// Whole counts do not add up.
    #[error("its buckets hold {buckets} observations and its count is {count}")]
    Count {
        /// Observations in buckets.
        buckets: u64,
        /// Observations in all.
        count: u64,
    },
    /// A classic histogram of which nothing is known but its sum.
    #[error("it has neither buckets nor a count")]
    Empty,
    /// A bucket of a classic histogram holds fewer observations than one that is in it.
    #[error("a bucket of it holds fewer observations than one with a lower bound")]
    NotCumulative,
    /// The last bucket of a classic histogram holds other observations than all.
    #[error("its last bucket and its count differ")]
    LastBucket,
    /// A bound is no bound.
    #[error("its own bounds do not ascend from number to number")]
    Bounds,
    /// With bounds of its own all observations are in the positive buckets; without, it has none.
    #[error("it has {0}, which does not go with its schema")]
    Unfitting(&'static str),
}

impl Histogram {
    /// Checks what everybody else takes for granted. Buckets that are finer than any schema that is kept become
    /// coarser. That whole counts add up is for [`Histogram::check_whole_counts`].
    pub fn checked(mut self) -> Result<Self, InvalidHistogram> {
        if self.schema == CUSTOM_SCHEMA {
            self.check_custom()?;
        } else {
            if !(MIN_SCHEMA..=MAX_TAKEN_SCHEMA).contains(&self.schema) {
                return Err(InvalidHistogram::Schema(self.schema));
            }
            if !self.custom_bounds.is_empty() {
                return Err(InvalidHistogram::Unfitting("bounds of its own"));
            }
        }
        self.positive.check("positive")?;
        self.negative.check("negative")?;
        if self.schema == CUSTOM_SCHEMA
            && self
                .positive
                .ends()
                .is_some_and(|(first, last)| first < 0 || last > self.custom_bounds.len() as i64)
        {
            return Err(InvalidHistogram::OutOfRange("positive"));
        }
        for (count, name) in [(self.count, "count"), (self.zero_count, "count of zeros")] {
            if count < 0.0 {
                return Err(InvalidHistogram::Negative(name));
            }
        }
        if self.schema > MAX_SCHEMA {
            let by = (self.schema - MAX_SCHEMA).unsigned_abs();
            self.positive = self.positive.coarser(by);
            self.negative = self.negative.coarser(by);
            self.schema = MAX_SCHEMA;
        }
        Ok(self)
    }

    /// Checks that whole counts add up: that there are as many observations as in the buckets, or more when some of
    /// them are NaN, which no bucket has.
    pub fn check_whole_counts(&self) -> Result<(), InvalidHistogram> {
        let counts = self.positive.counts.iter().chain(&self.negative.counts).chain([&self.zero_count]);
        let buckets = counts.fold(0u64, |sum, count| sum.saturating_add(*count as u64));
        let count = self.count as u64;
        let fits = if self.sum.is_nan() { buckets <= count } else { buckets == count };
        if fits { Ok(()) } else { Err(InvalidHistogram::Count { buckets, count }) }
    }

    fn check_custom(&self) -> Result<(), InvalidHistogram> {
        if self.custom_bounds.len() > MAX_BUCKETS {
            return Err(InvalidHistogram::TooMany("bounds"));
        }
        let bounds = &self.custom_bounds;
        if !bounds.is_sorted_by(|a, b| a < b) || bounds.iter().any(|bound| !bound.is_finite()) {
            return Err(InvalidHistogram::Bounds);
        }
        if self.zero_count != 0.0 || self.zero_threshold != 0.0 {
            return Err(InvalidHistogram::Unfitting("a zero bucket"));
        }
        if !self.negative.spans.is_empty() || !self.negative.counts.is_empty() {
            return Err(InvalidHistogram::Unfitting("negative buckets"));
        }
        Ok(())
    }
}

impl Buckets {
    fn check(&self, side: &'static str) -> Result<(), InvalidHistogram> {
        if self.spans.len() > MAX_BUCKETS {
            return Err(InvalidHistogram::TooMany("spans"));
        }
        if self.counts.len() > MAX_BUCKETS {
            return Err(InvalidHistogram::TooMany("buckets"));
        }
        if self.spans.iter().skip(1).any(|span| span.offset < 0) {
            return Err(InvalidHistogram::Overlap(side));
        }
        let spans: u64 = self.spans.iter().map(|span| u64::from(span.length)).sum();
        if spans != self.counts.len() as u64 {
            return Err(InvalidHistogram::Spans { side, spans, counts: self.counts.len() });
        }
        let fits = |index: i64| i32::try_from(index).is_ok();
        if self.ends().is_some_and(|(first, last)| !fits(first) || !fits(last)) {
            return Err(InvalidHistogram::OutOfRange(side));
        }
        if self.counts.iter().any(|count| *count < 0.0) {
            return Err(InvalidHistogram::Negative("count of a bucket"));
        }
        Ok(())
    }

    /// The indexes of the first and the last bucket.
    fn ends(&self) -> Option<(i64, i64)> {
        let first = i64::from(self.spans.first()?.offset);
        let beyond: i64 = self.spans.iter().map(|span| i64::from(span.offset) + i64::from(span.length)).sum();
        Some((first, beyond - 1))
    }

    /// The buckets of a schema that is coarser by `by`: each takes in `2^by` of these.
    pub(super) fn coarser(&self, by: u8) -> Self {
        let mut merged = Self::default();
        let mut newest: Option<i64> = None;
        let (mut index, mut counts) = (0i64, self.counts.iter());
        for span in &self.spans {
            index += i64::from(span.offset);
            for _ in 0..span.length {
                let Some(count) = counts.next() else { return merged };
                // A bucket is named after its upper bound, so the last of those that become one has the index that
                // can be divided.
                let target = ((index - 1) >> by) + 1;
                index += 1;
                match newest {
                    Some(before) if before == target => {
                        if let Some(last) = merged.counts.last_mut() {
                            *last += count;
                        }
                        continue;
                    }
                    Some(before) if before + 1 == target => {
                        if let Some(span) = merged.spans.last_mut() {
                            span.length += 1;
                        }
                    }
                    _ => {
                        let offset = newest.map_or(target, |before| target - before - 1);
                        // It is no further out than the index that it was made of, which is an `i32`.
                        merged.spans.push(Span { offset: offset as i32, length: 1 });
                    }
                }
                merged.counts.push(*count);
                newest = Some(target);
            }
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(spans: &[(i32, u32)], counts: &[f64]) -> Buckets {
        let spans = spans.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect();
        Buckets { spans, counts: counts.to_vec() }
    }

    fn good() -> Histogram {
        Histogram {
            schema: 3,
            zero_count: 1.0,
            count: 7.0,
            sum: 10.0,
            positive: buckets(&[(-2, 2), (3, 1)], &[1.0, 2.0, 1.0]),
            negative: buckets(&[(0, 1)], &[2.0]),
            ..Histogram::default()
        }
    }

    fn custom() -> Histogram {
        Histogram {
            schema: CUSTOM_SCHEMA,
            count: 3.0,
            positive: buckets(&[(0, 3)], &[1.0, 1.0, 1.0]),
            custom_bounds: vec![1.0, 2.0],
            ..Histogram::default()
        }
    }

    #[test]
    fn what_is_right_is_left_as_it_is() {
        for histogram in [good(), custom(), Histogram::default()] {
            assert_eq!(histogram.clone().checked(), Ok(histogram.clone()));
            assert_eq!(histogram.check_whole_counts(), Ok(()));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let of = |base: Histogram, change: fn(&mut Histogram)| {
            let mut histogram = base;
            change(&mut histogram);
            histogram.checked().expect_err("it is wrong").to_string()
        };
        type Case = (fn(&mut Histogram), &'static str);
        let cases: [Case; 11] = [
            (|h| h.schema = 53, "its schema is 53"),
            (|h| h.schema = -5, "its schema is -5"),
            (|h| h.positive.counts.truncate(1), "positive buckets have room for 3 counts, and there are 1"),
            (|h| h.negative.spans[0].length = u32::MAX, "negative buckets have room for 4294967295"),
            (|h| h.positive.spans[1].offset = -1, "begins before the end"),
            (|h| h.negative.spans[0] = Span { offset: i32::MAX, length: 2 }, "negative buckets have room"),
            (
                |h| h.positive.spans = vec![Span { offset: i32::MAX, length: 3 }],
                "positive buckets lie out of range",
            ),
            (|h| h.negative.counts[0] = -1.0, "its count of a bucket is negative"),
            (|h| h.zero_count = -1.0, "its count of zeros is negative"),
            (|h| h.count = -0.5, "its count is negative"),
            (|h| h.custom_bounds.push(1.0), "it has bounds of its own"),
        ];
        for (change, expected) in cases {
            let said = of(good(), change);
            assert!(said.contains(expected), "{said}");
        }
        let cases: [Case; 6] = [
            (|h| h.custom_bounds.reverse(), "do not ascend"),
            (|h| h.custom_bounds[1] = f64::INFINITY, "do not ascend"),
            (|h| h.zero_count = 1.0, "a zero bucket"),
            (|h| h.negative = buckets(&[(0, 1)], &[1.0]), "negative buckets"),
            (|h| h.positive.spans[0].offset = 1, "positive buckets lie out of range"),
            (|h| h.positive.spans[0].offset = -1, "positive buckets lie out of range"),
        ];
        for (change, expected) in cases {
            let said = of(custom(), change);
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn whole_counts_add_up_but_for_what_is_no_number() {
        let more = Histogram { count: 8.0, ..good() };
        let error = InvalidHistogram::Count { buckets: 7, count: 8 };
        assert_eq!(more.check_whole_counts(), Err(error));
        assert_eq!(Histogram { sum: f64::NAN, ..more }.check_whole_counts(), Ok(()));
        assert!(Histogram { count: 6.0, sum: f64::NAN, ..good() }.check_whole_counts().is_err());
    }

    #[test]
    fn buckets_that_are_too_fine_are_merged_by_their_upper_bounds() {
        // Of schema 9: indexes -3 to 2, then 5. Two of them become one, whose index is half the even one.
        let fine = Histogram {
            schema: 9,
            count: 28.0,
            positive: buckets(&[(-3, 6), (2, 1)], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]),
            ..Histogram::default()
        };
        let coarse = fine.clone().checked().expect("it is right");
        assert_eq!(coarse.schema, 8);
        assert_eq!(coarse.positive, buckets(&[(-1, 3), (1, 1)], &[3.0, 7.0, 11.0, 7.0]));
        let coarsest = Histogram { schema: 52, ..fine }.checked().expect("it is right");
        assert_eq!(coarsest.positive, buckets(&[(0, 2)], &[10.0, 18.0]));
    }
}
