//! An exporter over real HTTP that says what a test wants it to, and keeps what it was asked.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(super) const TEXT: &str = "text/plain; version=0.0.4";

/// What is said at a path.
#[derive(Clone)]
pub(super) enum Reply {
    /// A whole answer: its status and headers, and its body.
    Whole(String, Vec<u8>),
    /// These bytes, then nothing more, with the connection open.
    Hang(Vec<u8>),
    /// These bytes again and again.
    Flood(Vec<u8>),
    /// The connection is closed.
    Close,
}

impl Reply {
    pub(super) fn text(body: &str) -> Self {
        Self::of(TEXT, body)
    }

    pub(super) fn of(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Whole(format!("200 OK\r\nContent-Type: {content_type}"), body.into())
    }

    pub(super) fn status(status: &str) -> Self {
        Self::Whole(status.to_owned(), Vec::new())
    }
}

/// What was asked, and what is said.
#[derive(Clone, Default)]
pub(super) struct Script {
    heads: Arc<Mutex<Vec<String>>>,
    replies: Arc<Mutex<HashMap<String, Reply>>>,
}

pub(super) struct Exporter {
    pub(super) port: u16,
    script: Script,
    task: JoinHandle<()>,
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Exporter {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Script::default();
        let said = script.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that has heard enough closes; that is no fault of the server.
                tokio::spawn(said.clone().serve(stream));
            }
        });
        Self { port, script, task }
    }

    /// An exporter that says this at `/metrics`.
    pub(super) async fn saying(body: &str) -> Self {
        let exporter = Self::start().await;
        exporter.say(body);
        exporter
    }

    pub(super) fn say(&self, body: &str) {
        self.reply("/metrics", Reply::text(body));
    }

    pub(super) fn reply(&self, path: &str, reply: Reply) {
        self.script.reply(path, reply);
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Everything that was asked.
    pub(super) fn asked(&self) -> String {
        self.script.heads.lock().join("\n")
    }
}

impl Script {
    pub(super) fn reply(&self, path: &str, reply: Reply) {
        self.replies.lock().insert(path.to_owned(), reply);
    }

    pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(self, mut stream: S) -> std::io::Result<()> {
        let head = request_of(&mut stream).await?;
        let path = head.split(' ').nth(1).unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default().to_owned();
        self.heads.lock().push(head);
        let reply = self.replies.lock().get(&path).cloned();
        match reply.unwrap_or_else(|| Reply::status("404 Not Found")) {
            Reply::Whole(head, body) => {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(&body).await?;
                stream.shutdown().await
            }
            Reply::Hang(bytes) => {
                stream.write_all(&bytes).await?;
                std::future::pending().await
            }
            Reply::Flood(bytes) => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {TEXT}\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                loop {
                    stream.write_all(&bytes).await?;
                }
            }
            Reply::Close => Ok(()),
        }
    }
}

/// A request: its head, its blank line, and its body.
async fn request_of<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&bytes) {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    request.len() >= end + 4 + length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// The address of a port that nobody listens on.
pub(super) fn nobody() -> String {
    format!("127.0.0.1:{}", testkit::free_port().unwrap())
}
