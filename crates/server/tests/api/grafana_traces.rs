//! What Grafana's data source of the type Jaeger asks, as it asks it, over what came in by OpenTelemetry.

use model::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use state::Scope;
use testkit::protobuf::Message;

use crate::stage::{Stage, answer, encoded};

const FIRST: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SECOND: &str = "00000000000000000000000000000abc";

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// A server with two traces, the first of them of two services; and when they began, in microseconds.
async fn filled() -> (Stage, i64) {
    let stage = Stage::new().await;
    let start = Timestamp::now().as_millis() * 1_000 - 600_000_000;
    let nanos = |micros: i64| ((start + micros) * 1_000).to_string();
    let root = json!({
        "traceId": FIRST, "spanId": "00000000000000a1", "name": "POST /documents", "kind": 2,
        "startTimeUnixNano": nanos(0), "endTimeUnixNano": nanos(2_000_000),
        "attributes": [
            text("http.request.method", "POST"),
            json!({ "key": "http.response.status_code", "value": { "intValue": "503" } }),
            text("colour", "red"),
        ],
        "status": { "code": 2, "message": "timed out" },
        "events": [{ "timeUnixNano": nanos(5), "name": "retry", "attributes": [text("why", "slow")] }],
    });
    let child = json!({
        "traceId": FIRST, "spanId": "00000000000000a2", "parentSpanId": "00000000000000a1", "name": "ocr page",
        "kind": 1, "startTimeUnixNano": nanos(100), "endTimeUnixNano": nanos(1_000_100),
        "links": [{ "traceId": SECOND, "spanId": "00000000000000b1" }],
    });
    let other = json!({
        "traceId": SECOND, "spanId": "00000000000000b1", "name": "GET /health", "kind": 2,
        "startTimeUnixNano": nanos(1_000_000), "endTimeUnixNano": nanos(1_000_500),
    });
    let group = |service: &str, spans: Value| {
        json!({
            "resource": { "attributes": [text("service.name", service), text("host.name", "gpu-1")] },
            "scopeSpans": [{ "scope": { "name": "lib" }, "spans": spans }],
        })
    };
    let body =
        json!({ "resourceSpans": [group("gateway", json!([root, other])), group("ocr", json!([child]))] });
    let sent = stage.post("/v1/traces", &body).await;
    assert_eq!((sent.status.as_u16(), sent.text.as_str()), (200, "{}"), "{sent:?}");
    (stage, start)
}

