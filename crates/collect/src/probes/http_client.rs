//! Asking over HTTP, with bounds: redirects are never followed unseen, bodies are cut.

use std::path::Path;

use reqwest::{Client, RequestBuilder, Response, Url};

use super::prober::Found;
use super::reason::{malformed, plain};
use crate::body::{next_chunk, why_broken_off};
use crate::trust::{Authorities, Trust};

/// The most bytes of a body that are read.
pub(super) const MAX_BODY_BYTES: usize = 1 << 20;

/// A client of one probe, and the certificate that its servers show.
pub(super) struct HttpClient {
    client: Client,
    trust: Trust,
}

impl HttpClient {
    pub(super) fn new(authorities: &Authorities, ca_file: Option<&Path>) -> Result<Self, String> {
        let trust = Trust::verifying(authorities, ca_file)?;
        let client = Client::builder()
            .tls_backend_preconfigured((*trust.config()).clone())
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("watchkeeper/", env!("CARGO_PKG_VERSION")))
            // What is probed is the service itself, and connecting to it is part of the look.
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| format!("no HTTP client can be made: {}", plain(&error)))?;
        Ok(Self { client, trust })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends `request`, waits for the head of the answer, and notes the certificate.
    pub(super) async fn send(&self, request: RequestBuilder, found: &mut Found) -> Result<Response, String> {
        found.step = "asking";
        let answer = request.send().await;
        let shown = self.trust.take_shown();
        if let Some(shown) = &shown {
            super::tls::note(shown, found);
        }
        let fault = shown.and_then(|shown| shown.fault);
        let answer = answer.map_err(|error| fault.unwrap_or_else(|| plain(&error)))?;
        found.status = Some(answer.status());
        Ok(answer)
    }
}

/// What was read of a body.
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// Whether there was more than [`MAX_BODY_BYTES`].
    pub(super) cut: bool,
}

/// Reads a body, up to [`MAX_BODY_BYTES`]; what is beyond is not waited for.
pub(super) async fn read(mut response: Response, found: &mut Found) -> Result<Body, String> {
    found.step = "reading the body";
    let mut bytes = Vec::new();
    while let Some(chunk) = next_chunk(&mut response).await.map_err(|error| broken(&error))? {
        let room = MAX_BODY_BYTES - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok(Body { bytes, cut: true });
        }
    }
    Ok(Body { bytes, cut: false })
}

/// Why the rest of a body did not come.
pub(super) fn broken(error: &reqwest::Error) -> String {
    malformed(error)
        .map_or_else(|| why_broken_off(error), |text| format!("the body is not valid HTTP ({text})"))
}

/// Reads a body that must be JSON, from an answer that must be a success.
pub(super) async fn read_json<T: serde::de::DeserializeOwned>(
    response: Response,
    path: &str,
    found: &mut Found,
) -> Result<T, String> {
    let status = response.status();
    if !status.is_success() {
        return Err(refused(status.as_u16(), path));
    }
    let body = read(response, found).await?;
    if body.cut {
        return Err(format!("the answer to {path} is too large: stopped after 1 MiB"));
    }
    serde_json::from_slice(&body.bytes)
        .map_err(|_| format!("the answer to {path} is not the JSON that it should be"))
}

/// What an answer that is no success says.
pub(super) fn refused(status: u16, path: &str) -> String {
    match status {
        401 | 403 => {
            format!("{path} was refused (status {status}): the key is not accepted, or one is missing")
        }
        429 => format!("{path} was refused (status 429): too many requests"),
        503 => format!("{path} was refused (status 503): it is overloaded, or not ready"),
        _ => format!("{path} was answered with status {status}"),
    }
}

/// Reads an address; one with another scheme than HTTP's is refused.
pub(super) fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|error| format!("`url` is no address: {error}; write it like https://example.org/health"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("`url` must begin with http:// or https:// and name a host".to_owned());
    }
    Ok(url)
}

/// An address as it may be shown: without user, password, query and fragment, where secrets stand.
pub(crate) fn shown_url(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // Fails for addresses without a host, which `parse_url` has refused.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    let text = shown.to_string();
    match text.strip_suffix('/') {
        Some(short) if shown.path() == "/" => short.to_owned(),
        _ => text,
    }
}
