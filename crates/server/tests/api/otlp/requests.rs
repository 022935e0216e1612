//! Requests as `opentelemetry-proto` has them.

use model::Timestamp;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

pub(super) fn any(value: Any) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

pub(super) fn text(value: &str) -> Any {
    Any::StringValue(value.to_owned())
}

pub(super) fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: any(value), ..KeyValue::default() }
}

pub(super) fn now_ns() -> u64 {
    Timestamp::now().as_nanos().unsigned_abs()
}

pub(super) fn resource() -> Option<Resource> {
    let attributes = vec![
        pair("service.name", text("ocr")),
        pair("service.namespace", text("docs")),
        pair("service.version", text("1.2")),
        pair("service.instance.id", text("i-1")),
        pair("deployment.environment.name", text("production")),
        pair("host.name", text("gpu-1")),
        pair("process.pid", Any::IntValue(42)),
        pair("os.type", text("linux")),
    ];
    Some(Resource { attributes, dropped_attributes_count: 1, ..Resource::default() })
}

pub(super) fn scope() -> Option<InstrumentationScope> {
    Some(InstrumentationScope {
        name: "lib".to_owned(),
        version: "0.1".to_owned(),
        attributes: vec![pair("s", text("t"))],
        ..InstrumentationScope::default()
    })
}

pub(super) fn logs(log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let scope_logs = vec![ScopeLogs { scope: scope(), log_records, ..ScopeLogs::default() }];
    let group = ResourceLogs { resource: resource(), scope_logs, ..ResourceLogs::default() };
    ExportLogsServiceRequest { resource_logs: vec![group] }
}

pub(super) fn traces(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { scope: scope(), spans, ..ScopeSpans::default() }];
    let group = ResourceSpans { resource: resource(), scope_spans, ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![group] }
}

pub(super) fn metrics(metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    let scope_metrics = vec![ScopeMetrics { scope: scope(), metrics, ..ScopeMetrics::default() }];
    let group = ResourceMetrics { resource: resource(), scope_metrics, ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![group] }
}

pub(super) fn record(time: u64) -> LogRecord {
    LogRecord {
        time_unix_nano: time,
        observed_time_unix_nano: time + 5,
        severity_number: 13,
        severity_text: "WARN".to_owned(),
        body: any(text("page 3 took long")),
        attributes: vec![
            pair("job_id", text("j1")),
            pair("http.method", text("POST")),
            pair("http.response.status_code", Any::IntValue(503)),
            pair("exception.stacktrace", text("at line 1")),
            pair(
                "pages",
                Any::ArrayValue(ArrayValue { values: vec![AnyValue { value: Some(Any::IntValue(3)) }] }),
            ),
            pair("ratio", Any::DoubleValue(0.5)),
            pair("api_key", text("hunter22")),
        ],
        dropped_attributes_count: 2,
        flags: 1,
        trace_id: vec![0xab; 16],
        span_id: vec![0xcd; 8],
        event_name: "page.slow".to_owned(),
    }
}

pub(super) fn span(start: u64, id: u8) -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![id; 8],
        parent_span_id: vec![9; 8],
        trace_state: "a=b".to_owned(),
        flags: 0x101,
        name: "chat llama".to_owned(),
        kind: 3,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 1_000_000_007,
        attributes: vec![
            pair("gen_ai.system", text("ollama")),
            pair("gen_ai.request.model", text("llama")),
            pair("gen_ai.usage.prompt_tokens", Any::IntValue(11)),
            pair("gen_ai.usage.output_tokens", Any::IntValue(7)),
            pair("messaging.destination", text("ocr")),
        ],
        events: vec![Event {
            time_unix_nano: start + 3,
            name: "exception".to_owned(),
            attributes: vec![pair("exception.type", text("Timeout"))],
            dropped_attributes_count: 0,
        }],
        links: vec![Link { trace_id: vec![2; 16], span_id: vec![3; 8], ..Link::default() }],
        status: Some(Status { code: 2, message: "timed out".to_owned() }),
        dropped_events_count: 4,
        ..Span::default()
    }
}
