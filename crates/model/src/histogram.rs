//! Native histograms: many counts in one sample, in buckets whose bounds need not be sent.
//!
//! A series keeps times and numbers in flat arrays, and nearly all series have nothing else. A sample that is a
//! histogram is a number too: a NaN that no arithmetic makes, whose bits say the place of the histogram in
//! [`Histograms`], which lies beside the array. So whatever carries samples carries histograms, and pays
//! for them only where there are some.

mod arithmetic;
mod bounds;
mod buckets;
mod check;
mod classic;
mod encoding;
mod fit;
mod layout;
mod moments;
mod quantile;
mod reset;
mod sum;
mod text;
mod trim;

pub use arithmetic::Combined;
pub use buckets::Bucket;
pub use check::InvalidHistogram;
pub use classic::{ClassicHistogram, ClassicPart};
pub use encoding::BadHistogram;
pub use fit::schema_of_factor;
pub use layout::Incompatible;
pub use quantile::NanObservations;
pub use sum::{HistogramMean, HistogramSum};
pub use trim::Keep;

/// The schema of histograms with bounds of their own.
pub const CUSTOM_SCHEMA: i8 = -53;
/// The most buckets of one side that a histogram may have.
pub const MAX_BUCKETS: usize = 1 << 15;

/// A native histogram, its counts as numbers that need not be whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// From -4 to 8: a bucket is wider than the one before by `2^(2^-schema)`. [`CUSTOM_SCHEMA`]: the bounds are
    /// [`Histogram::custom_bounds`].
    pub schema: i8,
    /// Observations whose magnitude is at most this are in the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// All observations, NaNs too.
    pub count: f64,
    /// The sum of all observations.
    pub sum: f64,
    /// Buckets of positive observations; with custom bounds, all buckets.
    pub positive: Buckets,
    /// Buckets of negative observations.
    pub negative: Buckets,
    /// The upper bounds of buckets, ascending, without the last one, which is infinite; with custom bounds only.
    pub custom_bounds: Vec<f64>,
    /// What is known of resets between the sample before and this one.
    pub reset: ResetHint,
}

/// Buckets of one side of a histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buckets {
    /// Where buckets are.
    pub spans: Vec<Span>,
    /// How many observations each of them has (not counting those of the buckets below).
    pub counts: Vec<f64>,
}

/// Neighbouring buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Buckets that lie between the end of the span before and this one; in the first span, the index of the first
    /// bucket.
    pub offset: i32,
    /// How many buckets there are.
    pub length: u32,
}

/// What is known of a reset of the counters of a histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResetHint {
    /// Nothing: it has to be found out.
    #[default]
    Unknown,
    /// There was one.
    Reset,
    /// There was none.
    NotReset,
    /// It is no counter.
    Gauge,
}

/// The bits that a value has which stands for a histogram; the last 32 are its place.
const HISTOGRAM_BITS: u64 = 0x7ffd_0000_0000_0000;

/// The value that stands for the histogram at a place.
pub fn histogram_value(place: u32) -> f64 {
    f64::from_bits(HISTOGRAM_BITS | u64::from(place))
}

/// The place of the histogram that a value stands for, if it does.
#[inline]
pub fn histogram_place(value: f64) -> Option<u32> {
    let bits = value.to_bits();
    (bits >> 32 == HISTOGRAM_BITS >> 32).then_some(bits as u32)
}

/// The value of a histogram that is not there.
pub const NO_HISTOGRAM: f64 = f64::from_bits(HISTOGRAM_BITS | u32::MAX as u64);

/// A number from outside, which stands for no histogram.
#[inline]
pub fn plain_value(value: f64) -> f64 {
    if histogram_place(value).is_some() { f64::NAN } else { value }
}

