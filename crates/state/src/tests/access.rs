use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use super::{again, at, open};
use crate::{Page, Role, Scope, Scopes, State, StateError, User};

const PASSWORD: &str = "correct horse battery";

async fn ann(state: &State) -> User {
    state.users().create("ann", PASSWORD, Role::Admin).await.expect("made")
}

#[tokio::test]
async fn a_user_logs_in_with_the_right_password_alone() {
    let (folder, state) = open().await;
    let ann = ann(&state).await;
    let state = again(&folder).await;
    let cases = [
        ("ann", PASSWORD, true),
        ("ann", "incorrect horse", false),
        ("Ann", PASSWORD, false),
        ("bob", "", false),
    ];
    for (name, password, expected) in cases {
        let user = state.users().verify(name, password).await.expect("an answer");
        assert_eq!(user.is_some_and(|user| user == ann), expected, "{name} {password}");
    }
    state.users().disable(&ann.id, at(0)).await.expect("disabled");
    assert_eq!(state.users().verify("ann", PASSWORD).await.expect("an answer"), None);
    state.users().enable(&ann.id).await.expect("enabled");
    state.users().set_password(&ann.id, "another long password").await.expect("changed");
    assert_eq!(state.users().verify("ann", PASSWORD).await.expect("an answer"), None);
    assert!(state.users().verify("ann", "another long password").await.expect("an answer").is_some());
}

#[tokio::test]
async fn the_last_administrator_cannot_be_removed() {
    let (_folder, state) = open().await;
    let (users, ann) = (state.users(), ann(&state).await);
    let bob = users.create("bob", PASSWORD, Role::Operator).await.expect("made");
    let error = users.delete(&ann.id).await.expect_err("the last one");
    assert!(matches!(error, StateError::LastAdministrator), "{error}");
    let eve = users.create("eve", PASSWORD, Role::Admin).await.expect("made");
    users.disable(&eve.id, at(0)).await.expect("disabled");
    users.delete(&ann.id).await.expect_err("the other one cannot log in");
    users.delete(&eve.id).await.expect("one that cannot log in may go");
    users.delete(&bob.id).await.expect("removed");
    let error = users.delete(&bob.id).await.expect_err("gone");
    assert!(matches!(error, StateError::NotFound("user")), "{error}");
    let eve = users.create("eve", PASSWORD, Role::Admin).await.expect("made");
    let (one, other) = tokio::join!(users.delete(&ann.id), users.delete(&eve.id));
    assert!(one.is_ok() != other.is_ok(), "one of two stays");
}

#[tokio::test]
async fn an_unknown_user_takes_as_long_as_a_wrong_password() {
    let (_folder, state) = open().await;
    ann(&state).await;
    let (mut known, mut unknown) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let began = Instant::now();
        state.users().verify("ann", "not the password").await.expect("an answer");
        known = known.min(began.elapsed());
        let began = Instant::now();
        state.users().verify("nobody", "not the password").await.expect("an answer");
        unknown = unknown.min(began.elapsed());
    }
    assert!(unknown * 3 > known && known * 3 > unknown, "{unknown:?} {known:?}");
}

#[tokio::test]
async fn names_and_passwords_that_cannot_be_used_are_refused() {
    let (_folder, state) = open().await;
    ann(&state).await;
    let users = state.users();
    for name in ["", " ann", "a\nb", "<script>", &"a".repeat(65)] {
        let error = users.create(name, PASSWORD, Role::Viewer).await.expect_err(name);
        assert!(matches!(error, StateError::BadName { .. }), "{name}: {error}");
    }
    for password in ["short", "eleven char", &"a".repeat(1_025)] {
        let error = users.create("bob", password, Role::Viewer).await.expect_err(password);
        assert!(matches!(error, StateError::BadPassword { .. }), "{error}");
    }
    let error = users.create("ann", PASSWORD, Role::Viewer).await.expect_err("taken");
    assert_eq!(error.to_string(), "the user `ann` exists already");
    assert_eq!(users.count().await.expect("a count"), 1);
    let error = users.set_role("nobody", Role::Admin).await.expect_err("not there");
    assert!(matches!(error, StateError::NotFound("user")), "{error}");
}

