//! Ways from one thing to another: a job, its trace, its log records, its calls of models; an exemplar; an alert.

use std::sync::Arc;

use model::event::{Conventions, Event, Level, LogEvent, Origin, SpanEvent, SpanStatus};
use model::{Labels, MetricBatch, Sample, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use state::{AlertRecord, AlertState, Commit};
use store::{Batch, batches_from_events};
use testkit::protobuf::Message;

use crate::stage::{Stage, answer, encoded};

const SECOND: i64 = 1_000_000_000;

fn trace() -> String {
    "ab".repeat(16)
}

/// A server on which the job `j` failed five minutes ago, and when that began.
async fn failed() -> (Stage, i64) {
    let stage = Stage::new().await;
    let start = Timestamp::now().as_nanos() - 300 * SECOND;
    let at = |second: i64| Timestamp::from_nanos(start + second * SECOND);
    let events = json!([
        { "type": "job.submitted", "event_id": "1", "job_id": "j", "queue": "ocr", "time": at(0), "trace_id": trace() },
        { "type": "job.started", "event_id": "2", "job_id": "j", "queue": "ocr", "time": at(1), "worker_id": "w" },
        { "type": "llm.call", "event_id": "3", "job_id": "j", "model": "llama", "duration_seconds": 1.5,
            "time": at(2), "input_tokens": 7 },
        { "type": "job.failed", "event_id": "4", "job_id": "j", "queue": "ocr", "time": at(5),
            "error_type": "Timeout", "error_message": "too long" },
        { "type": "job.failed", "event_id": "5", "job_id": "k", "queue": "asr", "time": at(6) },
    ]);
    let sent = stage.post("/api/v1/events", &events).await;
    assert_eq!(sent.body["accepted"], 5, "{sent:?}");
    let origin = |service: &str| Arc::new(Origin { service: Some(service.to_owned()), ..Origin::default() });
    let log = |second: i64, service: &str, level: Level, job: Option<&str>, trace: Option<String>| {
        Event::Log(Box::new(LogEvent {
            level: Some(level),
            message: Some(format!("at {second}")),
            trace_id: trace,
            conventions: Conventions { job_id: job.map(str::to_owned), ..Conventions::default() },
            ..LogEvent::new(at(second), origin(service))
        }))
    };
    let span = |id: &str, second: i64, status: SpanStatus| {
        Event::Span(Box::new(SpanEvent {
            name: format!("op {id}"),
            duration_ns: SECOND.unsigned_abs(),
            status,
            ..SpanEvent::new(at(second), trace(), id.repeat(16), origin("worker"))
        }))
    };
    let stored = [
        log(2, "worker", Level::Error, Some("j"), None),
        log(3, "worker", Level::Warn, None, Some(trace())),
        log(4, "worker", Level::Info, Some("k"), None),
        log(4, "gateway", Level::Error, None, None),
        log(200, "worker", Level::Error, Some("j"), None),
        span("1", 1, SpanStatus::Unset),
        span("2", 2, SpanStatus::Error),
    ];
    let batch = Batch { events: batches_from_events(&stored).expect("rows"), ..Batch::default() };
    stage.store.append(batch).await.expect("stored");
    (stage, start)
}

async fn get(stage: &Stage, path: &str) -> Value {
    let found = stage.get(path).await;
    assert_eq!(found.status, 200, "{path}: {found:?}");
    found.body
}

fn texts<'v>(list: &'v Value, key: &str) -> Vec<&'v str> {
    let items = list["items"].as_array().expect("a list");
    items.iter().map(|item| item[key].as_str().expect("a text")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_leads_to_its_log_records_its_trace_and_its_calls() {
    let (stage, _) = failed().await;
    let job = get(&stage, "/api/v1/jobs/j").await;
    assert_eq!((&job["status"], &job["trace_ids"]), (&json!("failed"), &json!([trace()])));
    assert_eq!(job["records"]["logs"], Value::Null, "{job}");
    let job = get(&stage, "/api/v1/jobs/j?counts=true").await;
    let records = &job["records"];
    assert_eq!(
        (&records["logs"], &records["spans"], &records["llm_calls"]),
        (&json!(2), &json!(2), &json!(1)),
        "{records}"
    );
    // Its search finds the same records.
    let text = |key: &str| records[key].as_str().expect("a text");
    let search = encoded(&[("q", text("q")), ("from", text("from")), ("to", text("to"))]);
    let found = get(&stage, &format!("/api/v1/logs?{search}")).await;
    assert_eq!(texts(&found, "message"), ["at 3", "at 2"]);

    let logs = get(&stage, "/api/v1/jobs/j/logs").await;
    assert_eq!(texts(&logs, "message"), ["at 2", "at 3"]);
    let first = get(&stage, "/api/v1/jobs/j/logs?limit=1&order=newest").await;
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let rest = get(&stage, &format!("/api/v1/jobs/j/logs?limit=1&order=newest&cursor={cursor}")).await;
    assert_eq!((texts(&first, "message"), texts(&rest, "message")), (vec!["at 3"], vec!["at 2"]));
    assert_eq!(rest["next_cursor"], Value::Null);
    let some = get(&stage, &format!("/api/v1/jobs/j/logs?{}", encoded(&[("q", "level:error")]))).await;
    assert_eq!(texts(&some, "message"), ["at 2"]);

    let whole = get(&stage, "/api/v1/jobs/j/trace").await;
    assert_eq!((&whole["trace_id"], whole["spans"].as_array().map(Vec::len)), (&json!(trace()), Some(2)));
    let calls = get(&stage, "/api/v1/jobs/j/llm-calls").await;
    assert_eq!((&calls["total"], &calls["items"][0]["model"]), (&json!(1), &json!("llama")));
    assert_eq!(calls["items"][0]["input_tokens"], 7);

    // And back: from a line to its job and to its trace.
    let (line, other) = (&logs["items"][0], &logs["items"][1]);
    let of_line = line["conventions"]["job_id"].as_str().expect("its job");
    assert_eq!(get(&stage, &format!("/api/v1/jobs/{of_line}")).await["job_id"], "j");
    let of_line = other["trace_id"].as_str().expect("its trace");
    assert_eq!(get(&stage, &format!("/api/v1/traces/{of_line}")).await["logs"][0]["message"], "at 3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_and_a_line_that_names_no_job_lead_to_their_jobs() {
    let (stage, _) = failed().await;
    let whole = get(&stage, &format!("/api/v1/traces/{}", trace())).await;
    let expected = json!([{ "job_id": "j", "kind": null, "status": "failed" }]);
    assert_eq!((&whole["jobs"], &whole["more_jobs"]), (&expected, &json!(false)));
    let of_trace = get(&stage, &format!("/api/v1/jobs?trace_id={}", trace().to_uppercase())).await;
    assert_eq!(texts(&of_trace, "job_id"), ["j"]);
    assert_eq!(get(&stage, "/api/v1/jobs?trace_id=00").await["items"], json!([]));

    let found = get(&stage, &format!("/api/v1/logs?{}", encoded(&[("q", "\"at 3\"")]))).await;
    let line = &found["items"][0];
    assert_eq!(line["conventions"]["job_id"], Value::Null);
    let text = |key: &str| line[key].as_str().expect("a text");
    let context =
        |id: &str| format!("/api/v1/logs/context?{}", encoded(&[("time", text("time")), ("id", id)]));
    let around = get(&stage, &context(text("id"))).await;
    assert_eq!((&around["trace_id"], &around["jobs"]), (&json!(trace()), &expected));
    stage.get(&context("00000000000000ff")).await.problem(404);
    // What keeps a record out is named; one that is not there is not said to be of another service.
    let elsewhere = |id: &str| format!("{}&service=nobody&job_id=j", context(id));
    let refused = stage.get(&elsewhere(text("id"))).await;
    assert!(refused.problem(404).contains("has another `service`, `job_id`"), "{refused:?}");
    let refused = stage.get(&elsewhere("00000000000000ff")).await;
    assert!(refused.problem(404).contains("There is no log record of that time"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_a_job_is_told_apart_from_what_is_not_there_or_not_to_be_seen() {
    let (stage, _) = failed().await;
    for part in ["logs", "trace", "llm-calls"] {
        assert!(stage.get(&format!("/api/v1/jobs/nobody/{part}")).await.problem(404).contains("nobody"));
        answer(stage.request(Method::GET, &format!("/api/v1/jobs/j/{part}"))).await.problem(401);
    }
    assert!(stage.get("/api/v1/jobs/k/trace").await.problem(404).contains("trace"));
    assert_eq!(get(&stage, "/api/v1/jobs/k/llm-calls").await["items"], json!([]));
    for (path, named) in [
        ("/api/v1/jobs/j?counts=perhaps", "do not fit"),
        ("/api/v1/jobs/j/logs?order=sideways", "`order`"),
        ("/api/v1/jobs/j/logs?cursor=5", "`cursor`"),
        ("/api/v1/jobs/j/logs?limit=0", "`limit`"),
        ("/api/v1/jobs/j/trace?colour=red", "colour"),
        ("/api/v1/jobs/j/llm-calls?offset=10000", "`offset`"),
    ] {
        let refused = stage.get(path).await;
        assert!(refused.problem(400).contains(named), "{path}: {refused:?}");
    }
    // The place of a fault is one in what was asked, not in what it became.
    let refused = stage.get(&format!("/api/v1/jobs/j/logs?{}", encoded(&[("q", "level:eror")]))).await;
    assert_eq!(refused.body["fault"]["start"], 6, "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exemplar_of_a_metric_leads_to_its_trace() {
    let (stage, _) = failed().await;
    let now = Timestamp::now().as_millis().unsigned_abs();
    let label = |name: &str, value: &str| Message::new().text(1, name).text(2, value);
    let exemplar = Message::new().message(1, &label("trace_id", &trace())).double(2, 0.5).number(3, now);
    let series = Message::new()
        .message(1, &label("__name__", "op_seconds_bucket"))
        .message(2, &Message::new().double(1, 1.0).number(2, now))
        .message(3, &exemplar);
    let body = Message::new().message(1, &series).snappy();
    let write = stage.local(Method::POST, "/prometheus/api/v1/write").body(body);
    let written = answer(write.header("Content-Encoding", "snappy")).await;
    assert_eq!(written.status, 204, "{written:?}");
    let query = encoded(&[("query", "histogram_quantile(0.9, rate(op_seconds_bucket[5m]))")]);
    let found = get(&stage, &format!("/prometheus/api/v1/query_exemplars?{query}")).await;
    let of_exemplar = found["data"][0]["exemplars"][0]["labels"]["trace_id"].as_str();
    let of_exemplar = of_exemplar.unwrap_or_else(|| panic!("its trace: {found}"));
    let whole = get(&stage, &format!("/api/v1/traces/{of_exemplar}")).await;
    assert_eq!(whole["spans"].as_array().map(Vec::len), Some(2));
}

fn alert(id: &str, labels: &[(&str, &str)], active_at: Timestamp) -> AlertRecord {
    AlertRecord {
        id: id.to_owned(),
        rule_id: "r".to_owned(),
        group: "g".to_owned(),
        rule: "Failing".to_owned(),
        severity: "error".to_owned(),
        labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        annotations: Default::default(),
        value: 1.0,
        state: AlertState::Resolved,
        active_at,
        fired_at: Some(active_at),
        resolved_at: Some(active_at),
        keep_firing_since: None,
        held: false,
        acknowledged_by: None,
        acknowledged_at: None,
        resolved_by: None,
        note: None,
        evidence: json!([]),
        last_notified_at: None,
        updated_at: active_at,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_leads_to_what_there_was_when_it_began() {
    let (stage, start) = failed().await;
    let began = Timestamp::from_nanos(start + 5 * SECOND);
    let upserts = vec![
        alert("a1", &[("service", "worker")], began),
        alert("a2", &[("queue", "ocr")], began),
        alert("a4", &[("worker", "w"), ("model", "llama")], began),
        alert("a5", &[("job_id", "j")], began),
        alert("a6", &[("host", "nowhere")], began),
        alert("a3", &[("queue", "ocr")], Timestamp::from_nanos(start - 7_200 * SECOND)),
    ];
    let commit = Commit { upserts, ..Commit::default() };
    stage.state.alerts().commit(&commit, Timestamp::now()).await.expect("written");

    let of_service = get(&stage, "/api/v1/alerts/a1/context?minutes=1").await;
    assert_eq!(
        (&of_service["subject"]["service"], &of_service["subject"]["host"]),
        (&json!("worker"), &Value::Null)
    );
    assert_eq!(texts(&of_service["logs"], "message"), ["at 3", "at 2"]);
    assert_eq!(texts(&of_service["traces"], "trace_id"), [trace()]);
    assert_eq!(of_service["jobs"]["items"], json!([]), "no job says that it is of that service");

    let of_queue = get(&stage, "/api/v1/alerts/a2/context?minutes=1&limit=2").await;
    assert_eq!(texts(&of_queue["jobs"], "job_id"), ["j"]);
    assert_eq!(of_queue["jobs"]["items"][0]["error_message"], "too long");
    let logs = &of_queue["logs"];
    assert_eq!((texts(logs, "message"), &logs["more"]), (vec!["at 4", "at 3"], &json!(true)));

    assert_eq!(texts(&of_queue["llm_calls"], "model"), ["llama"], "it names its job, which names its queue");
    assert_eq!(of_service["llm_calls"]["items"], json!([]));
    let of_worker = get(&stage, "/api/v1/alerts/a4/context?minutes=1").await;
    assert_eq!(texts(&of_worker["jobs"], "job_id"), ["j"], "the event that began it names its worker");
    assert_eq!(texts(&of_worker["llm_calls"], "model"), ["llama"]);
    assert_eq!(of_worker["logs"]["items"], json!([]));
    let of_job = get(&stage, "/api/v1/alerts/a5/context?minutes=1").await;
    assert_eq!(texts(&of_job["logs"], "message"), ["at 3", "at 2"]);
    assert_eq!(
        (texts(&of_job["jobs"], "job_id"), texts(&of_job["traces"], "trace_id")),
        (vec!["j"], vec![&*trace()])
    );
    let of_host = get(&stage, "/api/v1/alerts/a6/context?minutes=1").await;
    assert_eq!((&of_host["jobs"]["items"], &of_host["llm_calls"]["items"]), (&json!([]), &json!([])));
    for context in [&of_queue, &of_worker, &of_job, &of_host] {
        for (what, column) in [("jobs", "job_id"), ("llm_calls", "model")] {
            let listed = stage.post("/api/v1/sql", &json!({ "sql": context[what]["sql"] })).await;
            let named = |row: &Value| row[1].as_str().unwrap_or_default().to_owned();
            let rows: Vec<String> = listed.body["rows"].as_array().expect("rows").iter().map(named).collect();
            assert_eq!(rows, texts(&context[what], column), "{}", context[what]["sql"]);
        }
    }

    // Each says how the rest is found.
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (from, to) = (text(&of_queue["from"]), text(&of_queue["to"]));
    let search = encoded(&[("q", &text(&logs["q"])), ("from", &from), ("to", &to)]);
    assert_eq!(texts(&get(&stage, &format!("/api/v1/logs?{search}")).await, "message").len(), 3);
    let listed = stage.post("/api/v1/sql", &json!({ "sql": of_queue["jobs"]["sql"] })).await;
    assert_eq!((listed.status.as_u16(), &listed.body["rows"][0][1]), (200, &json!("j")), "{listed:?}");
    let search = encoded(&[("q", &text(&of_service["traces"]["q"])), ("from", &from), ("to", &to)]);
    assert_eq!(texts(&get(&stage, &format!("/api/v1/traces?{search}")).await, "trace_id"), [trace()]);

    let long_ago = get(&stage, "/api/v1/alerts/a3/context").await;
    assert_eq!((&long_ago["logs"]["items"], &long_ago["jobs"]["items"]), (&json!([]), &json!([])));
    stage.get("/api/v1/alerts/nothing/context").await.problem(404);
    assert!(stage.get("/api/v1/alerts/a1/context?minutes=0").await.problem(400).contains("`minutes`"));
    assert!(stage.get("/api/v1/alerts/a1/context?limit=101").await.problem(400).contains("`limit`"));
    answer(stage.request(Method::GET, "/api/v1/alerts/a1/context")).await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_shown_with_who_asks_whom() {
    let stage = Stage::new().await;
    let now = Timestamp::now().as_millis();
    let mut batch = MetricBatch::new();
    let mut counter = |name: &str, labels: &[(&str, &str)], per_minute: f64| {
        let sample =
            |minute: i64| Sample { time_ms: now - minute * 60_000, value: per_minute * (10 - minute) as f64 };
        let samples: Vec<Sample> = (0..=10).rev().map(sample).collect();
        batch.push(Labels::metric(name, labels).as_ref(), &samples);
    };
    let calls = "traces_span_metrics_calls_total";
    let server = [("service_name", "ocr"), ("span_kind", "SPAN_KIND_SERVER")];
    counter(calls, &[server[0], server[1], ("status_code", "STATUS_CODE_ERROR")], 60.0);
    counter(calls, &[server[0], server[1], ("status_code", "STATUS_CODE_OK")], 60.0);
    counter("traces_service_graph_request_total", &[("client", "gateway"), ("server", "ocr")], 120.0);
    stage.store.append(batch.into()).await.expect("stored");

    let map = get(&stage, "/api/v1/services/map").await;
    let (ocr, gateway) = (&map["nodes"][0], &map["nodes"][1]);
    assert_eq!((&ocr["name"], &ocr["error_ratio"]), (&json!("ocr"), &json!(0.5)), "{map}");
    assert!(ocr["rate"].as_f64().is_some_and(|rate| rate > 0.0), "{map}");
    assert_eq!((&gateway["name"], &gateway["rate"]), (&json!("gateway"), &Value::Null), "{map}");
    let edge = &map["edges"][0];
    assert_eq!((&edge["client"], &edge["server"]), (&json!("gateway"), &json!("ocr")), "{map}");
    assert_eq!((&edge["connection"], &edge["failed_ratio"]), (&Value::Null, &json!(0.0)), "{map}");
    let before = get(&stage, "/api/v1/services/map?to=2020-01-01T00:00:00Z").await;
    assert_eq!((&before["nodes"], &before["edges"]), (&json!([]), &json!([])));
    let backwards = "/api/v1/services/map?from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z";
    assert!(stage.get(backwards).await.problem(400).contains("`from`"));
    answer(stage.request(Method::GET, "/api/v1/services/map")).await.problem(401);
}
