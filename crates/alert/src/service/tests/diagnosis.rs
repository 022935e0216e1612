//! Checks that run on demand, over live state, stored events and the audit log.

use std::collections::BTreeMap;
use std::time::Duration;

use ingest::EventListener;
use model::event::{Attributes, DeployEvent, Event, RequestEvent, WorkerAction, WorkerEvent};
use model::{Labels, Timestamp};
use pipeline::{HostSnapshot, ProcessSnapshot, QueueSnapshot, QueueState, QueueTask};
use state::{AuditEntry, Outcome};
use store::{Batch, TelemetryStore};

use super::stage::{BACKLOG, Stage};
use crate::evaluate::Finding;
use crate::{CheckResult, CheckVerdict, DiagnoseError, Subject};

const GIB: u64 = 1 << 30;

/// What one check gives now.
async fn check(stage: &Stage, name: &str) -> CheckResult {
    let subject = Subject::Checks(vec![name.to_owned()]);
    let mut diagnosis = stage.alerts.diagnose(&subject).await.expect("a diagnosis");
    assert_eq!(diagnosis.checks.len(), 1);
    diagnosis.checks.remove(0)
}

fn grown(pid: u32, bytes: f64) -> Finding {
    let pid = pid.to_string();
    Finding::number(Labels::from_pairs([("host", "h1"), ("pid", pid.as_str())]), bytes)
}

#[tokio::test]
async fn a_process_that_grows_is_shown_with_its_growth() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    let now = Timestamp::now();
    let process = |pid, rss_bytes| ProcessSnapshot {
        pid,
        name: "python".to_owned(),
        rss_bytes,
        ..ProcessSnapshot::default()
    };
    let host = |memory_available_bytes| HostSnapshot {
        host: "h1".to_owned(),
        time: now,
        memory_available_bytes,
        ..HostSnapshot::default()
    };
    stage.pipeline.hosts().observe(host(64 * GIB));
    stage.pipeline.hosts().observe_processes("h1", now, vec![process(7, 3 * GIB), process(8, GIB)]);
    let query = |window| {
        format!("process_resident_memory_bytes - first_over_time(process_resident_memory_bytes[{window}])")
    };
    let name = "top_processes_by_memory";

    let found = check(&stage, name).await;
    assert_eq!(found.verdict, CheckVerdict::Look);
    assert!(found.reason.contains("how they grow is not known"), "{found:?}");
    assert_eq!(found.rows.len(), 2, "what they hold is shown all the same");

    stage.answers.give(&query("10m"), vec![grown(7, 0.5 * GIB as f64), grown(8, 0.0)]);
    stage.answers.give(&query("1h"), vec![grown(7, 2.0 * GIB as f64), grown(8, 1024.0)]);
    let found = check(&stage, name).await;
    assert_eq!(found.rows[0][3..6], ["3GiB", "+512MiB", "+2GiB"]);
    assert_eq!(found.verdict, CheckVerdict::Look);
    assert!(found.reason.contains("python (7) has gained +2GiB within an hour"), "{found:?}");

    stage.pipeline.hosts().observe(host(GIB));
    assert_eq!(check(&stage, name).await.verdict, CheckVerdict::Bad, "there is no room for as much again");

    stage.answers.give(&query("1h"), vec![grown(7, 1024.0)]);
    stage.answers.give(&query("10m"), vec![grown(7, 1024.0)]);
    assert_eq!(check(&stage, name).await.verdict, CheckVerdict::Fine);
}

fn task(id: &str, state: QueueState, age: Duration, position: u64, score: f64) -> QueueTask {
    QueueTask {
        id: id.to_owned(),
        kind: Some("summary".to_owned()),
        document_id: None,
        priority: None,
        created_at: None,
        first_seen: Timestamp::now().before(age),
        state,
        payload_hash: String::new(),
        payload_bytes: 1024,
        score: Some(score),
        position: Some(position),
    }
}

fn queue(tasks: Vec<QueueTask>) -> QueueSnapshot {
    let mut depth = BTreeMap::new();
    for task in &tasks {
        *depth.entry(task.state).or_insert(0) += 1;
    }
    QueueSnapshot {
        queue: "llm_tasks".to_owned(),
        system: "redis".to_owned(),
        time: Timestamp::now(),
        depth,
        tasks,
        oldest_age_seconds: BTreeMap::new(),
        enqueued_total: None,
        completed_total: None,
        failed_total: None,
        ok: true,
    }
}

#[tokio::test]
async fn queue_heads_come_in_the_order_of_the_queue_with_scores_and_ages() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    let pending = QueueState::Pending;
    stage.pipeline.queues().observe(queue(vec![
        task("old", pending, minutes(90), 1, -1.0),
        task("urgent", pending, minutes(2), 0, -9.0),
        task("taken", QueueState::Processing, minutes(1), 0, 0.0),
    ]));
    let found = check(&stage, "queue_heads").await;
    assert_eq!(found.columns[..5], ["queue", "place", "task", "score", "age"]);
    let rows: Vec<&[String]> = found.rows.iter().map(|row| &row[1..5]).collect();
    assert_eq!(rows, [["1", "urgent", "-9", "2m 0s"], ["2", "old", "-1", "1h 30m 0s"]]);
}

