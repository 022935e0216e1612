//! What Grafana's data source of the type Loki asks, as it asks it, over what came in by OpenTelemetry.

use model::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use state::Scope;

use crate::stage::{Answer, Stage, answer, encoded};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A server with forty records, one a second, of two services; and the second in which the first was.
async fn filled() -> (Stage, i64) {
    let stage = Stage::new().await;
    let start = Timestamp::now().as_millis() / 1_000 - 600;
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let record = |number: i64| {
        json!({
            "timeUnixNano": ((start + number) * 1_000_000_000).to_string(),
            "severityNumber": if number % 10 == 0 { 17 } else { 9 },
            "body": { "stringValue": format!("page {number} Timed out") },
            "traceId": if number == 4 { TRACE } else { "" },
            "attributes": [
                text("k8s.pod", "pod-1"),
                json!({ "key": "http.response.status_code", "value": { "intValue": (200 + number).to_string() } }),
            ],
        })
    };
    let group = |service: &str, first: i64| {
        let records: Vec<Value> = (first..40).step_by(2).map(&record).collect();
        json!({
            "resource": { "attributes": [text("service.name", service), text("host.name", "gpu-1")] },
            "scopeLogs": [{ "logRecords": records }],
        })
    };
    let body = json!({ "resourceLogs": [group("ocr", 0), group("asr", 1)] });
    let sent = stage.post("/v1/logs", &body).await;
    assert_eq!((sent.status.as_u16(), sent.text.as_str()), (200, "{}"), "{sent:?}");
    (stage, start)
}

fn nanos(seconds: i64) -> String {
    (seconds * 1_000_000_000).to_string()
}

/// As Grafana's server asks.
async fn ask(stage: &Stage, path: &str, parameters: &[(&str, &str)]) -> Answer {
    let path = format!("/loki/api/v1/{path}?{}", encoded(parameters));
    let request = stage.local(Method::GET, &path);
    answer(request.header("X-Loki-Response-Encoding-Flags", "categorize-labels")).await
}

async fn data(stage: &Stage, path: &str, parameters: &[(&str, &str)]) -> Value {
    let found = ask(stage, path, parameters).await;
    assert_eq!(found.status, 200, "{path} {parameters:?}: {found:?}");
    assert_eq!(found.body["status"], "success", "{found:?}");
    found.body["data"].clone()
}

/// Lines of a range, with the order in which all fields come.
async fn lines(stage: &Stage, start: i64, query: &str, more: &[(&str, &str)]) -> Value {
    let (from, to) = (nanos(start), nanos(start + 40));
    let range = [("end", to.as_str()), ("query", query), ("start", from.as_str()), ("step", "1000ms")];
    data(stage, "query_range", &[&range[..], more].concat()).await
}

