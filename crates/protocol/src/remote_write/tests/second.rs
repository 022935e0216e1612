//! Requests of remote write 2.0, written out byte by byte.

use model::MetricKind;

use super::*;

/// A field with a length.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    prost::encoding::encode_varint(bytes.len() as u64, &mut field);
    field.extend_from_slice(bytes);
    field
}

/// A sample: 1.5 at a time below 128.
fn sample(time: u8) -> Vec<u8> {
    field(2, &[&[0x09][..], &1.5f64.to_le_bytes(), &[0x10, time]].concat())
}

fn request(symbols: &[&str], series: &[Vec<u8>]) -> Vec<u8> {
    let symbols = symbols.iter().flat_map(|symbol| field(4, symbol.as_bytes()));
    symbols.chain(series.iter().flat_map(|series| field(5, series))).collect()
}

fn read(plain: &[u8]) -> Result<Decoded, RemoteWriteError> {
    decode(&snap::raw::Encoder::new().compress_vec(plain).expect("small"), Version::Second, LIMIT)
}

const SYMBOLS: [&str; 9] = ["", "__name__", "x_count", "job", "a", "trace_id", "t1", "what it is", "s"];

#[test]
fn a_request_is_read_as_the_protocol_defines_it() {
    let histogram = WireHistogram::of(&whole(), 9).encode_to_vec();
    let exemplar = [&field(1, &[5, 6])[..], &[0x11], &2.0f64.to_le_bytes(), &[0x18, 8]].concat();
    let series = [
        field(1, &[1, 2, 3, 4]),
        sample(7),
        field(3, &histogram),
        field(4, &exemplar),
        field(5, &[0x08, 3, 0x18, 7, 0x20, 8]),
        vec![0x30, 5],
    ]
    .concat();
    let decoded = read(&request(&SYMBOLS, &[series])).expect("a request");
    assert_eq!((decoded.rejected.len(), decoded.exemplars_left_out), (0, 0));
    let (labels, samples) = decoded.batch.iter().next().expect("one series");
    assert_eq!(labels.to_owned(), Labels::metric("x_count", &[("job", "a")]));
    assert_eq!(samples, [Sample { time_ms: 7, value: 1.5 }]);
    assert_eq!(histograms_of(&decoded), [("x_count".to_owned(), 9, Some(whole()))]);
    let series = labels.to_owned();
    let labels = Labels::from_pairs([("trace_id", "t1")]);
    assert_eq!(decoded.exemplars, [Exemplar { series, labels, value: 2.0, time_ms: 8 }]);
    let said = MetricMetadata {
        family: "x".to_owned(),
        kind: MetricKind::Histogram,
        help: "what it is".to_owned(),
        unit: "s".to_owned(),
    };
    assert_eq!(decoded.metadata, [said], "the family has no ending");
}

#[test]
fn samples_say_since_when_they_count_themselves_or_by_their_series() {
    let at = |time: u8, start: &[u8]| {
        field(2, &[&[0x09][..], &f64::from(time).to_le_bytes(), &[0x10, time], start].concat())
    };
    let histogram =
        |start: &[u8]| field(3, &[&WireHistogram::of(&whole(), 9).encode_to_vec()[..], start].concat());
    let own = [
        field(1, &[1, 2]),
        at(9, &[0x18, 7]),
        at(5, &[]),
        // Sent again: the first stays, with its start.
        at(9, &[0x18, 3]),
        histogram(&[0x88, 1, 6]),
    ]
    .concat();
    let of_series =
        [field(1, &[1, 2, 3, 4]), at(8, &[]), at(9, &[0x18, 7]), histogram(&[]), vec![0x30, 2]].concat();
    let decoded = read(&request(&SYMBOLS, &[own, of_series])).expect("a request");
    let told = |batch: &MetricBatch| -> Vec<Vec<(i64, i64)>> {
        let run = |run: SampleRun<'_>| run.iter().map(|(sample, start)| (sample.time_ms, start)).collect();
        batch.runs().map(|(_, one)| run(one)).collect()
    };
    assert_eq!(told(&decoded.batch), [[(5, 0), (9, 7)], [(8, 2), (9, 7)]]);
    assert_eq!(told(&decoded.histograms), [[(9, 6)], [(9, 2)]]);
    let wrong = [field(1, &[1, 2]), field(2, &[0x1a, 0])].concat();
    assert!(matches!(
        read(&request(&SYMBOLS, &[wrong])),
        Err(RemoteWriteError::Protobuf(Malformed::Type(3)))
    ));
}

#[test]
fn references_need_not_be_packed_and_symbols_may_come_last() {
    let series = [&[0x08, 1, 0x08, 2][..], &sample(7)].concat();
    let plain = [field(5, &series), request(&SYMBOLS, &[])].concat();
    let decoded = read(&plain).expect("a request");
    let names: Vec<_> = decoded.batch.iter().map(|(labels, _)| labels.metric_name().to_owned()).collect();
    assert_eq!(names, ["x_count"]);
}

#[test]
fn a_series_with_wrong_references_is_rejected_alone() {
    let good = [field(1, &[1, 2]), sample(7)].concat();
    let cases: [(&[u8], &str); 5] = [
        (&[1, 2, 3], "3 references"),
        (&[1, 99], "refers to the symbol 99, and there are 9"),
        (&[3, 4], "no metric name"),
        (&[1, 2, 3, 4, 3, 4], "`job` is given twice"),
        (&[1, 2, 0, 4], "a label has no name"),
    ];
    for (references, expected) in cases {
        let wrong = [field(1, references), sample(7), sample(8)].concat();
        let decoded = read(&request(&SYMBOLS, &[wrong, good.clone()])).expect("a request");
        assert_eq!((decoded.batch.sample_count(), decoded.rejected_samples), (1, 2), "{expected}");
        assert!(decoded.rejected[0].reason.contains(expected), "{}", decoded.rejected[0]);
    }
}

#[test]
fn a_request_of_the_other_version_is_none() {
    let first = compressed(&WriteRequest {
        timeseries: vec![series(vec![label(b"__name__", b"up")], &[(1, 1.0)])],
        metadata: Vec::new(),
    });
    let as_second = decode(&first, Version::Second, LIMIT).expect("nothing that is known");
    assert!(as_second.batch.is_empty());
    let series = [field(1, &[1, 2]), sample(7)].concat();
    assert!(matches!(read(&request(&["up", "a", "b"], &[series])), Err(RemoteWriteError::Symbols(_))));
    assert!(matches!(read(&[0x28, 1]), Err(RemoteWriteError::Protobuf(Malformed::Type(5)))));
}

/// An empty symbol takes two bytes as it is sent, and many more when it is read.
#[test]
fn symbols_have_a_bound() {
    let many = [0x22, 0x00].repeat((1 << 20) + 1);
    let packed = snap::raw::Encoder::new().compress_vec(&many).expect("small");
    let error = decode(&packed, Version::Second, 1 << 30).expect_err("too many");
    assert!(error.to_string().contains("more than 1048576 symbols"), "{error}");
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(
        bytes in proptest::collection::vec(
            prop_oneof![Just(0x22), Just(0x2a), Just(0x0a), Just(0x1a), Just(0), Just(1), Just(4), any::<u8>()],
            0..96),
    ) {
        let _ = read(&bytes);
        let _ = decode(&bytes, Version::Second, LIMIT);
    }
}
