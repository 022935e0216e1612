//! Where targets are found: `static_configs`, `file_sd_configs`, `http_sd_configs`.

use std::collections::BTreeMap;
use std::time::Duration;

use model::DurationText;
use serde::{Deserialize, Serialize};

use super::empty::or_empty;
use super::http::{Authorization, BasicAuth, HttpHeader, OAuth2, TlsConfig};

/// Targets with the same labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StaticConfig {
    /// Targets as `host:port`.
    #[serde(deserialize_with = "or_empty")]
    pub targets: Vec<String>,
    /// Labels of all their series.
    #[serde(deserialize_with = "or_empty")]
    pub labels: BTreeMap<String, String>,
}

/// Targets that stand in files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FileSdConfig {
    /// Files of YAML or JSON; `*` and `?` may stand in the last part of a path.
    #[serde(deserialize_with = "or_empty")]
    pub files: Vec<String>,
    /// How often they are read at the latest. A change is seen within five seconds.
    #[schemars(with = "String")]
    pub refresh_interval: DurationText,
}

impl Default for FileSdConfig {
    fn default() -> Self {
        Self { files: Vec::new(), refresh_interval: DurationText(Duration::from_secs(300)) }
    }
}

/// Targets that a server lists as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSdConfig {
    /// Where they are listed.
    pub url: String,
    /// How often the list is read.
    #[schemars(with = "String")]
    pub refresh_interval: DurationText,
    /// A name and a password.
    pub basic_auth: Option<BasicAuth>,
    /// A token, or other credentials.
    pub authorization: Option<Authorization>,
    /// A client whose tokens a server gives.
    pub oauth2: Option<OAuth2>,
    /// More headers of a request, by name.
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
    /// What is asked without it.
    #[serde(deserialize_with = "or_empty")]
    pub no_proxy: String,
    /// Whether the variables `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say which proxy to go through.
    pub proxy_from_environment: bool,
    /// Headers of requests to a proxy for a connection to the server (`CONNECT`).
    #[serde(deserialize_with = "or_empty")]
    pub proxy_connect_header: BTreeMap<String, Vec<String>>,
}

impl Default for HttpSdConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            refresh_interval: DurationText(Duration::from_secs(60)),
            basic_auth: None,
            authorization: None,
            oauth2: None,
            http_headers: BTreeMap::new(),
            tls_config: TlsConfig::default(),
            follow_redirects: true,
            enable_http2: true,
            proxy_url: None,
            no_proxy: String::new(),
            proxy_from_environment: false,
            proxy_connect_header: BTreeMap::new(),
        }
    }
}
