//! Chunks: the times and values of some samples of one series, packed.
//!
//! Each of the two is packed by itself; its first byte names the codec, and the row that holds it says
//! how many samples it has. pco packs best from some hundreds of samples on and badly below, so short
//! chunks have codecs of their own. docs/format/metrics-block.md describes every byte.

use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec};

use crate::varint;

/// The most samples in a chunk: what a query decodes to get at one of them.
pub(crate) const MAX_SAMPLES: usize = 4096;
/// From how many samples on pco is used.
const PCO_MIN_SAMPLES: usize = 480;
/// pco's level: higher ones cost much more time than they save bytes.
const PCO_LEVEL: usize = 4;

/// Integers beyond this are not all exact as floats.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

mod times {
    pub(super) const REGULAR: u8 = 0;
    pub(super) const DELTA: u8 = 1;
    pub(super) const PCO: u8 = 2;
}

mod values {
    pub(super) const CONSTANT: u8 = 0;
    pub(super) const INTEGER: u8 = 1;
    pub(super) const XOR: u8 = 2;
    pub(super) const PCO: u8 = 3;
}

/// Bytes that are no chunk of the expected number of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chunk does not hold what its row says")]
pub(crate) struct BadChunk;

/// Packs strictly ascending times in milliseconds.
pub(crate) fn pack_times(all: &[i64], into: &mut Vec<u8>) {
    let Some((&first, rest)) = all.split_first() else { return };
    let step = rest.first().map_or(0, |second| second.wrapping_sub(first));
    if all.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step) {
        into.push(times::REGULAR);
        varint::put_signed(into, first);
        varint::put_signed(into, step);
    } else if all.len() >= PCO_MIN_SAMPLES && pack_pco(times::PCO, all, into) {
    } else {
        into.push(times::DELTA);
        varint::put_signed(into, first);
        let (mut previous, mut step) = (first, 0i64);
        for &time in rest {
            let next_step = time.wrapping_sub(previous);
            varint::put_signed(into, next_step.wrapping_sub(step));
            (previous, step) = (time, next_step);
        }
    }
}

/// Unpacks `count` times and adds them to `into`.
pub(crate) fn unpack_times(bytes: &[u8], count: usize, into: &mut Vec<i64>) -> Result<(), BadChunk> {
    let (codec, mut rest) = checked(bytes, count)?;
    match codec {
        times::REGULAR => {
            let first = varint::take_signed(&mut rest).ok_or(BadChunk)?;
            let step = varint::take_signed(&mut rest).ok_or(BadChunk)?;
            into.extend((0..count as i64).map(|index| first.wrapping_add(step.wrapping_mul(index))));
        }
        times::DELTA => {
            let mut time = varint::take_signed(&mut rest).ok_or(BadChunk)?;
            into.push(time);
            let mut step = 0i64;
            for _ in 1..count {
                step = step.wrapping_add(varint::take_signed(&mut rest).ok_or(BadChunk)?);
                time = time.wrapping_add(step);
                into.push(time);
            }
        }
        times::PCO => unpack_pco(rest, count, into)?,
        _ => return Err(BadChunk),
    }
    Ok(())
}

/// Packs values, bit for bit.
pub(crate) fn pack_values(all: &[f64], into: &mut Vec<u8>) {
    let Some((first, rest)) = all.split_first() else { return };
    if rest.iter().all(|value| value.to_bits() == first.to_bits()) {
        into.push(values::CONSTANT);
        into.extend_from_slice(&first.to_le_bytes());
    } else if all.len() >= PCO_MIN_SAMPLES && pack_pco(values::PCO, all, into) {
    } else if all.iter().copied().all(is_integer) {
        into.push(values::INTEGER);
        let mut previous = 0i64;
        for &value in all {
            varint::put_signed(into, value as i64 - previous);
            previous = value as i64;
        }
    } else {
        into.push(values::XOR);
        pack_xor(all, into);
    }
}

/// Unpacks `count` values and adds them to `into`.
pub(crate) fn unpack_values(bytes: &[u8], count: usize, into: &mut Vec<f64>) -> Result<(), BadChunk> {
    let (codec, mut rest) = checked(bytes, count)?;
    match codec {
        values::CONSTANT => {
            let value = f64::from_le_bytes(*rest.first_chunk().ok_or(BadChunk)?);
            into.resize(into.len() + count, value);
        }
        values::INTEGER => {
            let mut value = 0i64;
            for _ in 0..count {
                value = value.wrapping_add(varint::take_signed(&mut rest).ok_or(BadChunk)?);
                into.push(value as f64);
            }
        }
        values::XOR => unpack_xor(rest, count, into)?,
        values::PCO => unpack_pco(rest, count, into)?,
        _ => return Err(BadChunk),
    }
    Ok(())
}

fn checked(bytes: &[u8], count: usize) -> Result<(u8, &[u8]), BadChunk> {
    let (codec, rest) = bytes.split_first().ok_or(BadChunk)?;
    if (1..=MAX_SAMPLES).contains(&count) { Ok((*codec, rest)) } else { Err(BadChunk) }
}

/// Whether the value is an integer that survives the way through `i64`; minus zero is not.
fn is_integer(value: f64) -> bool {
    value.abs() <= MAX_EXACT && (value as i64 as f64).to_bits() == value.to_bits()
}

