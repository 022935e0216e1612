//! What is not taken, and how that is told.

use std::io::Write;

use model::ByteSize;
use model::event::Flaw;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use reqwest::Method;
use testkit::protobuf::{Field, fields};

use super::requests::{any, logs, now_ns, record, span, text, traces};
use super::{
    JSON, PROTOBUF, Reply, assert_all_stored, send, send_json, send_protobuf, stored_logs, stored_spans,
};
use crate::stage::{Stage, TOKEN};

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
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
    assert_eq!(
        response.headers().get("retry-after").map(reqwest::header::HeaderValue::as_bytes),
        Some(&b"1"[..])
    );
    let status: serde_json::Value =
        serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON");
    assert_eq!(
        (status["code"].as_u64(), status["details"][0]["retryDelay"].as_str()),
        (Some(14), Some("1s"))
    );
}

/// A body of which nothing comes for as long as anybody waits.
pub(super) fn endless_body() -> reqwest::Body {
    reqwest::Body::wrap_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_nested_too_deep_or_of_no_time_costs_those_beside_it_nothing() {
    let (stage, now) = (Stage::new().await, now_ns());
    let deep = format!("{}{}", r#"{"arrayValue":{"values":["#.repeat(25), "]}}".repeat(25));
    let records = format!(
        r#"{{"timeUnixNano":"{now}","body":{deep}}},{{"timeUnixNano":-5}},{{"timeUnixNano":"abc"}},{{"timeUnixNano":"{now}","severityNumber":1e12,"body":{{"stringValue":"fine"}}}}"#
    );
    let body = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}"#);
    let reply = send(&stage, "/v1/logs", &[("Content-Type", JSON)], body.into_bytes()).await;
    assert_eq!(reply.status, 200);
    let said: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(said["partialSuccess"]["rejectedLogRecords"], "2", "{said}");
    let mut flaws: Vec<String> = stored_logs(&stage).await.iter().map(|log| log.flaws.to_string()).collect();
    flaws.sort();
    assert_eq!(flaws, ["depth_cut", "severity_invalid"]);
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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_the_memory_of_a_request_is_told_and_counted_as_too_large() {
    let stage = Stage::with(|config| config.otlp.max_request_memory = ByteSize(20_000)).await;
    let reply = send_json(&stage, "/v1/logs", &logs(vec![record(now_ns()); 50])).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let said: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    let rejected: usize =
        said["partialSuccess"]["rejectedLogRecords"].as_str().expect("a number").parse().expect("a number");
    let message = said["partialSuccess"]["errorMessage"].as_str().expect("a message");
    assert!(message.contains("more than 20000 bytes"), "{message}");
    let stored = stored_logs(&stage).await.len();
    assert!(stored > 0 && rejected > 0 && stored + rejected == 50, "{stored} {rejected}");
    let metrics = stage.get("/metrics").await.text;
    let counted = format!(
        r#"watchkeeper_ingest_refused_total{{kind="event",reason="too_large",source="otlp_logs"}} {rejected}"#
    );
    assert!(metrics.lines().any(|line| line == counted), "{metrics}");
    assert!(!metrics.contains(r#"reason="malformed",source="otlp_logs""#), "{metrics}");
}
