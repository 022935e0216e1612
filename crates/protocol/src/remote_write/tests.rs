//! Requests as agents write them, and as nobody should.

use bytes::Bytes;
use model::{Labels, Sample};
use proptest::prelude::*;

use super::message::{Label, TimeSeries, WireSample};
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
    TimeSeries { labels, samples, exemplars: Vec::new(), histograms: Vec::new() }
}

fn compressed(request: &WriteRequest) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(&request.encode_to_vec()).expect("small")
}

fn decoded(timeseries: Vec<TimeSeries>) -> Decoded {
    decode(&compressed(&WriteRequest { timeseries, metadata: Vec::new() }), LIMIT).expect("a request")
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
    let decoded = decode(&body, LIMIT).expect("a request");
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

#[test]
fn samples_are_put_in_order_and_the_last_of_one_time_wins() {
    let samples = [(3, 3.0), (1, 1.0), (3, 4.0), (2, 2.0)];
    let decoded = decoded(vec![series(vec![label(b"__name__", b"up")], &samples)]);
    let (_, samples) = decoded.batch.iter().next().expect("one series");
    let pairs: Vec<(i64, f64)> = samples.iter().map(|sample| (sample.time_ms, sample.value)).collect();
    assert_eq!(pairs, [(1, 1.0), (2, 2.0), (3, 4.0)]);
}

#[test]
fn what_is_not_taken_yet_is_counted() {
    let mut one = series(vec![label(b"__name__", b"up")], &[]);
    one.histograms = vec![Bytes::from_static(b"\x08\x01")];
    one.exemplars = vec![Bytes::new(), Bytes::new()];
    let request = WriteRequest { timeseries: vec![one], metadata: vec![Bytes::from_static(b"\x08\x01")] };
    let decoded = decode(&compressed(&request), LIMIT).expect("a request");
    assert_eq!(decoded.unsupported, Unsupported { histograms: 1, exemplars: 2, metadata: 1 });
    assert!(decoded.batch.is_empty());
}

#[test]
fn a_request_that_declares_too_much_is_refused_before_it_is_decompressed() {
    // Declares 4 GiB - 1 and holds nothing.
    let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f];
    assert!(matches!(decode(&bomb, LIMIT), Err(RemoteWriteError::TooLarge { declared: 4_294_967_295, .. })));
    assert!(
        matches!(decode(&bomb, usize::MAX), Err(RemoteWriteError::Snappy(_)))
            || cfg!(target_pointer_width = "32")
    );
}

#[test]
fn what_is_no_request_says_what_it_should_be() {
    assert!(matches!(decode(b"", LIMIT), Err(RemoteWriteError::Snappy(_))));
    assert!(matches!(decode(b"\x05hello", LIMIT), Err(RemoteWriteError::Snappy(_))));
    let text = snap::raw::Encoder::new().compress_vec(b"hello").expect("small");
    assert!(matches!(decode(&text, LIMIT), Err(RemoteWriteError::Protobuf(_))));
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
        decode(&snap::raw::Encoder::new().compress_vec(request).expect("small"), limit)
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
        let _ = decode(&bytes, LIMIT);
        let _ = decode(&snap::raw::Encoder::new().compress_vec(&bytes).expect("small"), LIMIT);
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
        let ours = decode(&snap::raw::Encoder::new().compress_vec(&bytes).expect("small"), LIMIT);
        if let (Ok(theirs), Ok(ours)) = (&theirs, &ours) {
            let series = &theirs.timeseries;
            let sent: usize = series.iter().map(|one| one.samples.len()).sum();
            let histograms: usize = series.iter().map(|one| one.histograms.len()).sum();
            prop_assert!(ours.batch.sample_count() + ours.rejected_samples <= sent);
            prop_assert_eq!(ours.unsupported.histograms, histograms);
            prop_assert_eq!(ours.unsupported.metadata, theirs.metadata.len());
            prop_assert!(ours.rejected.len() + ours.batch.series_count() <= series.len());
        }
        // Groups, which nobody sends any more, are all that the library bears and we do not.
        let has_groups = bytes.iter().any(|byte| matches!(byte & 7, 3 | 4));
        prop_assert!(theirs.is_ok() == ours.is_ok() || has_groups, "{theirs:?} {:?}", ours.map(|_| ()));
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
        let back = decode(&encode(&batch), LIMIT).expect("a request").batch;
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
