//! Values of samples, bit for bit.

use std::ops::Range;

use super::decimal::{self, Decimals};
use super::{BadChunk, bitpack, checked, pack_pco_if_smaller, unpack_pco};
use crate::varint;

const CONSTANT: u8 = 0;
/// Not written any more.
const INTEGER: u8 = 1;
const XOR: u8 = 2;
const PCO: u8 = 3;
const DECIMAL: u8 = 4;

/// Packs values.
pub(crate) fn pack(all: &[f64], into: &mut Vec<u8>) {
    let Some((first, rest)) = all.split_first() else { return };
    if rest.iter().all(|value| value.to_bits() == first.to_bits()) {
        into.push(CONSTANT);
        into.extend_from_slice(&first.to_le_bytes());
        return;
    }
    let start = into.len();
    match Decimals::of(all) {
        Some(decimals) => {
            into.push(DECIMAL);
            pack_decimals(&decimals, into);
        }
        None => {
            into.push(XOR);
            pack_xor(all, into);
        }
    }
    pack_pco_if_smaller(PCO, all, start, into);
}

/// Unpacks `count` values and adds them to `into`.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn unpack(bytes: &[u8], count: usize, into: &mut Vec<f64>) -> Result<(), BadChunk> {
    unpack_within(bytes, count, 0..count, into)
}

/// Unpacks those of `count` values that lie at some places, and adds them to `into`. What the most common codec has
/// before and behind them costs little or nothing.
pub(crate) fn unpack_within(
    bytes: &[u8],
    count: usize,
    places: Range<usize>,
    into: &mut Vec<f64>,
) -> Result<(), BadChunk> {
    let (codec, rest) = checked(bytes, count)?;
    if places.start > places.end || places.end > count {
        return Err(BadChunk);
    }
    match codec {
        CONSTANT => {
            let value = f64::from_le_bytes(*rest.first_chunk().ok_or(BadChunk)?);
            into.resize(into.len() + places.len(), value);
        }
        DECIMAL => unpack_decimals(rest, count, places, into).ok_or(BadChunk)?,
        _ => {
            let start = into.len();
            unpack_all(codec, rest, count, into)?;
            into.truncate(start + places.end);
            into.drain(start..start + places.start);
        }
    }
    Ok(())
}

fn unpack_all(codec: u8, mut rest: &[u8], count: usize, into: &mut Vec<f64>) -> Result<(), BadChunk> {
    match codec {
        INTEGER => {
            let mut value = 0i64;
            for _ in 0..count {
                value = value.wrapping_add(varint::take_signed(&mut rest).ok_or(BadChunk)?);
                into.push(value as f64);
            }
        }
        XOR => unpack_xor(rest, count, into)?,
        PCO => unpack_pco(rest, count, into)?,
        _ => return Err(BadChunk),
    }
    Ok(())
}

/// Integers as what they are above the least of them, in units of what divides all of that; or the
/// same of their differences, if that is smaller.
struct Frame {
    least: i64,
    unit: u64,
    multiples: Vec<u64>,
}

impl Frame {
    fn of(integers: impl Iterator<Item = i64> + Clone) -> Self {
        let least = integers.clone().min().unwrap_or(0);
        // Integers of decimals lie within 2^53: their differences do not overflow.
        let mut multiples: Vec<u64> = integers.map(|integer| integer.abs_diff(least)).collect();
        let unit = multiples.iter().fold(0, |unit, multiple| greatest_divisor(unit, *multiple)).max(1);
        if unit > 1 {
            multiples.iter_mut().for_each(|multiple| *multiple /= unit);
        }
        Self { least, unit, multiples }
    }

    fn pack(&self) -> Vec<u8> {
        let mut into = Vec::with_capacity(32 + self.multiples.len());
        varint::put_signed(&mut into, self.least);
        varint::put(&mut into, self.unit);
        bitpack::pack(&self.multiples, &mut into);
        into
    }
}

