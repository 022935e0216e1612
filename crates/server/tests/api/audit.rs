//! The audit log through the API: its hashes, its verification, and it as a file.

use reqwest::Method;
use serde_json::{Value, json};
use state::Scope;

use crate::stage::{Stage, answer};

/// Does what is written into the log, some times.
async fn act(stage: &Stage, times: usize) {
    for _ in 0..times {
        stage.log_in("nobody", "wrong").await;
    }
}

/// The entries of an action, newest first.
async fn told(stage: &Stage, action: &str) -> Vec<Value> {
    let list = stage.get(&format!("/api/v1/audit?action={action}")).await.body;
    list["items"].as_array().expect("items").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_verified_and_that_is_written_into_it() {
    let stage = Stage::new().await;
    act(&stage, 3).await;
    let verdict = stage.get("/api/v1/audit/verify").await;
    assert_eq!(verdict.status, 200, "{verdict:?}");
    let newest = stage.get("/api/v1/audit?action=login&limit=1").await.body["items"][0].clone();
    let expected = json!({
        "intact": true, "entries": 3, "first_seq": 1, "start": "beginning", "expected_at": null, "flaw": null,
        "head": { "seq": 3, "hash": newest["hash"] },
    });
    assert_eq!(verdict.body, expected);
    let entries = told(&stage, "audit.verify").await;
    assert_eq!(entries.len(), 1);
    assert_eq!((&entries[0]["actor"], &entries[0]["outcome"]), (&json!("local"), &json!("ok")));
    assert_eq!(entries[0]["client_ip"], "127.0.0.1");
    assert_eq!(entries[0]["detail"], expected);
    assert_eq!(entries[0]["seq"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_that_was_noted_must_be_in_the_log() {
    let stage = Stage::new().await;
    act(&stage, 3).await;
    let head = stage.get("/api/v1/audit/verify").await.body["head"]["hash"].clone();
    let head = head.as_str().expect("a hash");
    act(&stage, 2).await;
    let found = stage.get(&format!("/api/v1/audit/verify?expect_head={head}")).await.body;
    assert_eq!((&found["intact"], &found["expected_at"]), (&json!(true), &json!(3)), "{found}");
    let other = "0123456789abcdef".repeat(4);
    let missed = stage.get(&format!("/api/v1/audit/verify?expect_head={other}")).await.body;
    assert_eq!((&missed["intact"], &missed["flaw"]["fault"]), (&json!(false), &json!("missing")), "{missed}");
    let entries = told(&stage, "audit.verify").await;
    let outcomes: Vec<&Value> = entries.iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "ok", "ok"]);
    for wrong in ["expect_head=5a0c", "progress=perhaps", "head=x"] {
        stage.get(&format!("/api/v1/audit/verify?{wrong}")).await.problem(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_it_is_told_how_far_a_verification_is() {
    let stage = Stage::new().await;
    act(&stage, 2).await;
    let told = stage.get("/api/v1/audit/verify?progress=true").await;
    assert_eq!(told.header("content-type"), "application/x-ndjson");
    let lines: Vec<Value> =
        told.text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let (verdict, progress) = lines.split_last().expect("a verdict");
    assert_eq!((&verdict["intact"], &verdict["entries"]), (&json!(true), &json!(2)), "{}", told.text);
    assert!(progress.iter().all(|line| line["entries"] == 2 && line["checked"] == 2), "{}", told.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_verified_without_the_server_and_ends_with_its_own_entry() {
    let stage = Stage::new().await;
    act(&stage, 3).await;
    let kinds = [("", "application/x-ndjson", 4), ("?format=csv", "text/csv; charset=utf-8", 5)];
    for (query, kind, entries) in kinds {
        let file = stage.get(&format!("/api/v1/audit/export{query}")).await;
        assert_eq!((file.status.as_u16(), file.header("content-type")), (200, kind), "{file:?}");
        let verdict = state::verify_audit_file(file.text.as_bytes(), None, |_| {}).expect("an export");
        assert_eq!((verdict.is_intact(), verdict.entries), (true, entries), "{verdict:?}");
        let last = file.text.trim_end().lines().last().expect("a line").to_owned();
        assert!(last.contains("audit.export") && last.contains("127.0.0.1"), "{last}");
    }
    let named = stage.get("/api/v1/audit/export?format=csv").await;
    assert_eq!(named.header("content-disposition"), "attachment; filename=\"audit.csv\"");
    let nothing = stage.get("/api/v1/audit/export?until=2001-01-01T00:00:00Z").await;
    assert_eq!((nothing.status.as_u16(), nothing.text.as_str()), (200, ""));
    assert_eq!(told(&stage, "audit.export").await.len(), 4);
    for wrong in ["format=parquet", "limit=1", "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z"] {
        stage.get(&format!("/api/v1/audit/export?{wrong}")).await.problem(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_see_the_log_and_none_of_its_files_has_a_secret() {
    let stage = Stage::new().await;
    let operator = stage.key(&[Scope::Read, Scope::Operate]).await;
    for path in ["/api/v1/audit/verify", "/api/v1/audit/export"] {
        answer(stage.request(Method::GET, path).bearer_auth(&operator)).await.problem(403);
    }
    let made = stage.post("/api/v1/keys", &json!({ "name": "k", "scopes": ["admin"] })).await.body;
    let secret = made["secret"].as_str().expect("a key");
    let file = answer(stage.request(Method::GET, "/api/v1/audit/export").bearer_auth(secret)).await;
    assert!(file.text.contains("key.create") && file.text.contains("\"key:k\""), "{}", file.text);
    assert!(!file.text.contains(secret), "{}", file.text);
}
