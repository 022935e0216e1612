//! Requests as agents write them, and as nobody should.

use bytes::Bytes;
use model::{Labels, Sample};
use proptest::prelude::*;

use model::histogram::{Buckets, CUSTOM_SCHEMA, ResetHint, Span};
use model::{Histogram, MetricKind};

use super::message::{Label, TimeSeries, WireHistogram, WireSample};
use super::*;

const LIMIT: usize = 1 << 20;

fn label(name: &[u8], value: &[u8]) -> Label {
    Label { name: Bytes::copy_from_slice(name), value: Bytes::copy_from_slice(value) }
}

fn series(labels: Vec<Label>, samples: &[(i64, f64)]) -> TimeSeries {
    let samples = samples
        .iter()
        .map(|(timestamp, value)| WireSample { value: Some(*value), timestamp: *timestamp })
        .collect();
    TimeSeries { labels, samples, ..TimeSeries::default() }
}

fn compressed(request: &WriteRequest) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(&request.encode_to_vec()).expect("small")
}

fn decoded(timeseries: Vec<TimeSeries>) -> Decoded {
    decode(&compressed(&WriteRequest { timeseries, metadata: Vec::new() }), Version::First, LIMIT)
        .expect("a request")
}

/// A request as Prometheus' own protobuf library writes it: `up{job="a"} 1.5 @1000`.
#[test]
fn a_request_is_read_as_the_protocol_defines_it() {
    let message = [
        &b"\x0a\x28"[..],
        b"\x0a\x0e\x0a\x08__name__\x12\x02up",
        b"\x0a\x08\x0a\x03job\x12\x01a",
        b"\x12\x0c\x09\x00\x00\x00\x00\x00\x00\xf8\x3f\x10\xe8\x07",
    ]
    .concat();
    let body = snap::raw::Encoder::new().compress_vec(&message).expect("small");
    let decoded = decode(&body, Version::First, LIMIT).expect("a request");
    let series: Vec<_> =
        decoded.batch.iter().map(|(labels, samples)| (labels.to_owned(), samples.to_vec())).collect();
    assert_eq!(
        series,
        [(Labels::metric("up", &[("job", "a")]), vec![Sample { time_ms: 1_000, value: 1.5 }])]
    );
}

#[test]
fn a_series_with_wrong_labels_is_rejected_alone() {
    let name = || label(b"__name__", b"up");
    let cases = [
        (vec![label(b"job", b"a")], "no metric name"),
        (vec![name(), label(b"", b"a")], "no name"),
        (vec![name(), label(b"job", b"\xff")], "value of the label `job` is not UTF-8"),
        (vec![name(), label(b"\xff", b"a")], "name is not UTF-8"),
        (vec![name(), label(b"job", b"a"), label(b"job", b"b")], "`job` is given twice"),
        (vec![name(), name()], "`__name__` is given twice"),
        (vec![label(b"__name__", b""), label(b"job", b"a")], "no metric name"),
        (vec![name(), label(b"job", &[b'a'; 70_000])], "more than 65535 bytes"),
    ];
    for (labels, expected) in cases {
        let like_it = series(vec![name(), label(b"job", b"a")], &[(1, 1.0)]);
        let good = series(vec![label(b"job", b"a"), name()], &[(1, 1.0)]);
        let decoded = decoded(vec![like_it, series(labels, &[(1, 1.0), (2, 2.0)]), good]);
        assert_eq!((decoded.batch.series_count(), decoded.rejected_samples), (2, 2), "{expected}");
        assert_eq!(decoded.rejected[0].index, 1);
        assert!(decoded.rejected[0].reason.contains(expected), "{}", decoded.rejected[0]);
    }
}

mod second;

#[test]
fn samples_are_put_in_order_and_of_one_time_the_first_stays() {
    let name = || vec![label(b"__name__", b"up")];
    let samples = [(3, 3.0), (1, 1.0), (3, 3.0), (2, 2.0)];
    let again = decoded(vec![series(name(), &samples)]);
    let pairs = |decoded: &Decoded| -> Vec<(i64, f64)> {
        let (_, samples) = decoded.batch.iter().next().expect("one series");
        samples.iter().map(|sample| (sample.time_ms, sample.value)).collect()
    };
    assert_eq!((pairs(&again), again.rejected_samples), (vec![(1, 1.0), (2, 2.0), (3, 3.0)], 0));
    let others = decoded(vec![series(name(), &[(3, 3.0), (3, 4.0), (2, 2.0)])]);
    assert_eq!((pairs(&others), others.rejected_samples), (vec![(2, 2.0), (3, 3.0)], 1));
    assert!(others.rejected[0].reason.contains("1 samples more"), "{}", others.rejected[0]);
}

