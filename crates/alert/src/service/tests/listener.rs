//! A small HTTP server that keeps what it is sent.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Requests as they came in.
pub(super) type Requests = Arc<Mutex<Vec<(String, serde_json::Value)>>>;

/// Answers each request with the next of `statuses`, and with the last of them from then on.
pub(super) async fn listen(statuses: &'static [&'static str]) -> Result<(u16, Requests)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let requests = Requests::default();
    let kept = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let Ok((head, body)) = read_request(&mut connection).await else { continue };
            let count = {
                let mut requests = kept.lock();
                requests.push((head, body));
                requests.len()
            };
            let status = statuses.get(count - 1).or(statuses.last()).copied().unwrap_or("200 OK");
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi");
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    Ok((port, requests))
}

async fn read_request(connection: &mut tokio::net::TcpStream) -> Result<(String, serde_json::Value)> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = connection.read(&mut chunk).await?;
        ensure!(count > 0, "the request ends early");
        bytes.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).context("a length")?;
        if body.len() >= length.parse::<usize>()? {
            return Ok((head.clone(), serde_json::from_str(body)?));
        }
    }
}
