//! Prometheus remote write: a snappy block of one protobuf message, of the first version (`prometheus.WriteRequest`)
//! or of the second (`io.prometheus.write.v2.Request`).
//!
//! Samples and native histograms, exemplars and metadata are taken. A series or a histogram that is wrong is
//! rejected alone; whether the others are then kept is for whoever asked. Start reading at [`decode`].

mod exemplar;
mod histogram;
mod message;
mod metadata;
mod second;
mod series;
mod symbols;

#[cfg(test)]
mod tests;

use model::histogram::histogram_place;
use model::{Exemplar, LabelsRef, MetricBatch, MetricMetadata, STALE_NAN, Sample, SampleRun};
use parking_lot::Mutex;
use prost::Message;

use crate::Budget;
use crate::wire::{self, Fields, Value};
use exemplar::LabelsOf;
use message::WriteRequest;
pub(crate) use message::{Label, TimeSeries, has_whole_counts};
use series::SeriesReader;

pub use wire::Malformed;

/// Which message a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `prometheus.WriteRequest`, of remote write 1.0.
    First,
    /// `io.prometheus.write.v2.Request`, of remote write 2.0.
    Second,
}

/// What was in a request.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The series and their samples that are numbers, in ascending time.
    pub batch: MetricBatch,
    /// The series and their samples that are histograms, in ascending time.
    pub histograms: MetricBatch,
    /// Exemplars of series that are in order.
    pub exemplars: Vec<Exemplar>,
    /// Exemplars that are not taken: their labels are wrong or too long, there is no time to give them, or there are
    /// too many.
    pub exemplars_left_out: usize,
    /// What is said of metrics.
    pub metadata: Vec<MetricMetadata>,
    /// The first series and histograms that were rejected, by their place in the request.
    pub rejected: Vec<RejectedSeries>,
    /// Samples that were rejected, all of them.
    pub rejected_samples: usize,
    /// Bytes of exemplars and of metadata.
    said_bytes: usize,
}