#[test]
fn no_number_from_outside_stands_for_a_histogram() {
    let outside = model::histogram::histogram_value(0);
    let decoded = decoded(vec![series(vec![label(b"__name__", b"up")], &[(1, outside)])]);
    let (_, samples) = decoded.batch.iter().next().expect("one series");
    assert!(samples[0].value.is_nan() && histogram_place(samples[0].value).is_none());
}

fn whole() -> Histogram {
    Histogram {
        schema: 3,
        zero_threshold: 0.001,
        zero_count: 1.0,
        count: 8.0,
        sum: -2.5,
        positive: Buckets { spans: vec![Span { offset: -2, length: 2 }], counts: vec![1.0, 3.0] },
        negative: Buckets { spans: vec![Span { offset: 5, length: 1 }], counts: vec![3.0] },
        reset: ResetHint::NotReset,
        ..Histogram::default()
    }
}

/// Those of a request, as `(series, time, histogram)`.
fn histograms_of(decoded: &Decoded) -> Vec<(String, i64, Option<Histogram>)> {
    let all = decoded.histograms.iter().flat_map(|(labels, samples)| {
        samples.iter().map(move |sample| {
            let histogram = decoded.histograms.histograms().of(sample.value);
            (
                labels.metric_name().to_owned(),
                sample.time_ms,
                histogram.map(|found| found.expect("it was encoded")),
            )
        })
    });
    all.collect()
}

#[test]
fn histograms_are_taken_whole_with_fractions_and_with_bounds_of_their_own() {
    let fractions = Histogram { count: 8.5, reset: ResetHint::Gauge, ..whole() };
    let custom = Histogram {
        schema: CUSTOM_SCHEMA,
        count: 3.0,
        positive: Buckets { spans: vec![Span { offset: 1, length: 2 }], counts: vec![1.0, 2.0] },
        custom_bounds: vec![0.5, 2.0],
        ..Histogram::default()
    };
    let all = [whole(), fractions, custom];
    let mut one = series(vec![label(b"__name__", b"h")], &[]);
    one.histograms = (1..).zip(&all).map(|(time, histogram)| WireHistogram::of(histogram, time)).collect();
    assert_eq!(
        one.histograms.iter().map(|sent| sent.count_int).collect::<Vec<_>>(),
        [Some(8), None, Some(3)],
        "both kinds are sent"
    );
    let decoded = decoded(vec![one]);
    let expected: Vec<_> =
        (1..).zip(all).map(|(time, histogram)| ("h".to_owned(), time, Some(histogram))).collect();
    assert_eq!(histograms_of(&decoded), expected);
    assert_eq!((decoded.batch.series_count(), decoded.rejected_samples), (0, 0));
}

#[test]
fn a_histogram_without_a_number_as_its_sum_ends_its_series() {
    let mut one = series(vec![label(b"__name__", b"h")], &[]);
    one.histograms = vec![WireHistogram::of(&Histogram { sum: STALE_NAN, ..Histogram::default() }, 7)];
    let decoded = decoded(vec![one]);
    assert_eq!(histograms_of(&decoded), [("h".to_owned(), 7, None)]);
    let (_, samples) = decoded.histograms.iter().next().expect("one series");
    assert!(model::is_stale(samples[0].value));
}

