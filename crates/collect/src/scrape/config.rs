//! The sections `[scraping]` and `[[scrape]]`, and with the same keys an entry of Prometheus' `scrape_configs`.

mod discovery;
mod empty;
mod http;
mod size;

use std::collections::BTreeMap;
use std::path::PathBuf;

use ingest::relabel::RelabelConfig;
use model::{ByteSize, DurationText};
use serde::{Deserialize, Serialize};

use super::protocols::{EscapingScheme, ScrapeProtocol};

use empty::or_empty;

pub(super) use size::in_powers_of_two;

pub use discovery::{FileSdConfig, HttpSdConfig, StaticConfig};
pub use http::{Authorization, BasicAuth, HttpHeader, OAuth2, TlsConfig};

/// The section `[scraping]`: what holds for all jobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScrapingConfig {
    /// Configuration files of Prometheus: their `scrape_configs` are scraped as they are, and they are read again when
    /// they change. Paths start at the folder of this file; `*` and `?` may stand in their last part.
    pub files: Vec<String>,
    /// The most targets of all jobs together; more are not scraped, and counted.
    pub max_targets: usize,
    /// The most targets that are asked at the same moment.
    pub max_concurrent: usize,
    /// The largest body that is read, before and after it is unpacked; a job's `body_size_limit` can only be less.
    #[schemars(with = "String")]
    pub max_body: ByteSize,
    /// The most memory of all bodies that are being read; one target has at most a quarter of it.
    #[schemars(with = "String")]
    pub max_bodies: ByteSize,
}

impl Default for ScrapingConfig {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            max_targets: 5_000,
            max_concurrent: 500,
            max_body: ByteSize(64 << 20),
            max_bodies: ByteSize(256 << 20),
        }
    }
}

/// A job: targets that are scraped alike. An entry of `[[scrape]]`, or of `scrape_configs` in a configuration of
/// Prometheus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScrapeConfig {
    /// Its name: the label `job` of its series.
    pub job_name: String,
    /// Targets as `host:port`: short for one entry of `static_configs`.
    #[serde(deserialize_with = "or_empty")]
    pub targets: Vec<String>,
    /// Labels of all series of `targets`.
    #[serde(deserialize_with = "or_empty")]
    pub labels: BTreeMap<String, String>,
    /// How often each target is scraped; by default once a minute.
    #[schemars(with = "Option<String>")]
    pub every: Option<DurationText>,
    /// How long one scrape may take; by default 10 s, or `every` where that is shorter.
    #[schemars(with = "Option<String>")]
    pub timeout: Option<DurationText>,
    /// The same as `every`, as Prometheus calls it.
    #[schemars(with = "Option<String>")]
    pub scrape_interval: Option<DurationText>,
    /// The same as `timeout`, as Prometheus calls it.
    #[schemars(with = "Option<String>")]
    pub scrape_timeout: Option<DurationText>,
    /// `http` or `https`.
    pub scheme: Scheme,
    /// The path that is asked for.
    pub metrics_path: String,
    /// Parameters of the address.
    #[serde(deserialize_with = "or_empty")]
    pub params: BTreeMap<String, Vec<String>>,
    /// Whether labels that a target shows go before those that it has; else they are renamed to `exported_…`.
    pub honor_labels: bool,
    /// Whether times that a target shows are taken.
    pub honor_timestamps: bool,
    /// Whether series with times that a target shows end when it no longer shows them.
    pub track_timestamps_staleness: bool,
    /// Targets that stand here.
    #[serde(deserialize_with = "or_empty")]
    pub static_configs: Vec<StaticConfig>,
    /// Targets that stand in files.
    #[serde(deserialize_with = "or_empty")]
    pub file_sd_configs: Vec<FileSdConfig>,
    /// Targets that a server lists.
    #[serde(deserialize_with = "or_empty")]
    pub http_sd_configs: Vec<HttpSdConfig>,
    /// Changes the labels of targets, or drops them.
    #[serde(deserialize_with = "or_empty")]
    pub relabel_configs: Vec<RelabelConfig>,
    /// Changes the labels of series, or drops them.
    #[serde(deserialize_with = "or_empty")]
    pub metric_relabel_configs: Vec<RelabelConfig>,
    /// A name and a password.
    pub basic_auth: Option<BasicAuth>,
    /// A token, or other credentials.
    pub authorization: Option<Authorization>,
    /// A bearer token: short for `authorization`.
    pub bearer_token: Option<String>,
    /// A file that holds a bearer token.
    pub bearer_token_file: Option<PathBuf>,
    /// A client whose tokens a server gives.
    pub oauth2: Option<OAuth2>,
    /// More headers of a request, by name, each as `{ values = […], secrets = […], files = […] }`.
    #[serde(deserialize_with = "or_empty")]
    pub http_headers: BTreeMap<String, HttpHeader>,
    /// Certificates.
    #[serde(deserialize_with = "or_empty")]
    pub tls_config: TlsConfig,
    /// Whether redirects are followed, ten at the most.
    pub follow_redirects: bool,
    /// HTTP/2 is not spoken, whatever stands here.
    pub enable_http2: bool,
    /// A proxy to go through.
    pub proxy_url: Option<String>,
    /// What is asked without it: hosts with those below them, addresses and networks, with commas between them.
    #[serde(deserialize_with = "or_empty")]
    pub no_proxy: String,
    /// Whether the variables `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say which proxy to go through.
    pub proxy_from_environment: bool,
    /// Headers of requests to a proxy for a connection to a target (`CONNECT`).
    #[serde(deserialize_with = "or_empty")]
    pub proxy_connect_header: BTreeMap<String, Vec<String>>,
    /// The largest body, in bytes after unpacking; 0 is what `scraping.max_body` says. Here `MB` is `MiB`, as in
    /// Prometheus.
    #[serde(deserialize_with = "in_powers_of_two")]
    #[schemars(with = "String")]
    pub body_size_limit: ByteSize,
    /// The most samples of a scrape after relabelling; 0 is no limit.
    pub sample_limit: usize,
    /// The most labels of a series; 0 is no limit.
    pub label_limit: usize,
    /// The longest name of a label, in bytes; 0 is no limit.
    pub label_name_length_limit: usize,
    /// The longest value of a label, in bytes; 0 is no limit.
    pub label_value_length_limit: usize,
    /// The most targets of the job; with more, none of them is scraped. 0 is no limit.
    pub target_limit: usize,
    /// How many dropped targets are listed, 10,000 at the most, as 0 has it; by default 1,000.
    pub keep_dropped_targets: Option<usize>,
    /// The formats that are asked for, the best first.
    pub scrape_protocols: Option<Vec<ScrapeProtocol>>,
    /// The format of a target that does not say which it speaks.
    pub fallback_scrape_protocol: Option<ScrapeProtocol>,
    /// Whether native histograms are asked for. `false` passes over those that a target shows unasked.
    pub scrape_native_histograms: Option<bool>,
    /// Whether the classic buckets of a native histogram are kept too.
    #[serde(alias = "scrape_classic_histograms")]
    pub always_scrape_classic_histograms: Option<bool>,
    /// Whether classic histograms become native ones with the same bounds.
    pub convert_classic_histograms_to_nhcb: Option<bool>,
    /// The most buckets of a native histogram; 0 is no limit.
    pub native_histogram_bucket_limit: usize,
    /// How many times as wide as the one before a bucket of a native histogram is at least; finer ones become coarser.
    pub native_histogram_min_bucket_factor: f64,
    /// Whether packed bodies are asked for.
    pub enable_compression: bool,
    /// How a target is to write names that are not of letters, digits and underscores; by default as they are.
    pub metric_name_escaping_scheme: Option<EscapingScheme>,
    /// Names of metrics are always taken as Prometheus' `utf8` takes them; `legacy` asks targets to escape them.
    pub metric_name_validation_scheme: Option<String>,
    /// Whether `scrape_timeout_seconds`, `scrape_sample_limit` and `scrape_body_size_bytes` are stored too.
    pub extra_scrape_metrics: Option<bool>,
    /// A file that each scrape that fails adds a line to, as JSON. At 10 MiB it is begun anew; the one before is kept
    /// as `….1`.
    pub scrape_failure_log_file: Option<PathBuf>,
}

