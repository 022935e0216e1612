//! Values of samples of which some are histograms: these, packed together, and then the values as any others, in
//! which each histogram is the value that stands for its place.

use std::ops::Range;

use model::Histograms;
use model::histogram::histogram_place;

use super::{BadChunk, checked, values};
use crate::varint;

/// Beside the codecs of [`values`].
const HISTOGRAMS: u8 = 5;
/// Counts of neighbouring histograms are much alike: any level finds that.
const ZSTD_LEVEL: i32 = 1;
/// The most bytes that the histograms of a chunk may have: none has so many.
const MAX_BYTES: usize = 1 << 30;

/// Whether any value stands for a histogram.
pub(crate) fn are_among(all: &[f64]) -> bool {
    all.iter().any(|value| histogram_place(*value).is_some())
}

/// Packs values, some of which may be histograms.
pub(crate) fn pack(all: &[f64], histograms: &Histograms, into: &mut Vec<u8>) {
    if !are_among(all) {
        return values::pack(all, into);
    }
    let (mut bytes, mut here) = (Vec::new(), Histograms::default());
    let mut renumbered = all.to_vec();
    here.adopt(histograms, &mut renumbered);
    for encoded in here.iter() {
        varint::put(&mut bytes, encoded.len() as u64);
        bytes.extend_from_slice(encoded);
    }
    let packed = zstd::bulk::compress(&bytes, ZSTD_LEVEL).expect("memory can be written to");
    into.push(HISTOGRAMS);
    for number in [here.len(), bytes.len(), packed.len()] {
        varint::put(into, number as u64);
    }
    into.extend_from_slice(&packed);
    values::pack(&renumbered, into);
}

/// Unpacks those of `count` values that lie at some places and adds them to `into`, and the histograms among them to
/// `histograms`.
pub(crate) fn unpack(
    bytes: &[u8],
    count: usize,
    places: Range<usize>,
    into: &mut Vec<f64>,
    histograms: &mut Histograms,
) -> Result<(), BadChunk> {
    let (HISTOGRAMS, mut rest) = checked(bytes, count)? else {
        return values::unpack_within(bytes, count, places, into);
    };
    let found = take(&mut rest, count).ok_or(BadChunk)?;
    let start = into.len();
    values::unpack_within(rest, count, places, into)?;
    histograms.adopt(&found, &mut into[start..]);
    Ok(())
}

fn take(from: &mut &[u8], count: usize) -> Option<Histograms> {
    let mut number = || usize::try_from(varint::take(from)?).ok();
    let (many, length, packed) = (number()?, number()?, number()?);
    if many > count || length > MAX_BYTES {
        return None;
    }
    let (packed, rest) = from.split_at_checked(packed)?;
    *from = rest;
    let unpacked = zstd::bulk::decompress(packed, length).ok()?;
    let mut bytes = unpacked.as_slice();
    let mut found = Histograms::default();
    for _ in 0..many {
        let length = varint::take(&mut bytes)?;
        found.push_encoded(varint::take_bytes(&mut bytes, length)?);
    }
    bytes.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::histogram::NO_HISTOGRAM;
    use model::{Histogram, STALE_NAN};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_and_histograms_come_back(
            samples in proptest::collection::vec(prop_oneof![
                any::<u64>().prop_map(|bits| (f64::from_bits(bits), false)),
                any::<f64>().prop_map(|sum| (sum, true)),
                Just((STALE_NAN, false)),
            ], 1..60),
        ) {
            let mut all = Histograms::default();
            let values: Vec<f64> = samples
                .iter()
                .map(|(value, is_histogram)| match is_histogram {
                    true => all.push(&Histogram { sum: *value, count: 3.0, ..Histogram::default() }),
                    false => model::histogram::plain_value(*value),
                })
                .collect();
            let mut packed = Vec::new();
            pack(&values, &all, &mut packed);
            let (mut back, mut found) = (vec![1.0], Histograms::default());
            found.push(&Histogram::default());
            unpack(&packed, values.len(), 0..values.len(), &mut back, &mut found).expect("what was packed");
            let told = |values: &[f64], all: &Histograms| -> Vec<u64> {
                let bits = |value: &f64| match all.of(*value) {
                    Some(histogram) => histogram.expect("is there").sum.to_bits(),
                    None => value.to_bits(),
                };
                values.iter().map(bits).collect()
            };
            prop_assert_eq!(told(&back[1..], &found), told(&values, &all));
            if are_among(&values) {
                packed.pop();
                prop_assert!(unpack(&packed, values.len(), 0..values.len(), &mut back, &mut found).is_err());
            }
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), count in 0usize..20) {
            let mut bytes = bytes;
            bytes.insert(0, HISTOGRAMS);
            let _ = unpack(&bytes, count, 0..count, &mut Vec::new(), &mut Histograms::default());
        }
    }

    #[test]
    fn a_histogram_that_is_not_there_stays_none() {
        let mut packed = Vec::new();
        pack(&[1.0, NO_HISTOGRAM], &Histograms::default(), &mut packed);
        let (mut back, mut found) = (Vec::new(), Histograms::default());
        unpack(&packed, 2, 0..2, &mut back, &mut found).expect("what was packed");
        assert_eq!((back[0], back[1].to_bits()), (1.0, NO_HISTOGRAM.to_bits()));
        assert!(found.is_empty());
    }
}
