//! Pictures for tests: what a server answers, and what a hostile one might.

use model::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::picture::{Picture, Series, items};
use super::state::{Answer, App};

fn read<T: DeserializeOwned>(list: &Value) -> Vec<T> {
    let (items, unread) = items(json!({ "items": list }));
    assert_eq!(unread, 0, "a fixture that cannot be read");
    items
}

fn series(name: &str, values: impl Fn(f64) -> f64) -> Series {
    Series::from([(name.to_owned(), (0..31).map(|step| values(f64::from(step))).collect())])
}

/// A pipeline with a backlog, a worker that is gone, and a job that takes too long.
pub(crate) fn busy() -> Picture {
    let mut picture = Picture {
        time: Timestamp::parse_rfc3339("2025-08-01T21:30:00Z").unwrap_or_default(),
        queues: read(&json!([
            { "queue": "extraction", "ok": true, "depth": { "pending": 3, "processing": 1, "dead": 0 },
              "oldest_age_seconds": { "pending": 12.0 }, "arrival_rate": 0.5, "completion_rate": 0.52,
              "drain_seconds": 6.0, "completion_ratio": 1.0, "completed_total": 812, "failed_total": 0 },
            { "queue": "llm_tasks", "ok": true, "depth": { "pending": 112, "processing": 4, "delayed": 2, "dead": 5 },
              "oldest_age_seconds": { "pending": 754.0, "processing": 307.0 }, "arrival_rate": 1.44,
              "completion_rate": 0.2, "drain_seconds": 3912.0, "completion_ratio": 0.81, "completed_total": 40, "failed_total": 9 },
        ])),
        workers: read(&json!([
            { "worker_id": "extraction-1", "status": "online", "is_healthy": true, "started_at": "2025-07-30T17:30:00Z",
              "memory_rss_bytes": 512.0 * 1048576.0, "cpu_percent": 45.0, "completed_tasks": 812, "active_tasks": 1,
              "job_id": "job-0815", "last_heartbeat_at": "2025-08-01T21:29:57Z", "host": "gpu-box-3" },
            { "worker_id": "llm-2", "status": "offline", "started_at": "2025-08-01T20:00:00Z",
              "last_heartbeat_at": "2025-08-01T21:20:00Z", "memory_rss_bytes": 4831838208.0, "failed_tasks": 9 },
        ])),
        jobs: read(&json!([
            { "job_id": "job-0815", "status": "running", "kind": "extract", "queue": "extraction", "stage": "ocr",
              "duration_seconds": 42.0, "progress": 0.4, "worker_id": "extraction-1", "judgement": { "verdict": "fine" } },
            { "job_id": "job-0701", "status": "running", "kind": "summarize", "queue": "llm_tasks", "stage": "generate",
              "duration_seconds": 1860.0, "retry_count": 1, "worker_id": "llm-2",
              "judgement": { "verdict": "owner_gone", "reason": "Worker llm-2 has not been heard of for 10 minutes." } },
            { "job_id": "job-0600", "status": "failed", "duration_seconds": 307.0, "ended_at": "2025-08-01T21:25:00Z",
              "last_event_at": "2025-08-01T21:25:00Z", "judgement": { "verdict": "fine" },
              "error": { "error_type": "OutOfMemory", "message": "page 17 needs 9 GB" } },
        ])),
        alerts: read(&json!([
            { "id": "a1", "rule": "QueueBacklog", "severity": "warning", "state": "firing",
              "labels": { "alertname": "QueueBacklog", "queue": "llm_tasks" }, "fired_at": "2025-08-01T21:22:00Z",
              "annotations": { "summary": "Queue llm_tasks has a backlog" } },
            { "id": "a2", "rule": "WorkerOffline", "severity": "critical", "state": "acknowledged",
              "labels": { "worker": "llm-2" }, "fired_at": "2025-08-01T21:26:00Z", "acknowledged": { "by": "anna" },
              "annotations": { "summary": "Worker llm-2 is gone" } },
        ])),
        hosts: read(&json!([
            { "host": "gpu-box-3", "cpus": 8, "cpu_ratio": 0.62, "load": [5.1, 4.0, 3.0], "memory_total_bytes": 68719476736.0,
              "memory_ratio": 0.91, "filesystems": [{ "mountpoint": "/", "size_bytes": 100.0, "available_bytes": 23.0 }],
              "gpus": [{ "index": 0, "name": "H100", "utilization_ratio": 0.97, "memory_used_bytes": 60.0,
                         "memory_total_bytes": 80.0, "temperature_celsius": 71.0, "power_watts": 640.0 }] },
        ])),
        collectors: read(&json!([
            { "name": "redis", "target": "main", "up": false, "runs": 9, "last_error": "connection refused",
              "last_success": "2025-08-01T21:28:00Z" },
        ])),
        ..Picture::default()
    };
    picture.counts.running = 2;
    picture.past.pending = series("llm_tasks", |step| step * 3.0);
    picture.past.host_cpu = series("gpu-box-3", |step| (step / 4.0).sin().abs());
    picture.past.group_count = series("llm-workers", |_| 3.0);
    picture.past.group_memory = series("llm-workers", |step| 1e9 + step * 1e8);
    picture.past.group_cpu = series("llm-workers", |_| 1.45);
    picture
}

/// Text that would clear the screen, set a title, turn the order of letters round, and pile up marks.
pub(crate) const HOSTILE: &str =
    "\u{1b}[2J\u{1b}]0;gone\u{7}\u{9b}31m\r\nx\u{202e}y\u{200b}\u{e0041}\u{0}\u{7f}";

/// The busy pipeline, with every text made hostile.
pub(crate) fn hostile() -> Picture {
    let mut picture = busy();
    let spoil = |text: &mut String| *text = format!("{text}{HOSTILE}");
    for queue in &mut picture.queues {
        spoil(&mut queue.queue);
    }
    for worker in &mut picture.workers {
        [&mut worker.worker_id, &mut worker.status].into_iter().for_each(spoil);
        worker.host = Some(HOSTILE.to_owned());
    }
    for job in &mut picture.jobs {
        [&mut job.job_id, &mut job.status, &mut job.judgement.reason].into_iter().for_each(spoil);
        job.stage = Some(HOSTILE.to_owned());
    }
    for alert in &mut picture.alerts {
        [&mut alert.rule, &mut alert.severity, &mut alert.state].into_iter().for_each(spoil);
        alert.annotations.values_mut().for_each(spoil);
        alert.labels.insert(HOSTILE.to_owned(), HOSTILE.to_owned());
    }
    for host in &mut picture.hosts {
        spoil(&mut host.host);
        host.gpus[0]["name"] = json!(HOSTILE);
    }
    for collector in &mut picture.collectors {
        spoil(&mut collector.target);
        collector.last_error = Some(HOSTILE.to_owned());
    }
    for count in [&mut picture.past.group_count, &mut picture.past.group_memory] {
        count.insert(HOSTILE.to_owned(), vec![2.0]);
    }
    picture
}

/// An application that has this picture.
pub(crate) fn showing(picture: Picture, size: (u16, u16)) -> App {
    let mut app = App::new("http://127.0.0.1:7654", "2s", size);
    let time = picture.time;
    app.on_answer(Answer::Picture(Box::new(picture)), time);
    app
}
