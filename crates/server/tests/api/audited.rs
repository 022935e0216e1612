//! What applications report for audits, by whichever way it comes: among records of logs, with a category.

use model::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use state::Scope;

use crate::live::Events;
use crate::stage::{Stage, encoded};

const SECOND: i64 = 1_000_000_000;

fn trace() -> String {
    "ab".repeat(16)
}

async fn get(stage: &Stage, path: &str, parameters: &[(&str, &str)]) -> Value {
    let found = stage.get(&format!("{path}?{}", encoded(parameters))).await;
    assert_eq!(found.status, 200, "{path} {parameters:?}: {found:?}");
    found.body
}

fn messages(items: &Value) -> Vec<&str> {
    let items = items.as_array().expect("a list");
    items.iter().map(|item| item["message"].as_str().expect("a message")).collect()
}

/// A server with a job, with what was audited of it by the events API, and with records of logs by OTLP, of which some
/// are marked; and a tail that was opened before.
async fn filled() -> (Stage, Events) {
    let stage = Stage::new().await;
    let key = stage.key(&[Scope::Read]).await;
    let path = format!("/api/v1/logs/tail?{}", encoded(&[("q", "category:* user login")]));
    let tail = Events::of(stage.request(Method::GET, &path).header("X-API-Key", key)).await;
    let start = Timestamp::now().as_nanos() - 300 * SECOND;
    let at = |second: i64| Timestamp::from_nanos(start + second * SECOND);
    let events = json!([
        { "type": "job.started", "event_id": "1", "job_id": "j", "queue": "q", "time": at(0), "trace_id": trace() },
        { "type": "audit.recorded", "event_id": "2", "job_id": "j", "time": at(2), "action": "login",
            "message": "user login one", "outcome": "success", "service": "gateway" },
        { "type": "job.completed", "event_id": "3", "job_id": "j", "queue": "q", "time": at(9) },
    ]);
    let sent = stage.post("/api/v1/events", &events).await;
    assert_eq!(sent.body["accepted"], 3, "{sent:?}");
    let record = |second: i64, body: &str, name: &str, mark: (&str, &str)| {
        json!({
            "timeUnixNano": at(second).as_nanos().to_string(),
            "severityNumber": 13,
            "eventName": name,
            "body": { "stringValue": body },
            "traceId": trace(),
            "attributes": [{ "key": mark.0, "value": { "stringValue": mark.1 } }],
        })
    };
    let service = json!({ "key": "service.name", "value": { "stringValue": "gateway" } });
    let records = json!([
        record(3, "user login two", "audit.document.delete", ("colour", "red")),
        record(4, "user login three", "", ("log.category", "audit")),
        record(5, "user login four", "", ("log.category", "security")),
        record(6, "user login five", "", ("colour", "red")),
    ]);
    let body = json!({ "resourceLogs": [{
        "resource": { "attributes": [service] },
        "scopeLogs": [{ "logRecords": records }],
    }] });
    let sent = stage.post("/v1/logs", &body).await;
    assert_eq!((sent.status.as_u16(), sent.text.as_str()), (200, "{}"), "{sent:?}");
    (stage, tail)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_audited_is_found_counted_and_shown_with_the_logs() {
    let (stage, _) = filled().await;
    let all = get(&stage, "/api/v1/logs", &[("q", "\"user login\""), ("order", "oldest")]).await;
    let expected = ["one", "two", "three", "four", "five"].map(|number| format!("user login {number}"));
    assert_eq!(messages(&all["items"]), expected);
    let shown =
        |key: &str| all["items"].as_array().expect("a list").iter().map(|item| item[key].clone()).collect();
    let (categories, names): (Vec<Value>, Vec<Value>) = (shown("category"), shown("event_name"));
    assert_eq!(json!(categories), json!(["audit", "audit", "audit", "security", null]));
    let done = ["login", "document.delete", "user login three", "user login four"];
    assert_eq!(names[..4], done.map(Value::from));
    let second = &all["items"][1];
    assert_eq!((&second["level"], &second["attributes"]["colour"]), (&json!("warn"), &json!("red")));
    assert_eq!((&second["origin"]["service"], &second["trace_id"]), (&json!("gateway"), &json!(trace())));
    assert_eq!(second["attributes"]["category"], Value::Null, "it is told once");

    for (query, expected) in [
        ("category:audit", vec!["one", "two", "three"]),
        ("category:security level>=warn", vec!["four"]),
        ("-category:* login", vec!["five"]),
        ("action:document.delete colour:red", vec!["two"]),
    ] {
        let found = get(&stage, "/api/v1/logs", &[("q", query), ("order", "oldest")]).await;
        let expected: Vec<String> = expected.iter().map(|number| format!("user login {number}")).collect();
        assert_eq!(messages(&found["items"]), expected, "{query}");
    }
    let facets = get(&stage, "/api/v1/logs/facets", &[("fields", "category,level")]).await;
    let audits = json!([
        { "value": "audit", "count": 3 },
        { "value": null, "count": 1 },
        { "value": "security", "count": 1 },
    ]);
    assert_eq!(facets["fields"][0]["values"], audits);
    assert_eq!(facets["fields"][1]["values"][0], json!({ "value": "warn", "count": 4 }));
    let histogram = get(&stage, "/api/v1/logs/histogram", &[("by", "category"), ("buckets", "1")]).await;
    assert_eq!((&histogram["total"], &histogram["series"][0]["value"]), (&json!(5), &json!("audit")));
    let patterns = get(&stage, "/api/v1/logs/patterns", &[]).await;
    assert_eq!(patterns["total"], 5);

    let (time, id) = (second["time"].as_str().expect("a time"), second["id"].as_str().expect("an id"));
    let sides = [("time", time), ("id", id), ("service", "gateway"), ("before", "1"), ("after", "2")];
    let around = get(&stage, "/api/v1/logs/context", &sides).await;
    assert_eq!(
        (messages(&around["items"]), &around["place"]),
        (expected[..4].iter().map(String::as_str).collect(), &json!(1))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_audited_is_among_the_logs_of_its_trace_and_of_its_job() {
    let (stage, _) = filled().await;
    let trace = get(&stage, &format!("/api/v1/traces/{}", trace()), &[]).await;
    let of_trace = ["two", "three", "four", "five"].map(|number| format!("user login {number}"));
    assert_eq!(messages(&trace["logs"]), of_trace);
    let job = get(&stage, "/api/v1/jobs/j/logs", &[("q", "category:audit")]).await;
    assert_eq!(messages(&job["items"]), ["user login one", "user login two", "user login three"]);
    let job = get(&stage, "/api/v1/jobs/j", &[("counts", "true")]).await;
    assert_eq!(job["records"]["logs"], 5, "{job}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_marked_stays_in_the_table_of_logs() {
    let (stage, _) = filled().await;
    let query = "SELECT action, category FROM audit_events ORDER BY time";
    let audits = stage.post("/api/v1/sql", &json!({ "sql": query })).await;
    let expected = json!([
        ["login", "user_action"],
        ["document.delete", "user_action"],
        ["user login three", "user_action"],
        ["user login four", "security"],
    ]);
    assert_eq!(audits.body["rows"], expected, "{audits:?}");
    let logs = stage.post("/api/v1/sql", &json!({ "sql": "SELECT message FROM logs" })).await;
    assert_eq!(logs.body["rows"], json!([["user login five"]]), "{logs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_has_what_is_audited() {
    let (stage, mut tail) = filled().await;
    let mut found = Vec::new();
    for _ in 0..4 {
        let record = tail.wait_for("record", |_| true).await;
        found.push((record["message"].clone(), record["category"].clone()));
    }
    let expected = [("one", "audit"), ("two", "audit"), ("three", "audit"), ("four", "security")];
    let expected =
        expected.map(|(number, category)| (json!(format!("user login {number}")), json!(category)));
    assert_eq!(found, expected);
    stage.stop.cancel();
    tail.ends().await;
}
