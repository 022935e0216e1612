//! The protobuf messages as they are sent; what comes in is read by [`crate::wire`], without them. Field numbers are those of `prompb`
//! (<https://prometheus.io/docs/specs/prw/remote_write_spec/>).

use bytes::Bytes;

/// `prometheus.WriteRequest`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) timeseries: Vec<TimeSeries>,
    /// `MetricMetadata`, only counted.
    #[prost(bytes = "bytes", repeated, tag = "3")]
    pub(super) metadata: Vec<Bytes>,
}

/// `prometheus.TimeSeries`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<WireSample>,
    /// `Exemplar`, only counted.
    #[prost(bytes = "bytes", repeated, tag = "3")]
    pub(super) exemplars: Vec<Bytes>,
    /// `Histogram`, only counted.
    #[prost(bytes = "bytes", repeated, tag = "4")]
    pub(super) histograms: Vec<Bytes>,
}

/// `prometheus.Label`. Texts are read as bytes: one that is no UTF-8 then costs its own series only.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Label {
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
