//! OpenTelemetry's protocol over HTTP and gRPC: what an implementation that is not ours sends, compared with what is stored.

mod grpc;
mod metrics;
mod pressure;
mod refusals;
mod requests;

use model::TimeRange;
use model::event::{Event, Level, LogEvent, SpanEvent, SpanKind, SpanStatus};
use prost::Message;
use reqwest::Method;
use serde::Serialize;
use store::{EventScan, Table};

use crate::stage::Stage;
use requests::{logs, now_ns, record, span, traces};

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
