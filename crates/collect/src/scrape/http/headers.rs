//! More headers of a request: `http_headers`.

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::RequestBuilder;
use reqwest::header::{HeaderName, HeaderValue};

use super::secret::Secret;
use crate::scrape::config::HttpHeader;

/// Headers that say how a connection works, or that have keys of their own. Those of Prometheus, and
/// `transfer-encoding`, which would have a server wait for a body.
const RESERVED: [&str; 19] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "transfer-encoding",
    "user-agent",
    "www-authenticate",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-prometheus-remote-read-version",
    "x-prometheus-remote-write-version",
    "x-prometheus-scrape-timeout-seconds",
];

/// Headers with their values.
#[derive(Debug)]
pub(super) struct Headers(Vec<(HeaderName, Value)>);

#[derive(Debug)]
enum Value {
    Open(HeaderValue),
    Secret(Secret),
}

impl Headers {
    pub(super) fn new(config: &BTreeMap<String, HttpHeader>, base: &Path) -> Result<Self, String> {
        let mut headers = Vec::new();
        for (key, header) in config {
            let name = HeaderName::from_bytes(key.as_bytes())
                .map_err(|_| format!("`http_headers`: `{key}` is no name of a header"))?;
            if RESERVED.contains(&name.as_str()) {
                return Err(format!("`http_headers`: `{name}` cannot be set: it is set otherwise"));
            }
            for value in &header.values {
                headers.push((name.clone(), Value::Open(sendable(&name, value)?)));
            }
            for secret in &header.secrets {
                sendable(&name, secret)?;
                headers.push((name.clone(), Value::Secret(Secret::Text(secret.clone()))));
            }
            for file in &header.files {
                headers.push((name.clone(), Value::Secret(Secret::File(base.join(file)))));
            }
        }
        Ok(Self(headers))
    }

    /// Whether there are some that nobody else may see.
    pub(super) fn has_secrets(&self) -> bool {
        self.0.iter().any(|(_, value)| matches!(value, Value::Secret(_)))
    }

    /// Adds them to a request.
    pub(super) async fn add(&self, mut request: RequestBuilder) -> Result<RequestBuilder, String> {
        for (name, value) in &self.0 {
            let value = match value {
                Value::Open(value) => value.clone(),
                Value::Secret(secret) => {
                    let mut value = sendable(name, &secret.reveal().await?)?;
                    value.set_sensitive(true);
                    value
                }
            };
            request = request.header(name.clone(), value);
        }
        Ok(request)
    }
}

fn sendable(name: &HeaderName, text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text)
        .map_err(|_| format!("a value of `{name}` in `http_headers` has characters that cannot be sent"))
}
