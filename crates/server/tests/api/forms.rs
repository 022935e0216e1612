//! What is asked of the Prometheus API by an address can be asked by a form, as Grafana does, with the same answer.

use model::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::protobuf::Message;

use crate::stage::{Stage, answer, encoded};

/// A server with three series, the first of them with an exemplar; gives their time in whole seconds.
async fn stage() -> (Stage, i64) {
    let (stage, now) = (Stage::new().await, Timestamp::now().as_millis() / 1000);
    let now_ms = now.unsigned_abs() * 1000;
    let series = |labels: &[(&str, &str)]| {
        let label = |name: &str, value: &str| Message::new().text(1, name).text(2, value);
        let labels = labels.iter().map(|(name, value)| label(name, value));
        let labels = labels.fold(Message::new(), |series, label| series.message(1, &label));
        labels.message(2, &Message::new().double(1, 2.5).number(2, now_ms))
    };
    let of_exemplar = Message::new().text(1, "trace_id").text(2, "t1");
    let exemplar = Message::new().message(1, &of_exemplar).double(2, 0.5).number(3, now_ms);
    let body = Message::new()
        .message(1, &series(&[("__name__", "requests_total"), ("job", "api")]).message(3, &exemplar))
        .message(1, &series(&[("__name__", "requests_total"), ("job", "web")]))
        .message(1, &series(&[("__name__", "up"), ("job", "api"), ("zone", "a")]));
    let write = stage.local(Method::POST, "/prometheus/api/v1/write").body(body.snappy());
    let written = answer(write.header("Content-Encoding", "snappy")).await;
    assert_eq!(written.status, 204, "{written:?}");
    (stage, now)
}

/// The data that is answered to an address and to a form; with another answer to one of them the test fails.
async fn data(stage: &Stage, path: &str, parameters: &[(&str, &str)]) -> Value {
    let (path, parameters) = (format!("/prometheus/api/v1/{path}"), encoded(parameters));
    let by_address = answer(stage.local(Method::GET, &format!("{path}?{parameters}"))).await;
    let form = stage.local(Method::POST, &path).header("Content-Type", "application/x-www-form-urlencoded");
    let by_form = answer(form.body(parameters.clone())).await;
    assert_eq!((by_form.status, &by_form.body), (by_address.status, &by_address.body), "{path} {parameters}");
    assert_eq!(by_form.body["status"], "success", "{path} {parameters}: {by_form:?}");
    by_form.body["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn series_are_listed_by_forms_with_any_number_of_selectors() {
    let (stage, _) = stage().await;
    let api = json!({ "__name__": "requests_total", "job": "api" });
    let up = json!({ "__name__": "up", "job": "api", "zone": "a" });
    let one = ("match[]", r#"requests_total{job="api"}"#);
    assert_eq!(data(&stage, "series", &[one]).await, json!([api]));
    assert_eq!(data(&stage, "series", &[one, ("match[]", "up")]).await, json!([api, up]));
    let before = [one, ("start", "1000"), ("end", "2000")];
    assert_eq!(data(&stage, "series", &before).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_listed_by_forms_of_all_series_and_of_some() {
    let (stage, _) = stage().await;
    assert_eq!(data(&stage, "labels", &[]).await, json!(["__name__", "job", "zone"]));
    let some = [("match[]", r#"requests_total{job="web"}"#)];
    assert_eq!(data(&stage, "labels", &some).await, json!(["__name__", "job"]));
    let limited = [("match[]", "up"), ("limit", "1")];
    assert_eq!(data(&stage, "labels", &limited).await, json!(["__name__"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn exemplars_are_found_by_forms() {
    let (stage, now) = stage().await;
    let query = ("query", "rate(requests_total[5m])");
    let expected = json!([{
        "seriesLabels": { "__name__": "requests_total", "job": "api" },
        "exemplars": [{ "labels": { "trace_id": "t1" }, "value": "0.5", "timestamp": now as f64 }],
    }]);
    assert_eq!(data(&stage, "query_exemplars", &[query]).await, expected);
    let before = [query, ("start", "1000"), ("end", "2000")];
    assert_eq!(data(&stage, "query_exemplars", &before).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_queried_by_a_form() {
    let (stage, now) = stage().await;
    let (start, end) = ((now - 60).to_string(), (now + 60).to_string());
    let query = r#"requests_total{job="api"} + 1"#;
    let range = [("query", query), ("start", &*start), ("end", &*end), ("step", "60")];
    let values = json!([[now, "3.5"], [now + 60, "3.5"]]);
    let expected =
        json!({ "resultType": "matrix", "result": [{ "metric": { "job": "api" }, "values": values }] });
    assert_eq!(data(&stage, "query_range", &range).await, expected);
}
