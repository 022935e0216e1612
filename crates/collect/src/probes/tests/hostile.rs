//! Targets that hang, lead astray, flood and lie: bounded, and said plainly.

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::stage::{SHORT, Server, answer, configured, hang, watch};

/// A server with one bad habit for each path.
async fn bad_server() -> Server {
    Server::http(|line, stream| async move {
        match line.split(' ').nth(1).unwrap_or_default() {
            "/fine" => answer(stream, "200 OK", "", "ready").await,
            "/broken" => answer(stream, "500 Internal Server Error", "", "").await,
            "/around" => answer(stream, "302 Found", "Location: /around?again\r\n", "").await,
            path if path.starts_with("/around?") => {
                answer(stream, "302 Found", "Location: /around?again\r\n", "").await
            }
            "/file" => answer(stream, "302 Found", "Location: file:///etc/passwd\r\n", "").await,
            "/once" => answer(stream, "302 Found", "Location: /fine\r\n", "").await,
            "/chunks" => {
                let extension = "x".repeat(20_000);
                let body = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;{extension}");
                flood(stream, body.as_bytes(), b"y").await
            }
            "/length" => flood(stream, b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", b"y").await,
            "/closes" => Ok(()),
            "/odd" => flood(stream, b"", b"SSH-2.0-OpenSSH_9.2\r\n").await,
            "/flood" => flood(stream, b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 65_536]).await,
            "/headers" => flood(stream, b"HTTP/1.1 200 OK\r\n", b"X-Endless: yes\r\n").await,
            "/drips" => {
                let mut stream = stream;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nre").await?;
                hang(stream).await
            }
            _ => hang(stream).await,
        }
    })
    .await
}

/// Says `first`, then `again` for as long as anybody listens.
async fn flood(mut stream: TcpStream, first: &[u8], again: &[u8]) -> std::io::Result<()> {
    stream.write_all(first).await?;
    loop {
        stream.write_all(again).await?;
    }
}

#[tokio::test]
async fn whatever_a_target_does_the_look_ends_with_a_plain_reason() {
    let server = bad_server().await;
    let last = format!("redirected 6 times, the last time to http://127.0.0.1:{}/around", server.port);
    let cases = [
        ("/broken", "it answers with status 500 (Internal Server Error)"),
        ("/around", last.as_str()),
        ("/file", "it redirects to another scheme, which is not followed: file:///etc/passwd"),
        ("/closes", "the connection was closed before there was an answer"),
        ("/odd", "what answers does not speak HTTP"),
        ("/flood", "the body is larger than 1 MiB: stopped after 1 MiB"),
        ("/chunks", "the body is not valid HTTP (chunk extensions over limit)"),
        ("/length", "what answers is not valid HTTP (invalid content-length parsed)"),
        ("/headers", "the headers of the answer are too large or too many"),
    ];
    for (path, expected) in cases {
        let mut probe = watch("http", json!({ "name": "p", "url": server.url(path) }));
        let seen = probe.look().await;
        assert_eq!(seen.shown.reason.as_deref(), Some(expected), "{path}");
        assert_eq!(seen.value("probe_success", "http"), Some(0.0), "{path}");
        let error = format!("the probe of {} failed: {expected}", server.url(path));
        assert_eq!(seen.error, Some(error), "{path}");
    }
}

#[tokio::test]
async fn a_target_that_hangs_is_given_up_and_the_step_is_named() {
    let server = bad_server().await;
    for (path, step) in [("/hangs", "asking"), ("/drips", "reading the body")] {
        let timeout = format!("{}ms", SHORT.as_millis());
        let mut probe = watch("http", json!({ "url": server.url(path), "timeout": timeout }));
        assert_eq!(probe.reason().await, format!("{step}: no answer within 0.3 s"));
    }
}

#[tokio::test]
async fn status_body_and_redirects_are_judged_as_configured() {
    let server = bad_server().await;
    let cases = [
        (json!({ "body_matches": "^rea.y$" }), "/fine", None),
        (json!({ "body_matches": "steady" }), "/fine", Some("the body does not match `steady`")),
        (
            json!({ "body_matches_not": "ready" }),
            "/fine",
            Some("the body matches `ready`, which it must not"),
        ),
        (json!({ "status": [500] }), "/broken", None),
        (json!({ "status": [204] }), "/fine", Some("it answers with status 200 (OK)")),
        (json!({}), "/once", None),
        (json!({ "max_redirects": 0 }), "/once", Some("it answers with status 302 (Found)")),
        (json!({ "method": "head" }), "/fine", None),
    ];
    for (mut settings, path, reason) in cases {
        settings["url"] = json!(server.url(path));
        let seen = watch("http", settings.clone()).look().await;
        assert_eq!(seen.shown.reason.as_deref(), reason, "{settings}");
    }
    let refused = testkit::free_port().unwrap();
    let mut gone = watch("http", json!({ "url": format!("http://127.0.0.1:{refused}/") }));
    assert_eq!(gone.reason().await, "connection refused");
}

