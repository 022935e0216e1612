//! Loki's push API: what shippers send, and how they are told what is wrong.

use std::io::Write;

use flate2::Compression;
use model::event::{Event, Level, LogEvent};
use model::{ByteSize, TimeRange, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use store::{EventScan, Table};
use testkit::protobuf::Message;

use crate::stage::{Answer, Stage, TOKEN, answer, encoded};

const PUSH: &str = "/loki/api/v1/push";
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// Packs a body.
type Pack = fn(&[u8]) -> Vec<u8>;
/// Headers, a body, and the status and the words that they are refused with.
type Case<'c> = (&'c [(&'c str, &'c str)], Vec<u8>, u16, &'c str);

async fn push(stage: &Stage, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let request = stage.request(Method::POST, PUSH).body(body);
    answer(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

async fn push_json(stage: &Stage, body: &Value) -> Answer {
    push(stage, &[("Content-Type", JSON)], body.to_string().into_bytes()).await
}

/// Asserts that all of a request was stored.
#[track_caller]
fn assert_stored(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""), "{answer:?}");
}

/// Asserts that a request was refused with plain text, and gives it.
#[track_caller]
fn refusal(answer: &Answer, status: u16) -> &str {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8", "{answer:?}");
    assert!(!answer.text.trim().is_empty());
    &answer.text
}

async fn stored(stage: &Stage) -> Vec<LogEvent> {
    let store = std::sync::Arc::clone(&stage.store);
    let scan = EventScan::new(Table::Logs, TimeRange::ALL, 1000);
    let batches =
        tokio::task::spawn_blocking(move || store.scan(&scan)).await.expect("no panic").expect("a scan");
    let events = batches.iter().flat_map(|rows| store::events_from_batch(Table::Logs, rows).expect("rows"));
    events.filter_map(|event| if let Event::Log(log) = event { Some(*log) } else { None }).collect()
}

async fn messages(stage: &Stage) -> Vec<String> {
    let mut all: Vec<String> = stored(stage).await.into_iter().filter_map(|log| log.message).collect();
    all.sort();
    all
}

fn now() -> i64 {
    Timestamp::now().as_nanos()
}

fn lines(time: i64, lines: &[&str]) -> Value {
    let values: Vec<Value> = lines.iter().map(|line| json!([time.to_string(), line])).collect();
    json!({ "streams": [{ "stream": { "job": "docs/ocr", "level": "warning" }, "values": values }] })
}

fn message(time: i64, line: &str) -> Message {
    let stamp = Message::new()
        .number(1, (time / 1_000_000_000).cast_unsigned())
        .number(2, (time % 1_000_000_000).cast_unsigned());
    let metadata = Message::new().text(1, "trace_id").text(2, "4bf92f3577b34da6a3ce929d0e0e4736");
    let entry = Message::new().message(1, &stamp).text(2, line).message(3, &metadata);
    let stream = Message::new().text(1, "{job=\"docs/ocr\", host=\"gpu-1\"}").message(2, &entry);
    Message::new().message(1, &stream)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).expect("written to memory");
    packed.finish().expect("packed")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).expect("written to memory");
    packed.finish().expect("packed")
}

