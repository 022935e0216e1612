//! OpenTelemetry's protocol over HTTP: what an implementation that is not ours sends, compared with what is stored.

use std::io::Write;

use model::event::{Event, Flaw, Level, LogEvent, SpanEvent, SpanKind, SpanStatus};
use model::{ByteSize, TimeRange, Timestamp};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Point;
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event as WireEvent, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use reqwest::Method;
use serde::Serialize;
use serde_json::json;
use store::{EventScan, Table};
use testkit::protobuf::{Field, fields};

use crate::stage::{Stage, TOKEN};

/// An answer whose body need not be a text.
#[derive(Debug)]
struct Reply {
    status: u16,
    content_type: String,
    body: Vec<u8>,
}

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

async fn send(stage: &Stage, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
    let mut request = stage.request(Method::POST, path).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.expect("an answer");
    let header =
        |name: &str| response.headers().get(name).map(|value| value.to_str().expect("ASCII").to_owned());
    Reply {
        status: response.status().as_u16(),
        content_type: header("content-type").unwrap_or_default(),
        body: response.bytes().await.expect("a body").to_vec(),
    }
}

async fn send_protobuf(stage: &Stage, path: &str, message: &impl Message) -> Reply {
    send(stage, path, &[("Content-Type", PROTOBUF)], message.encode_to_vec()).await
}

async fn send_json(stage: &Stage, path: &str, message: &impl Serialize) -> Reply {
    let body = serde_json::to_vec(message).expect("any message can be written as JSON");
    send(stage, path, &[("Content-Type", JSON)], body).await
}

/// Asserts that all of a request was stored.
#[track_caller]
fn assert_all_stored(reply: &Reply, content_type: &str) {
    let nothing_to_say: &[u8] = if content_type == JSON { b"{}" } else { b"" };
    assert_eq!((reply.status, reply.content_type.as_str()), (200, content_type), "{reply:?}");
    assert_eq!(reply.body, nothing_to_say, "{}", String::from_utf8_lossy(&reply.body));
}

fn any(value: Any) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

fn text(value: &str) -> Any {
    Any::StringValue(value.to_owned())
}

fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: any(value), ..KeyValue::default() }
}

fn now_ns() -> u64 {
    Timestamp::now().as_nanos().unsigned_abs()
}

fn resource() -> Option<Resource> {
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

fn scope() -> Option<InstrumentationScope> {
    Some(InstrumentationScope {
        name: "lib".to_owned(),
        version: "0.1".to_owned(),
        attributes: vec![pair("s", text("t"))],
        ..InstrumentationScope::default()
    })
}

fn logs(log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let scope_logs = vec![ScopeLogs { scope: scope(), log_records, ..ScopeLogs::default() }];
    let group = ResourceLogs { resource: resource(), scope_logs, ..ResourceLogs::default() };
    ExportLogsServiceRequest { resource_logs: vec![group] }
}

fn traces(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { scope: scope(), spans, ..ScopeSpans::default() }];
    let group = ResourceSpans { resource: resource(), scope_spans, ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![group] }
}

fn metrics(metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    let scope_metrics = vec![ScopeMetrics { scope: scope(), metrics, ..ScopeMetrics::default() }];
    let group = ResourceMetrics { resource: resource(), scope_metrics, ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![group] }
}

async fn stored(stage: &Stage, table: Table) -> Vec<Event> {
    let store = std::sync::Arc::clone(&stage.store);
    let scan = EventScan::new(table, TimeRange::ALL, 1000);
    let batches = tokio::task::spawn_blocking(move || store.scan(&scan)).await.expect("no panic");
    let batches = batches.expect("a scan");
    batches.iter().flat_map(|rows| store::events_from_batch(table, rows).expect("rows")).collect()
}

async fn stored_logs(stage: &Stage) -> Vec<LogEvent> {
    let events = stored(stage, Table::Logs).await;
    events
        .into_iter()
        .filter_map(|event| if let Event::Log(log) = event { Some(*log) } else { None })
        .collect()
}

async fn stored_spans(stage: &Stage) -> Vec<SpanEvent> {
    let events = stored(stage, Table::Spans).await;
    events
        .into_iter()
        .filter_map(|event| if let Event::Span(span) = event { Some(*span) } else { None })
        .collect()
}

