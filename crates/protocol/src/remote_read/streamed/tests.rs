//! Streams are read back by a reader of their own.

use model::histogram::{Buckets, CUSTOM_SCHEMA, ResetHint, Span};
use model::{Histogram, Labels, STALE_NAN, histogram::Histograms};
use proptest::prelude::*;
use testkit::chunks::{self, Frame, Value};

use super::*;

/// One sample as it is sent.
#[derive(Clone, Debug)]
enum Sent {
    Number(f64),
    Histogram(Histogram),
}

fn streamed(labels: &Labels, sent: &[(i64, Sent)]) -> Vec<Frame> {
    let mut histograms = Histograms::default();
    let samples: Vec<Sample> = sent
        .iter()
        .map(|(time_ms, sent)| {
            let value = match sent {
                Sent::Number(number) => *number,
                Sent::Histogram(histogram) => histograms.push(histogram),
            };
            Sample { time_ms: *time_ms, value }
        })
        .collect();
    let mut stream = Vec::new();
    put_series(3, labels.as_ref(), samples.into_iter(), &histograms, &mut stream);
    chunks::frames(&stream)
}

fn read(frames: &[Frame]) -> Vec<(i64, Value)> {
    frames.iter().flat_map(|frame| &frame.chunks).flat_map(chunks::Chunk::samples).collect()
}

/// A histogram as it must come back, but for what is said of resets.
fn expected(histogram: &Histogram) -> chunks::Histogram {
    let spans = |side: &Buckets| {
        side.spans.iter().map(|span| (i64::from(span.offset), u64::from(span.length))).collect()
    };
    let buckets = histogram.positive.counts.iter().chain(&histogram.negative.counts);
    chunks::Histogram {
        is_whole: crate::remote_write::has_whole_counts(histogram),
        header: 0,
        schema: i64::from(histogram.schema),
        zero_threshold: histogram.zero_threshold,
        counts: [histogram.count, histogram.zero_count].iter().chain(buckets).copied().collect(),
        sum: histogram.sum.to_bits(),
        positive: spans(&histogram.positive),
        negative: spans(&histogram.negative),
        bounds: histogram.custom_bounds.clone(),
    }
}

fn check(sent: &[(i64, Sent)]) -> Vec<Frame> {
    let frames = streamed(&Labels::metric("m", &[("job", "a")]), sent);
    let all: Vec<_> = frames.iter().flat_map(|frame| &frame.chunks).collect();
    for chunk in &all {
        let samples = chunk.samples();
        assert!(!samples.is_empty() && samples.len() <= 120, "{}", samples.len());
        assert_eq!(chunk.times_ms, (samples[0].0, samples[samples.len() - 1].0));
    }
    let back: Vec<_> = read(&frames)
        .into_iter()
        .map(|(time, value)| match value {
            Value::Histogram(histogram) => {
                (time, Value::Histogram(chunks::Histogram { header: 0, ..histogram }))
            }
            number @ Value::Number(_) => (time, number),
        })
        .collect();
    let expected: Vec<_> = sent
        .iter()
        .map(|(time, sent)| match sent {
            Sent::Number(number) => (*time, Value::Number(number.to_bits())),
            Sent::Histogram(histogram) => (*time, Value::Histogram(expected(histogram))),
        })
        .collect();
    assert_eq!(back, expected);
    frames
}

fn side(spans: &[(i32, u32)], counts: &[f64]) -> Buckets {
    let spans = spans.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect();
    Buckets { spans, counts: counts.to_vec() }
}

fn counted(zeros: f64, buckets: &[f64]) -> Histogram {
    Histogram {
        schema: 3,
        zero_threshold: 2f64.powi(-128),
        zero_count: zeros,
        count: zeros + buckets.iter().sum::<f64>(),
        sum: 0.5,
        positive: side(&[(-2, buckets.len() as u32)], buckets),
        ..Histogram::default()
    }
}

