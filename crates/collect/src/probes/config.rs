//! The section `[probes]`, and what the sections of all kinds share.

use std::time::Duration;

use model::DurationText;

use super::{HttpProbe, OllamaProbe, OpenAiProbe, PostgresqlProbe, ProbeError, S3Probe, TcpProbe, TlsProbe};

/// The longest that one look may be allowed to take.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(120);
/// The longest time between two looks.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// The section `[probes]`: services that are asked whether they are there.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProbesConfig {
    /// Whether model backends (Ollama, vLLM, llama.cpp, SGLang, LM Studio, LiteLLM) are looked for on their usual local ports.
    pub discover: bool,
    /// Pages and interfaces over HTTP and HTTPS.
    pub http: Vec<HttpProbe>,
    /// Ports that take TCP connections.
    pub tcp: Vec<TcpProbe>,
    /// Ports that speak TLS, for their certificates.
    pub tls: Vec<TlsProbe>,
    /// PostgreSQL databases.
    pub postgresql: Vec<PostgresqlProbe>,
    /// Buckets of S3 and of stores that speak like it: SeaweedFS, MinIO, Ceph.
    pub s3: Vec<S3Probe>,
    /// Ollama servers.
    pub ollama: Vec<OllamaProbe>,
    /// Model backends that speak like OpenAI: vLLM, llama.cpp, SGLang, LM Studio, LiteLLM.
    pub openai: Vec<OpenAiProbe>,
}

impl Default for ProbesConfig {
    fn default() -> Self {
        Self {
            discover: true,
            http: Vec::new(),
            tcp: Vec::new(),
            tls: Vec::new(),
            postgresql: Vec::new(),
            s3: Vec::new(),
            ollama: Vec::new(),
            openai: Vec::new(),
        }
    }
}

pub(super) fn interval() -> DurationText {
    crate::config::DEFAULT_INTERVAL
}

pub(super) fn timeout() -> DurationText {
    DurationText(Duration::from_secs(5))
}

/// When a probe looks, checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
}

impl Timing {
    pub(super) fn new(
        probe: &str,
        interval: DurationText,
        timeout: DurationText,
    ) -> Result<Self, ProbeError> {
        if interval.0.is_zero() || timeout.0.is_zero() {
            return Err(ProbeError::new(probe, "`interval` and `timeout` must be more than zero"));
        }
        if interval.0 > LONGEST_INTERVAL {
            return Err(ProbeError::new(probe, "`interval` must not be more than 24 hours"));
        }
        if timeout.0 > LONGEST_TIMEOUT {
            return Err(ProbeError::new(probe, "`timeout` must not be more than 2 minutes"));
        }
        Ok(Self { interval: interval.0, timeout: timeout.0 })
    }
}
