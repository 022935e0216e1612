//! What a record holds: sections of samples and of event rows, in any number and order.
//!
//! A series is defined in a segment where it first occurs there; after that its number stands for it.
//! Numbers and times are differences to those before, values are floats without the zero bytes at their
//! end: what arrives together and in order takes few bytes.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::root_as_message;
use arrow::ipc::writer::StreamWriter;
use model::{Histograms, LabelsRef, MetricBatch, Sample, SampleRun};
use store::{EventBatch, Table};

use crate::events::conform;
use crate::head::registry::Resolved;
use crate::index::ByHash;
use crate::varint;
use crate::wal::starts;

/// Samples as version 1 of the log has them.
const PLAIN_METRICS: u8 = 1;
const EVENTS: u8 = 2;
const METRICS: u8 = 3;
/// The histograms that samples of the next section of samples are, by their places.
const HISTOGRAMS: u8 = 4;
/// The starts of the samples of the next section of samples.
const STARTS: u8 = 5;

/// A payload that cannot be read although its checksum is right.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PayloadError {
    #[error("a section ends early")]
    Truncated,
    #[error("section kind {0} is not known")]
    Kind(u8),
    #[error("series {0} is not defined in this segment")]
    Undefined(u64),
    #[error("a label set is malformed")]
    Labels,
    #[error("the table is not known")]
    Table,
    #[error("rows are no Arrow stream")]
    NotArrow,
    #[error("rows could not be read")]
    Rows(#[from] ArrowError),
}

/// Appends the samples of a batch whose series have been resolved. Returns how many bytes of it define
/// series; `None` when there were no samples to append.
pub(crate) fn put_metrics(into: &mut Vec<u8>, batch: &MetricBatch, resolved: &[Resolved]) -> Option<u64> {
    let kept = resolved.iter().filter(|series| **series != Resolved::OverLimit).count();
    if kept == 0 {
        return None;
    }
    if !batch.histograms().is_empty() {
        section(into, HISTOGRAMS, |into| put_histograms(batch.histograms(), into));
    }
    if batch.has_starts() {
        let kept = batch.runs().zip(resolved).filter(|(_, series)| **series != Resolved::OverLimit);
        section(into, STARTS, |into| starts::put(kept.map(|((_, run), _)| run), into));
    }
    let mut definition_bytes = 0;
    section(into, METRICS, |into| {
        varint::put(into, kept as u64);
        let (mut time, mut next_id) = (0i64, 0i64);
        for ((labels, samples), resolved) in batch.iter().zip(resolved) {
            let (id, define) = match resolved {
                Resolved::Known(id) => (*id, None),
                Resolved::Define(id) => (*id, Some(labels.as_bytes())),
                Resolved::OverLimit => continue,
            };
            let step = i64::from(id) - next_id;
            next_id = i64::from(id) + 1;
            varint::put_signed(into, step << 1 | i64::from(define.is_some()));
            if let Some(labels) = define {
                varint::put(into, labels.len() as u64);
                into.extend_from_slice(labels);
                definition_bytes += labels.len() as u64;
            }
            varint::put(into, samples.len() as u64);
            for sample in samples {
                varint::put_signed(into, sample.time_ms.wrapping_sub(time));
                time = sample.time_ms;
                put_value(into, sample.value);
            }
        }
    });
    Some(definition_bytes)
}

fn put_histograms(histograms: &Histograms, into: &mut Vec<u8>) {
    varint::put(into, histograms.len() as u64);
    for encoded in histograms.iter() {
        varint::put(into, encoded.len() as u64);
        into.extend_from_slice(encoded);
    }
}

fn take_histograms(mut body: &[u8], into: &mut Histograms) -> Option<()> {
    for _ in 0..varint::take(&mut body)? {
        let length = varint::take(&mut body)?;
        into.push_encoded(varint::take_bytes(&mut body, length)?);
    }
    Some(())
}

