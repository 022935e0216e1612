//! OpenTelemetry's protocol over gRPC, as calls of HTTP/2 by hand, and the ports that exporters know.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Request, Version};
use base64::Engine as _;
use model::ByteSize;
use opentelemetry_proto::tonic::metrics::v1::Gauge;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use testkit::protobuf::{Field, fields};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;

use super::metrics::{metric, point, query};
use super::pressure::crowded;
use super::refusals::{endless_body, gzip};
use super::requests::{logs, metrics, now_ns, record, span, traces};
use super::{PROTOBUF, stored_logs, stored_spans};
use crate::stage::{Stage, TOKEN};

const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// What a call was answered.
#[derive(Debug)]
struct Answered {
    http: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    trailers: HeaderMap,
}

impl Answered {
    /// A header, wherever a status of gRPC may be.
    fn told(&self, name: &str) -> Option<&str> {
        let found = self.trailers.get(name).or_else(|| self.headers.get(name));
        found.map(|value| value.to_str().expect("ASCII"))
    }

    /// The status of gRPC.
    #[track_caller]
    fn status(&self) -> (u16, &str) {
        assert_eq!((self.http, self.told("content-type")), (200, Some("application/grpc")), "{self:?}");
        let code = self.told("grpc-status").expect("a status").parse().expect("a number");
        (code, self.told("grpc-message").unwrap_or_default())
    }

    /// The message of a call that went well.
    #[track_caller]
    fn message(&self) -> &[u8] {
        assert_eq!(self.status(), (0, ""), "{self:?}");
        let (head, message) = self.body.split_first_chunk::<5>().expect("a frame");
        assert_eq!(
            (head[0], u32::from_be_bytes([head[1], head[2], head[3], head[4]])),
            (0, message.len() as u32)
        );
        message
    }
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    [&[flag][..], &(message.len() as u32).to_be_bytes(), message].concat()
}

fn plain(message: &impl Message) -> Vec<u8> {
    framed(0, &message.encode_to_vec())
}

/// Calls over a connection of its own.
async fn call(address: SocketAddr, path: &str, metadata: &[(&str, &str)], frame: Vec<u8>) -> Answered {
    let stream = TcpStream::connect(address).await.expect("connected");
    call_over(stream, &format!("http://{address}{path}"), metadata, frame).await
}

async fn call_over(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    url: &str,
    metadata: &[(&str, &str)],
    frame: Vec<u8>,
) -> Answered {
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let driving = tokio::spawn(connection);
    let answered = send(&mut client.ready().await.expect("ready"), url, metadata, frame).await;
    driving.abort();
    answered
}

type Client = h2::client::SendRequest<Bytes>;

async fn send(client: &mut Client, url: &str, metadata: &[(&str, &str)], frame: Vec<u8>) -> Answered {
    let mut request = Request::post(url).version(Version::HTTP_2).header("te", "trailers");
    if metadata.iter().all(|(name, _)| *name != "content-type") {
        request = request.header("content-type", "application/grpc");
    }
    for (name, value) in metadata {
        request = request.header(*name, *value);
    }
    let request = request.body(()).expect("a request");
    let (response, mut body) = client.send_request(request, false).expect("sent");
    body.send_data(Bytes::from(frame), true).expect("sent");
    let (parts, mut body) = response.await.expect("an answer").into_parts();
    let mut bytes = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.expect("a part");
        body.flow_control().release_capacity(chunk.len()).expect("it was taken");
        bytes.extend_from_slice(&chunk);
    }
    let trailers = body.trailers().await.expect("an end").unwrap_or_default();
    Answered { http: parts.status.as_u16(), headers: parts.headers, body: bytes, trailers }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_three_signals_come_in_over_grpc_plain_and_packed() {
    let stage = Stage::new().await;
    let (grpc, now) = (stage.receivers[0], now_ns());
    let gauge = Gauge { data_points: vec![point(now, 0, 7.0)] };
    let requests = [
        (LOGS, logs(vec![record(now)]).encode_to_vec()),
        (TRACES, traces(vec![span(now, 5)]).encode_to_vec()),
        (METRICS, metrics(vec![metric("queue.depth", "", Data::Gauge(gauge))]).encode_to_vec()),
    ];
    for (path, message) in &requests {
        let zstd = zstd::bulk::compress(message, 1).expect("packed");
        let calls = [
            (None, framed(0, message)),
            (Some("gzip"), framed(1, &gzip(message))),
            (Some("zstd"), framed(1, &zstd)),
            // One that might be packed, and is not.
            (Some("gzip"), framed(0, message)),
        ];
        for (packing, frame) in calls {
            let metadata: Vec<(&str, &str)> =
                packing.map(|name| ("grpc-encoding", name)).into_iter().collect();
            let answered = call(grpc, path, &metadata, frame).await;
            assert_eq!(answered.message(), b"", "{path} {packing:?}: nothing to say");
        }
    }
    let found = stored_logs(&stage).await;
    assert_eq!(found.len(), 4, "records without an id are stored as often as they are sent");
    for log in &found {
        assert_eq!((log.message.as_deref(), log.origin.pid), (Some("page 3 took long"), Some(42)));
        assert_eq!(log.attributes.get("api_key").map(String::as_str), Some("[redacted:name]"));
    }
    let spans = stored_spans(&stage).await;
    assert_eq!((spans.len(), spans[0].duration_ns), (1, 1_000_000_007), "a span is stored once");
    assert_eq!(query(&stage, "queue_depth").await[0]["value"][1], "7");
}

