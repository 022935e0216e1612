//! Prometheus remote write 1.0: a snappy block of one protobuf message.
//!
//! Float samples are taken. Native histograms, exemplars and metadata are counted and passed over. A
//! series whose labels are wrong is rejected alone. Start reading at [`decode`].

mod message;
mod series;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use model::{LabelsRef, MetricBatch, Sample};
use parking_lot::Mutex;
use prost::Message;

use message::{Label, TimeSeries, WireSample, WriteRequest};
use series::SeriesReader;
use crate::wire::{self, Fields, Value};

pub use wire::Malformed;

/// What was in a request.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The series and their samples, in ascending time.
    pub batch: MetricBatch,
    /// The first series that were rejected, by their place in the request.
    pub rejected: Vec<RejectedSeries>,
    /// Samples of rejected series, all of them.
    pub rejected_samples: usize,
    /// What is not taken yet.
    pub unsupported: Unsupported,
}

/// Parts of a request that are passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unsupported {
    /// Native histograms.
    pub histograms: usize,
    /// Exemplars.
    pub exemplars: usize,
    /// Metadata of metrics.
    pub metadata: usize,
}

/// A series that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("series {index}: {reason}")]
pub struct RejectedSeries {
    /// Its place in the request, from 0.
    pub index: usize,
    /// Why, in words that say what to change.
    pub reason: String,
}

/// A request that is none.
#[derive(Debug, thiserror::Error)]
pub enum RemoteWriteError {
    /// It would be too large when decompressed.
    #[error("the request holds {declared} bytes, at most {limit} are taken: send fewer samples at once")]
    TooLarge {
        /// The size that it declares.
        declared: usize,
        /// The limit.
        limit: usize,
    },
    /// It is no snappy block.
    #[error("the request is not a snappy block (not the framed format)")]
    Snappy(#[source] snap::Error),
    /// It is no `prometheus.WriteRequest`.
    #[error("the request is not a prometheus.WriteRequest (remote write 1.0)")]
    Protobuf(#[source] Malformed),
}

/// The most rejected series that are described.
const MAX_DESCRIBED: usize = 100;
/// A request of up to so many bytes leaves its memory to the next one.
const SPARE_BYTES: usize = 1 << 20;
/// What a request was decompressed into; the next one writes over it.
static SPARE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Takes a request apart. `limit` bounds its decompressed size, in bytes; it is checked against the size
/// that the block declares before anything is decompressed.
pub fn decode(bytes: &[u8], limit: usize) -> Result<Decoded, RemoteWriteError> {
    let declared = snap::raw::decompress_len(bytes).map_err(RemoteWriteError::Snappy)?;
    if declared > limit {
        return Err(RemoteWriteError::TooLarge { declared, limit });
    }
    let mut decoder = snap::raw::Decoder::new();
    if declared > SPARE_BYTES {
        // The system gives zeroed memory as it is written to: what a bomb only declares costs nothing.
        return read(&decoder.decompress_vec(bytes).map_err(RemoteWriteError::Snappy)?, limit);
    }
    let mut plain = std::mem::take(&mut *SPARE.lock());
    if plain.len() < declared {
        plain.resize(declared, 0);
    }
    let length = decoder.decompress(bytes, &mut plain).map_err(RemoteWriteError::Snappy)?;
    let decoded = read(&plain[..length], limit);
    *SPARE.lock() = plain;
    decoded
}

/// Takes a message apart. What is made of it may be as large as the message: a message of empty samples would become
/// eight times its size.
fn read(plain: &[u8], limit: usize) -> Result<Decoded, RemoteWriteError> {
    let mut decoded = Decoded::default();
    let mut series = SeriesReader::default();
    let mut index = 0;
    for field in Fields::of(plain) {
        match field.map_err(RemoteWriteError::Protobuf)? {
            (1, Value::Bytes(message)) => {
                series.read(message, &mut decoded.unsupported).map_err(RemoteWriteError::Protobuf)?;
                decoded.take(&mut series, index);
                index += 1;
                let declared = decoded.batch.size_bytes();
                if declared > limit {
                    return Err(RemoteWriteError::TooLarge { declared, limit });
                }
            }
            (3, Value::Bytes(_)) => decoded.unsupported.metadata += 1,
            (number @ (1 | 3), _) => return Err(RemoteWriteError::Protobuf(Malformed::Type(number))),
            _ => {}
        }
    }
    Ok(decoded)
}

impl Decoded {
    fn take(&mut self, series: &mut SeriesReader<'_>, index: usize) {
        match series.check() {
            Ok(()) if series.sent() == 0 => {}
            Ok(()) => {
                series.put_in_order();
                self.batch.push(series.labels(), series.samples());
            }
            Err(reason) => {
                self.rejected_samples += series.sent();
                if self.rejected.len() < MAX_DESCRIBED {
                    self.rejected.push(RejectedSeries { index, reason });
                }
            }
        }
    }
}

/// Writes a batch as a request, as an agent does.
pub fn encode(batch: &MetricBatch) -> Vec<u8> {
    let timeseries = batch.iter().map(|(labels, samples)| message(labels, samples)).collect();
    let request = WriteRequest { timeseries, metadata: Vec::new() };
    snap::raw::Encoder::new()
        .compress_vec(&request.encode_to_vec())
        .expect("a batch in memory is smaller than the 4 GiB that a snappy block can hold")
}

/// A series as it is sent.
fn message(labels: LabelsRef<'_>, samples: &[Sample]) -> TimeSeries {
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    TimeSeries {
        labels: labels.iter().map(|(name, value)| Label { name: bytes(name), value: bytes(value) }).collect(),
        samples: samples
            .iter()
            .map(|sample| WireSample {
                value: (sample.value.to_bits() != 0).then_some(sample.value),
                timestamp: sample.time_ms,
            })
            .collect(),
        exemplars: Vec::new(),
        histograms: Vec::new(),
    }
}
