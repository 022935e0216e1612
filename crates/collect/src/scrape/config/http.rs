//! How a request is made: credentials, headers, certificates.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::empty::or_empty;

/// A name and a password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BasicAuth {
    /// The name.
    pub username: String,
    /// A file that holds the name.
    pub username_file: Option<PathBuf>,
    /// The password.
    pub password: Option<String>,
    /// A file that holds the password; it is read at every scrape.
    pub password_file: Option<PathBuf>,
}

/// The header `Authorization`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Authorization {
    /// What stands before the credentials.
    pub r#type: String,
    /// The credentials.
    pub credentials: Option<String>,
    /// A file that holds the credentials; it is read at every scrape.
    pub credentials_file: Option<PathBuf>,
}

impl Default for Authorization {
    fn default() -> Self {
        Self { r#type: "Bearer".to_owned(), credentials: None, credentials_file: None }
    }
}

/// A header of a request: once with each of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpHeader {
    /// Values.
    #[serde(deserialize_with = "or_empty")]
    pub values: Vec<String>,
    /// Values that are not shown.
    #[serde(deserialize_with = "or_empty")]
    pub secrets: Vec<String>,
    /// Files that hold values; they are read at every scrape.
    #[serde(deserialize_with = "or_empty")]
    pub files: Vec<PathBuf>,
}

/// A client that a server of OAuth 2.0 gives tokens to (the grant `client_credentials`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OAuth2 {
    /// Its name.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Option<String>,
    /// A file that holds the secret; it is read whenever a token is asked for.
    pub client_secret_file: Option<PathBuf>,
    /// Where tokens are asked for.
    pub token_url: String,
    /// What tokens are to be good for.
    #[serde(deserialize_with = "or_empty")]
    pub scopes: Vec<String>,
    /// More parameters of the request for a token.
    #[serde(deserialize_with = "or_empty")]
    pub endpoint_params: BTreeMap<String, String>,
    /// The grant: `client_credentials`, the only one that is known.
    pub grant_type: Option<String>,
    /// Certificates of the connection to that server.
    #[serde(deserialize_with = "or_empty")]
    pub tls_config: TlsConfig,
    /// A proxy to go through to that server.
    pub proxy_url: Option<String>,
    /// What is asked without it.
    #[serde(deserialize_with = "or_empty")]
    pub no_proxy: String,
    /// Whether the variables `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say which proxy to go through.
    pub proxy_from_environment: bool,
    /// Headers of requests to a proxy for a connection to that server (`CONNECT`).
    #[serde(deserialize_with = "or_empty")]
    pub proxy_connect_header: BTreeMap<String, Vec<String>>,
}

/// Whom a connection trusts, and what it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// The authorities (PEM) that are trusted, instead of those of this system.
    pub ca: Option<String>,
    /// A file that holds them.
    pub ca_file: Option<PathBuf>,
    /// The certificate (PEM) that is shown to targets.
    pub cert: Option<String>,
    /// A file that holds it.
    pub cert_file: Option<PathBuf>,
    /// The key (PEM) of that certificate.
    pub key: Option<String>,
    /// A file that holds it.
    pub key_file: Option<PathBuf>,
    /// The name that a target's certificate must be for; by default its host.
    pub server_name: Option<String>,
    /// Whether every certificate is accepted.
    pub insecure_skip_verify: bool,
    /// The least version of TLS: `TLS12` or `TLS13`.
    pub min_version: Option<String>,
    /// The greatest version of TLS: `TLS12` or `TLS13`.
    pub max_version: Option<String>,
}