#[test]
fn a_wrong_histogram_is_rejected_and_said() {
    type Case = (fn(&mut WireHistogram), &'static str);
    let cases: [Case; 7] = [
        (|sent| sent.count_int = Some(9), "hold 8 observations and its count is 9"),
        (|sent| sent.schema = 200, "the schema 200"),
        (|sent| sent.schema = 60, "its schema is 60"),
        (|sent| sent.positive_deltas = vec![1, -2], "its count of a bucket is negative"),
        (|sent| sent.positive_spans[0].length = 3, "have room for 3 counts, and there are 2"),
        (|sent| sent.positive_counts = vec![1.0], "one is whole and the other is not"),
        (|sent| sent.positive_deltas = vec![i64::MAX, 1], "out of range"),
    ];
    for (change, expected) in cases {
        let mut one = series(vec![label(b"__name__", b"h")], &[]);
        one.histograms = vec![WireHistogram::of(&whole(), 1), WireHistogram::of(&whole(), 2)];
        change(&mut one.histograms[0]);
        let decoded = decoded(vec![one]);
        assert_eq!((decoded.histograms.sample_count(), decoded.rejected_samples), (1, 1), "{expected}");
        assert!(decoded.rejected[0].reason.contains(expected), "{}", decoded.rejected[0]);
    }
}

#[test]
fn exemplars_and_metadata_are_taken() {
    let mut one = series(vec![label(b"__name__", b"up")], &[(5, 1.0)]);
    one.exemplars = vec![
        Bytes::from_static(b"\x0a\x0d\x0a\x08trace_id\x12\x01t\x11\x00\x00\x00\x00\x00\x00\xf8\x3f\x18\x07"),
        Bytes::from_static(b"\x11\x00\x00\x00\x00\x00\x00\xf8\x3f"),
        Bytes::from([&b"\x0a\x86\x01\x0a\x03abc\x12\x7f"[..], &[b'a'; 127]].concat()),
    ];
    let metadata = vec![
        Bytes::from_static(b"\x08\x01\x12\x02up\x22\x04help\x2a\x01s"),
        Bytes::from_static(b"\x12\x05quiet"),
    ];
    let request = WriteRequest { timeseries: vec![one], metadata };
    let decoded = decode(&compressed(&request), Version::First, LIMIT).expect("a request");
    let exemplar = |labels, time_ms| Exemplar {
        series: Labels::metric("up", &[]),
        labels: Labels::from_pairs::<&str, &str>(labels),
        value: 1.5,
        time_ms,
    };
    // One that says no time has that of the sample that it came with.
    assert_eq!(decoded.exemplars, [exemplar(vec![("trace_id", "t")], 7), exemplar(vec![], 5)]);
    assert_eq!(decoded.exemplars_left_out, 1, "its labels are too long");
    let said = MetricMetadata {
        family: "up".to_owned(),
        kind: MetricKind::Counter,
        help: "help".to_owned(),
        unit: "s".to_owned(),
    };
    assert_eq!(decoded.metadata, [said]);
}

#[test]
fn a_request_that_declares_too_much_is_refused_before_it_is_decompressed() {
    // Declares 4 GiB - 1 and holds nothing.
    let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f];
    assert!(matches!(
        decode(&bomb, Version::First, LIMIT),
        Err(RemoteWriteError::TooLarge { declared: 4_294_967_295, .. })
    ));
    assert!(
        matches!(decode(&bomb, Version::First, usize::MAX), Err(RemoteWriteError::Snappy(_)))
            || cfg!(target_pointer_width = "32")
    );
}

#[test]
fn what_is_no_request_says_what_it_should_be() {
    assert!(matches!(decode(b"", Version::First, LIMIT), Err(RemoteWriteError::Snappy(_))));
    assert!(matches!(decode(b"\x05hello", Version::First, LIMIT), Err(RemoteWriteError::Snappy(_))));
    let text = snap::raw::Encoder::new().compress_vec(b"hello").expect("small");
    assert!(matches!(decode(&text, Version::First, LIMIT), Err(RemoteWriteError::Protobuf(_))));
}

