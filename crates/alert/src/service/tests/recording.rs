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
    assert!(broken.contains("error calling query: the expression could not be evaluated"), "{broken}");
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
    let metrics = prometheus::TextEncoder::new().encode_to_string(&stage.registry.gather()).expect("text");
    assert!(!metrics.contains("rule_group=\""), "{metrics}");
}
