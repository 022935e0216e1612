//! HTTPS: with the certificate of two files, which may change.

use std::path::Path;

use reqwest::{Certificate, Client};
use server::{Tls, TlsFiles};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stage::{PASSWORD, Stage};

/// Writes a new certificate for this machine, and gives it.
fn renew(files: &TlsFiles) -> String {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    std::fs::write(&files.certificate, made.cert.pem()).expect("written");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("written");
    made.cert.pem()
}

/// A client that believes this certificate alone, and has met no server before: one that has may go on
/// with the key that was agreed on.
fn client(certificate: &str) -> Client {
    let root = Certificate::from_pem(certificate.as_bytes()).expect("PEM");
    Client::builder().tls_certs_only([root]).build().expect("a client")
}

fn files(folder: &Path) -> TlsFiles {
    TlsFiles { certificate: folder.join("server.crt"), key: folder.join("server.key") }
}

#[tokio::test(flavor = "multi_thread")]
async fn https_is_spoken_and_a_new_certificate_is_taken_while_it_runs() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path());
    let before = renew(&files);
    let stage = Stage::over(Some(Tls::load(&files).expect("a pair")), |_| {}).await;
    let url = format!("https://{}/healthz", stage.address);
    assert_eq!(client(&before).get(&url).send().await.expect("answered").status(), 200);

    let after = renew(&files);
    let answered = testkit::eventually("the new certificate to be shown", || async {
        Ok(client(&after).get(&url).send().await.ok())
    });
    assert_eq!(answered.await.expect("shown").status(), 200);
    let error = client(&before).get(&url).send().await.expect_err("the old certificate is gone");
    assert!(error.is_connect(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_over_https_stays_on_https() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path());
    let client = client(&renew(&files));
    let stage = Stage::over(Some(Tls::load(&files).expect("a pair")), |_| {}).await;
    stage.user("anna", state::Role::Operator).await;
    let body = serde_json::json!({ "username": "anna", "password": PASSWORD });
    let login = client.post(format!("https://{}/api/v1/login", stage.address)).json(&body);
    let answered = login.send().await.expect("answered");
    assert_eq!(answered.status(), 200);
    let cookie = answered.headers()["set-cookie"].to_str().expect("text");
    assert!(cookie.contains("; Secure"), "{cookie}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_on_the_port_of_https_is_told_so() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path());
    renew(&files);
    let stage = Stage::over(Some(Tls::load(&files).expect("a pair")), |_| {}).await;
    let mut stream = TcpStream::connect(stage.address).await.expect("connected");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("read");
    assert!(text.starts_with("HTTP/1.1 400 ") && text.contains("https://"), "{text}");
}
