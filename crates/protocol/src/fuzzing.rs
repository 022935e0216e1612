//! What is tried with hostile bytes: each function takes any, and panics where what must hold does not.
//!
//! `fuzz/` makes up the bytes; those that have shown a fault once lie in `fuzz/cases/` and are tried again
//! by every test run.

use model::event::Event;
use model::histogram::histogram_place;
use model::{LabelsRef, MetricBatch, Sample, TimeRange, Timestamp, is_stale};

use crate::exposition::{self, Format, Options};
use crate::logs::{self, LogFormat, LogOptions};
use crate::otlp::names::NameStrategy;
use crate::otlp::rows::{LogRows, RowLimits, SpanRows};
use crate::otlp::samples::{Options as SampleOptions, SampleSink};
use crate::otlp::{self, Encoding, KeyValue, LogRecord, LogSink, Resource, Scope, Sink, Span, SpanSink};
use crate::remote_write::{self, Version};
use crate::{events, loki, remote_read, syslog};

/// The most that a request of remote write may hold.
const LIMIT: usize = 1 << 20;

/// As a request of remote write of either version, and as what is in the snappy block of one; and as what is in a
/// request of remote read.
pub fn remote_write(bytes: &[u8]) {
    let mut packer = snap::raw::Encoder::new();
    let packed = packer.compress_vec(bytes).expect("inputs are far smaller than 4 GiB");
    for version in [Version::First, Version::Second] {
        check_request(bytes, version);
        check_request(&packed, version);
    }
    if let Ok(request) = remote_read::decode(&packed, LIMIT) {
        assert!(request.queries.len() <= bytes.len());
    }
}

fn check_request(bytes: &[u8], version: Version) {
    let Ok(decoded) = remote_write::decode(bytes, version, LIMIT) else { return };
    for batch in [&decoded.batch, &decoded.histograms] {
        check_batch(batch);
    }
    for exemplar in &decoded.exemplars {
        assert!(!exemplar.series.metric_name().is_empty());
    }
    for (_, samples) in decoded.batch.iter() {
        assert!(samples.iter().all(|sample| histogram_place(sample.value).is_none()), "they are numbers");
    }
    for (_, samples) in decoded.histograms.iter() {
        for sample in samples {
            match decoded.histograms.histograms().of(sample.value) {
                Some(histogram) => drop(histogram.expect("it was encoded just now")),
                None => assert!(is_stale(sample.value)),
            }
        }
    }
}

fn check_batch(batch: &MetricBatch) {
    for (labels, samples) in batch.iter() {
        LabelsRef::from_encoded(labels.as_bytes()).expect("labels are in their canonical encoding");
        assert!(samples.is_sorted_by(|a, b| a.time_ms < b.time_ms), "times ascend");
        assert!(!samples.is_empty());
    }
    let sent = remote_write::encode(batch);
    let again = remote_write::decode(&sent, Version::First, usize::MAX).expect("our own request");
    assert_eq!(again.rejected, []);
    let numbers = |batch: &MetricBatch| -> Vec<(Vec<u8>, Bits)> {
        let numbers = |samples: &[Sample]| -> Vec<Sample> {
            samples.iter().copied().filter(|sample| histogram_place(sample.value).is_none()).collect()
        };
        let all = batch.iter().map(|(labels, samples)| (labels.as_bytes().to_vec(), bits(&numbers(samples))));
        all.filter(|(_, samples)| !samples.is_empty()).collect()
    };
    assert_eq!(numbers(batch), numbers(&again.batch));
    if numbers(batch).is_empty() {
        assert_eq!(remote_write::encode(&again.histograms), sent, "histograms come back");
    }
}

/// Times and values, bit for bit.
type Bits = Vec<(i64, u64)>;

fn bits(samples: &[Sample]) -> Bits {
    samples.iter().map(|sample| (sample.time_ms, sample.value.to_bits())).collect()
}

/// As a body of events.
pub fn events(bytes: &[u8]) {
    let now = Timestamp::from_millis(1_754_083_800_000);
    let Ok(decoded) = events::decode(bytes, now) else { return };
    assert!(decoded.events.len() <= events::MAX_EVENTS);
    for (index, event) in decoded.events.iter().enumerate() {
        match event {
            Ok(event) => assert!(event.event_id().is_some_and(|id| !id.is_empty())),
            Err(rejected) => assert_eq!(rejected.index, index),
        }
    }
}

/// As an export request of OpenTelemetry, of each signal and in each encoding.
pub fn otlp(bytes: &[u8]) {
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        let mut texts = Texts::default();
        let heard = [
            otlp::decode_logs(encoding, bytes, &mut texts),
            otlp::decode_traces(encoding, bytes, &mut texts),
        ];
        for error in heard.iter().filter_map(|heard| heard.as_ref().err()) {
            assert!(!error.fault().to_string().is_empty());
        }
        check_samples(encoding, bytes);
        check_rows(encoding, bytes);
    }
}

