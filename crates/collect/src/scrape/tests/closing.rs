//! Targets whose certificate is the one that is trusted, and what becomes of an answer when they close the connection
//! without saying so.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::exporter::TEXT;
use super::stage::{Stage, job};
use crate::scrape::{Health, TargetStatus};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0";

/// A certificate as `openssl req -x509` makes it: it is for a server, and says that it is an authority.
fn own_certificate() -> (Certificate, KeyPair) {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap(), key)
}

/// A server over TLS that says these bytes at these paths, and then closes the connection under TLS, without a word.
async fn closing(certificate: &Certificate, key: &KeyPair, answers: HashMap<&'static str, Vec<u8>>) -> u16 {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers = Arc::new(answers);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that refuses the certificate is no fault of this server.
            tokio::spawn(answer(acceptor.clone(), stream, Arc::clone(&answers)));
        }
    });
    port
}

async fn answer(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    answers: Arc<HashMap<&'static str, Vec<u8>>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    let (mut first, mut line) = (String::new(), String::new());
    stream.read_line(&mut first).await?;
    while stream.read_line(&mut line).await? > 2 {
        line.clear();
    }
    let said = first.split(' ').nth(1).and_then(|path| answers.get(path));
    let mut stream = stream.into_inner();
    stream.write_all(said.map_or(b"".as_slice(), Vec::as_slice)).await?;
    stream.flush().await?;
    let (mut socket, _) = stream.into_inner();
    socket.shutdown().await
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_may_end_without_a_word_of_tls() {
    let (certificate, key) = own_certificate();
    let said = |version: &str, headers: &str, body: &[u8]| {
        let mut answer = format!("HTTP/{version} 200 OK\r\nContent-Type: {headers}\r\n\r\n").into_bytes();
        answer.extend_from_slice(body);
        answer
    };
    let packed = gzip("a 1\nb 2\n");
    let in_gzip = format!("{TEXT}\r\nContent-Encoding: gzip");
    let cut = Some("the connection was closed before the answer was whole");
    let cases = [
        ("/old", said("1.0", TEXT, b"a 1\n"), None),
        ("/new", said("1.1", &format!("{TEXT}\r\nConnection: close"), b"a 1\n"), None),
        ("/packed", said("1.0", &in_gzip, &packed), None),
        ("/open", said("1.0", OPEN_METRICS, b"a 1\n# EOF\n"), None),
        ("/length", said("1.1", &format!("{TEXT}\r\nContent-Length: 4"), b"a 1\n"), None),
        ("/short", said("1.1", &format!("{TEXT}\r\nContent-Length: 9"), b"a 1\n"), cut),
        ("/pieces", said("1.1", &format!("{TEXT}\r\nTransfer-Encoding: chunked"), b"4\r\na 1\n\r\n"), cut),
        (
            "/cut-packed",
            said("1.0", &in_gzip, &packed[..packed.len() - 9]),
            Some("the body cannot be unpacked: "),
        ),
        ("/cut-open", said("1.0", OPEN_METRICS, b"a 1\n"), Some("EOF")),
        ("/nothing", Vec::new(), Some("the connection was closed before there was an answer")),
    ];
    let answers = cases.iter().map(|(path, answer, _)| (*path, answer.clone())).collect();
    let address = format!("127.0.0.1:{}", closing(&certificate, &key, answers).await);
    let jobs: Vec<_> = (cases.iter())
        .map(|(path, _, _)| {
            let tls = json!({ "ca": certificate.pem() });
            let keys = json!({
                "scheme": "https", "tls_config": tls, "metrics_path": path, "every": "1s", "timeout": "1s",
            });
            job(path, std::slice::from_ref(&address), &keys)
        })
        .collect();
    let stage = Stage::new(&jobs);
    for (path, _, expected) in cases {
        let is_as_expected = |target: &TargetStatus| match (expected, &target.last_error) {
            (None, None) => target.health == Health::Up,
            (Some(expected), Some(reason)) => target.health == Health::Down && reason.contains(expected),
            _ => false,
        };
        stage.target("", |target| target.pool == path && is_as_expected(target)).await;
    }
}
