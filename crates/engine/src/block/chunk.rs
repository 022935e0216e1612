//! Chunks: the times and values of some samples of one series, packed.
//!
//! Each of the two is packed by itself; its first byte names the codec, and the row that holds it says
//! how many samples it has. docs/format/metrics-block.md describes every byte.

mod bitpack;
mod decimal;
pub(crate) mod histograms;
pub(crate) mod starts;
pub(crate) mod times;
pub(crate) mod values;

use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec};

/// The most samples that a chunk may have, a day at 15 s.
pub(crate) const MAX_SAMPLES: usize = 5760;
/// Samples of a chunk that is written, six hours at 15 s: what a query decodes to get at one of them.
pub(crate) const CHUNK_SAMPLES: usize = 1440;
/// From how many samples on pco is tried: below it packs badly, and slowly.
const PCO_MIN_SAMPLES: usize = 480;
/// pco's level: higher ones cost much more time than they save bytes.
const PCO_LEVEL: usize = 4;

/// Bytes that are no chunk of the expected number of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chunk does not hold what its row says")]
pub(crate) struct BadChunk;

fn checked(bytes: &[u8], count: usize) -> Result<(u8, &[u8]), BadChunk> {
    let (codec, rest) = bytes.split_first().ok_or(BadChunk)?;
    if (1..=MAX_SAMPLES).contains(&count) { Ok((*codec, rest)) } else { Err(BadChunk) }
}

/// Takes pco's bytes in place of those from `start` on, when there are so many numbers that pco may be
/// better, and when it is: by a tenth, because unpacking it is more work.
fn pack_pco_if_smaller<T: pco::data_types::Number>(codec: u8, all: &[T], start: usize, into: &mut Vec<u8>) {
    let end = into.len();
    // Nothing is left to gain where a sample takes less than two bits.
    if all.len() < PCO_MIN_SAMPLES || (end - start) * 4 < all.len() {
        return;
    }
    if pack_pco(codec, all, into) && (into.len() - end) * 10 < (end - start) * 9 {
        into.drain(start..end);
    } else {
        into.truncate(end);
    }
}

fn pack_pco<T: pco::data_types::Number>(codec: u8, all: &[T], into: &mut Vec<u8>) -> bool {
    into.push(codec);
    let config = ChunkConfig::default().with_compression_level(PCO_LEVEL).with_delta_spec(DeltaSpec::Auto);
    let file = FileCompressor::default();
    let mut pack = || -> Result<(), pco::errors::PcoError> {
        file.write_header(&mut *into)?;
        let mut chunk = file.chunk_compressor(all, &config)?;
        chunk.write_meta(&mut *into)?;
        chunk.write_page(0, &mut *into)?;
        Ok(())
    };
    pack().is_ok()
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
