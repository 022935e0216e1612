//! Logs and traces: searched, counted, and shown around a record and as a whole.

use std::sync::Arc;

use model::Timestamp;
use model::event::{Event, Level, LogEvent, Origin, SpanEvent, SpanStatus};
use reqwest::Method;
use serde_json::{Value, json};
use state::Scope;
use store::{Batch, batches_from_events};

use crate::stage::{Stage, answer, encoded};

const SECOND: i64 = 1_000_000_000;

/// A server with forty records of logs, one a second, and a trace; and when the first was.
async fn filled() -> (Stage, i64) {
    let stage = Stage::new().await;
    let start = Timestamp::now().as_nanos() - 600 * SECOND;
    let origin = |service: &str| Arc::new(Origin { service: Some(service.to_owned()), ..Origin::default() });
    let mut events: Vec<Event> = (0..40)
        .map(|number: i64| {
            let service = if number % 2 == 0 { "ocr" } else { "asr" };
            let time = Timestamp::from_nanos(start + number * SECOND);
            Event::Log(Box::new(LogEvent {
                level: Some(if number % 10 == 0 { Level::Error } else { Level::Info }),
                message: Some(format!("page {number} Timed out")),
                attributes: [("attempts".to_owned(), number.to_string())].into(),
                trace_id: (number == 3).then(|| "ab".repeat(16)),
                ..LogEvent::new(time, origin(service))
            }))
        })
        .collect();
    for (id, parent, from, to) in [("1", None, 0, 10), ("2", Some("1"), 2, 9)] {
        let time = Timestamp::from_nanos(start + from * SECOND);
        events.push(Event::Span(Box::new(SpanEvent {
            parent_span_id: parent.map(|parent: &str| parent.repeat(16)),
            name: format!("op {from}"),
            duration_ns: ((to - from) * SECOND) as u64,
            status: if from == 2 { SpanStatus::Error } else { SpanStatus::Unset },
            ..SpanEvent::new(time, "ab".repeat(16), id.repeat(16), origin("ocr"))
        })));
    }
    let batch = Batch { events: batches_from_events(&events).expect("rows"), ..Batch::default() };
    stage.store.append(batch).await.expect("stored");
    (stage, start)
}

async fn get(stage: &Stage, path: &str, parameters: &[(&str, &str)]) -> Value {
    let found = stage.get(&format!("{path}?{}", encoded(parameters))).await;
    assert_eq!(found.status, 200, "{path} {parameters:?}: {found:?}");
    found.body
}

