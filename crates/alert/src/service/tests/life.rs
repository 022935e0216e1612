//! The life of alerts, and what a restart does to it: nothing.

use std::time::Duration;

use model::{DurationText, is_stale};

use super::stage::{BACKLOG, Stage, at, section, webhook};
use crate::{ActionError, AlertState, Config, RuleHealth};

const QUERY: &str = "queue_depth > 100";

#[tokio::test]
async fn a_backlog_is_pending_then_firing_then_resolved_and_told_once_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    stage.answers.queues(QUERY, &[("llm_tasks", 150.0)]);
    stage.evaluate(0).await;
    assert_eq!(stage.state_of_one().await, AlertState::Pending);
    stage.evaluate(15).await;
    assert!(stage.subjects().await.is_empty());
    stage.answers.queues(QUERY, &[("llm_tasks", 160.0)]);
    for seconds in [30, 45, 60] {
        stage.evaluate(seconds).await;
    }
    let alert = stage.one().await;
    assert_eq!((alert.state, alert.active_at, alert.fired_at), (AlertState::Firing, at(0), Some(at(30))));
    assert_eq!(alert.annotations["summary"], "llm_tasks holds 160 tasks");
    assert_eq!(alert.evidence.as_array().map(Vec::len), Some(2));
    stage.answers.queues(QUERY, &[]);
    stage.evaluate(75).await;
    stage.evaluate(90).await;
    assert_eq!(stage.state_of_one().await, AlertState::Resolved);
    assert_eq!(
        stage.subjects().await,
        [
            "[FIRING] [critical] QueueBacklog llm_tasks: llm_tasks holds 160 tasks",
            "[RESOLVED] [critical] QueueBacklog llm_tasks: llm_tasks holds 160 tasks",
        ]
    );
    let history = stage.alerts.get(&alert.id).await.expect("read").expect("there").history;
    let steps: Vec<_> = history.iter().rev().map(|step| (step.to, step.time)).collect();
    assert_eq!(
        steps,
        [(AlertState::Pending, at(0)), (AlertState::Firing, at(30)), (AlertState::Resolved, at(75))]
    );
}

#[tokio::test]
async fn the_states_of_alerts_are_written_as_series_that_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    stage.answers.queues(QUERY, &[("llm_tasks", 150.0)]);
    stage.evaluate(0).await;
    stage.evaluate(30).await;
    stage.answers.queues(QUERY, &[]);
    stage.evaluate(45).await;
    let written = stage.written.0.lock();
    let of = |name: &str, state: Option<&str>| -> Vec<(i64, Option<f64>)> {
        let wanted = |labels: &model::Labels| {
            labels.metric_name() == name
                && labels.get("alertstate") == state
                && labels.get("alertname") == Some("QueueBacklog")
                && labels.get("queue") == Some("llm_tasks")
                && labels.get("severity") == Some("critical")
        };
        let second = |time: &i64| (time - at(0).as_millis()) / 1_000;
        let samples = written.iter().filter(|(labels, _, _)| wanted(labels));
        samples.map(|(_, time, value)| (second(time), (!is_stale(*value)).then_some(*value))).collect()
    };
    assert_eq!(of("ALERTS", Some("pending")), [(0, Some(1.0)), (30, None)]);
    assert_eq!(of("ALERTS", Some("firing")), [(30, Some(1.0)), (45, None)]);
    let since = at(0).as_secs_f64();
    assert_eq!(of("ALERTS_FOR_STATE", None), [(0, Some(since)), (30, Some(since)), (45, None)]);
}

