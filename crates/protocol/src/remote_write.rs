//! Prometheus remote write 1.0: a snappy block of one protobuf message.
//!
//! Float samples are taken. Native histograms, exemplars and metadata are counted and passed over. A
//! series whose labels are wrong is rejected alone. Start reading at [`decode`].

mod message;
mod series;

#[cfg(test)]
mod tests;

use model::MetricBatch;
use prost::Message;

use message::WriteRequest;

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
    Protobuf(#[source] prost::DecodeError),
}

/// The most rejected series that are described.
const MAX_DESCRIBED: usize = 100;

/// Takes a request apart. `limit` bounds its decompressed size, in bytes; it is checked against the size
/// that the block declares before anything is decompressed.
pub fn decode(bytes: &[u8], limit: usize) -> Result<Decoded, RemoteWriteError> {
    let declared = snap::raw::decompress_len(bytes).map_err(RemoteWriteError::Snappy)?;
    if declared > limit {
        return Err(RemoteWriteError::TooLarge { declared, limit });
    }
    let plain = snap::raw::Decoder::new().decompress_vec(bytes).map_err(RemoteWriteError::Snappy)?;
    let request = WriteRequest::decode(plain.as_slice()).map_err(RemoteWriteError::Protobuf)?;
    let mut decoded = Decoded::default();
    decoded.unsupported.metadata = request.metadata.len();
    for (index, series) in request.timeseries.into_iter().enumerate() {
        decoded.unsupported.histograms += series.histograms.len();
        decoded.unsupported.exemplars += series.exemplars.len();
        match series::labels(&series.labels) {
            Ok(_) if series.samples.is_empty() => {}
            Ok(labels) => decoded.batch.push(labels.as_ref(), &series::samples(series.samples)),
            Err(reason) => {
                decoded.rejected_samples += series.samples.len();
                if decoded.rejected.len() < MAX_DESCRIBED {
                    decoded.rejected.push(RejectedSeries { index, reason });
                }
            }
        }
    }
    Ok(decoded)
}

/// Writes a batch as a request, as an agent does.
pub fn encode(batch: &MetricBatch) -> Vec<u8> {
    let timeseries = batch.iter().map(|(labels, samples)| series::message(labels, samples)).collect();
    let request = WriteRequest { timeseries, metadata: Vec::new() };
    snap::raw::Encoder::new()
        .compress_vec(&request.encode_to_vec())
        .expect("a batch in memory is smaller than the 4 GiB that a snappy block can hold")
}
