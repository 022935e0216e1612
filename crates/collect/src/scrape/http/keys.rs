//! The keys that say how to ask, wherever they stand.

use std::collections::BTreeMap;

use crate::scrape::config::{
    Authorization, BasicAuth, HttpHeader, HttpSdConfig, OAuth2, ScrapeConfig, TlsConfig,
};

/// The keys of one client.
pub(in crate::scrape) struct HttpKeys<'a> {
    pub(super) basic_auth: Option<&'a BasicAuth>,
    pub(super) authorization: Option<Authorization>,
    pub(super) oauth2: Option<&'a OAuth2>,
    pub(super) headers: &'a BTreeMap<String, HttpHeader>,
    pub(super) follow_redirects: bool,
    pub(super) connection: ConnectionKeys<'a>,
}

/// Those of its connections.
pub(super) struct ConnectionKeys<'a> {
    pub(super) tls: &'a TlsConfig,
    pub(super) proxy_url: Option<&'a str>,
    pub(super) no_proxy: &'a str,
    pub(super) proxy_from_environment: bool,
    pub(super) proxy_connect_header: &'a BTreeMap<String, Vec<String>>,
}

/// Borrows the keys of connections, which have the same names wherever they stand.
macro_rules! connection {
    ($config:expr) => {
        ConnectionKeys {
            tls: &$config.tls_config,
            proxy_url: $config.proxy_url.as_deref().filter(|url| !url.is_empty()),
            no_proxy: &$config.no_proxy,
            proxy_from_environment: $config.proxy_from_environment,
            proxy_connect_header: &$config.proxy_connect_header,
        }
    };
}

impl<'a> HttpKeys<'a> {
    pub(in crate::scrape) fn of_job(config: &'a ScrapeConfig) -> Result<Self, String> {
        let bearer = Authorization {
            credentials: config.bearer_token.clone().filter(|token| !token.is_empty()),
            credentials_file: config.bearer_token_file.clone(),
            ..Authorization::default()
        };
        let has_bearer = bearer != Authorization::default();
        if has_bearer && config.authorization.is_some() {
            return Err("`bearer_token` and `authorization` are both set; keep one".to_owned());
        }
        Ok(Self {
            basic_auth: config.basic_auth.as_ref(),
            authorization: config.authorization.clone().or_else(|| has_bearer.then_some(bearer)),
            oauth2: config.oauth2.as_ref(),
            headers: &config.http_headers,
            follow_redirects: config.follow_redirects,
            connection: connection!(config),
        })
    }

    pub(in crate::scrape) fn of_list(config: &'a HttpSdConfig) -> Self {
        Self {
            basic_auth: config.basic_auth.as_ref(),
            authorization: config.authorization.clone(),
            oauth2: config.oauth2.as_ref(),
            headers: &config.http_headers,
            follow_redirects: config.follow_redirects,
            connection: connection!(config),
        }
    }
}

impl<'a> From<&'a OAuth2> for ConnectionKeys<'a> {
    fn from(config: &'a OAuth2) -> Self {
        connection!(config)
    }
}
