//! The request log, and what it sums up to.

use model::Timestamp;
use serde_json::{Value, json};

use crate::stage::Stage;

fn request(n: u64, time: &str) -> Value {
    json!({ "type": "request.finished", "event_id": format!("r{n}"), "time": time,
        "path": format!("/documents/{n}"), "route": "/documents/{id}", "method": if n.is_multiple_of(2) { "GET" } else { "POST" },
        "status_code": if n.is_multiple_of(10) { 503 } else { 200 }, "duration_seconds": n as f64 / 10.0,
        "user_id": if n < 5 { Some("ada") } else { None }, "api_key_id": "key-1", "client_ip": "10.0.0.7",
        "request_bytes": 100, "response_bytes": 7 })
}

/// A server with forty requests, one a second, and their times.
async fn filled() -> (Stage, Vec<String>) {
    let stage = Stage::new().await;
    let first = Timestamp::now().as_millis() / 1000 - 3 * 24 * 3600;
    let times: Vec<String> =
        (0..40).map(|n| Timestamp::from_millis((first + n) * 1000).to_string()).collect();
    let events: Vec<Value> = (0..).zip(&times).map(|(n, time)| request(n, time)).collect();
    let answered = stage.post("/api/v1/events", &json!(events)).await;
    assert_eq!(answered.body["accepted"], 40, "{answered:?}");
    (stage, times)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_newest_first_page_by_page_and_filtered() {
    let (stage, times) = filled().await;
    let page = stage.get("/api/v1/requests?limit=2&offset=1").await.body;
    assert_eq!((&page["total"], &page["limit"], &page["offset"]), (&json!(40), &json!(2), &json!(1)));
    let first = &page["items"][0];
    assert_eq!((&first["path"], &first["api_key_id"]), (&json!("/documents/38"), &json!("key-1")));
    assert_eq!((&first["duration_seconds"], &first["request_bytes"]), (&json!(3.8), &json!(100)));
    let some = format!("since={}&until={}", times[10], times[19]);
    let cases = [
        (some.as_str(), 10),
        ("status=503", 4),
        ("status=5xx", 4),
        ("status=2xx&method=post", 20),
        ("user=ada", 5),
        ("user=nobody", 0),
        ("api_key=key-1&client=10.0.0.7", 40),
        ("route=/documents/%7Bid%7D", 40),
        ("path=/documents/7", 1),
        ("q=/3", 11),
        ("min_duration=3.5", 5),
        ("offset=9000", 40),
    ];
    for (query, total) in cases {
        let page = stage.get(&format!("/api/v1/requests?{query}")).await.body;
        assert_eq!(page["total"], total, "{query}: {page}");
    }
    for (query, named) in [
        ("status=6xx", "`status`"),
        ("status=many", "404"),
        ("limit=0", "`limit`"),
        ("offset=10000", "`until`"),
        ("offset=4294967295", "`until`"),
        ("min_duration=slow", "float"),
        ("min_duration=nan", "`min_duration`"),
        ("min_duration=1e400", "`min_duration`"),
        ("min_duration=-1", "`min_duration`"),
        ("since=2025-08-02T00:00:00Z&until=2025-08-01T00:00:00Z", "`until`"),
        ("since=soon", "soon"),
        ("colour=red", "colour"),
    ] {
        let refused = stage.get(&format!("/api/v1/requests?{query}")).await;
        assert!(refused.problem(400).contains(named), "{query}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_summed_up_by_whom_and_where() {
    let (stage, times) = filled().await;
    let all = format!("since={}", times[0]);
    let stats = stage.get(&format!("/api/v1/requests/stats?by=user&{all}")).await.body;
    assert_eq!((&stats["by"], &stats["total"], &stats["until"]), (&json!("user"), &json!(2), &Value::Null));
    let (nobody, ada) = (&stats["items"][0], &stats["items"][1]);
    assert_eq!((&nobody["key"], &nobody["requests"]), (&Value::Null, &json!(35)));
    assert_eq!((&ada["key"], &ada["requests"], &ada["errors"]), (&json!("ada"), &json!(5), &json!(1)));
    assert_eq!((&ada["error_rate"], &ada["average_seconds"]), (&json!(0.2), &json!(0.2)));
    let whole = &stats["all"];
    assert_eq!((&whole["requests"], &whole["errors"]), (&json!(40), &json!(4)));
    assert_eq!((&whole["request_bytes"], &whole["response_bytes"]), (&json!(4000), &json!(280)));
    for (quantile, exact) in [("p50_seconds", 1.9), ("p95_seconds", 3.7), ("p99_seconds", 3.9)] {
        let found = whole[quantile].as_f64().expect("a number");
        assert!((found / exact - 1.0).abs() < 0.012, "{quantile}: {found}");
    }
    for (by, key) in [("route", "/documents/{id}"), ("api_key", "key-1"), ("client", "10.0.0.7")] {
        let stats = stage.get(&format!("/api/v1/requests/stats?by={by}&{all}")).await.body;
        assert_eq!((&stats["items"][0]["key"], &stats["items"][0]["requests"]), (&json!(key), &json!(40)));
    }
    let of_last_day = stage.get("/api/v1/requests/stats").await.body;
    assert_eq!((&of_last_day["by"], &of_last_day["all"]["requests"]), (&json!("route"), &json!(0)));
    assert_eq!(of_last_day["all"]["p95_seconds"], Value::Null);
    for (query, named) in [
        ("by=colour", "route, user, api_key, client, service"),
        ("period=year", "hour, day, week, month"),
        ("period=day&since=2030-01-01T00:00:00Z", "not both"),
    ] {
        let refused = stage.get(&format!("/api/v1/requests/stats?{query}")).await;
        assert!(refused.problem(400).contains(named), "{query}: {refused:?}");
    }
}
