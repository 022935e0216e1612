//! The examples of docs/sql.md, over a store that has something of each kind: none may look for what nothing is called.

use std::sync::Arc;

use model::event::{Attributes, Event, Level, LogEvent, Origin, SpanEvent};
use model::{Labels, MetricBatch, Sample, Timestamp};
use serde_json::{Value, json};
use store::{Batch, batches_from_events};

use crate::stage::Stage;

const SECOND: i64 = 1_000_000_000;
/// The trace that an example asks for.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A server with something of each kind, a minute ago.
async fn filled() -> Stage {
    let stage = Stage::new().await;
    let now = Timestamp::now();
    let time = Timestamp::from_nanos(now.as_nanos() - 60 * SECOND);
    let events = json!([
        { "type": "request.finished", "event_id": "1", "time": time, "path": "/documents/7", "method": "GET",
            "route": "/documents/{id}", "status_code": 200, "duration_seconds": 0.25 },
        { "type": "llm.call", "event_id": "2", "time": time, "model": "qwen3:30b", "duration_seconds": 2,
            "input_tokens": 1800, "output_tokens": 220, "cost_usd": 0.01 },
        { "type": "job.submitted", "event_id": "3", "time": time, "job_id": "j", "queue": "ocr" },
        { "type": "job.failed", "event_id": "4", "time": time, "job_id": "j", "queue": "ocr", "retry_count": 2,
            "error_type": "Timeout" },
        { "type": "audit.recorded", "event_id": "5", "time": time, "action": "document.delete", "user_id": "ann",
            "outcome": "denied" },
    ]);
    let sent = stage.post("/api/v1/events", &events).await;
    assert_eq!(sent.body["accepted"], 5, "{sent:?}");

    let origin = || Arc::new(Origin { service: Some("worker".to_owned()), ..Origin::default() });
    let log = LogEvent {
        level: Some(Level::Error),
        message: Some("request 7 timed out".to_owned()),
        trace_id: Some(TRACE.to_owned()),
        attributes: Attributes::from([("k8s.pod.name".to_owned(), "worker-1".to_owned())]),
        ..LogEvent::new(time, origin())
    };
    let span = SpanEvent {
        name: "ocr".to_owned(),
        duration_ns: SECOND.unsigned_abs(),
        ..SpanEvent::new(time, TRACE.to_owned(), "1".repeat(16), origin())
    };
    let stored = [Event::Log(Box::new(log)), Event::Span(Box::new(span))];
    let mut metrics = MetricBatch::new();
    let labels = Labels::metric("queue_depth", &[("queue", "ocr"), ("state", "pending")]);
    metrics.push(labels.as_ref(), &[Sample { time_ms: time.as_nanos() / 1_000_000, value: 3.0 }]);
    let batch = Batch { events: batches_from_events(&stored).expect("rows"), metrics };
    stage.store.append(batch).await.expect("stored");
    stage
}

/// The statements of the page.
fn examples() -> Vec<&'static str> {
    let page = include_str!("../../../../docs/sql.md");
    let blocks = page.split("```sql\n").skip(1).map(|block| block.split("```").next().expect("an end"));
    blocks.flat_map(|block| block.split(";\n")).map(str::trim).filter(|text| !text.is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_page_finds_what_it_is_about() {
    let stage = filled().await;
    let examples = examples();
    assert!(examples.len() >= 10, "{examples:?}");
    for statement in &examples {
        let answered = stage.post("/api/v1/sql", &json!({ "sql": statement })).await;
        assert_eq!(answered.status, 200, "{statement}: {answered:?}");
        let rows = answered.body["rows"].as_array().expect("rows");
        assert!(!rows.is_empty(), "{statement} finds nothing");
        let has_values =
            |row: &Value| row.as_array().is_some_and(|row| row.iter().any(|value| !value.is_null()));
        assert!(rows.iter().all(has_values), "{statement}: {rows:?}");
    }
    let failed =
        examples.iter().find(|statement| statement.contains("FROM job_events")).expect("one of jobs");
    let answered = stage.post("/api/v1/sql", &json!({ "sql": failed })).await;
    assert_eq!(answered.body["rows"], json!([["j", 2, "Timeout"]]), "{answered:?}");
}