#[tokio::test]
async fn a_session_lives_while_it_is_used_and_not_for_ever() {
    let (_folder, state) = open().await;
    let ann = ann(&state).await;
    let sessions = state.sessions();
    let hour = 3_600;
    let new = sessions.create(&ann.id, Some("127.0.0.1"), at(0)).await.expect("a session");
    let token = new.token.reveal().to_owned();
    let found = sessions.find(&token, at(1)).await.expect("read").expect("alive");
    assert_eq!((found.user.name.as_str(), found.csrf_token.as_str()), ("ann", new.csrf_token.reveal()));
    assert!(sessions.find("another", at(1)).await.expect("read").is_none());
    // Used every ten hours, it outlives the twelve hours that it may be idle, up to thirty days.
    let mut last = 0;
    for hours in (10..=2_000).step_by(10) {
        if sessions.find(&token, at(hours * hour)).await.expect("read").is_some() {
            last = hours;
        }
    }
    assert_eq!(last, 30 * 24 - 10);
    let idle = sessions.create(&ann.id, None, at(0)).await.expect("a session");
    assert!(sessions.find(idle.token.reveal(), at(12 * hour)).await.expect("read").is_none());
}

#[tokio::test]
async fn sessions_end_when_they_are_ended_and_when_there_are_too_many() {
    let (_folder, state) = open().await;
    let ann = ann(&state).await;
    let sessions = state.sessions();
    let first = sessions.create(&ann.id, None, at(0)).await.expect("a session");
    let mut newer = Vec::new();
    for second in 1..=20 {
        newer.push(sessions.create(&ann.id, None, at(second)).await.expect("a session"));
    }
    assert!(sessions.find(first.token.reveal(), at(30)).await.expect("read").is_none());
    for session in &newer {
        assert!(sessions.find(session.token.reveal(), at(30)).await.expect("read").is_some());
    }
    sessions.end(newer[0].token.reveal()).await.expect("ended");
    assert!(sessions.find(newer[0].token.reveal(), at(31)).await.expect("read").is_none());
    state.users().disable(&ann.id, at(32)).await.expect("disabled");
    assert_eq!(sessions.end_all(&ann.id).await.expect("ended"), 0, "none outlives its user");
    let error = sessions.create("nobody", None, at(33)).await.expect_err("no such user");
    assert!(matches!(error, StateError::NotFound("user")), "{error}");
}

