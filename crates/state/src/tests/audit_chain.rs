use std::time::Duration;

use serde_json::json;

use super::{again, at, open};
use crate::audit::append_within;
use crate::{AuditEntry, AuditFault, AuditFilter, AuditHash, AuditStart, AuditVerdict, Outcome, Page, State};

const DAY: i64 = 86_400;

fn entry(seconds: i64, target: &str) -> AuditEntry {
    AuditEntry {
        time: at(seconds),
        actor: "ann".to_owned(),
        action: "user.create".to_owned(),
        target: Some(target.to_owned()),
        detail: json!({ "role": "viewer", "ratio": 0.1 }),
        client_ip: Some("127.0.0.1".to_owned()),
        outcome: Outcome::Ok,
    }
}

/// Writes entries, a day from each to the next.
async fn fill(state: &State, entries: i64) {
    let mut transaction = state.database.begin("a test").await.expect("begun");
    for day in 0..entries {
        let entry = entry(day * DAY, &format!("user{day}"));
        append_within(&mut transaction, &entry).await.expect("written");
    }
    transaction.commit().await.expect("written");
}

async fn verify(state: &State) -> AuditVerdict {
    state.audit().verify(None).await.expect("read")
}

/// What somebody does who may write to the file.
async fn tamper(state: &State, statement: &'static str) {
    for trigger in [
        "DROP TRIGGER IF EXISTS audit_is_a_chain",
        "DROP TRIGGER IF EXISTS audit_is_append_only",
        "DROP TRIGGER IF EXISTS audit_is_removed_by_retention_alone",
        statement,
    ] {
        sqlx::query(trigger).execute(&state.database.write).await.expect(statement);
    }
}

#[track_caller]
fn broken(verdict: &AuditVerdict, seq: i64, fault: AuditFault) {
    let flaw = verdict.flaw.as_ref().expect("it is broken");
    assert_eq!((flaw.seq, flaw.fault), (seq, fault), "{verdict:?}");
    assert!(!verdict.is_intact() && flaw.reason.contains(&seq.to_string()), "{verdict:?}");
}

#[tokio::test]
async fn a_log_that_nobody_touched_is_intact_from_its_beginning_to_its_head() {
    let (folder, state) = open().await;
    let empty = verify(&state).await;
    assert_eq!((empty.is_intact(), empty.entries, empty.head), (true, 0, None));
    fill(&state, 7).await;
    let verdict = verify(&again(&folder).await).await;
    assert!(verdict.is_intact(), "{verdict:?}");
    assert_eq!((verdict.entries, verdict.first_seq), (7, Some(1)));
    assert_eq!(verdict.start, Some(AuditStart::Beginning));
    let (newest, _) = state.audit().list(&AuditFilter::default(), Page::first(1)).await.expect("read");
    let head = verdict.head.expect("a head");
    assert_eq!((head.seq, head.hash), (7, newest[0].hash));
}

#[tokio::test]
async fn a_change_of_any_field_is_found() {
    for statement in [
        "UPDATE audit SET time_ms = time_ms + 1 WHERE seq = 3",
        "UPDATE audit SET time_ms = 'yesterday' WHERE seq = 3",
        "UPDATE audit SET actor = 'bob' WHERE seq = 3",
        "UPDATE audit SET action = 'user.remove' WHERE seq = 3",
        "UPDATE audit SET target = 'root' WHERE seq = 3",
        "UPDATE audit SET target = NULL WHERE seq = 3",
        "UPDATE audit SET target = '' WHERE seq = 3",
        "UPDATE audit SET detail = '{}' WHERE seq = 3",
        "UPDATE audit SET detail = detail || ' ' WHERE seq = 3",
        "UPDATE audit SET client_ip = '10.0.0.1' WHERE seq = 3",
        "UPDATE audit SET outcome = 'failed' WHERE seq = 3",
        "UPDATE audit SET hash = zeroblob(32) WHERE seq = 3",
        "UPDATE audit SET hash = x'00' WHERE seq = 3",
        "UPDATE audit SET previous_hash = zeroblob(32) WHERE seq = 3",
    ] {
        let (_folder, state) = open().await;
        fill(&state, 5).await;
        tamper(&state, statement).await;
        let verdict = verify(&state).await;
        broken(&verdict, 3, AuditFault::Changed);
        assert_eq!(verdict.entries, 2, "{statement}: what comes before is sound");
    }
}

#[tokio::test]
async fn an_entry_that_was_given_another_number_is_found() {
    let (_folder, state) = open().await;
    fill(&state, 5).await;
    tamper(&state, "UPDATE audit SET seq = 9 WHERE seq = 5").await;
    broken(&verify(&state).await, 9, AuditFault::Changed);
}

#[tokio::test]
async fn entries_that_are_gone_from_the_middle_or_the_beginning_are_found() {
    let cases = [
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq IN (2, 3)", 2),
        ("DELETE FROM audit WHERE seq <= 2", 2),
        ("DELETE FROM audit", 1),
    ];
    for (statement, seq) in cases {
        let (_folder, state) = open().await;
        fill(&state, 5).await;
        tamper(&state, statement).await;
        broken(&verify(&state).await, seq, AuditFault::Missing);
    }
}

