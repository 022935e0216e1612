//! Certificates, good and bad, shown by a real TLS server.

use std::sync::Arc;

use model::Timestamp;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::stage::watch;
use crate::trust::tests::Authority;

/// The year in which a certificate expires that is good for long.
const LONG: i32 = 2090;

/// Serves a certificate for `name` until `year`, signed by `authority` or by itself.
async fn serve(name: &str, year: i32, authority: Option<&Authority>) -> u16 {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(year, 1, 1);
    let (certificate, key) = match authority {
        Some(authority) => authority.certify(&params),
        None => {
            let key = KeyPair::generate().unwrap();
            (params.self_signed(&key).unwrap(), key)
        }
    };
    show(&certificate, &key).await
}

/// Serves this certificate.
async fn show(certificate: &Certificate, key: &KeyPair) -> u16 {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // One that refuses the certificate is no fault of this server.
            let _ = acceptor.accept(stream).await;
        }
    });
    port
}

#[tokio::test]
async fn a_bad_certificate_is_said_plainly_and_its_end_is_told_all_the_same() {
    let house = Authority::new("The house");
    let file = house.file();
    let cases = [
        ("127.0.0.1", LONG, true, None),
        ("127.0.0.1", 2020, true, Some("the certificate expired on 2020-01-01T00:00:00Z")),
        ("other.example", LONG, true, Some("the certificate is not for 127.0.0.1, but for ")),
        ("127.0.0.1", LONG, false, Some("the certificate is self-signed, and not by an authority")),
    ];
    for (name, year, signed, expected) in cases {
        let port = serve(name, year, signed.then_some(&house)).await;
        let end = Timestamp::parse_rfc3339(&format!("{year}-01-01T00:00:00Z")).unwrap().as_secs_f64();
        let settings = json!({ "address": format!("127.0.0.1:{port}"), "ca_file": file.path() });
        let over_http = json!({ "url": format!("https://127.0.0.1:{port}/"), "ca_file": file.path() });
        for (kind, settings) in [("tls", settings), ("http", over_http)] {
            let seen = watch(kind, settings).look().await;
            let told = seen.value("probe_tls_certificate_expiry_timestamp_seconds", kind);
            assert_eq!(told, Some(end), "{kind} {seen:?}");
            match (expected, &seen.shown.reason) {
                (Some(expected), Some(reason)) => assert!(reason.starts_with(expected), "{kind} {reason}"),
                (None, reason) => assert!(kind == "http" || reason.is_none(), "{kind} {reason:?}"),
                (Some(_), None) => panic!("{kind} accepts {name} {year}"),
            }
        }
    }
    let port = serve("127.0.0.1", LONG, Some(&house)).await;
    let reason = watch("tls", json!({ "address": format!("127.0.0.1:{port}") })).reason().await;
    let unknown = "an authority that is not trusted here";
    assert!(
        reason.contains("The house") && reason.contains(unknown) || reason.contains("ca_file"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_certificate_that_is_named_itself_is_good_while_it_is_for_the_host_and_valid() {
    let client = ExtendedKeyUsagePurpose::ClientAuth;
    let cases = [
        ("127.0.0.1", LONG, None, true, None),
        ("127.0.0.1", 2020, None, true, Some("the certificate expired on 2020-01-01T00:00:00Z")),
        ("other.example", LONG, None, true, Some("the certificate is not for 127.0.0.1, but for ")),
        ("127.0.0.1", LONG, Some(client), true, Some("the certificate is not one for servers")),
        ("127.0.0.1", LONG, None, false, Some("the certificate is self-signed, and not by an authority")),
    ];
    for is_ca in [IsCa::Ca(BasicConstraints::Unconstrained), IsCa::NoCa] {
        for (name, year, purpose, is_named, expected) in &cases {
            let mut params = CertificateParams::new(vec![(*name).to_owned()]).unwrap();
            params.is_ca = is_ca;
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(*year, 1, 1);
            params.extended_key_usages.extend(purpose.clone());
            let key = KeyPair::generate().unwrap();
            let certificate = params.self_signed(&key).unwrap();
            let port = show(&certificate, &key).await;
            let file = tempfile::NamedTempFile::new().unwrap();
            // The other has the same name, and another key.
            let other = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            std::fs::write(file.path(), if *is_named { certificate.pem() } else { other.pem() }).unwrap();
            let settings = json!({ "address": format!("127.0.0.1:{port}"), "ca_file": file.path() });
            let seen = watch("tls", settings).look().await;
            match (expected, &seen.shown.reason) {
                (None, None) => {}
                (Some(expected), Some(reason)) => {
                    assert!(reason.starts_with(expected), "{is_ca:?} {name} {year}: {reason}");
                }
                (_, reason) => panic!("{is_ca:?} {name} {year} {is_named}: {reason:?}"),
            }
        }
    }
}

#[tokio::test]
async fn what_does_not_speak_tls_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 hello, in plain text\r\n").await;
        }
    });
    let reason = watch("tls", json!({ "address": format!("127.0.0.1:{port}") })).reason().await;
    assert_eq!(reason, "what answers does not speak TLS");
}