#[tokio::test]
async fn a_restart_neither_forgets_nor_repeats() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    stage.answers.queues(QUERY, &[("ocr", 101.0), ("llm_tasks", 150.0)]);
    stage.evaluate(0).await;
    drop(stage);

    // The timer of a pending alert goes on.
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    stage.answers.queues(QUERY, &[("ocr", 101.0), ("llm_tasks", 150.0)]);
    stage.evaluate(30).await;
    assert!(
        stage.all().await.iter().all(|alert| alert.state == AlertState::Firing && alert.active_at == at(0))
    );
    assert_eq!(stage.subjects().await.len(), 1, "two alerts of a rule are one notification");
    let ocr = stage.all().await.into_iter().find(|alert| alert.labels["queue"] == "ocr").expect("there");
    stage.alerts.acknowledge(&ocr.id, "ann", Some("adding workers")).await.expect("possible");
    drop(stage);

    // What fires is not told again, and who took it on is not forgotten.
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    stage.answers.queues(QUERY, &[("ocr", 101.0), ("llm_tasks", 150.0)]);
    for seconds in [45, 60, 75] {
        stage.evaluate(seconds).await;
    }
    assert_eq!(stage.subjects().await.len(), 1);
    let ocr = stage.alerts.get(&ocr.id).await.expect("read").expect("there").alert;
    assert_eq!(ocr.state, AlertState::Acknowledged);
    assert_eq!((ocr.acknowledged_by.as_deref(), ocr.note.as_deref()), (Some("ann"), Some("adding workers")));
    stage.alerts.resolve(&ocr.id, "bob", None).await.expect("possible");
    assert_eq!(stage.subjects().await.len(), 2);
    drop(stage);

    // What was resolved by hand stays so; what is gone is resolved, and told.
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    stage.answers.queues(QUERY, &[("ocr", 101.0)]);
    stage.evaluate(90).await;
    let state_of = |alerts: &[crate::AlertRecord], queue: &str| {
        alerts.iter().find(|alert| alert.labels["queue"] == queue).map(|alert| alert.state)
    };
    let alerts = stage.all().await;
    assert_eq!(state_of(&alerts, "ocr"), Some(AlertState::Resolved));
    assert_eq!(state_of(&alerts, "llm_tasks"), Some(AlertState::Resolved));
    assert_eq!(stage.subjects().await.len(), 3);
    stage.answers.queues(QUERY, &[]);
    stage.evaluate(105).await;
    stage.answers.queues(QUERY, &[("ocr", 101.0)]);
    stage.evaluate(120).await;
    assert_eq!(state_of(&stage.all().await, "ocr"), Some(AlertState::Pending));
}

#[tokio::test]
async fn missing_data_after_a_start_resolves_nothing_within_the_grace() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    stage.answers.queues(QUERY, &[("llm_tasks", 150.0)]);
    stage.evaluate(0).await;
    stage.evaluate(30).await;
    drop(stage);
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    stage.alerts.begin(at(3_600));
    stage.answers.queues(QUERY, &[]);
    for seconds in [3_600, 3_615] {
        stage.evaluate(seconds).await;
        assert_eq!(stage.state_of_one().await, AlertState::Firing, "{seconds}");
    }
    stage.evaluate(3_630).await;
    assert_eq!(stage.state_of_one().await, AlertState::Resolved);
    assert_eq!(stage.subjects().await.len(), 2);
}

#[tokio::test]
async fn a_firing_alert_is_told_again_until_somebody_takes_it_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { repeat_interval: DurationText(Duration::from_secs(60)), ..Config::default() };
    let stage = Stage::open(folder.path(), config, &webhook("http://127.0.0.1:9/"), BACKLOG).await;
    stage.answers.queues(QUERY, &[("llm_tasks", 150.0)]);
    for seconds in (0..=150).step_by(15) {
        stage.evaluate(seconds).await;
    }
    let subjects = stage.subjects().await;
    assert_eq!(subjects.len(), 3, "{subjects:?}");
    assert!(subjects[1].starts_with("[FIRING] (still) [critical]"), "{subjects:?}");
    let id = stage.one().await.id;
    stage.alerts.acknowledge(&id, "ann", None).await.expect("possible");
    for seconds in (165..=600).step_by(15) {
        stage.evaluate(seconds).await;
    }
    assert_eq!(stage.subjects().await.len(), 3);
    stage.answers.queues(QUERY, &[]);
    stage.evaluate(615).await;
    let told = stage.notifications().await.pop().expect("an end is told");
    assert_eq!(told.alerts[0].acknowledged_by.as_deref(), Some("ann"));
}