fn each_minute(all: impl IntoIterator<Item = Histogram>) -> Vec<(i64, Sent)> {
    all.into_iter().zip(0i64..).map(|(one, minute)| (minute * 60_000, Sent::Histogram(one))).collect()
}

#[test]
fn a_frame_has_the_labels_the_place_of_the_query_and_the_chunks_of_a_series() {
    let frames = check(&[(1000, Sent::Number(1.5)), (2000, Sent::Number(1.5)), (3001, Sent::Number(-0.0))]);
    let [frame] = frames.as_slice() else { panic!("{frames:?}") };
    let labels: Vec<_> = frame.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!((frame.query, labels), (3, vec![("__name__", "m"), ("job", "a")]));
    let [chunk] = frame.chunks.as_slice() else { panic!("{frame:?}") };
    assert_eq!((chunk.encoding, chunk.times_ms), (1, (1000, 3001)));
    assert!(streamed(&Labels::metric("m", &[]), &[]).is_empty(), "without samples nothing is sent");
}

#[test]
fn chunks_end_after_120_samples_and_where_the_kind_of_samples_changes() {
    let numbers = (0..250).map(|second| (second * 1000, Sent::Number(second as f64)));
    let whole = (250..252).map(|second| (second * 1000, Sent::Histogram(counted(1.0, &[2.0]))));
    let fractions = (252..253).map(|second| (second * 1000, Sent::Histogram(counted(0.5, &[2.0]))));
    let ends = [(254_000, Sent::Number(STALE_NAN))];
    let frames = check(&numbers.chain(whole).chain(fractions).chain(ends).collect::<Vec<_>>());
    let shape = |chunk: &chunks::Chunk| (chunk.encoding, chunk.samples().len());
    let shapes: Vec<_> = frames[0].chunks.iter().map(shape).collect();
    assert_eq!(shapes, [(1, 120), (1, 120), (1, 10), (2, 2), (3, 1), (1, 1)]);
}

#[test]
fn a_reset_and_other_buckets_begin_a_chunk_that_says_what_is_known() {
    let gauge = Histogram { reset: ResetHint::Gauge, ..counted(0.0, &[1.0]) };
    let said = Histogram { reset: ResetHint::Reset, ..counted(9.0, &[9.0, 9.0]) };
    let frames = check(&each_minute([
        counted(1.0, &[2.0]),
        counted(2.0, &[2.0]),
        // A bucket has less.
        counted(9.0, &[1.0]),
        // Other buckets.
        counted(9.0, &[1.0, 1.0]),
        said,
        gauge.clone(),
        Histogram { zero_count: 0.0, count: 0.0, positive: side(&[(-2, 1)], &[0.0]), ..gauge },
        counted(9.0, &[1.0]),
    ]));
    let header = |chunk: &chunks::Chunk| match chunk.samples().as_slice() {
        [(_, Value::Histogram(histogram)), rest @ ..] => (histogram.header, 1 + rest.len()),
        other => panic!("{other:?}"),
    };
    let headers: Vec<_> = frames[0].chunks.iter().map(header).collect();
    assert_eq!(headers, [(0, 2), (2, 1), (0, 1), (2, 1), (3, 2), (0, 1)]);
    let many = (0..130).map(|count| counted(f64::from(count), &[1.0]));
    let headers: Vec<_> = check(&each_minute(many))[0].chunks.iter().map(header).collect();
    assert_eq!(headers, [(0, 120), (1, 10)], "it goes on without a reset");
}

#[test]
fn frames_are_bounded_and_each_has_the_labels() {
    let mut state = 1u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from_bits(state & !(0x7ff << 52) | 1023 << 52)
    };
    let sent: Vec<_> = (0..300_000).map(|second| (second * 1000, Sent::Number(noise()))).collect();
    let frames = streamed(&Labels::metric("m", &[("job", &"long".repeat(1000))]), &sent);
    assert!(frames.len() > 1, "{}", frames.len());
    for frame in &frames {
        assert!(frame.bytes < FRAME_BYTES + 4096, "{}", frame.bytes);
        assert_eq!(frame.labels[1].1.len(), 4000);
    }
    assert_eq!(read(&frames).len(), sent.len());
    let wide = vec![1.0; 20_000];
    let frames = check(&each_minute((0..200).map(|zeros| counted(f64::from(zeros) + 0.5, &wide))));
    assert!(frames.len() > 1 && frames.iter().all(|frame| frame.bytes < FRAME_BYTES + (300 << 10)));
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_map(model::histogram::plain_value),
        (-50i32..50).prop_map(f64::from),
        Just(STALE_NAN),
        Just(f64::NAN),
        Just(-0.0),
    ]
}

