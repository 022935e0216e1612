//! What the examples that send OpenTelemetry share: a connection whose requests are answered one after the other, and
//! attributes.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How often a request is sent at most while the server says that it is busy, and how long it rests in between.
const ATTEMPTS: usize = 30;
const REST: Duration = Duration::from_secs(1);

/// A connection to a server.
pub(crate) struct Connection<'a> {
    address: &'a str,
    path: &'a str,
    stream: BufReader<TcpStream>,
}

impl<'a> Connection<'a> {
    pub(crate) fn open(address: &'a str, path: &'a str) -> Result<Self, Failure> {
        Ok(Self { address, path, stream: connected(address)? })
    }

    /// Sends a request, and waits until all of it is taken. Tries again while the server is busy, as exporters do, and
    /// says so.
    pub(crate) fn send(&mut self, body: &[u8]) -> Result<(), Failure> {
        for _ in 0..ATTEMPTS {
            let (status, answer) = self.answer(body)?;
            let code = status.split(' ').nth(1);
            // An answer that says something says what was not taken.
            if code == Some("200") && answer.is_empty() {
                return Ok(());
            }
            let told = format!("{}: {}", status.trim(), String::from_utf8_lossy(&answer));
            if code != Some("503") {
                return Err(told.into());
            }
            writeln!(std::io::stderr(), "tried again: {told}")?;
            std::thread::sleep(REST);
            self.stream = connected(self.address)?;
        }
        Err(format!("{} was busy {ATTEMPTS} times", self.address).into())
    }

    fn answer(&mut self, body: &[u8]) -> Result<(String, Vec<u8>), Failure> {
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\r\n",
            self.path,
            self.address,
            body.len()
        );
        self.stream.get_mut().write_all(head.as_bytes())?;
        self.stream.get_mut().write_all(body)?;
        let (mut status, mut length, mut line) = (String::new(), 0, String::new());
        self.stream.read_line(&mut status)?;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        Ok((status, answer))
    }
}

fn connected(address: &str) -> Result<BufReader<TcpStream>, Failure> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

pub(crate) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

pub(crate) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}