#[tokio::test]
async fn a_login_link_works_once_and_in_time() {
    let (_folder, state) = open().await;
    let ann = ann(&state).await;
    let links = state.links();
    let minute = Duration::from_secs(60);
    let old = links.create(&ann.id, minute, at(0)).await.expect("a link");
    let link = links.create(&ann.id, minute, at(0)).await.expect("a link");
    assert_eq!(links.redeem(old.reveal(), at(1)).await.expect("an answer"), None, "a newer one ends it");
    let user = links.redeem(link.reveal(), at(59)).await.expect("an answer").expect("a user");
    assert_eq!(user.name, "ann");
    assert_eq!(links.redeem(link.reveal(), at(59)).await.expect("an answer"), None, "only once");
    let late = links.create(&ann.id, minute, at(0)).await.expect("a link");
    assert_eq!(links.redeem(late.reveal(), at(60)).await.expect("an answer"), None);
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_until_it_ends() {
    let (folder, state) = open().await;
    let scopes: Scopes = [Scope::Ingest].into_iter().collect();
    let keys = state.keys();
    let new = keys.create("gateway", scopes, "ann", None, at(0)).await.expect("a key");
    let text = new.secret.reveal().to_owned();
    assert!(text.starts_with(&new.key.prefix) && text.len() > new.key.prefix.len() + 30);
    let keys = again(&folder).await.keys();
    let found = keys.verify(&text, at(1)).await.expect("read").expect("valid");
    assert!(found.scopes.allows(Scope::Ingest) && !found.scopes.allows(Scope::Read));
    for wrong in ["", "wk_", "Bearer x", &format!("{text}x"), &"wk_".repeat(100)] {
        assert_eq!(keys.verify(wrong, at(1)).await.expect("read"), None, "{wrong}");
    }
    // Use is written down to the minute, not at every request.
    keys.verify(&text, at(30)).await.expect("read");
    let page = Page::default();
    assert_eq!(keys.list(page).await.expect("a list")[0].last_used_at, Some(at(1)));
    keys.verify(&text, at(61)).await.expect("read");
    assert_eq!(keys.list(page).await.expect("a list")[0].last_used_at, Some(at(61)));
    keys.revoke(&new.key.id, at(70)).await.expect("revoked");
    assert_eq!(keys.verify(&text, at(71)).await.expect("read"), None);
    assert!(keys.revoke(&new.key.id, at(72)).await.is_err(), "it is revoked already");
    let short = keys.create("short", scopes, "ann", Some(at(100)), at(80)).await.expect("a key");
    assert!(keys.verify(short.secret.reveal(), at(99)).await.expect("read").is_some());
    assert!(keys.verify(short.secret.reveal(), at(100)).await.expect("read").is_none());
}

#[tokio::test]
async fn guessing_gets_slower_and_is_forgotten_after_a_while() {
    let (folder, state) = open().await;
    let attempts = state.attempts();
    let mut waits = Vec::new();
    for _ in 0..8 {
        attempts.failed("10.0.0.1 ann", at(0)).await.expect("written");
        waits.push(attempts.wait("10.0.0.1 ann", at(0)).await.expect("read").map(|wait| wait.as_secs()));
    }
    assert_eq!(waits, [None, None, None, None, Some(2), Some(4), Some(8), Some(16)]);
    let after = again(&folder).await.attempts();
    assert_eq!(after.wait("10.0.0.1 ann", at(15)).await.expect("read"), Some(Duration::from_secs(1)));
    assert_eq!(after.wait("10.0.0.1 ann", at(16)).await.expect("read"), None);
    assert_eq!(after.wait("10.0.0.2 ann", at(0)).await.expect("read"), None, "another address is free");
    for _ in 0..20 {
        after.failed("10.0.0.1 ann", at(20)).await.expect("written");
    }
    assert_eq!(after.wait("10.0.0.1 ann", at(20)).await.expect("read"), Some(Duration::from_secs(900)));
    after.failed("10.0.0.1 ann", at(20 + 1_801)).await.expect("written");
    assert_eq!(after.wait("10.0.0.1 ann", at(20 + 1_801)).await.expect("read"), None, "counted anew");
    after.failed("x", at(0)).await.expect("written");
    after.succeeded("x").await.expect("written");
    assert_eq!(after.wait("x", at(0)).await.expect("read"), None);
}

#[tokio::test]
async fn no_secret_is_in_the_file_and_the_file_is_private() {
    let (folder, state) = open().await;
    let ann = ann(&state).await;
    let key = state.keys().create("k", Scopes::NONE, "ann", None, at(0)).await.expect("a key").secret;
    let session = state.sessions().create(&ann.id, None, at(0)).await.expect("a session").token;
    let link = state.links().create(&ann.id, Duration::from_secs(60), at(0)).await.expect("a link");
    assert_eq!(format!("{key:?} {session:?} {link:?}"), "*** *** ***");
    state.close().await;
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        for secret in [PASSWORD, key.reveal(), session.reveal(), link.reveal()] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "a secret is in {}", path.display());
        }
        let mode = std::fs::metadata(&path).expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn two_processes_write_side_by_side() {
    let (folder, one) = open().await;
    let other = again(&folder).await;
    let write = |state: State, from: i64| async move {
        for second in from..from + 50 {
            state.attempts().failed("x", at(second)).await.expect("written");
        }
    };
    tokio::join!(write(one.clone(), 0), write(other, 100));
    let wait = one.attempts().wait("x", at(150)).await.expect("read");
    assert!(wait.is_some(), "a hundred failures were counted");
}
