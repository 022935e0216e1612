//! Unsigned integers in as few bits as most of them need.
//!
//! Blocks of 128 integers have a width each. Integers that are wider are exceptions: their low bits lie
//! among the others, the rest of them follows. So one outlier does not widen its neighbours, and all of a
//! block but the exceptions is unpacked without a branch.

use std::ops::Range;

use crate::varint;

/// Integers that share a width.
const BLOCK: usize = 128;
/// Bytes that are loaded at once.
const LOAD: usize = 8;
/// The widest integers that one load holds at any offset of bits.
const MAX_LOAD_BITS: usize = 57;

/// Appends integers.
pub(super) fn pack(all: &[u64], into: &mut Vec<u8>) {
    for block in all.chunks(BLOCK) {
        let width = best_width(block);
        let mask = low_bits(width);
        into.push(width as u8);
        let count_at = into.len();
        into.push(0);
        let (mut word, mut filled) = (0u128, 0);
        for value in block {
            word |= u128::from(value & mask) << filled;
            filled += width;
            while filled >= 8 {
                into.push(word as u8);
                word >>= 8;
                filled -= 8;
            }
        }
        if filled > 0 {
            into.push(word as u8);
        }
        let mut exceptions = 0;
        for (place, value) in block.iter().enumerate().filter(|(_, value)| **value > mask) {
            into.push(place as u8);
            varint::put(into, value >> width);
            exceptions += 1;
        }
        into[count_at] = exceptions;
    }
}

/// Adds `count` integers to `into`; `None` when the bytes hold none such.
pub(super) fn unpack(bytes: &[u8], count: usize, into: &mut Vec<u64>) -> Option<()> {
    unpack_within(bytes, count, 0..count, into).map(|_| ())
}

/// Adds those of `count` integers to `into` that lie at some places, and some of their neighbours: whole blocks are
/// passed over, and what follows the last place is not read. Gives the place of the first one that was added.
pub(super) fn unpack_within(
    mut bytes: &[u8],
    count: usize,
    places: Range<usize>,
    into: &mut Vec<u64>,
) -> Option<usize> {
    let mut first = None;
    for at in (0..count.min(places.end)).step_by(BLOCK) {
        let block = (count - at).min(BLOCK);
        let (&[width, exceptions], rest) = bytes.split_first_chunk::<2>()?;
        let width = usize::from(width);
        if width > 64 {
            return None;
        }
        let from_here = rest;
        let (packed, mut rest) = rest.split_at_checked((block * width).div_ceil(8))?;
        if at + block <= places.start {
            for _ in 0..exceptions {
                (_, rest) = rest.split_first()?;
                varint::take(&mut rest)?;
            }
            bytes = rest;
            continue;
        }
        first = first.or(Some(at));
        let start = into.len();
        if width == 0 {
            into.resize(start + block, 0);
        } else if width <= MAX_LOAD_BITS {
            // The last loads reach behind the block, into whatever follows if there is enough of it.
            if rest.len() >= LOAD {
                unpack_narrow(from_here, width, block, into);
            } else {
                let mut padded = [0u8; BLOCK * MAX_LOAD_BITS / 8 + LOAD];
                padded[..packed.len()].copy_from_slice(packed);
                unpack_narrow(&padded, width, block, into);
            }
        } else {
            unpack_wide(packed, width, block, into);
        }
        for _ in 0..exceptions {
            let (place, after) = rest.split_first()?;
            rest = after;
            let high = varint::take(&mut rest)?;
            let value = into.get_mut(start + usize::from(*place))?;
            *value |= high.checked_shl(width as u32)?;
        }
        bytes = rest;
    }
    Some(first.unwrap_or(places.start))
}

fn unpack_narrow(bytes: &[u8], width: usize, block: usize, into: &mut Vec<u64>) {
    if width <= LOAD && block.is_multiple_of(LOAD) {
        return unpack_bytes(bytes, width, block, into);
    }
    let mask = low_bits(width);
    into.extend((0..block).map(|place| {
        let bit = place * width;
        let word = bytes.get(bit / 8..).and_then(|bytes| bytes.first_chunk::<LOAD>());
        word.map_or(0, |word| u64::from_le_bytes(*word) >> (bit % 8) & mask)
    }));
}

/// Eight integers of at most eight bits lie in one load, and begin at a byte.
fn unpack_bytes(bytes: &[u8], width: usize, block: usize, into: &mut Vec<u64>) {
    let mask = low_bits(width);
    for eight in 0..block / LOAD {
        let word = bytes.get(eight * width..).and_then(|bytes| bytes.first_chunk::<LOAD>());
        let word = word.map_or(0, |word| u64::from_le_bytes(*word));
        into.extend_from_slice(&[0, 1, 2, 3, 4, 5, 6, 7].map(|place| word >> (place * width) & mask));
    }
}

fn unpack_wide(packed: &[u8], width: usize, block: usize, into: &mut Vec<u64>) {
    let (mut word, mut filled, mut bytes) = (0u128, 0, packed.iter());
    for _ in 0..block {
        while filled < width {
            word |= u128::from(bytes.next().copied().unwrap_or(0)) << filled;
            filled += 8;
        }
        into.push(word as u64 & low_bits(width));
        word >>= width;
        filled -= width;
    }
}

fn low_bits(width: usize) -> u64 {
    if width == 0 { 0 } else { u64::MAX >> (64 - width) }
}

/// The width with which a block takes the fewest bytes.
fn best_width(block: &[u64]) -> usize {
    let mut by_width = [0usize; 65];
    for value in block {
        by_width[64 - value.leading_zeros() as usize] += 1;
    }
    let widest = by_width.iter().rposition(|count| *count > 0).unwrap_or(0);
    let bytes = |width: usize| {
        let exceptions: usize =
            (width + 1..=widest).map(|wide| by_width[wide] * (1 + (wide - width).div_ceil(7))).sum();
        (block.len() * width).div_ceil(8) + exceptions
    };
    (0..=widest).rev().min_by_key(|width| bytes(*width)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back(all: &[u64]) -> Vec<u64> {
        let (mut bytes, mut found) = (Vec::new(), Vec::new());
        pack(all, &mut bytes);
        unpack(&bytes, all.len(), &mut found).expect("what was packed");
        if bytes.pop().is_some() {
            assert!(
                unpack(&bytes, all.len(), &mut Vec::new()).is_none(),
                "nothing is behind the last integer"
            );
        }
        found
    }

    #[test]
    fn an_outlier_does_not_widen_its_neighbours() {
        let mut all = vec![3; 128];
        all[7] = u64::MAX;
        let mut bytes = Vec::new();
        pack(&all, &mut bytes);
        assert_eq!(bytes.len(), 2 + 128 * 2 / 8 + 1 + 9);
        assert_eq!(back(&all), all);
    }

    proptest! {
        #[test]
        fn any_integers_survive(widths in proptest::collection::vec((0u32..64, any::<u64>()), 0..400)) {
            let all: Vec<u64> = widths.iter().map(|(shift, value)| value >> shift).collect();
            prop_assert_eq!(back(&all), all);
        }

        #[test]
        fn integers_of_one_width_survive(width in 1u32..=64, all in proptest::collection::vec(any::<u64>(), 1..200)) {
            let all: Vec<u64> = all.iter().map(|value| value >> (64 - width)).collect();
            prop_assert_eq!(back(&all), all);
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), count in 0usize..300) {
            let _ = unpack(&bytes, count, &mut Vec::new());
        }
    }
}
