//! Chunks of histograms, all of which have the same buckets: these are described once. Whole counts are written as
//! changes of their growth, others as bits that changed.
//!
//! Whoever reads a chunk takes it that counters did not begin again within it, so one that did begins a chunk.

use model::Histogram;
use model::histogram::{Buckets, CUSTOM_SCHEMA, ResetHint};

use super::bits::{Bits, Xor};
use super::{Chunk, Encoding, MAX_BYTES, MAX_SAMPLES};
use crate::remote_write::has_whole_counts;

/// Bytes before the first sample: how many samples there are, and what is known of a reset before the first.
const HEADER_BYTES: usize = 3;
/// Where that is known from.
const RESET_PLACE: usize = 2;

/// What is known of a reset before a chunk, as it stands in the header.
#[derive(Clone, Copy)]
enum Before {
    Unknown = 0b0000_0000,
    NotReset = 0b0100_0000,
    Reset = 0b1000_0000,
    Gauge = 0b1100_0000,
}

/// A chunk of histograms that grows.
pub(super) struct HistogramChunk {
    bits: Bits,
    samples: u16,
    first_ms: i64,
    time: Steps,
    sum: Xor,
    counts: Counts,
    last: Histogram,
}

/// The counts as they were written last: all observations, those in the zero bucket, and those in the other buckets.
enum Counts {
    /// In buckets: the difference to the bucket before.
    Whole(Vec<Steps>),
    Fractions(Vec<Xor>),
}

impl HistogramChunk {
    /// `before` is the histogram that precedes the first one.
    pub(super) fn begin(time_ms: i64, first: Histogram, before: Option<&Histogram>) -> Self {
        let mut bits = Bits::behind(HEADER_BYTES);
        bits.set_header(RESET_PLACE, known_of(&first, before) as u8);
        put_layout(&first, &mut bits);
        bits.put_signed(time_ms);
        let counts = Counts::begin(&first, &mut bits);
        let sum = Xor::begin(first.sum, &mut bits);
        let mut chunk = Self {
            bits,
            samples: 1,
            first_ms: time_ms,
            time: Steps::begin(time_ms),
            sum,
            counts,
            last: first,
        };
        chunk.counts.begin_buckets(&chunk.last, &mut chunk.bits);
        chunk
    }

    /// Adds a histogram that is later than the last one; or ends this chunk, and begins the next one with it.
    pub(super) fn push(
        mut self: Box<Self>,
        time_ms: i64,
        histogram: Histogram,
    ) -> (Option<Chunk>, Box<Self>) {
        if !self.takes(&histogram) {
            let next = Self::begin(time_ms, histogram, Some(&self.last));
            return (Some(self.finish()), Box::new(next));
        }
        let bits = &mut self.bits;
        bits.put_signed(self.time.step(time_ms));
        match &mut self.counts {
            Counts::Whole(all) => {
                let mut counts = whole_counts(&histogram).zip(all);
                let put =
                    |bits: &mut Bits, (count, steps): (i64, &mut Steps)| bits.put_signed(steps.step(count));
                counts.by_ref().take(BEFORE_SUM).for_each(|count| put(bits, count));
                self.sum.put(histogram.sum, bits);
                counts.for_each(|count| put(bits, count));
            }
            Counts::Fractions(all) => {
                let mut counts = counts(&histogram).zip(all);
                let put = |bits: &mut Bits, (count, float): (f64, &mut Xor)| float.put(count, bits);
                counts.by_ref().take(BEFORE_SUM).for_each(|count| put(bits, count));
                self.sum.put(histogram.sum, bits);
                counts.for_each(|count| put(bits, count));
            }
        }
        self.samples += 1;
        self.last = histogram;
        (None, self)
    }

    /// Whether a histogram can stand in this chunk.
    fn takes(&self, next: &Histogram) -> bool {
        let is_whole = matches!(self.counts, Counts::Whole(_));
        self.samples < MAX_SAMPLES
            && self.bits.len() < MAX_BYTES
            && is_whole == has_whole_counts(next)
            && have_one_layout(&self.last, next)
            && is_gauge(&self.last) == is_gauge(next)
            && (is_gauge(next) || !next.is_reset_since(&self.last))
    }

    pub(super) fn finish(self) -> Chunk {
        let encoding = match self.counts {
            Counts::Whole(_) => Encoding::Histogram,
            Counts::Fractions(_) => Encoding::FloatHistogram,
        };
        let Self { bits, samples, first_ms, time, .. } = self;
        Chunk { encoding, first_ms, last_ms: time.before, data: bits.finish(samples) }
    }
}

/// How many counts stand before the sum.
const BEFORE_SUM: usize = 2;

impl Counts {
    /// Writes those before the sum.
    fn begin(first: &Histogram, bits: &mut Bits) -> Self {
        if has_whole_counts(first) {
            let begin = |count: i64| {
                bits.put_unsigned(count.cast_unsigned());
                Steps::begin(count)
            };
            return Self::Whole(whole_counts(first).take(BEFORE_SUM).map(begin).collect());
        }
        Self::Fractions(counts(first).take(BEFORE_SUM).map(|count| Xor::begin(count, bits)).collect())
    }

