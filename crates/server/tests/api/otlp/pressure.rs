//! What happens when more comes than there is room for.

use std::sync::Arc;

use futures::StreamExt;
use model::{ByteSize, TimeRange};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Gauge, Histogram, HistogramDataPoint};
use prost::Message;
use reqwest::Method;
use store::{EventScan, Table};
use tokio::task::JoinHandle;

use super::metrics::{metric, point, query};
use super::refusals::gzip;
use super::requests::{any, logs, metrics, now_ns, record, text};
use super::{PROTOBUF, Reply, assert_all_stored, send, send_protobuf};
use crate::stage::{Answer, Stage, answer};

/// How many records of logs are stored.
async fn count_of_logs(stage: &Stage) -> usize {
    let store = Arc::clone(&stage.store);
    let scan = EventScan::new(Table::Logs, TimeRange::ALL, 100_000);
    let found = tokio::task::spawn_blocking(move || store.scan(&scan)).await.expect("no panic");
    let mut count = 0;
    for rows in found.expect("a scan") {
        count += rows.num_rows();
    }
    count
}

/// A packed request of records with a text of so many bytes each.
fn packed_logs(records: usize, bytes: usize) -> Vec<u8> {
    let record = LogRecord { body: any(text(&"x".repeat(bytes))), ..record(now_ns()) };
    gzip(&logs(vec![record; records]).encode_to_vec())
}

async fn send_packed(stage: &Stage, body: Vec<u8>) -> Reply {
    send(stage, "/v1/logs", &[("Content-Type", PROTOBUF), ("Content-Encoding", "gzip")], body).await
}

