//! A port that takes TCP connections, and what it says.

use std::sync::Arc;

use async_trait::async_trait;
use model::DurationText;
use pipeline::Pipeline;
use regex::bytes::{Regex, RegexBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ProbeError;
use super::config::{Timing, interval, timeout};
use super::prober::{Found, Look, Prober};
use super::reason::plain;

/// The most that is read of what it says, in bytes.
const MAX_READ_BYTES: usize = 64 << 10;
/// What a compiled pattern may take, in bytes.
const PATTERN_BYTES: usize = 1 << 20;

/// A port that takes TCP connections: an entry of `[[probes.tcp]]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TcpProbe {
    /// What to call it; by default its address.
    pub name: Option<String>,
    /// Where it is: `host:port`.
    pub address: String,
    /// What is sent once it is connected, as it stands.
    pub send: Option<String>,
    /// A regular expression that what it says must match.
    pub expect: Option<String>,
    /// How often it is asked.
    #[serde(default = "interval")]
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// How long one look may take.
    #[serde(default = "timeout")]
    #[schemars(with = "String")]
    pub timeout: DurationText,
}

struct Tcp {
    address: String,
    send: Option<String>,
    expect: Option<Regex>,
}

pub(super) fn prober(config: &TcpProbe, pipeline: &Arc<Pipeline>) -> Result<Prober, ProbeError> {
    let label = config.name.as_deref().unwrap_or(&config.address);
    host_of(&config.address).map_err(|problem| ProbeError::new(label, problem))?;
    let compile = |text: &String| RegexBuilder::new(text).size_limit(PATTERN_BYTES).build();
    let expect = config.expect.as_ref().map(compile).transpose();
    let expect = expect
        .map_err(|error| ProbeError::new(label, format!("`expect` is no regular expression: {error}")))?;
    let look = Tcp { address: config.address.clone(), send: config.send.clone(), expect };
    let timing = Timing::new(label, config.interval, config.timeout)?;
    Ok(Prober::new(config.name.as_deref(), config.address.clone(), timing, Box::new(look), pipeline))
}

/// The host of `host:port`.
pub(super) fn host_of(address: &str) -> Result<&str, String> {
    let split =
        address.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    match split {
        Some((host, _)) => Ok(host.trim_start_matches('[').trim_end_matches(']')),
        None => Err(format!("`address` is `{address}`: write it like db.example.org:5432")),
    }
}

#[async_trait]
impl Look for Tcp {
    fn kind(&self) -> &'static str {
        "tcp"
    }

    async fn look(&mut self, found: &mut Found) -> Result<(), String> {
        let mut stream = TcpStream::connect(&self.address).await.map_err(|error| plain(&error))?;
        if let Some(text) = &self.send {
            found.step = "connected, sending";
            stream.write_all(text.as_bytes()).await.map_err(|error| plain(&error))?;
        }
        let Some(expect) = &self.expect else { return Ok(()) };
        found.step = "connected, waiting for what is expected";
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        while heard.len() < MAX_READ_BYTES {
            let count = stream.read(&mut buffer).await.map_err(|error| plain(&error))?;
            if count == 0 {
                return Err(format!("it closed the connection before it said what matches `{expect}`"));
            }
            heard.extend_from_slice(&buffer[..count]);
            if expect.is_match(&heard) {
                return Ok(());
            }
        }
        Err(format!("what it says does not match `{expect}`; stopped after 64 KiB"))
    }
}
