//! Targets that a server lists as JSON.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_TYPE};

use super::group::{Group, GroupForm};
use crate::body::{next_chunk, why_broken_off};
use crate::scrape::config::HttpSdConfig;
use crate::scrape::http::{HttpClient, HttpKeys};
use crate::scrape::job::Surroundings;

/// The most bytes of a list.
const MAX_BYTES: usize = 32 << 20;
/// How long a server may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A server that lists targets.
#[derive(Debug)]
pub(in crate::scrape) struct List {
    url: Url,
    interval: Duration,
    client: HttpClient,
}

impl List {
    pub(super) fn new(config: &HttpSdConfig, around: &Surroundings<'_>) -> Result<Self, String> {
        let url = Url::parse(&config.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or("`url` in `http_sd_configs` must be an address of http or https")?;
        let client = HttpClient::new(&HttpKeys::of_list(config), around)?;
        Ok(Self { url, interval: config.refresh_interval.0, client })
    }

    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    pub(super) async fn look(&self) -> (u64, Result<Option<Vec<Group>>, String>) {
        let read = tokio::time::timeout(TIMEOUT.min(self.interval.max(Duration::from_secs(1))), self.read());
        let read = read.await.unwrap_or_else(|_| Err("no whole answer in time".to_owned()));
        let shown = crate::probes::shown_url(&self.url);
        (0, read.map(Some).map_err(|error| format!("the list of targets at {shown}: {error}")))
    }

    async fn read(&self) -> Result<Vec<Group>, String> {
        let request = self.client.get(self.url.clone()).await?;
        let seconds = self.interval.as_secs_f64();
        let request = request
            .header(ACCEPT, "application/json")
            .header("X-Prometheus-Refresh-Interval-Seconds", seconds.to_string());
        let mut response = self.client.send(request).await.map_err(|no_answer| no_answer.to_string())?;
        let kind =
            response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
            return Err("the answer is not of the type application/json".to_owned());
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = next_chunk(&mut response).await.map_err(|error| why_broken_off(&error))? {
            if bytes.len() + chunk.len() > MAX_BYTES {
                return Err("the answer has more than 32 MiB".to_owned());
            }
            bytes.extend_from_slice(&chunk);
        }
        let forms: Vec<GroupForm> = serde_json::from_slice(&bytes)
            .map_err(|error| format!("it is no list of groups of targets: {error}"))?;
        Group::of(forms, &[("__meta_url", self.url.as_str())])
    }
}
