//! Probes: services that are asked over the network whether they are there, and how well they do.
//!
//! One file for each kind; each is a [`Look`](prober::Look), which [`Prober`](prober::Prober) runs
//! within a time limit and turns into metrics (`probe_success`, `probe_duration_seconds` and those of
//! the kind) and into the live view of `pipeline`. What answers may be hostile: bodies, redirects,
//! lists and waiting are bounded. No password or key ever stands in a metric, an error or a log.

mod config;
mod discover;
mod http;
mod http_client;
mod ollama;
mod openai;
mod postgresql;
mod prober;
mod reason;
mod s3;
mod tcp;
mod tls;

use std::collections::HashSet;
use std::sync::Arc;

use pipeline::Pipeline;

use crate::collector::Collector;
use crate::trust::Authorities;
use prober::Prober;

pub use config::ProbesConfig;
pub use http::{HttpMethod, HttpProbe};
pub(crate) use http_client::shown_url;
pub use ollama::OllamaProbe;
pub use openai::{Completion, OpenAiProbe};
pub use postgresql::{PostgresqlProbe, PostgresqlTls};
pub(crate) use reason::plain;
pub use s3::{BucketStyle, S3Probe};
pub use tcp::TcpProbe;
pub use tls::TlsProbe;

/// A probe that cannot be made from its configuration.
#[derive(Debug, thiserror::Error)]
#[error("the probe {probe}: {problem}")]
pub struct ProbeError {
    /// Its name or target.
    probe: String,
    /// What is wrong.
    problem: String,
}

impl ProbeError {
    fn new(probe: &str, problem: impl Into<String>) -> Self {
        Self { probe: probe.to_owned(), problem: problem.into() }
    }
}

/// The collectors of all configured probes, and of the model backends that are looked for unasked.
pub(crate) fn collectors(
    config: &ProbesConfig,
    pipeline: &Arc<Pipeline>,
) -> Result<Vec<Box<dyn Collector>>, ProbeError> {
    let authorities = Authorities::default();
    let mut probers: Vec<Prober> = Vec::new();
    for probe in &config.http {
        probers.push(http::prober(probe, &authorities, pipeline)?);
    }
    for probe in &config.tcp {
        probers.push(tcp::prober(probe, pipeline)?);
    }
    for probe in &config.tls {
        probers.push(tls::prober(probe, &authorities, pipeline)?);
    }
    for probe in &config.postgresql {
        probers.push(postgresql::prober(probe, &authorities, pipeline)?);
    }
    for probe in &config.s3 {
        probers.push(s3::prober(probe, &authorities, pipeline)?);
    }
    for probe in &config.ollama {
        probers.push(ollama::prober(probe, &authorities, pipeline)?);
    }
    for probe in &config.openai {
        probers.push(openai::prober(probe, &authorities, pipeline)?);
    }
    let mut names = HashSet::new();
    for prober in &probers {
        let (_, name) = prober.identity();
        if !names.insert(prober.identity()) {
            return Err(ProbeError::new(name, "there are two of this name: give each its own"));
        }
    }
    if config.discover {
        let found = discover::probers(config, &authorities, pipeline)?;
        probers.extend(found);
    }
    Ok(probers.into_iter().map(|prober| Box::new(prober) as Box<dyn Collector>).collect())
}

#[cfg(test)]
mod tests;