/// Each value XOR the one before: a byte that counts zero bytes on the left (high half) and on the right
/// (low half), then the bytes between.
fn pack_xor(all: &[f64], into: &mut Vec<u8>) {
    let mut previous = 0u64;
    for value in all {
        let bits = value.to_bits();
        let xor = bits ^ previous;
        previous = bits;
        let left = xor.leading_zeros() / 8;
        let right = if xor == 0 { 0 } else { xor.trailing_zeros() / 8 };
        into.push((left << 4 | right) as u8);
        into.extend_from_slice(&xor.to_be_bytes()[left as usize..8 - right as usize]);
    }
}

fn unpack_xor(mut rest: &[u8], count: usize, into: &mut Vec<f64>) -> Result<(), BadChunk> {
    let mut bits = 0u64;
    for _ in 0..count {
        let (control, after) = rest.split_first().ok_or(BadChunk)?;
        let (left, right) = (usize::from(control >> 4), usize::from(control & 0xf));
        let length = 8usize.checked_sub(left + right).ok_or(BadChunk)?;
        let (middle, after) = after.split_at_checked(length).ok_or(BadChunk)?;
        let mut xor = [0; 8];
        xor[left..8 - right].copy_from_slice(middle);
        bits ^= u64::from_be_bytes(xor);
        into.push(f64::from_bits(bits));
        rest = after;
    }
    Ok(())
}

/// Packs with pco after the codec's byte; takes everything back and says `false` when pco will not.
fn pack_pco<T: pco::data_types::Number>(codec: u8, all: &[T], into: &mut Vec<u8>) -> bool {
    let before = into.len();
    into.push(codec);
    let plain_bytes = size_of_val(all);
    let config = ChunkConfig::default().with_compression_level(PCO_LEVEL).with_delta_spec(DeltaSpec::Auto);
    let file = FileCompressor::default();
    let mut pack = || -> Result<(), pco::errors::PcoError> {
        file.write_header(&mut *into)?;
        let mut chunk = file.chunk_compressor(all, &config)?;
        chunk.write_meta(&mut *into)?;
        chunk.write_page(0, &mut *into)?;
        Ok(())
    };
    let packed = pack();
    // Packed larger than plain is no error of pco, but no use either.
    let useful = packed.is_ok() && into.len() - before <= plain_bytes;
    if !useful {
        into.truncate(before);
    }
    useful
}

fn unpack_pco<T: pco::data_types::Number + Default>(
    bytes: &[u8],
    count: usize,
    into: &mut Vec<T>,
) -> Result<(), BadChunk> {
    let before = into.len();
    into.resize(before + count, T::default());
    let mut unpack = || -> Result<bool, pco::errors::PcoError> {
        let (file, rest) = FileDecompressor::new(bytes)?;
        let (mut chunk, rest) = file.chunk_decompressor::<T, _>(rest)?;
        let progress = chunk.page_decompressor(rest, count)?.read(&mut into[before..])?;
        Ok(progress.n_processed == count)
    };
    match unpack() {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(BadChunk),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::STALE_NAN;
    use proptest::prelude::*;

    fn times_back(all: &[i64]) -> Vec<i64> {
        let (mut bytes, mut back) = (Vec::new(), Vec::new());
        pack_times(all, &mut bytes);
        unpack_times(&bytes, all.len(), &mut back).expect("what was packed");
        back
    }

    fn bits_back(all: &[f64]) -> Vec<u64> {
        let (mut bytes, mut back) = (Vec::new(), Vec::new());
        pack_values(all, &mut bytes);
        unpack_values(&bytes, all.len(), &mut back).expect("what was packed");
        back.iter().map(|value| value.to_bits()).collect()
    }

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            (-1000i64..1000).prop_map(|value| value as f64),
            (0i32..10_000).prop_map(|value| f64::from(value) / 100.0),
            Just(STALE_NAN),
            Just(-0.0),
            Just(f64::INFINITY),
        ]
    }

    #[test]
    fn a_regular_grid_takes_a_few_bytes_and_a_long_chunk_less_than_plain() {
        let grid: Vec<i64> = (0..480).map(|i| 1_754_083_800_000 + i * 15_000).collect();
        let mut bytes = Vec::new();
        pack_times(&grid, &mut bytes);
        assert!(bytes.len() <= 12, "{}", bytes.len());
        let wave: Vec<f64> =
            (0..480).map(|i| (f64::from(i) / 10.0).sin().mul_add(100.0, 500.0).round() / 4.0).collect();
        bytes.clear();
        pack_values(&wave, &mut bytes);
        assert_eq!(bytes[0], values::PCO);
        assert!(bytes.len() < 480 * 2, "{}", bytes.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_times_survive(first in any::<i64>(), steps in proptest::collection::vec(1i64..100_000, 0..1500)) {
            let first = first / 2;
            let mut all = vec![first];
            all.extend(steps.iter().scan(first, |time, step| { *time += step; Some(*time) }));
            prop_assert_eq!(times_back(&all), all);
        }

        #[test]
        fn any_values_survive_bit_for_bit(all in proptest::collection::vec(any_value(), 1..1500)) {
            let bits: Vec<u64> = all.iter().map(|value| value.to_bits()).collect();
            prop_assert_eq!(bits_back(&all), bits);
        }

        #[test]
        fn integers_survive(all in proptest::collection::vec(-(1i64 << 53)..(1 << 53), 1..200)) {
            let all: Vec<f64> = all.iter().map(|value| *value as f64).collect();
            let bits: Vec<u64> = all.iter().map(|value| value.to_bits()).collect();
            prop_assert_eq!(bits_back(&all), bits);
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), codec in 0u8..5, count in 0usize..600) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() { *first = codec; }
            let _ = unpack_times(&bytes, count, &mut Vec::new());
            let _ = unpack_values(&bytes, count, &mut Vec::new());
        }
    }
}
