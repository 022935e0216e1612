use model::histogram::{ResetHint, Span};
use prost::Message;

use super::{Format, described, fault, options, read, shown, starts};
use crate::exposition::{Options, decode};

// The messages as a client library writes them. Field numbers are those of `io.prometheus.client`.

#[derive(Clone, PartialEq, Message)]
struct Family {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    help: String,
    #[prost(int32, optional, tag = "3")]
    kind: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    metrics: Vec<Metric>,
    #[prost(string, tag = "5")]
    unit: String,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Pair>,
    #[prost(message, optional, tag = "2")]
    gauge: Option<Number>,
    #[prost(message, optional, tag = "3")]
    counter: Option<Number>,
    #[prost(message, optional, tag = "4")]
    summary: Option<Summary>,
    #[prost(int64, optional, tag = "6")]
    time_ms: Option<i64>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct Pair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Number {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(message, optional, tag = "2")]
    exemplar: Option<Exemplar>,
    #[prost(message, optional, tag = "3")]
    created: Option<Time>,
}

#[derive(Clone, PartialEq, Message)]
struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Pair>,
    #[prost(double, tag = "2")]
    value: f64,
    #[prost(message, optional, tag = "3")]
    time: Option<Time>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "2")]
    sum: f64,
    #[prost(message, repeated, tag = "3")]
    quantiles: Vec<Quantile>,
    #[prost(message, optional, tag = "4")]
    created: Option<Time>,
}

#[derive(Clone, PartialEq, Message)]
struct Quantile {
    #[prost(double, tag = "1")]
    quantile: f64,
    #[prost(double, tag = "2")]
    value: f64,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "2")]
    sum: f64,
    #[prost(message, repeated, tag = "3")]
    buckets: Vec<Bucket>,
    #[prost(sint32, optional, tag = "5")]
    schema: Option<i32>,
    #[prost(double, tag = "6")]
    zero_threshold: f64,
    #[prost(uint64, tag = "7")]
    zero_count: u64,
    #[prost(message, repeated, tag = "9")]
    negative_spans: Vec<SpanForm>,
    #[prost(sint64, repeated, packed = "false", tag = "10")]
    negative_deltas: Vec<i64>,
    #[prost(message, repeated, tag = "12")]
    positive_spans: Vec<SpanForm>,
    #[prost(sint64, repeated, tag = "13")]
    positive_deltas: Vec<i64>,
    #[prost(double, repeated, tag = "14")]
    positive_counts: Vec<f64>,
    #[prost(message, optional, tag = "15")]
    created: Option<Time>,
    #[prost(message, repeated, tag = "16")]
    exemplars: Vec<Exemplar>,
}

#[derive(Clone, PartialEq, Message)]
struct Bucket {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "2")]
    upper_bound: f64,
    #[prost(message, optional, tag = "3")]
    exemplar: Option<Exemplar>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct SpanForm {
    #[prost(sint32, tag = "1")]
    offset: i32,
    #[prost(uint32, tag = "2")]
    length: u32,
}

fn body(families: &[Family]) -> Vec<u8> {
    families.iter().flat_map(Message::encode_length_delimited_to_vec).collect()
}

fn pair(name: &str, value: &str) -> Pair {
    Pair { name: name.to_owned(), value: value.to_owned() }
}

fn exemplar(value: f64) -> Exemplar {
    let time = Time { seconds: 1_520_879_607, nanos: 789_000_000 };
    Exemplar { labels: vec![pair("trace_id", "abc")], value, time: Some(time) }
}

fn family(name: &str, kind: i32, metric: Metric) -> Family {
    Family {
        name: name.to_owned(),
        help: format!("About {name}."),
        kind: Some(kind),
        metrics: vec![metric],
        unit: String::new(),
    }
}

