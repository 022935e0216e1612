//! Queries as texts: formatted, taken apart, explained.

use model::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Stage, answer, encoded};

/// By GET and by POST, which must answer the same.
async fn ask(stage: &Stage, path: &str, parameters: &[(&str, &str)]) -> Answer {
    let path = format!("/prometheus/api/v1/{path}");
    let by_get = answer(stage.local(Method::GET, &format!("{path}?{}", encoded(parameters)))).await;
    let form = stage
        .local(Method::POST, &path)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(encoded(parameters));
    let by_post = answer(form).await;
    assert_eq!(by_get.status, by_post.status);
    assert_eq!(without_times(by_get.body.clone()), without_times(by_post.body));
    by_get
}

/// An answer without how long it took, which is never the same.
fn without_times(mut answered: Value) -> Value {
    match &mut answered {
        Value::Object(fields) => {
            fields.remove("time_seconds");
            fields.values_mut().for_each(|field| *field = without_times(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_times(item.take())),
        _ => {}
    }
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_formatted_and_a_text_that_is_none_is_refused() {
    let stage = Stage::new().await;
    let good = ask(&stage, "format_query", &[("query", "sum(rate(a{b='c'}[300]))by(d)")]).await;
    let expected = json!({ "status": "success", "data": "sum by (d) (rate(a{b=\"c\"}[5m]))" });
    assert_eq!(good.body, expected);
    for path in ["format_query", "parse_query"] {
        let bad = ask(&stage, path, &[("query", "sum(")]).await;
        let error = json!({ "status": "error", "errorType": "bad_data",
            "error": "invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis" });
        assert_eq!((bad.status.as_u16(), &bad.body), (400, &error));
        assert_eq!(ask(&stage, path, &[]).await.status, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_form_is_taken_and_one_over_the_bound_is_bad_data() {
    let stage = Stage::new().await;
    let with_padding = |bytes: usize| {
        let form = format!("query=1&padding={}", "x".repeat(bytes));
        let post = stage.local(Method::POST, "/prometheus/api/v1/query");
        answer(post.header("Content-Type", "application/x-www-form-urlencoded").body(form))
    };
    let large = with_padding(512 << 10).await;
    assert_eq!((large.status.as_u16(), &large.body["data"]["result"][1]), (200, &json!("1")));
    let too_large = with_padding(2 << 20).await;
    assert_eq!((too_large.status.as_u16(), &too_large.body["errorType"]), (400, &json!("bad_data")));
    assert_eq!(too_large.body["error"], "The body may have 1MiB at the most; send it in parts.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_taken_apart_as_prometheus_does() {
    let stage = Stage::new().await;
    let parsed = |query: &'static str| {
        let stage = &stage;
        async move { ask(stage, "parse_query", &[("query", query)]).await.body["data"].clone() }
    };
    let selector = |name: &str| {
        json!({ "type": "vectorSelector", "name": name, "offset": 0, "timestamp": null, "startOrEnd": null,
            "anchored": false, "smoothed": false, "matchers": [{ "name": "__name__", "value": name, "type": "=" }] })
    };
    let matrix = json!({ "type": "matrixSelector", "name": "a", "range": 300_000, "offset": 60_000, "timestamp": null,
        "startOrEnd": "end", "anchored": true, "smoothed": false, "matchers": [
            { "name": "b", "value": "c.*", "type": "=~" }, { "name": "__name__", "value": "a", "type": "=" }] });
    let rate = json!({ "type": "call", "args": [matrix],
        "func": { "name": "rate", "argTypes": ["matrix"], "variadic": 0, "returnType": "vector" } });
    let expected = json!({ "type": "aggregation", "op": "topk", "expr": rate, "grouping": ["d"], "without": false,
        "param": { "type": "numberLiteral", "val": "3" } });
    assert_eq!(parsed("topk by (d) (3, rate(a{b=~'c.*'}[5m] anchored @ end() offset 1m))").await, expected);
    let expected = json!({ "type": "binaryExpr", "op": "/", "lhs": selector("a"), "bool": false,
        "rhs": { "type": "parenExpr", "expr": { "type": "unaryExpr", "op": "-", "expr": selector("b") } },
        "matching": { "card": "many-to-one", "labels": ["x"], "on": true, "include": ["y"],
            "fillValues": { "lhs": null, "rhs": 1.0 } } });
    assert_eq!(parsed("a / on (x) group_left (y) fill_right (1) (-b)").await, expected);
    let expected = json!({ "type": "subquery", "expr": selector("a"), "range": 3_600_000, "step": 0, "offset": 0,
        "timestamp": 1500, "startOrEnd": null });
    assert_eq!(parsed("a[1h:] @ 1.5").await, expected);
    assert_eq!(parsed("a + 1").await["matching"], Value::Null);
    assert_eq!(parsed("a or b").await["matching"]["card"], "many-to-many");
    assert_eq!(parsed("'x'").await, json!({ "type": "stringLiteral", "val": "x" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_explained_at_one_time_and_over_a_range() {
    let stage = Stage::new().await;
    let now = Timestamp::now().as_millis() / 1000;
    let samples: Vec<(i64, f64)> = (0..10).map(|n| ((now - 90 + n * 10) * 1000, n as f64)).collect();
    let body = testkit::remote_write(&[
        (&[("__name__", "queue_depth"), ("queue", "llm")], &samples),
        (&[("__name__", "queue_depth"), ("queue", "ocr")], &samples),
    ]);
    let write = stage.local(Method::POST, "/prometheus/api/v1/write").body(body);
    assert_eq!(answer(write.header("Content-Encoding", "snappy")).await.status, 204);
    let query = "sum(queue_depth)";
    let at_once = ask(&stage, "explain_query", &[("query", query)]).await.body;
    assert_eq!(at_once["status"], "success", "{at_once}");
    let data = &at_once["data"];
    assert_eq!((&data["steps"], &data["series"], &data["samples"]), (&json!(1), &json!(1), &json!(1)));
    let root = &data["plan"][0];
    assert_eq!((&root["text"], &root["children"][0]["text"]), (&json!("sum(…)"), &json!("queue_depth")));
    assert_eq!(
        (&root["children"][0]["series"], &root["children"][0]["samples_read"]),
        (&json!(2), &json!(20))
    );
    let (start, end) = ((now - 60).to_string(), now.to_string());
    let range = [("query", query), ("start", &*start), ("end", &*end), ("step", "10s")];
    let over_time = ask(&stage, "explain_query", &range).await.body;
    assert_eq!((&over_time["data"]["steps"], &over_time["data"]["samples"]), (&json!(7), &json!(7)));
    assert_eq!(ask(&stage, "explain_query", &[("query", query), ("start", &*start)]).await.status, 400);
}
