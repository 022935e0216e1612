use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::exporter::{Exporter, Reply, Script};
use super::stage::{Stage, job};
use crate::scrape::Health;
use crate::trust::tests::Authority;

#[tokio::test]
async fn credentials_are_sent_from_keys_and_from_files_and_never_told() {
    let exporter = Exporter::saying("a 1\n").await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), "hunter2\n").unwrap();
    std::fs::write(folder.path().join("token"), "hunter3\n").unwrap();
    let cases = [
        (json!({ "basic_auth": { "username": "me", "password": "hunter1" } }), "Basic bWU6aHVudGVyMQ=="),
        (
            json!({ "basic_auth": { "username": "me", "password_file": "password" } }),
            "Basic bWU6aHVudGVyMg==",
        ),
        (json!({ "authorization": { "credentials_file": "token" } }), "Bearer hunter3"),
        (json!({ "authorization": { "type": "Key", "credentials": "hunter4" } }), "Key hunter4"),
        (json!({ "bearer_token": "hunter5" }), "Bearer hunter5"),
    ];
    let jobs: Vec<_> = (cases.iter().enumerate())
        .map(|(place, (keys, _))| job(&place.to_string(), &[exporter.address()], keys))
        .collect();
    let stage = Stage::with(json!({}), &jobs, folder.path());
    for (place, (_, header)) in cases.iter().enumerate() {
        let pool = place.to_string();
        stage.target("", |target| target.pool == pool && target.health == Health::Up).await;
        let asked = exporter.asked();
        assert!(asked.contains(&format!("authorization: {header}\r\n")), "{header}: {asked}");
    }
    std::fs::remove_file(folder.path().join("token")).unwrap();
    let failed = stage.target("", |target| target.pool == "2" && target.health == Health::Down).await;
    let reason = failed.last_error.unwrap_or_default();
    assert!(reason.starts_with("cannot read ") && reason.contains("token: No such file"), "{reason}");
    assert!(!format!("{:?}", stage.scrapes.targets()).contains("hunter"));
}

#[tokio::test]
async fn credentials_stay_behind_where_a_redirect_leads_to_another_host() {
    let (first, second) = (Exporter::start().await, Exporter::saying("a 1\n").await);
    let elsewhere = format!("302 Found\r\nLocation: http://localhost:{}/metrics", second.port);
    first.reply("/metrics", Reply::Whole(elsewhere, Vec::new()));
    let stage = Stage::new(&[job("j", &[first.address()], &json!({ "bearer_token": "hunter2" }))]);
    stage.target(&first.address(), |target| target.health == Health::Up).await;
    assert!(first.asked().contains("hunter2") && !second.asked().contains("hunter2"), "{}", second.asked());
}

/// A certificate for `name`, and its key.
fn certify(authority: &Authority, name: &str) -> (rcgen::Certificate, KeyPair) {
    authority.certify(&CertificateParams::new(vec![name.to_owned()]).unwrap())
}

/// An exporter that speaks TLS as `exporter.example`, to clients with a certificate of the authority.
async fn over_tls(authority: &Authority) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (certificate, key) = certify(authority, "exporter.example");
    let mut roots = RootCertStore::empty();
    roots.add(authority.der()).unwrap();
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = Script::default();
    script.reply("/metrics", Reply::text("a 1\n"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, script) = (acceptor.clone(), script.clone());
            tokio::spawn(async move {
                // A client that refuses the certificate, or shows none, is no fault of this server.
                if let Ok(stream) = acceptor.accept(stream).await {
                    let _ = script.serve(stream).await;
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn certificates_are_verified_and_shown_as_configured() {
    let authority = Authority::new("The house");
    let address = format!("127.0.0.1:{}", over_tls(&authority).await);
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = certify(&authority, "us.example");
    for (name, text) in
        [("ca.pem", authority.pem()), ("own.pem", certificate.pem()), ("own.key", key.serialize_pem())]
    {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let own = json!({ "cert_file": "own.pem", "key_file": "own.key" });
    let with = |more: serde_json::Value| {
        let mut keys = own.clone();
        keys.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "scheme": "https", "tls_config": keys })
    };
    let cases = [
        ("named", with(json!({ "ca_file": "ca.pem", "server_name": "exporter.example" })), None),
        ("anybody", with(json!({ "insecure_skip_verify": true })), None),
        (
            "in the file itself",
            json!({ "scheme": "https", "tls_config": {
                "ca": authority.pem(), "cert": certificate.pem(), "key": key.serialize_pem(),
                "server_name": "exporter.example",
            } }),
            None,
        ),
        (
            "other name",
            with(json!({ "ca_file": "ca.pem" })),
            Some("the certificate is not for 127.0.0.1, but for exporter.example"),
        ),
        (
            "other authority",
            with(json!({ "ca": Authority::new("Another").pem(), "server_name": "exporter.example" })),
            Some("the certificate is signed by "),
        ),
    ];
    let jobs: Vec<_> =
        cases.iter().map(|(name, keys, _)| job(name, std::slice::from_ref(&address), keys)).collect();
    let stage = Stage::with(json!({}), &jobs, folder.path());
    for (name, _, expected) in cases {
        let seen = stage.target("", |target| target.pool == name && target.health != Health::Unknown).await;
        match expected {
            None => assert_eq!(seen.last_error, None, "{name}"),
            Some(expected) => {
                let reason = seen.last_error.unwrap_or_default();
                assert!(reason.starts_with(expected), "{name}: {reason}");
            }
        }
    }
    let without = json!({ "scheme": "https", "tls_config": { "insecure_skip_verify": true } });
    let stage = Stage::new(&[job("j", std::slice::from_ref(&address), &without)]);
    let seen = stage.target(&address, |target| target.health != Health::Unknown).await;
    assert_eq!(seen.health, Health::Down, "{seen:?}");
}