/// Names with their values.
type Pairs<'a> = &'a [(&'a str, &'a str)];

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_an_invalid_argument_and_a_bomb_stops_at_the_limit() {
    let stage = Stage::with(|config| {
        config.max_ingest_body = ByteSize(1 << 20);
        config.max_decompressed_body = ByteSize(2 << 20);
    })
    .await;
    let grpc = stage.receivers[0];
    let good = logs(vec![record(now_ns())]).encode_to_vec();
    let bomb = vec![0; 16 << 20];
    let zstd = zstd::bulk::compress(&bomb, 1).expect("packed");
    let gzip_named: &[(&str, &str)] = &[("grpc-encoding", "gzip")];
    let zstd_named: &[(&str, &str)] = &[("grpc-encoding", "zstd")];
    let cases: [(Pairs<'_>, Vec<u8>, &str); 9] = [
        (&[], framed(0, &good[..good.len() - 1]), "Nothing was stored"),
        (&[], framed(0, &good)[..20].to_vec(), "broke off"),
        (&[], [framed(0, &good), framed(0, &good)].concat(), "more than one message"),
        (&[], framed(1, &gzip(&good)), "does not say how"),
        (gzip_named, framed(1, &good), "not packed as its header says"),
        (zstd_named, framed(1, &good), "not packed as its header says"),
        (gzip_named, framed(1, &gzip(&bomb)), "2MiB at the most after decompression"),
        (zstd_named, framed(1, &zstd), "2MiB at the most after decompression"),
        (&[], framed(0, &vec![0; 3 << 20]), "1MiB at the most"),
    ];
    for path in [LOGS, TRACES, METRICS] {
        for (metadata, frame, expected) in &cases {
            let answered = call(grpc, path, metadata, frame.clone()).await;
            let (code, message) = answered.status();
            assert_eq!(code, 3, "{path} {expected}: {answered:?}");
            assert!(message.contains(expected), "{path}: {message}");
        }
    }
    assert!(stored_logs(&stage).await.is_empty());
    let shown = stage.get("/metrics").await.text;
    for (source, what) in [("otlp_logs", "events"), ("otlp_traces", "events"), ("otlp_metrics", "samples")] {
        for reason in ["malformed", "too_large"] {
            let counted = shown.lines().any(|line| {
                line.starts_with("watchkeeper_ingest_refused_total")
                    && line.contains(&format!("\"{source}\""))
                    && line.contains(&format!("\"{reason}\""))
                    && !line.ends_with(" 0")
            });
            assert!(counted, "{what} of {source} refused as {reason}: {shown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_is_unimplemented_and_other_requests_are_answered_over_http() {
    let stage = Stage::new().await;
    let (grpc, frame) = (stage.receivers[0], plain(&logs(vec![record(now_ns())])));
    let unknown = call(grpc, LOGS, &[("grpc-encoding", "snappy")], frame.clone()).await;
    assert_eq!((unknown.status().0, unknown.told("grpc-accept-encoding")), (12, Some("identity,gzip,zstd")));
    let other = call(grpc, "/grpc.health.v1.Health/Check", &[], frame.clone()).await;
    assert_eq!(other.status().0, 12);
    let not_grpc = call(grpc, LOGS, &[("content-type", "application/json")], frame).await;
    assert_eq!((not_grpc.http, not_grpc.told("grpc-status")), (415, None));
    assert!(stored_logs(&stage).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_asked_for_where_ingest_is_not_open() {
    let stage = Stage::with(|config| config.open_loopback_ingest = false).await;
    let (grpc, frame) = (stage.receivers[0], plain(&logs(vec![record(now_ns())])));
    let key = stage.key(&[state::Scope::Ingest]).await;
    let reading = stage.key(&[state::Scope::Read]).await;
    let cases = [
        (None, 16),
        (Some(("authorization", "Bearer wkk_of_nobody".to_owned())), 16),
        (Some(("x-api-key", reading)), 7),
        (Some(("authorization", format!("Bearer {key}"))), 0),
        (Some(("x-api-key", key)), 0),
        (Some(("authorization", format!("Bearer {TOKEN}"))), 0),
        (Some(("host", "evil.example.org".to_owned())), 7),
    ];
    for (metadata, code) in &cases {
        let metadata: Vec<(&str, &str)> =
            metadata.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answered = call(grpc, LOGS, &metadata, frame.clone()).await;
        assert_eq!(answered.status().0, *code, "{metadata:?}: {answered:?}");
        assert_eq!(answered.told("grpc-message").is_none(), *code == 0, "what is wrong is told");
    }
    assert_eq!(stored_logs(&stage).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_busy_is_told_with_a_delay_where_exporters_look_for_it() {
    let stage = Stage::with(|config| config.max_concurrent_requests = 1).await;
    let (grpc, frame) = (stage.receivers[0], plain(&logs(vec![record(now_ns())])));
    let (client, url) = (stage.client.clone(), stage.url("/v1/logs"));
    let holding = tokio::spawn(async move {
        loop {
            let held = client.post(&url).header("Content-Type", PROTOBUF).body(endless_body());
            // It has no answer, unless a call was there before it.
            _ = held.send().await;
        }
    });
    // Until the other request has come, there is room.
    let busy = testkit::eventually("the one place to be taken", || async {
        let answered = call(grpc, LOGS, &[], frame.clone()).await;
        Ok((answered.status().0 != 0).then_some(answered))
    });
    let busy = busy.await.expect("busy");
    assert_eq!(busy.status().0, 8, "{busy:?}");
    let decoded = |name: &str| {
        let text = busy.told(name).expect("a header");
        base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).expect("base64")
    };
    let retry_info = decoded("google.rpc.retryinfo-bin");
    assert_eq!(fields(&retry_info), [(1, Field::Bytes(vec![8, 1]))], "a Duration of a second");
    let status = fields(&decoded("grpc-status-details-bin"));
    assert_eq!(status[0], (1, Field::Number(8)));
    let Some((3, Field::Bytes(detail))) = status.last() else { panic!("no detail: {status:?}") };
    let detail = fields(detail);
    assert_eq!(detail[0], (1, Field::Bytes(b"type.googleapis.com/google.rpc.RetryInfo".to_vec())));
    assert_eq!(detail[1], (2, Field::Bytes(retry_info)));
    holding.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_for_which_there_is_no_memory_is_told_when_to_come_back_and_is_not_counted_as_malformed() {
    let (stage, holding) = crowded().await;
    let frame = plain(&logs(vec![record(now_ns()); 20]));
    assert!(frame.len() > 2 << 10, "with what is held it is too much");
    let refused = call(stage.receivers[0], LOGS, &[], frame).await;
    let (code, message) = refused.status();
    assert!(code == 8 && message.contains("server.max_ingest_memory"), "{refused:?}");
    let told = refused.told("google.rpc.retryinfo-bin").expect("a delay");
    let told = base64::engine::general_purpose::STANDARD_NO_PAD.decode(told).expect("base64");
    assert_eq!(fields(&told), [(1, Field::Bytes(vec![8, 2]))], "a Duration of two seconds");
    let shown = stage.get("/metrics").await.text;
    let counted =
        r#"watchkeeper_ingest_refused_total{kind="event",reason="overloaded",source="otlp_logs"} 1"#;
    assert!(shown.lines().any(|line| line == counted), "{shown}");
    assert!(!shown.contains(r#"reason="malformed",source="otlp_logs""#), "{shown}");
    holding.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_kept_is_counted_in_a_partial_success() {
    let (stage, now) = (Stage::new().await, now_ns());
    let hour = 3_600_000_000_000;
    let request = logs(vec![record(now), record(now + hour)]);
    let answered = call(stage.receivers[0], LOGS, &[], plain(&request)).await;
    let said = fields(answered.message());
    let [(1, Field::Bytes(partial))] = &said[..] else { panic!("no partial success: {answered:?}") };
    let partial = fields(partial);
    assert_eq!(partial[0], (1, Field::Number(1)));
    let Some((2, Field::Bytes(text))) = partial.get(1) else { panic!("no reason: {partial:?}") };
    assert!(String::from_utf8_lossy(text).contains("in the future"), "{text:?}");
    assert_eq!(stored_logs(&stage).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ports_that_exporters_know_take_both_transports_and_nothing_else() {
    let stage = Stage::new().await;
    let body = logs(vec![record(now_ns())]);
    for address in &stage.receivers {
        let answered = call(*address, LOGS, &[], plain(&body)).await;
        assert_eq!(answered.message(), b"");
        let post = |path: &str| stage.client.post(format!("http://{address}{path}"));
        let sent = post("/v1/logs").header("Content-Type", PROTOBUF).body(body.encode_to_vec());
        assert_eq!(sent.send().await.expect("an answer").status(), 200);
        let broken = post("/v1/traces").header("Content-Type", "application/json").body("{");
        let broken = broken.send().await.expect("an answer");
        assert_eq!(broken.status(), 400);
        assert_eq!(broken.headers()["content-type"], "application/json");
        for path in ["/", "/metrics", "/api/v1/stats", "/healthz", "/v1/logs/", "/v1/profiles"] {
            let asked = stage.client.get(format!("http://{address}{path}")).bearer_auth(TOKEN);
            assert_eq!(asked.send().await.expect("an answer").status(), 404, "{path}");
        }
        assert_eq!(post("/api/v1/events").body("[]").send().await.expect("an answer").status(), 404);
    }
    assert_eq!(stored_logs(&stage).await.len(), 4);
    let stats = stage.get("/api/v1/stats").await.body;
    let [grpc, http] = &stage.receivers[..] else { panic!("two: {:?}", stage.receivers) };
    let expected = serde_json::json!([
        { "transport": "grpc", "address": grpc.to_string(), "fault": null },
        { "transport": "http", "address": http.to_string(), "fault": null },
    ]);
    assert_eq!(stats["otlp_receivers"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_share_a_connection_and_a_stop_ends_it() {
    let mut stage = Stage::with(|config| config.shutdown_timeout.0 = Duration::from_secs(3600)).await;
    let (grpc, now) = (stage.receivers[0], now_ns());
    // One that says nothing holds up nobody.
    let mut silent = TcpStream::connect(grpc).await.expect("connected");
    let stream = TcpStream::connect(grpc).await.expect("connected");
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let driving = tokio::spawn(connection);
    let url = format!("http://{grpc}{TRACES}");
    let calls = (1..=40).map(|id| {
        let (client, url) = (client.clone(), url.clone());
        let frame = plain(&traces(vec![span(now, id)]));
        async move { send(&mut client.ready().await.expect("ready"), &url, &[], frame).await }
    });
    for answered in futures::future::join_all(calls).await {
        assert_eq!(answered.message(), b"");
    }
    assert_eq!(stored_spans(&stage).await.len(), 40);
    stage.stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(60), &mut stage.task).await;
    ended.expect("in time").expect("no panic").expect("no error");
    // However it ends: it does.
    _ = driving.await.expect("no panic");
    assert_eq!(silent.read(&mut [0; 8]).await.ok(), Some(0), "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_is_spoken_over_tls_where_the_server_has_a_certificate() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let files = server::TlsFiles {
        certificate: folder.path().join("server.crt"),
        key: folder.path().join("server.key"),
    };
    std::fs::write(&files.certificate, made.cert.pem()).expect("written");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("written");
    let stage = Stage::over(Some(server::Tls::load(&files).expect("a pair")), |_| {}).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).expect("PEM")).expect("a root");
    let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let address = stage.receivers[0];
    let stream = TcpStream::connect(address).await.expect("connected");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = connector.connect(name, stream).await.expect("TLS");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let url = format!("https://localhost:{}{LOGS}", address.port());
    let answered = call_over(stream, &url, &[], plain(&logs(vec![record(now_ns())]))).await;
    assert_eq!(answered.message(), b"");
    assert_eq!(stored_logs(&stage).await.len(), 1);
}