#[tokio::test]
async fn entries_that_are_gone_from_the_end_are_found_by_their_number_until_that_is_changed_too() {
    let (_folder, state) = open().await;
    fill(&state, 5).await;
    let noted = verify(&state).await.head.expect("a head").hash;
    let earlier = {
        let (records, _) = state.audit().list(&AuditFilter::default(), Page::default()).await.expect("read");
        records.iter().find(|record| record.seq == 2).expect("there").hash
    };
    tamper(&state, "DELETE FROM audit WHERE seq > 3").await;
    broken(&verify(&state).await, 4, AuditFault::Missing);
    tamper(&state, "UPDATE sqlite_sequence SET seq = 3 WHERE name = 'audit'").await;
    assert!(verify(&state).await.is_intact(), "nothing in the file itself can tell");
    // What was noted elsewhere can.
    let verdict = state.audit().verify(Some(noted)).await.expect("read");
    broken(&verdict, 4, AuditFault::Missing);
    assert!(verdict.flaw.expect("a flaw").reason.contains("missing at the end"));
    let verdict = state.audit().verify(Some(earlier)).await.expect("read");
    assert_eq!((verdict.is_intact(), verdict.expected_at), (true, Some(2)), "{verdict:?}");
}

#[tokio::test]
async fn what_is_written_after_entries_went_from_the_end_leaves_the_hole_to_be_seen() {
    let (_folder, state) = open().await;
    fill(&state, 5).await;
    tamper(&state, "DELETE FROM audit WHERE seq > 3").await;
    state.audit().append(&entry(6 * DAY, "later")).await.expect("written");
    broken(&verify(&state).await, 4, AuditFault::Missing);
}

#[tokio::test]
async fn entries_that_changed_places_are_found() {
    for (one, other) in [
        ("UPDATE audit SET seq = -1 WHERE seq = 3", "UPDATE audit SET seq = 3 WHERE seq = 4"),
        ("UPDATE audit SET seq = -1 WHERE seq = 3", "UPDATE audit SET seq = 3 WHERE seq = 5"),
    ] {
        let (_folder, state) = open().await;
        fill(&state, 6).await;
        tamper(&state, one).await;
        tamper(&state, other).await;
        tamper(
            &state,
            "UPDATE audit SET seq = (SELECT MIN(n) FROM (SELECT 4 AS n UNION SELECT 5) WHERE n NOT IN (SELECT seq FROM audit))
             WHERE seq = -1",
        )
        .await;
        broken(&verify(&state).await, 3, AuditFault::OutOfOrder);
    }
}

#[tokio::test]
async fn an_entry_that_was_changed_together_with_its_hash_is_found_by_the_next_one() {
    let (_folder, state) = open().await;
    fill(&state, 5).await;
    // What another log has there follows the same entries, and is whole in itself.
    let (_elsewhere, other) = open().await;
    fill(&other, 2).await;
    other.audit().append(&entry(2 * DAY, "somebody else")).await.expect("written");
    let (records, _) = other.audit().list(&AuditFilter::default(), Page::first(1)).await.expect("read");
    tamper(&state, "UPDATE audit SET target = 'somebody else' WHERE seq = 3").await;
    let hash = records[0].hash.to_string();
    sqlx::query("UPDATE audit SET hash = unhex($1) WHERE seq = 3")
        .bind(hash)
        .execute(&state.database.write)
        .await
        .expect("written");
    broken(&verify(&state).await, 3, AuditFault::Changed);
}

#[tokio::test]
async fn retention_leaves_a_log_that_can_be_verified_and_says_what_it_removed() {
    let (_folder, state) = open().await;
    fill(&state, 10).await;
    let kept = Duration::from_secs(5 * DAY.unsigned_abs());
    let removed = state.audit().remove_old(kept, 1_000, at(9 * DAY)).await.expect("removed");
    assert_eq!(removed, 5);
    let verdict = verify(&state).await;
    assert!(verdict.is_intact(), "{verdict:?}");
    assert_eq!((verdict.entries, verdict.first_seq), (6, Some(6)));
    assert_eq!(verdict.start, Some(AuditStart::Checkpoint));
    let filter = AuditFilter { action: Some("audit".to_owned()), ..AuditFilter::default() };
    let (told, total) = state.audit().list(&filter, Page::default()).await.expect("read");
    assert_eq!(total, 1);
    assert_eq!(told[0].entry.actor, "watchkeeper");
    let detail = &told[0].entry.detail;
    assert_eq!(
        (&detail["removed"], &detail["first_seq"], &detail["last_seq"]),
        (&5.into(), &1.into(), &5.into())
    );
    // The head that was noted before is known still when it was the last to go.
    let last: AuditHash = detail["last_hash"].as_str().expect("a hash").parse().expect("a hash");
    let verdict = state.audit().verify(Some(last)).await.expect("read");
    assert_eq!((verdict.is_intact(), verdict.expected_at), (true, Some(5)));
    // By and by all goes, the checkpoints that nothing needs any more as well.
    fill(&state, 1).await;
    let removed = state.audit().remove_old(kept, 1_000, at(90 * DAY)).await.expect("removed");
    assert_eq!(removed, 7);
    assert_eq!(verify(&state).await.entries, 1);
    assert_eq!(state.audit().remove_old(kept, 1_000, at(900 * DAY)).await.expect("looked"), 0);
    assert!(verify(&state).await.is_intact());
}