fn buckets() -> impl Strategy<Value = Buckets> {
    let count =
        prop_oneof![(0u32..5).prop_map(f64::from), 0.0..1e18, (0u64..1 << 53).prop_map(|count| count as f64)];
    let whole = prop::collection::vec((0u32..4).prop_map(f64::from), 0..6);
    (prop_oneof![whole, prop::collection::vec(count, 0..6)], -2000i32..2000, 0i32..70_000, 0usize..6)
        .prop_map(|(counts, first, gap, split)| {
            let split = split.min(counts.len());
            let spans = [(first, split as u32), (gap, (counts.len() - split) as u32)];
            side(&spans, &counts)
        })
}

fn histogram() -> impl Strategy<Value = Histogram> {
    let threshold = prop_oneof![Just(0.0), (-260i32..20).prop_map(|exponent| 2f64.powi(exponent)), 0.0..1e3,];
    let bound = prop_oneof![-1e6..1e6, (0u32..40_000_000).prop_map(|count| f64::from(count) / 1000.0)];
    let reset = prop_oneof![
        Just(ResetHint::Unknown),
        Just(ResetHint::Reset),
        Just(ResetHint::NotReset),
        Just(ResetHint::Gauge)
    ];
    let parts = (buckets(), buckets(), prop::collection::vec(bound, 0..5), any::<bool>());
    (-4i8..9, threshold, number(), number(), number(), parts, reset).prop_map(
        |(schema, zero_threshold, zeros, extra, sum, (positive, negative, bounds, is_custom), reset)| {
            let zero_count = if zeros.is_finite() { zeros.abs() } else { 2.0 };
            let all = positive.counts.iter().chain(&negative.counts).sum::<f64>() + zero_count;
            let count = if extra.is_finite() && extra > 40.0 { all + extra } else { all };
            let schema = if is_custom { CUSTOM_SCHEMA } else { schema };
            let custom_bounds = if is_custom { bounds } else { Vec::new() };
            Histogram {
                schema,
                zero_threshold,
                zero_count,
                count,
                sum,
                positive,
                negative,
                custom_bounds,
                reset,
            }
        },
    )
}

fn sent() -> impl Strategy<Value = Vec<(i64, Sent)>> {
    let sample = prop_oneof![
        3 => number().prop_map(|number| vec![Sent::Number(number)]),
        1 => histogram().prop_map(|histogram| vec![Sent::Histogram(histogram)]),
        // The same again, so that chunks have more than one.
        1 => (histogram(), 1usize..300).prop_map(|(histogram, times)| vec![Sent::Histogram(histogram); times]),
        1 => (number(), 1usize..300).prop_map(|(number, times)| vec![Sent::Number(number); times]),
    ];
    let distance =
        prop_oneof![3 => Just(15_000), 2 => 14_990i64..15_010, 1 => 1i64..100_000, 1 => 1i64..1 << 50];
    let samples = prop::collection::vec(sample, 1..12).prop_map(|runs| runs.concat());
    (samples, prop::collection::vec(distance, 1..40), -(1i64 << 50)..1 << 50).prop_map(
        |(samples, distances, first)| {
            let mut time = first;
            let distances = distances.into_iter().cycle();
            samples
                .into_iter()
                .zip(distances)
                .map(|(sample, distance)| {
                    time += distance;
                    (time, sample)
                })
                .collect()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn whatever_is_sent_is_read_back(sent in sent()) {
        check(&sent);
    }
}
