//! Tails of logs: what becomes durable, as it comes.

use std::time::Duration;

use model::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use state::Scope;

use crate::live::Events;
use crate::stage::{Stage, answer, encoded};

/// Sends lines of a service as a shipper does, each with a time of its own.
async fn push(stage: &Stage, service: &str, lines: &[String]) {
    let now = Timestamp::now().as_nanos();
    let values: Vec<Value> =
        (0..).zip(lines).map(|(number, line)| json!([(now + number).to_string(), line])).collect();
    let body = json!({ "streams": [{ "stream": { "service_name": service }, "values": values }] });
    let sent = answer(stage.request(Method::POST, "/loki/api/v1/push").json(&body)).await;
    assert_eq!(sent.status, 204, "{sent:?}");
}

async fn open(stage: &Stage, query: &str) -> Events {
    let path = format!("/api/v1/logs/tail?{}", encoded(&[("q", query)]));
    let key = stage.key(&[Scope::Read]).await;
    Events::of(stage.request(Method::GET, &path).header("X-API-Key", key)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_has_what_its_search_finds_from_when_it_was_opened_in_order_and_once() {
    let stage = Stage::new().await;
    push(&stage, "ocr", &["early timeout".to_owned()]).await;
    let mut tail = open(&stage, "service:ocr timeout").await;
    push(&stage, "asr", &["timeout elsewhere".to_owned()]).await;
    push(&stage, "ocr", &["fine".to_owned(), "timeout 1".to_owned(), "timeout 2".to_owned()]).await;
    push(&stage, "ocr", &["timeout 3".to_owned()]).await;
    for expected in ["timeout 1", "timeout 2", "timeout 3"] {
        let record = tail.wait_for("record", |_| true).await;
        assert_eq!((&record["message"], &record["origin"]["service"]), (&json!(expected), &json!("ocr")));
        assert!(record["id"].is_string() && record["time"].is_string(), "{record}");
    }
    // What it showed is what a search finds.
    let found = stage.get(&format!("/api/v1/logs?{}", encoded(&[("q", "service:ocr timeout")]))).await;
    assert_eq!(found.body["items"][0]["message"], "timeout 3", "{found:?}");
    stage.stop.cancel();
    tail.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_record_is_sent_or_counted_as_dropped() {
    let stage = Stage::new().await;
    let mut tail = open(&stage, "").await;
    let lines: Vec<String> = (0..3_000).map(|number| format!("line {number}")).collect();
    push(&stage, "ocr", &lines).await;
    let (mut sent, mut dropped) = (0, 0);
    while sent + dropped < 3_000 {
        let block = tail.block().await.expect("it goes on");
        if block.starts_with("event: record\n") {
            assert!(dropped > 0 || block.contains(&format!("\"line {sent}\"")), "{sent}: {block}");
            sent += 1;
        } else if let Some(data) = block.strip_prefix("event: dropped\ndata: ") {
            let data: Value = serde_json::from_str(data).expect("JSON");
            dropped += data["count"].as_u64().expect("a number");
        }
    }
    assert_eq!(sent + dropped, 3_000);
    assert!(sent >= 1_000, "a queue has room for so many: {sent}");
    let metrics = stage.get("/metrics").await;
    let told = format!("watchkeeper_log_tail_dropped_total {dropped}\n");
    assert!(metrics.text.contains(&told), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tails_are_bounded_and_for_who_may_read_and_can_be_read() {
    let stage = Stage::with(|config| {
        config.max_log_tails = 1;
        config.live_heartbeat.0 = Duration::from_millis(50);
    })
    .await;
    let refused = stage.get(&format!("/api/v1/logs/tail?{}", encoded(&[("q", "level:eror")]))).await;
    refused.problem(400);
    assert_eq!(refused.body["type"], "urn:watchkeeper:problem:bad-query", "{refused:?}");
    answer(stage.request(Method::GET, "/api/v1/logs/tail")).await.problem(401);
    let sender = stage.key(&[Scope::Ingest]).await;
    answer(stage.request(Method::GET, "/api/v1/logs/tail").bearer_auth(sender)).await.problem(403);

    let mut first = open(&stage, "servce:x").await;
    let hints = first.wait_for("hints", |_| true).await;
    assert!(hints[0]["message"].is_string(), "{hints}");
    while first.block().await.expect("it goes on") != ": heartbeat" {}
    let second = stage.get("/api/v1/logs/tail").await;
    assert!(second.problem(503).contains("max_log_tails"), "{second:?}");
    drop(first);
    testkit::eventually("the place of the tail that ended is free", || async {
        let asked = stage.local(Method::GET, "/api/v1/logs/tail").send().await?;
        Ok((asked.status() == 200).then_some(()))
    })
    .await
    .expect("free");
}
