//! Headers that are sent, and proxies that are gone through.

use serde_json::json;

use super::exporter::{Exporter, Reply, TEXT};
use super::stage::{Stage, job};
use crate::scrape::Health;

#[tokio::test]
async fn headers_are_sent_with_values_secrets_and_files() {
    let exporter = Exporter::saying("a 1\n").await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tenant"), "hunter2\n").unwrap();
    let headers = json!({
        "X-Scope": { "values": ["one", "two"], "secrets": ["hunter1"] },
        "x-tenant": { "files": ["tenant"] },
    });
    let jobs = [job("j", &[exporter.address()], &json!({ "http_headers": headers }))];
    let stage = Stage::with(json!({}), &jobs, folder.path());
    stage.target("", |target| target.health == Health::Up).await;
    let asked = exporter.asked();
    for line in ["x-scope: one\r\n", "x-scope: two\r\n", "x-scope: hunter1\r\n", "x-tenant: hunter2\r\n"] {
        assert!(asked.contains(line), "{line}: {asked}");
    }
}

#[tokio::test]
async fn secrets_in_headers_go_to_no_other_host() {
    let (first, second) = (Exporter::start().await, Exporter::saying("a 1\n").await);
    let elsewhere = format!("302 Found\r\nLocation: http://{}/metrics", second.address());
    first.reply("/metrics", Reply::Whole(elsewhere, Vec::new()));
    let here = Reply::Whole("302 Found\r\nLocation: /other".to_owned(), Vec::new());
    first.reply("/here", here);
    first.reply("/other", Reply::text("a 1\n"));
    let header = |kind: &str| json!({ "x": { kind: ["hunter2"] } });
    let stage = Stage::new(&[
        job("secret", &[first.address()], &json!({ "http_headers": header("secrets") })),
        job("open", &[first.address()], &json!({ "http_headers": header("values") })),
        job(
            "here",
            &[first.address()],
            &json!({ "http_headers": header("secrets"), "metrics_path": "/here" }),
        ),
    ]);
    let of = |pool: &'static str| {
        stage.target("", move |target| target.pool == pool && target.last_scrape.is_some())
    };
    let refused = of("secret").await.last_error.unwrap_or_default();
    assert_eq!(refused, "a redirect leads to another host, which the secrets in `http_headers` are not for");
    assert_eq!(of("open").await.last_error, None);
    assert_eq!(of("here").await.last_error, None);
}

#[tokio::test]
async fn targets_are_asked_through_a_proxy_but_for_those_that_are_not() {
    let (proxy, direct) = (Exporter::start().await, Exporter::saying("a 1\n").await);
    proxy.reply("http://exporter.example:9100/metrics", Reply::of(TEXT, "a 2\n"));
    let keys = |more: serde_json::Value| {
        let mut keys = json!({
            "proxy_url": format!("http://me:hunter2@{}", proxy.address()),
            "proxy_connect_header": { "X-Pass": ["hunter3"] },
        });
        keys.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        keys
    };
    let targets = ["exporter.example:9100".to_owned(), direct.address()];
    let secured = ["secured.example:443".to_owned()];
    let stage = Stage::new(&[
        job("plain", &targets, &keys(json!({ "no_proxy": "other.example, 127.0.0.0/8" }))),
        job("secured", &secured, &keys(json!({ "scheme": "https" }))),
        // Without a list all of it goes through, this host too.
        job("all", &[direct.address()], &keys(json!({}))),
    ]);
    stage.last(r#"a{instance="exporter.example:9100", job="plain"}"#, |value| value == 2.0).await;
    stage.last(&format!(r#"a{{instance="{}", job="plain"}}"#, direct.address()), |value| value == 1.0).await;
    let all = stage.target("", |target| target.pool == "all" && target.health == Health::Down).await;
    assert_eq!(all.last_error.as_deref(), Some("it answers with status 404 (Not Found)"));
    stage.target("", |target| target.pool == "secured" && target.health == Health::Down).await;
    let asked = proxy.asked();
    let of = |what: &str| {
        asked.split("\r\n\r\n").find(|head| head.contains(what)).unwrap_or_default().to_lowercase()
    };
    let (plain, tunnel) = (of("GET http://exporter.example:9100/metrics"), of("CONNECT secured.example:443"));
    assert!(
        plain.contains("proxy-authorization: basic bwu6ahvudgvymg==") && !plain.contains("x-pass"),
        "{plain}"
    );
    assert!(tunnel.contains("proxy-authorization: basic bwu6ahvudgvymg=="), "{tunnel}");
    assert!(tunnel.contains("x-pass: hunter3"), "{tunnel}");
    assert!(!direct.asked().contains("hunter"), "{}", direct.asked());
}
