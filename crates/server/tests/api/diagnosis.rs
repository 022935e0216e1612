//! Diagnosis on demand, and who may operate on queues.

use reqwest::Method;
use serde_json::json;
use state::Scope;

use crate::stage::{Stage, answer};

#[tokio::test(flavor = "multi_thread")]
async fn checks_run_on_demand_and_are_written_into_the_audit_log() {
    let stage = Stage::new().await;
    let listed = stage.get("/api/v1/checks").await.body;
    let all = stage.post("/api/v1/diagnose", &json!({})).await;
    assert_eq!(all.status, 200, "{all:?}");
    let checks = all.body["checks"].as_array().expect("checks");
    assert_eq!(listed["total"], checks.len());
    for check in checks {
        let verdict = check["verdict"].as_str().expect("a verdict");
        assert!(["fine", "look", "bad"].contains(&verdict), "{check}");
    }
    let some = stage.post("/api/v1/diagnose", &json!({ "checks": ["stuck_tasks"] })).await.body;
    assert_eq!(
        (&some["checks"][0]["check"], &some["checks"][0]["verdict"]),
        (&json!("stuck_tasks"), &json!("fine"))
    );
    let rule = stage.post("/api/v1/diagnose", &json!({ "rule": "Backlog" })).await.body;
    assert_eq!(rule["rule"], "Backlog");

    for (body, status) in [
        (json!({ "checks": ["no_such_check"] }), 400),
        (json!({ "checks": ["workers"], "rule": "Backlog" }), 400),
        (json!({ "rule": "NoSuchRule" }), 404),
        (json!({ "what": 1 }), 400),
    ] {
        stage.post("/api/v1/diagnose", &body).await.problem(status);
    }
    stage.post("/api/v1/alerts/00000000000000a1/diagnose", &json!({})).await.problem(404);
    let audit = stage.get("/api/v1/audit?action=alert.diagnose").await.body;
    assert_eq!(audit["total"], 6, "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_need_their_scope_and_say_what_is_missing() {
    let stage = Stage::new().await;
    let path = "/api/v1/queues/llm_tasks/operations";
    let body = json!({ "action": "remove", "tasks": { "all": true } });
    let key = stage.key(&[Scope::Read, Scope::Ingest]).await;
    let refused = answer(stage.request(Method::POST, path).bearer_auth(key).json(&body)).await;
    assert!(refused.problem(403).contains("operate"));
    answer(stage.request(Method::POST, path).json(&body)).await.problem(401);

    assert!(stage.post(path, &body).await.problem(404).contains("mapped"));
    for wrong in [
        json!({ "action": "explode", "tasks": { "all": true } }),
        json!({ "action": "remove" }),
        json!({ "action": "remove", "tasks": { "all": true }, "preview": false }),
        json!({ "action": "remove", "tasks": { "all": true }, "digest": "d" }),
        json!({ "action": "remove", "digest": "d", "preview": true }),
        json!({ "action": "remove", "tasks": { "state": "lost", "all": true } }),
        json!({ "action": "remove", "tasks": { "older_than": "soon" } }),
        json!({ "action": "remove", "tasks": { "everything": true } }),
    ] {
        stage.post(path, &wrong).await.problem(400);
    }
    for (wrong, expected) in [
        (json!([]), "must be a JSON object"),
        (json!(["remove", null, null, null]), "must be a JSON object"),
        (json!({ "action": "remove", "tasks": "all" }), "expected a JSON object at line"),
    ] {
        let answer = stage.post(path, &wrong).await;
        let problem = answer.problem(400);
        assert!(problem.contains(expected) && !problem.contains("struct"), "{problem}");
    }
}
