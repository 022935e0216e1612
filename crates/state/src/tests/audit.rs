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
async fn the_database_itself_takes_an_entry_at_the_end_alone_and_changes_and_removes_none() {
    let (_folder, state) = open().await;
    for second in 0..3 {
        write(&state, second, "ann", "login", None).await;
    }
    for (statement, said) in [
        ("UPDATE audit SET actor = 'bob'", "append-only"),
        ("DELETE FROM audit WHERE seq = 1", "append-only"),
        ("DELETE FROM audit", "append-only"),
        ("INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2", "is a chain"),
        (
            "INSERT INTO audit (seq, time_ms, actor, action, detail, outcome, previous_hash, hash)
             VALUES (4, 0, 'ann', 'login', '{}', 'ok', zeroblob(32), zeroblob(32))",
            "is a chain",
        ),
    ] {
        let error = sqlx::query(statement).execute(&state.database.write).await.expect_err(statement);
        assert!(error.to_string().contains(said), "{statement}: {error}");
    }
    let verdict = state.audit().verify(None).await.expect("read");
    assert_eq!((verdict.entries, verdict.is_intact()), (3, true), "{verdict:?}");
}
