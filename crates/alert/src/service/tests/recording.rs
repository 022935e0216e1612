//! What rules write, and what becomes of it when rules change.

use std::sync::Arc;

use model::{Labels, is_stale};

use super::stage::{Stage, at};
use crate::evaluate::Finding;
use crate::group::{GroupRunner, hand_over};
use crate::{AlertState, RuleHealth, RuleSet};

const RULES: &str = r#"groups:
  - name: records
    query_offset: 10s
    limit: 2
    labels: { source: rules }
    rules:
      - record: depth
        expr: queue_depth
  - name: alerts
    rules:
      - alert: Backlog
        expr: queue_depth > 100
        labels: { severity: info }
        annotations:
          first: '{{ with query "best" }}{{ . | first | value }}{{ end }}'
          broken: '{{ query "none" }}'
"#;

/// Second, queue and value (none is a staleness marker) of what was written of a series.
fn written(stage: &Stage, name: &str) -> Vec<(i64, String, Option<f64>)> {
    let written = stage.written.0.lock();
    let of_name = written.iter().filter(|(labels, _, _)| labels.metric_name() == name);
    let shown = |(labels, time, value): &(Labels, i64, f64)| {
        let queue = labels.get("queue").unwrap_or_default().to_owned();
        ((time - at(0).as_millis()) / 1_000, queue, (!is_stale(*value)).then_some(*value))
    };
    of_name.map(shown).collect()
}

fn queue(name: &str) -> String {
    name.to_owned()
}

#[tokio::test]
async fn a_recorded_series_has_the_time_that_was_asked_for_and_ends_when_it_is_given_no_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), RULES).await;
    stage.answers.queues("queue_depth", &[("a", 1.0), ("b", 2.0)]);
    stage.evaluate(60).await;
    stage.answers.queues("queue_depth", &[("b", 3.0)]);
    stage.evaluate(75).await;
    let first = [(50, queue("a"), Some(1.0)), (50, queue("b"), Some(2.0))];
    assert_eq!(written(&stage, "depth")[..2], first);
    assert_eq!(written(&stage, "depth")[2..], [(65, queue("b"), Some(3.0)), (65, queue("a"), None)]);
    assert!(stage.written.0.lock().iter().all(|(labels, _, _)| labels.get("source") == Some("rules")));

    // Over the limit nothing is written, also no end: it is a failure as any other.
    stage.answers.queues("queue_depth", &[("a", 1.0), ("b", 2.0), ("c", 3.0)]);
    stage.evaluate(90).await;
    assert_eq!(written(&stage, "depth").len(), 4);
    let status = &stage.alerts.rules()[0];
    assert_eq!(status.last_error.as_deref(), Some("exceeded limit of 2 with 3 series"));
    stage.answers.queues("queue_depth", &[]);
    stage.evaluate(105).await;
    assert_eq!(written(&stage, "depth")[4..], [(95, queue("b"), None)]);
}

#[tokio::test]
async fn templates_may_ask_queries_and_say_what_failed() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), RULES).await;
    stage.answers.queues("queue_depth > 100", &[("a", 150.0)]);
    stage.answers.give("best", vec![Finding::number(Labels::empty(), 7.5)]);
    stage.evaluate(0).await;
    let annotations = stage.one().await.annotations;
    assert_eq!(annotations["first"], "7.5");
    let broken = &annotations["broken"];
    assert!(
        broken.starts_with("<error expanding template: error executing template __alert_Backlog: "),
        "{broken}"
    );
    assert!(broken.contains("error calling query: the test wants it so"), "{broken}");
}

#[tokio::test]
async fn a_rule_over_the_limit_of_its_group_forgets_its_alerts_and_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = "groups: [{ name: g, limit: 2, rules: [{ alert: Backlog, expr: queue_depth > 100,
        keep_firing_for: 1m, labels: { severity: critical } }] }]";
    let stage = Stage::quiet(folder.path(), rules).await;
    let query = "queue_depth > 100";
    stage.answers.queues(query, &[("a", 150.0), ("b", 150.0)]);
    stage.evaluate(0).await;
    assert!(stage.all().await.iter().all(|alert| alert.state == AlertState::Firing));

    // Those that are kept firing count, as in Prometheus.
    stage.answers.queues(query, &[("c", 150.0)]);
    stage.evaluate(15).await;
    let error = stage.alerts.rules()[0].last_error.clone();
    assert_eq!(error.as_deref(), Some("exceeded limit of 2 with 3 alerts"));
    let alerts = stage.all().await;
    assert_eq!(alerts.len(), 2, "the third did not come to be: {alerts:?}");
    assert!(alerts.iter().all(|alert| alert.state == AlertState::Resolved), "{alerts:?}");
    let history = stage.alerts.get(&alerts[0].id).await.expect("read").expect("there").history;
    let note = history[0].note.as_deref().expect("a note");
    assert!(note.ends_with("over the limit of its group: exceeded limit of 2 with 3 alerts"), "{note}");
    assert_eq!(stage.subjects().await.len(), 2, "the beginning and the end are told");

    stage.evaluate(30).await;
    assert_eq!(stage.alerts.rules()[0].health, RuleHealth::Ok);
    let firing = stage.all().await.into_iter().filter(|alert| alert.state == AlertState::Firing);
    assert_eq!(firing.map(|alert| alert.labels["queue"].clone()).collect::<Vec<_>>(), ["c"]);
}

