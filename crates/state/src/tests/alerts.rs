use std::collections::BTreeMap;

use serde_json::json;

use super::{again, at, open};
use crate::{AlertFilter, AlertRecord, AlertState, Commit, NewDelivery, Page, Transition};

fn record(id: &str, state: AlertState) -> AlertRecord {
    AlertRecord {
        id: id.to_owned(),
        rule_id: "r1".to_owned(),
        group: "queues".to_owned(),
        rule: "QueueBacklog".to_owned(),
        severity: "critical".to_owned(),
        labels: BTreeMap::from([("queue".to_owned(), "llm \"tasks\"".to_owned())]),
        annotations: BTreeMap::from([("summary".to_owned(), "it is full".to_owned())]),
        value: 150.5,
        state,
        active_at: at(0),
        fired_at: Some(at(30)),
        resolved_at: None,
        keep_firing_since: Some(at(40)),
        held: false,
        acknowledged_by: Some("ann".to_owned()),
        acknowledged_at: Some(at(50)),
        resolved_by: None,
        note: Some("on it".to_owned()),
        evidence: json!([{ "check": "workers" }]),
        last_notified_at: Some(at(30)),
        updated_at: at(50),
    }
}

fn step(id: &str, from: AlertState, to: AlertState, seconds: i64) -> Transition {
    Transition {
        alert_id: id.to_owned(),
        rule: "QueueBacklog".to_owned(),
        time: at(seconds),
        from,
        to,
        value: f64::INFINITY,
        actor: None,
        note: None,
    }
}

#[tokio::test]
async fn an_alert_is_read_as_it_was_written_by_the_next_process_too() {
    let (folder, state) = open().await;
    let fired = record("a", AlertState::Acknowledged);
    let mut held = record("b", AlertState::Resolved);
    (held.held, held.resolved_by, held.value) = (true, Some("bob".to_owned()), f64::NEG_INFINITY);
    let over = record("c", AlertState::Resolved);
    let commit = Commit {
        upserts: vec![fired.clone(), held.clone(), over.clone()],
        transitions: vec![
            step("a", AlertState::Pending, AlertState::Firing, 30),
            step("a", AlertState::Firing, AlertState::Acknowledged, 50),
        ],
        ..Commit::default()
    };
    state.alerts().commit(&commit, at(50)).await.expect("written");
    let alerts = again(&folder).await.alerts();
    assert_eq!(alerts.load_live().await.expect("read"), [fired.clone(), held]);
    assert_eq!(alerts.get("c").await.expect("read"), Some(over));
    assert_eq!(alerts.get("d").await.expect("read"), None);
    let history = alerts.history("a", Page::default()).await.expect("read");
    assert_eq!(history, commit.transitions.iter().rev().cloned().collect::<Vec<_>>());

    let changed = AlertRecord { value: f64::NAN, state: AlertState::Firing, ..fired };
    let commit = Commit { upserts: vec![changed], removals: vec!["c".to_owned()], ..Commit::default() };
    alerts.commit(&commit, at(60)).await.expect("written");
    let read = alerts.get("a").await.expect("read").expect("there");
    assert!(read.value.is_nan() && read.state == AlertState::Firing);
    assert_eq!(alerts.get("c").await.expect("read"), None);
}

#[tokio::test]
async fn alerts_are_listed_by_state_severity_and_rule() {
    let (_folder, state) = open().await;
    let mut upserts = Vec::new();
    for (index, (state, severity, rule)) in [
        (AlertState::Pending, "info", "A"),
        (AlertState::Firing, "critical", "A"),
        (AlertState::Firing, "info", "B"),
        (AlertState::Resolved, "critical", "B"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut record = record(&index.to_string(), state);
        (record.severity, record.rule) = (severity.to_owned(), rule.to_owned());
        record.updated_at = at(index as i64);
        upserts.push(record);
    }
    state.alerts().commit(&Commit { upserts, ..Commit::default() }, at(9)).await.expect("written");
    let filter = |states: &[AlertState], severities: &[&str], rule: Option<&str>| AlertFilter {
        states: states.to_vec(),
        severities: severities.iter().map(|text| (*text).to_owned()).collect(),
        rule: rule.map(str::to_owned),
    };
    let cases = [
        (filter(&[], &[], None), vec!["3", "2", "1", "0"]),
        (filter(&[AlertState::Firing], &[], None), vec!["2", "1"]),
        (filter(&[AlertState::Firing, AlertState::Pending], &["info"], None), vec!["2", "0"]),
        (filter(&[], &["critical"], Some("B")), vec!["3"]),
        (filter(&[], &[], Some("' OR 1 = 1 --")), vec![]),
    ];
    for (filter, expected) in cases {
        let (found, total) = state.alerts().list(&filter, Page::default()).await.expect("a list");
        let ids: Vec<&str> = found.iter().map(|record| record.id.as_str()).collect();
        assert_eq!((ids, total), (expected.clone(), expected.len() as u64), "{filter:?}");
    }
    let (page, total) =
        state.alerts().list(&AlertFilter::default(), Page { offset: 1, limit: 2 }).await.expect("a list");
    let ids: Vec<&str> = page.iter().map(|record| record.id.as_str()).collect();
    assert_eq!((ids, total), (vec!["2", "1"], 4));
    let counts = state.alerts().counts().await.expect("counts");
    assert_eq!(counts, [(AlertState::Pending, 1), (AlertState::Firing, 2), (AlertState::Resolved, 1)].into());
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing_behind() {
    let (_folder, state) = open().await;
    sqlx::query("CREATE TRIGGER broken BEFORE INSERT ON deliveries BEGIN SELECT RAISE(ABORT, 'broken'); END")
        .execute(&state.database.write)
        .await
        .expect("a trigger");
    let commit = Commit {
        upserts: vec![record("a", AlertState::Firing)],
        transitions: vec![step("a", AlertState::Pending, AlertState::Firing, 30)],
        deliveries: vec![NewDelivery {
            channel: "mail".to_owned(),
            thread: "r1".to_owned(),
            subject: "s".to_owned(),
            payload: json!({}),
        }],
        ..Commit::default()
    };
    state.alerts().commit(&commit, at(30)).await.expect_err("the queue is broken");
    assert_eq!(state.alerts().get("a").await.expect("read"), None);
    assert!(state.alerts().history("a", Page::default()).await.expect("read").is_empty());
}