fn check_rows(encoding: Encoding, bytes: &[u8]) {
    let limits = RowLimits { max_text_bytes: 100, max_bytes: LIMIT, ..RowLimits::default() };
    let now = Timestamp::from_millis(1_754_083_800_000);
    let (mut logs, mut spans) = (LogRows::new(&limits, now), SpanRows::new(&limits, now));
    if otlp::decode_logs(encoding, bytes, &mut logs).is_err()
        || otlp::decode_traces(encoding, bytes, &mut spans).is_err()
    {
        return;
    }
    for rows in [logs.finish(), spans.finish()] {
        assert!(rows.reasons.as_slice().len() as u64 <= rows.rejected);
        for event in &rows.events {
            let attributes = match event {
                Event::Log(log) => &log.attributes,
                Event::Span(span) => &span.attributes,
                other => panic!("neither a record of a log nor a span: {other:?}"),
            };
            assert!(attributes.len() <= limits.max_attributes);
            assert!(attributes.values().all(|value| value.len() <= limits.max_text_bytes));
        }
    }
}

/// Makes texts of what it hears.
#[derive(Default)]
struct Texts {
    bytes: usize,
}

impl Texts {
    fn take(&mut self, attributes: &[KeyValue<'_>]) {
        self.bytes += attributes.iter().map(|one| one.key.len() + one.value.text().len()).sum::<usize>();
    }
}

impl Sink for Texts {
    fn resource(&mut self, resource: &Resource<'_>) {
        self.take(&resource.attributes);
    }