async fn data(stage: &Stage, path: &str) -> Value {
    let found = stage.get(path).await;
    assert_eq!(found.status, 200, "{path}: {found:?}");
    assert_eq!(found.body["errors"], Value::Null, "{found:?}");
    assert_eq!(found.body["total"], found.body["data"].as_array().map_or(0, Vec::len), "{found:?}");
    found.body["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn services_and_their_operations_are_listed() {
    let (stage, _) = filled().await;
    assert_eq!(data(&stage, "/jaeger/api/services").await, json!(["gateway", "ocr"]));
    let of_gateway = data(&stage, "/jaeger/api/services/gateway/operations").await;
    assert_eq!(of_gateway, json!(["GET /health", "POST /documents"]));
    assert_eq!(data(&stage, "/jaeger/api/services/ocr/operations").await, json!(["ocr page"]));
    assert_eq!(data(&stage, "/jaeger/api/services/nobody%20%22/operations").await, json!([]));
    let operation = |name: &str, kind: &str| json!({ "name": name, "spanKind": kind });
    let of_gateway = [operation("GET /health", "server"), operation("POST /documents", "server")];
    assert_eq!(data(&stage, "/jaeger/api/operations?service=gateway").await, json!(of_gateway));
    let of_ocr = data(&stage, "/jaeger/api/operations?service=ocr&spanKind=internal").await;
    assert_eq!(of_ocr, json!([operation("ocr page", "internal")]));
    assert_eq!(data(&stage, "/jaeger/api/operations?service=ocr&spanKind=server").await, json!([]));
    for wrong in ["/jaeger/api/operations", "/jaeger/api/operations?service=ocr&spanKind=x"] {
        assert_eq!(stage.get(wrong).await.status, 400, "{wrong}");
    }
}

/// Names with their values.
type Pairs<'a> = &'a [(&'a str, &'a str)];

#[tokio::test(flavor = "multi_thread")]
async fn traces_are_searched_by_all_that_the_editor_offers() {
    let (stage, start) = filled().await;
    let (from, to) = ((start - 1_000_000).to_string(), (start + 5_000_000).to_string());
    let range = [("end", to.as_str()), ("limit", "20"), ("start", from.as_str())];
    let cases: [(Pairs<'_>, &[&str]); 12] = [
        (&[("service", "gateway")], &[SECOND, FIRST]),
        (&[("service", "gateway"), ("operation", "POST /documents")], &[FIRST]),
        (&[("service", "ocr")], &[FIRST]),
        (&[("service", "gateway"), ("minDuration", "1.5s")], &[FIRST]),
        (&[("service", "gateway"), ("maxDuration", "100ms")], &[SECOND]),
        (&[("service", "gateway"), ("tags", r#"{"error":"true"}"#)], &[FIRST]),
        (&[("service", "gateway"), ("tags", r#"{"colour":"red","span.kind":"server"}"#)], &[FIRST]),
        (&[("service", "gateway"), ("tags", r#"{"http.status_code":"503"}"#)], &[FIRST]),
        (&[("service", "gateway"), ("tags", r#"{"host.name":"gpu-1"}"#)], &[SECOND, FIRST]),
        (&[("service", "gateway"), ("tags", r#"{"colour":"blue"}"#)], &[]),
        (&[("service", "nobody")], &[]),
        (&[("service", "gateway"), ("limit", "1")], &[SECOND]),
    ];
    for (parameters, expected) in cases {
        let parameters = encoded(&[parameters, &range[..]].concat());
        for path in ["/jaeger/api/traces", "/api/traces"] {
            let found = data(&stage, &format!("{path}?{parameters}")).await;
            let ids = found.as_array().expect("traces").iter().map(|trace| &trace["traceID"]);
            assert_eq!(ids.collect::<Vec<_>>(), expected, "{path} {parameters}");
        }
    }
    let of_ids = format!("/jaeger/api/traces?traceID={FIRST}&traceID=abc&traceID=ff");
    let found = data(&stage, &of_ids).await;
    let ids = found.as_array().expect("traces").iter().map(|trace| &trace["traceID"]);
    assert_eq!(ids.collect::<Vec<_>>(), [FIRST, SECOND]);
    assert_eq!(stage.get("/jaeger/api/traces?traceID=xyz").await.status, 400);
    let found = data(&stage, "/jaeger/api/traces?service=ocr").await;
    assert_eq!(found[0]["spans"].as_array().map(Vec::len), Some(2), "a trace is there as a whole: {found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_shown_as_jaeger_has_it() {
    let (stage, start) = filled().await;
    let found = data(&stage, &format!("/jaeger/api/traces/{FIRST}")).await;
    let trace = &found[0];
    assert_eq!((&trace["traceID"], &trace["warnings"]), (&json!(FIRST), &Value::Null));
    let [root, child] = &trace["spans"].as_array().expect("spans")[..] else { panic!("two spans: {trace}") };
    assert_eq!((&root["startTime"], &root["duration"]), (&json!(start), &json!(2_000_000)));
    assert_eq!((&root["operationName"], &root["references"]), (&json!("POST /documents"), &json!([])));
    let tags = root["tags"].as_array().expect("tags");
    for tag in [
        json!({ "key": "span.kind", "type": "string", "value": "server" }),
        json!({ "key": "error", "type": "bool", "value": true }),
        json!({ "key": "otel.status_description", "type": "string", "value": "timed out" }),
        json!({ "key": "http.response.status_code", "type": "int64", "value": 503 }),
        json!({ "key": "http.request.method", "type": "string", "value": "POST" }),
        json!({ "key": "colour", "type": "string", "value": "red" }),
    ] {
        assert!(tags.contains(&tag), "{tag} in {tags:?}");
    }
    let fields = json!([
        { "key": "event", "type": "string", "value": "retry" },
        { "key": "why", "type": "string", "value": "slow" },
    ]);
    assert_eq!(root["logs"], json!([{ "timestamp": start + 5, "fields": fields }]));
    let references = json!([
        { "refType": "CHILD_OF", "traceID": FIRST, "spanID": "00000000000000a1" },
        { "refType": "FOLLOWS_FROM", "traceID": SECOND, "spanID": "00000000000000b1" },
    ]);
    assert_eq!(child["references"], references);
    let process = |span: &Value| &trace["processes"][span["processID"].as_str().expect("a process")];
    assert_eq!(process(root)["serviceName"], "gateway");
    assert_eq!(process(child)["serviceName"], "ocr");
    let host = json!({ "key": "host.name", "type": "string", "value": "gpu-1" });
    assert!(process(root)["tags"].as_array().expect("tags").contains(&host), "{trace}");
    // An id without its zeros, and a range in which the trace lies.
    let found =
        data(&stage, &format!("/jaeger/api/traces/ABC?start={}&end={}", start, start + 9_000_000)).await;
    assert_eq!(found[0]["traceID"], SECOND);
}

/// Writes how often one service called another in the last minutes.
async fn write_calls(stage: &Stage, now: i64) {
    let label = |name: &str, value: &str| Message::new().text(1, name).text(2, value);
    let sample = |ago: i64, value: f64| Message::new().double(1, value).number(2, (now - ago).unsigned_abs());
    let series = Message::new()
        .message(1, &label("__name__", "traces_service_graph_request_total"))
        .message(1, &label("client", "gateway"))
        .message(1, &label("server", "ocr"))
        .message(2, &sample(180_000, 1.0))
        .message(2, &sample(120_000, 6.0))
        .message(2, &sample(60_000, 11.0));
    let write = stage.local(Method::POST, "/prometheus/api/v1/write");
    let body = Message::new().message(1, &series).snappy();
    let written = answer(write.header("Content-Encoding", "snappy").body(body)).await;
    assert_eq!(written.status, 204, "{written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_cannot_be_counted_are_told_and_not_left_out() {
    let stage = Stage::limited(promql::Limits { max_samples: 1, ..promql::Limits::default() }).await;
    let now = Timestamp::now().as_millis();
    write_calls(&stage, now).await;
    let found = stage.get(&format!("/jaeger/api/dependencies?endTs={now}&lookback=3600000")).await;
    assert_eq!((found.status.as_u16(), &found.body["errors"][0]["code"]), (422, &json!(422)), "{found:?}");
    assert_eq!(found.body["data"], Value::Null);
    assert!(
        found.body["errors"][0]["msg"].as_str().is_some_and(|said| said.contains("samples")),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_calls_whom_comes_from_the_metrics_of_spans() {
    let stage = Stage::new().await;
    let now = Timestamp::now().as_millis();
    assert_eq!(
        data(&stage, &format!("/jaeger/api/dependencies?endTs={now}&lookback=3600000")).await,
        json!([])
    );
    write_calls(&stage, now).await;
    let found = data(&stage, &format!("/jaeger/api/dependencies?endTs={now}&lookback=3600000")).await;
    let call = &found[0];
    assert_eq!((&call["parent"], &call["child"]), (&json!("gateway"), &json!("ocr")), "{found}");
    assert!(call["callCount"].as_u64().is_some_and(|count| count >= 10), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_as_jaeger_tells_it() {
    let stage = Stage::new().await;
    let cases = [
        ("/jaeger/api/traces", 400, "`service`"),
        ("/api/traces?service=a&limit=201", 400, "200"),
        ("/jaeger/api/traces?service=a&minDuration=5", 400, "`minDuration`"),
        ("/jaeger/api/traces?service=a&tags=x%3Dy", 400, "`tags`"),
        ("/jaeger/api/traces?service=a&start=5&end=4", 400, "`end`"),
        ("/jaeger/api/traces?service=a&start=soon", 400, "microseconds"),
        ("/jaeger/api/traces/xyz", 400, "hexadecimal"),
        ("/jaeger/api/traces/abc", 404, "abc"),
        ("/jaeger/api/nothing", 404, "/jaeger/api/nothing"),
    ];
    for (path, status, expected) in cases {
        let found = stage.get(path).await;
        assert_eq!(found.status.as_u16(), status, "{path}: {found:?}");
        assert_eq!((&found.body["data"], &found.body["errors"][0]["code"]), (&Value::Null, &json!(status)));
        let said = found.body["errors"][0]["msg"].as_str().expect("a text");
        assert!(said.contains(expected), "{path}: {said}");
    }
    let path = "/jaeger/api/services";
    let unknown = answer(stage.request(Method::GET, path)).await;
    assert_eq!((unknown.status.as_u16(), &unknown.body["errors"][0]["code"]), (401, &json!(401)));
    let key = stage.key(&[Scope::Read]).await;
    let known = answer(stage.request(Method::GET, path).basic_auth("grafana", Some(&key))).await;
    assert_eq!(known.status, 200, "{known:?}");
}