/// Appends a value: how many bytes it has without the zero bytes at its end, and these.
fn put_value(into: &mut Vec<u8>, value: f64) {
    let bits = value.to_bits();
    let bytes = if bits == 0 { 0 } else { 8 - bits.trailing_zeros() as usize / 8 };
    into.push(bytes as u8);
    into.extend_from_slice(&bits.to_be_bytes()[..bytes]);
}

fn take_value(body: &mut &[u8]) -> Option<f64> {
    let (bytes, rest) = body.split_first()?;
    let (found, rest) = rest.split_at_checked(usize::from(*bytes))?;
    *body = rest;
    let mut word = [0; 8];
    word.get_mut(..found.len())?.copy_from_slice(found);
    Some(f64::from_bits(u64::from_be_bytes(word)))
}

fn take_plain_value(body: &mut &[u8]) -> Option<f64> {
    let (word, rest) = body.split_first_chunk()?;
    *body = rest;
    Some(f64::from_le_bytes(*word))
}

/// Appends the rows of a table.
pub(crate) fn put_events(into: &mut Vec<u8>, events: &EventBatch) -> Result<(), ArrowError> {
    section(into, EVENTS, |into| {
        let name = events.table.name();
        varint::put(into, name.len() as u64);
        into.extend_from_slice(name.as_bytes());
        let mut writer = StreamWriter::try_new(into, events.rows.schema_ref())?;
        writer.write(&events.rows)?;
        writer.finish()
    })
}

fn section<R>(into: &mut Vec<u8>, kind: u8, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    into.push(kind);
    let length_at = into.len();
    into.extend_from_slice(&[0; 4]);
    let result = write(into);
    let length = u32::try_from(into.len() - length_at - 4).expect("the queue refuses batches of 4 GiB");
    into[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    result
}

/// Takes what a payload holds.
pub(crate) trait Sink {
    /// A series is defined; what is returned stands for it from now on.
    fn series(&mut self, labels: LabelsRef<'_>) -> u32;
    /// Samples of series; those that are histograms are among `histograms`.
    fn samples<'a>(&mut self, all: impl Iterator<Item = (u32, SampleRun<'a>)>, histograms: &Histograms);
    /// Rows of a table, in the table's schema without columns in which there is nothing.
    fn rows(&mut self, table: Table, rows: RecordBatch);
}

/// Samples that are gathered before the sink takes them, which it does better with many at once.
const GATHERED_SAMPLES: usize = 64 << 10;

/// Reads the payloads of one segment, in order.
#[derive(Default)]
pub(crate) struct Decoder {
    /// What the sink calls the series that the segment has defined.
    series: ByHash,
    /// Series with the ends of their samples.
    gathered: Vec<(u32, usize)>,
    samples: Vec<Sample>,
    /// The starts of these, one for each, if any are told.
    starts: Vec<i64>,
    /// The histograms for the next section of samples.
    histograms: Histograms,
    /// The starts for the next section of samples.
    told: starts::Told,
    /// Why samples of this section were passed over.
    passed_over: Option<PayloadError>,
}

impl Decoder {
    /// Gives what a payload holds to `sink`. What can be read of a payload is given, whatever is wrong with the
    /// rest: a section, or the samples of a series.
    pub(crate) fn decode(&mut self, mut payload: &[u8], sink: &mut impl Sink) -> Result<(), PayloadError> {
        self.histograms.clear();
        self.told.clear();
        let mut result = Ok(());
        while let Some((kind, rest)) = payload.split_first() {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or(PayloadError::Truncated)?;
            let length = u32::from_le_bytes(*length) as usize;
            let (body, rest) = rest.split_at_checked(length).ok_or(PayloadError::Truncated)?;
            payload = rest;
            let section = match *kind {
                METRICS | PLAIN_METRICS => self.metrics(body, *kind == PLAIN_METRICS, sink),
                EVENTS => events(body, sink),
                HISTOGRAMS => take_histograms(body, &mut self.histograms).ok_or(PayloadError::Truncated),
                STARTS => self.told.read(body).ok_or(PayloadError::Truncated),
                kind => Err(PayloadError::Kind(kind)),
            };
            result = result.and(section);
        }
        result
    }

