//! Histograms as bytes: what the log, memory and files hold. docs/format/histogram.md describes every byte.

use super::{Buckets, CUSTOM_SCHEMA, Histogram, MAX_BUCKETS, ResetHint, Span};

/// The version of the encoding, in the low bits of the first byte.
const VERSION: u8 = 1;
const VERSION_MASK: u8 = 0x0f;
/// Set in the first byte when all counts are whole, and written as differences.
const WHOLE: u8 = 0x10;
/// Where in the first byte it stands what is known of resets.
const RESET_SHIFT: u8 = 5;
/// Up to here every whole number is one of its own.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Bytes that are no histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadHistogram;

impl std::fmt::Display for BadHistogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the bytes are no histogram")
    }
}

impl std::error::Error for BadHistogram {}

impl Histogram {
    /// Appends the bytes of the histogram.
    pub fn encode(&self, into: &mut Vec<u8>) {
        // A zero below zero is none.
        let is_whole =
            |count: &f64| (*count as i64 as f64).to_bits() == count.to_bits() && count.abs() < MAX_WHOLE;
        let counts = self.positive.counts.iter().chain(&self.negative.counts);
        let is_whole = counts.chain([&self.zero_count, &self.count]).all(is_whole);
        let reset = match self.reset {
            ResetHint::Unknown => 0,
            ResetHint::Reset => 1,
            ResetHint::NotReset => 2,
            ResetHint::Gauge => 3,
        };
        into.push(VERSION | if is_whole { WHOLE } else { 0 } | reset << RESET_SHIFT);
        into.push(self.schema as u8);
        into.extend_from_slice(&self.sum.to_le_bytes());
        into.extend_from_slice(&self.zero_threshold.to_le_bytes());
        put_count(self.zero_count, is_whole, into);
        put_count(self.count, is_whole, into);
        self.positive.encode(is_whole, into);
        self.negative.encode(is_whole, into);
        if self.schema == CUSTOM_SCHEMA {
            put(self.custom_bounds.len() as u64, into);
            self.custom_bounds.iter().for_each(|bound| into.extend_from_slice(&bound.to_le_bytes()));
        }
    }

    /// The histogram of some bytes.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, BadHistogram> {
        let from = &mut bytes;
        let [head, schema] = take_array(from)?;
        if head & VERSION_MASK != VERSION {
            return Err(BadHistogram);
        }
        let is_whole = head & WHOLE != 0;
        let reset = match head >> RESET_SHIFT {
            0 => ResetHint::Unknown,
            1 => ResetHint::Reset,
            2 => ResetHint::NotReset,
            3 => ResetHint::Gauge,
            _ => return Err(BadHistogram),
        };
        let (sum, zero_threshold) = (take_f64(from)?, take_f64(from)?);
        let (zero_count, count) = (take_count(is_whole, from)?, take_count(is_whole, from)?);
        let (positive, negative) = (Buckets::decode(is_whole, from)?, Buckets::decode(is_whole, from)?);
        let schema = schema as i8;
        let mut custom_bounds = Vec::new();
        if schema == CUSTOM_SCHEMA {
            let length = take_length(from)?;
            custom_bounds.reserve_exact(length.min(from.len() / size_of::<f64>()));
            for _ in 0..length {
                custom_bounds.push(take_f64(from)?);
            }
        } else if !(-4..=8).contains(&schema) {
            return Err(BadHistogram);
        }
        if !from.is_empty() {
            return Err(BadHistogram);
        }
        Ok(Self { schema, zero_threshold, zero_count, count, sum, positive, negative, custom_bounds, reset })
    }
}

impl Buckets {
    fn encode(&self, is_whole: bool, into: &mut Vec<u8>) {
        put(self.spans.len() as u64, into);
        for span in &self.spans {
            put(zigzag(i64::from(span.offset)), into);
            put(u64::from(span.length), into);
        }
        let mut before = 0.0;
        for count in &self.counts {
            put_count(if is_whole { count - before } else { *count }, is_whole, into);
            before = *count;
        }
    }