impl Default for ScrapeConfig {
    fn default() -> Self {
        Self {
            job_name: String::new(),
            targets: Vec::new(),
            labels: BTreeMap::new(),
            every: None,
            timeout: None,
            scrape_interval: None,
            scrape_timeout: None,
            scheme: Scheme::Http,
            metrics_path: "/metrics".to_owned(),
            params: BTreeMap::new(),
            honor_labels: false,
            honor_timestamps: true,
            track_timestamps_staleness: false,
            static_configs: Vec::new(),
            file_sd_configs: Vec::new(),
            http_sd_configs: Vec::new(),
            relabel_configs: Vec::new(),
            metric_relabel_configs: Vec::new(),
            basic_auth: None,
            authorization: None,
            bearer_token: None,
            bearer_token_file: None,
            oauth2: None,
            http_headers: BTreeMap::new(),
            tls_config: TlsConfig::default(),
            follow_redirects: true,
            enable_http2: true,
            proxy_url: None,
            no_proxy: String::new(),
            proxy_from_environment: false,
            proxy_connect_header: BTreeMap::new(),
            body_size_limit: ByteSize(0),
            sample_limit: 0,
            label_limit: 0,
            label_name_length_limit: 0,
            label_value_length_limit: 0,
            target_limit: 0,
            keep_dropped_targets: None,
            scrape_protocols: None,
            fallback_scrape_protocol: None,
            scrape_native_histograms: None,
            always_scrape_classic_histograms: None,
            convert_classic_histograms_to_nhcb: None,
            native_histogram_bucket_limit: 0,
            native_histogram_min_bucket_factor: 0.0,
            enable_compression: true,
            metric_name_escaping_scheme: None,
            metric_name_validation_scheme: None,
            extra_scrape_metrics: None,
            scrape_failure_log_file: None,
        }
    }
}

/// What is spoken with a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// HTTP
    #[default]
    Http,
    /// HTTP over TLS
    Https,
}

impl Scheme {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}
