//! Points as they are sent, and the samples that Prometheus makes of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::histogram::Span;
use model::{Histogram, MetricBatch, MetricKind, MetricMetadata, is_stale};

use super::*;
use crate::otlp::{
    AnyValue, ExponentialBuckets, Id, MetricData, PointExemplar, PointFlags, Quantile, Temporality, TraceId,
};

const NANOS: u64 = 1_000_000;
const TIME: UnixNanos = UnixNanos(5_000 * NANOS + 1);
const START: UnixNanos = UnixNanos(2_000 * NANOS);
const STALE: PointFlags = PointFlags(1);

fn options() -> Options {
    Options {
        names: NameStrategy::Underscores,
        promoted: Vec::new(),
        scope_labels: false,
        target_info: true,
        max_bytes: 1 << 20,
    }
}

fn text<'a>(key: &'a str, value: &'a str) -> KeyValue<'a> {
    KeyValue { key: key.into(), value: AnyValue::Text(value.into()) }
}

fn metric<'a>(name: &'a str, unit: &'a str, data: MetricData) -> Metric<'a> {
    Metric { name: name.into(), unit: unit.into(), data, ..Metric::default() }
}

const CUMULATIVE: Temporality = Temporality::Cumulative;
const COUNTER: MetricData = MetricData::Sum { temporality: CUMULATIVE, is_monotonic: true };

fn point<'a>(value: Option<Number>) -> NumberPoint<'a> {
    NumberPoint { start_time: START, time: TIME, value, ..NumberPoint::default() }
}

/// What is heard of one metric of a resource without attributes.
fn converted(options: &Options, metric: &Metric<'_>, points: impl FnOnce(&mut SampleSink<'_>)) -> Converted {
    let mut sink = SampleSink::new(options);
    sink.resource(&Resource::default());
    sink.scope(&Scope::default());
    sink.metric(metric);
    points(&mut sink);
    sink.finish()
}

/// The samples of a batch: labels, time, start and value as text, by labels.
fn shown(batch: &MetricBatch) -> BTreeMap<String, (i64, i64, String)> {
    let all = batch.runs().flat_map(|(labels, run)| {
        assert_eq!(LabelsRef::from_encoded(labels.as_bytes()), Ok(labels), "they are in their encoding");
        let value = |value: f64| if is_stale(value) { "stale".to_owned() } else { value.to_string() };
        run.iter()
            .map(|(sample, start)| (labels.to_string(), (sample.time_ms, start, value(sample.value))))
            .collect::<Vec<_>>()
    });
    all.collect()
}

fn assert_samples(batch: &MetricBatch, expected: &[(&str, i64, &str)]) {
    let expected: BTreeMap<String, (i64, i64, String)> = (expected.iter())
        .map(|(labels, start, value)| ((*labels).to_owned(), (5_000, *start, (*value).to_owned())))
        .collect();
    assert_eq!(shown(batch), expected);
}

#[test]
fn numbers_become_samples_and_only_what_counts_has_a_start() {
    let cases = [
        (MetricData::Gauge, "1", Number::Double(0.5), "m_ratio", 0, "0.5"),
        (COUNTER, "1", Number::Int(7), "m_total", 2_000, "7"),
        (
            MetricData::Sum { temporality: CUMULATIVE, is_monotonic: false },
            "By",
            Number::Int(-7),
            "m_bytes",
            0,
            "-7",
        ),
    ];
    for (data, unit, value, name, start, expected) in cases {
        let done = converted(&options(), &metric("m", unit, data), |sink| sink.number(&point(Some(value))));
        assert_samples(&done.cumulative.numbers, &[(name, start, expected)]);
        assert!(done.delta.numbers.is_empty() && done.rejected.is_empty());
    }
}

