//! The protobuf messages as they are sent; what comes in is read by [`crate::wire`], without them. Field numbers are those of `prompb`
//! (<https://prometheus.io/docs/specs/prw/remote_write_spec/>).

use bytes::Bytes;
use model::histogram::{Buckets, ResetHint};
use model::{Histogram, Histograms, LabelsRef, Sample};

/// `prometheus.WriteRequest`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) timeseries: Vec<TimeSeries>,
    /// `MetricMetadata`; we send none.
    #[prost(bytes = "bytes", repeated, tag = "3")]
    pub(super) metadata: Vec<Bytes>,
}

/// `prometheus.TimeSeries`
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(crate) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<WireSample>,
    /// `Exemplar`; we send none.
    #[prost(bytes = "bytes", repeated, tag = "3")]
    pub(super) exemplars: Vec<Bytes>,
    #[prost(message, repeated, tag = "4")]
    pub(super) histograms: Vec<WireHistogram>,
}

/// `prometheus.Label`. Texts are read as bytes: one that is no UTF-8 then costs its own series only.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Label {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) name: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) value: Bytes,
}

/// `prometheus.Sample`
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct WireSample {
    /// Absent when it is zero; minus zero is something else.
    #[prost(double, optional, tag = "1")]
    pub(super) value: Option<f64>,
    /// Milliseconds since the epoch.
    #[prost(int64, tag = "2")]
    pub(super) timestamp: i64,
}

/// `prometheus.Histogram`: whole counts as differences, others as they are.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WireHistogram {
    #[prost(uint64, optional, tag = "1")]
    pub(super) count_int: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(super) count_float: Option<f64>,
    #[prost(double, tag = "3")]
    pub(super) sum: f64,
    #[prost(sint32, tag = "4")]
    pub(super) schema: i32,
    #[prost(double, tag = "5")]
    pub(super) zero_threshold: f64,
    #[prost(uint64, optional, tag = "6")]
    pub(super) zero_count_int: Option<u64>,
    #[prost(double, optional, tag = "7")]
    pub(super) zero_count_float: Option<f64>,
    #[prost(message, repeated, tag = "8")]
    pub(super) negative_spans: Vec<WireSpan>,
    #[prost(sint64, repeated, tag = "9")]
    pub(super) negative_deltas: Vec<i64>,
    #[prost(double, repeated, tag = "10")]
    pub(super) negative_counts: Vec<f64>,
    #[prost(message, repeated, tag = "11")]
    pub(super) positive_spans: Vec<WireSpan>,
    #[prost(sint64, repeated, tag = "12")]
    pub(super) positive_deltas: Vec<i64>,
    #[prost(double, repeated, tag = "13")]
    pub(super) positive_counts: Vec<f64>,
    #[prost(int32, tag = "14")]
    pub(super) reset_hint: i32,
    /// Milliseconds since the epoch.
    #[prost(int64, tag = "15")]
    pub(super) timestamp: i64,
    #[prost(double, repeated, tag = "16")]
    pub(super) custom_values: Vec<f64>,
}

/// `prometheus.BucketSpan`
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct WireSpan {
    #[prost(sint32, tag = "1")]
    pub(super) offset: i32,
    #[prost(uint32, tag = "2")]
    pub(super) length: u32,
}

/// Up to here every whole number is one of its own.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

impl TimeSeries {
    /// A series without samples.
    pub(crate) fn of(labels: LabelsRef<'_>) -> Self {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let labels = labels.iter().map(|(name, value)| Label { name: bytes(name), value: bytes(value) });
        Self { labels: labels.collect(), ..Self::default() }
    }

    /// How series are sorted: by the names and values of their labels.
    pub(crate) fn by_labels(&self, other: &Self) -> std::cmp::Ordering {
        fn pairs(series: &TimeSeries) -> impl Iterator<Item = (&Bytes, &Bytes)> {
            series.labels.iter().map(|label| (&label.name, &label.value))
        }
        pairs(self).cmp(pairs(other))
    }

    /// Adds a sample: a number, or the histogram that it stands for. One that cannot be read is left out.
    pub(crate) fn push(&mut self, sample: Sample, histograms: &Histograms) {
        let Sample { time_ms, value } = sample;
        match histograms.of(value) {
            None => {
                let value = (value.to_bits() != 0).then_some(value);
                self.samples.push(WireSample { value, timestamp: time_ms });
            }
            Some(Ok(histogram)) => self.histograms.push(WireHistogram::of(&histogram, time_ms)),
            Some(Err(_)) => {}
        }
    }
}

/// Whether all counts of a histogram are whole and can be sent so: who reads whole counts checks that they add up; of
/// others nobody expects it.
pub(crate) fn has_whole_counts(histogram: &Histogram) -> bool {
    let is_whole = |count: &f64| *count >= 0.0 && *count < MAX_WHOLE && count.trunc() == *count;
    let all = histogram.positive.counts.iter().chain(&histogram.negative.counts);
    all.chain([&histogram.zero_count, &histogram.count]).all(is_whole)
        && histogram.check_whole_counts().is_ok()
}

impl WireHistogram {
    pub(super) fn of(histogram: &Histogram, time_ms: i64) -> Self {
        let all_whole = has_whole_counts(histogram);
        let whole = |count: f64| all_whole.then_some(count as u64);
        let fraction = |count: f64| (!all_whole).then_some(count);
        let spans = |side: &Buckets| {
            side.spans.iter().map(|span| WireSpan { offset: span.offset, length: span.length }).collect()
        };
        let deltas = |side: &Buckets| -> Vec<i64> {
            let mut before = 0;
            let counts = side.counts.iter().filter(|_| all_whole);
            counts.map(|count| *count as i64 - std::mem::replace(&mut before, *count as i64)).collect()
        };
        let counts = |side: &Buckets| if all_whole { Vec::new() } else { side.counts.clone() };
        Self {
            count_int: whole(histogram.count),
            count_float: fraction(histogram.count),
            sum: histogram.sum,
            schema: i32::from(histogram.schema),
            zero_threshold: histogram.zero_threshold,
            zero_count_int: whole(histogram.zero_count),
            zero_count_float: fraction(histogram.zero_count),
            negative_spans: spans(&histogram.negative),
            negative_deltas: deltas(&histogram.negative),
            negative_counts: counts(&histogram.negative),
            positive_spans: spans(&histogram.positive),
            positive_deltas: deltas(&histogram.positive),
            positive_counts: counts(&histogram.positive),
            reset_hint: match histogram.reset {
                ResetHint::Unknown => 0,
                ResetHint::Reset => 1,
                ResetHint::NotReset => 2,
                ResetHint::Gauge => 3,
            },
            timestamp: time_ms,
            custom_values: histogram.custom_bounds.clone(),
        }
    }
}
