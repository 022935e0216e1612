use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Pool, Sqlite};
use tempfile::TempDir;

use super::{again, at};
use crate::{AuditEntry, AuditFilter, AuditRecord, AuditStart, Outcome, Page, State};

/// A database as it was before there were chains, or, with all migrations, as a crash right after them leaves it.
async fn old_database(folder: &TempDir, migrations: usize, statements: &[&'static str]) {
    let options =
        SqliteConnectOptions::new().filename(folder.path().join("state.db")).create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.expect("a database");
    migrate(&pool, 1).await;
    for statement in statements {
        sqlx::query(*statement).execute(&pool).await.expect(statement);
    }
    migrate(&pool, migrations).await;
    pool.close().await;
}

async fn migrate(pool: &Pool<Sqlite>, migrations: usize) {
    let mut migrator = sqlx::migrate!();
    migrator.migrations.to_mut().truncate(migrations);
    migrator.run(pool).await.expect("migrated");
}

/// Seven entries, of which retention and a clock that was set have left five: 2, 3, 5, 6 and 7.
const OLD: [&str; 2] = [
    "INSERT INTO audit (time_ms, actor, action, target, detail, client_ip, outcome)
     VALUES (1754083801000, 'ann', 'login', NULL, 'null', '127.0.0.1', 'ok'),
            (1754083802000, 'ann', 'user.create', 'bob', '{\"role\":\"viewer\"}', '127.0.0.1', 'ok'),
            (1754083803000, 'bob', 'login', '', '{ \"a\": 1.10 }', NULL, 'denied'),
            (1754083804000, 'ann', 'login', NULL, 'null', '127.0.0.1', 'ok'),
            (1754083805000, 'ann', 'key.create', 'k', '{}', '127.0.0.1', 'failed'),
            (1754083806000, 'ann', 'login', NULL, 'null', '127.0.0.1', 'ok'),
            (1754083807000, 'ann', 'login', NULL, 'null', '127.0.0.1', 'ok')",
    "DELETE FROM audit WHERE seq IN (1, 4)",
];

async fn all(state: &State) -> Vec<AuditRecord> {
    let (records, _) = state.audit().list(&AuditFilter::default(), Page::default()).await.expect("read");
    records.into_iter().rev().collect()
}

#[tokio::test]
async fn entries_of_a_log_that_was_no_chain_are_chained_in_their_order_and_the_chain_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    old_database(&folder, 1, &OLD).await;
    let state = again(&folder).await;
    let records = all(&state).await;
    let seconds: Vec<i64> =
        records[..5].iter().map(|record| record.entry.time.since(at(0)).as_secs() as i64).collect();
    assert_eq!(seconds, [2, 3, 5, 6, 7]);
    let numbers: Vec<i64> = records.iter().map(|record| record.seq).collect();
    assert_eq!(numbers, [3, 4, 5, 6, 7, 8], "the last one keeps its number, and there are no gaps");
    assert_eq!(records[0].entry.detail, json!({ "role": "viewer" }));
    assert_eq!((records[1].entry.outcome, &records[1].entry.target), (Outcome::Denied, &None));
    let note = &records[5].entry;
    assert_eq!((note.actor.as_str(), note.action.as_str()), ("watchkeeper", "audit.chain"));
    assert_eq!(note.detail, json!({ "entries": 5, "first_seq": 3 }));
    let verdict = state.audit().verify(None).await.expect("read");
    assert!(verdict.is_intact(), "{verdict:?}");
    assert_eq!((verdict.entries, verdict.start), (6, Some(AuditStart::Migration)));
    // Once is enough.
    state.close().await;
    assert_eq!(all(&again(&folder).await).await, records);
}

#[tokio::test]
async fn a_log_whose_entries_are_all_gone_goes_on_with_its_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    old_database(&folder, 1, &[OLD[0], "DELETE FROM audit"]).await;
    let state = again(&folder).await;
    let entry = AuditEntry {
        time: at(0),
        actor: "ann".to_owned(),
        action: "login".to_owned(),
        target: None,
        detail: json!({}),
        client_ip: None,
        outcome: Outcome::Ok,
    };
    state.audit().append(&entry).await.expect("written");
    let numbers: Vec<i64> = all(&state).await.iter().map(|record| record.seq).collect();
    assert_eq!(numbers, [8, 9]);
    let verdict = state.audit().verify(None).await.expect("read");
    assert_eq!((verdict.is_intact(), verdict.start), (true, Some(AuditStart::Migration)), "{verdict:?}");
}

#[tokio::test]
async fn a_crash_between_the_migration_and_the_chain_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    old_database(&folder, usize::MAX, &OLD).await;
    // Two who come at the same time chain them once.
    let (one, other) = tokio::join!(again(&folder), again(&folder));
    for state in [&one, &other] {
        let verdict = state.audit().verify(None).await.expect("read");
        assert_eq!((verdict.is_intact(), verdict.entries), (true, 6), "{verdict:?}");
    }
    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_schema WHERE name = 'audit_unchained'")
        .fetch_one(&one.database.read)
        .await
        .expect("read");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_new_log_has_no_entry_that_speaks_of_old_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = again(&folder).await;
    assert!(all(&state).await.is_empty());
}
