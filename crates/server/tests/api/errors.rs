//! Every error is a problem that says what to do.

use reqwest::Method;
use serde_json::json;

use crate::stage::{Stage, answer};

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_problems_that_name_what_is_wrong() {
    let stage = Stage::new().await;
    let cases = [
        (Method::GET, "/nowhere", 404, "/nowhere"),
        (Method::GET, "/api/v1/nothing", 404, "/api/v1/nothing"),
        (Method::GET, "/api/v1/jobs/unknown", 404, "unknown"),
        (Method::GET, "/api/v1/queues/unknown", 404, "unknown"),
        (Method::GET, "/api/v1/workers/unknown", 404, "unknown"),
        (Method::GET, "/api/v1/hosts/unknown", 404, "unknown"),
        (Method::GET, "/api/v1/alerts/unknown", 404, "unknown"),
        (Method::PUT, "/api/v1/jobs", 405, "PUT"),
        (Method::GET, "/api/v1/jobs?lmit=5", 400, "lmit"),
        (Method::GET, "/api/v1/jobs?limit=5&limit=6", 400, "limit"),
        (Method::GET, "/api/v1/jobs?limit=0", 400, "limit"),
        (Method::GET, "/api/v1/jobs?limit=1001", 400, "limit"),
        (Method::GET, "/api/v1/jobs?limit=-1", 400, "query"),
        (Method::GET, "/api/v1/jobs?status=exploded", 400, "status"),
        (Method::GET, "/api/v1/jobs?since=yesterday", 400, "yesterday"),
        (Method::GET, "/api/v1/workers?capability=quantum", 400, "capability"),
        (Method::GET, "/api/v1/alerts?state=firing,burning", 400, "burning"),
        (Method::GET, "/api/v1/deliveries?state=lost", 400, "lost"),
        (Method::GET, "/api/v1/stats?since=1", 400, "since"),
        (Method::GET, "/api/v1/overview?x=1", 400, "x"),
        (Method::GET, "/api/admin/dashboard?period=day", 400, "period"),
        (Method::GET, "/api/admin/memory-stats?x=1", 400, "x"),
    ];
    for (method, path, status, part) in cases {
        let answered = answer(stage.local(method.clone(), path)).await;
        assert!(answered.problem(status).contains(part), "{method} {path}: {answered:?}");
    }
    let wrong_method = answer(stage.local(Method::PUT, "/api/v1/jobs")).await;
    assert!(wrong_method.header("allow").contains("GET"), "{wrong_method:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_bodies_are_problems() {
    let stage = Stage::new().await;
    let post = |body: &'static str, content_type: &'static str| {
        stage.local(Method::POST, "/api/v1/users").header("Content-Type", content_type).body(body)
    };
    answer(post("name=anna", "application/x-www-form-urlencoded")).await.problem(415);
    answer(post("{", "application/json")).await.problem(400);
    let unknown = r#"{"name":"a","password":"a long enough password","role":"admin","nmae":1}"#;
    assert!(answer(post(unknown, "application/json")).await.problem(400).contains("nmae"));
    let short = r#"{"name":"a","password":"short","role":"admin"}"#;
    assert!(answer(post(short, "application/json")).await.problem(400).contains("12"));
    let role = r#"{"name":"a","password":"a long enough password","role":"god"}"#;
    assert!(answer(post(role, "application/json")).await.problem(400).contains("viewer"));
    answer(post("{}", "application/json").header("Content-Encoding", "gzip")).await.problem(415);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_never_tells_what_is_inside() {
    let stage = Stage::new().await;
    stage.state.close().await;
    let broken = stage.get("/api/v1/users").await;
    let detail = broken.problem(500);
    assert!(!detail.contains("sql") && !detail.contains("pool"), "{detail}");
    assert!(!broken.header("x-request-id").is_empty());
    answer(stage.request(Method::GET, "/readyz")).await.problem(503);
    assert_eq!(answer(stage.request(Method::GET, "/healthz")).await.status, 200);
    let note = json!({ "note": "x" });
    stage.post("/api/v1/alerts/x/resolve", &note).await;
}