fn bare(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).expect("written to memory");
    packed.finish().expect("packed")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 1).expect("packed")
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_stored_with_what_their_labels_say_and_secrets_are_redacted() {
    let (stage, time) = (Stage::new().await, now());
    let secret = "login with password=hunter2secret failed";
    let headers = [("Content-Type", JSON), ("X-Scope-OrgID", "acme")];
    assert_stored(&push(&stage, &headers, lines(time, &[secret]).to_string().into_bytes()).await);
    let found = stored(&stage).await;
    let [log] = &found[..] else { panic!("one line: {found:?}") };
    assert_eq!((log.time.as_nanos(), log.level), (time, Some(Level::Warn)));
    assert_eq!(log.origin.service.as_deref(), Some("docs/ocr"));
    assert_eq!(log.conventions.tenant.as_deref(), Some("acme"));
    let message = log.message.as_deref().expect("a message");
    assert!(message.starts_with("login with") && !message.contains("hunter2"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_says_its_level_itself_and_is_read_as_it_was_sent_under_the_names_that_it_shows() {
    let (stage, time) = (Stage::new().await, now());
    let sent = "{\"level\":\"error\",  \"msg\":\"lost\",\"app\":\"viewer\"}";
    let stream = json!({ "job": "docs/ocr", "service_name": "ocr" });
    let body = json!({ "streams": [{ "stream": stream, "values": [[time.to_string(), sent]] }] });
    assert_stored(&push_json(&stage, &body).await);
    for query in [
        "{level=\"error\"}",
        "{service_name=\"ocr\"} | detected_level=`error` | app=`viewer`",
        "{job=\"docs/ocr\"}",
    ] {
        let path = format!("/loki/api/v1/query_range?{}", encoded(&[("query", query)]));
        let request = stage.local(Method::GET, &path);
        let found = answer(request.header("X-Loki-Response-Encoding-Flags", "categorize-labels")).await;
        let stream = &found.body["data"]["result"][0];
        assert_eq!(
            stream["stream"],
            json!({ "level": "error", "service_name": "ocr" }),
            "{query}: {found:?}"
        );
        let value = &stream["values"][0];
        let facts = json!({ "structuredMetadata": { "app": "viewer", "job": "docs/ocr" } });
        assert_eq!((&value[1], &value[2]), (&json!(sent), &facts), "{query}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_a_stream_whose_label_marks_it_are_audited_and_shown_with_their_category() {
    let (stage, time) = (Stage::new().await, now());
    let stream = json!({ "service_name": "gateway", "category": "audit" });
    let body = json!({ "streams": [{ "stream": stream, "values": [[time.to_string(), "ann went in"]] }] });
    assert_stored(&push_json(&stage, &body).await);
    assert_eq!(stored(&stage).await.len(), 0, "it is no row of `logs`");
    let found = stage.get("/api/v1/logs?q=category:audit").await;
    let shown = &found.body["items"][0];
    assert_eq!(
        (&shown["message"], &shown["category"]),
        (&json!("ann went in"), &json!("audit")),
        "{found:?}"
    );
    assert_eq!(shown["origin"]["service"], "gateway", "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_that_shippers_send_is_taken() {
    let (stage, time) = (Stage::new().await, now());
    let packings: [(Option<&str>, Pack); 5] = [
        (None, <[u8]>::to_vec),
        (Some("gzip"), gzip),
        (Some("deflate"), bare),
        (Some("deflate"), zlib),
        (Some("zstd"), zstd),
    ];
    let mut sent = Vec::new();
    for (place, (encoding, pack)) in packings.into_iter().enumerate() {
        let (json_line, protobuf_line) = (format!("json {place}"), format!("protobuf {place}"));
        let bodies = [
            (JSON, lines(time, &[&json_line]).to_string().into_bytes()),
            (PROTOBUF, message(time, &protobuf_line).snappy()),
        ];
        for (content_type, body) in bodies {
            let mut headers = vec![("Content-Type", content_type)];
            headers.extend(encoding.map(|encoding| ("Content-Encoding", encoding)));
            assert_stored(&push(&stage, &headers, pack(&body)).await);
        }
        sent.extend([json_line, protobuf_line]);
    }
    // As Go's shippers say what they have packed anyway, and as those do that name no type.
    let said = [("Content-Type", PROTOBUF), ("Content-Encoding", "snappy")];
    assert_stored(&push(&stage, &said, message(time, "said").snappy()).await);
    assert_stored(&push(&stage, &[], message(time, "unsaid").snappy()).await);
    sent.extend(["said".to_owned(), "unsaid".to_owned()]);
    sent.sort();
    assert_eq!(messages(&stage).await, sent);
    let found = stored(&stage).await;
    let of_protobuf = found.iter().find(|log| log.message.as_deref() == Some("said")).expect("a line");
    assert_eq!(of_protobuf.origin.host.as_deref(), Some("gpu-1"));
    assert_eq!(of_protobuf.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_again_is_stored_once_and_lines_of_one_time_are_all_kept() {
    let stage = Stage::new().await;
    let body = lines(now(), &["same", "same", "other"]);
    for _ in 0..3 {
        assert_stored(&push_json(&stage, &body).await);
    }
    assert_eq!(messages(&stage).await, ["other", "same", "same"]);
    assert_stored(&push_json(&stage, &json!({ "streams": [] })).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_in_plain_text_and_nothing_is_stored() {
    let stage = Stage::with(|config| config.max_ingest_body = ByteSize(10_000)).await;
    let json = |text: &str| text.as_bytes().to_vec();
    let good = message(now(), "good").snappy();
    let cases: [Case<'_>; 7] = [
        (&[("Content-Type", JSON)], json("{\"streams\":["), 400, "Nothing was stored"),
        (
            &[("Content-Type", JSON)],
            json("{\"streams\":[{\"values\":[[\"1\"]]}]}"),
            400,
            "streams[0].values[0]",
        ),
        (&[("Content-Type", JSON), ("Content-Encoding", "gzip")], json("{}"), 400, "as its header says"),
        (&[("Content-Type", JSON), ("Content-Encoding", "br")], json("{}"), 400, "deflate"),
        (&[("Content-Type", PROTOBUF)], good[..good.len() - 3].to_vec(), 400, "snappy"),
        (&[("Content-Type", PROTOBUF)], Message::new().number(1, 1).snappy(), 400, "logproto.PushRequest"),
        (&[("Content-Type", JSON)], vec![b' '; 20_000], 413, "in parts"),
    ];
    for (headers, body, status, expected) in cases {
        let answer = push(&stage, headers, body).await;
        let said = refusal(&answer, status);
        assert!(said.contains(expected), "{headers:?}: {said}");
    }
    let asked = answer(stage.local(Method::GET, PUSH)).await;
    assert_eq!(asked.status.as_u16(), 405);
    assert!(stored(&stage).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_stop_at_the_limit() {
    let stage = Stage::with(|config| config.max_decompressed_body = ByteSize(1 << 20)).await;
    let large = vec![b' '; 8 << 20];
    let block = Message::new().bytes(9, &large).snappy();
    let cases = [
        (JSON, Some("gzip"), gzip(&large)),
        (JSON, Some("deflate"), zlib(&large)),
        (JSON, Some("zstd"), zstd(&large)),
        (PROTOBUF, None, block.clone()),
        (PROTOBUF, Some("gzip"), gzip(&block)),
    ];
    for (content_type, encoding, body) in cases {
        let mut headers = vec![("Content-Type", content_type)];
        headers.extend(encoding.map(|encoding| ("Content-Encoding", encoding)));
        let answer = push(&stage, &headers, body).await;
        assert_eq!(answer.status.as_u16(), 413, "{content_type} {encoding:?}: {answer:?}");
        refusal(&answer, 413);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_cannot_be_kept_are_told_with_a_400_and_the_others_are_stored() {
    let (stage, time) = (Stage::new().await, now());
    let hour = 3_600_000_000_000;
    let body = json!({ "streams": [{ "stream": { "app": "a" }, "values": [
        [time.to_string(), "kept"],
        [(time + hour).to_string(), "ahead"],
        ["1000", "old"],
        ["soon", "never"],
    ] }] });
    let answer = push_json(&stage, &body).await;
    let said = refusal(&answer, 400);
    assert!(said.starts_with("3 of 4 lines were not stored"), "{said}");
    for reason in ["in the future", "older than the retention", "no number of nanoseconds"] {
        assert!(said.contains(reason), "{said}");
    }
    assert_eq!(messages(&stage).await, ["kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_taken_as_shippers_send_one() {
    let stage = Stage::with(|config| config.open_loopback_ingest = false).await;
    let body = lines(now(), &["x"]);
    refusal(&push_json(&stage, &body).await, 401);
    let reading = stage.key(&[state::Scope::Read]).await;
    let request = |key: &str| stage.request(Method::POST, PUSH).bearer_auth(key).json(&body);
    refusal(&answer(request(&reading)).await, 403);
    assert_stored(&answer(request(TOKEN)).await);
    let key = stage.key(&[state::Scope::Ingest]).await;
    let basic = stage.request(Method::POST, PUSH).basic_auth("promtail", Some(&key)).json(&body);
    assert_stored(&answer(basic).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_slow_is_told_so_that_it_is_sent_again() {
    let stage = Stage::with(|config| config.request_timeout.0 = std::time::Duration::from_millis(100)).await;
    let endless = reqwest::Body::wrap_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = stage.request(Method::POST, PUSH).header("Content-Type", JSON).body(endless);
    let slow = answer(request).await;
    refusal(&slow, 503);
    assert_eq!(slow.header("retry-after"), "1");
}