#[test]
fn what_counts_since_the_point_before_is_kept_apart_with_its_start() {
    let data = MetricData::Sum { temporality: Temporality::Delta, is_monotonic: true };
    let done =
        converted(&options(), &metric("m", "", data), |sink| sink.number(&point(Some(Number::Int(3)))));
    assert_samples(&done.delta.numbers, &[("m_total", 2_000, "3")]);
    assert!(done.cumulative.numbers.is_empty());
    let done =
        converted(&options(), &metric("m", "", data), |sink| sink.number(&point(Some(Number::Int(-3)))));
    assert!(done.delta.numbers.is_empty() && done.rejected.len() == 1, "{:?}", done.rejected);
    let data = MetricData::ExponentialHistogram { temporality: Temporality::Delta };
    let done = converted(&options(), &metric("m", "", data), |sink| {
        sink.exponential_histogram(&ExponentialHistogramPoint { time: TIME, ..Default::default() });
    });
    assert_eq!((done.delta.histograms.sample_count(), done.cumulative.histograms.sample_count()), (1, 0));
}

#[test]
fn attributes_become_labels_and_what_becomes_one_label_is_joined() {
    let attributes = vec![
        text("http.method", "GET"),
        text("http/method", "PUT"),
        text("__name__", "evil"),
        text("job", "other"),
        text("empty", ""),
        KeyValue { key: "n".into(), value: AnyValue::Array(vec![AnyValue::Int(1), AnyValue::Bool(true)]) },
    ];
    let resource = Resource {
        attributes: vec![
            text("service.name", "shop"),
            text("service.namespace", "eu"),
            text("service.instance.id", "i-1"),
            text("host.name", "h"),
            text("n", "promoted"),
        ],
        ..Resource::default()
    };
    let options =
        Options { promoted: vec!["host.name".to_owned(), "n".to_owned()], scope_labels: true, ..options() };
    let mut sink = SampleSink::new(&options);
    sink.resource(&resource);
    sink.scope(&Scope { name: "lib".into(), attributes: vec![text("a.b", "c")], ..Scope::default() });
    sink.metric(&metric("m", "", MetricData::Gauge));
    sink.number(&NumberPoint { attributes, ..point(Some(Number::Int(1))) });
    let done = sink.finish();
    assert_eq!(done.rejected, []);
    let own = r#"m{host_name="h", http_method="GET;PUT", instance="i-1", job="eu/shop", n="[1,true]", otel_scope_a_b="c", otel_scope_name="lib"}"#;
    let info = r#"target_info{host_name="h", instance="i-1", job="eu/shop", n="promoted"}"#;
    assert_samples(&done.cumulative.numbers, &[(own, 0, "1"), (info, 0, "1")]);
}

#[test]
fn a_resource_is_described_only_if_it_is_known_and_has_points() {
    let known =
        Resource { attributes: vec![text("service.name", "a"), text("x", "y")], ..Resource::default() };
    let unknown = Resource { attributes: vec![text("x", "y")], ..Resource::default() };
    let plain = Resource { attributes: vec![text("service.name", "b")], ..Resource::default() };
    let options = options();
    let mut sink = SampleSink::new(&options);
    for resource in [&known, &unknown, &plain] {
        sink.resource(resource);
        sink.metric(&metric("m", "", MetricData::Gauge));
        sink.number(&point(Some(Number::Int(1))));
    }
    sink.resource(&known);
    let names = |done: &Converted| -> Vec<String> {
        done.cumulative.numbers.iter().map(|(labels, _)| labels.metric_name().to_owned()).collect()
    };
    assert_eq!(names(&sink.finish()), ["m", "target_info", "m", "m"]);
}

fn histogram<'a>() -> HistogramPoint<'a> {
    HistogramPoint {
        start_time: START,
        time: TIME,
        count: 10,
        sum: Some(12.5),
        bucket_counts: vec![1, 2, 7],
        explicit_bounds: vec![0.5, 1.0],
        ..HistogramPoint::default()
    }
}

const HISTOGRAM: MetricData = MetricData::Histogram { temporality: CUMULATIVE };

