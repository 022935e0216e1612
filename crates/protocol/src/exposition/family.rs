//! Metric families written as protobuf, as one server shows another its newest samples
//! (<https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto>).

use model::histogram::Buckets;
use model::{Histogram, MetricKind};
use prost::Message;

/// What a series shows.
#[derive(Clone, Debug)]
pub struct FamilyMetric {
    /// Its labels but for the name; values may be empty.
    pub labels: Vec<(String, String)>,
    /// A number or a histogram.
    pub value: FamilyValue,
    /// When, in milliseconds since the epoch.
    pub time_ms: i64,
}

/// The value of a metric.
#[derive(Clone, Debug)]
pub enum FamilyValue {
    /// A number, of which is not said what it counts.
    Number(f64),
    /// A native histogram without bounds of its own, which the format does not have.
    Histogram(Box<Histogram>),
}

/// `io.prometheus.client.MetricFamily`
#[derive(Clone, PartialEq, prost::Message)]
struct MetricFamily {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(int32, optional, tag = "3")]
    r#type: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    metric: Vec<Metric>,
}

/// `io.prometheus.client.Metric`
#[derive(Clone, PartialEq, prost::Message)]
struct Metric {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(message, optional, tag = "5")]
    untyped: Option<Untyped>,
    #[prost(int64, optional, tag = "6")]
    timestamp_ms: Option<i64>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<WireHistogram>,
}

/// `io.prometheus.client.LabelPair`
#[derive(Clone, PartialEq, prost::Message)]
struct LabelPair {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    value: Option<String>,
}

/// `io.prometheus.client.Untyped`
#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Untyped {
    #[prost(double, optional, tag = "1")]
    value: Option<f64>,
}

/// `io.prometheus.client.Histogram`, its counts as floats, as Prometheus federates all of them.
#[derive(Clone, PartialEq, prost::Message)]
struct WireHistogram {
    #[prost(double, optional, tag = "2")]
    sample_sum: Option<f64>,
    #[prost(double, optional, tag = "4")]
    sample_count_float: Option<f64>,
    #[prost(sint32, optional, tag = "5")]
    schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    zero_threshold: Option<f64>,
    #[prost(double, optional, tag = "8")]
    zero_count_float: Option<f64>,
    #[prost(message, repeated, tag = "9")]
    negative_span: Vec<BucketSpan>,
    #[prost(double, repeated, packed = "false", tag = "11")]
    negative_count: Vec<f64>,
    #[prost(message, repeated, tag = "12")]
    positive_span: Vec<BucketSpan>,
    #[prost(double, repeated, packed = "false", tag = "14")]
    positive_count: Vec<f64>,
}

/// `io.prometheus.client.BucketSpan`
#[derive(Clone, Copy, PartialEq, prost::Message)]
struct BucketSpan {
    #[prost(sint32, optional, tag = "1")]
    offset: Option<i32>,
    #[prost(uint32, optional, tag = "2")]
    length: Option<u32>,
}

/// Appends a family behind its length.
pub fn put_family(
    name: &str,
    kind: MetricKind,
    metrics: impl Iterator<Item = FamilyMetric>,
    into: &mut Vec<u8>,
) {
    let kind = match kind {
        MetricKind::Counter => 0,
        MetricKind::Gauge => 1,
        MetricKind::Summary => 2,
        MetricKind::Histogram => 4,
        MetricKind::GaugeHistogram => 5,
        // The format has no others.
        MetricKind::Unknown | MetricKind::Info | MetricKind::StateSet => 3,
    };
    let family = MetricFamily {
        name: Some(name.to_owned()),
        r#type: Some(kind),
        metric: metrics.map(Metric::from).collect(),
    };
    // A vector takes whatever is written.
    _ = family.encode_length_delimited(into);
}

