//! Model backends on their usual local ports, looked for without being asked to.
//!
//! A port says little: whatever else answers there is left alone, and is no fault, since only an answer
//! in the form of a model backend counts as one.

use std::sync::Arc;
use std::time::Duration;

use model::DurationText;
use pipeline::Pipeline;

use super::prober::Prober;
use super::{OllamaProbe, OpenAiProbe, ProbeError, ProbesConfig, ollama, openai};
use crate::trust::Authorities;

/// Where Ollama listens.
const OLLAMA_PORT: u16 = 11434;
/// Where those listen that speak like OpenAI: vLLM, llama.cpp, SGLang, LM Studio, LiteLLM.
const OPENAI_PORTS: [u16; 5] = [8000, 8080, 30000, 1234, 4000];
/// How often they are looked for: seldom, since most will not be there.
const INTERVAL: DurationText = DurationText(Duration::from_secs(30));
const TIMEOUT: DurationText = DurationText(Duration::from_secs(5));

pub(super) fn probers(
    config: &ProbesConfig,
    authorities: &Authorities,
    pipeline: &Arc<Pipeline>,
) -> Result<Vec<Prober>, ProbeError> {
    let configured: Vec<&str> = config
        .ollama
        .iter()
        .map(|probe| probe.url.as_str())
        .chain(config.openai.iter().map(|probe| probe.url.as_str()))
        .collect();
    let mut probers = Vec::new();
    for port in std::iter::once(OLLAMA_PORT).chain(OPENAI_PORTS) {
        if configured.iter().any(|url| is_local_port(url, port)) {
            continue;
        }
        let url = format!("http://127.0.0.1:{port}");
        let prober = if port == OLLAMA_PORT {
            let probe = OllamaProbe {
                name: None,
                url,
                api_key: None,
                ca_file: None,
                interval: INTERVAL,
                timeout: TIMEOUT,
            };
            ollama::prober(&probe, authorities, pipeline)?
        } else {
            let probe = OpenAiProbe {
                name: None,
                url,
                api_key: None,
                completion: None,
                ca_file: None,
                interval: INTERVAL,
                timeout: TIMEOUT,
            };
            openai::prober(&probe, authorities, pipeline)?
        };
        probers.push(prober.if_there());
    }
    Ok(probers)
}

/// Whether somebody watches this port of this machine already, under whatever name.
fn is_local_port(url: &str, port: u16) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| {
        let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]" | "0.0.0.0"));
        local && url.port_or_known_default() == Some(port)
    })
}
