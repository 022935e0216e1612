//! Lists: paging, filters, shapes.

use model::Timestamp;
use pipeline::{HostSnapshot, QueueSnapshot, QueueState, QueueTask};
use serde_json::{Value, json};

use crate::stage::Stage;

fn ids(page: &Value, key: &str) -> Vec<String> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item[key].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_page_by_page_and_filtered() {
    let stage = Stage::new().await;
    let events: Vec<Value> = (0..25)
        .map(|n| {
            let kind = if n % 5 == 0 { "ocr" } else { "summary" };
            json!({ "type": "job.submitted", "event_id": format!("e{n}"), "job_id": format!("job-{n:02}"), "kind": kind })
        })
        .collect();
    assert_eq!(stage.post("/api/v1/events", &json!(events)).await.body["accepted"], 25);
    let mut seen = Vec::new();
    for offset in [0, 10, 20] {
        let page = stage.get(&format!("/api/v1/jobs?limit=10&offset={offset}")).await.body;
        assert_eq!(
            (&page["total"], &page["limit"], &page["offset"]),
            (&json!(25), &json!(10), &json!(offset))
        );
        seen.extend(ids(&page, "job_id"));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25, "each job is on one page");
    assert_eq!(stage.get("/api/v1/jobs?kind=ocr").await.body["total"], 5);
    assert_eq!(stage.get("/api/v1/jobs?status=pending&q=job-07").await.body["total"], 1);
    assert_eq!(stage.get("/api/v1/jobs?offset=1000").await.body["items"], json!([]));
    let page = stage.get("/api/v1/jobs?since=2020-01-01T00:00:00Z").await.body;
    assert_eq!(page["total"], 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_read_page_by_page() {
    let stage = Stage::new().await;
    for name in ["carl", "anna", "bert"] {
        stage.user(name, state::Role::Viewer).await;
    }
    let page = stage.get("/api/v1/users?limit=2").await.body;
    assert_eq!((ids(&page, "name"), &page["total"]), (vec!["anna".to_owned(), "bert".to_owned()], &json!(3)));
    let rest = stage.get("/api/v1/users?limit=2&offset=2").await.body;
    assert_eq!(ids(&rest, "name"), ["carl"]);
    assert!(!page.to_string().contains("password"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_shows_its_attempts_and_stages_with_their_memory() {
    let stage = Stage::new().await;
    let events = json!([
        { "type": "job.submitted", "event_id": "1", "job_id": "j", "queue": "q", "time": "2999-01-01T00:00:00Z" },
        { "type": "job.started", "event_id": "2", "job_id": "j", "worker_id": "w" },
        { "type": "stage.started", "event_id": "3", "job_id": "j", "stage": "ocr", "memory_rss_bytes": 1000 },
        { "type": "stage.finished", "event_id": "4", "job_id": "j", "stage": "ocr", "status": "completed",
            "memory_rss_bytes": 5000, "memory_peak_bytes": 9000, "duration_seconds": 1.5 },
        { "type": "job.completed", "event_id": "5", "job_id": "j" },
    ]);
    let answered = stage.post("/api/v1/events", &events).await;
    assert_eq!(answered.body["accepted"], 4, "{answered:?}");
    let job = stage.get("/api/v1/jobs/j").await.body;
    assert_eq!((&job["status"], &job["worker_id"]), (&json!("completed"), &json!("w")), "{job}");
    assert_eq!(job["attempts"].as_array().map(Vec::len), Some(1), "{job}");
    let ocr = &job["stages"][0];
    assert_eq!(
        (&ocr["stage"], &ocr["status"], &ocr["memory_peak_bytes"]),
        (&json!("ocr"), &json!("completed"), &json!(9000))
    );
    assert_eq!(job["judgement"]["verdict"], "fine");
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_hosts_and_the_whole_are_shown() {
    let stage = Stage::new().await;
    let now = Timestamp::now();
    let task = QueueTask {
        id: "t1".to_owned(),
        kind: None,
        document_id: None,
        priority: Some(2.0),
        created_at: None,
        first_seen: now.before(std::time::Duration::from_secs(60)),
        state: QueueState::Pending,
        payload_hash: "abc".to_owned(),
        payload_bytes: 42,
        score: None,
        position: None,
    };
    stage.pipeline.queues().observe(QueueSnapshot {
        queue: "llm_tasks".to_owned(),
        system: "redis".to_owned(),
        time: now,
        depth: [(QueueState::Pending, 7)].into(),
        tasks: vec![task],
        oldest_age_seconds: [(QueueState::Pending, 60.0)].into(),
        enqueued_total: Some(7),
        completed_total: None,
        failed_total: None,
        ok: true,
    });
    let queue = stage.get("/api/v1/queues/llm_tasks").await.body;
    assert_eq!((&queue["depth"]["pending"], &queue["tasks"][0]["id"]), (&json!(7), &json!("t1")), "{queue}");
    assert!(queue["tasks"][0]["age_seconds"].as_f64().is_some_and(|age| age >= 60.0), "{queue}");
    assert_eq!(stage.get("/api/v1/queues").await.body["items"][0]["tasks"], Value::Null, "a list is short");

    let host = HostSnapshot {
        host: "box".to_owned(),
        time: now,
        memory_total_bytes: 100,
        memory_available_bytes: 25,
        ..HostSnapshot::default()
    };
    stage.pipeline.hosts().observe(host);
    assert_eq!(stage.get("/api/v1/hosts/box").await.body["memory_ratio"], 0.75);
    let stats = stage.get("/api/v1/stats").await.body;
    assert_eq!(
        (&stats["version"], &stats["queues"], &stats["workers"]),
        (&json!("0.0.0-test"), &json!(1), &json!(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn how_the_watching_goes_is_shown() {
    let stage = Stage::new().await;
    let rules = stage.get("/api/v1/rules").await.body;
    assert_eq!((&rules["total"], &rules["items"][0]["name"]), (&json!(1), &json!("Backlog")), "{rules}");
    assert_eq!(rules["items"][0]["kind"], "alerting");
    let collectors = stage.get("/api/v1/collectors").await.body;
    let names = ids(&collectors, "name");
    assert!(names.contains(&"host".to_owned()) && names.contains(&"redis".to_owned()), "{names:?}");
    for path in ["channels", "deliveries", "alerts"] {
        assert_eq!(stage.get(&format!("/api/v1/{path}")).await.body["total"], 0, "{path}");
    }
    let metrics = stage.get("/metrics").await;
    assert!(metrics.text.contains("# TYPE watchkeeper_http_turned_away_total counter"), "{}", metrics.text);
}

/// To bring the description up to date, which the types of the UI are made from:
/// `WATCHKEEPER_BLESS=1 cargo nextest run -p server the_description`.
#[tokio::test(flavor = "multi_thread")]
async fn the_description_of_the_api_that_the_ui_is_typed_by_is_current() {
    let stage = Stage::new().await;
    let described = stage.get("/api/openapi.json").await.body;
    let text = serde_json::to_string_pretty(&described).expect("JSON") + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/src/api/openapi.json");
    if std::env::var_os("WATCHKEEPER_BLESS").is_some() {
        std::fs::write(path, &text).expect("written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == text, "ui/src/api/openapi.json is out of date: WATCHKEEPER_BLESS=1");
}
