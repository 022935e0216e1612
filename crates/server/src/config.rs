//! The section `[server]`: where to listen, whom to believe, how much to take.

mod otlp;
mod receiver;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use model::{ByteSize, DurationText};

use crate::tls::TlsFiles;
pub use otlp::{OtlpConfig, OtlpNames};
pub use receiver::{NoReceiverAddress, ReceiverAddress};

/// How the HTTP server behaves.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address and port to listen on.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// A PEM file with the certificate that HTTPS shows, and after it those that lead to its issuer. It is
    /// read again when it changes. Without one, plain HTTP is spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_certificate: Option<PathBuf>,
    /// A PEM file with the private key of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// Further names under which this server is reached, as `watch.example.org` or
    /// `watch.example.org:8080`. Requests under other names are refused (DNS rebinding).
    pub allowed_hosts: Vec<String>,
    /// Addresses of reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether this machine may send events and samples without a key.
    pub open_loopback_ingest: bool,
    /// How long a request may take, reading its body included. Work that a request asks for has a second less; a query
    /// has `promql.timeout`, if that is shorter.
    #[schemars(with = "String")]
    pub request_timeout: DurationText,
    /// How long the body of a request may take to arrive, unless it is ingest: whoever sends slower
    /// holds a place that others wait for.
    #[schemars(with = "String")]
    pub body_timeout: DurationText,
    /// How long requests in flight may go on after a stop was asked for.
    #[schemars(with = "String")]
    pub shutdown_timeout: DurationText,
    /// The largest body of an ingest request as it is sent.
    #[schemars(with = "String")]
    pub max_ingest_body: ByteSize,
    /// The largest body of an ingest request after decompression.
    #[schemars(with = "String")]
    pub max_decompressed_body: ByteSize,
    /// The most memory that all requests of ingest (events, remote write, OpenTelemetry, Loki) take together while they
    /// are taken in: a quarter of it for bodies as they arrive, the rest for what they become. That is reckoned at four
    /// times their size after decompression, or at twice that and what their rows and samples take as they are made,
    /// where it is more. A request waits up to 3 seconds for its turn, once more where it becomes more than there is room
    /// for, and is then told to come back. An eighth of the rest is for those that take up to 1 MiB. One alone is taken
    /// whatever it needs within the bounds of each.
    #[schemars(with = "String")]
    pub max_ingest_memory: ByteSize,
    /// The largest body of any other request, but for forms of the Prometheus API, which may have 1 MiB.
    #[schemars(with = "String")]
    pub max_body: ByteSize,
    /// The most connections that are open at once on each port; more wait to be accepted.
    pub max_connections: usize,
    /// The most requests that are answered at once; more are told to come back.
    pub max_concurrent_requests: usize,
    /// The most live streams (`/api/v1/live`) that are open at once; more are told to come back.
    pub max_live_streams: usize,
    /// The most tails of logs (`/api/v1/logs/tail`) that are open at once; more are told to come back. Each looks at
    /// every record that is taken in.
    pub max_log_tails: usize,
    /// How often a live stream or a tail says that it is alive, and looks whether its reader is still let in.
    #[schemars(with = "String")]
    pub live_heartbeat: DurationText,
    /// The most metric queries that run at once; more wait, within their timeout. Queries over a range of time take
    /// one place less, so that they never keep all others waiting.
    pub max_concurrent_queries: usize,
    /// The most exports that run at once; more are told to come back.
    pub max_concurrent_exports: usize,
    /// Where OpenTelemetry's telemetry comes in, beside the main port, and what it becomes.
    pub otlp: OtlpConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7654)),
            tls_certificate: None,
            tls_key: None,
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            open_loopback_ingest: true,
            request_timeout: DurationText(Duration::from_secs(130)),
            body_timeout: DurationText(Duration::from_secs(10)),
            shutdown_timeout: DurationText(Duration::from_secs(10)),
            max_ingest_body: ByteSize(16 << 20),
            max_decompressed_body: ByteSize(64 << 20),
            max_ingest_memory: ByteSize(256 << 20),
            max_body: ByteSize(64 << 10),
            max_connections: 1024,
            max_concurrent_requests: 256,
            max_live_streams: 64,
            max_log_tails: 16,
            live_heartbeat: DurationText(Duration::from_secs(15)),
            max_concurrent_queries: 4,
            max_concurrent_exports: 2,
            otlp: OtlpConfig::default(),
        }
    }
}

impl Config {
    /// The files for HTTPS. A certificate without its key, or a key alone, is `Err` with the key that is
    /// missing.
    pub fn tls_files(&self) -> Result<Option<TlsFiles>, &'static str> {
        match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Ok(Some(TlsFiles { certificate: certificate.clone(), key: key.clone() }))
            }
            (None, None) => Ok(None),
            (Some(_), None) => Err("tls_key"),
            (None, Some(_)) => Err("tls_certificate"),
        }
    }
}
