//! What differences and their sums are: numbers or native histograms, all of them finite.

use model::{Histogram, MetricBatch};

/// A number or a histogram.
#[derive(Debug)]
pub(super) enum Value {
    Number(f64),
    Histogram(Box<Histogram>),
}

/// What two values are together.
pub(super) enum Sum {
    /// Their sum.
    Of(Value),
    /// They have nothing in common: one is a number and the other a histogram, or their buckets are of two kinds.
    None,
    /// It would be no finite number, or have more buckets than are kept, however wide they are made.
    Beyond,
}

impl Value {
    /// What a sample of a batch is; nothing when it is no finite number. A sum with an infinity in it would never be a
    /// number again.
    pub(super) fn of(batch: &MetricBatch, value: f64) -> Option<Self> {
        match batch.histograms().of(value) {
            Some(decoded) => {
                decoded.ok().filter(is_finite).map(|histogram| Self::Histogram(Box::new(histogram)))
            }
            None => value.is_finite().then_some(Self::Number(value)),
        }
    }

    /// The sum of both.
    pub(super) fn plus(&self, other: &Self) -> Sum {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => {
                let sum = one + other;
                if sum.is_finite() { Sum::Of(Self::Number(sum)) } else { Sum::Beyond }
            }
            (Self::Histogram(one), Self::Histogram(other)) => {
                let mut sum = one.clone();
                if sum.add(other).is_err() {
                    return Sum::None;
                }
                // Buckets that are joined can make an infinity, too.
                if sum.fit_format() && is_finite(&sum) { Sum::Of(Self::Histogram(sum)) } else { Sum::Beyond }
            }
            (Self::Number(_), Self::Histogram(_)) | (Self::Histogram(_), Self::Number(_)) => Sum::None,
        }
    }

    /// The value that a sample of a batch has which is this.
    pub(super) fn put(&self, batch: &mut MetricBatch) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Histogram(histogram) => batch.histogram(histogram),
        }
    }

    /// Memory that a histogram takes; a number takes none but its place.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Number(_) => 0,
            Self::Histogram(histogram) => histogram.size_bytes(),
        }
    }
}

fn is_finite(histogram: &Histogram) -> bool {
    let Histogram { count, sum, zero_count, zero_threshold, positive, negative, .. } = histogram;
    let counts = positive.counts.iter().chain(&negative.counts);
    counts.chain([count, sum, zero_count, zero_threshold]).all(|number| number.is_finite())
}
