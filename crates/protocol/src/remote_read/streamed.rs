//! Answers as a stream of chunks (`STREAMED_XOR_CHUNKS`): frames, each with chunks of one series, behind its length and
//! a checksum. Whoever reads them has little more in memory than a frame.

use model::{Histograms, LabelsRef, Sample};
use prost::Message;

use crate::chunks::{self, Chunk};
use crate::remote_write::{Label, TimeSeries};

/// What an answer of frames is called.
pub const CONTENT_TYPE: &str = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";

/// A frame that has so many bytes gets no more chunks, as in Prometheus.
const FRAME_BYTES: usize = 1 << 20;

/// `prometheus.ChunkedReadResponse`
#[derive(Clone, PartialEq, prost::Message)]
struct Frame {
    /// There may be more of them; one is sent.
    #[prost(message, required, tag = "1")]
    chunked_series: ChunkedSeries,
    #[prost(int64, tag = "2")]
    query_index: i64,
}

/// `prometheus.ChunkedSeries`
#[derive(Clone, PartialEq, prost::Message)]
struct ChunkedSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    chunks: Vec<WireChunk>,
}

/// `prometheus.Chunk`
#[derive(Clone, PartialEq, prost::Message)]
struct WireChunk {
    #[prost(int64, tag = "1")]
    min_time_ms: i64,
    #[prost(int64, tag = "2")]
    max_time_ms: i64,
    #[prost(int32, tag = "3")]
    r#type: i32,
    #[prost(bytes = "vec", tag = "4")]
    data: Vec<u8>,
}

impl From<Chunk> for WireChunk {
    fn from(chunk: Chunk) -> Self {
        let Chunk { encoding, first_ms, last_ms, data } = chunk;
        Self { min_time_ms: first_ms, max_time_ms: last_ms, r#type: encoding as i32, data }
    }
}

/// Appends the frames of one series that the query at the place `query` of a request has found. Samples come in
/// ascending time; staleness markers go along, as values. Series have to be sent in the order of their labels.
pub fn put_series(
    query: usize,
    labels: LabelsRef<'_>,
    samples: impl Iterator<Item = Sample>,
    histograms: &Histograms,
    into: &mut Vec<u8>,
) {
    let labels = TimeSeries::of(labels).labels;
    let room = FRAME_BYTES.saturating_sub(labels.iter().map(Message::encoded_len).sum());
    let chunked_series = ChunkedSeries { labels, chunks: Vec::new() };
    let query_index = i64::try_from(query).unwrap_or(i64::MAX);
    let mut frame = Frame { chunked_series, query_index };
    let mut bytes = 0;
    chunks::pack(samples, histograms, |chunk| {
        let chunk = WireChunk::from(chunk);
        bytes += chunk.encoded_len();
        frame.chunked_series.chunks.push(chunk);
        if bytes >= room {
            put_frame(&frame, into);
            frame.chunked_series.chunks.clear();
            bytes = 0;
        }
    });
    if !frame.chunked_series.chunks.is_empty() {
        put_frame(&frame, into);
    }
}

/// Appends a frame behind its length and its checksum (CRC-32C).
fn put_frame(frame: &Frame, into: &mut Vec<u8>) {
    let message = frame.encode_to_vec();
    prost::encoding::encode_varint(message.len() as u64, into);
    into.extend_from_slice(&crc32c::crc32c(&message).to_be_bytes());
    into.extend_from_slice(&message);
}

#[cfg(test)]
mod tests;
