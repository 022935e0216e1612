//! A real PostgreSQL that is full, locked, slow, gone and back.

use std::io::Write;

use serde_json::json;
use testkit::{Postgres, eventually};
use tokio::io::AsyncWriteExt;

use super::stage::{SHORT, Server, hang, watch};

#[tokio::test]
async fn a_database_tells_its_connections_locks_and_slowest_statements() {
    let postgres = Postgres::start().await.unwrap();
    postgres.execute("CREATE TABLE paper (id int); INSERT INTO paper VALUES (1)").await.unwrap();
    postgres.execute("SELECT pg_sleep(0.05), 'hunter1' FROM paper").await.unwrap();
    postgres.execute("ALTER ROLE postgres SET search_path = 'hunter2'").await.unwrap();
    postgres.execute("ALTER ROLE postgres RESET search_path").await.unwrap();
    let mut probe = watch("postgresql", json!({ "name": "db", "url": postgres.url() }));
    let mut seen = probe.look().await;
    // The sessions of what was executed before may be about to end.
    for _ in 0..200 {
        if seen.value("postgresql_connections", "active") == Some(1.0) {
            break;
        }
        seen = probe.look().await;
    }
    assert_eq!(seen.error, None);
    assert_eq!(seen.shown.target, format!("127.0.0.1:{}/postgres", postgres.port()));
    assert_eq!(seen.value("postgresql_connections_limit", "db"), Some(20.0));
    assert_eq!(seen.value("postgresql_connections", "active"), Some(1.0), "{:?}", seen.samples);
    assert_eq!(seen.value("postgresql_locks", "waiting"), Some(0.0));
    assert_eq!(seen.shown.facts["role"], "primary");
    let slowest = seen.shown.statements.first().unwrap();
    assert!(seen.shown.statements.iter().any(|slow| slow.text.contains("pg_sleep")), "{slowest:?}");
    let label = format!("queryid=\"{}\"", slowest.query_id);
    assert_eq!(seen.value("postgresql_statement_mean_seconds", &label), Some(slowest.mean_seconds));
    assert!(seen.shown.statements.len() <= 10);
    assert!(!seen.told().contains("hunter"), "{}", seen.told());
    assert!(!seen.told().contains(postgres.password()), "{}", seen.told());

    let _holds = postgres.session("BEGIN; LOCK TABLE paper; SELECT pg_sleep(600)").unwrap();
    eventually("the table to be locked", || async {
        let waits = "SET lock_timeout = '10ms'; SELECT * FROM paper";
        Ok(postgres.execute(waits).await.is_err().then_some(()))
    })
    .await
    .unwrap();
    let _waits = postgres.session("SELECT * FROM paper").unwrap();
    let mut seen = probe.look().await;
    // For a moment the server knows that a session waits, and not yet since when.
    for _ in 0..200 {
        if seen.value("postgresql_lock_wait_max_seconds", "db") > Some(0.0) {
            break;
        }
        seen = probe.look().await;
    }
    assert_eq!(seen.value("postgresql_locks", "waiting"), Some(1.0));
    assert!(seen.value("postgresql_lock_wait_max_seconds", "db") > Some(0.0), "{:?}", seen.samples);
    let waits = |(name, fact): (&String, &String)| {
        name.starts_with("session ") && fact.contains("waits for a lock of ")
    };
    assert!(seen.shown.facts.iter().any(waits), "{:?}", seen.shown.facts);
}

#[tokio::test]
async fn a_database_is_seen_to_go_down_and_come_back_with_the_reason() {
    let mut postgres = Postgres::start().await.unwrap();
    let mut probe = watch("postgresql", json!({ "name": "db", "url": postgres.url() }));
    assert_eq!(probe.look().await.error, None);
    let since_up = probe.look().await.shown.since;
    postgres.stop().await.unwrap();
    let seen = probe.look().await;
    assert_eq!(seen.shown.reason.as_deref(), Some("connection refused"));
    assert_eq!(seen.value("probe_success", "postgresql"), Some(0.0));
    assert!(seen.shown.since > since_up);
    postgres.start_again().await.unwrap();
    let back = probe.look().await;
    assert_eq!(back.error, None);
    assert_eq!(back.shown.last_failure.unwrap().1, "connection refused");
}

#[tokio::test]
async fn a_password_that_is_wrong_or_a_database_that_is_not_there_is_said() {
    let postgres = Postgres::start().await.unwrap();
    let bare = format!("postgresql://postgres@127.0.0.1:{}/", postgres.port());
    let wrong = "the database says: password authentication failed for user \"postgres\" (28P01)";
    let absent = "the database says: database \"nowhere\" does not exist (3D000)";
    let password = postgres.password();
    let cases = [
        (json!({ "url": format!("{bare}postgres"), "password": "hunter2" }), Some(wrong)),
        (json!({ "url": format!("{bare}postgres"), "password": password }), None),
        (json!({ "url": format!("{bare}nowhere"), "password": password }), Some(absent)),
    ];
    for (settings, reason) in cases {
        let seen = watch("postgresql", settings).look().await;
        assert_eq!(seen.shown.reason.as_deref(), reason);
        assert!(!seen.told().contains("hunter2"), "{}", seen.told());
    }
    let verified = json!({ "url": postgres.url(), "tls": "verify" });
    let reason = watch("postgresql", verified).reason().await;
    assert!(reason.contains("does not support TLS"), "{reason}");
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"nothing").unwrap();
    let refused = super::stage::configured(
        "postgresql",
        &json!({ "url": postgres.url(), "tls": "verify", "ca_file": file.path() }),
    );
    assert!(refused.err().is_some_and(|error| error.to_string().contains("gives no certificate")));
}

#[tokio::test]
async fn what_takes_connections_and_says_nothing_is_given_up() {
    let server = Server::http(|_, stream| hang(stream)).await;
    let url = format!("postgresql://me:hunter2@127.0.0.1:{}/db", server.port);
    let timeout = format!("{}ms", SHORT.as_millis());
    let mut probe = watch("postgresql", json!({ "url": url, "timeout": timeout }));
    assert_eq!(probe.reason().await, "connecting: no answer within 0.3 s");
}

#[tokio::test]
async fn what_does_not_speak_postgresql_is_told_so() {
    // Something else, that closes; a message with a byte too many; one out of its order.
    let cases: [(&[u8], &str); 3] = [
        (b"220 mail.example.org ESMTP\r\n", "bytes remaining on stream"),
        (b"R\x00\x00\x00\x09\x00\x00\x00\x00!", "invalid message length: expected buffer to be empty"),
        (b"D\x00\x00\x00\x06\x00\x00", "unexpected message from server"),
    ];
    for (junk, said) in cases {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgresql://me@127.0.0.1:{}/db", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(junk).await.unwrap();
            stream.shutdown().await.unwrap();
            hang(stream).await
        });
        let reason = watch("postgresql", json!({ "url": url, "tls": "off" })).reason().await;
        assert_eq!(reason, format!("what answers does not speak PostgreSQL's protocol ({said})"));
    }
}
