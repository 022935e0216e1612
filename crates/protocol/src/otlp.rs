//! OpenTelemetry's protocol (OTLP 1.x): export requests of logs, traces and metrics in protobuf and in JSON, and what
//! is answered to them.
//!
//! A request is not built in memory: it is read once, and a sink hears its resources, scopes and records one by one,
//! the same from either encoding. A request is taken whole or not at all: an error says where in it something is
//! wrong. Start reading at [`decode_logs`] and [`LogSink`]; records and spans become events in [`rows`], metrics
//! become samples in [`samples`].

pub mod answer;
mod bounds;
mod error;
mod ids;
mod json;
mod logs;
mod metrics;
pub mod names;
mod protobuf;
mod reasons;
mod resource;
pub mod rows;
pub mod samples;
mod time;
mod traces;
mod value;

#[cfg(test)]
mod tests;

pub use crate::wire::Malformed;
pub use bounds::{Beyond, MAX_DEPTH, MAX_VALUES};
pub use error::{Fault, OtlpError};
pub use ids::{Id, SpanId, TraceId};
pub use logs::{LogRecord, LogSink};
pub use metrics::{
    ExponentialBuckets, ExponentialHistogramPoint, HistogramPoint, Metric, MetricData, MetricSink, Number,
    NumberPoint, PointExemplar, PointFlags, Quantile, SummaryPoint, Temporality,
};
pub use reasons::Reasons;
pub use resource::{Resource, Scope, Sink};
pub use time::UnixNanos;
pub use traces::{Span, SpanEvent, SpanLink, SpanSink, SpanStatus};
pub use value::{AnyValue, KeyValue, attribute};

/// How requests and answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// `application/x-protobuf`, and over gRPC.
    Protobuf,
    /// `application/json`
    Json,
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Records of logs.
    Logs,
    /// Spans of traces.
    Traces,
    /// Points of metrics.
    Metrics,
}

/// Takes an `ExportLogsServiceRequest` apart.
pub fn decode_logs(encoding: Encoding, body: &[u8], sink: &mut impl LogSink) -> Result<(), OtlpError> {
    match encoding {
        Encoding::Protobuf => protobuf::decode_logs(body, sink),
        Encoding::Json => json::decode_logs(body, sink),
    }
}

/// Takes an `ExportTraceServiceRequest` apart.
pub fn decode_traces(encoding: Encoding, body: &[u8], sink: &mut impl SpanSink) -> Result<(), OtlpError> {
    match encoding {
        Encoding::Protobuf => protobuf::decode_traces(body, sink),
        Encoding::Json => json::decode_traces(body, sink),
    }
}

/// Takes an `ExportMetricsServiceRequest` apart.
pub fn decode_metrics(encoding: Encoding, body: &[u8], sink: &mut impl MetricSink) -> Result<(), OtlpError> {
    match encoding {
        Encoding::Protobuf => protobuf::decode_metrics(body, sink),
        Encoding::Json => json::decode_metrics(body, sink),
    }
}