#[tokio::test]
async fn a_task_that_was_taken_too_long_ago_is_stuck() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    let taken =
        |id, minutes: u64| task(id, QueueState::Processing, Duration::from_secs(minutes * 60), 0, 0.0);
    stage.pipeline.queues().observe(queue(vec![taken("young", 5)]));
    let found = check(&stage, "stuck_tasks").await;
    assert_eq!((found.verdict, found.rows.len()), (CheckVerdict::Fine, 0), "{found:?}");
    stage.pipeline.queues().observe(queue(vec![taken("young", 5), taken("old", 15)]));
    let found = check(&stage, "stuck_tasks").await;
    assert_eq!(found.verdict, CheckVerdict::Look, "{found:?}");
    assert_eq!(found.rows.iter().map(|row| row[1].as_str()).collect::<Vec<_>>(), ["old"]);
}

#[tokio::test]
async fn that_no_process_was_killed_is_said_only_where_the_kernels_log_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    let query = r#"collector_up{collector="kernel_log"}"#;
    stage.answers.give(UNITS, vec![up("h1", 1.0)]);
    let log = up;
    let cases = [
        (vec![], CheckVerdict::Look, "the kernel's log is not read"),
        (vec![log("h1", 1.0), log("h2", 0.0)], CheckVerdict::Look, "the kernel's log is not read"),
        (vec![log("h1", 1.0)], CheckVerdict::Fine, "no process is known"),
    ];
    for (logs, verdict, reason) in cases {
        stage.answers.give(query, logs.clone());
        for name in ["oom_kills", "recent_exits"] {
            let found = check(&stage, name).await;
            assert_eq!(found.verdict, verdict, "{name} with {logs:?}: {found:?}");
            assert!(found.reason.starts_with(reason), "{name} with {logs:?}: {found:?}");
        }
    }
}

#[tokio::test]
async fn that_no_process_ended_badly_is_said_only_where_it_would_be_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    stage.answers.give(r#"collector_up{collector="kernel_log"}"#, vec![up("h1", 1.0)]);
    stage.answers.give(UNITS, vec![]);
    let found = check(&stage, "recent_exits").await;
    assert_eq!(found.verdict, CheckVerdict::Look, "{found:?}");
    assert!(found.reason.starts_with("no service manager is asked"), "{found:?}");
    assert_eq!(check(&stage, "oom_kills").await.verdict, CheckVerdict::Fine, "the kernel tells of these");

    stage.answers.give(UNITS, vec![up("h1", 1.0)]);
    stage.pipeline.on_events(&[heartbeat("well", 0)]);
    assert_eq!(check(&stage, "recent_exits").await.verdict, CheckVerdict::Fine);
    // Nothing that a service manager started, and `kill -9`: only its silence is known.
    stage.pipeline.on_events(&[heartbeat("silent", 20), heartbeat("long-forgotten", 25 * 60)]);
    let found = check(&stage, "recent_exits").await;
    assert_eq!(found.verdict, CheckVerdict::Look, "{found:?}");
    assert!(found.reason.starts_with("1 worker crashed or fell silent"), "{found:?}");
}

const UNITS: &str = r#"collector_up{collector="units"}"#;

fn up(host: &str, value: f64) -> Finding {
    Finding::number(Labels::from_pairs([("target", host)]), value)
}

fn heartbeat(worker: &str, minutes_ago: u64) -> Event {
    Event::Worker(Box::new(WorkerEvent {
        time: Timestamp::now().before(Duration::from_secs(minutes_ago * 60)),
        event_id: format!("heartbeat-{worker}"),
        action: WorkerAction::Heartbeat,
        worker_id: worker.to_owned(),
        capability: None,
        service: None,
        host: None,
        pid: None,
        queues: None,
        version: None,
        started_at: None,
        job_id: None,
        is_healthy: None,
        active_tasks: None,
        max_concurrent_tasks: None,
        completed_tasks: None,
        failed_tasks: None,
        timeout_count: None,
        error_count: None,
        consecutive_failures: None,
        total_processing_seconds: None,
        cpu_percent: None,
        memory_percent: None,
        memory_rss_bytes: None,
        gpu_percent: None,
        gpu_memory_percent: None,
        disk_percent: None,
        network_latency_seconds: None,
        bytes_transferred: None,
        reason: None,
        exit_code: None,
        attributes: Attributes::new(),
    }))
}

async fn append(stage: &Stage, events: &[Event]) {
    let events = store::batches_from_events(events).expect("rows");
    stage.store.append(Batch { events, ..Batch::default() }).await.expect("stored");
}