#[tokio::test]
async fn entries_go_by_the_day_and_from_the_beginning_alone() {
    let (_folder, state) = open().await;
    let kept = Duration::from_secs(30 * DAY.unsigned_abs());
    for seconds in [0, 3_600, 7_200] {
        state.audit().append(&entry(seconds, "x")).await.expect("written");
    }
    let audit = state.audit();
    assert_eq!(
        audit.remove_old(kept, 1_000, at(30 * DAY + 7_200)).await.expect("looked"),
        0,
        "not a day too old"
    );
    assert_eq!(audit.remove_old(kept, 1_000, at(31 * DAY)).await.expect("removed"), 3);
    // An entry of a clock that was wrong keeps those after it, which are a part of the chain.
    for seconds in [40 * DAY, 400 * DAY, 41 * DAY] {
        audit.append(&entry(seconds, "x")).await.expect("written");
    }
    assert_eq!(audit.remove_old(kept, 1_000, at(100 * DAY)).await.expect("removed"), 2);
    assert!(verify(&state).await.is_intact());
    // However young they are, there are never too many.
    assert_eq!(audit.remove_old(kept, 1, at(100 * DAY)).await.expect("removed"), 2);
    assert!(verify(&state).await.is_intact());
}

#[tokio::test]
async fn an_entry_that_is_gone_beside_those_of_retention_is_found() {
    let (_folder, state) = open().await;
    fill(&state, 10).await;
    let kept = Duration::from_secs(5 * DAY.unsigned_abs());
    state.audit().remove_old(kept, 1_000, at(9 * DAY)).await.expect("removed");
    tamper(&state, "DELETE FROM audit WHERE seq = 6").await;
    broken(&verify(&state).await, 6, AuditFault::Missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_write_at_once_write_one_chain() {
    let (folder, state) = open().await;
    // As the command line beside a server.
    let other = again(&folder).await;
    let mut writers = Vec::new();
    for writer in 0..16 {
        let state = if writer % 4 == 0 { other.clone() } else { state.clone() };
        writers.push(tokio::spawn(async move {
            for number in 0..8 {
                let target = format!("{writer}/{number}");
                state.audit().append(&entry(0, &target)).await.expect("written");
            }
        }));
    }
    for writer in writers {
        writer.await.expect("no panic");
    }
    let verdict = verify(&state).await;
    assert!(verdict.is_intact(), "{verdict:?}");
    assert_eq!((verdict.entries, verdict.head.map(|head| head.seq)), (128, Some(128)));
}

#[tokio::test]
async fn what_was_not_committed_leaves_no_trace_in_the_chain() {
    let (folder, state) = open().await;
    fill(&state, 3).await;
    // As a crash between the entry and its end.
    let mut transaction = state.database.begin("a test").await.expect("begun");
    append_within(&mut transaction, &entry(0, "lost")).await.expect("written");
    drop(transaction);
    state.audit().append(&entry(0, "kept")).await.expect("written");
    let verdict = verify(&again(&folder).await).await;
    assert_eq!((verdict.is_intact(), verdict.entries), (true, 4), "{verdict:?}");
}

#[tokio::test]
async fn a_verification_sees_the_log_as_it_was_whatever_happens_meanwhile() {
    let (_folder, state) = open().await;
    fill(&state, 600).await;
    let mut verification = state.audit().verification(None).await.expect("begun");
    assert_eq!((verification.total(), verification.checked()), (600, 0));
    assert!(verification.go_on().await.expect("read"));
    assert!(verification.checked() > 0 && verification.checked() < 600, "it goes on by parts");
    state.audit().append(&entry(0, "later")).await.expect("written");
    let kept = Duration::from_secs(DAY.unsigned_abs());
    assert!(state.audit().remove_old(kept, 10, at(600 * DAY)).await.expect("removed") > 500);
    while verification.go_on().await.expect("read") {}
    let verdict = verification.finish();
    assert_eq!((verdict.is_intact(), verdict.entries), (true, 600), "{verdict:?}");
    assert!(verify(&state).await.is_intact());
}

#[tokio::test]
async fn texts_and_facts_have_a_bound_and_what_is_kept_is_what_is_hashed() {
    let (_folder, state) = open().await;
    let long = AuditEntry {
        actor: "é".repeat(5_000),
        target: Some(String::new()),
        detail: json!({ "text": "x".repeat(100_000) }),
        ..entry(0, "x")
    };
    state.audit().append(&long).await.expect("written");
    let (records, _) = state.audit().list(&AuditFilter::default(), Page::default()).await.expect("read");
    let kept = &records[0].entry;
    assert_eq!((kept.actor.chars().count(), &kept.target), (1_000, &None));
    assert_eq!(kept.detail["left_out_bytes"], 100_011);
    assert!(verify(&state).await.is_intact());
}
