//! Rows as files, sent while they are made.

use model::Timestamp;
use reqwest::{Method, Response};
use serde_json::json;
use state::Scope;

use crate::stage::{Stage, answer};

/// Stores `series` series of `points` points each, up to now.
async fn store(stage: &Stage, series: usize, points: i64) {
    let now = Timestamp::now().as_millis();
    for number in 0..series {
        let number = number.to_string();
        let labels = [("__name__", "load"), ("job", "a,\"b\"\n=1+1"), ("number", number.as_str())];
        let samples: Vec<(i64, f64)> =
            (1..=points).map(|place| (now - (points - place) * 100, place as f64)).collect();
        let body = testkit::remote_write(&[(&labels, &samples)]);
        let sent = stage.local(Method::POST, "/prometheus/api/v1/write").body(body);
        let sent = sent
            .header("content-encoding", "snappy")
            .header("content-type", "application/x-protobuf")
            .header("x-prometheus-remote-write-version", "0.1.0");
        let taken = sent.send().await.expect("an answer");
        assert!(taken.status().is_success(), "{taken:?}");
    }
}

async fn open(stage: &Stage, path: &str) -> Response {
    stage.local(Method::GET, path).send().await.expect("an answer")
}

async fn metric(stage: &Stage, line: &str) -> Option<f64> {
    let text = stage.get("/metrics").await.text;
    text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_and_a_selector_are_sent_in_each_format() {
    let stage = Stage::new().await;
    store(&stage, 2, 3).await;
    let event = json!([{ "type": "deploy.finished", "event_id": "d1", "service": "api", "version": "1\n2" }]);
    assert_eq!(stage.post("/api/v1/events", &event).await.status, 200);

    let csv = stage.get("/api/v1/export?match=load{number=\"1\"}&format=csv").await;
    assert!(csv.header("content-type").starts_with("text/csv"), "{csv:?}");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"metrics.csv\"");
    let mut lines = csv.text.splitn(2, '\n');
    assert_eq!(lines.next(), Some("time,value,name,histogram,job,number"));
    let rows = lines.next().expect("rows");
    assert_eq!(rows.matches("load,,\"a,\"\"b\"\"\n=1+1\",1\n").count(), 3, "{rows}");

    let ndjson = stage.get("/api/v1/export?table=deploys&format=ndjson").await;
    let row: serde_json::Value = serde_json::from_str(ndjson.text.trim()).expect("one object");
    assert_eq!((&row["service"], &row["version"]), (&json!("api"), &json!("1\n2")), "{row}");
    assert!(row["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{row}");

    let parquet = open(&stage, "/api/v1/export?table=deploys").await;
    assert_eq!(parquet.headers()["content-type"], "application/vnd.apache.parquet");
    let bytes = parquet.bytes().await.expect("a body");
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{} bytes", bytes.len());

    let nothing = stage.get("/api/v1/export?match=load&until=2001-01-01T00:00:00Z&format=csv").await;
    assert_eq!(nothing.text, "time,value,name,histogram\n", "the names stand there even so");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_exported_is_said_before_anything_is_sent() {
    let stage = Stage::new().await;
    for (query, said) in [
        ("", "either"),
        ("?table=deploys&match=up", "either"),
        ("?table=secrets", "requests"),
        ("?match=sum(up)", "selector alone"),
        ("?match=up offset 5m", "selector alone"),
        ("?match={job=", "`match`"),
        ("?table=deploys&format=xlsx", "parquet"),
        ("?table=deploys&since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "nothing lies between"),
        ("?table=deploys&limit=1", "unknown field"),
    ] {
        let refused = stage.get(&format!("/api/v1/export{query}")).await;
        assert!(refused.problem(400).contains(said), "{query}: {refused:?}");
    }
    let path = "/api/v1/export?table=deploys";
    assert_eq!(answer(stage.request(Method::GET, path)).await.status, 401);
    let key = stage.key(&[Scope::Ingest]).await;
    assert_eq!(answer(stage.request(Method::GET, path).header("X-API-Key", &key)).await.status, 403);
    let key = stage.key(&[Scope::Read]).await;
    assert_eq!(answer(stage.request(Method::GET, path).header("X-API-Key", &key)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_are_bounded_wait_for_their_readers_and_end_with_them() {
    let stage = Stage::with(|config| config.max_concurrent_exports = 1).await;
    // More than sockets and chunks hold, so that it cannot be made whole while nobody reads.
    store(&stage, 40, 20_000).await;
    let path = "/api/v1/export?match=load&format=ndjson";
    let mut first = open(&stage, path).await;
    assert!(first.chunk().await.expect("it is sent").is_some());
    assert_eq!(metric(&stage, "watchkeeper_exports_open").await, Some(1.0));
    let second = stage.get(path).await;
    assert!(second.problem(503).contains("Too many exports"), "{second:?}");
    assert_eq!(second.header("retry-after"), "30");
    let made = metric(&stage, "watchkeeper_export_rows_total").await.expect("a count");
    assert!(made < 800_000.0, "{made} rows are made, and nobody has taken them");
    drop(first);
    testkit::eventually("the export to end", || async {
        Ok((metric(&stage, "watchkeeper_exports_open").await == Some(0.0)).then_some(()))
    })
    .await
    .expect("ended");
    assert_eq!(metric(&stage, "watchkeeper_exports_total{outcome=\"gone\"}").await, Some(1.0));
    let whole = open(&stage, path).await.text().await.expect("a whole body");
    assert_eq!(whole.lines().count(), 800_000);
    assert_eq!(metric(&stage, "watchkeeper_exports_total{outcome=\"finished\"}").await, Some(1.0));

    let mut cut_off = open(&stage, path).await;
    assert!(cut_off.chunk().await.expect("it is sent").is_some());
    stage.stop.cancel();
    let rest = loop {
        match cut_off.chunk().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };
    assert!(rest.is_err(), "what was cut off does not look whole");
}
