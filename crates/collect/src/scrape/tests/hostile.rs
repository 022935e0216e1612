use serde_json::json;

use super::exporter::{Exporter, Reply, nobody};
use super::stage::{Stage, job};
use crate::scrape::Health;

#[tokio::test]
async fn whatever_a_target_does_it_is_down_with_a_plain_reason_and_the_others_are_not() {
    let bad = Exporter::start().await;
    let good = Exporter::saying("fine 1\n").await;
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\na 1".to_vec();
    let typed =
        |encoding: &str| format!("200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: {encoding}");
    let cases = [
        ("/hangs", Reply::Hang(Vec::new()), "no whole answer within 1s"),
        ("/drips", Reply::Hang(head), "no whole answer within 1s"),
        (
            "/floods",
            Reply::Flood(b"a 1\n".repeat(10_000)),
            "the body has more than 1048576 bytes, which is the limit (body_size_limit, scraping.max_body)",
        ),
        (
            "/nonsense",
            Reply::text("<html>\n"),
            "the body cannot be read: line 1: expected the name of a metric, found \"<html>\"",
        ),
        (
            "/cut",
            Reply::of("application/openmetrics-text", "a 1\n"),
            "the body cannot be read: line 2: expected `# EOF` as the last line, \
             found the end of the body, which may have been cut off",
        ),
        (
            "/page",
            Reply::of("text/html", "a 1\n"),
            "the type of the body, `text/html`, is none that is known: \
             set `fallback_scrape_protocol` to what it is",
        ),
        (
            "/untyped",
            Reply::Whole("200 OK".to_owned(), b"a 1\n".to_vec()),
            "the answer does not say of what type its body is: set `fallback_scrape_protocol` to what it is",
        ),
        (
            "/packed",
            Reply::Whole(typed("br"), b"x".to_vec()),
            "the body cannot be unpacked: it is packed as `br`, and gzip is asked for",
        ),
        (
            "/unpacked",
            Reply::Whole(typed("gzip"), b"a 1 and more than a header of gzip\n".to_vec()),
            "the body cannot be unpacked: invalid gzip header",
        ),
        ("/missing", Reply::status("404 Not Found"), "it answers with status 404 (Not Found)"),
        (
            "/around",
            Reply::Whole("302 Found\r\nLocation: /around".to_owned(), Vec::new()),
            "redirected more than 10 times",
        ),
        ("/closes", Reply::Close, "the connection was closed before there was an answer"),
    ];
    let mut jobs: Vec<_> = cases
        .iter()
        .map(|(path, reply, _)| {
            bad.reply(path, reply.clone());
            let more =
                json!({ "metrics_path": path, "every": "1s", "timeout": "1s", "body_size_limit": "1MiB" });
            job(path, &[bad.address()], &more)
        })
        .collect();
    jobs.push(job("good", &[good.address()], &json!({ "timeout": "200ms" })));
    let gone = nobody();
    jobs.push(job("gone", std::slice::from_ref(&gone), &json!({})));
    let stage = Stage::new(&jobs);
    for (path, _, expected) in &cases {
        assert_eq!(stage.failure(&format!("{}{path}", bad.address())).await, *expected, "{path}");
        let up = format!("up{{instance=\"{}\", job=\"{path}\"}}", bad.address());
        stage.last(&up, |value| value == 0.0).await;
    }
    assert_eq!(stage.failure(&gone).await, "connection refused");
    let counted = good_scrapes(&stage, &good.address());
    let target = stage.target(&good.address(), |target| target.health == Health::Up).await;
    assert_eq!(target.last_error, None);
    testkit::eventually("a good target to be scraped on", || async {
        Ok((good_scrapes(&stage, &good.address()) > counted).then_some(()))
    })
    .await
    .unwrap();
}

/// How often the good target was up.
fn good_scrapes(stage: &Stage, address: &str) -> usize {
    let up = stage.store.values(&format!("up{{instance=\"{address}\", job=\"good\"}}"));
    up.iter().filter(|up| **up == 1.0).count()
}

#[tokio::test]
async fn redirects_are_followed_unless_they_are_not_to_be() {
    let exporter = Exporter::saying("a 1\n").await;
    exporter
        .reply("/old", Reply::Whole("301 Moved Permanently\r\nLocation: /metrics".to_owned(), Vec::new()));
    let address = exporter.address();
    let stage = Stage::new(&[
        job("follows", std::slice::from_ref(&address), &json!({ "metrics_path": "/old" })),
        job(
            "stays",
            std::slice::from_ref(&address),
            &json!({ "metrics_path": "/old", "follow_redirects": false }),
        ),
    ]);
    stage.last(&format!("a{{instance=\"{address}\", job=\"follows\"}}"), |value| value == 1.0).await;
    let stays = stage.target(&address, |target| target.pool == "stays" && target.last_error.is_some()).await;
    assert_eq!(stays.last_error.as_deref(), Some("it answers with status 301 (Moved Permanently)"));
}

#[tokio::test]
async fn a_target_that_waits_for_its_place_is_asked_later_or_not_at_all_and_is_never_down() {
    let (silent, good) = (Exporter::start().await, Exporter::saying("fine 1\n").await);
    silent.reply("/metrics", Reply::Hang(Vec::new()));
    let jobs = [
        job("silent", &[silent.address()], &json!({ "every": "4s", "timeout": "4s" })),
        job("good", &[good.address()], &json!({ "every": "1s", "timeout": "1s" })),
    ];
    let stage = Stage::with(json!({ "max_concurrent": 1 }), &jobs, std::path::Path::new(""));
    stage.failure(&silent.address()).await;
    let skipped = stage.failure(&good.address()).await;
    assert!(skipped.contains("scraping.max_concurrent"), "{skipped}");
    let target = stage.target(&good.address(), |target| target.last_error.is_none()).await;
    assert_eq!(target.health, Health::Up);
    let ups = stage.store.values(&format!("up{{instance=\"{}\", job=\"good\"}}", good.address()));
    assert!(!ups.is_empty() && ups.iter().all(|up| *up == 1.0), "{ups:?}");
}
