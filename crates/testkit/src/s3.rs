//! A store that speaks like S3: the server of `moto`, which keeps everything in memory.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::{Launched, free_port, python, within};

/// Importing it takes seconds, and many where everything else is busy too.
const PATIENCE: Duration = Duration::from_secs(90);

/// A store without any bucket.
#[derive(Debug)]
pub struct S3 {
    server: Launched,
    port: u16,
    _folder: tempfile::TempDir,
}

impl S3 {
    /// Starts one on a free port.
    pub async fn start() -> Result<Self> {
        Self::start_on(free_port()?).await
    }

    /// Starts one on `port`: for a store that goes away and comes back.
    pub async fn start_on(port: u16) -> Result<Self> {
        let folder = tempfile::tempdir().context("making a folder for moto")?;
        let mut command = Command::new(python());
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        let server = Launched::start(&mut command, &folder.path().join("moto.log"))?;
        let store = Self { server, port, _folder: folder };
        within(PATIENCE, "moto to answer", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
            Ok(Some(()))
        })
        .await
        .with_context(|| store.server.output())?;
        Ok(store)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes a bucket.
    pub async fn make_bucket(&self, name: &str) -> Result<()> {
        // An error says that another test of this process was first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = format!("{}/{name}", self.url());
        let answer = reqwest::Client::new().put(url).send().await.context("making a bucket")?;
        ensure!(answer.status().is_success(), "making a bucket: {}", answer.status());
        Ok(())
    }

    /// Ends it; what it kept is gone.
    pub async fn stop(mut self) -> Result<u16> {
        self.server.kill().await?;
        Ok(self.port)
    }
}
