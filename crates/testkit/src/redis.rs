//! A real `redis-server`.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::{Launched, free_port, within};

/// A Redis that keeps nothing on disk.
#[derive(Debug)]
pub struct Redis {
    server: Launched,
    port: u16,
    folder: tempfile::TempDir,
}

impl Redis {
    /// Starts one on a free port.
    pub async fn start() -> Result<Self> {
        Self::start_on(free_port()?).await
    }

    /// Starts one on `port`: for a Redis that goes away and comes back.
    pub async fn start_on(port: u16) -> Result<Self> {
        let folder = tempfile::tempdir().context("making a folder for redis")?;
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .current_dir(folder.path());
        let server = Launched::start(&mut command, &folder.path().join("redis.log"))?;
        let redis = Self { server, port, folder };
        within(Duration::from_secs(20), "redis-server to answer", || async {
            let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
            stream.write_all(b"PING\r\n").await?;
            let mut answer = [0; 5];
            stream.read_exact(&mut answer).await?;
            Ok((&answer == b"+PONG").then_some(()))
        })
        .await
        .with_context(|| redis.server.output())?;
        Ok(redis)
    }

    /// Its address: `redis://127.0.0.1:PORT/0`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it; it can be started again on the same port.
    pub async fn stop(mut self) -> Result<u16> {
        self.server.kill().await?;
        self.folder.close().context("removing the folder of redis")?;
        Ok(self.port)
    }
}