#[tokio::test]
async fn people_are_told_why_something_cannot_be_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    let error = stage.alerts.acknowledge("nothing", "ann", None).await.expect_err("no such alert");
    assert!(matches!(error, ActionError::NotFound), "{error}");
    stage.answers.queues(QUERY, &[("llm_tasks", 150.0)]);
    stage.evaluate(0).await;
    let id = stage.one().await.id;
    let error = stage.alerts.acknowledge(&id, "ann", None).await.expect_err("it only waits");
    assert_eq!(error.to_string(), "an alert that is pending cannot be acknowledged");
    stage.evaluate(30).await;
    stage.answers.queues(QUERY, &[]);
    stage.evaluate(45).await;
    let error = stage.alerts.resolve(&id, "ann", None).await.expect_err("it is over");
    assert_eq!(error.to_string(), "an alert that is resolved cannot be resolved");
}

#[tokio::test]
async fn a_rule_that_fails_says_so_and_holds_up_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = format!(
        "{BACKLOG}      - alert: Second\n        expr: other > 1\n        labels: {{ severity: info }}\n      - record: queue:depth\n        expr: sum(queue_depth)\n"
    );
    let stage = Stage::quiet(folder.path(), &rules).await;
    stage.answers.queues(QUERY, &[("llm_tasks", 150.0)]);
    stage.answers.queues("other > 1", &[("a", 2.0)]);
    stage.answers.queues("sum(queue_depth)", &[("a", 7.0)]);
    stage.evaluate(0).await;
    stage.evaluate(30).await;
    stage.answers.fail(QUERY);
    stage.answers.queues("other > 1", &[]);
    stage.evaluate(45).await;
    let alerts = stage.all().await;
    let state_of = |rule: &str| alerts.iter().find(|alert| alert.rule == rule).map(|alert| alert.state);
    assert_eq!(state_of("QueueBacklog"), Some(AlertState::Firing), "a failure resolves nothing");
    assert_eq!(state_of("Second"), Some(AlertState::Resolved));
    let statuses = stage.alerts.rules();
    assert_eq!(statuses[0].health, RuleHealth::Failed);
    let error = statuses[0].last_error.as_deref().expect("said");
    assert_eq!(error, "the test wants it so");
    assert_eq!(statuses[0].alerts, [(AlertState::Firing, 1)].into());
    assert_eq!((statuses[1].health, statuses[2].health), (RuleHealth::Ok, RuleHealth::Ok));
    let written = stage.written.0.lock();
    let recorded = written.iter().filter(|(labels, _, _)| labels.metric_name() == "queue:depth");
    assert_eq!(recorded.map(|(_, _, value)| *value).collect::<Vec<_>>(), [7.0, 7.0, 7.0]);
}

#[tokio::test]
async fn results_that_become_one_alert_and_too_many_results_are_failures() {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = BACKLOG.replace("severity: critical", "severity: critical, queue: all");
    let stage = Stage::quiet(folder.path(), &rules).await;
    stage.answers.queues(QUERY, &[("a", 150.0), ("b", 150.0)]);
    stage.evaluate(0).await;
    let error = stage.alerts.rules()[0].last_error.clone().unwrap_or_default();
    assert!(error.starts_with(
            "vector contains metrics with the same labelset after applying alert labels: {alertname=\"QueueBacklog\""
        ), "{error}");

    let folder = tempfile::tempdir().expect("a folder");
    let stage =
        Stage::quiet(folder.path(), &BACKLOG.replace("- name: queues", "- name: queues\n    limit: 1")).await;
    stage.answers.queues(QUERY, &[("a", 150.0), ("b", 150.0)]);
    stage.evaluate(0).await;
    let error = stage.alerts.rules()[0].last_error.clone().unwrap_or_default();
    assert_eq!(error, "exceeded limit of 1 with 2 alerts");
    assert!(stage.all().await.is_empty());

    // The bound of the settings is ours: what was known stays as it is.
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { max_alerts_per_rule: 1, ..Config::default() };
    let stage = Stage::open(folder.path(), config, &webhook("http://127.0.0.1:9/"), BACKLOG).await;
    stage.answers.queues(QUERY, &[("a", 150.0)]);
    stage.evaluate(0).await;
    stage.answers.queues(QUERY, &[("a", 150.0), ("b", 150.0)]);
    stage.evaluate(15).await;
    let error = stage.alerts.rules()[0].last_error.clone().unwrap_or_default();
    assert!(error.contains("(alerts.max_alerts_per_rule)"), "{error}");
    assert_eq!(stage.state_of_one().await, AlertState::Pending);
}

