//! Sums and means of many histograms, which keep the digits that plain addition loses.

use super::arithmetic::Combined;
use super::layout::{Incompatible, Layout};
use super::{Buckets, Histogram};

/// A sum of histograms with Neumaier's compensation: each number has beside it what its additions have lost.
#[derive(Clone, Debug)]
pub struct HistogramSum {
    total: Histogram,
    lost: Histogram,
}

impl HistogramSum {
    /// A sum that begins with one.
    pub fn from(first: Histogram) -> Self {
        let lost = Histogram {
            schema: first.schema,
            zero_threshold: first.zero_threshold,
            custom_bounds: first.custom_bounds.clone(),
            ..Histogram::default()
        };
        Self { total: first, lost }
    }

    /// Adds one more.
    pub fn add(&mut self, other: &Histogram) -> Result<Combined, Incompatible> {
        let layout = Layout::of(&self.total, other)?;
        let Self { total, lost } = self;
        let resets_collide = total.join_reset(other.reset);
        total.pour(&layout);
        lost.pour(&layout);
        let other = other.poured(&layout);
        add_compensated(&mut total.zero_count, &mut lost.zero_count, other.zero_count);
        add_compensated(&mut total.count, &mut lost.count, other.count);
        add_compensated(&mut total.sum, &mut lost.sum, other.sum);
        add_buckets(&mut total.positive, &mut lost.positive, &other.positive);
        add_buckets(&mut total.negative, &mut lost.negative, &other.negative);
        Ok(Combined { resets_collide, bounds_reconciled: layout.is_reconciled() })
    }

    /// The sum.
    pub fn total(self) -> Histogram {
        let Self { mut total, mut lost } = self;
        lost.reset = total.reset;
        // What is lost has the buckets of the total.
        _ = total.add(&lost);
        total
    }

    fn scale(&mut self, factor: f64) {
        self.total.multiply(factor);
        self.lost.multiply(factor);
    }

    fn largest(&self) -> f64 {
        largest(&self.total)
    }

    /// Memory that it takes.
    pub fn size_bytes(&self) -> usize {
        self.total.size_bytes() + self.lost.size_bytes()
    }
}

/// An arithmetic mean of histograms: a sum until that could overflow, an incremental mean from there on.
#[derive(Clone, Debug)]
pub struct HistogramMean {
    sum: HistogramSum,
    count: f64,
    is_incremental: bool,
}

impl HistogramMean {
    /// A mean that begins with one.
    pub fn from(first: Histogram) -> Self {
        Self { sum: HistogramSum::from(first), count: 1.0, is_incremental: false }
    }

    /// Adds one more.
    pub fn add(&mut self, other: &Histogram) -> Result<Combined, Incompatible> {
        // More buckets than this cannot become one.
        const MOST_TOGETHER: f64 = 1e6;
        let before = self.count;
        self.count += 1.0;
        let can_overflow = ((self.sum.largest() + largest(other)) * MOST_TOGETHER).is_infinite();
        if !self.is_incremental && can_overflow {
            self.is_incremental = true;
            self.sum.scale(1.0 / before);
        }
        if !self.is_incremental {
            return self.sum.add(other);
        }
        self.sum.scale(before / self.count);
        let mut part = other.clone();
        part.divide(self.count);
        self.sum.add(&part)
    }

    /// The mean.
    pub fn mean(self) -> Histogram {
        let mut sum = self.sum;
        if !self.is_incremental {
            sum.total.divide(self.count);
            sum.lost.divide(self.count);
        }
        sum.total()
    }

    /// Memory that it takes.
    pub fn size_bytes(&self) -> usize {
        self.sum.size_bytes()
    }
}

/// The number that is farthest from zero.
fn largest(histogram: &Histogram) -> f64 {
    let counts = histogram.positive.counts.iter().chain(&histogram.negative.counts);
    let numbers = counts.chain([&histogram.zero_count, &histogram.count, &histogram.sum]);
    numbers.filter(|number| number.is_finite()).fold(0.0, |largest: f64, number| largest.max(number.abs()))
}

fn add_buckets(total: &mut Buckets, lost: &mut Buckets, other: &Buckets) {
    let is_aligned = total.spans == other.spans && total.spans == lost.spans;
    if !is_aligned {
        let places: Vec<i64> = total.beside(other).map(|(index, ..)| index).collect();
        let spread = |buckets: &Buckets| {
            let empty = Buckets::from_indexed(places.iter().map(|index| (*index, 0.0)));
            Buckets::from_indexed(empty.beside(buckets).map(|(index, _, count)| (index, count)))
        };
        let (all, others) = (spread(total), spread(other));
        *lost = spread(lost);
        *total = all;
        return add_buckets_aligned(total, lost, &others);
    }
    add_buckets_aligned(total, lost, other);
}

fn add_buckets_aligned(total: &mut Buckets, lost: &mut Buckets, other: &Buckets) {
    for ((total, lost), value) in total.counts.iter_mut().zip(&mut lost.counts).zip(&other.counts) {
        add_compensated(total, lost, *value);
    }
}

/// Adds to a sum, and what that loses to what was lost (Knuth's two-sum). Once the sum overflows nothing is lost.
pub(super) fn add_compensated(sum: &mut f64, lost: &mut f64, value: f64) {
    let total = *sum + value;
    if total.is_infinite() {
        *lost = 0.0;
    } else {
        let added = total - *sum;
        *lost += (*sum - (total - added)) + (value - added);
    }
    *sum = total;
}
