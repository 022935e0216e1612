//! Statements of SQL over HTTP.

use reqwest::Method;
use serde_json::{Value, json};
use state::Scope;

use crate::stage::{Answer, Stage, answer};

async fn filled() -> Stage {
    let stage = Stage::new().await;
    let events: Vec<Value> = (0..30)
        .map(|number| {
            json!({ "type": "request.finished", "event_id": format!("e{number}"), "path": format!("/p/{}", number % 3),
                    "method": "GET", "status_code": 200, "duration_seconds": f64::from(number) / 10.0,
                    "attributes": { "shard": (number % 2).to_string() } })
        })
        .collect();
    assert_eq!(stage.post("/api/v1/events", &json!(events)).await.status, 200);
    stage
}

async fn ask(stage: &Stage, body: Value) -> Answer {
    stage.post("/api/v1/sql", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_answered_in_each_format() {
    let stage = filled().await;
    let statement = "SELECT path, count(*) AS n FROM requests GROUP BY path ORDER BY path";
    let answered = ask(&stage, json!({ "sql": statement })).await;
    assert_eq!((answered.status.as_u16(), answered.header("content-type")), (200, "application/json"));
    assert_eq!(answered.body["rows"], json!([["/p/0", 10], ["/p/1", 10], ["/p/2", 10]]), "{answered:?}");
    let columns = json!([{ "name": "path", "type": "text" }, { "name": "n", "type": "bigint" }]);
    assert_eq!(answered.body["columns"], columns);
    assert_eq!(
        (&answered.body["truncated"], &answered.body["statistics"]["rows"]),
        (&json!(false), &json!(3))
    );

    let csv = ask(&stage, json!({ "sql": statement, "format": "csv" })).await;
    assert!(csv.header("content-type").starts_with("text/csv"), "{csv:?}");
    assert_eq!(csv.text, "path,n\n/p/0,10\n/p/1,10\n/p/2,10\n");
    let lines = ask(&stage, json!({ "sql": statement, "format": "ndjson" })).await;
    assert_eq!(lines.text.lines().next(), Some("{\"path\":\"/p/0\",\"n\":10}"));
    for (format, beginning) in [("parquet", &b"PAR1"[..]), ("arrow", &[0xff, 0xff, 0xff, 0xff])] {
        let request = stage.local(Method::POST, "/api/v1/sql");
        let sent =
            request.json(&json!({ "sql": statement, "format": format })).send().await.expect("an answer");
        let bytes = sent.bytes().await.expect("a body");
        assert!(bytes.starts_with(beginning), "{format}: {bytes:?}");
    }

    let plain =
        stage.local(Method::POST, "/api/v1/sql").header("content-type", "text/plain").body("SELECT 1 AS one");
    let plain = answer(plain.header("accept", "text/html, text/csv;q=0.9")).await;
    assert_eq!(plain.text, "one\n1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_whether_its_limit_has_cut_it_off() {
    let stage = filled().await;
    let answered = ask(&stage, json!({ "sql": "SELECT path FROM requests", "limit": 7 })).await;
    assert_eq!(answered.body["rows"].as_array().map(Vec::len), Some(7), "{answered:?}");
    assert_eq!(answered.body["truncated"], true);
    ask(&stage, json!({ "sql": "SELECT 1", "limit": 0 })).await.problem(400);
    ask(&stage, json!({ "sql": "SELECT 1", "format": "xml" })).await.problem(400);
    ask(&stage, json!({ "statement": "SELECT 1" })).await.problem(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_statement_is_a_problem_with_its_place_and_a_suggestion() {
    let stage = filled().await;
    let wrong = ask(&stage, json!({ "sql": "SELECT path\nFROM request" })).await;
    assert!(wrong.problem(400).contains("line 2, column 6"), "{wrong:?}");
    assert_eq!(wrong.body["type"], "urn:watchkeeper:problem:bad-statement");
    let fault = json!({ "start": 17, "end": 24, "line": 2, "column": 6, "message": "there is no table `request`",
        "suggestion": "requests" });
    assert_eq!(wrong.body["fault"], fault);
    let writes = ask(&stage, json!({ "sql": "DELETE FROM requests" })).await;
    assert!(writes.problem(400).contains("Only statements that read"), "{writes:?}");
    let fails = ask(&stage, json!({ "sql": "SELECT 1 / (count(*) - 30) FROM requests" })).await;
    assert!(fails.problem(400).contains("zero"), "{fails:?}");
    assert_eq!(fails.body["fault"]["column"], 10, "{fails:?}");
    let pattern = ask(&stage, json!({ "sql": "SELECT path FROM requests WHERE path ~ '('" })).await;
    assert!(pattern.problem(400).contains("unclosed group"), "{pattern:?}");
    assert_eq!(pattern.body["type"], "urn:watchkeeper:problem:bad-statement");
    let place = &pattern.body["fault"];
    assert_eq!(
        (&place["column"], &place["start"], &place["end"]),
        (&json!(40), &json!(39), &json!(42)),
        "{pattern:?}"
    );
    let twice = ask(&stage, json!({ "sql": "SELECT path, path FROM requests", "format": "ndjson" })).await;
    twice.problem(400);
    let endless = "SELECT count(*) FROM requests a CROSS JOIN (requests b CROSS JOIN (requests c CROSS JOIN \
                   (requests d CROSS JOIN (requests e CROSS JOIN (requests f CROSS JOIN requests g)))))";
    let late = ask(&stage, json!({ "sql": endless, "timeout": "200ms" })).await;
    assert!(late.problem(503).contains("200ms"), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_comes_whole_and_needs_a_key_that_reads() {
    let stage = filled().await;
    let many = "SELECT a.path || b.path || c.path AS paths FROM requests a, requests b, requests c";
    let csv = ask(&stage, json!({ "sql": many, "format": "csv" })).await;
    assert_eq!(csv.text.lines().count(), 27_001);
    let sends = |key: String| {
        let request = stage.request(Method::POST, "/api/v1/sql").bearer_auth(key);
        request.json(&json!({ "sql": "SELECT 1" }))
    };
    assert_eq!(answer(sends(stage.key(&[Scope::Read]).await)).await.status, 200);
    answer(sends(stage.key(&[Scope::Ingest]).await)).await.problem(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_lists_tables_with_what_their_columns_are() {
    let stage = Stage::new().await;
    let schema = stage.get("/api/v1/sql/schema").await.body;
    let tables = schema["tables"].as_array().expect("tables");
    assert_eq!(tables.len(), store::Table::ALL.len() + 1);
    let spans = tables.iter().find(|table| table["name"] == "spans").expect("spans");
    let duration = spans["columns"].as_array().expect("columns").iter();
    let duration = duration.clone().find(|column| column["name"] == "duration_ns").expect("a duration");
    assert_eq!((&duration["type"], &duration["nullable"]), (&json!("bigint unsigned"), &json!(false)));
    assert!(duration["description"].as_str().is_some_and(|text| text.contains("nanoseconds")), "{duration}");
}