impl From<FamilyMetric> for Metric {
    fn from(metric: FamilyMetric) -> Self {
        let FamilyMetric { labels, value, time_ms } = metric;
        let pair = |(name, value)| LabelPair { name: Some(name), value: Some(value) };
        let (untyped, histogram) = match value {
            FamilyValue::Number(value) => (Some(Untyped { value: Some(value) }), None),
            FamilyValue::Histogram(histogram) => (None, Some(WireHistogram::from(*histogram))),
        };
        let label = labels.into_iter().map(pair).collect();
        Self { label, untyped, timestamp_ms: Some(time_ms), histogram }
    }
}

impl From<Histogram> for WireHistogram {
    fn from(histogram: Histogram) -> Self {
        let spans = |side: &Buckets| -> Vec<BucketSpan> {
            let span = |span: &model::histogram::Span| BucketSpan {
                offset: Some(span.offset),
                length: Some(span.length),
            };
            side.spans.iter().map(span).collect()
        };
        let (negative_span, mut positive_span) = (spans(&histogram.negative), spans(&histogram.positive));
        if negative_span.is_empty() && positive_span.is_empty() {
            // Without any span it would be taken for a classic histogram.
            positive_span.push(BucketSpan { offset: Some(0), length: Some(0) });
        }
        Self {
            sample_sum: Some(histogram.sum),
            sample_count_float: Some(histogram.count),
            schema: Some(i32::from(histogram.schema)),
            zero_threshold: Some(histogram.zero_threshold),
            zero_count_float: Some(histogram.zero_count),
            negative_span,
            negative_count: histogram.negative.counts,
            positive_span,
            positive_count: histogram.positive.counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use model::histogram::{ResetHint, Span};
    use model::labels::METRIC_NAME;

    use super::super::{Format, Options, decode};
    use super::*;

    #[test]
    fn what_is_written_is_read_back_as_it_was() {
        let label = |value: &str| vec![("job".to_owned(), value.to_owned())];
        let number = FamilyMetric { labels: label(""), value: FamilyValue::Number(0.0), time_ms: -1 };
        let side = Buckets { spans: vec![Span { offset: -2, length: 2 }], counts: vec![1.5, 2.0] };
        let full = Histogram {
            schema: 3,
            zero_threshold: 0.25,
            zero_count: 1.0,
            count: 8.0,
            sum: -1.0,
            positive: side.clone(),
            negative: side,
            reset: ResetHint::Gauge,
            ..Histogram::default()
        };
        let histogram = |histogram: &Histogram| FamilyMetric {
            labels: label("a"),
            value: FamilyValue::Histogram(Box::new(histogram.clone())),
            time_ms: 1500,
        };
        let empty = Histogram::default();
        let mut body = Vec::new();
        put_family("n", MetricKind::Unknown, [number].into_iter(), &mut body);
        put_family("g", MetricKind::GaugeHistogram, [histogram(&full)].into_iter(), &mut body);
        put_family("h", MetricKind::Histogram, [histogram(&empty)].into_iter(), &mut body);
        let options = Options {
            max_bytes: 1 << 20,
            native_histograms: true,
            classic_histograms: false,
            custom_histograms: false,
        };
        let shown = decode(Format::Protobuf, &body, &options).expect("our own");
        let samples: Vec<_> = shown.samples().collect();
        let seen: Vec<_> =
            samples.iter().map(|one| (one.labels.get(METRIC_NAME).unwrap_or(""), one.time_ms)).collect();
        assert_eq!(seen, [("n", Some(-1)), ("g", Some(1500)), ("h", Some(1500))]);
        assert_eq!((samples[0].value, samples[0].labels.get("job")), (0.0, Some("")));
        let read = |place: usize| shown.histograms().of(samples[place].value);
        assert_eq!(read(1), Some(Ok(full)));
        let spans = |histogram: Histogram| histogram.positive.spans;
        assert_eq!(read(2).map(|read| read.map(spans)), Some(Ok(vec![Span { offset: 0, length: 0 }])));
    }
}
