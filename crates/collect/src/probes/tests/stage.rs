//! A probe from its configuration, and servers that say what a test wants them to.

use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use parking_lot::Mutex;
use pipeline::{Page, Pipeline, ProbeSnapshot};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::collector::Collector;
use crate::probes::{ProbeError, ProbesConfig, collectors};

/// A probe under test.
pub(super) struct Watched {
    collector: Box<dyn Collector>,
    pipeline: Arc<Pipeline>,
}

/// What a look has given.
#[derive(Debug)]
pub(super) struct Seen {
    /// The error as `/api/v1/collectors` shows it.
    pub(super) error: Option<String>,
    /// The samples, each as a text: `name{labels} value`.
    pub(super) samples: Vec<String>,
    pub(super) shown: ProbeSnapshot,
}

/// What is configured, or why it cannot be.
pub(super) fn configured(kind: &str, probe: &Value) -> Result<Watched, ProbeError> {
    let config: ProbesConfig = serde_json::from_value(json!({ "discover": false, kind: [probe] })).unwrap();
    let pipeline = Pipeline::new(pipeline::Config::default(), &prometheus::Registry::new()).unwrap();
    let mut made = collectors(&config, &pipeline)?;
    Ok(Watched { collector: made.remove(0), pipeline })
}

/// A probe with a long time limit, unless it has its own.
pub(super) fn watch(kind: &str, mut probe: Value) -> Watched {
    let settings = probe.as_object_mut().unwrap();
    settings.entry("timeout").or_insert(json!("60s"));
    configured(kind, &probe).unwrap()
}

impl Watched {
    pub(super) async fn look(&mut self) -> Seen {
        let now = Timestamp::now();
        let (batch, error) = match self.collector.collect(now).await {
            Ok(batch) => (batch, None),
            Err(error) => (self.collector.when_down(now), Some(error.chain())),
        };
        let samples =
            batch.iter().map(|(labels, samples)| format!("{labels} {}", samples[0].value)).collect();
        let shown = self.pipeline.probes().list(Page::default()).items.remove(0);
        assert_eq!(shown.up, error.is_none(), "{shown:?} {error:?}");
        Seen { error, samples, shown }
    }

    /// Looks, and gives the reason why that failed.
    pub(super) async fn reason(&mut self) -> String {
        let seen = self.look().await;
        seen.shown.reason.unwrap_or_else(|| panic!("it is up: {:?}", seen.samples))
    }
}

impl Seen {
    /// The value of the first sample of this name whose labels hold `label`.
    pub(super) fn value(&self, name: &str, label: &str) -> Option<f64> {
        let found = self
            .samples
            .iter()
            .find(|sample| sample.split(['{', ' ']).next() == Some(name) && sample.contains(label))?;
        found.rsplit_once(' ')?.1.parse().ok()
    }

    /// Everything that is told of it, to look for what must not be in it.
    pub(super) fn told(&self) -> String {
        format!("{self:?}")
    }
}

/// A server whose every connection is handled by a function of the test; heads of requests are kept.
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Handles each connection after the head of its request, the first line of which it is given.
    pub(super) async fn http<F>(handle: impl Fn(String, TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let Ok(head) = head_of(&mut stream).await else { continue };
                let line = head.lines().next().unwrap_or_default().to_owned();
                kept.lock().push(head);
                // A client that has heard enough closes; that is no fault of the server.
                tokio::spawn(handle(line, stream));
            }
        });
        Self { port, heads, task }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// A request up to its blank line, and whatever of its body came along.
async fn head_of(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Answers whole, and closes.
pub(super) async fn answer(
    mut stream: TcpStream,
    status: &str,
    headers: &str,
    body: &str,
) -> std::io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// Waits for ever, with the connection open.
pub(super) async fn hang(stream: TcpStream) -> std::io::Result<()> {
    std::future::pending::<()>().await;
    drop(stream);
    Ok(())
}

/// A time limit that is short because it is waited for.
pub(super) const SHORT: Duration = Duration::from_millis(300);