    /// Writes those behind it.
    fn begin_buckets(&mut self, first: &Histogram, bits: &mut Bits) {
        match self {
            Self::Whole(all) => all.extend(whole_counts(first).skip(BEFORE_SUM).map(|count| {
                bits.put_signed(count);
                Steps::begin(count)
            })),
            Self::Fractions(all) => {
                all.extend(counts(first).skip(BEFORE_SUM).map(|count| Xor::begin(count, bits)));
            }
        }
    }
}

/// The counts of a histogram in their order.
fn counts(of: &Histogram) -> impl Iterator<Item = f64> {
    [of.count, of.zero_count].into_iter().chain(of.positive.counts.iter().chain(&of.negative.counts).copied())
}

/// The same of whole counts, those of buckets as differences to the bucket before on the same side.
fn whole_counts(of: &Histogram) -> impl Iterator<Item = i64> {
    let all = [of.count as i64, of.zero_count as i64].into_iter();
    all.chain(differences(&of.positive)).chain(differences(&of.negative))
}

fn differences(side: &Buckets) -> impl Iterator<Item = i64> {
    side.counts.iter().scan(0, |before, count| {
        let count = *count as i64;
        Some(count - std::mem::replace(before, count))
    })
}

/// A number that is written as the change of its growth.
struct Steps {
    before: i64,
    growth: i64,
}

impl Steps {
    fn begin(number: i64) -> Self {
        Self { before: number, growth: 0 }
    }

    fn step(&mut self, number: i64) -> i64 {
        let growth = number.wrapping_sub(self.before);
        self.before = number;
        growth.wrapping_sub(std::mem::replace(&mut self.growth, growth))
    }
}

fn is_gauge(histogram: &Histogram) -> bool {
    histogram.reset == ResetHint::Gauge
}

/// What is known of a reset before the first histogram of a chunk. Of two histograms with other buckets it is left to
/// the reader to find that out.
fn known_of(first: &Histogram, before: Option<&Histogram>) -> Before {
    match (first.reset, before) {
        (ResetHint::Gauge, _) => Before::Gauge,
        (ResetHint::Reset, _) => Before::Reset,
        (ResetHint::Unknown | ResetHint::NotReset, Some(before))
            if !is_gauge(before) && have_one_layout(before, first) =>
        {
            if first.is_reset_since(before) {
                Before::Reset
            } else {
                Before::NotReset
            }
        }
        (ResetHint::Unknown | ResetHint::NotReset, _) => Before::Unknown,
    }
}

fn have_one_layout(a: &Histogram, b: &Histogram) -> bool {
    a.schema == b.schema
        && a.zero_threshold.to_bits() == b.zero_threshold.to_bits()
        && a.positive.spans == b.positive.spans
        && a.negative.spans == b.negative.spans
        && a.custom_bounds == b.custom_bounds
}

fn put_layout(of: &Histogram, bits: &mut Bits) {
    put_threshold(of.zero_threshold, bits);
    bits.put_signed(i64::from(of.schema));
    for side in [&of.positive, &of.negative] {
        bits.put_unsigned(side.spans.len() as u64);
        for span in &side.spans {
            bits.put_unsigned(u64::from(span.length));
            bits.put_signed(i64::from(span.offset));
        }
    }
    if of.schema == CUSTOM_SCHEMA {
        bits.put_unsigned(of.custom_bounds.len() as u64);
        of.custom_bounds.iter().for_each(|bound| put_bound(*bound, bits));
    }
}

/// The exponent of a float that is a power of two, when a byte holds what it stands for.
const EXPONENTS: std::ops::RangeInclusive<i64> = -243..=10;

/// A threshold: zero and powers of two in one byte, others behind a byte that says so.
fn put_threshold(threshold: f64, bits: &mut Bits) {
    let float = threshold.to_bits();
    let exponent = ((float >> 52) as i64) - 1023;
    let is_power = float << 12 == 0;
    if float == 0 {
        bits.put(0, 8);
    } else if is_power && EXPONENTS.contains(&exponent) {
        // From 1 to 254.
        bits.put((exponent + 244).cast_unsigned(), 8);
    } else {
        bits.put(255, 8);
        bits.put(float, 64);
    }
}

/// The largest number of thousandths that a bound is written as.
const MAX_THOUSANDTHS: f64 = 33_554_430.0;

/// A bound: thousandths where it is a small number of them, else all its bits.
fn put_bound(bound: f64, bits: &mut Bits) {
    let thousandths = bound * 1000.0;
    let whole = thousandths.round();
    if (0.0..=MAX_THOUSANDTHS).contains(&thousandths) && whole / 1000.0 == bound {
        bits.put_unsigned(whole as u64 + 1);
    } else {
        bits.put_bit(false);
        bits.put(bound.to_bits(), 64);
    }
}
