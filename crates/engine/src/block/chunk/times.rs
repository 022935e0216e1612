//! Times of samples.

use super::{BadChunk, bitpack, checked, pack_pco_if_smaller, unpack_pco};
use crate::varint;

const REGULAR: u8 = 0;
/// Not written any more.
const DELTA: u8 = 1;
const PCO: u8 = 2;
const STEPS: u8 = 3;

/// Packs strictly ascending times in milliseconds.
pub(crate) fn pack(all: &[i64], into: &mut Vec<u8>) {
    let Some((&first, rest)) = all.split_first() else { return };
    let step = rest.first().map_or(0, |second| second.wrapping_sub(first));
    if all.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step) {
        into.push(REGULAR);
        varint::put_signed(into, first);
        varint::put_signed(into, step);
        return;
    }
    let start = into.len();
    into.push(STEPS);
    varint::put_signed(into, first);
    let mut steps: Vec<u64> = all.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]) as u64).collect();
    let least = steps.iter().copied().min().unwrap_or(0);
    steps.iter_mut().for_each(|step| *step -= least);
    varint::put(into, least);
    bitpack::pack(&steps, into);
    pack_pco_if_smaller(PCO, all, start, into);
}

/// Unpacks `count` times and adds them to `into`.
pub(crate) fn unpack(bytes: &[u8], count: usize, into: &mut Vec<i64>) -> Result<(), BadChunk> {
    let (codec, mut rest) = checked(bytes, count)?;
    match codec {
        REGULAR => {
            let first = varint::take_signed(&mut rest).ok_or(BadChunk)?;
            let step = varint::take_signed(&mut rest).ok_or(BadChunk)?;
            into.extend((0..count as i64).map(|index| first.wrapping_add(step.wrapping_mul(index))));
        }
        STEPS => {
            let mut time = varint::take_signed(&mut rest).ok_or(BadChunk)?;
            let least = varint::take(&mut rest).ok_or(BadChunk)?;
            let mut steps = Vec::with_capacity(count);
            bitpack::unpack(rest, count - 1, &mut steps).ok_or(BadChunk)?;
            into.push(time);
            into.extend(steps.into_iter().map(|step| {
                time = time.wrapping_add_unsigned(step.wrapping_add(least));
                time
            }));
        }
        DELTA => {
            let mut time = varint::take_signed(&mut rest).ok_or(BadChunk)?;
            into.push(time);
            let mut step = 0i64;
            for _ in 1..count {
                step = step.wrapping_add(varint::take_signed(&mut rest).ok_or(BadChunk)?);
                time = time.wrapping_add(step);
                into.push(time);
            }
        }
        PCO => unpack_pco(rest, count, into)?,
        _ => return Err(BadChunk),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back(all: &[i64]) -> Vec<i64> {
        let (mut bytes, mut back) = (Vec::new(), Vec::new());
        pack(all, &mut bytes);
        unpack(&bytes, all.len(), &mut back).expect("what was packed");
        back
    }

    #[test]
    fn a_regular_grid_takes_a_few_bytes_and_a_trembling_one_half_a_byte_a_sample() {
        let grid: Vec<i64> = (0..480).map(|i| 1_754_083_800_000 + i * 15_000).collect();
        let mut bytes = Vec::new();
        pack(&grid, &mut bytes);
        assert!(bytes.len() <= 12, "{}", bytes.len());
        let trembling: Vec<i64> = (0..).zip(&grid).map(|(i, time)| time + i * 7919 % 5 - 2).collect();
        bytes.clear();
        pack(&trembling, &mut bytes);
        assert!(bytes.len() < 480 / 2 + 40, "{}", bytes.len());
        assert_eq!(back(&trembling), trembling);
    }

    #[test]
    fn times_at_both_ends_of_what_there_is_survive() {
        let all = [i64::MIN, i64::MIN + 1, 5, i64::MAX];
        assert_eq!(back(&all), all);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_times_survive(first in any::<i64>(), steps in proptest::collection::vec(1i64..100_000, 0..1500)) {
            let first = first / 2;
            let mut all = vec![first];
            all.extend(steps.iter().scan(first, |time, step| { *time += step; Some(*time) }));
            prop_assert_eq!(back(&all), all);
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), codec in 0u8..5, count in 0usize..600) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() { *first = codec; }
            let _ = unpack(&bytes, count, &mut Vec::new());
        }
    }
}
