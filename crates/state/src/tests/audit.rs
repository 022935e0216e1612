use model::TimeRange;
use serde_json::json;

use super::{at, open};
use crate::{AuditEntry, AuditFilter, Outcome, Page, State};

async fn write(state: &State, seconds: i64, actor: &str, action: &str, target: Option<&str>) {
    let entry = AuditEntry {
        time: at(seconds),
        actor: actor.to_owned(),
        action: action.to_owned(),
        target: target.map(str::to_owned),
        detail: json!({ "n": seconds }),
        client_ip: Some("127.0.0.1".to_owned()),
        outcome: Outcome::Ok,
    };
    state.audit().append(&entry).await.expect("written");
}

#[tokio::test]
async fn entries_are_found_by_who_what_and_when() {
    let (_folder, state) = open().await;
    write(&state, 0, "ann", "user.create", Some("bob")).await;
    write(&state, 1, "bob", "login", None).await;
    write(&state, 2, "ann", "user.delete", Some("bob")).await;
    write(&state, 3, "ann", "users", Some("x")).await;
    let none = AuditFilter::default;
    let cases = [
        (none(), vec![3, 2, 1, 0]),
        (AuditFilter { actor: Some("ann".to_owned()), ..none() }, vec![3, 2, 0]),
        (AuditFilter { action: Some("user".to_owned()), ..none() }, vec![2, 0]),
        (AuditFilter { action: Some("user.delete".to_owned()), ..none() }, vec![2]),
        (AuditFilter { target: Some("bob".to_owned()), ..none() }, vec![2, 0]),
        (AuditFilter { range: Some(TimeRange::new(at(1), at(2))), ..none() }, vec![2, 1]),
    ];
    for (filter, expected) in cases {
        let (found, total) = state.audit().list(&filter, Page::default()).await.expect("read");
        let numbers: Vec<i64> = found.iter().filter_map(|record| record.entry.detail["n"].as_i64()).collect();
        assert_eq!((numbers, total), (expected.clone(), expected.len() as u64), "{filter:?}");
    }
}

#[tokio::test]
async fn the_log_is_exported_in_order_and_in_parts() {
    let (_folder, state) = open().await;
    for second in 0..7 {
        write(&state, second, "ann", "login", None).await;
    }
    let (mut after, mut exported) = (0, Vec::new());
    loop {
        let part = state.audit().export(&AuditFilter::default(), after, 3).await.expect("read");
        let Some(last) = part.last() else { break };
        assert!(last.seq > after && part.len() <= 3);
        after = last.seq;
        exported.extend(part.into_iter().map(|record| record.entry.time));
    }
    assert_eq!(exported, (0..7).map(at).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_an_entry() {
    let (_folder, state) = open().await;
    write(&state, 0, "ann", "login", None).await;
    let error = sqlx::query("UPDATE audit SET actor = 'bob'").execute(&state.database.write).await;
    assert!(error.expect_err("refused").to_string().contains("append-only"));
}
