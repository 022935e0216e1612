//! The starts of the samples of a chunk, before their values, where any is known: each with the number of samples,
//! one after the other, that have it.

use model::{NO_START, Starts};

use super::{BadChunk, MAX_SAMPLES};
use crate::varint;

/// Beside the codecs of [`values`](super::values).
const STARTS: u8 = 6;
/// From so many bytes on they are compressed: a difference since the sample before is much like the next one.
const WORTH_PACKING: usize = 64;
/// Any level finds that.
const ZSTD_LEVEL: i32 = 1;
/// The most bytes of a start and of the number of samples that have it.
const MAX_RUN_BYTES: usize = 20;

/// Writes the starts of samples at some times, which ascend. Nothing, when none is known.
pub(crate) fn pack(times_ms: &[i64], starts: &Starts, into: &mut Vec<u8>) {
    if starts.is_empty() {
        return;
    }
    let mut all = Vec::new();
    starts.of(times_ms, &mut all);
    if all.iter().all(|start| *start == NO_START) {
        return;
    }
    let mut bytes = Vec::new();
    let mut before = times_ms.first().copied().unwrap_or(0);
    for run in all.chunk_by(|a, b| a == b) {
        varint::put(&mut bytes, (run.len() as u64) << 1 | u64::from(run[0] != NO_START));
        if run[0] != NO_START {
            varint::put_signed(&mut bytes, run[0].wrapping_sub(before));
            before = run[0];
        }
    }
    into.push(STARTS);
    varint::put(into, bytes.len() as u64);
    let packed = match bytes.len() >= WORTH_PACKING {
        true => zstd::bulk::compress(&bytes, ZSTD_LEVEL).expect("memory can be written to"),
        false => Vec::new(),
    };
    varint::put(into, packed.len() as u64);
    into.extend_from_slice(if packed.is_empty() { &bytes } else { &packed });
}

/// Reads the starts of so many samples, the times of which are told by their places, and gives the bytes that follow.
/// Those of a chunk without any are not known.
pub(crate) fn unpack<'a>(
    bytes: &'a [u8],
    count: usize,
    time_ms: impl Fn(usize) -> Option<i64>,
    into: &mut Starts,
) -> Result<&'a [u8], BadChunk> {
    let Some((STARTS, mut rest)) = bytes.split_first().map(|(codec, rest)| (*codec, rest)) else {
        if let (false, Some(first_ms)) = (into.is_empty(), time_ms(0)) {
            into.push(first_ms, NO_START);
        }
        return Ok(bytes);
    };
    take(&mut rest, count, time_ms, into).ok_or(BadChunk)?;
    Ok(rest)
}

fn take(
    from: &mut &[u8],
    count: usize,
    time_ms: impl Fn(usize) -> Option<i64>,
    into: &mut Starts,
) -> Option<()> {
    let length =
        usize::try_from(varint::take(from)?).ok().filter(|one| *one <= MAX_SAMPLES * MAX_RUN_BYTES)?;
    let packed = varint::take(from)?;
    let unpacked;
    let mut bytes = match packed {
        0 => varint::take_bytes(from, length as u64)?,
        packed => {
            unpacked = zstd::bulk::decompress(varint::take_bytes(from, packed)?, length).ok()?;
            unpacked.as_slice()
        }
    };
    let mut before = time_ms(0)?;
    let mut place = 0usize;
    while !bytes.is_empty() {
        let tag = varint::take(&mut bytes)?;
        let start_ms = match tag & 1 {
            0 => NO_START,
            _ => {
                before = before.wrapping_add(varint::take_signed(&mut bytes)?);
                before
            }
        };
        into.push(time_ms(place)?, start_ms);
        place = place.checked_add(usize::try_from(tag >> 1).ok()?)?;
    }
    (place == count).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(times: &[i64], starts: &[i64]) -> Starts {
        let mut told = Starts::default();
        times.iter().zip(starts).for_each(|(time, start)| told.push(*time, *start));
        told
    }

    fn unpack_of<'a>(bytes: &'a [u8], times: &[i64], into: &mut Starts) -> Result<&'a [u8], BadChunk> {
        unpack(bytes, times.len(), |place| times.get(place).copied(), into)
    }

    proptest! {
        #[test]
        fn starts_come_back_behind_those_that_are_there(
            samples in proptest::collection::vec((1i64..1000, prop_oneof![0i64..3, any::<i64>()]), 1..80),
        ) {
            let mut time = 1_000_000;
            let times: Vec<i64> = samples.iter().map(|(step, _)| { time += step; time }).collect();
            let expected: Vec<i64> = samples.iter().map(|(_, start)| *start).collect();
            let mut packed = Vec::new();
            pack(&times, &told(&times, &expected), &mut packed);
            packed.push(0);
            let mut back = told(&[5], &[77]);
            let rest = unpack_of(&packed, &times, &mut back).expect("what was packed");
            prop_assert_eq!(rest, &[0u8]);
            let mut found = Vec::new();
            back.of(&times, &mut found);
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(back.at(5), 77);
            if packed.len() > 1 {
                let cut = unpack_of(&packed, &times[1..], &mut Starts::default());
                prop_assert!(cut.is_err(), "they are of as many samples");
            }
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), count in 0i64..20) {
            let mut bytes = bytes;
            bytes.insert(0, STARTS);
            let times: Vec<i64> = (0..count).collect();
            _ = unpack_of(&bytes, &times, &mut Starts::default());
        }
    }

    #[test]
    fn a_start_that_stays_takes_a_dozen_bytes_a_chunk_and_differences_hardly_more_than_their_samples() {
        let times: Vec<i64> = (0..1440).map(|step| 1_760_000_000_000 + step * 15_000).collect();
        let size = |starts: &Starts| {
            let mut packed = Vec::new();
            pack(&times, starts, &mut packed);
            packed.len()
        };
        assert_eq!(size(&Starts::default()), 0);
        assert!(size(&told(&times[..1], &[1_759_000_000_000])) <= 12);
        let since_before: Vec<i64> = times.iter().map(|time| time - 15_000).collect();
        let bytes = size(&told(&times, &since_before));
        assert!(bytes < 100, "{bytes}");
    }
}