#[tokio::test]
async fn rules_that_are_there_twice_have_alerts_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = "groups: [{ name: g, rules: [{ alert: Backlog, expr: queue_depth > 100 },
        { alert: Backlog, expr: queue_depth > 200, for: 15s }] }]";
    let stage = Stage::quiet(folder.path(), rules).await;
    stage.answers.queues("queue_depth > 100", &[("a", 250.0)]);
    stage.answers.queues("queue_depth > 200", &[("a", 250.0)]);
    stage.evaluate(0).await;
    let states = async || {
        let mut states: Vec<AlertState> = stage.all().await.iter().map(|alert| alert.state).collect();
        states.sort();
        states
    };
    assert_eq!(states().await, [AlertState::Pending, AlertState::Firing]);
    stage.evaluate(15).await;
    assert_eq!(states().await, [AlertState::Firing, AlertState::Firing]);
    let statuses = stage.alerts.rules();
    assert!(
        statuses[0].warnings.len() == 1 && statuses[1].warnings[1].contains("rules.yml:1:"),
        "{statuses:?}"
    );
}

#[tokio::test]
async fn a_rule_whose_series_another_one_has_written_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = "groups: [{ name: g, rules: [{ record: depth, expr: a }, { record: depth, expr: b }] }]";
    let stage = Stage::quiet(folder.path(), rules).await;
    stage.answers.queues("a", &[("q", 1.0)]);
    stage.answers.queues("b", &[("q", 2.0)]);
    stage.evaluate(0).await;
    let health: Vec<RuleHealth> = stage.alerts.rules().iter().map(|rule| rule.health).collect();
    assert_eq!(health, [RuleHealth::Ok, RuleHealth::Failed]);
    let error = stage.alerts.rules()[1].last_error.clone().unwrap_or_default();
    assert!(error.starts_with("duplicate sample for timestamp: 1 of"), "{error}");

    // The second ends what the first goes on with: nobody loses anything.
    stage.answers.queues("b", &[]);
    stage.evaluate(15).await;
    assert!(stage.alerts.rules().iter().all(|rule| rule.health == RuleHealth::Ok));
}

/// Takes other rules, as the schedule does.
async fn change(stage: &Stage, rules: &str, seconds: i64) {
    let before = stage.alerts.groups();
    stage.alerts.reload(&RuleSet::parse("rules.yml", rules).expect("valid rules")).await;
    let after = stage.alerts.groups();
    let without = |groups: &[Arc<GroupRunner>], others: &[Arc<GroupRunner>]| -> Vec<Arc<GroupRunner>> {
        groups
            .iter()
            .filter(|one| !others.iter().any(|other| Arc::ptr_eq(one, other)))
            .map(Arc::clone)
            .collect()
    };
    hand_over(&without(&before, &after), &without(&after, &before), at(seconds)).await;
}

#[tokio::test]
async fn rules_that_stay_go_on_and_what_removed_ones_wrote_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::quiet(folder.path(), RULES).await;
    stage.answers.queues("queue_depth", &[("a", 1.0)]);
    stage.answers.queues("queue_depth > 100", &[("a", 150.0)]);
    stage.evaluate(60).await;
    let before = stage.alerts.groups();
    let shown = || prometheus::TextEncoder::new().encode_to_string(&stage.registry.gather()).expect("text");
    for (name, value) in [
        ("rule_evaluations_total", 1),
        ("rule_evaluation_failures_total", 0),
        ("rule_group_last_evaluation_samples", 1),
        ("rule_group_rules", 1),
    ] {
        let line = format!("watchkeeper_{name}{{rule_group=\"rules.yml;records\"}} {value}\n");
        assert!(shown().contains(&line), "{line}{}", shown());
    }
    assert!(shown().contains("watchkeeper_rule_evaluation_duration_seconds_count 2\n"), "{}", shown());

    // The same again, with a comment: nothing is touched.
    change(&stage, &format!("# more\n{RULES}"), 62).await;
    assert!(stage.alerts.groups().iter().zip(before.iter()).all(|(now, then)| Arc::ptr_eq(now, then)));

    // A group that changes keeps its rules' health, and knows what they wrote.
    change(&stage, &RULES.replace("limit: 2", "limit: 3"), 63).await;
    assert!(!Arc::ptr_eq(&stage.alerts.groups()[0], &before[0]));
    assert!(Arc::ptr_eq(&stage.alerts.groups()[1], &before[1]));
    assert!(stage.alerts.rules().iter().all(|rule| rule.last_evaluation == Some(at(60))));
    assert_eq!(stage.alerts.rules()[0].health, RuleHealth::Ok);
    stage.answers.queues("queue_depth", &[("b", 1.0)]);
    stage.evaluate(75).await;
    assert_eq!(written(&stage, "depth")[1..], [(65, queue("b"), Some(1.0)), (65, queue("a"), None)]);

    // Rules that are removed: their series end, and so do their alerts.
    change(&stage, "groups: []", 80).await;
    assert_eq!(written(&stage, "depth").last(), Some(&(80, queue("b"), None)));
    assert_eq!(written(&stage, "ALERTS").last(), Some(&(80, queue("a"), None)));
    assert_eq!(stage.one().await.state, AlertState::Resolved);
    assert!(stage.alerts.rules().is_empty());
    assert!(!shown().contains("rule_group=\""), "{}", shown());
}
