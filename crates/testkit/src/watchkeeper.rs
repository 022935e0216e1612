//! The built binary, started and spoken to as a user does.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::process::Command;

use crate::{Launched, free_port, within};

/// Settings of a server that runs beside others: its receivers of OpenTelemetry take any port that is free. Where they
/// are stands in `/api/v1/stats`.
pub const FREE_RECEIVERS: [(&str, &str); 2] = [
    ("WATCHKEEPER_SERVER__OTLP__GRPC_LISTEN", "127.0.0.1:0"),
    ("WATCHKEEPER_SERVER__OTLP__HTTP_LISTEN", "127.0.0.1:0"),
];

/// A running Watchkeeper.
#[derive(Debug)]
pub struct Watchkeeper {
    binary: PathBuf,
    folder: PathBuf,
    port: u16,
    /// Where its receivers listen, in the order of [`FREE_RECEIVERS`].
    receivers: [String; 2],
    server: Option<Launched>,
    client: reqwest::Client,
}

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as JSON, or null when it is none.
    pub body: Value,
}

impl Watchkeeper {
    /// Starts `binary` with the configuration `toml`; everything it keeps lies in `folder`.
    pub async fn start(binary: &Path, folder: &Path, toml: &str) -> Result<Self> {
        let receivers = FREE_RECEIVERS.map(|(_, address)| address.to_owned());
        Self::start_with(binary, folder, toml, receivers).await
    }

    /// The same, with receivers of OpenTelemetry that have their ports again when it is started once more.
    pub async fn start_at_lasting_ports(binary: &Path, folder: &Path, toml: &str) -> Result<Self> {
        let address = || free_port().map(|port| format!("127.0.0.1:{port}"));
        Self::start_with(binary, folder, toml, [address()?, address()?]).await
    }

    async fn start_with(binary: &Path, folder: &Path, toml: &str, receivers: [String; 2]) -> Result<Self> {
        // An error says that another test of this process was first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        std::fs::write(folder.join("watchkeeper.toml"), toml).context("writing the configuration")?;
        let mut this = Self {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            port: free_port()?,
            receivers,
            server: None,
            client: reqwest::Client::builder()
                .timeout(Duration::from_secs(20))
                .build()
                .context("an HTTP client")?,
        };
        this.start_again().await?;
        Ok(this)
    }

    /// Starts it once more with the same data, after it was ended.
    pub async fn start_again(&mut self) -> Result<()> {
        self.launch()?;
        self.ready().await
    }

    /// Starts it once more, and does not wait until it is ready.
    pub fn launch(&mut self) -> Result<()> {
        let mut command = Command::new(&self.binary);
        command
            .arg("serve")
            .arg("--config")
            .arg(self.folder.join("watchkeeper.toml"))
            .arg("--data-dir")
            .arg(self.data_dir())
            .args(["--listen", &format!("127.0.0.1:{}", self.port)])
            .envs(FREE_RECEIVERS.iter().map(|(name, _)| name).zip(&self.receivers))
            .env_remove("WATCHKEEPER_KEY");
        self.server = Some(Launched::start(&mut command, &self.folder.join("watchkeeper.log"))?);
        Ok(())
    }

    /// Waits until it answers, or has ended.
    pub async fn ready(&mut self) -> Result<()> {
        let mut server = self.server.take().context("watchkeeper does not run")?;
        let ready = within(Duration::from_secs(60), "watchkeeper to be ready", || {
            let ended = server.ended();
            let asked = self.client.get(self.url("/readyz")).send();
            async move {
                if let Some(status) = ended {
                    // An error that no further look will mend.
                    return Ok(Some(Err(anyhow::anyhow!("watchkeeper ended with {status}"))));
                }
                Ok((asked.await?.status() == 200).then_some(Ok(())))
            }
        })
        .await
        .and_then(|ended| ended);
        ready.with_context(|| server.output())?;
        self.server = Some(server);
        Ok(())
    }

    /// The folder with its data.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The address of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What it has printed so far.
    pub fn output(&self) -> String {
        self.server.as_ref().map(Launched::output).unwrap_or_default()
    }

    /// Ends it at once, as a crash does.
    pub async fn kill(&mut self) -> Result<()> {
        match self.server.take() {
            Some(mut server) => server.kill().await,
            None => bail!("watchkeeper does not run"),
        }
    }

    /// Asks it to end, and waits.
    pub async fn terminate(&mut self) -> Result<std::process::ExitStatus> {
        match self.server.take() {
            Some(mut server) => server.terminate().await,
            None => bail!("watchkeeper does not run"),
        }
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> Result<std::process::ExitStatus> {
        let server = self.server.as_mut().context("watchkeeper does not run")?;
        let status = server.wait().await?;
        self.server = None;
        Ok(status)
    }

    /// Runs another command of the binary against it, and gives its exit code and what it printed.
    pub async fn run(&self, arguments: &[&str]) -> Result<(i32, String)> {
        let output = Command::new(&self.binary)
            .args(arguments)
            .args(["--url", &self.url(""), "--data-dir"])
            .arg(self.data_dir())
            .env_remove("WATCHKEEPER_KEY")
            .output()
            .await
            .context("running a command")?;
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        Ok((output.status.code().unwrap_or(-1), text))
    }

    /// Asks the API, as the command line on the same machine does.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.client.get(self.url(path))).await
    }

    /// Asks for a text, as its own metrics are.
    pub async fn text(&self, path: &str) -> Result<String> {
        let response =
            self.with_token(self.client.get(self.url(path)))?.send().await.context("asking watchkeeper")?;
        response.text().await.context("reading the answer")
    }

    /// Posts JSON to the API.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.client.post(self.url(path)).json(body)).await
    }

    /// Posts bytes to the API, without any credentials: the way of ingest on the same machine.
    pub async fn post_bytes(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Answer> {
        let mut request = self.client.post(self.url(path)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request).await
    }

    /// Reads a stream of chunks by remote read.
    pub async fn chunks(&self, request: Vec<u8>) -> Result<Vec<crate::chunks::Frame>> {
        let post = self.client.post(self.url("/prometheus/api/v1/read"));
        crate::chunks::read(self.with_token(post)?, request).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer> {
        answer(self.with_token(request)?).await
    }

    fn with_token(&self, request: reqwest::RequestBuilder) -> Result<reqwest::RequestBuilder> {
        let path = self.data_dir().join("local.token");
        let token = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(request.bearer_auth(token.trim()))
    }
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Result<Answer> {
    let response = request.send().await.context("asking watchkeeper")?;
    let status = response.status().as_u16();
    let text = response.text().await.context("reading the answer")?;
    Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) })
}