/// The greatest number that divides both; any number divides zero.
fn greatest_divisor(mut a: u64, mut b: u64) -> u64 {
    while a != 1 && b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn pack_decimals(decimals: &Decimals, into: &mut Vec<u8>) {
    let integers = &decimals.integers;
    let of_integers = Frame::of(integers.iter().copied()).pack();
    let of_differences = Frame::of(integers.windows(2).map(|pair| pair[1] - pair[0])).pack();
    let has_differences = of_differences.len() < of_integers.len();
    into.push(decimals.exponent << 1 | u8::from(has_differences));
    varint::put(into, decimals.special.len() as u64);
    for (place, bits) in &decimals.special {
        varint::put(into, *place as u64);
        into.extend_from_slice(&bits.to_le_bytes());
    }
    if has_differences {
        varint::put_signed(into, integers[0]);
    }
    into.extend_from_slice(if has_differences { &of_differences } else { &of_integers });
}

fn unpack_decimals(bytes: &[u8], count: usize, places: Range<usize>, into: &mut Vec<f64>) -> Option<()> {
    let (head, mut rest) = bytes.split_first()?;
    let (exponent, has_differences) = (head >> 1, head & 1 == 1);
    if !decimal::is_exponent(exponent) {
        return None;
    }
    let start = into.len();
    let special = varint::take(&mut rest)?;
    if special > count as u64 {
        return None;
    }
    let mut specials = Vec::with_capacity(special as usize);
    for _ in 0..special {
        let place = usize::try_from(varint::take(&mut rest)?).ok().filter(|place| *place < count)?;
        let (bits, after) = rest.split_first_chunk()?;
        rest = after;
        specials.push((place, f64::from_le_bytes(*bits)));
    }
    let first = if has_differences { Some(varint::take_signed(&mut rest)?) } else { None };
    let least = varint::take_signed(&mut rest)?;
    let unit = varint::take(&mut rest)?;
    let mut integers = Vec::with_capacity(places.end);
    match first {
        None => {
            // The blocks of the wanted places, of which some more may lie before and behind these.
            let at = bitpack::unpack_within(rest, count, places.clone(), &mut integers)?;
            let skipped = places.start - at;
            let wanted = integers.get_mut(skipped..skipped + places.len())?;
            let magnitudes = scale(wanted, least, unit);
            decimal::restore(wanted, magnitudes, exponent, into);
        }
        // A value is the sum of all differences before it.
        Some(_) if places.is_empty() => {}
        Some(first) => {
            bitpack::unpack_within(rest, count - 1, 0..places.end - 1, &mut integers)?;
            let (before, wanted) =
                integers.get_mut(..places.end - 1)?.split_at_mut(places.start.saturating_sub(1));
            let mut sum = first as u64;
            sum_up(before, least, unit, &mut sum);
            if places.start == 0 {
                decimal::restore(&[sum], decimal::magnitude(sum), exponent, into);
            }
            let magnitudes = sum_up(wanted, least, unit, &mut sum);
            decimal::restore(wanted, magnitudes, exponent, into);
        }
    }
    for (place, value) in specials {
        if places.contains(&place) {
            into[start + place - places.start] = value;
        }
    }
    Some(())
}

/// Puts integers in place of the multiples that a frame holds of them, and gives their magnitudes.
fn scale(multiples: &mut [u64], least: i64, unit: u64) -> u64 {
    let mut magnitudes = 0;
    for integer in multiples {
        *integer = integer.wrapping_mul(unit).wrapping_add_signed(least);
        magnitudes |= decimal::magnitude(*integer);
    }
    magnitudes
}

/// Puts the sums of differences, which come on top of `sum`, in place of the multiples that a frame holds of these, and
/// gives their magnitudes.
fn sum_up(multiples: &mut [u64], least: i64, unit: u64, sum: &mut u64) -> u64 {
    let mut magnitudes = 0;
    let mut so_far = *sum;
    for integer in multiples {
        so_far = so_far.wrapping_add(integer.wrapping_mul(unit).wrapping_add_signed(least));
        *integer = so_far;
        magnitudes |= decimal::magnitude(so_far);
    }
    *sum = so_far;
    magnitudes
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

#[cfg(test)]
mod tests {
    use super::*;
    use model::STALE_NAN;
    use proptest::prelude::*;

    fn bits_back(all: &[f64]) -> Vec<u64> {
        let (mut bytes, mut back) = (Vec::new(), Vec::new());
        pack(all, &mut bytes);
        unpack(&bytes, all.len(), &mut back).expect("what was packed");
        back.iter().map(|value| value.to_bits()).collect()
    }

    fn bits(all: &[f64]) -> Vec<u64> {
        all.iter().map(|value| value.to_bits()).collect()
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
    fn each_kind_of_values_gets_the_codec_that_suits_it() {
        let packed = |all: &[f64]| {
            let mut bytes = Vec::new();
            pack(all, &mut bytes);
            assert_eq!(bits_back(all), bits(all));
            (bytes[0], bytes.len())
        };
        let series = |count: i32, value: &dyn Fn(i32) -> f64| -> Vec<f64> { (0..count).map(value).collect() };
        assert_eq!(packed(&series(100, &|_| 1.5)), (CONSTANT, 9));
        // Steps of 0 to 6 take three bits.
        let (codec, bytes) = packed(&series(128, &|i| f64::from(i * 3 + i * 7919 % 4)));
        assert!(codec == DECIMAL && bytes < 128 * 3 / 8 + 16, "{codec} {bytes}");
        // A thousand even hundredths take ten bits, whatever their unit.
        let (codec, bytes) = packed(&series(128, &|i| f64::from(i * 7919 % 1000 * 4) / 100.0));
        assert!(codec == DECIMAL && bytes < 128 * 10 / 8 + 16, "{codec} {bytes}");
        let ended = |i| if i == 127 { STALE_NAN } else { f64::from(i) / 10.0 };
        assert!(matches!(packed(&series(128, &ended)), (DECIMAL, ..40)));
        assert_eq!(packed(&series(128, &|i| f64::from(i).sin())).0, XOR);
        assert_eq!(packed(&series(2000, &|i| (f64::from(i) / 500.0).sin())).0, PCO);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_values_survive_bit_for_bit(all in proptest::collection::vec(any_value(), 1..1500)) {
            prop_assert_eq!(bits_back(&all), bits(&all));
        }

        #[test]
        fn a_part_of_a_chunk_is_that_part(
            all in prop_oneof![
                proptest::collection::vec(any_value(), 1..700),
                // Gauges, and counters, whose differences are packed.
                proptest::collection::vec((-1000i64..1000).prop_map(|value| value as f64 / 10.0), 1..700),
                proptest::collection::vec(0u32..50, 1..700).prop_map(|steps| {
                    let mut sum = 0.0;
                    steps.iter().map(|step| { sum += f64::from(*step); sum }).collect()
                }),
            ],
            ends in (0.0..=1.0f64, 0.0..=1.0f64),
        ) {
            let place = |end: f64| (end * all.len() as f64) as usize;
            let places = place(ends.0.min(ends.1))..place(ends.0.max(ends.1));
            let (mut bytes, mut back) = (Vec::new(), vec![7.0]);
            pack(&all, &mut bytes);
            unpack_within(&bytes, all.len(), places.clone(), &mut back).expect("what was packed");
            prop_assert_eq!(bits(&back[1..]), bits(&all[places]));
        }

        #[test]
        fn decimals_survive(all in proptest::collection::vec(-(1i64 << 53)..(1 << 53), 1..600), shift in 0u32..50, exponent in 0i32..14) {
            let scale = 10f64.powi(exponent);
            let all: Vec<f64> = all.iter().map(|value| (value >> shift) as f64 / scale).collect();
            prop_assert_eq!(bits_back(&all), bits(&all));
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), codec in 0u8..6, count in 0usize..600) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() { *first = codec; }
            let _ = unpack(&bytes, count, &mut Vec::new());
            let _ = unpack_within(&bytes, count, count / 3..count - count / 4, &mut Vec::new());
        }
    }
}