    fn metrics(&mut self, body: &[u8], is_plain: bool, sink: &mut impl Sink) -> Result<(), PayloadError> {
        self.passed_over = None;
        let read = if is_plain { self.plain_series(body, sink) } else { self.all_series(body, sink) };
        self.give(sink);
        self.histograms.clear();
        self.told.clear();
        read.and(self.passed_over.take().map_or(Ok(()), Err))
    }

    fn all_series(&mut self, mut body: &[u8], sink: &mut impl Sink) -> Result<(), PayloadError> {
        let (mut time, mut next_id) = (0, 0u64);
        for _ in 0..varint::take(&mut body).ok_or(PayloadError::Truncated)? {
            let tag = varint::take_signed(&mut body).ok_or(PayloadError::Truncated)?;
            let id = next_id.wrapping_add_signed(tag >> 1);
            next_id = id.wrapping_add(1);
            self.series(&mut body, id, tag & 1 == 1, &mut time, take_value, sink)?;
        }
        Ok(())
    }

    fn plain_series(&mut self, mut body: &[u8], sink: &mut impl Sink) -> Result<(), PayloadError> {
        let mut time = 0;
        for _ in 0..varint::take(&mut body).ok_or(PayloadError::Truncated)? {
            let tag = varint::take(&mut body).ok_or(PayloadError::Truncated)?;
            self.series(&mut body, tag >> 1, tag & 1 == 1, &mut time, take_plain_value, sink)?;
        }
        Ok(())
    }

    /// One series with its samples, whose times go on from `time`.
    fn series(
        &mut self,
        body: &mut &[u8],
        id: u64,
        is_defined_here: bool,
        time: &mut i64,
        take_value: impl Fn(&mut &[u8]) -> Option<f64>,
        sink: &mut impl Sink,
    ) -> Result<(), PayloadError> {
        let number = |body: &mut &[u8]| varint::take(body).ok_or(PayloadError::Truncated);
        let series = if is_defined_here {
            let length = number(body)?;
            let labels = varint::take_bytes(body, length).ok_or(PayloadError::Truncated)?;
            self.define(id, labels, sink)
        } else {
            self.series.get(&key(id)).copied().ok_or(PayloadError::Undefined(id))
        };
        let before = self.samples.len();
        for _ in 0..number(body)? {
            let step = varint::take_signed(body).ok_or(PayloadError::Truncated)?;
            *time = time.wrapping_add(step);
            let value = take_value(body).ok_or(PayloadError::Truncated)?;
            self.samples.push(Sample { time_ms: *time, value });
            if !self.told.is_empty() {
                self.starts.push(self.told.take());
            }
        }
        match series {
            Ok(series) => self.gathered.push((series, self.samples.len())),
            Err(error) => {
                self.samples.truncate(before);
                self.starts.truncate(before);
                self.passed_over.get_or_insert(error);
            }
        }
        if self.samples.len() >= GATHERED_SAMPLES {
            self.give(sink);
        }
        Ok(())
    }

    fn define(&mut self, id: u64, labels: &[u8], sink: &mut impl Sink) -> Result<u32, PayloadError> {
        let Ok(labels) = LabelsRef::from_encoded(labels) else {
            self.series.remove(&key(id));
            return Err(PayloadError::Labels);
        };
        let series = sink.series(labels);
        self.series.insert(key(id), series);
        Ok(series)
    }

