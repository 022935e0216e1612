//! Chunks of numbers: times as changes of their distance, values as bits that changed.

use super::bits::{Bits, Xor};
use super::{Chunk, Encoding, MAX_SAMPLES};

/// Bytes before the first sample: how many samples there are.
const HEADER_BYTES: usize = 2;

/// A chunk of numbers that grows.
pub(super) struct NumberChunk {
    bits: Bits,
    samples: u16,
    first_ms: i64,
    last_ms: i64,
    /// From the sample before the last to the last.
    distance_ms: i64,
    value: Xor,
}

impl NumberChunk {
    pub(super) fn begin(time_ms: i64, value: f64) -> Self {
        let mut bits = Bits::behind(HEADER_BYTES);
        bits.put_signed_varint(time_ms);
        let value = Xor::begin(value, &mut bits);
        Self { bits, samples: 1, first_ms: time_ms, last_ms: time_ms, distance_ms: 0, value }
    }

    pub(super) fn has_room(&self) -> bool {
        self.samples < MAX_SAMPLES
    }

    /// Adds a sample that is later than the last one.
    pub(super) fn push(&mut self, time_ms: i64, value: f64) {
        let distance_ms = time_ms.wrapping_sub(self.last_ms);
        if self.samples == 1 {
            self.bits.put_varint(distance_ms.cast_unsigned());
        } else {
            self.bits.put_time(distance_ms.wrapping_sub(self.distance_ms));
        }
        self.value.put(value, &mut self.bits);
        (self.distance_ms, self.last_ms) = (distance_ms, time_ms);
        self.samples += 1;
    }

    pub(super) fn finish(self) -> Chunk {
        let Self { bits, samples, first_ms, last_ms, .. } = self;
        Chunk { encoding: Encoding::Xor, first_ms, last_ms, data: bits.finish(samples) }
    }
}