fn failed_request(number: u64, minutes_ago: u64) -> Event {
    Event::Request(Box::new(RequestEvent {
        time: Timestamp::now().before(Duration::from_secs(minutes_ago * 60)),
        event_id: format!("request-{number}"),
        path: format!("/documents/{number}"),
        route: Some("/documents/{id}".to_owned()),
        method: "POST".to_owned(),
        status_code: 500,
        duration_seconds: 0.1,
        user_id: None,
        api_key_id: None,
        client_ip: None,
        request_id: Some(format!("r-{number}")),
        service: None,
        trace_id: None,
        request_bytes: None,
        response_bytes: None,
        error_message: Some(format!("document {number} is no PDF")),
        attributes: Attributes::new(),
    }))
}

#[tokio::test]
async fn errors_that_say_the_same_are_one_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    assert_eq!(check(&stage, "recent_errors").await.verdict, CheckVerdict::Fine);
    let too_old = failed_request(9, 90);
    append(&stage, &[failed_request(1, 30), failed_request(2, 1), failed_request(3, 20), too_old]).await;
    let found = check(&stage, "recent_errors").await;
    assert_eq!(found.verdict, CheckVerdict::Look);
    assert_eq!(found.reason, "3 errors within 1h");
    assert_eq!(found.rows.len(), 1, "{found:?}");
    let row = &found.rows[0];
    assert_eq!((row[0].as_str(), row[3].as_str()), ("3", "POST /documents/{id}"), "{row:?}");
    assert_eq!(row[4], "r-2", "the last one is the example");
}

#[tokio::test]
async fn changes_are_deployments_and_what_people_did_newest_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    let ago = |minutes: u64| Timestamp::now().before(Duration::from_secs(minutes * 60));
    append(
        &stage,
        &[Event::Deploy(Box::new(DeployEvent {
            time: ago(30),
            event_id: "d-1".to_owned(),
            service: "llm-worker".to_owned(),
            version: "1.4.0".to_owned(),
            environment: Some("production".to_owned()),
            description: None,
            url: None,
            attributes: Attributes::new(),
        }))],
    )
    .await;
    let entry = |action: &str, minutes| AuditEntry {
        time: ago(minutes),
        actor: "anna".to_owned(),
        action: action.to_owned(),
        target: Some("llm_tasks".to_owned()),
        detail: serde_json::Value::Null,
        client_ip: None,
        outcome: Outcome::Ok,
    };
    for entry in [entry("queue.remove", 10), entry("session.create", 5), entry("alert.diagnose", 1)] {
        stage.state.audit().append(&entry).await.expect("written");
    }
    let found = check(&stage, "recent_changes").await;
    let rows: Vec<&[String]> = found.rows.iter().map(|row| &row[1..]).collect();
    assert_eq!(
        rows,
        [
            ["done here", "queue.remove", "llm_tasks, by anna"],
            ["deployment", "llm-worker", "1.4.0, production"]
        ]
    );
    assert_eq!(found.reason, "2 changes within 1d, among them 1 deployment");
}

#[tokio::test]
async fn an_alert_is_diagnosed_with_the_checks_of_its_rule_for_its_labels() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    stage.answers.queues("queue_depth > 100", &[("llm_tasks", 150.0)]);
    stage.evaluate(0).await;
    stage.evaluate(30).await;
    let alert = stage.one().await;
    let kept = alert.evidence.clone();
    let by_id = stage.alerts.diagnose(&Subject::Alert(alert.id.clone())).await.expect("a diagnosis");
    let names: Vec<&str> = by_id.checks.iter().map(|check| check.check.as_str()).collect();
    assert_eq!(names, ["oldest_pending_tasks", "workers"]);
    assert_eq!(by_id.labels["queue"], "llm_tasks");
    let by_rule =
        stage.alerts.diagnose(&Subject::Rule("QueueBacklog".to_owned())).await.expect("a diagnosis");
    assert_eq!((by_rule.labels, by_rule.checks), (by_id.labels, by_id.checks));
    assert_eq!(stage.one().await.evidence, kept, "evidence stays what was found when it fired");

    let everything = stage.alerts.diagnose(&Subject::Checks(Vec::new())).await.expect("a diagnosis");
    assert_eq!(everything.checks.len(), stage.alerts.checks().len());
    let stage = &stage;
    let refused = |subject| async move { stage.alerts.diagnose(&subject).await.expect_err("refused") };
    assert!(matches!(refused(Subject::Alert("none".to_owned())).await, DiagnoseError::NoAlert));
    assert!(matches!(refused(Subject::Rule("none".to_owned())).await, DiagnoseError::NoRule(_)));
    let unknown = refused(Subject::Checks(vec!["none".to_owned()])).await;
    assert!(unknown.to_string().contains("stuck_tasks"), "it says which there are: {unknown}");
}
