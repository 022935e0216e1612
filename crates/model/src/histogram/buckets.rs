//! Buckets one by one: their indexes, their bounds, and lists of them made into spans again.

use super::{Buckets, CUSTOM_SCHEMA, Histogram, Span, bounds};

/// One bucket with its bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The lower bound.
    pub lower: f64,
    /// The upper bound.
    pub upper: f64,
    /// Whether an observation at the lower bound is in it.
    pub has_lower: bool,
    /// Whether an observation at the upper bound is in it.
    pub has_upper: bool,
    /// How many observations are in it.
    pub count: f64,
}

/// The side of zero on which a bucket lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Positive,
    Negative,
}

impl Buckets {
    /// The index and the count of each bucket, ascending.
    pub(super) fn indexed(&self) -> impl Iterator<Item = (i64, f64)> + '_ {
        let mut next = 0i64;
        let indexes = self.spans.iter().flat_map(move |span| {
            let first = next + i64::from(span.offset);
            next = first + i64::from(span.length);
            first..next
        });
        indexes.zip(self.counts.iter().copied())
    }

    /// Makes buckets of a list in ascending order of indexes; neighbours with the same index become one.
    pub(super) fn from_indexed(list: impl IntoIterator<Item = (i64, f64)>) -> Self {
        let mut buckets = Self::default();
        let mut next = 0i64;
        for (index, count) in list {
            match (buckets.counts.last_mut(), buckets.spans.last_mut()) {
                (Some(last), Some(_)) if index == next - 1 => *last += count,
                (Some(_), Some(span)) if index == next => {
                    span.length += 1;
                    buckets.counts.push(count);
                    next += 1;
                }
                _ => {
                    let offset = i32::try_from(index - next).unwrap_or(i32::MAX);
                    buckets.spans.push(Span { offset, length: 1 });
                    buckets.counts.push(count);
                    next = index + 1;
                }
            }
        }
        buckets
    }

    /// The same without empty buckets.
    pub(super) fn compact(&mut self) {
        let is_compact = !self.counts.contains(&0.0)
            && self
                .spans
                .iter()
                .enumerate()
                .all(|(at, span)| span.length > 0 && (at == 0 || span.offset > 0));
        if !is_compact {
            *self = Self::from_indexed(self.indexed().filter(|(_, count)| *count != 0.0));
        }
    }

    /// Does something to each count.
    pub(super) fn each(&mut self, change: impl Fn(&mut f64)) {
        self.counts.iter_mut().for_each(change);
    }

    /// The counts of two lists side by side, in ascending order of indexes; 0 where one has no bucket.
    pub(super) fn beside<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (i64, f64, f64)> + 'a {
        let (mut own, mut others) = (self.indexed().peekable(), other.indexed().peekable());
        std::iter::from_fn(move || {
            let place = match (own.peek(), others.peek()) {
                (None, None) => return None,
                (Some((index, _)), None) | (None, Some((index, _))) => *index,
                (Some((a, _)), Some((b, _))) => *a.min(b),
            };
            let at_place = |next: &(i64, f64)| next.0 == place;
            let count = |found: Option<(i64, f64)>| found.map_or(0.0, |(_, count)| count);
            Some((place, count(own.next_if(at_place)), count(others.next_if(at_place))))
        })
    }
}

impl Histogram {
    /// Whether its buckets have bounds of their own.
    pub fn has_custom_bounds(&self) -> bool {
        self.schema == CUSTOM_SCHEMA
    }

    /// The upper bound of the positive bucket at an index.
    pub(super) fn bound(&self, index: i64) -> f64 {
        if self.has_custom_bounds() {
            return match usize::try_from(index) {
                Ok(index) => self.custom_bounds.get(index).copied().unwrap_or(f64::INFINITY),
                Err(_) => f64::NEG_INFINITY,
            };
        }
        bounds::exponential(self.schema, index)
    }

    pub(super) fn bucket(&self, side: Side, (index, count): (i64, f64)) -> Bucket {
        let (near, far) = (self.bound(index - 1), self.bound(index));
        if self.has_custom_bounds() {
            return Bucket { lower: near, upper: far, has_lower: index == 0, has_upper: true, count };
        }
        match side {
            Side::Positive => Bucket { lower: near, upper: far, has_lower: false, has_upper: true, count },
            Side::Negative => Bucket { lower: -far, upper: -near, has_lower: true, has_upper: false, count },
        }
    }

    /// All buckets in ascending order, the zero bucket among them if there is anything in it. Where a bucket overlaps
    /// with the zero bucket, it begins where that one ends.
    pub fn buckets(&self) -> Vec<Bucket> {
        let threshold = self.zero_threshold;
        let mut buckets: Vec<Bucket> =
            Vec::with_capacity(self.negative.counts.len() + self.positive.counts.len() + 1);
        buckets.extend(self.negative.indexed().map(|bucket| self.bucket(Side::Negative, bucket)));
        buckets.reverse();
        for bucket in &mut buckets {
            if bucket.upper < 0.0 && bucket.upper > -threshold {
                bucket.upper = -threshold;
            }
        }
        if self.zero_count > 0.0 && !self.has_custom_bounds() {
            buckets.push(self.zero_bucket());
        }
        buckets.extend(self.positive.indexed().map(|bucket| {
            let mut bucket = self.bucket(Side::Positive, bucket);
            if bucket.lower > 0.0 && bucket.lower < threshold {
                bucket.lower = threshold;
            }
            bucket
        }));
        buckets
    }

    pub(super) fn zero_bucket(&self) -> Bucket {
        let (upper, count) = (self.zero_threshold, self.zero_count);
        Bucket { lower: -upper, upper, has_lower: true, has_upper: true, count }
    }

    /// Memory that it takes.
    pub fn size_bytes(&self) -> usize {
        let side = |buckets: &Buckets| {
            buckets.spans.len() * size_of::<Span>() + buckets.counts.len() * size_of::<f64>()
        };
        size_of::<Self>()
            + side(&self.positive)
            + side(&self.negative)
            + self.custom_bounds.len() * size_of::<f64>()
    }

    /// Whether both say the same: the same buckets with the same counts, bit by bit. What is known of resets is no part
    /// of that.
    pub fn is_same(&self, other: &Self) -> bool {
        let numbers = |histogram: &Self| {
            let Self { count, sum, zero_count, .. } = histogram;
            [count, sum, zero_count].map(|number| number.to_bits())
        };
        let side = |a: &Buckets, b: &Buckets| {
            let bits = |(index, count): (i64, f64)| (index, count.to_bits());
            a.indexed().map(bits).eq(b.indexed().map(bits))
        };
        self.schema == other.schema
            && self.zero_threshold == other.zero_threshold
            && self.custom_bounds == other.custom_bounds
            && numbers(self) == numbers(other)
            && side(&self.positive, &other.positive)
            && side(&self.negative, &other.negative)
    }
}