fn native() -> Histogram {
    Histogram {
        count: 12,
        sum: 18.4,
        schema: Some(1),
        zero_threshold: 0.001,
        zero_count: 2,
        positive_spans: vec![SpanForm { offset: -1, length: 2 }, SpanForm { offset: 1, length: 2 }],
        positive_deltas: vec![1, 1, -1, 0],
        negative_spans: vec![SpanForm { offset: 0, length: 2 }],
        negative_deltas: vec![2, 1],
        exemplars: vec![exemplar(0.5)],
        ..Histogram::default()
    }
}

#[test]
fn every_kind_of_metric_becomes_the_series_that_its_text_would() {
    let number = |value| Some(Number { value, ..Number::default() });
    let counted = Some(Number { value: 5.0, exemplar: Some(exemplar(1.5)), created: None });
    let quantiles = vec![Quantile { quantile: 0.99, value: 1.0 }];
    let summary = Summary { count: 3, sum: 1.5, quantiles, created: None };
    let bucket = |count, upper_bound, exemplar| Bucket { count, upper_bound, exemplar };
    let buckets = vec![bucket(1, 1.0, Some(exemplar(0.5))), bucket(2, 5e6, None)];
    let classic = Histogram { count: 3, sum: 4.5, buckets, ..Histogram::default() };
    let labels = vec![pair("b", "2"), pair("a.b", "1"), pair("empty", "")];
    let families = [
        family("hits_total", 0, Metric { counter: counted, labels, ..Metric::default() }),
        family("depth", 1, Metric { gauge: number(-0.5), time_ms: Some(1234), ..Metric::default() }),
        family("nan", 1, Metric { gauge: number(model::STALE_NAN), ..Metric::default() }),
        family("quick", 2, Metric { summary: Some(summary), ..Metric::default() }),
        family("took", 4, Metric { histogram: Some(classic), ..Metric::default() }),
    ];
    let exposition = read(Format::Protobuf, body(&families)).expect("a body");
    assert_eq!(
        shown(&exposition),
        [
            r#"hits_total{a.b="1", b="2", empty=""} 5"#,
            "depth -0.5 @1234",
            "nan NaN",
            "quick_count 3",
            "quick_sum 1.5",
            r#"quick{quantile="0.99"} 1"#,
            "took_count 3",
            "took_sum 4.5",
            r#"took_bucket{le="1.0"} 1"#,
            r#"took_bucket{le="5e+06"} 2"#,
            r#"took_bucket{le="+Inf"} 3"#,
        ]
    );
    let ends_a_series = exposition.samples().any(|sample| model::is_stale(sample.value));
    assert!(!ends_a_series, "a target cannot write the marks that are ours");
    assert_eq!(described(&exposition)[0], "hits_total: counter \"\" \"About hits_total.\"");
    let exemplars: Vec<_> =
        exposition.exemplars().iter().map(|one| (one.sample, one.value, one.time_ms)).collect();
    assert_eq!(exemplars, [(0, 1.5, Some(1_520_879_607_789)), (8, 0.5, Some(1_520_879_607_789))]);
}

#[test]
fn a_native_histogram_is_one_sample_and_its_classic_buckets_are_read_when_asked_for() {
    let mut histogram = native();
    histogram.buckets = vec![Bucket { count: 4, upper_bound: 1.0, exemplar: None }];
    let families = [family("took", 4, Metric { histogram: Some(histogram), ..Metric::default() })];
    let bytes = body(&families);
    let exposition = read(Format::Protobuf, &bytes).expect("a body");
    assert_eq!(shown(&exposition), ["took histogram of 12"]);
    let value = exposition.samples().next().expect("a sample").value;
    let read = exposition.histograms().of(value).expect("a histogram").expect("ours");
    assert_eq!((read.schema, read.zero_threshold, read.zero_count, read.sum), (1, 0.001, 2.0, 18.4));
    assert_eq!(read.positive.spans, [Span { offset: -1, length: 2 }, Span { offset: 1, length: 2 }]);
    assert_eq!(
        (&read.positive.counts[..], &read.negative.counts[..]),
        (&[1.0, 2.0, 1.0, 1.0][..], &[2.0, 3.0][..])
    );
    assert_eq!(read.reset, ResetHint::Unknown);
    assert_eq!(exposition.exemplars().len(), 1);
    let both = decode(Format::Protobuf, &bytes, &Options { classic_histograms: true, ..options() });
    assert_eq!(
        shown(&both.expect("a body")),
        [
            "took histogram of 12",
            "took_count 12",
            "took_sum 18.4",
            r#"took_bucket{le="1.0"} 4"#,
            r#"took_bucket{le="+Inf"} 12"#,
        ]
    );
}