    fn scope(&mut self, scope: &Scope<'_>) {
        self.take(&scope.attributes);
    }
}

impl LogSink for Texts {
    fn record(&mut self, record: &LogRecord<'_>) {
        self.take(&record.attributes);
        self.bytes += record.body.text().len();
    }
}

impl SpanSink for Texts {
    fn span(&mut self, span: &Span<'_>) {
        self.take(&span.attributes);
        span.events.iter().for_each(|event| self.take(&event.attributes));
        span.links.iter().for_each(|link| self.take(&link.attributes));
    }
}

fn check_samples(encoding: Encoding, bytes: &[u8]) {
    let options = SampleOptions {
        names: NameStrategy::Underscores,
        promoted: vec!["host.name".to_owned()],
        scope_labels: true,
        target_info: true,
        max_bytes: LIMIT,
    };
    let mut sink = SampleSink::new(&options);
    if otlp::decode_metrics(encoding, bytes, &mut sink).is_err() {
        return;
    }
    let converted = sink.finish();
    for batches in [&converted.cumulative, &converted.delta] {
        for batch in [&batches.numbers, &batches.histograms] {
            check_batch(batch);
        }
    }
    for exemplar in &converted.exemplars {
        assert!(!exemplar.series.metric_name().is_empty());
    }
    assert!(converted.rejected.len() <= converted.rejected_points);
}

/// As a push request of Loki in each encoding, and as the snappy block of one.
pub fn loki(bytes: &[u8]) {
    let limits = RowLimits { max_text_bytes: 100, max_bytes: LIMIT, ..RowLimits::default() };
    let now = Timestamp::from_millis(1_754_083_800_000);
    let context = loki::Context { limits: &limits, now, tenant: Some("t") };
    if let Ok(unpacked) = loki::unpack(bytes, LIMIT) {
        assert!(unpacked.len() <= LIMIT);
    }
    for encoding in [loki::Encoding::Protobuf, loki::Encoding::Json] {
        let Ok(rows) = loki::decode(encoding, bytes, &context) else { continue };
        assert!(rows.reasons.as_slice().len() as u64 <= rows.rejected);
        let mut ids = std::collections::HashSet::new();
        for event in &rows.events {
            check_log(event, &limits);
            if let Some(id) = event.event_id() {
                assert!(ids.insert(id), "each line of a request is told from all others");
            }
        }
        let again = loki::decode(encoding, bytes, &context).expect("it could be read just now");
        assert_eq!(rows.events, again.events, "what is sent again has the same ids");
    }
}

fn check_log(event: &Event, limits: &RowLimits) {
    let Event::Log(log) = event else { panic!("no record of a log: {event:?}") };
    assert!(log.attributes.len() <= limits.max_attributes);
    assert!(log.attributes.values().all(|value| value.len() <= limits.max_text_bytes));
    assert!(log.message.as_ref().is_none_or(|text| text.len() <= limits.max_text_bytes));
}

/// As a message of syslog, and as a stream of them that comes in pieces.
pub fn syslog(bytes: &[u8]) {
    let limits = RowLimits { max_text_bytes: 100, ..RowLimits::default() };
    let now = Timestamp::from_millis(1_754_083_800_000);
    let times = TimeRange::new(Timestamp::from_millis(1_750_000_000_000), now);
    let mut records = syslog::Records::new(&limits, syslog::Options { offset_seconds: 3600, times });
    let mut take = |message: &[u8], is_cut| {
        records.take(message, &syslog::Received { time: now, peer: "192.0.2.1", is_cut });
    };
    take(bytes, false);
    let frames = |size: usize| {
        let (mut framer, mut all) = (syslog::Framer::new(200), Vec::new());
        let mut each = |frame: syslog::Frame<'_>| all.push((frame.bytes.to_vec(), frame.is_cut));
        bytes.chunks(size).for_each(|piece| framer.push(piece, &mut each));
        framer.finish(&mut each);
        all
    };
    let whole = frames(bytes.len().max(1));
    assert_eq!(whole, frames(3), "pieces do not matter");
    for (frame, is_cut) in &whole {
        assert!(!frame.is_empty() && frame.len() <= 200);
        take(frame, *is_cut);
    }
    for event in records.finish() {
        check_log(&event, &limits);
        assert!(times.contains(event.time()));
    }
}

/// As lines of a log in each format. In whatever pieces they come, records are the same, and no byte is in none or in two.
pub fn logs(bytes: &[u8]) {
    let formats = [LogFormat::Auto, LogFormat::Json, LogFormat::Logfmt, LogFormat::Text, LogFormat::Access];
    for format in formats {
        let options = LogOptions { format, ..LogOptions::new(jiff::tz::TimeZone::UTC) };
        let options = std::sync::Arc::new(options);
        let whole = log_records(&options, bytes, usize::MAX);
        assert_eq!(whole, log_records(&options, bytes, 7));
        assert!(whole.is_sorted_by(|a, b| a.end < b.end), "each record takes bytes");
        for record in &whole {
            let log = &record.log;
            assert!(log.message.as_ref().is_none_or(|message| message.len() <= logs::MAX_JOINED_BYTES + 8));
            assert!(log.attributes.len() <= options.limits.max_attributes);
        }
    }
}

fn log_records(options: &std::sync::Arc<LogOptions>, bytes: &[u8], piece: usize) -> Vec<logs::Record> {
    let mut lines = logs::Lines::default();
    let mut reader = logs::LogReader::new(std::sync::Arc::clone(options));
    reader.set_now(Timestamp::from_millis(1_754_083_800_000));
    let mut found = Vec::new();
    for piece in bytes.chunks(piece.min(bytes.len().max(1))) {
        lines.feed(piece, |line| reader.line(line, &mut |record| found.push(record)));
    }
    lines.finish(|line| reader.line(line, &mut |record| found.push(record)));
    reader.flush(&mut |record| found.push(record));
    found
}

/// As what an exporter shows, in each format.
pub fn exposition(bytes: &[u8]) {
    for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
        let options = Options {
            max_bytes: LIMIT,
            native_histograms: true,
            classic_histograms: true,
            custom_histograms: true,
        };
        let Ok(shown) = exposition::decode(format, bytes, &options) else { continue };
        for sample in shown.samples() {
            LabelsRef::from_encoded(sample.labels.as_bytes())
                .expect("labels are in their canonical encoding");
            assert!(!sample.labels.metric_name().is_empty());
            assert!(!model::is_stale(sample.value), "only we end series");
            assert!(sample.start_ms == 0 || format != Format::Text, "the text format tells no starts");
            if let Some(histogram) = shown.histograms().of(sample.value) {
                histogram.expect("our own encoding");
            }
        }
        assert!(shown.exemplars().iter().all(|exemplar| exemplar.sample < shown.samples().len()));
        assert!(shown.exemplars().is_sorted_by_key(|exemplar| exemplar.sample));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Tries each case of a target again.
    fn each(target: &str, check: fn(&[u8])) {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/cases").join(target);
        let mut cases = 0;
        for entry in std::fs::read_dir(dir).expect("the cases of the target") {
            let path = entry.expect("an entry").path();
            let bytes = std::fs::read(&path).expect("a case");
            if std::panic::catch_unwind(|| check(&bytes)).is_err() {
                panic!("{}", path.display());
            }
            cases += 1;
        }
        assert!(cases > 0, "{target} has no cases");
    }

    #[test]
    fn what_fuzzing_remote_write_has_found_stays_mended() {
        each("remote_write", super::remote_write);
    }

    #[test]
    fn what_fuzzing_events_has_found_stays_mended() {
        each("events", super::events);
    }

    #[test]
    fn what_fuzzing_otlp_has_found_stays_mended() {
        each("otlp", super::otlp);
    }

    #[test]
    fn what_fuzzing_loki_has_found_stays_mended() {
        each("loki", super::loki);
    }

    #[test]
    fn what_fuzzing_syslog_has_found_stays_mended() {
        each("syslog", super::syslog);
    }

    #[test]
    fn what_fuzzing_lines_of_logs_has_found_stays_mended() {
        each("logs", super::logs);
    }

    #[test]
    fn what_fuzzing_expositions_has_found_stays_mended() {
        each("exposition", super::exposition);
    }
}