/// Histograms in their encoding, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histograms {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Histograms {
    /// Adds one, and gives the value that stands for it.
    pub fn push(&mut self, histogram: &Histogram) -> f64 {
        histogram.encode(&mut self.bytes);
        self.pushed()
    }

    /// Adds one that is encoded already, and gives the value that stands for it.
    pub fn push_encoded(&mut self, encoded: &[u8]) -> f64 {
        self.bytes.extend_from_slice(encoded);
        self.pushed()
    }

    fn pushed(&mut self) -> f64 {
        let value = self.next_value();
        self.ends.push(self.bytes.len());
        value
    }

    /// The value that will stand for the next one.
    pub fn next_value(&self) -> f64 {
        let place = u32::try_from(self.ends.len()).expect("memory ends before so many histograms");
        histogram_value(place)
    }

    /// Takes over what values stand for among others, and makes the values stand for it here. A histogram that is
    /// not there stays none.
    pub fn adopt(&mut self, others: &Self, values: &mut [f64]) {
        for value in values {
            if let Some(place) = histogram_place(*value) {
                *value = others.get(place).map_or(NO_HISTOGRAM, |encoded| self.push_encoded(encoded));
            }
        }
    }

    /// The one at a place, encoded.
    pub fn get(&self, place: u32) -> Option<&[u8]> {
        let place = place as usize;
        let start = if place == 0 { 0 } else { *self.ends.get(place - 1)? };
        self.bytes.get(start..*self.ends.get(place)?)
    }

    /// All of them, encoded.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.ends.len()).map(|place| self.get(place as u32).unwrap_or_default())
    }

    /// The histogram that a value stands for, decoded; nothing when it stands for none.
    pub fn of(&self, value: f64) -> Option<Result<Histogram, BadHistogram>> {
        let encoded = self.get(histogram_place(value)?).unwrap_or_default();
        Some(Histogram::decode(encoded))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Forgets all of them; keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Bytes of all of them.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<usize>()
    }

    /// Memory that is held for them.
    pub fn capacity_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>()
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod values {
    use super::*;
    use crate::{STALE_NAN, is_stale};

    #[test]
    fn a_value_stands_for_the_histogram_at_its_place_and_no_other_value_does() {
        let mut all = Histograms::default();
        let values: Vec<f64> =
            [1.0, 2.0].into_iter().map(|sum| all.push(&Histogram { sum, ..Histogram::default() })).collect();
        assert_eq!(
            values.iter().map(|value| histogram_place(*value)).collect::<Vec<_>>(),
            [Some(0), Some(1)]
        );
        assert!(values.iter().all(|value| value.is_nan() && !is_stale(*value)));
        let sum = |value: f64| all.of(value).map(|found| found.map(|histogram| histogram.sum));
        assert_eq!((sum(values[0]), sum(values[1])), (Some(Ok(1.0)), Some(Ok(2.0))));
        assert_eq!(sum(histogram_value(2)), Some(Err(BadHistogram)));
        assert_eq!(sum(NO_HISTOGRAM), Some(Err(BadHistogram)));
        for other in [0.0, f64::NAN, -f64::NAN, STALE_NAN, f64::INFINITY] {
            assert_eq!(sum(other), None);
            assert_eq!(plain_value(other).to_bits(), other.to_bits());
        }
        assert_eq!(histogram_place(plain_value(values[0])), None);
    }

    #[test]
    fn what_is_adopted_stands_for_the_same_as_before() {
        let (mut here, mut there) = (Histograms::default(), Histograms::default());
        here.push(&Histogram { sum: 1.0, ..Histogram::default() });
        let two = there.push(&Histogram { sum: 2.0, ..Histogram::default() });
        let mut values = [5.0, two, STALE_NAN, histogram_value(7), two];
        here.adopt(&there, &mut values);
        let sums = values.map(|value| here.of(value).map(|found| found.map(|histogram| histogram.sum)));
        assert_eq!(sums, [None, Some(Ok(2.0)), None, Some(Err(BadHistogram)), Some(Ok(2.0))]);
        assert_eq!((values[0], values[2].to_bits()), (5.0, STALE_NAN.to_bits()));
    }
}