#[test]
fn histograms_of_whole_and_of_other_counts_and_of_gauges_are_told_apart() {
    let mut histogram = native();
    histogram.positive_deltas.clear();
    histogram.positive_counts = vec![0.5, 1.5, 1.0, 1.0];
    let families = [family("level", 5, Metric { histogram: Some(histogram), ..Metric::default() })];
    let exposition = read(Format::Protobuf, body(&families)).expect("a body");
    let value = exposition.samples().next().expect("a sample").value;
    let read = exposition.histograms().of(value).expect("a histogram").expect("ours");
    assert_eq!((read.positive.counts[0], read.reset), (0.5, ResetHint::Gauge));
}

#[test]
fn what_is_wrong_is_told_with_the_family_and_what_was_expected() {
    let wrong = |change: fn(&mut Histogram)| {
        let mut histogram = native();
        change(&mut histogram);
        let fine = family("fine", 1, Metric::default());
        body(&[fine, family("took", 4, Metric { histogram: Some(histogram), ..Metric::default() })])
    };
    let cases = [
        (wrong(|one| one.schema = Some(53)), "the native histogram is wrong: its schema is 53"),
        (wrong(|one| one.schema = Some(1000)), "expected a schema of the native histogram from -4 to 52"),
        (
            wrong(|one| one.positive_deltas.truncate(2)),
            "the native histogram is wrong: the spans of its positive buckets have room for 4 counts, and there are 2",
        ),
        (
            wrong(|one| one.negative_deltas = vec![2, -3]),
            "the native histogram is wrong: its count of a bucket is negative",
        ),
        (
            wrong(|one| one.positive_spans[1].offset = -1),
            "the native histogram is wrong: a span of its positive buckets begins before the end of the one before",
        ),
        (
            wrong(|one| one.positive_spans[0].offset = i32::MAX),
            "the native histogram is wrong: its positive buckets lie out of range",
        ),
        (
            wrong(|one| one.count = 13),
            "the native histogram is wrong: its buckets hold 12 observations and its count is 13",
        ),
        (
            wrong(|one| one.positive_deltas = vec![1, i64::MAX, 1, 1]),
            "expected counts of native buckets within 64 bits",
        ),
    ];
    for (bytes, expected) in cases {
        let said = fault(Format::Protobuf, bytes);
        assert!(said.starts_with(&format!("metric family 1 (took): {expected}")), "{said}");
    }
    let good = body(&[family("took", 4, Metric { histogram: Some(native()), ..Metric::default() })]);
    let cut = fault(Format::Protobuf, &good[..good.len() - 1]);
    assert_eq!(cut, "metric family 0 (): expected a metric family in protobuf: a field ends early");
    let twice = Metric { labels: vec![pair("a", "1"), pair("a", "2")], ..Metric::default() };
    let twice = fault(Format::Protobuf, body(&[family("m", 1, twice)]));
    assert_eq!(twice, "metric family 0 (m): expected each label once, found `a` twice");
    let unnamed = fault(Format::Protobuf, body(&[family("", 1, Metric::default())]));
    assert_eq!(unnamed, "metric family 0 (): expected a name");
    let odd = fault(Format::Protobuf, body(&[family("m", 6, Metric::default())]));
    assert!(odd.ends_with("expected a type of metric from 0 to 5"), "{odd}");
}