#[tokio::test]
async fn what_cannot_be_stored_has_not_happened() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    stage.answers.queues(QUERY, &[("llm_tasks", 150.0)]);
    stage.evaluate(0).await;
    stage.state.close().await;
    stage.evaluate(30).await;
    let status = &stage.alerts.rules()[0];
    assert_eq!(status.health, RuleHealth::Failed);
    assert_eq!(status.alerts, [(AlertState::Pending, 1)].into());
}

#[tokio::test]
async fn the_alerts_of_a_removed_rule_are_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    stage.answers.queues(QUERY, &[("llm_tasks", 150.0)]);
    stage.evaluate(0).await;
    stage.evaluate(30).await;
    drop(stage);
    let stage = Stage::quiet(folder.path(), "groups: []").await;
    stage.alerts.retire(at(60)).await;
    let alert = stage.one().await;
    assert_eq!(alert.state, AlertState::Resolved);
    let history = stage.alerts.get(&alert.id).await.expect("read").expect("there").history;
    assert_eq!(history[0].note.as_deref(), Some("its rule was changed or removed"));
    assert_eq!(stage.subjects().await.len(), 2);
}

#[tokio::test]
async fn each_channel_is_told_what_it_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let channels = section(serde_json::json!({ "webhook": [
        { "name": "all", "url": "http://127.0.0.1:9/" },
        { "name": "critical", "url": "http://127.0.0.1:9/", "min_severity": "critical" },
        { "name": "begin", "url": "http://127.0.0.1:9/", "send_resolved": false },
        { "name": "unused", "url": "http://127.0.0.1:9/" },
    ]}));
    let config =
        Config { channels: ["all", "critical", "begin"].map(str::to_owned).to_vec(), ..Config::default() };
    let rules = BACKLOG.replace("severity: critical", "severity: warning");
    let stage = Stage::open(folder.path(), config, &channels, &rules).await;
    stage.answers.queues(QUERY, &[("llm_tasks", 150.0)]);
    stage.evaluate(0).await;
    stage.evaluate(30).await;
    stage.answers.queues(QUERY, &[]);
    stage.evaluate(45).await;
    let told: Vec<String> = stage
        .deliveries()
        .await
        .into_iter()
        .map(|delivery| format!("{} {}", delivery.channel, &delivery.subject[..5]))
        .collect();
    assert_eq!(told, ["all [FIRI", "begin [FIRI", "all [RESO"]);
}

#[tokio::test]
async fn what_is_only_good_to_know_is_told_to_those_who_ask_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let channels = section(serde_json::json!({ "webhook": [
        { "name": "by_default", "url": "http://127.0.0.1:9/" },
        { "name": "all", "url": "http://127.0.0.1:9/", "min_severity": "info" },
    ]}));
    let rules = BACKLOG.replace("severity: critical", "severity: info");
    let stage = Stage::open(folder.path(), Config::default(), &channels, &rules).await;
    stage.answers.queues(QUERY, &[("llm_tasks", 150.0)]);
    stage.evaluate(0).await;
    stage.evaluate(30).await;
    let told: Vec<String> = stage.deliveries().await.into_iter().map(|delivery| delivery.channel).collect();
    assert_eq!(told, ["all"]);
}