/// A series that was not taken, or a part of one.
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
    /// There is no room for what it becomes, beside that of others.
    #[error("there is no room for the samples of the request; send it again")]
    NoRoom,
    /// It is no snappy block.
    #[error("the request is not a snappy block (not the framed format)")]
    Snappy(#[source] snap::Error),
    /// It is no message of its version.
    #[error("the request is not the message that its header Content-Type names")]
    Protobuf(#[source] Malformed),
    /// What its series refer to is wrong.
    #[error("the symbols of the request are wrong: {0}")]
    Symbols(String),
}

/// The most rejected series that are described.
const MAX_DESCRIBED: usize = 100;
/// The most exemplars of a request.
const MAX_EXEMPLARS: usize = 10_000;
/// A request of up to so many bytes leaves its memory to the next one.
const SPARE_BYTES: usize = 1 << 20;
/// What a request was decompressed into; the next one writes over it.
static SPARE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// How many bytes a request says that it has when it is decompressed; none, where it is no block of snappy.
pub fn unpacked_bytes(bytes: &[u8]) -> usize {
    snap::raw::decompress_len(bytes).unwrap_or(0)
}

/// Takes a request apart. `limit` bounds its decompressed size, in bytes; it is checked against the size
/// that the block declares before anything is decompressed.
pub fn decode(bytes: &[u8], version: Version, limit: usize) -> Result<Decoded, RemoteWriteError> {
    decode_within(bytes, version, limit, &Budget::default())
}

/// The same, which asks for room for what it becomes.
pub fn decode_within(
    bytes: &[u8],
    version: Version,
    limit: usize,
    budget: &Budget,
) -> Result<Decoded, RemoteWriteError> {
    let declared = snap::raw::decompress_len(bytes).map_err(RemoteWriteError::Snappy)?;
    if declared > limit {
        return Err(RemoteWriteError::TooLarge { declared, limit });
    }
    let read = match version {
        Version::First => read,
        Version::Second => second::read,
    };
    let mut decoder = snap::raw::Decoder::new();
    if declared > SPARE_BYTES {
        // The system gives zeroed memory as it is written to: what a bomb only declares costs nothing.
        return read(&decoder.decompress_vec(bytes).map_err(RemoteWriteError::Snappy)?, limit, budget);
    }
    let mut plain = std::mem::take(&mut *SPARE.lock());
    if plain.len() < declared {
        plain.resize(declared, 0);
    }
    let length = decoder.decompress(bytes, &mut plain).map_err(RemoteWriteError::Snappy)?;
    let decoded = read(&plain[..length], limit, budget);
    *SPARE.lock() = plain;
    decoded
}

/// Takes a message of the first version apart.
fn read(plain: &[u8], limit: usize, budget: &Budget) -> Result<Decoded, RemoteWriteError> {
    let mut decoded = Decoded::default();
    let mut series = SeriesReader::default();
    let mut index = 0;
    for field in Fields::of(plain) {
        match field.map_err(RemoteWriteError::Protobuf)? {
            (1, Value::Bytes(message)) => {
                series.read(message).map_err(RemoteWriteError::Protobuf)?;
                decoded.take(&mut series, index, LabelsOf::Message).map_err(RemoteWriteError::Protobuf)?;
                index += 1;
                decoded.check_size(limit, budget)?;
            }
            (3, Value::Bytes(message)) => {
                decoded.take_metadata(metadata::first(message).map_err(RemoteWriteError::Protobuf)?);
                decoded.check_size(limit, budget)?;
            }
            (number @ (1 | 3), _) => return Err(RemoteWriteError::Protobuf(Malformed::Type(number))),
            _ => {}
        }
    }
    Ok(decoded)
}

impl Decoded {
    /// Takes what was read of a series; whether its labels are right.
    fn take(
        &mut self,
        series: &mut SeriesReader<'_>,
        index: usize,
        labels_of: LabelsOf<'_, '_>,
    ) -> Result<bool, Malformed> {
        if let Err(reason) = series.check() {
            self.reject(index, series.sent(), reason);
            return Ok(false);
        }
        let others = series.put_in_order();
        if !series.run().samples.is_empty() {
            self.batch.push_run(series.labels(), series.run());
        }
        self.take_histograms(series, index, others)?;
        self.take_exemplars(series, labels_of)?;
        Ok(true)
    }

    fn take_histograms(
        &mut self,
        series: &SeriesReader<'_>,
        index: usize,
        mut others: usize,
    ) -> Result<(), Malformed> {
        let mut started = Vec::with_capacity(series.histograms().len());
        for message in series.histograms() {
            match histogram::histogram(message) {
                Ok(read) => {
                    let value =
                        read.histogram.map_or(STALE_NAN, |histogram| self.histograms.histogram(&histogram));
                    let sample = Sample { time_ms: read.time_ms, value };
                    started.push((sample, series.or_start(read.start_ms)));
                }
                Err(histogram::Error::Invalid(reason)) => self.reject(index, 1, reason),
                Err(histogram::Error::Malformed(error)) => return Err(error),
            }
        }
        let encoded = |sample: &Sample| {
            histogram_place(sample.value).and_then(|place| self.histograms.histograms().get(place))
        };
        others += series::put_in_order(&mut started, |(sample, _)| sample, |a, b| encoded(a) == encoded(b));
        if others > 0 {
            let reason = format!("at one time it has {others} samples more, which say something else");
            self.reject(index, others, reason);
        }
        if !started.is_empty() {
            let (samples, starts): (Vec<Sample>, Vec<i64>) = started.into_iter().unzip();
            self.histograms.push_run(series.labels(), SampleRun { samples: &samples, starts: &starts });
        }
        Ok(())
    }

    fn take_exemplars(
        &mut self,
        series: &SeriesReader<'_>,
        labels_of: LabelsOf<'_, '_>,
    ) -> Result<(), Malformed> {
        let (messages, more) = series.exemplars();
        self.exemplars_left_out += more;
        if messages.is_empty() {
            return Ok(());
        }
        let labels = series.labels().to_owned();
        for message in messages {
            match exemplar::exemplar(message, &labels, series.last_ms(), labels_of)? {
                Some(exemplar) if self.exemplars.len() < MAX_EXEMPLARS => {
                    self.said_bytes += size_of::<Exemplar>() + exemplar.labels.as_ref().as_bytes().len();
                    self.exemplars.push(exemplar);
                }
                _ => self.exemplars_left_out += 1,
            }
        }
        Ok(())
    }

    fn take_metadata(&mut self, metadata: Option<MetricMetadata>) {
        if let Some(metadata) = metadata {
            let MetricMetadata { family, help, unit, .. } = &metadata;
            self.said_bytes += size_of::<MetricMetadata>() + family.len() + help.len() + unit.len();
            self.metadata.push(metadata);
        }
    }

    /// What is made of a message may be as large as the message: a message of empty samples would become eight times
    /// its size.
    fn check_size(&self, limit: usize, budget: &Budget) -> Result<(), RemoteWriteError> {
        let declared = self.batch.size_bytes() + self.histograms.size_bytes() + self.said_bytes;
        if declared > limit {
            return Err(RemoteWriteError::TooLarge { declared, limit });
        }
        // The rest is not counted. It may become as much as it is allowed, which whoever is asked is told.
        let has_room = budget.has_room(declared) || budget.has_room(limit);
        if has_room { Ok(()) } else { Err(RemoteWriteError::NoRoom) }
    }

    fn reject(&mut self, index: usize, samples: usize, reason: String) {
        self.rejected_samples += samples;
        if self.rejected.len() < MAX_DESCRIBED {
            self.rejected.push(RejectedSeries { index, reason });
        }
    }
}

/// Writes a batch as a request of the first version, as an agent does.
pub fn encode(batch: &MetricBatch) -> Vec<u8> {
    let timeseries =
        batch.iter().map(|(labels, samples)| sent(labels, samples, batch.histograms())).collect();
    let request = WriteRequest { timeseries, metadata: Vec::new() };
    snap::raw::Encoder::new()
        .compress_vec(&request.encode_to_vec())
        .expect("a batch in memory is smaller than the 4 GiB that a snappy block can hold")
}

/// A series as it is sent.
fn sent(labels: LabelsRef<'_>, samples: &[Sample], histograms: &model::Histograms) -> TimeSeries {
    let mut series = TimeSeries::of(labels);
    samples.iter().for_each(|sample| series.push(*sample, histograms));
    series
}
