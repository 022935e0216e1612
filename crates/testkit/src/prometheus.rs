//! A real Prometheus.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::watchkeeper::{Answer, answer};
use crate::{Launched, free_port, within};

/// A Prometheus that takes remote write, keeps what is old, and has its data in a folder of its own.
#[derive(Debug)]
pub struct Prometheus {
    port: u16,
    client: reqwest::Client,
    // Ends before its folder goes.
    server: Launched,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts it with the configuration `yaml`, in which `{port}` is the port that it gets, and waits until it
    /// answers.
    pub async fn start(yaml: &str, flags: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir().context("making a folder for prometheus")?;
        let port = free_port()?;
        let configuration = folder.path().join("prometheus.yml");
        std::fs::write(&configuration, yaml.replace("{port}", &port.to_string()))
            .context("writing the configuration of prometheus")?;
        let server = Launched::start(
            Command::new("prometheus")
                .arg(option("config.file", &configuration))
                .arg(option("storage.tsdb.path", &folder.path().join("data")))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .args(["--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=100y"])
                .args(flags),
            &folder.path().join("prometheus.log"),
        )
        .context("prometheus: `make test` installs it")?;
        let client =
            reqwest::Client::builder().timeout(Duration::from_secs(20)).build().context("an HTTP client")?;
        let this = Self { port, client, server, _folder: folder };
        within(Duration::from_secs(60), "prometheus to be ready", || async {
            let status = this.client.get(this.url("/-/ready")).send().await?.status();
            Ok((status == 200).then_some(()))
        })
        .await
        .with_context(|| this.output())?;
        Ok(this)
    }

    /// The address of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What it has printed so far.
    pub fn output(&self) -> String {
        self.server.output()
    }

    /// Asks its API.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        answer(self.client.get(self.url(path))).await
    }

    /// Reads a stream of chunks by remote read.
    pub async fn chunks(&self, request: Vec<u8>) -> Result<Vec<crate::chunks::Frame>> {
        crate::chunks::read(self.client.post(self.url("/api/v1/read")), request).await
    }

    /// Posts bytes.
    pub async fn post_bytes(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Answer> {
        let mut request = self.client.post(self.url(path)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request).await
    }
}

fn option(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}
