//! Chunks: runs of samples of one series, packed bit by bit as Prometheus keeps and sends them
//! (<https://github.com/prometheus/prometheus/blob/main/tsdb/docs/format/chunks.md>). There are chunks of numbers, of
//! histograms whose counts are whole, and of other histograms. Here they are written, and never read.

mod bits;
mod histogram;
mod number;

use model::{Histograms, Sample};

use histogram::HistogramChunk;
use number::NumberChunk;

/// The most samples of a chunk, as Prometheus cuts them.
const MAX_SAMPLES: u16 = 120;
/// A chunk that has so many bytes gets no more samples: those of wide histograms would become megabytes.
const MAX_BYTES: usize = 16 << 10;

/// How the samples of a chunk are packed; the numbers are Prometheus'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Numbers.
    Xor = 1,
    /// Histograms whose counts are whole.
    Histogram = 2,
    /// Other histograms.
    FloatHistogram = 3,
}

/// A chunk that is whole.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) encoding: Encoding,
    /// The time of its first sample, in milliseconds since the epoch.
    pub(crate) first_ms: i64,
    /// The time of its last sample.
    pub(crate) last_ms: i64,
    pub(crate) data: Vec<u8>,
}

/// Packs the samples of one series, which come in ascending time, and hands each chunk to `put` when it is whole.
/// Histograms that cannot be read are left out.
pub(crate) fn pack(
    samples: impl Iterator<Item = Sample>,
    histograms: &Histograms,
    mut put: impl FnMut(Chunk),
) {
    let mut open: Option<Open> = None;
    for Sample { time_ms, value } in samples {
        let next = match (open.take(), histograms.of(value)) {
            (Some(Open::Numbers(mut chunk)), None) if chunk.has_room() => {
                chunk.push(time_ms, value);
                Open::Numbers(chunk)
            }
            (before, None) => {
                before.into_iter().for_each(|chunk| put(chunk.finish()));
                Open::Numbers(NumberChunk::begin(time_ms, value))
            }
            (before, Some(Err(_))) => {
                open = before;
                continue;
            }
            (Some(Open::Histograms(chunk)), Some(Ok(histogram))) => {
                let (whole, chunk) = chunk.push(time_ms, histogram);
                whole.into_iter().for_each(&mut put);
                Open::Histograms(chunk)
            }
            (before, Some(Ok(histogram))) => {
                before.into_iter().for_each(|chunk| put(chunk.finish()));
                Open::Histograms(Box::new(HistogramChunk::begin(time_ms, histogram, None)))
            }
        };
        open = Some(next);
    }
    open.into_iter().for_each(|chunk| put(chunk.finish()));
}

/// A chunk that may get more samples.
enum Open {
    Numbers(NumberChunk),
    Histograms(Box<HistogramChunk>),
}

impl Open {
    fn finish(self) -> Chunk {
        match self {
            Self::Numbers(chunk) => chunk.finish(),
            Self::Histograms(chunk) => chunk.finish(),
        }
    }
}