/// What a metric of the server says.
async fn shown(stage: &Stage, name: &str) -> f64 {
    let metrics = stage.get("/metrics").await.text;
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {name}: {metrics}")).parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_without_room_are_refused_whole_and_stored_once_when_they_come_again_and_metrics_go_on() {
    let stage = Stage::new().await;
    // More than a part in which they are stored.
    let large = packed_logs(1200, 16_000);
    let room = stage.store.reserve(1 << 30).expect("all the room for events");
    let refused = send_packed(&stage, large.clone()).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    let said = String::from_utf8_lossy(&refused.body).into_owned();
    assert!(said.contains("Nothing was stored"), "{said}");
    assert_eq!(count_of_logs(&stage).await, 0, "no part of it is there");
    let gauge = Gauge { data_points: vec![point(now_ns(), 0, 7.0)] };
    let sent = metrics(vec![metric("queue.depth", "", Data::Gauge(gauge))]);
    assert_all_stored(&send_protobuf(&stage, "/v1/metrics", &sent).await, PROTOBUF);
    assert_eq!(query(&stage, "queue_depth").await[0]["value"][1], "7");
    drop(room);
    assert_all_stored(&send_packed(&stage, large).await, PROTOBUF);
    assert_eq!(count_of_logs(&stage).await, 1200);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_large_requests_at_once_take_turns_and_each_is_stored_once_or_told_to_come_back() {
    let stage = Stage::with(|config| config.max_ingest_memory = ByteSize(4 << 20)).await;
    let body = packed_logs(200, 2000);
    let all = futures::future::join_all((0..16).map(|_| send_packed(&stage, body.clone()))).await;
    let stored = all.iter().filter(|reply| reply.status == 200).count();
    assert!(stored > 0 && all.iter().all(|reply| [200, 503].contains(&reply.status)), "{all:?}");
    assert_eq!(count_of_logs(&stage).await, stored * 200);
    // The last of them may have its answer before its room is given back.
    let given_back = testkit::eventually("all room to be given back", || async {
        Ok((shown(&stage, "watchkeeper_http_ingest_memory_bytes").await < 0.5).then_some(()))
    });
    given_back.await.expect("given back");
}

/// A request of records in JSON in which there is nothing.
fn empty_logs(records: usize) -> Vec<u8> {
    let records = vec![serde_json::json!({}); records];
    let request = serde_json::json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": records }] }] });
    request.to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn small_bodies_that_become_large_wait_for_room_and_are_stored_once() {
    let stage = Stage::with(|config| config.max_ingest_memory = ByteSize(4 << 20)).await;
    let headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")];
    let body = gzip(&empty_logs(2000));
    let sending = (0..12).map(|_| send(&stage, "/v1/logs", &headers, body.clone()));
    let all = futures::future::join_all(sending).await;
    let stored = all.iter().filter(|reply| reply.status == 200).count();
    assert!(stored > 0 && all.iter().all(|reply| [200, 503].contains(&reply.status)), "{all:?}");
    assert_eq!(count_of_logs(&stage).await, stored * 2000);
}

/// None of them finds room when it is decoded for the first time.
#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_more_than_all_memory_is_taken_alone_on_every_way_in() {
    let stage = Stage::with(|config| config.max_ingest_memory = ByteSize(64 << 10)).await;
    let post = async |path: &str, body: Vec<u8>| -> Answer {
        let request = stage.request(Method::POST, path).header("Content-Type", "application/json");
        answer(request.body(body)).await
    };
    let logs = post("/v1/logs", empty_logs(200)).await;
    assert_eq!(logs.status.as_u16(), 200, "{logs:?}");
    assert_eq!(count_of_logs(&stage).await, 200);
    let lines: Vec<_> = (0..100).map(|_| serde_json::json!([now_ns().to_string(), "a"])).collect();
    let push = serde_json::json!({ "streams": [{ "stream": { "app": "a" }, "values": lines }] });
    let pushed = post("/loki/api/v1/push", push.to_string().into_bytes()).await;
    assert_eq!(pushed.status.as_u16(), 204, "{pushed:?}");
    assert_eq!(count_of_logs(&stage).await, 300);
    let event =
        |id: usize| format!("{{\"type\":\"job.completed\",\"job_id\":\"j{id}\",\"event_id\":\"e{id}\"}}\n");
    let events = post("/api/v1/events", (0..50).map(event).collect::<String>().into_bytes()).await;
    assert_eq!((events.status.as_u16(), &events.body["accepted"]), (200, &50.into()), "{events:?}");
    let bucketed = HistogramDataPoint {
        time_unix_nano: now_ns(),
        count: 31,
        explicit_bounds: (0..30).map(f64::from).collect(),
        bucket_counts: vec![1; 31],
        ..HistogramDataPoint::default()
    };
    let histogram = |number: usize| {
        let data = Histogram { data_points: vec![bucketed.clone()], aggregation_temporality: 2 };
        metric(&format!("spread.{number}"), "", Data::Histogram(data))
    };
    let sent = metrics((0..10).map(histogram).collect());
    assert_all_stored(&send_protobuf(&stage, "/v1/metrics", &sent).await, PROTOBUF);
    assert_eq!(query(&stage, "count({__name__=~\"spread_.+_count\"})").await[0]["value"][1], "10");
}

/// A server whose memory for bodies is full of one that does not end.
pub(super) async fn crowded() -> (Stage, JoinHandle<()>) {
    let stage = Stage::with(|config| config.max_ingest_memory = ByteSize(64 << 10)).await;
    let (client, url) = (stage.client.clone(), stage.url("/v1/logs"));
    let holding = tokio::spawn(async move {
        let some = futures::stream::iter([Ok::<_, std::io::Error>(vec![b' '; 15 << 10])]);
        let body = reqwest::Body::wrap_stream(some.chain(futures::stream::pending()));
        // It has no answer.
        _ = client.post(&url).header("Content-Type", PROTOBUF).body(body).send().await;
    });
    let held = testkit::eventually("the body to come", || async {
        let held = shown(&stage, "watchkeeper_http_ingest_memory_bytes").await;
        Ok((held >= f64::from(15 << 10)).then_some(()))
    });
    held.await.expect("held");
    (stage, holding)
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_fill_the_memory_for_them_keep_others_out_on_every_way_in_until_they_are_gone() {
    let (stage, holding) = crowded().await;
    let post = async |path: &str, content_type: &str| -> Answer {
        let body = vec![b' '; 4 << 10];
        answer(stage.request(Method::POST, path).header("Content-Type", content_type).body(body)).await
    };
    let ways = [
        ("/api/v1/events", "application/json"),
        ("/prometheus/api/v1/write", PROTOBUF),
        ("/v1/logs", "application/json"),
        ("/v1/traces", PROTOBUF),
        ("/v1/metrics", PROTOBUF),
        ("/loki/api/v1/push", "application/json"),
    ];
    for (path, content_type) in ways {
        let refused = post(path, content_type).await;
        assert_eq!(
            (refused.status.as_u16(), refused.header("retry-after")),
            (503, "2"),
            "{path}: {refused:?}"
        );
        assert!(refused.text.contains("server.max_ingest_memory"), "{path}: {refused:?}");
    }
    let turned_away = shown(&stage, "watchkeeper_http_ingest_turned_away_total").await;
    assert!((turned_away - ways.len() as f64).abs() < f64::EPSILON, "{turned_away}");
    holding.abort();
    let taken = testkit::eventually("the room to be given back", || async {
        let sent = logs(vec![record(now_ns()); 10]);
        let reply = send_protobuf(&stage, "/v1/logs", &sent).await;
        Ok((reply.status == 200).then_some(()))
    });
    taken.await.expect("taken");
}