/// Empty labels and samples take two bytes each as they are sent, and many times that when they are read.
#[test]
fn what_is_small_as_it_is_sent_does_not_become_large() {
    let of = |parts: &[&[u8]]| {
        let message: Vec<u8> = parts.concat();
        let mut request = vec![0x0a];
        prost::encoding::encode_varint(message.len() as u64, &mut request);
        request.extend(message);
        request
    };
    let send = |request: &[u8], limit| {
        decode(&snap::raw::Encoder::new().compress_vec(request).expect("small"), Version::First, limit)
    };
    let name = b"\x0a\x0e\x0a\x08__name__\x12\x02up";
    let labels = of(&[name, &[0x0a, 0x00].repeat(2_000), b"\x12\x00"]);
    let decoded = send(&labels, LIMIT).expect("a request");
    assert_eq!((decoded.batch.series_count(), decoded.rejected_samples), (0, 1));
    assert!(decoded.rejected[0].reason.contains("2001 labels, at most 1024"), "{}", decoded.rejected[0]);

    let samples = of(&[name, &[0x12, 0x00].repeat(1_100_000)]);
    let decoded = send(&samples, 1 << 30).expect("a request");
    assert_eq!((decoded.batch.series_count(), decoded.rejected_samples), (0, 1_100_000));
    assert!(decoded.rejected[0].reason.contains("send them in parts"), "{}", decoded.rejected[0]);

    let apart: Vec<u8> = (0u8..100).flat_map(|time| [0x12, 0x02, 0x10, time]).collect();
    let many = of(&[name, &apart]).repeat(100);
    let error = send(&many, many.len() + 1).expect_err("four times as large");
    assert!(matches!(error, RemoteWriteError::TooLarge { .. }), "{error}");
}

/// Any value; protobuf does not tell -0 from 0, which it leaves out.
fn value() -> impl Strategy<Value = f64> {
    any::<f64>().prop_map(|value| if value == 0.0 { 0.0 } else { value })
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        let _ = decode(&bytes, Version::First, LIMIT);
        let _ = decode(&snap::raw::Encoder::new().compress_vec(&bytes).expect("small"), Version::First, LIMIT);
    }

    /// Against the library that agents use: what it reads we read, and what it refuses is no request.
    #[test]
    fn any_message_is_read_as_the_library_reads_it(
        mut bytes in proptest::collection::vec(
            prop_oneof![Just(0x0a), Just(0x12), Just(0x09), Just(0x10), Just(2), Just(4), any::<u8>()], 0..48),
        wrap in any::<bool>(),
    ) {
        if wrap {
            bytes.splice(0..0, [0x0a, bytes.len() as u8]);
        }
        let theirs = WriteRequest::decode(bytes.as_slice());
        let ours = decode(&snap::raw::Encoder::new().compress_vec(&bytes).expect("small"), Version::First, LIMIT);
        if let (Ok(theirs), Ok(ours)) = (&theirs, &ours) {
            let series = &theirs.timeseries;
            let sent: usize = series.iter().map(|one| one.samples.len()).sum();
            prop_assert!(ours.batch.sample_count() + ours.rejected_samples <= sent);
            prop_assert!(ours.batch.series_count() <= series.len());
            prop_assert!(ours.metadata.len() <= theirs.metadata.len());
        }
        // Groups, which nobody sends any more, are all that the library bears and we do not.
        let has_groups = bytes.iter().any(|byte| matches!(byte & 7, 3 | 4));
        // Of exemplars, histograms and metadata the library and we read each other parts.
        let has_parts = bytes.iter().any(|byte| matches!(byte, 0x1a | 0x22));
        prop_assert!(theirs.is_ok() == ours.is_ok() || has_groups || has_parts, "{theirs:?} {:?}", ours.map(|_| ()));
    }

    #[test]
    fn a_batch_survives_the_way_out_and_back(
        all in proptest::collection::vec(
            ("[a-z]{1,8}", proptest::collection::btree_map(any::<i64>(), value(), 1..5)), 0..5),
    ) {
        let mut batch = MetricBatch::new();
        for (name, samples) in &all {
            let samples: Vec<Sample> =
                samples.iter().map(|(time_ms, value)| Sample { time_ms: *time_ms, value: *value }).collect();
            batch.push(Labels::metric(name, &[]).as_ref(), &samples);
        }
        let back = decode(&encode(&batch), Version::First, LIMIT).expect("a request").batch;
        let bits = |batch: &MetricBatch| -> Vec<_> {
            batch.iter().map(|(labels, samples)| {
                let samples: Vec<(i64, u64)> =
                    samples.iter().map(|sample| (sample.time_ms, sample.value.to_bits())).collect();
                (labels.to_owned(), samples)
            }).collect()
        };
        prop_assert_eq!(bits(&back), bits(&batch));
    }
}
