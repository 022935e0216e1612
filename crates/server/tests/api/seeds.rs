//! The seeds' endpoints: their fields and types, and their numbers.

use model::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::Models;

use crate::stage::{Stage, answer};

const MODELS: &str = include_str!("../../../../tests/fixtures/seed_models.json");

#[track_caller]
fn assert_is(model: &str, value: &Value) {
    let models = Models::parse(MODELS).expect("the models");
    assert_eq!(models.faults(model, value), Vec::<String>::new(), "{value}");
}

async fn take(stage: &Stage, events: Value) {
    let count = events.as_array().map(Vec::len);
    let answered = stage.post("/api/v1/events", &events).await;
    assert_eq!(answered.body["accepted"].as_u64(), count.map(|count| count as u64), "{answered:?}");
}

async fn write(stage: &Stage, series: &[testkit::Series<'_>]) {
    let write = stage.local(Method::POST, "/prometheus/api/v1/write").body(testkit::remote_write(series));
    assert_eq!(answer(write.header("Content-Encoding", "snappy")).await.status, 204);
}

fn seconds_ago(seconds: i64) -> String {
    Timestamp::from_millis(Timestamp::now().as_millis() - seconds * 1000).to_string()
}

const ENDPOINTS: [(&str, &str); 5] = [
    ("RequestStats", "/api/admin/stats/requests"),
    ("SystemStats", "/api/admin/stats/system"),
    ("MemoryStats", "/api/admin/memory-stats"),
    ("MemoryHistory", "/api/admin/memory-history?job_id=none"),
    ("DashboardData", "/api/admin/dashboard"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_has_its_seeds_fields_also_when_nothing_is_stored() {
    let stage = Stage::new().await;
    for (model, path) in ENDPOINTS {
        assert_is(model, &stage.get(path).await.body);
    }
    let history = stage.get("/api/admin/memory-history?job_id=none").await.body;
    assert_eq!(history, json!({ "job_id": "none", "metrics": [], "count": 0 }));
    let key = stage.key(&[state::Scope::Ingest]).await;
    for (_, path) in ENDPOINTS {
        answer(stage.request(Method::GET, path).bearer_auth(&key)).await.problem(403);
        answer(stage.request(Method::GET, path)).await.problem(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_there_is_not_is_told_which_there_are() {
    let stage = Stage::new().await;
    for endpoint in ["requests", "system"] {
        for period in ["hour", "day", "week", "month"] {
            let stats = stage.get(&format!("/api/admin/stats/{endpoint}?period={period}")).await.body;
            assert_eq!(stats["period"], period);
        }
        for period in ["year", "", "Day", "1h"] {
            let refused = stage.get(&format!("/api/admin/stats/{endpoint}?period={period}")).await;
            assert!(refused.problem(400).contains("hour, day, week, month"), "{refused:?}");
        }
    }
    assert_eq!(stage.get("/api/admin/stats/requests").await.body["period"], "day");
    assert_eq!(stage.get("/api/admin/stats/system").await.body["period"], "hour");
    stage.get("/api/admin/stats/requests?per=day").await.problem(400);
    for path in ["/api/admin/memory-history", "/api/admin/memory-history?job_id="] {
        assert!(stage.get(path).await.problem(400).contains("job_id"));
    }
}

fn request(n: usize, route: Option<&str>, status: u16, seconds_ago_: i64) -> Value {
    json!({ "type": "request.finished", "event_id": format!("r{n}"), "time": seconds_ago(seconds_ago_),
        "path": format!("/documents/{n}"), "route": route, "method": "GET", "status_code": status,
        "duration_seconds": 0.5, "user_id": "ada", "api_key_id": "key-1", "client_ip": "10.0.0.7" })
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_within_the_period_by_route_or_path() {
    let stage = Stage::new().await;
    let mut events: Vec<Value> = (0..6).map(|n| request(n, Some("/documents/{id}"), 200, 60)).collect();
    events.push(request(6, Some("/documents/{id}"), 404, 60));
    events.push(request(7, None, 500, 60));
    events.push(request(8, None, 200, 2 * 3600));
    take(&stage, json!(events)).await;
    let hour = stage.get("/api/admin/stats/requests?period=hour").await.body;
    assert_is("RequestStats", &hour);
    let expected = json!({ "period": "hour", "request_count": 8, "avg_process_time": 0.5, "error_count": 2,
        "error_rate": 0.25, "top_endpoints": [
            { "path": "/documents/{id}", "count": 7 }, { "path": "/documents/7", "count": 1 }] });
    assert_eq!(hour, expected);
    assert_eq!(stage.get("/api/admin/stats/requests?period=day").await.body["request_count"], 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn systems_are_shown_in_percent_with_what_is_current() {
    let stage = Stage::new().await;
    let now = Timestamp::now().as_millis();
    let times: Vec<i64> = (0..20).map(|n| now - (19 - n) * 15_000).collect();
    let series = |value: f64| -> Vec<(i64, f64)> { times.iter().map(|time| (*time, value)).collect() };
    write(
        &stage,
        &[
            (&[("__name__", "host_cpu_usage_ratio"), ("host", "a")], &series(0.25)),
            (&[("__name__", "host_memory_usage_ratio"), ("host", "a")], &series(0.5)),
            (&[("__name__", "queue_depth"), ("queue", "q"), ("state", "pending")], &series(12.0)),
            (&[("__name__", "queue_depth"), ("queue", "q"), ("state", "processing")], &series(2.0)),
            (&[("__name__", "host_memory_total_bytes"), ("host", "a")], &series(4096.0 * 1048576.0)),
            (&[("__name__", "host_memory_available_bytes"), ("host", "a")], &series(2048.0 * 1048576.0)),
            (
                &[("__name__", "process_group_resident_memory_bytes"), ("group", "llm"), ("host", "a")],
                &series(1024.0 * 1048576.0),
            ),
            (
                &[
                    ("__name__", "process_group_resident_memory_bytes"),
                    ("group", "watchkeeper"),
                    ("host", "a"),
                ],
                &series(50.0 * 1048576.0),
            ),
            (
                &[("__name__", "host_filesystem_usage_ratio"), ("host", "a"), ("mountpoint", "/")],
                &series(0.75),
            ),
            (
                &[("__name__", "host_filesystem_usage_ratio"), ("host", "a"), ("mountpoint", "/data")],
                &series(0.9),
            ),
        ],
    )
    .await;
    for period in ["hour", "day", "week", "month"] {
        let stats = stage.get(&format!("/api/admin/stats/system?period={period}")).await.body;
        assert_is("SystemStats", &stats);
        for (field, value) in [("cpu_usage", 25.0), ("memory_usage", 50.0), ("queue_length", 12.0)] {
            for kind in ["current", "avg"] {
                let found = stats[format!("{kind}_{field}")].as_f64().expect("a number");
                assert!((found - value).abs() < 1e-6, "{period} {kind}_{field}: {found}");
            }
        }
        let points = stats["metrics"].as_array().expect("points");
        assert!((1..=340).contains(&points.len()), "{period}: {}", points.len());
        assert_eq!((&points[0]["queue_length"], &points[0]["active_requests"]), (&json!(12), &json!(2)));
    }
    let memory = stage.get("/api/admin/memory-stats").await.body;
    assert_is("MemoryStats", &memory);
    assert_eq!((&memory["memory"]["rss_mb"], &memory["memory"]["percent"]), (&json!(1024.0), &json!(25.0)));
    assert_eq!(memory["memory"]["available_mb"], 2048.0);
    assert_eq!(
        (&memory["system"]["cpu_percent"], &memory["system"]["disk_percent"]),
        (&json!(25.0), &json!(75.0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_of_a_job_is_shown_stage_by_stage_in_megabytes() {
    let stage = Stage::new().await;
    let at = |n: i64| seconds_ago(100 - n);
    let uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
    take(
        &stage,
        json!([
            { "type": "stage.started", "event_id": uuid, "time": at(1), "job_id": "j", "stage": "ocr",
                "memory_rss_bytes": 1048576, "memory_vms_bytes": 2097152, "memory_percent": 1.5 },
            { "type": "component.loaded", "event_id": "e2", "time": at(2), "job_id": "j", "stage": "ocr",
                "component": "model", "memory_rss_bytes": 3145728 },
            { "type": "stage.finished", "event_id": "e3", "time": at(3), "job_id": "j", "stage": "ocr" },
            { "type": "stage.started", "event_id": "e4", "time": at(3), "job_id": "other", "stage": "ocr" },
        ]),
    )
    .await;
    let history = stage.get("/api/admin/memory-history?job_id=j").await.body;
    assert_is("MemoryHistory", &history);
    assert_eq!((&history["job_id"], &history["count"]), (&json!("j"), &json!(3)));
    let (first, second) = (&history["metrics"][0], &history["metrics"][1]);
    assert_eq!(
        (&first["id"], &first["stage"], &first["component"]),
        (&json!(uuid), &json!("ocr"), &Value::Null)
    );
    assert_eq!((&first["memory_rss_mb"], &first["memory_vms_mb"]), (&json!(1.0), &json!(2.0)));
    assert_eq!((&second["component"], &second["memory_rss_mb"]), (&json!("model"), &json!(3.0)));
    assert_eq!(history["metrics"][2]["memory_rss_mb"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_shows_workers_tasks_and_what_was_hour_by_hour() {
    let stage = Stage::new().await;
    let worker = |id: &str, capability: &str| {
        json!({ "type": "worker.heartbeat", "event_id": format!("h-{id}"), "worker_id": id,
            "capability": capability, "completed_tasks": 3, "failed_tasks": 1, "total_processing_seconds": 8.0,
            "cpu_percent": 50.0 })
    };
    let yesterday = 25 * 3600;
    take(
        &stage,
        json!([
            worker("w1", "gpu"),
            worker("w2", "cpu"),
            { "type": "worker.stopped", "event_id": "s", "worker_id": "w3", "exit_code": 0 },
            { "type": "job.submitted", "event_id": "1", "job_id": "a", "queue": "cpu_tasks", "time": seconds_ago(60) },
            { "type": "job.started", "event_id": "2", "job_id": "a", "worker_id": "w1", "time": seconds_ago(50) },
            { "type": "job.completed", "event_id": "3", "job_id": "a", "time": seconds_ago(30),
                "content_type": "application/pdf", "input_bytes": 10, "memory_peak_bytes": 1048576 },
            { "type": "job.failed", "event_id": "4", "job_id": "b", "time": seconds_ago(30), "timed_out": true,
                "error_message": "too slow" },
            { "type": "job.submitted", "event_id": "5", "job_id": "c", "queue": "cpu_tasks", "time": seconds_ago(20) },
            { "type": "job.started", "event_id": "6", "job_id": "d", "time": seconds_ago(10) },
            { "type": "job.completed", "event_id": "7", "job_id": "old", "time": seconds_ago(yesterday) },
        ]),
    )
    .await;
    let dashboard = stage.get("/api/admin/dashboard").await.body;
    assert_is("DashboardData", &dashboard);
    let system = &dashboard["system_metrics"];
    let counts = [
        ("total_workers", 2),
        ("online_workers", 2),
        ("gpu_workers", 1),
        ("cpu_workers", 1),
        ("hybrid_workers", 0),
        ("total_tasks", 4),
        ("pending_tasks", 1),
        ("processing_tasks", 1),
        ("completed_tasks", 1),
        ("failed_tasks", 1),
    ];
    for (field, count) in counts {
        assert_eq!(system[field], count, "{field}: {system}");
    }
    let near =
        |value: &Value, expected: f64| value.as_f64().is_some_and(|value| (value - expected).abs() < 0.1);
    assert!(near(&system["average_task_duration"], 20.0), "{system}");
    assert!(near(&system["average_queue_wait_time"], 10.0), "{system}");
    assert_eq!((&system["error_rate"], &system["timeout_rate"]), (&json!(0.5), &json!(0.5)));

    let workers = dashboard["worker_metrics"].as_array().expect("workers");
    let ids: Vec<&str> = workers.iter().filter_map(|worker| worker["worker_id"].as_str()).collect();
    assert_eq!(ids, ["w1", "w2", "w3"]);
    assert_eq!((&workers[0]["average_task_duration"], &workers[0]["cpu_usage"]), (&json!(2.0), &json!(50.0)));
    assert_eq!((&workers[2]["is_online"], &workers[2]["is_healthy"]), (&json!(false), &json!(false)));

    let tasks = dashboard["recent_tasks"].as_array().expect("tasks");
    let task = |id: &str| tasks.iter().find(|task| task["task_id"] == id).expect("a task");
    assert_eq!(
        (&task("a")["content_type"], &task("a")["memory_peak"]),
        (&json!("application/pdf"), &json!(1.0))
    );
    assert_eq!((&task("b")["status"], &task("b")["error_message"]), (&json!("failed"), &json!("too slow")));
    assert_eq!((&task("c")["status"], &task("d")["status"]), (&json!("pending"), &json!("processing")));

    let sum = |list: &str, field: &str| -> u64 {
        let items = dashboard[list].as_array().expect("a list");
        items.iter().filter_map(|item| item[field].as_u64()).sum()
    };
    assert_eq!((sum("hourly_stats", "completed_tasks"), sum("hourly_stats", "failed_tasks")), (1, 1));
    assert_eq!((sum("daily_stats", "completed_tasks"), sum("daily_stats", "failed_tasks")), (2, 1));
    assert!(dashboard["hourly_stats"].as_array().is_some_and(|hours| (1..=24).contains(&hours.len())));
}