#[test]
fn a_histogram_becomes_the_series_of_a_classic_one() {
    let done = converted(&options(), &metric("took", "s", HISTOGRAM), |sink| sink.histogram(&histogram()));
    let expected = [
        ("took_seconds_sum", 2_000, "12.5"),
        ("took_seconds_count", 2_000, "10"),
        (r#"took_seconds_bucket{le="0.5"}"#, 2_000, "1"),
        (r#"took_seconds_bucket{le="1"}"#, 2_000, "3"),
        (r#"took_seconds_bucket{le="+Inf"}"#, 2_000, "10"),
    ];
    assert_samples(&done.cumulative.numbers, &expected);
    let plain = HistogramPoint { count: 3, time: TIME, ..HistogramPoint::default() };
    let done = converted(&options(), &metric("took", "s", HISTOGRAM), |sink| sink.histogram(&plain));
    let expected = [("took_seconds_count", 0, "3"), (r#"took_seconds_bucket{le="+Inf"}"#, 0, "3")];
    assert_samples(&done.cumulative.numbers, &expected);
}

#[test]
fn a_point_without_a_recorded_value_ends_its_series() {
    let ended = |value: &MetricBatch| shown(value).into_values().all(|(_, _, value)| value == "stale");
    let done = converted(&options(), &metric("m", "", COUNTER), |sink| {
        sink.number(&NumberPoint { flags: STALE, ..point(None) });
    });
    assert!(ended(&done.cumulative.numbers) && done.cumulative.numbers.sample_count() == 1);
    let done = converted(&options(), &metric("m", "", HISTOGRAM), |sink| {
        sink.histogram(&HistogramPoint { flags: STALE, sum: None, ..histogram() });
    });
    assert!(ended(&done.cumulative.numbers) && done.cumulative.numbers.sample_count() == 5);
    let data = MetricData::ExponentialHistogram { temporality: CUMULATIVE };
    let done = converted(&options(), &metric("m", "", data), |sink| {
        sink.exponential_histogram(&ExponentialHistogramPoint {
            time: TIME,
            flags: STALE,
            count: 9,
            ..Default::default()
        });
    });
    assert!(ended(&done.cumulative.histograms) && done.cumulative.histograms.sample_count() == 1);
    assert!(done.cumulative.numbers.is_empty());
}

#[test]
fn a_number_that_is_none_neither_ends_a_series_nor_stands_for_a_histogram() {
    for bits in [STALE_NAN.to_bits(), model::histogram::histogram_value(0).to_bits()] {
        let value = Number::Double(f64::from_bits(bits));
        let done = converted(&options(), &metric("m", "", MetricData::Gauge), |sink| {
            sink.number(&point(Some(value)));
        });
        let (_, samples) = done.cumulative.numbers.iter().next().expect("one series");
        assert_eq!(samples[0].value.to_bits(), f64::NAN.to_bits());
    }
}

fn exponential<'a>() -> ExponentialHistogramPoint<'a> {
    ExponentialHistogramPoint {
        start_time: START,
        time: TIME,
        count: 12,
        sum: Some(3.5),
        scale: 3,
        zero_count: 2,
        positive: ExponentialBuckets { offset: -2, counts: vec![1, 0, 3, 0, 0, 0, 2] },
        negative: ExponentialBuckets { offset: 4, counts: vec![4] },
        ..ExponentialHistogramPoint::default()
    }
}

/// The native histogram of a point.
fn native_of(point: &ExponentialHistogramPoint<'_>) -> Result<Histogram, String> {
    let data = MetricData::ExponentialHistogram { temporality: CUMULATIVE };
    let done = converted(&options(), &metric("m", "", data), |sink| sink.exponential_histogram(point));
    if let Some(rejected) = done.rejected.first() {
        return Err(rejected.reason.clone());
    }
    let batch = &done.cumulative.histograms;
    let (labels, run) = batch.runs().next().expect("one series");
    let (sample, start_ms) = run.iter().next().expect("one sample");
    assert_eq!((labels.to_string().as_str(), sample.time_ms, start_ms), ("m", 5_000, 2_000));
    Ok(batch.histograms().of(sample.value).expect("a histogram").expect("our own encoding"))
}

#[test]
fn an_exponential_histogram_becomes_a_native_one() {
    let native = native_of(&exponential()).expect("it is right");
    assert_eq!((native.schema, native.count, native.sum, native.zero_count), (3, 12.0, 3.5, 2.0));
    assert_eq!(native.zero_threshold, 1e-128);
    let spans = [(-1, 1), (1, 1), (3, 1)].map(|(offset, length)| Span { offset, length });
    assert_eq!(
        (native.positive.spans.as_slice(), native.positive.counts.as_slice()),
        (&spans[..], &[1.0, 3.0, 2.0][..])
    );
    assert_eq!(native.negative.spans, [Span { offset: 5, length: 1 }]);
    let wide = ExponentialHistogramPoint { zero_threshold: 0.25, ..exponential() };
    assert_eq!(native_of(&wide).map(|native| native.zero_threshold), Ok(0.25));
}

#[test]
fn buckets_that_are_too_fine_become_coarser() {
    // At scale 10 four buckets make one of scale 8: those that begin at -4 to -1, and at 0 to 3.
    let fine = ExponentialHistogramPoint {
        scale: 10,
        count: 21,
        zero_count: 0,
        positive: ExponentialBuckets { offset: -3, counts: vec![1, 2, 3, 4, 5, 6] },
        negative: ExponentialBuckets::default(),
        ..exponential()
    };
    let native = native_of(&fine).expect("it is right");
    assert_eq!(native.schema, 8);
    assert_eq!(native.positive.spans, [Span { offset: 0, length: 2 }]);
    assert_eq!(native.positive.counts, [6.0, 15.0]);
    let finest = ExponentialHistogramPoint { scale: i32::MAX, ..fine };
    assert_eq!(native_of(&finest).map(|native| native.positive.counts), Ok(vec![6.0, 15.0]));
}

#[test]
fn what_cannot_be_an_exponential_histogram_is_rejected() {
    let far = ExponentialBuckets { offset: i32::MAX, counts: vec![4] };
    let cases = [
        (ExponentialHistogramPoint { scale: -5, ..exponential() }, "its scale is -5"),
        (
            ExponentialHistogramPoint { count: 13, ..exponential() },
            "hold 12 observations and its count is 13",
        ),
        (ExponentialHistogramPoint { zero_threshold: f64::NAN, ..exponential() }, "threshold of zero is NaN"),
        (ExponentialHistogramPoint { negative: far, ..exponential() }, "out of range"),
    ];
    for (point, expected) in cases {
        let reason = native_of(&point).expect_err(expected);
        assert!(reason.contains(expected), "{reason}");
    }
}

#[test]
fn a_summary_becomes_its_quantiles_its_sum_and_its_count() {
    let quantiles = vec![Quantile { quantile: 0.5, value: 1.5 }, Quantile { quantile: 1.0, value: f64::NAN }];
    let summary = SummaryPoint {
        start_time: START,
        time: TIME,
        count: 4,
        sum: 6.0,
        quantiles,
        ..SummaryPoint::default()
    };
    let done = converted(&options(), &metric("m", "ms", MetricData::Summary), |sink| sink.summary(&summary));
    let expected = [
        ("m_milliseconds_sum", 2_000, "6"),
        ("m_milliseconds_count", 2_000, "4"),
        (r#"m_milliseconds{quantile="0.5"}"#, 0, "1.5"),
        (r#"m_milliseconds{quantile="1"}"#, 0, "NaN"),
    ];
    assert_samples(&done.cumulative.numbers, &expected);
}

fn exemplar<'a>(value: f64) -> PointExemplar<'a> {
    let trace_id: TraceId = Id::Known([0xab; 16]);
    PointExemplar { value: Some(Number::Double(value)), trace_id, ..PointExemplar::default() }
}

#[test]
fn exemplars_belong_to_the_bucket_of_their_value() {
    let timed = PointExemplar { time: UnixNanos(4_000 * NANOS), ..exemplar(1.0) };
    let nothing = PointExemplar { value: None, ..exemplar(0.0) };
    let exemplars = vec![exemplar(0.1), timed, exemplar(7.0), exemplar(f64::NAN), nothing];
    let point = HistogramPoint { exemplars, ..histogram() };
    let done = converted(&options(), &metric("took", "", HISTOGRAM), |sink| sink.histogram(&point));
    let seen: Vec<_> =
        done.exemplars.iter().map(|one| (one.series.get("le").unwrap_or(""), one.time_ms)).collect();
    assert_eq!(seen, [("0.5", 5_000), ("1", 4_000), ("+Inf", 5_000), ("+Inf", 5_000)]);
    assert_eq!(done.exemplars[0].series.metric_name(), "took_bucket");
    assert_eq!(done.exemplars[0].labels.to_string(), format!(r#"{{trace_id="{}"}}"#, "ab".repeat(16)));
    assert_eq!(done.exemplars_wrong, 1);
}

#[test]
fn attributes_of_an_exemplar_go_with_it_as_long_as_there_are_few() {
    let short = PointExemplar { filtered_attributes: vec![text("user.id", "u")], ..exemplar(1.0) };
    let long = "x".repeat(90);
    let long = PointExemplar { filtered_attributes: vec![text("user.id", &long)], ..exemplar(1.0) };
    let point = NumberPoint { exemplars: vec![short, long], ..point(Some(Number::Int(1))) };
    let done = converted(&options(), &metric("m", "", COUNTER), |sink| sink.number(&point));
    let users: Vec<_> = done.exemplars.iter().map(|one| one.labels.get("user_id")).collect();
    assert_eq!(users, [Some("u"), None]);
    assert!(done.exemplars.iter().all(|one| one.labels.get("trace_id").is_some()));
    let gauge = converted(&options(), &metric("m", "", MetricData::Gauge), |sink| sink.number(&point));
    assert_eq!((gauge.exemplars.len(), gauge.exemplars_wrong), (0, 2), "gauges have none");
}

#[test]
fn a_point_that_is_wrong_is_rejected_alone_with_a_reason() {
    let many = (0..513).map(|_| text("k", "v")).collect();
    let long = "x".repeat(70_000);
    let one = || point(Some(Number::Int(1)));
    let cases = [
        (NumberPoint { value: None, ..one() }, "it has no value"),
        (NumberPoint { time: UnixNanos(0), ..one() }, "it has no time"),
        (NumberPoint { time: UnixNanos::BEYOND, ..one() }, "no number of nanoseconds between 1970 and"),
        (NumberPoint { attributes: vec![text("_", "v")], ..one() }, "in the key `_` of an attribute"),
        (NumberPoint { attributes: many, ..one() }, "more than 512 attributes"),
        (NumberPoint { attributes: vec![text("k", &long)], ..one() }, "`k` has more than 65535 bytes"),
    ];
    for (bad, expected) in cases {
        let done = converted(&options(), &metric("m.x", "", COUNTER), |sink| {
            [&one(), &bad, &one()].into_iter().for_each(|point| sink.number(point));
        });
        assert_eq!((done.cumulative.numbers.sample_count(), done.rejected_points), (2, 1), "{expected}");
        assert!(done.rejected[0].reason.contains(expected), "{}", done.rejected[0]);
        assert_eq!(done.rejected[0].metric, "m.x");
    }
    for (counts, bounds) in
        [(vec![1, 2], vec![1.0, 2.0]), (vec![], vec![1.0]), (vec![1, 1, 1], vec![2.0, 1.0])]
    {
        let bad = HistogramPoint { bucket_counts: counts, explicit_bounds: bounds, ..histogram() };
        let done = converted(&options(), &metric("m", "", HISTOGRAM), |sink| sink.histogram(&bad));
        assert_eq!((done.cumulative.numbers.sample_count(), done.rejected_points), (0, 1), "{bad:?}");
    }
}

#[test]
fn a_metric_that_is_wrong_has_no_points_that_are_taken() {
    let unknown = MetricData::Sum { temporality: Temporality::Unspecified, is_monotonic: true };
    let cases = [
        ("m", unknown, "neither delta nor cumulative"),
        ("***", MetricData::Gauge, "no letter and no digit"),
    ];
    for (name, data, expected) in cases {
        let done = converted(&options(), &metric(name, "", data), |sink| {
            sink.number(&point(Some(Number::Int(1))));
        });
        assert!(done.cumulative.numbers.is_empty() && done.metadata.is_empty(), "{expected}");
        assert!(done.rejected[0].reason.contains(expected), "{}", done.rejected[0]);
    }
}

#[test]
fn samples_take_no_more_memory_than_they_may() {
    let options = Options { max_bytes: 100_000, ..options() };
    let long = "x".repeat(10_000);
    let point = HistogramPoint { attributes: vec![text("k", &long)], ..histogram() };
    let done = converted(&options, &metric("m", "", HISTOGRAM), |sink| {
        (0..10).for_each(|_| sink.histogram(&point));
    });
    assert!(done.size_bytes() <= options.max_bytes, "{}", done.size_bytes());
    assert_eq!((done.cumulative.numbers.sample_count(), done.rejected_points), (5, 9));
    assert_eq!(done.rejected_over_memory, 9);
    assert!(done.rejected[0].reason.contains("more than 100000 bytes"), "{}", done.rejected[0]);
}

#[test]
fn samples_for_which_there_is_no_room_are_let_go_and_what_they_take_is_counted_to_the_end() {
    let asked = Arc::new(AtomicUsize::new(0));
    let most = Arc::clone(&asked);
    let budget = Budget::new(move |bytes| {
        most.store(bytes, Ordering::SeqCst);
        bytes <= 1000
    });
    let options = options();
    let mut sink = SampleSink::new(&options).within(budget);
    sink.resource(&Resource::default());
    sink.scope(&Scope::default());
    sink.metric(&metric("m", "", MetricData::Gauge));
    (0..100).for_each(|_| sink.number(&point(Some(Number::Int(1)))));
    let done = sink.finish();
    assert!(done.size_bytes() <= 1000, "{}", done.size_bytes());
    assert!(asked.load(Ordering::SeqCst) >= 80 * SERIES_BYTES);
}

#[test]
fn what_is_said_of_a_metric_is_kept() {
    let counter = Metric { description: "Requests.".into(), ..metric("req", "By/s", COUNTER) };
    let done = converted(&options(), &counter, |_| {});
    let expected = MetricMetadata {
        family: "req_bytes_per_second_total".to_owned(),
        kind: MetricKind::Counter,
        help: "Requests.".to_owned(),
        unit: "bytes_per_second".to_owned(),
    };
    assert_eq!(done.metadata, [expected]);
    let unknown =
        Metric { metadata: vec![text("prometheus.type", "unknown")], ..metric("m", "", MetricData::Gauge) };
    let done = converted(&options(), &unknown, |_| {});
    assert_eq!(done.metadata[0].kind, MetricKind::Unknown);
}

#[test]
fn a_label_of_the_resource_or_the_scope_that_is_too_long_is_found_once_and_refuses_all_their_points() {
    let long = "x".repeat(70_000);
    let options = Options { promoted: vec!["zone".to_owned()], scope_labels: true, ..options() };
    let resources = [("service.name", "job"), ("service.instance.id", "instance"), ("zone", "zone")];
    for (key, label) in resources {
        let mut sink = SampleSink::new(&options);
        let attributes = vec![text(key, &long), text("host.name", "h")];
        sink.resource(&Resource { attributes, ..Resource::default() });
        sink.scope(&Scope::default());
        assert_eq!(sink.target.labels().count(), 0, "what is too long is not held for each point");
        sink.metric(&metric("m", "", MetricData::Gauge));
        (0..3).for_each(|_| sink.number(&point(Some(Number::Int(1)))));
        sink.resource(&Resource::default());
        sink.scope(&Scope { name: "s".into(), version: long.as_str().into(), ..Scope::default() });
        sink.number(&point(Some(Number::Int(1))));
        sink.scope(&Scope::default());
        sink.number(&point(Some(Number::Int(1))));
        let done = sink.finish();
        assert_eq!((done.rejected_points, done.cumulative.numbers.sample_count()), (4, 1), "{key}");
        let reasons: Vec<&str> = done.rejected.iter().map(|rejected| rejected.reason.as_str()).collect();
        let said = |label: &str| format!("the label `{label}` has more than 65535 bytes");
        assert_eq!(reasons, [said(label), said(label), said(label), said("otel_scope_version")]);
    }
}