#[tokio::test]
async fn a_secret_goes_to_its_host_alone_and_is_never_told() {
    let other = Server::http(|_, stream| answer(stream, "200 OK", "", "")).await;
    let elsewhere = format!("Location: {}\r\n", other.url("/there?token=hunter5"));
    let server = Server::http(move |_, stream| {
        let elsewhere = elsewhere.clone();
        async move { answer(stream, "302 Found", &elsewhere, "").await }
    })
    .await;
    let url = format!("http://me:hunter1@127.0.0.1:{}/page?token=hunter2#hunter3", server.port);
    let mut probe = watch("http", json!({ "url": url, "headers": { "X-Key": "hunter4" } }));
    let seen = probe.look().await;
    assert_eq!(seen.error, None);
    assert!(!seen.told().contains("hunter"), "{}", seen.told());
    assert_eq!(seen.shown.target, server.url("/page"));
    let (asked, led) = (server.heads.lock().join(""), other.heads.lock().join(""));
    assert!(asked.contains("hunter4") && asked.to_lowercase().contains("authorization: basic"), "{asked}");
    assert!(!led.contains("hunter4") && !led.to_lowercase().contains("authorization"), "{led}");
}

#[tokio::test]
async fn a_port_is_up_when_it_says_what_is_expected() {
    let server = Server::http(|_, mut stream| async move {
        stream.write_all(b"220 mail.example.org ESMTP\r\n").await?;
        hang(stream).await
    })
    .await;
    let address = format!("127.0.0.1:{}", server.port);
    let mut open = watch("tcp", json!({ "address": address }));
    assert_eq!(open.look().await.error, None);
    let hello = "EHLO watchkeeper\r\n\r\n";
    let mut greets = watch("tcp", json!({ "address": address, "send": hello, "expect": "^220 " }));
    assert_eq!(greets.look().await.error, None);
    let timeout = format!("{}ms", SHORT.as_millis());
    let mut silent = watch("tcp", json!({ "address": address, "expect": "^220 ", "timeout": timeout }));
    assert_eq!(silent.reason().await, "connected, waiting for what is expected: no answer within 0.3 s");
    let flooding = Server::http(|_, stream| flood(stream, b"", &[b'x'; 4096])).await;
    let address = format!("127.0.0.1:{}", flooding.port);
    let mut flooded = watch("tcp", json!({ "address": address, "send": hello, "expect": "^220 " }));
    assert_eq!(flooded.reason().await, "what it says does not match `^220 `; stopped after 64 KiB");
}

#[test]
fn what_cannot_be_probed_is_refused_with_the_key_and_without_the_secret() {
    let cases = [
        ("http", json!({ "url": "ftp://me:hunter2@h/" }), "`url` must begin with http:// or https://"),
        (
            "http",
            json!({ "url": "http://h/", "body_matches": "(" }),
            "`body_matches` is no regular expression",
        ),
        ("http", json!({ "url": "http://h/", "status": [99] }), "99 is no HTTP status"),
        (
            "http",
            json!({ "url": "http://h/", "max_redirects": 21 }),
            "`max_redirects` must not be more than 20",
        ),
        ("http", json!({ "url": "http://h/", "timeout": "0s" }), "must be more than zero"),
        (
            "http",
            json!({ "url": "http://h/", "interval": "25h" }),
            "`interval` must not be more than 24 hours",
        ),
        (
            "http",
            json!({ "url": "https://h/", "ca_file": "/nowhere.pem" }),
            "/nowhere.pem gives no certificate",
        ),
        ("tcp", json!({ "address": "nowhere" }), "write it like db.example.org:5432"),
        ("tls", json!({ "address": "h:443", "server_name": "not a name" }), "`server_name` is no name"),
        (
            "postgresql",
            json!({ "url": "postgresql://me:hunter2@h:port/db" }),
            "`url` is no address of a database",
        ),
        ("postgresql", json!({ "url": "postgresql://h/db?sslmode=verify-full" }), "`tls = \"verify\"`"),
        ("s3", json!({ "url": "http://h", "bucket": "b", "access_key_id": "a" }), "come together"),
    ];
    for (kind, probe, expected) in cases {
        let error = configured(kind, &probe).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(expected), "{probe}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