    /// Gives what was gathered to `sink`. Samples of a series that was cut off are none.
    fn give(&mut self, sink: &mut impl Sink) {
        let mut start = 0;
        let runs = self.gathered.iter().map(|(series, end)| {
            let place = start..*end;
            start = *end;
            let starts = self.starts.get(place.clone()).unwrap_or_default();
            (*series, SampleRun { samples: &self.samples[place], starts })
        });
        sink.samples(runs, &self.histograms);
        self.gathered.clear();
        self.samples.clear();
        self.starts.clear();
    }
}

/// Numbers of series as a map by hashes wants them: different for different series, in all their bits.
fn key(id: u64) -> u64 {
    id.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn events(mut body: &[u8], sink: &mut impl Sink) -> Result<(), PayloadError> {
    let length = varint::take(&mut body).ok_or(PayloadError::Truncated)?;
    let name = varint::take_bytes(&mut body, length).ok_or(PayloadError::Truncated)?;
    let table = std::str::from_utf8(name).ok().and_then(Table::from_name).ok_or(PayloadError::Table)?;
    if !lengths_are_true(body) {
        return Err(PayloadError::NotArrow);
    }
    // Arrow panics on some messages that are none. A record that it cannot read is put aside; the store opens.
    let rows = std::panic::catch_unwind(|| read_rows(body)).map_err(|_| PayloadError::NotArrow)??;
    sink.rows(table, store::narrowed(&conform(rows, &store::schema(table))?)?);
    Ok(())
}

/// Whether a stream has all bytes that its messages say they have. Arrow makes room for a body by what its message
/// says, and memory that is not there ends the process.
fn lengths_are_true(mut stream: &[u8]) -> bool {
    const GOES_ON: u32 = u32::MAX;
    let word = |stream: &mut &[u8]| {
        let (word, rest) = stream.split_first_chunk()?;
        *stream = rest;
        Some(u32::from_le_bytes(*word))
    };
    while let Some(first) = word(&mut stream) {
        let length = if first == GOES_ON { word(&mut stream) } else { Some(first) };
        let Some(length) = length else { return false };
        if length == 0 {
            return true;
        }
        let Some(message) = varint::take_bytes(&mut stream, u64::from(length)) else { return false };
        let Ok(message) = root_as_message(message) else { return false };
        let body =
            u64::try_from(message.bodyLength()).ok().and_then(|body| varint::take_bytes(&mut stream, body));
        if body.is_none() {
            return false;
        }
    }
    true
}

fn read_rows(stream: &[u8]) -> Result<RecordBatch, ArrowError> {
    let reader = StreamReader::try_new(stream, None)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    concat_batches(&schema, &batches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::deploys;
    use crate::wal::record;
    use model::{Histogram, Labels};
    use proptest::prelude::*;

    #[derive(Default)]
    struct Gathered {
        labels: Vec<Labels>,
        samples: Vec<(u32, i64, u64)>,
        starts: Vec<i64>,
        /// Of those that are histograms.
        sums: Vec<f64>,
        rows: Vec<(Table, RecordBatch)>,
    }

    impl Sink for Gathered {
        fn series(&mut self, labels: LabelsRef<'_>) -> u32 {
            self.labels.push(labels.to_owned());
            self.labels.len() as u32 - 1
        }
        fn samples<'a>(&mut self, all: impl Iterator<Item = (u32, SampleRun<'a>)>, histograms: &Histograms) {
            for (series, run) in all {
                self.starts.extend(run.iter().map(|(_, start)| start));
                let samples = run.samples;
                self.samples.extend(samples.iter().map(|s| (series, s.time_ms, s.value.to_bits())));
                let found = samples.iter().filter_map(|sample| histograms.of(sample.value));
                self.sums.extend(found.map(|histogram| histogram.expect("is there").sum));
            }
        }
        fn rows(&mut self, table: Table, rows: RecordBatch) {
            self.rows.push((table, rows));
        }
    }

    #[test]
    fn samples_and_rows_survive_and_refused_series_are_left_out() {
        let (a, b) = (Labels::metric("a", &[]), Labels::metric("b", &[("x", "y")]));
        let mut batch = MetricBatch::new();
        batch.push_one(&a, 1_000, 1.5);
        batch.push_one(&b, 2_000, -0.0);
        batch.push(
            a.as_ref(),
            &[Sample { time_ms: 900, value: f64::NAN }, Sample { time_ms: i64::MIN, value: 2.0 }],
        );
        let rows = EventBatch { table: Table::Deploys, rows: deploys(&[5, 6]) };
        let mut bytes = Vec::new();
        let resolved = [Resolved::Define(7), Resolved::OverLimit, Resolved::Known(7)];
        let defined = put_metrics(&mut bytes, &batch, &resolved);
        assert_eq!(defined, Some(a.as_ref().as_bytes().len() as u64));
        assert_eq!(put_metrics(&mut bytes, &batch, &[Resolved::OverLimit; 3]), None);
        put_events(&mut bytes, &rows).expect("encodes");
        let mut gathered = Gathered::default();
        Decoder::default().decode(&bytes, &mut gathered).expect("decodes");
        assert_eq!(gathered.labels, [a]);
        let nan = f64::NAN.to_bits();
        let (one, two) = (1.5f64.to_bits(), 2.0f64.to_bits());
        assert_eq!(gathered.samples, [(0, 1_000, one), (0, 900, nan), (0, i64::MIN, two)]);
        let told = store::narrowed(&rows.rows).expect("columns of the table");
        assert_eq!(gathered.rows, [(Table::Deploys, told)], "without columns in which there is nothing");
    }

    #[test]
    fn histograms_come_before_the_samples_that_they_are_and_count_for_no_others() {
        let latency = Labels::metric("latency", &[]);
        let mut batch = MetricBatch::new();
        for sum in [1.5, 2.5] {
            let value = batch.histogram(&Histogram { sum, ..Histogram::default() });
            batch.push_one(&latency, sum as i64, value);
        }
        let mut bytes = Vec::new();
        put_metrics(&mut bytes, &batch, &[Resolved::Define(0), Resolved::Known(0)]);
        let mut gathered = Gathered::default();
        Decoder::default().decode(&bytes, &mut gathered).expect("decodes");
        assert_eq!((gathered.samples.len(), gathered.sums), (2, vec![1.5, 2.5]));
        let of_samples = 5 + u32::from_le_bytes(*bytes[1..].first_chunk().expect("a length")) as usize;
        let mut gathered = Gathered::default();
        let mut decoder = Decoder::default();
        decoder.decode(&bytes, &mut gathered).expect("decodes");
        let mut lost = Lost::default();
        decoder.decode(&bytes[of_samples..], &mut lost).expect("decodes");
        assert_eq!(lost.0, 2, "a record has its own histograms and no other's");
        let cut = Decoder::default().decode(&[HISTOGRAMS, 1, 0, 0, 0, 9], &mut Gathered::default());
        assert!(matches!(cut, Err(PayloadError::Truncated)));
    }

    #[test]
    fn starts_come_before_the_samples_that_have_them_and_those_of_refused_series_are_left_out() {
        let (a, b) = (Labels::metric("a", &[]), Labels::metric("b", &[]));
        let sample = |time_ms: i64| Sample { time_ms, value: 1.0 };
        let mut batch = MetricBatch::new();
        batch.push(a.as_ref(), &[sample(1)]);
        batch.push_run(b.as_ref(), SampleRun { samples: &[sample(2)], starts: &[77] });
        batch.push_run(a.as_ref(), SampleRun { samples: &[sample(3), sample(4)], starts: &[5, 5] });
        let mut bytes = Vec::new();
        put_metrics(&mut bytes, &batch, &[Resolved::Define(0), Resolved::OverLimit, Resolved::Known(0)]);
        let mut plain = MetricBatch::new();
        plain.push(a.as_ref(), &[sample(9)]);
        put_metrics(&mut bytes, &plain, &[Resolved::Known(0)]);
        let mut gathered = Gathered::default();
        Decoder::default().decode(&bytes, &mut gathered).expect("decodes");
        let times: Vec<i64> = gathered.samples.iter().map(|(_, time, _)| *time).collect();
        assert_eq!((times, gathered.starts), (vec![1, 3, 4, 9], vec![0, 5, 5, 0]));
        let cut = Decoder::default().decode(&[STARTS, 1, 0, 0, 0, 3], &mut Gathered::default());
        assert!(matches!(cut, Err(PayloadError::Truncated)));
    }

    /// Counts samples that are histograms which are not there.
    #[derive(Default)]
    struct Lost(usize);

    impl Sink for Lost {
        fn series(&mut self, _: LabelsRef<'_>) -> u32 {
            0
        }
        fn samples<'a>(&mut self, all: impl Iterator<Item = (u32, SampleRun<'a>)>, histograms: &Histograms) {
            let values = all.flat_map(|(_, run)| run.samples.iter().map(|sample| sample.value));
            self.0 += values.filter(|value| matches!(histograms.of(*value), Some(Err(_)))).count();
        }
        fn rows(&mut self, _: Table, _: RecordBatch) {}
    }

    #[test]
    fn a_record_has_the_bytes_that_its_format_document_shows() {
        let mut batch = MetricBatch::new();
        batch.push_one(&Labels::metric("up", &[]), 1_000, 1.0);
        let mut bytes = Vec::new();
        record::append(&mut bytes, 1, 1, |into| put_metrics(into, &batch, &[Resolved::Define(0)]));
        let document = include_str!("../../../../docs/format/wal.md");
        let (_, example) = document.rsplit_once("```\n1c 00").expect("the example");
        let shown: Vec<u8> = format!("1c 00{example}")
            .lines()
            .take_while(|line| *line != "```")
            .filter_map(|line| line.split("    ").next())
            .flat_map(|bytes| bytes.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("hex")))
            .collect();
        assert_eq!(bytes, shown);
    }

    #[test]
    fn a_series_that_the_segment_does_not_define_is_an_error_and_the_others_are_read() {
        let mut batch = MetricBatch::new();
        for name in ["a", "b", "c"] {
            batch.push_one(&Labels::metric(name, &[]), 1, 1.0);
        }
        let mut bytes = Vec::new();
        let resolved = [Resolved::Define(3), Resolved::Known(4), Resolved::Define(5)];
        put_metrics(&mut bytes, &batch, &resolved);
        let mut gathered = Gathered::default();
        let result = Decoder::default().decode(&bytes, &mut gathered);
        assert!(matches!(result, Err(PayloadError::Undefined(4))));
        let one = 1f64.to_bits();
        assert_eq!(gathered.samples, [(0, 1, one), (1, 1, one)]);
    }

    #[test]
    fn a_section_that_cannot_be_read_takes_no_other_with_it() {
        let mut batch = MetricBatch::new();
        batch.push_one(&Labels::metric("a", &[]), 1, 1.0);
        let mut bytes = Vec::new();
        section(&mut bytes, 77, |into| into.extend_from_slice(b"of a version to come"));
        section(&mut bytes, METRICS, |into| into.extend_from_slice(&[200, 1]));
        put_metrics(&mut bytes, &batch, &[Resolved::Define(0)]);
        let mut gathered = Gathered::default();
        let result = Decoder::default().decode(&bytes, &mut gathered);
        assert!(matches!(result, Err(PayloadError::Kind(77))), "the first fault is told");
        assert_eq!((gathered.labels.len(), gathered.samples.len()), (1, 1));
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), kind in 1u8..6) {
            let mut bytes = bytes;
            bytes.insert(0, kind);
            let _ = Decoder::default().decode(&bytes, &mut Gathered::default());
            let mut framed = vec![kind];
            framed.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            framed.extend_from_slice(&bytes);
            let _ = Decoder::default().decode(&framed, &mut Gathered::default());
        }
    }
}
