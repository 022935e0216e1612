//! A page or an interface over HTTP: its status, its body, its certificate.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use model::DurationText;
use pipeline::Pipeline;
use regex::bytes::{Regex, RegexBuilder};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};

use super::ProbeError;
use super::config::{Timing, interval, timeout};
use super::http_client::{HttpClient, MAX_BODY_BYTES, parse_url, read, shown_url};
use super::prober::{Found, Look, Prober};
use crate::trust::Authorities;

/// The most redirects that a probe may be told to follow.
const MOST_REDIRECTS: u8 = 20;
/// What a compiled pattern may take, in bytes.
const PATTERN_BYTES: usize = 1 << 20;

/// A page or an interface over HTTP: an entry of `[[probes.http]]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpProbe {
    /// What to call it; by default its address.
    pub name: Option<String>,
    /// What is asked for: `https://user:password@example.org/health`.
    pub url: String,
    /// How it is asked.
    #[serde(default)]
    pub method: HttpMethod,
    /// Headers that are sent along. Their values are secrets.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The statuses that are good; every 2xx when empty.
    #[serde(default)]
    pub status: Vec<u16>,
    /// A regular expression that the body must match.
    pub body_matches: Option<String>,
    /// A regular expression that the body must not match.
    pub body_matches_not: Option<String>,
    /// How many redirects are followed, to the same scheme only.
    #[serde(default = "redirects")]
    pub max_redirects: u8,
    /// A file with the certificate (PEM) of an authority to trust beside those of this system.
    pub ca_file: Option<PathBuf>,
    /// How often it is asked.
    #[serde(default = "interval")]
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// How long one look may take.
    #[serde(default = "timeout")]
    #[schemars(with = "String")]
    pub timeout: DurationText,
}

fn redirects() -> u8 {
    5
}

/// How an address is asked.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum HttpMethod {
    /// For its body as well.
    #[default]
    Get,
    /// For its head alone.
    Head,
}

struct Http {
    client: HttpClient,
    url: Url,
    method: Method,
    headers: HeaderMap,
    status: Vec<u16>,
    matches: Option<Regex>,
    matches_not: Option<Regex>,
    max_redirects: u8,
}

pub(super) fn prober(
    config: &HttpProbe,
    authorities: &Authorities,
    pipeline: &Arc<Pipeline>,
) -> Result<Prober, ProbeError> {
    let label = config.name.as_deref().unwrap_or("(unnamed)");
    let fail = |problem: String| ProbeError::new(label, problem);
    let url = parse_url(&config.url).map_err(fail)?;
    if config.max_redirects > MOST_REDIRECTS {
        return Err(fail(format!("`max_redirects` must not be more than {MOST_REDIRECTS}")));
    }
    if let Some(odd) = config.status.iter().find(|status| !(100..600).contains(*status)) {
        return Err(fail(format!("`status`: {odd} is no HTTP status")));
    }
    let pattern = |key: &str, text: &Option<String>| {
        let compile = |text: &String| RegexBuilder::new(text).size_limit(PATTERN_BYTES).build();
        let compiled = text.as_ref().map(compile).transpose();
        compiled.map_err(|error| fail(format!("`{key}` is no regular expression: {error}")))
    };
    let method = match config.method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Head => Method::HEAD,
    };
    let look = Http {
        client: HttpClient::new(authorities, config.ca_file.as_deref()).map_err(fail)?,
        method,
        headers: headers(&config.headers).map_err(fail)?,
        status: config.status.clone(),
        matches: pattern("body_matches", &config.body_matches)?,
        matches_not: pattern("body_matches_not", &config.body_matches_not)?,
        max_redirects: config.max_redirects,
        url: url.clone(),
    };
    let timing = Timing::new(label, config.interval, config.timeout)?;
    Ok(Prober::new(config.name.as_deref(), shown_url(&url), timing, Box::new(look), pipeline))
}

fn headers(named: &BTreeMap<String, String>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in named {
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no header"))?;
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| format!("the value of the header `{name}` cannot be sent"))?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

#[async_trait]
impl Look for Http {
    fn kind(&self) -> &'static str {
        "http"
    }

    async fn look(&mut self, found: &mut Found) -> Result<(), String> {
        let (response, redirects) = self.ask(found).await?;
        let status = response.status().as_u16();
        found.sample("probe_http_status_code", f64::from(status));
        found.sample("probe_http_redirects", f64::from(redirects));
        found.fact("status", status);
        if redirects > 0 {
            found.fact("redirected to", shown_url(response.url()));
        }
        let good = if self.status.is_empty() {
            response.status().is_success()
        } else {
            self.status.contains(&status)
        };
        if !good {
            return Err(format!("it answers with status {}", named(response.status())));
        }
        self.judge_body(response, found).await
    }
}

impl Http {
    /// The answer after all redirects, and how many there were.
    async fn ask(&self, found: &mut Found) -> Result<(Response, u8), String> {
        let mut url = self.url.clone();
        let mut redirects = 0;
        loop {
            let mut request = self.client.client().request(self.method.clone(), url.clone());
            // What is secret is for the host that it was configured for.
            if url.origin() == self.url.origin() {
                request = request.headers(self.headers.clone());
            }
            let response = self.client.send(request, found).await?;
            let Some(next) = self.redirect(&response)? else { return Ok((response, redirects)) };
            redirects += 1;
            if redirects > self.max_redirects {
                return Err(format!("redirected {redirects} times, the last time to {}", shown_url(&next)));
            }
            url = next;
        }
    }

    /// Where the answer leads to, if it is a redirect that is to be followed.
    fn redirect(&self, response: &Response) -> Result<Option<Url>, String> {
        let status = response.status();
        let expected = self.status.contains(&status.as_u16());
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) || expected || self.max_redirects == 0 {
            return Ok(None);
        }
        let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
        let next = location.to_str().ok().and_then(|location| response.url().join(location).ok());
        let next = next.ok_or("it redirects to something that is no address")?;
        if next.scheme() != self.url.scheme() {
            return Err(format!(
                "it redirects to another scheme, which is not followed: {}",
                shown_url(&next)
            ));
        }
        Ok(Some(next))
    }

    async fn judge_body(&self, response: Response, found: &mut Found) -> Result<(), String> {
        let body = read(response, found).await?;
        found.sample("probe_http_body_bytes", body.bytes.len() as f64);
        let cut = if body.cut { "; stopped after 1 MiB" } else { "" };
        if let Some(pattern) = &self.matches
            && !pattern.is_match(&body.bytes)
        {
            return Err(format!("the body does not match `{pattern}`{cut}"));
        }
        if let Some(pattern) = &self.matches_not
            && pattern.is_match(&body.bytes)
        {
            return Err(format!("the body matches `{pattern}`, which it must not"));
        }
        if body.cut {
            return Err(format!("the body is larger than {} MiB: stopped after 1 MiB", MAX_BODY_BYTES >> 20));
        }
        Ok(())
    }
}

fn named(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} ({reason})", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}
