//! What every request passes: names, headers, bounds.

use std::time::Duration;

use model::ByteSize;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stage::{Stage, TOKEN, answer};

/// Sends bytes as they are, and reads until `until` is there.
async fn raw(stage: &Stage, request: &[u8], until: &str) -> String {
    let mut stream = TcpStream::connect(stage.address).await.expect("connected");
    stream.write_all(request).await.expect("sent");
    let mut text = Vec::new();
    let read = async {
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&text).contains(until) {
            let count = stream.read(&mut buffer).await.expect("read");
            if count == 0 {
                break;
            }
            text.extend_from_slice(&buffer[..count]);
        }
    };
    tokio::time::timeout(Duration::from_secs(10), read).await.expect("answered in time");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebound_name_and_a_foreign_page_are_refused() {
    let stage = Stage::with(|config| config.allowed_hosts = vec!["watch.example.org".to_owned()]).await;
    let cases = [
        ("Host", "evil.example.org", 421),
        ("Host", "evil.example.org:7654", 421),
        ("Host", "localhost:7654", 200),
        ("Host", "watch.example.org", 200),
        ("Origin", "https://evil.example.org", 403),
        ("Origin", "http://localhost:3000", 200),
    ];
    for (name, value, status) in cases {
        let answered = answer(stage.local(Method::GET, "/api/v1/jobs").header(name, value)).await;
        assert_eq!(answered.status, status, "{name}: {value}: {answered:?}");
        if status != 200 {
            answered.problem(status);
        }
    }
    // Ingest is open to this machine, but not to a page that a browser on it shows.
    let page = stage.request(Method::POST, "/api/v1/events").header("Origin", "https://evil.example.org");
    answer(page.body("[]")).await.problem(403);
    let page = stage.request(Method::POST, "/api/v1/events").header("Sec-Fetch-Site", "cross-site");
    answer(page.body("[]")).await.problem(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_an_id_and_security_headers() {
    let stage = Stage::new().await;
    for path in ["/", "/healthz", "/nowhere", "/api/v1/jobs"] {
        let answered = answer(stage.request(Method::GET, path)).await;
        assert!(!answered.header("x-request-id").is_empty(), "{path}");
        assert_eq!(answered.header("x-content-type-options"), "nosniff", "{path}");
        let policy = answered.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
    }
    let given = answer(stage.request(Method::GET, "/healthz").header("X-Request-Id", "abc-1")).await;
    assert_eq!(given.header("x-request-id"), "abc-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_announces_itself_as_too_large_is_refused_before_it_is_sent() {
    let stage = Stage::new().await;
    let host = stage.address;
    let head =
        format!("POST /api/v1/events HTTP/1.1\r\nHost: {host}\r\nContent-Length: 999999999999\r\n\r\n");
    let answered = raw(&stage, head.as_bytes(), "too-large").await;
    assert!(answered.starts_with("HTTP/1.1 413 "), "{answered}");
    let head = format!(
        "POST /api/v1/users HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 70000\r\n\r\n"
    );
    let answered = raw(&stage, head.as_bytes(), "too-large").await;
    assert!(answered.starts_with("HTTP/1.1 413 "), "{answered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_announce_its_size_is_refused_while_it_comes() {
    let stage = Stage::with(|config| config.max_ingest_body = ByteSize(1000)).await;
    let mut request = format!(
        "POST /api/v1/events HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        stage.address
    );
    for _ in 0..3 {
        request.push_str(&format!("200\r\n{}\r\n", " ".repeat(512)));
    }
    // No last chunk: the answer comes all the same.
    let answered = raw(&stage, request.as_bytes(), "too-large").await;
    assert!(answered.starts_with("HTTP/1.1 413 "), "{answered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_far_too_much_gets_the_answer_and_not_a_broken_connection() {
    let stage = Stage::with(|config| config.max_ingest_body = ByteSize(1000)).await;
    let sent = stage.request(Method::POST, "/api/v1/events").body(vec![b' '; 32 << 20]);
    assert!(answer(sent).await.problem(413).contains("1KB"));
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_at_once_are_told_to_come_back() {
    let stage = Stage::with(|config| config.max_concurrent_requests = 1).await;
    // A request whose body does not come holds the only slot. One that arrives while the slot is taken is
    // refused itself, so each look sends another.
    let held = tokio::sync::Mutex::new(Vec::new());
    let head =
        format!("POST /api/v1/events HTTP/1.1\r\nHost: {}\r\nContent-Length: 10\r\n\r\n[", stage.address);
    let refused = testkit::eventually("the slot to be taken", || {
        let connection = TcpStream::connect(stage.address);
        let (stage, head, held) = (&stage, &head, &held);
        async move {
            let mut slow = connection.await?;
            slow.write_all(head.as_bytes()).await?;
            held.lock().await.push(slow);
            let answered = stage.get("/api/v1/jobs").await;
            Ok((answered.status == 503).then_some(answered))
        }
    });
    let refused = refused.await.expect("refused");
    refused.problem(503);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(answer(stage.request(Method::GET, "/healthz")).await.status, 200, "probes come through");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_takes_too_long_is_ended() {
    let stage =
        Stage::with(|config| config.request_timeout = model::DurationText(Duration::from_millis(200))).await;
    let head =
        format!("POST /api/v1/events HTTP/1.1\r\nHost: {}\r\nContent-Length: 10\r\n\r\n[", stage.address);
    let answered = raw(&stage, head.as_bytes(), "request-timeout").await;
    assert!(answered.starts_with("HTTP/1.1 408 "), "{answered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_requests_in_flight_finish() {
    let mut stage = Stage::new().await;
    let mut stream = TcpStream::connect(stage.address).await.expect("connected");
    let head =
        format!("POST /api/v1/events HTTP/1.1\r\nHost: {}\r\nContent-Length: 2\r\n\r\n[", stage.address);
    stream.write_all(head.as_bytes()).await.expect("sent");
    // Another request on another connection: by now the first has been accepted.
    assert_eq!(stage.get("/api/v1/jobs").await.status, 200);
    stage.stop.cancel();
    testkit::eventually("the port to be closed", || async {
        Ok(TcpStream::connect(stage.address).await.is_err().then_some(()))
    })
    .await
    .expect("closed");
    stream.write_all(b"]").await.expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("read");
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    let ended = tokio::time::timeout(Duration::from_secs(10), &mut stage.task).await.expect("in time");
    ended.expect("no panic").expect("ended well");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_compressed_for_those_who_take_it() {
    let stage = Stage::new().await;
    let answered =
        answer(stage.local(Method::GET, "/api/openapi.json").header("Accept-Encoding", "gzip")).await;
    assert_eq!(answered.header("content-encoding"), "gzip");
    let plain = stage.post("/api/v1/events", &json!([])).await;
    assert_eq!(plain.header("content-encoding"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_arrive_gives_its_place_back_before_the_request_would_end() {
    let stage = Stage::with(|config| config.body_timeout.0 = Duration::from_millis(50)).await;
    let head = format!(
        "POST /api/v1/login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{{",
        stage.address
    );
    let answered = raw(&stage, head.as_bytes(), "request-timeout").await;
    assert!(answered.starts_with("HTTP/1.1 408") && answered.contains("within 50ms"), "{answered}");
}