    fn decode(is_whole: bool, from: &mut &[u8]) -> Result<Self, BadHistogram> {
        let spans = take_length(from)?;
        let mut buckets = Self { spans: Vec::with_capacity(spans.min(from.len() / 2)), counts: Vec::new() };
        let mut length = 0usize;
        for _ in 0..spans {
            let offset = i32::try_from(unzigzag(take(from)?)).map_err(|_| BadHistogram)?;
            let span = Span { offset, length: u32::try_from(take_length(from)?).map_err(|_| BadHistogram)? };
            length += span.length as usize;
            buckets.spans.push(span);
        }
        // Every count takes a byte at least.
        if length > MAX_BUCKETS || length > from.len() {
            return Err(BadHistogram);
        }
        buckets.counts.reserve_exact(length);
        let mut before = 0.0;
        for _ in 0..length {
            let count = take_count(is_whole, from)?;
            before = if is_whole { before + count } else { count };
            buckets.counts.push(before);
        }
        Ok(buckets)
    }
}

fn put_count(count: f64, is_whole: bool, into: &mut Vec<u8>) {
    if is_whole {
        put(zigzag(count as i64), into);
    } else {
        into.extend_from_slice(&count.to_le_bytes());
    }
}

fn take_count(is_whole: bool, from: &mut &[u8]) -> Result<f64, BadHistogram> {
    if is_whole { Ok(unzigzag(take(from)?) as f64) } else { take_f64(from) }
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Seven bits to a byte, the lowest first; all but the last byte have the eighth set.
fn put(mut number: u64, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn take(from: &mut &[u8]) -> Result<u64, BadHistogram> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first().ok_or(BadHistogram)?;
        *from = rest;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return Err(BadHistogram);
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(BadHistogram)
}

fn take_length(from: &mut &[u8]) -> Result<usize, BadHistogram> {
    usize::try_from(take(from)?).ok().filter(|length| *length <= MAX_BUCKETS).ok_or(BadHistogram)
}

fn take_array<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], BadHistogram> {
    let (array, rest) = from.split_first_chunk().ok_or(BadHistogram)?;
    *from = rest;
    Ok(*array)
}

fn take_f64(from: &mut &[u8]) -> Result<f64, BadHistogram> {
    take_array(from).map(f64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_count() -> impl Strategy<Value = f64> {
        prop_oneof![(0u32..1000).prop_map(f64::from), 0.0..1e18, Just(f64::NAN), Just(-0.0)]
    }

    fn any_buckets(whole: bool) -> impl Strategy<Value = Buckets> {
        let count = if whole { (0u32..1000).prop_map(f64::from).boxed() } else { any_count().boxed() };
        proptest::collection::vec((any::<i32>(), proptest::collection::vec(count, 0..5)), 0..4).prop_map(
            |all| {
                let mut buckets = Buckets::default();
                for (offset, counts) in all {
                    buckets.spans.push(Span { offset, length: counts.len() as u32 });
                    buckets.counts.extend(counts);
                }
                buckets
            },
        )
    }

    proptest! {
        #[test]
        fn a_histogram_comes_back_bit_by_bit(
            schema in prop_oneof![-4i8..=8, Just(CUSTOM_SCHEMA)],
            numbers in proptest::array::uniform4(any_count()),
            (positive, negative) in any::<bool>().prop_flat_map(|whole| (any_buckets(whole), any_buckets(whole))),
            bounds in proptest::collection::vec(any::<f64>(), 0..4),
            reset in prop_oneof![Just(ResetHint::Unknown), Just(ResetHint::Reset), Just(ResetHint::NotReset), Just(ResetHint::Gauge)],
        ) {
            let [zero_threshold, zero_count, count, sum] = numbers;
            let custom_bounds = if schema == CUSTOM_SCHEMA { bounds } else { Vec::new() };
            let histogram =
                Histogram { schema, zero_threshold, zero_count, count, sum, positive, negative, custom_bounds, reset };
            let mut bytes = Vec::new();
            histogram.encode(&mut bytes);
            let back = Histogram::decode(&bytes).expect("decodes");
            // NaNs are not equal to themselves; their texts are.
            prop_assert_eq!(format!("{back:?}"), format!("{histogram:?}"));
            bytes.pop();
            prop_assert!(Histogram::decode(&bytes).is_err());
        }

        #[test]
        fn hostile_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..80), whole in any::<bool>()) {
            let _ = Histogram::decode(&bytes);
            if bytes.len() > 2 {
                bytes[0] = VERSION | if whole { WHOLE } else { 0 };
                bytes[1] = CUSTOM_SCHEMA as u8;
            }
            let _ = Histogram::decode(&bytes);
        }
    }
}