fn messages(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("a list");
    items.iter().map(|item| item["message"].as_str().expect("a message")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_searched_and_read_page_by_page() {
    let (stage, _) = filled().await;
    let first = get(&stage, "/api/v1/logs", &[("q", "service:ocr timed attempts>=4"), ("limit", "2")]).await;
    assert_eq!(messages(&first), ["page 38 Timed out", "page 36 Timed out"]);
    let record = &first["items"][0];
    assert_eq!((&record["level"], &record["origin"]["service"]), (&json!("info"), &json!("ocr")));
    assert_eq!((&record["attributes"]["attempts"], &record["trace_id"]), (&json!("38"), &Value::Null));
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let mut parameters = vec![("q", "level:error"), ("limit", "3"), ("order", "oldest")];
        parameters.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = get(&stage, "/api/v1/logs", &parameters).await;
        all.extend(messages(&page).into_iter().map(str::to_owned));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(all, ["page 0 Timed out", "page 10 Timed out", "page 20 Timed out", "page 30 Timed out"]);
    let hinted = get(&stage, "/api/v1/logs", &[("q", "page and 3 servce:x")]).await;
    assert_eq!(hinted["hints"].as_array().map(Vec::len), Some(2), "{hinted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_cannot_be_read_is_told_with_its_place_and_what_to_write() {
    let (stage, _) = filled().await;
    for path in [
        "/api/v1/logs",
        "/api/v1/logs/histogram",
        "/api/v1/logs/facets",
        "/api/v1/logs/patterns",
        "/api/v1/traces",
    ] {
        let refused = stage.get(&format!("{path}?{}", encoded(&[("q", "timed time>5x")]))).await;
        refused.problem(400);
        assert_eq!(refused.body["type"], "urn:watchkeeper:problem:bad-query", "{refused:?}");
        assert_eq!(
            (&refused.body["fault"]["start"], &refused.body["fault"]["column"]),
            (&json!(11), &json!(12))
        );
        assert!(refused.body["fault"]["expected"].is_string(), "{refused:?}");
    }
    let refused = stage.get(&format!("/api/v1/logs?{}", encoded(&[("q", "level:eror")]))).await;
    assert_eq!(refused.body["fault"]["suggestion"], "did you mean `error`?");
    for (path, named) in [
        ("/api/v1/logs?limit=0", "`limit`"),
        ("/api/v1/logs?limit=1001", "`limit`"),
        ("/api/v1/logs?order=sideways", "`order`"),
        ("/api/v1/logs?cursor=5", "`cursor`"),
        ("/api/v1/logs?from=2030-01-01T00:00:00Z&to=2029-01-01T00:00:00Z", "`from`"),
        ("/api/v1/logs?colour=red", "colour"),
        ("/api/v1/logs/histogram?by=time", "`by`"),
        ("/api/v1/logs/histogram?buckets=1001", "`buckets`"),
        ("/api/v1/logs/histogram?by=duration", "`by`"),
        ("/api/v1/logs/histogram?by=%22level", "`by`: a name that begins with a quote"),
        ("/api/v1/logs/histogram?by=%22level%22,host", "`by`: a name that begins with a quote"),
        ("/api/v1/logs/facets?fields=time", "`fields`"),
        ("/api/v1/logs/facets?fields=level,duration", "`fields`"),
        ("/api/v1/logs/facets?fields=%22level%22host", "`fields`: a name that begins with a quote"),
        ("/api/v1/logs/facets?fields=level,%22", "`fields`: a name that begins with a quote"),
        ("/api/v1/logs/facets?fields=,", "`fields`"),
        ("/api/v1/logs/patterns?limit=1001", "`limit`"),
        ("/api/v1/logs/context", "`time`"),
        ("/api/v1/logs/context?time=2025-01-01T00:00:00Z&id=xyz", "`id`"),
        ("/api/v1/traces?limit=201", "`limit`"),
        ("/api/v1/traces/xyz", "hexadecimal"),
    ] {
        let refused = stage.get(path).await;
        assert!(refused.problem(400).contains(named), "{path}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_counted_over_time_and_by_value() {
    let (stage, start) = filled().await;
    let (from, to) = (
        Timestamp::from_nanos(start).to_string(),
        Timestamp::from_nanos(start + 40 * SECOND - 1).to_string(),
    );
    let range = [("from", from.as_str()), ("to", to.as_str())];
    let counted = [&range[..], &[("q", "timed"), ("buckets", "4")]].concat();
    let histogram = get(&stage, "/api/v1/logs/histogram", &counted).await;
    assert_eq!((&histogram["total"], &histogram["step_seconds"]), (&json!(40), &json!(10.0)));
    let series = |value: &str, count: u64| json!({ "value": value, "counts": [count, count, count, count] });
    assert_eq!(histogram["series"], json!([series("info", 9), series("error", 1)]));
    let facets =
        get(&stage, "/api/v1/logs/facets", &[("q", "attempts<10"), ("fields", "service,level,host")]).await;
    let values = |field: usize| facets["fields"][field]["values"].clone();
    assert_eq!(values(0), json!([{ "value": "asr", "count": 5 }, { "value": "ocr", "count": 5 }]));
    assert_eq!(values(1), json!([{ "value": "info", "count": 9 }, { "value": "error", "count": 1 }]));
    assert_eq!(values(2), json!([{ "value": null, "count": 10 }]));
    // Attributes are counted, too, by the names that searches have for them; one that nobody has is no fault.
    let fields = [("q", "attempts<3"), ("fields", "attempts,attributes.attempts,resource.attempts,colour")];
    let facets = get(&stage, "/api/v1/logs/facets", &[&fields[..], &[("limit", "2")]].concat()).await;
    let shown = |field: usize| &facets["fields"][field];
    let first = json!([{ "value": "0", "count": 1 }, { "value": "1", "count": 1 }]);
    for field in [0, 1] {
        assert_eq!((&shown(field)["values"], &shown(field)["others"]), (&first, &json!(1)), "{facets}");
        assert_eq!((&shown(field)["distinct"], &shown(field)["exact"]), (&json!(3), &json!(true)));
    }
    for field in [2, 3] {
        assert_eq!(shown(field)["values"], json!([{ "value": null, "count": 3 }]), "{facets}");
    }
    let quoted = [("q", "attempts<3"), ("fields", r#" "attempts" ,attempts, "a,\"b\"","k8s.io/name" "#)];
    let facets = get(&stage, "/api/v1/logs/facets", &quoted).await;
    let names: Vec<&Value> = (0..4).map(|place| &facets["fields"][place]["field"]).collect();
    assert_eq!(names, ["attempts", "attempts", "a,\"b\"", "k8s.io/name"]);
    assert_eq!(facets["fields"][0], facets["fields"][1], "quotes change nothing");
    let by_quoted = [&range[..], &[("by", "\"attempts\""), ("buckets", "1")]].concat();
    assert_eq!(get(&stage, "/api/v1/logs/histogram", &by_quoted).await["by"], "attempts");
    let by = [&range[..], &[("by", "attempts"), ("buckets", "1")]].concat();
    let by = get(&stage, "/api/v1/logs/histogram", &by).await;
    assert_eq!((by["series"].as_array().map(Vec::len), &by["others"]), (Some(32), &json!([8])), "{by}");
    let last_hour = get(&stage, "/api/v1/logs/histogram", &[]).await;
    assert_eq!((&last_hour["total"], &last_hour["by"]), (&json!(40), &json!("level")));
    assert_eq!(get(&stage, "/api/v1/logs/facets", &[("limit", "1")]).await["fields"][0]["others"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_clustered_by_template() {
    let (stage, start) = filled().await;
    let found = get(&stage, "/api/v1/logs/patterns", &[("q", "service:ocr")]).await;
    let pattern = &found["items"][0];
    assert_eq!((&pattern["template"], &pattern["count"]), (&json!("page <num> Timed out"), &json!(20)));
    assert_eq!((&pattern["share"], &pattern["levels"]), (&json!(1.0), &json!({ "error": 4, "info": 16 })));
    let at = |second: i64| json!(Timestamp::from_nanos(start + second * SECOND));
    assert_eq!((&pattern["first_seen"], &pattern["last_seen"]), (&at(0), &at(38)));
    assert_eq!((&found["total"], &found["distinct"], &found["exact"]), (&json!(20), &json!(1), &json!(true)));
    // The example leads to its record.
    let (time, id) = (pattern["example"]["time"].as_str(), pattern["example"]["id"].as_str());
    let sides =
        [("time", time.expect("a time")), ("id", id.expect("an id")), ("before", "0"), ("after", "0")];
    let example = get(&stage, "/api/v1/logs/context", &sides).await;
    assert_eq!((messages(&example), &example["place"]), (vec!["page 38 Timed out"], &json!(0)));
    let none = get(&stage, "/api/v1/logs/patterns", &[("q", "nothing")]).await;
    assert_eq!((&none["items"], &none["total"]), (&json!([]), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_said_around_a_record_is_shown() {
    let (stage, _) = filled().await;
    let found = get(&stage, "/api/v1/logs", &[("q", "\"page 20\"")]).await;
    let (time, id) = (
        found["items"][0]["time"].as_str().expect("a time"),
        found["items"][0]["id"].as_str().expect("an id"),
    );
    let sides = [("time", time), ("id", id), ("service", "ocr"), ("before", "1"), ("after", "2")];
    let around = get(&stage, "/api/v1/logs/context", &sides).await;
    assert_eq!(messages(&around), [18, 20, 22, 24].map(|number| format!("page {number} Timed out")));
    assert_eq!(around["place"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_are_found_by_their_spans_and_shown_as_a_whole() {
    let (stage, _) = filled().await;
    let found = get(&stage, "/api/v1/traces", &[("q", "service:ocr status:error duration>5s")]).await;
    let trace = &found["items"][0];
    assert_eq!((&trace["trace_id"], &trace["spans"]), (&json!("ab".repeat(16)), &json!(2)));
    assert_eq!((&trace["name"], &trace["duration_seconds"]), (&json!("op 0"), &json!(10.0)));
    assert_eq!((&trace["errors"], &trace["matching"]), (&json!(1), &json!(1)));
    let whole = get(&stage, &format!("/api/v1/traces/{}", "AB".repeat(16)), &[]).await;
    let (root, part) = (&whole["spans"][0], &whole["spans"][1]);
    assert_eq!((&root["self_seconds"], &root["critical_seconds"]), (&json!(3.0), &json!(3.0)));
    assert_eq!(
        (&part["parent"], &part["depth"], &part["critical_seconds"]),
        (&json!(0), &json!(1), &json!(7.0))
    );
    assert_eq!(whole["logs"][0]["message"], "page 3 Timed out");
    stage.get(&format!("/api/v1/traces/{}", "cd".repeat(16))).await.problem(404);
    assert_eq!(get(&stage, "/api/v1/traces", &[("q", "service:nobody")]).await["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_shown_to_who_may_read() {
    let (stage, _) = filled().await;
    let (reader, sender) = (stage.key(&[Scope::Read]).await, stage.key(&[Scope::Ingest]).await);
    for path in [
        "/api/v1/logs",
        "/api/v1/logs/histogram",
        "/api/v1/logs/facets",
        "/api/v1/logs/patterns",
        "/api/v1/traces",
    ] {
        let as_who = |key: &str| answer(stage.request(Method::GET, path).bearer_auth(key));
        assert_eq!(as_who(&reader).await.status, 200, "{path}");
        as_who(&sender).await.problem(403);
        answer(stage.request(Method::GET, path)).await.problem(401);
    }
}
