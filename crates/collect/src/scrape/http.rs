//! Asking over HTTP: who we are, whom we trust, how far we go.

mod connection;
mod credentials;
mod headers;
mod keys;
mod no_proxy;
mod oauth2;
mod proxy;
mod secret;
mod tls;

use std::error::Error;

use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};

use super::job::Surroundings;
use crate::probes::plain;
use credentials::Credentials;
use headers::Headers;

pub(super) use connection::RedirectError;
pub(super) use keys::HttpKeys;
pub(super) use tls::material;

/// A client with the credentials of a job, or of a server that lists targets.
#[derive(Debug)]
pub(super) struct HttpClient {
    client: Client,
    credentials: Credentials,
    headers: Headers,
}

/// Why there was no answer, or none that is a success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoAnswer {
    /// Nobody answered.
    #[error("{0}")]
    Unreachable(String),
    /// It was no success.
    #[error("{0}")]
    Refused(String),
}

impl HttpClient {
    pub(super) fn new(keys: &HttpKeys<'_>, around: &Surroundings<'_>) -> Result<Self, String> {
        let headers = Headers::new(keys.headers, around.base)?;
        let client = keys.connection.client(keys.follow_redirects, headers.has_secrets(), around)?;
        Ok(Self { client, credentials: Credentials::new(keys, around)?, headers })
    }

    /// A request with the credentials and the headers. Credentials are left behind where a redirect leads to another
    /// host.
    pub(super) async fn get(&self, url: Url) -> Result<RequestBuilder, String> {
        let request = self.credentials.add(self.client.get(url)).await?;
        self.headers.add(request).await
    }

    /// Sends a request, and gives the answer if it is a success.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, NoAnswer> {
        let response = request.send().await.map_err(|error| NoAnswer::Unreachable(reason(&error)))?;
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED {
            self.credentials.refused();
        }
        if status == StatusCode::OK { Ok(response) } else { Err(NoAnswer::Refused(told(status))) }
    }
}

/// Why a request had no answer.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(redirect) = error.downcast_ref::<RedirectError>() {
            return redirect.to_string();
        }
        cause = error.source();
    }
    plain(error)
}

/// What is said of an answer that is no success.
fn told(status: StatusCode) -> String {
    let name = status.canonical_reason().map(|name| format!(" ({name})")).unwrap_or_default();
    format!("it answers with status {}{name}", status.as_u16())
}