#[test]
fn a_native_histogram_that_is_too_fine_becomes_coarser_as_in_remote_write() {
    let fine = Histogram {
        schema: Some(10),
        positive_spans: vec![SpanForm { offset: 1, length: 4 }],
        positive_deltas: vec![1, 0, 1, 2],
        count: 15,
        ..native()
    };
    let families = [family("took", 4, Metric { histogram: Some(fine), ..Metric::default() })];
    let exposition = read(Format::Protobuf, body(&families)).expect("a body");
    let value = exposition.samples().next().expect("a sample").value;
    let read = exposition.histograms().of(value).expect("a histogram").expect("ours");
    assert_eq!((read.schema, read.positive.counts), (8, vec![8.0]));
    assert_eq!(read.positive.spans, [Span { offset: 1, length: 1 }]);
}

#[test]
fn without_native_histograms_the_classic_buckets_remain() {
    let mut histogram = native();
    histogram.buckets = vec![Bucket { count: 4, upper_bound: 1.0, exemplar: Some(exemplar(0.5)) }];
    let families = [family("took", 4, Metric { histogram: Some(histogram), ..Metric::default() })];
    let without = Options { native_histograms: false, ..options() };
    let exposition = decode(Format::Protobuf, &body(&families), &without).expect("a body");
    assert_eq!(
        shown(&exposition),
        ["took_count 12", "took_sum 18.4", r#"took_bucket{le="1.0"} 4"#, r#"took_bucket{le="+Inf"} 12"#]
    );
    assert!(exposition.histograms().is_empty());
    assert_eq!(exposition.exemplars().len(), 1);
}

#[test]
fn a_number_never_stands_for_a_histogram_of_somebody_else() {
    let hostile = model::histogram::histogram_value(0);
    let number = Some(Number { value: hostile, exemplar: Some(exemplar(hostile)), created: None });
    let sum = Histogram { sum: hostile, ..native() };
    let classic = Histogram { count: 1, sum: hostile, ..Histogram::default() };
    let families = [
        family("took", 4, Metric { histogram: Some(sum), ..Metric::default() }),
        family("hits_total", 0, Metric { counter: number, ..Metric::default() }),
        family("slow", 4, Metric { histogram: Some(classic), ..Metric::default() }),
    ];
    let exposition = read(Format::Protobuf, body(&families)).expect("a body");
    let shown = shown(&exposition);
    assert_eq!(shown[..2], ["took histogram of 12", "hits_total NaN"]);
    assert_eq!(shown[3], "slow_sum NaN");
    let is_plain = |value: f64| model::histogram::histogram_place(value).is_none();
    assert!(exposition.exemplars().iter().all(|exemplar| is_plain(exemplar.value)));
    let value = exposition.samples().next().expect("a sample").value;
    let read = exposition.histograms().of(value).expect("a histogram").expect("ours");
    assert!(read.sum.is_nan() && is_plain(read.sum));
}

#[test]
fn counters_histograms_and_summaries_say_since_when_they_count() {
    let created = Some(Time { seconds: 5, nanos: 7_000_000 });
    let number = Number { value: 1.0, created, ..Number::default() };
    let quantiles = vec![Quantile { quantile: 0.5, value: 1.0 }];
    let summary = Some(Summary { count: 1, sum: 1.0, quantiles, created });
    let histogram = Some(Histogram { created, ..native() });
    let families = [
        family("hits_total", 0, Metric { counter: Some(number.clone()), ..Metric::default() }),
        family("depth", 1, Metric { gauge: Some(number), ..Metric::default() }),
        family("quick", 2, Metric { summary, ..Metric::default() }),
        family("took", 4, Metric { histogram, ..Metric::default() }),
        family("untold", 4, Metric { histogram: Some(native()), ..Metric::default() }),
    ];
    let exposition = read(Format::Protobuf, body(&families)).expect("a body");
    assert_eq!(starts(&exposition), ["hits_total 5007", "quick_count 5007", "quick_sum 5007", "took 5007"]);
}