fn texts(found: &Value) -> Vec<&str> {
    let streams = found["result"].as_array().expect("streams").iter();
    let values = streams.flat_map(|stream| stream["values"].as_array().expect("values"));
    values.map(|value| value[1].as_str().expect("a line")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_come_in_streams_with_their_facts_beside_them() {
    let (stage, start) = filled().await;
    let query = "{service_name=\"ocr\", level=\"info\"} |= `page 4` | json";
    let found = lines(&stage, start, query, &[("direction", "backward"), ("limit", "1000")]).await;
    assert_eq!(found["resultType"], "streams");
    assert_eq!(found["encodingFlags"], json!(["categorize-labels"]));
    let stream = &found["result"][0];
    assert_eq!(stream["stream"], json!({ "host": "gpu-1", "level": "info", "service_name": "ocr" }));
    let [value] = &stream["values"].as_array().expect("values")[..] else { panic!("one line: {found}") };
    assert_eq!((&value[0], &value[1]), (&json!(nanos(start + 4)), &json!("page 4 Timed out")));
    let facts = json!({ "http_status_code": "204", "k8s_pod": "pod-1", "trace_id": TRACE });
    assert_eq!(value[2]["structuredMetadata"], facts);
    // Grafana reads an answer as it comes, and must know what a result is before it is there.
    let path = format!("/loki/api/v1/query_range?{}", encoded(&[("query", "{}"), ("start", &nanos(start))]));
    let plain = stage.get(&path).await;
    let places = ["\"resultType\"", "\"result\"", "\"stats\""].map(|name| plain.text.find(name).expect(name));
    assert!(places.is_sorted(), "{}", plain.text);
    assert_eq!(plain.body["data"]["encodingFlags"], Value::Null);
    assert_eq!(plain.body["data"]["result"][0]["values"][0].as_array().map(Vec::len), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_found_by_their_order_their_range_and_all_kinds_of_filters() {
    let (stage, start) = filled().await;
    let first =
        lines(&stage, start, "{service_name=\"ocr\"}", &[("direction", "forward"), ("limit", "2")]).await;
    assert_eq!(texts(&first), ["page 0 Timed out", "page 2 Timed out"]);
    let last = lines(&stage, start, "{service_name=~\"o.*\"}", &[("limit", "2")]).await;
    assert_eq!(texts(&last), ["page 38 Timed out", "page 36 Timed out"]);
    let of_trace = format!("{{service_name=\"ocr\"}} | trace_id=`{TRACE}`");
    let cases = [
        ("{service_name=\"ocr\"} | level=\"error\"", 4),
        ("{detected_level=\"error\"}", 4),
        ("{service_name!=\"ocr\"} |~ `(?i)TIMED`", 20),
        ("{host=\"gpu-1\"} != \"Timed\"", 0),
        ("{host=\"gpu-1\"} | logfmt | http_response_status_code >= 230", 10),
        ("{host=\"gpu-1\"} | http_status_code < 205 and k8s_pod=\"pod-1\"", 5),
        (of_trace.as_str(), 1),
        ("{stage=\"\"} |= \"page 1\"", 11),
    ];
    for (query, count) in cases {
        let found = lines(&stage, start, query, &[("limit", "1000")]).await;
        assert_eq!(texts(&found).len(), count, "{query}: {found}");
    }
    // The end of a range is not in it, its start is.
    let (from, to) = (nanos(start + 4), nanos(start + 6));
    let range = [("query", "{service_name=\"ocr\"}"), ("start", from.as_str()), ("end", to.as_str())];
    assert_eq!(texts(&data(&stage, "query_range", &range).await), ["page 4 Timed out"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_volume_of_logs_is_counted_as_explore_shows_it() {
    let (stage, start) = filled().await;
    let query =
        "sum by (level, detected_level) (count_over_time({service_name=\"ocr\"} | drop __error__[10s]))";
    let (from, to) = (nanos(start), nanos(start + 40));
    let range = [("end", to.as_str()), ("query", query), ("start", from.as_str()), ("step", "10000ms")];
    let found = data(&stage, "query_range", &[&range[..], &[("direction", "backward")]].concat()).await;
    assert_eq!(found["resultType"], "matrix");
    let mut counted = Vec::new();
    for series in found["result"].as_array().expect("series") {
        assert_eq!(series["metric"]["level"], series["metric"]["detected_level"]);
        let level = series["metric"]["level"].as_str().expect("a level");
        let values = series["values"].as_array().expect("values").iter();
        let values: Vec<_> = values
            .map(|value| {
                (value[0].as_f64().expect("a time") as i64 - start, value[1].as_str().expect("a value"))
            })
            .collect();
        counted.push((level, values));
    }
    let expected = [
        ("error", vec![(0, "1"), (10, "1"), (20, "1"), (30, "1")]),
        ("info", vec![(10, "4"), (20, "4"), (30, "4"), (40, "4")]),
    ];
    assert_eq!(counted, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_at_one_time_are_vectors_and_the_probe_of_grafana_is_answered() {
    let (stage, start) = filled().await;
    let probe = [("direction", "backward"), ("query", "vector(1)+vector(1)"), ("time", "4000000000")];
    let found = data(&stage, "query", &probe).await;
    assert_eq!((&found["resultType"], &found["result"][0]["value"][1]), (&json!("vector"), &json!("2")));
    let at = nanos(start + 39);
    let cases = [
        ("sum(count_over_time({host=\"gpu-1\"}[1h]))", json!([[{}, "40"]])),
        ("sum by (service_name) (rate({level=\"error\"}[4s]))", json!([])),
        (
            "sum by (service_name) (rate({host=\"gpu-1\"}[4s]))",
            json!([[{ "service_name": "asr" }, "0.5"], [{ "service_name": "ocr" }, "0.5"]]),
        ),
        (
            "topk(1, sum by (level) (count_over_time({host=\"gpu-1\"}[1h])))",
            json!([[{ "level": "info" }, "36"]]),
        ),
        ("sum(bytes_over_time({service_name=\"ocr\"} |= \"page 2 \"[1h]))", json!([[{}, "16"]])),
    ];
    for (query, expected) in cases {
        let found = data(&stage, "query", &[("query", query), ("time", &at)]).await;
        let samples = found["result"].as_array().expect("samples").iter();
        let samples: Value = samples.map(|sample| json!([sample["metric"], sample["value"][1]])).collect();
        assert_eq!(samples, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_their_values_and_streams_are_listed() {
    let (stage, start) = filled().await;
    let (from, to) = (nanos(start), nanos(start + 40));
    let range = [("start", from.as_str()), ("end", to.as_str())];
    let labels = data(&stage, "labels", &range).await;
    assert_eq!(labels, json!(::records::STREAM_LABELS));
    let with = |name: &'static str, value: &'static str| [&range[..], &[(name, value)]].concat();
    assert_eq!(data(&stage, "label/service_name/values", &range).await, json!(["asr", "ocr"]));
    let of_ocr = with("query", "{service_name=\"ocr\"}");
    assert_eq!(data(&stage, "label/level/values", &of_ocr).await, json!(["error", "info"]));
    assert_eq!(
        data(&stage, "label/level/values", &with("query", "{service_name=\"asr\"}")).await,
        json!(["info"])
    );
    assert_eq!(data(&stage, "label/stage/values", &range).await, json!([]));
    assert_eq!(
        data(&stage, "label/trace_id/values", &range).await,
        json!([]),
        "ids are no labels of streams"
    );
    let stream =
        |service: &str, level: &str| json!({ "host": "gpu-1", "level": level, "service_name": service });
    let streams = data(&stage, "series", &with("match[]", "{host=\"gpu-1\"}")).await;
    assert_eq!(streams, json!([stream("ocr", "error"), stream("asr", "info"), stream("ocr", "info")]));
    let stats = ask(&stage, "index/stats", &of_ocr).await;
    assert_eq!(stats.body, json!({ "streams": 2, "chunks": 0, "bytes": 0, "entries": 20 }), "{stats:?}");
    let build = ask(&stage, "status/buildinfo", &[]).await;
    assert!(build.body["version"].as_str().is_some_and(|version| version.starts_with("3.")), "{build:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_by_an_address_can_be_asked_by_a_form() {
    let (stage, start) = filled().await;
    let (from, to) = (nanos(start), nanos(start + 40));
    let range = [("start", from.as_str()), ("end", to.as_str())];
    let lines = ("query", "{service_name=\"ocr\"} |= `page 4`");
    let count = ("query", "sum(count_over_time({host=\"gpu-1\"}[1h]))");
    let cases: [(&str, Vec<(&str, &str)>); 9] = [
        ("query_range", vec![lines]),
        ("query_range", vec![count, ("step", "10")]),
        ("query", vec![count, ("time", to.as_str())]),
        ("labels", vec![]),
        ("label/level/values", vec![("query", "{service_name=\"ocr\"}")]),
        ("series", vec![("match[]", "{level=\"error\"}"), ("match[]", "{service_name=\"asr\"}")]),
        ("index/volume", vec![("query", "{host=\"gpu-1\"}")]),
        ("index/volume_range", vec![("query", "{host=\"gpu-1\"}"), ("step", "10")]),
        ("detected_fields", vec![("query", "{service_name=\"ocr\"}")]),
    ];
    for (path, parameters) in cases {
        let (path, parameters) =
            (format!("/loki/api/v1/{path}"), encoded(&[&range[..], &parameters[..]].concat()));
        let by_address = stage.get(&format!("{path}?{parameters}")).await;
        let form =
            stage.local(Method::POST, &path).header("Content-Type", "application/x-www-form-urlencoded");
        let by_form = answer(form.body(parameters.clone())).await;
        assert_eq!((by_form.status.as_u16(), &by_form.text), (200, &by_address.text), "{path} {parameters}");
        assert!(by_form.text.len() > 40, "{path} {parameters}: {by_form:?}");
    }
    let form = stage.local(Method::POST, "/loki/api/v1/query");
    let form = form.header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    let large = answer(form.body(format!("query={}", "x".repeat(2 << 20)))).await;
    refused(&large, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_are_bytes_of_lines_by_labels() {
    let (stage, start) = filled().await;
    let (from, to) = (nanos(start), nanos(start + 40));
    let with = |more: &[(&'static str, &'static str)]| {
        let range = [("start", from.clone()), ("end", to.clone())];
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        range.into_iter().chain(more).collect::<Vec<_>>()
    };
    let cases = [
        (
            with(&[("query", "{host=\"gpu-1\"}"), ("targetLabels", "service_name")]),
            json!([[{ "service_name": "asr" }, "335"], [{ "service_name": "ocr" }, "335"]]),
        ),
        (with(&[("query", "{level=\"error\"}")]), json!([[{ "level": "error" }, "67"]])),
        (
            with(&[("query", "{host=\"gpu-1\"}"), ("targetLabels", "level"), ("limit", "1")]),
            json!([[{ "level": "info" }, "603"]]),
        ),
        (
            with(&[("query", "{service_name=\"ocr\"} |= `page 2 `"), ("aggregateBy", "series")]),
            json!([[{ "service_name": "ocr" }, "16"]]),
        ),
    ];
    for (parameters, expected) in cases {
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let found = data(&stage, "index/volume", &parameters).await;
        assert_eq!(found["resultType"], "vector");
        let samples = found["result"].as_array().expect("samples").iter();
        let samples: Value = samples.map(|sample| json!([sample["metric"], sample["value"][1]])).collect();
        assert_eq!(samples, expected, "{parameters:?}");
    }
    let range =
        [("query", "{level=\"error\"}"), ("start", from.as_str()), ("end", to.as_str()), ("step", "10")];
    let found = data(&stage, "index/volume_range", &range).await;
    let values = found["result"][0]["values"].as_array().expect("values").iter();
    let values: Vec<_> = values.map(|value| value[1].as_str().expect("a value")).collect();
    assert_eq!((&found["resultType"], values), (&json!("matrix"), vec!["16", "17", "17", "17"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_and_fields_that_lines_have_are_told_with_names_that_filter() {
    let (stage, start) = filled().await;
    let (from, to) = (nanos(start), nanos(start + 40));
    let range = [("query", "{service_name=\"ocr\"}"), ("start", from.as_str()), ("end", to.as_str())];
    let found = ask(&stage, "detected_labels", &range).await;
    let label = |name: &str, count: usize| json!({ "label": name, "cardinality": count });
    let expected =
        json!({ "detectedLabels": [label("host", 1), label("level", 2), label("service_name", 1)] });
    assert_eq!(found.body, expected, "{found:?}");
    let found = ask(&stage, "detected_fields", &range).await;
    let field = |name: &str, kind: &str, count: usize| json!({ "label": name, "type": kind, "cardinality": count, "parsers": null });
    let expected = json!([
        field("detected_level", "string", 2),
        field("http_status_code", "int", 20),
        field("k8s_pod", "string", 1),
        field("trace_id", "string", 1),
    ]);
    assert_eq!((&found.body["fields"], &found.body["limit"]), (&expected, &json!(1_000)), "{found:?}");
    let few = [&range[..], &[("line_limit", "3"), ("limit", "2")]].concat();
    let found = ask(&stage, "detected_fields", &few).await;
    let expected = json!([field("detected_level", "string", 1), field("http_status_code", "int", 3)]);
    assert_eq!(found.body["fields"], expected, "the newest three lines: {found:?}");
    let found = ask(&stage, "detected_field/k8s_pod/values", &range).await;
    assert_eq!(found.body, json!({ "values": ["pod-1"], "limit": 1_000 }), "{found:?}");
}

#[track_caller]
fn refused(found: &Answer, status: u16) -> &str {
    assert_eq!(found.status.as_u16(), status, "{found:?}");
    assert_eq!(found.header("content-type"), "text/plain; charset=utf-8", "{found:?}");
    &found.text
}

/// Names with their values.
type Pairs<'a> = &'a [(&'a str, &'a str)];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_told_as_loki_tells_it_with_what_is() {
    let stage = Stage::new().await;
    let cases: [(&str, Pairs<'_>, &str); 14] = [
        ("query_range", &[], "`query`"),
        ("query_range", &[("query", "{a=}")], "column 4"),
        ("query_range", &[("query", "{a=\"b\"} | line_format \"x\"")], "`json`, `logfmt`"),
        ("query_range", &[("query", "quantile_over_time(0.9, {a=\"b\"}[5m])")], "`count_over_time`"),
        ("query_range", &[("query", "{}"), ("limit", "5001")], "5000"),
        ("query_range", &[("query", "{}"), ("direction", "up")], "`forward`"),
        ("query_range", &[("query", "{}"), ("start", "5"), ("end", "4")], "`end`"),
        (
            "query_range",
            &[("query", "rate({}[1m])"), ("start", "0"), ("end", "90000"), ("step", "1")],
            "steps",
        ),
        ("query", &[("query", "{a=\"b\"}")], "query_range"),
        ("series", &[("match[]", "{a")], "column 3"),
        ("index/volume", &[], "`query`"),
        ("index/volume", &[("query", "{}"), ("aggregateBy", "labels")], "`series`"),
        ("index/volume_range", &[("query", "{}"), ("limit", "501")], "500"),
        ("detected_fields", &[("line_limit", "5001")], "5000"),
    ];
    for (path, parameters, expected) in cases {
        let found = ask(&stage, path, parameters).await;
        let said = refused(&found, 400);
        assert!(said.contains(expected), "{path} {parameters:?}: {said}");
    }
    let path = format!("/loki/api/v1/query?{}", encoded(&[("query", "vector(1)")]));
    refused(&answer(stage.request(Method::GET, &path)).await, 401);
    let (reading, ingest) = (stage.key(&[Scope::Read]).await, stage.key(&[Scope::Ingest]).await);
    refused(&answer(stage.request(Method::GET, &path).bearer_auth(&ingest)).await, 403);
    for request in [
        stage.request(Method::GET, &path).bearer_auth(&reading),
        stage.request(Method::GET, &path).basic_auth("grafana", Some(&reading)),
        stage.request(Method::GET, &path).header("X-API-Key", &reading),
    ] {
        assert_eq!(answer(request).await.status, 200);
    }
}