fn record(time: u64) -> LogRecord {
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

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_a_log_is_stored_field_by_field_from_either_encoding() {
    let time = now_ns();
    let mut found = Vec::new();
    for content_type in [PROTOBUF, JSON] {
        let stage = Stage::new().await;
        let request = logs(vec![record(time)]);
        let reply = if content_type == JSON {
            send_json(&stage, "/v1/logs", &request).await
        } else {
            send_protobuf(&stage, "/v1/logs", &request).await
        };
        assert_all_stored(&reply, content_type);
        found.push(stored_logs(&stage).await);
    }
    assert_eq!(found[0], found[1], "both encodings say the same");
    let [log] = &found[0][..] else { panic!("one record: {found:?}") };
    assert_eq!(
        (log.time.as_nanos() as u64, log.observed_time.map(|at| at.as_nanos() as u64)),
        (time, Some(time + 5))
    );
    assert_eq!(
        (log.level, log.severity_number, log.severity_text.as_deref()),
        (Some(Level::Warn), Some(13), Some("WARN"))
    );
    assert_eq!(
        (log.message.as_deref(), log.event_name.as_deref()),
        (Some("page 3 took long"), Some("page.slow"))
    );
    assert_eq!(log.trace_id.as_deref(), Some("ab".repeat(16).as_str()));
    assert_eq!((log.span_id.as_deref(), log.trace_flags), (Some("cd".repeat(8).as_str()), Some(1)));
    let attributes: Vec<(&str, &str)> =
        log.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(attributes, [("api_key", "[redacted:name]"), ("pages", "[3]"), ("ratio", "0.5")]);
    assert_eq!((log.dropped_attributes, log.flaws.is_empty()), (Some(2), true));
    let conventions = &log.conventions;
    assert_eq!(
        (conventions.job_id.as_deref(), conventions.http_method.as_deref()),
        (Some("j1"), Some("POST"))
    );
    assert_eq!(
        (conventions.http_status_code, conventions.exception_stacktrace.as_deref()),
        (Some(503), Some("at line 1"))
    );
    let origin = &log.origin;
    assert_eq!((origin.service.as_deref(), origin.service_namespace.as_deref()), (Some("ocr"), Some("docs")));
    assert_eq!(
        (origin.service_version.as_deref(), origin.service_instance_id.as_deref()),
        (Some("1.2"), Some("i-1"))
    );
    assert_eq!(
        (origin.environment.as_deref(), origin.host.as_deref(), origin.pid),
        (Some("production"), Some("gpu-1"), Some(42))
    );
    assert_eq!((origin.scope_name.as_deref(), origin.scope_version.as_deref()), (Some("lib"), Some("0.1")));
    assert_eq!(origin.resource_attributes, [("os.type".to_owned(), "linux".to_owned())].into());
    assert_eq!(origin.scope_attributes, [("s".to_owned(), "t".to_owned())].into());
    assert_eq!(origin.dropped_resource_attributes, Some(1));
}

fn span(start: u64, id: u8) -> Span {
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
        events: vec![WireEvent {
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

#[tokio::test(flavor = "multi_thread")]
async fn a_span_is_stored_field_by_field_and_once_however_it_is_sent() {
    let (stage, start) = (Stage::new().await, now_ns());
    let request = traces(vec![span(start, 5)]);
    assert_all_stored(&send_protobuf(&stage, "/v1/traces", &request).await, PROTOBUF);
    assert_all_stored(&send_json(&stage, "/v1/traces", &request).await, JSON);
    let spans = stored_spans(&stage).await;
    let [span] = &spans[..] else { panic!("one span: {spans:?}") };
    assert_eq!((span.time.as_nanos() as u64, span.duration_ns), (start, 1_000_000_007));
    assert_eq!(
        (span.trace_id.as_str(), span.span_id.as_str()),
        ("01".repeat(16).as_str(), "05".repeat(8).as_str())
    );
    assert_eq!(
        (span.parent_span_id.as_deref(), span.name.as_str()),
        (Some("0909090909090909"), "chat llama")
    );
    assert_eq!(
        (span.kind, span.status, span.status_message.as_deref()),
        (SpanKind::Client, SpanStatus::Error, Some("timed out"))
    );
    assert_eq!((span.trace_flags, span.trace_state.as_deref()), (Some(0x101), Some("a=b")));
    assert_eq!((span.events.len(), span.dropped_events), (1, Some(4)));
    assert_eq!(span.events[0].time.map(|at| at.as_nanos() as u64), Some(start + 3));
    assert_eq!(span.links[0].span_id.as_deref(), Some("03".repeat(8).as_str()));
    let conventions = &span.conventions;
    assert_eq!(conventions.gen_ai_provider.as_deref(), Some("ollama"));
    assert_eq!((conventions.gen_ai_input_tokens, conventions.gen_ai_output_tokens), (Some(11), Some(7)));
    assert_eq!(conventions.messaging_destination.as_deref(), Some("ocr"));
    assert_eq!(conventions.exception_type.as_deref(), Some("Timeout"));
    assert!(span.attributes.is_empty() && span.flaws.is_empty(), "{span:?}");
    assert_eq!(span.origin.service.as_deref(), Some("ocr"));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("written to memory");
    packed.finish().expect("packed")
}

#[tokio::test(flavor = "multi_thread")]
async fn packed_bodies_are_taken_and_bombs_stop_at_the_limit() {
    let stage = Stage::with(|config| config.max_decompressed_body = ByteSize(1 << 20)).await;
    let body = logs(vec![record(now_ns())]).encode_to_vec();
    let zstd = |bytes: &[u8]| zstd::bulk::compress(bytes, 1).expect("packed");
    for (packing, packed) in [("gzip", gzip(&body)), ("zstd", zstd(&body)), ("identity", body.clone())] {
        let headers = [("Content-Type", PROTOBUF), ("Content-Encoding", packing)];
        assert_all_stored(&send(&stage, "/v1/logs", &headers, packed).await, PROTOBUF);
    }
    assert_eq!(
        stored_logs(&stage).await.len(),
        3,
        "records without an id are stored as often as they are sent"
    );
    let bomb = vec![0; 8 << 20];
    for (packing, packed) in [("gzip", gzip(&bomb)), ("zstd", zstd(&bomb))] {
        let headers = [("Content-Type", JSON), ("Content-Encoding", packing)];
        let reply = send(&stage, "/v1/logs", &headers, packed).await;
        assert_eq!((reply.status, reply.content_type.as_str()), (413, JSON), "{packing}: {reply:?}");
    }
}

/// Code and message of a `google.rpc.Status`.
#[track_caller]
fn status_of(reply: &Reply, content_type: &str) -> (u64, String) {
    assert_eq!(reply.content_type, content_type, "{reply:?}");
    if content_type == JSON {
        let status: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
        return (
            status["code"].as_u64().expect("a code"),
            status["message"].as_str().expect("a message").to_owned(),
        );
    }
    let all = fields(&reply.body);
    let (Some((1, Field::Number(code))), Some((2, Field::Bytes(message)))) = (all.first(), all.get(1)) else {
        panic!("no status: {all:?}");
    };
    (*code, String::from_utf8(message.clone()).expect("a text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_as_a_status_in_the_encoding_of_the_request_and_nothing_is_stored() {
    let stage = Stage::with(|config| config.max_ingest_body = ByteSize(10_000)).await;
    let good = logs(vec![record(now_ns())]).encode_to_vec();
    for path in ["/v1/logs", "/v1/traces", "/v1/metrics"] {
        for content_type in [PROTOBUF, JSON] {
            let headers = [("Content-Type", content_type)];
            let mut broken =
                if content_type == JSON { b"{\"resourceLogs\": [".to_vec() } else { good.clone() };
            broken.truncate(broken.len() - 1);
            let wrong = send(&stage, path, &headers, broken).await;
            assert_eq!(wrong.status, 400, "{path} {content_type}: {wrong:?}");
            let (code, message) = status_of(&wrong, content_type);
            assert!(code == 3 && message.starts_with("Nothing was stored"), "{code} {message}");
            let large = send(&stage, path, &headers, vec![b' '; 20_000]).await;
            assert_eq!((large.status, status_of(&large, content_type).0), (413, 8));
            let packed = [("Content-Type", content_type), ("Content-Encoding", "gzip")];
            let unpacked = send(&stage, path, &packed, b"plain".to_vec()).await;
            assert_eq!((unpacked.status, status_of(&unpacked, content_type).0), (400, 3));
            let unknown = [("Content-Type", content_type), ("Content-Encoding", "br")];
            let refused = send(&stage, path, &unknown, good.clone()).await;
            assert_eq!((refused.status, status_of(&refused, content_type).0), (415, 3));
        }
        let other = send(&stage, path, &[("Content-Type", "text/plain")], good.clone()).await;
        assert_eq!((other.status, status_of(&other, JSON).0), (415, 3));
        let asked = stage.local(Method::GET, path).send().await.expect("an answer");
        assert_eq!(asked.status().as_u16(), 405);
    }
    assert!(stored_logs(&stage).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_asked_for_where_ingest_is_not_open_and_the_gate_speaks_the_protocol_too() {
    let stage = Stage::with(|config| config.open_loopback_ingest = false).await;
    let body = logs(vec![record(now_ns())]).encode_to_vec();
    let refused = send(&stage, "/v1/logs", &[("Content-Type", PROTOBUF)], body.clone()).await;
    assert_eq!((refused.status, status_of(&refused, PROTOBUF).0), (401, 16));
    let reading = stage.key(&[state::Scope::Read]).await;
    let headers = [("Content-Type", PROTOBUF), ("X-API-Key", reading.as_str())];
    let forbidden = send(&stage, "/v1/logs", &headers, body.clone()).await;
    assert_eq!((forbidden.status, status_of(&forbidden, PROTOBUF).0), (403, 7));
    let key = stage.key(&[state::Scope::Ingest]).await;
    for authorization in [format!("Bearer {key}"), format!("Bearer {TOKEN}")] {
        let headers = [("Content-Type", PROTOBUF), ("Authorization", authorization.as_str())];
        assert_all_stored(&send(&stage, "/v1/logs", &headers, body.clone()).await, PROTOBUF);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_busy_is_told_with_a_delay_in_the_header_and_in_the_status() {
    let stage = Stage::with(|config| config.request_timeout.0 = std::time::Duration::from_millis(100)).await;
    let request = stage.request(Method::POST, "/v1/logs").header("Content-Type", JSON).body(endless_body());
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 503);
    assert_eq!(response.headers().get("retry-after").map(|value| value.as_bytes()), Some(&b"1"[..]));
    let status: serde_json::Value =
        serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON");
    assert_eq!(
        (status["code"].as_u64(), status["details"][0]["retryDelay"].as_str()),
        (Some(14), Some("1s"))
    );
}

/// A body of which nothing comes for as long as anybody waits.
fn endless_body() -> reqwest::Body {
    reqwest::Body::wrap_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_kept_is_counted_in_a_partial_success_and_what_can_is_marked() {
    let (stage, now) = (Stage::new().await, now_ns());
    let hour = 3_600_000_000_000;
    let records = vec![
        LogRecord { trace_id: vec![0; 16], span_id: vec![1; 3], ..record(now) },
        LogRecord { time_unix_nano: 0, observed_time_unix_nano: 0, ..record(now) },
        record(now + hour),
        LogRecord { time_unix_nano: u64::MAX, ..record(now) },
        LogRecord { body: any(text(&"x".repeat(20_000))), ..record(now) },
    ];
    let reply = send_json(&stage, "/v1/logs", &logs(records)).await;
    assert_eq!((reply.status, reply.content_type.as_str()), (200, JSON));
    let said: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(said["partialSuccess"]["rejectedLogRecords"], "2", "{said}");
    let message = said["partialSuccess"]["errorMessage"].as_str().expect("a message");
    assert!(message.contains("in the future") && message.contains("2262"), "{message}");
    let mut kept = stored_logs(&stage).await;
    kept.sort_by_key(|log| log.flaws.to_string());
    let flaws: Vec<String> = kept.iter().map(|log| log.flaws.to_string()).collect();
    assert_eq!(flaws, ["text_cut", "time_missing", "trace_id_invalid,span_id_invalid"]);
    assert!(
        kept[0].flaws.contains(Flaw::Text)
            && kept[0].message.as_ref().is_some_and(|text| text.ends_with('…'))
    );

    let nameless = Span { span_id: vec![0; 8], ..span(now, 1) };
    let reply = send_protobuf(&stage, "/v1/traces", &traces(vec![nameless, span(now, 2)])).await;
    assert_eq!(reply.status, 200);
    let said = fields(&reply.body);
    let [(1, Field::Bytes(partial))] = &said[..] else { panic!("no partial success: {reply:?}") };
    let partial = fields(partial);
    assert_eq!(partial[0], (1, Field::Number(1)));
    assert!(
        matches!(&partial[1], (2, Field::Bytes(text)) if String::from_utf8_lossy(text).contains("span id"))
    );
    assert_eq!(stored_spans(&stage).await.len(), 1);
}

fn point(time: u64, start: u64, value: f64) -> NumberDataPoint {
    NumberDataPoint {
        attributes: vec![pair("queue.name", text("ocr"))],
        time_unix_nano: time,
        start_time_unix_nano: start,
        value: Some(Point::AsDouble(value)),
        ..NumberDataPoint::default()
    }
}

fn metric(name: &str, unit: &str, data: Data) -> Metric {
    Metric { name: name.to_owned(), unit: unit.to_owned(), data: Some(data), ..Metric::default() }
}

fn counter(temporality: i32, data_points: Vec<NumberDataPoint>) -> Metric {
    let sum = Sum { data_points, aggregation_temporality: temporality, is_monotonic: true };
    metric("jobs.done", "{job}", Data::Sum(sum))
}

const SECOND: u64 = 1_000_000_000;
const DELTA: i32 = 1;
const CUMULATIVE: i32 = 2;

/// The values that a query finds, with their labels.
async fn query(stage: &Stage, query: &str) -> serde_json::Value {
    let query = crate::stage::encoded(&[("query", query)]);
    let answered = stage.get(&format!("/prometheus/api/v1/query?{query}")).await;
    assert_eq!(answered.body["status"], "success", "{answered:?}");
    answered.body["data"]["result"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_become_series_with_the_names_that_prometheus_gives_them() {
    let stage = Stage::with(|config| {
        config.otlp.promote_resource_attributes = vec!["host.name".to_owned()];
        config.otlp.scope_labels = true;
    })
    .await;
    let now = now_ns();
    let histogram = HistogramDataPoint {
        time_unix_nano: now,
        count: 3,
        sum: Some(1.5),
        explicit_bounds: vec![1.0],
        bucket_counts: vec![2, 1],
        ..HistogramDataPoint::default()
    };
    let histogram = Histogram { data_points: vec![histogram], aggregation_temporality: CUMULATIVE };
    let nothing = NumberDataPoint { value: None, ..point(now, 0, 0.0) };
    let request = metrics(vec![
        metric("queue.depth", "1", Data::Gauge(Gauge { data_points: vec![point(now, 0, 7.0), nothing] })),
        counter(CUMULATIVE, vec![point(now, now - 60 * SECOND, 5.0)]),
        metric("job.duration", "s", Data::Histogram(histogram)),
    ]);
    let reply = send_json(&stage, "/v1/metrics", &request).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let said: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(said["partialSuccess"]["rejectedDataPoints"], "1", "{said}");
    let found = query(&stage, "queue_depth_ratio").await;
    let labels = json!({ "__name__": "queue_depth_ratio", "job": "docs/ocr", "instance": "i-1", "host_name": "gpu-1",
        "queue_name": "ocr", "otel_scope_name": "lib", "otel_scope_version": "0.1", "otel_scope_s": "t" });
    assert_eq!((&found[0]["metric"], &found[0]["value"][1]), (&labels, &json!("7")));
    assert_eq!(query(&stage, "jobs_done_total").await[0]["value"][1], "5");
    assert_eq!(query(&stage, "job_duration_seconds_bucket{le=\"1\"}").await[0]["value"][1], "2");
    assert_eq!(query(&stage, "job_duration_seconds_count").await[0]["value"][1], "3");
    assert_eq!(query(&stage, "target_info").await[0]["metric"]["os_type"], "linux");
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_are_added_up_and_what_is_sent_again_is_not_added_twice() {
    let (stage, now) = (Stage::new().await, now_ns());
    let at = |ago: u64| now - ago * SECOND;
    let parts = [point(at(30), at(40), 2.0), point(at(20), at(30), 3.0), point(at(10), at(20), 4.0)];
    for part in &parts {
        let request = metrics(vec![counter(DELTA, vec![part.clone()])]);
        for _ in 0..2 {
            assert_all_stored(&send_protobuf(&stage, "/v1/metrics", &request).await, PROTOBUF);
        }
    }
    let found = query(&stage, "jobs_done_total[1m]").await;
    let values: Vec<&str> = found[0]["values"]
        .as_array()
        .expect("values")
        .iter()
        .map(|pair| pair[1].as_str().expect("text"))
        .collect();
    assert_eq!(values, ["2", "5", "9"]);
    let late = metrics(vec![counter(DELTA, vec![point(at(25), at(30), 1.0)])]);
    let reply = send_json(&stage, "/v1/metrics", &late).await;
    let said: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(said["partialSuccess"]["rejectedDataPoints"], "1", "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_can_be_kept_as_they_are_sent_and_resources_need_not_be_described() {
    let stage = Stage::with(|config| {
        config.otlp.names = server::OtlpNames::Utf8;
        config.otlp.target_info = false;
    })
    .await;
    let gauge = Gauge { data_points: vec![point(now_ns(), 0, 7.0)] };
    let request = metrics(vec![metric("queue.depth", "", Data::Gauge(gauge))]);
    assert_all_stored(&send_protobuf(&stage, "/v1/metrics", &request).await, PROTOBUF);
    assert_eq!(query(&stage, "{\"queue.depth\"}").await[0]["metric"]["queue.name"], "ocr");
    assert_eq!(query(&stage, "target_info").await, json!([]));
}
