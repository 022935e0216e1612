//! A port that speaks TLS, and when its certificate expires.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use model::{DurationText, Timestamp};
use pipeline::Pipeline;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::ProbeError;
use super::config::{Timing, interval, timeout};
use super::prober::{Found, Look, Prober};
use super::reason::plain;
use super::tcp::host_of;
use crate::trust::{Authorities, Shown, Trust};

/// A port that speaks TLS: an entry of `[[probes.tls]]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsProbe {
    /// What to call it; by default its address.
    pub name: Option<String>,
    /// Where it is: `host:port`.
    pub address: String,
    /// The name that the certificate must be for; by default the host.
    pub server_name: Option<String>,
    /// A file with the certificate (PEM) of an authority to trust beside those of this system.
    pub ca_file: Option<PathBuf>,
    /// How often it is asked.
    #[serde(default = "interval")]
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// How long one look may take.
    #[serde(default = "timeout")]
    #[schemars(with = "String")]
    pub timeout: DurationText,
}

struct Tls {
    address: String,
    name: ServerName<'static>,
    trust: Trust,
}

pub(super) fn prober(
    config: &TlsProbe,
    authorities: &Authorities,
    pipeline: &Arc<Pipeline>,
) -> Result<Prober, ProbeError> {
    let label = config.name.as_deref().unwrap_or(&config.address);
    let fail = |problem: String| ProbeError::new(label, problem);
    let host = host_of(&config.address).map_err(fail)?;
    let name = config.server_name.as_deref().unwrap_or(host).to_owned();
    let name =
        ServerName::try_from(name).map_err(|_| fail("`server_name` is no name of a server".to_owned()))?;
    let trust = Trust::verifying(authorities, config.ca_file.as_deref()).map_err(fail)?;
    let timing = Timing::new(label, config.interval, config.timeout)?;
    let look = Tls { address: config.address.clone(), name, trust };
    Ok(Prober::new(config.name.as_deref(), config.address.clone(), timing, Box::new(look), pipeline))
}

#[async_trait]
impl Look for Tls {
    fn kind(&self) -> &'static str {
        "tls"
    }

    async fn look(&mut self, found: &mut Found) -> Result<(), String> {
        let stream = TcpStream::connect(&self.address).await.map_err(|error| plain(&error))?;
        found.step = "connected, in the TLS handshake";
        let connector = TlsConnector::from(self.trust.config());
        let outcome = connector.connect(self.name.clone(), stream).await;
        let shown = self.trust.take_shown();
        if let Some(shown) = &shown {
            note(shown, found);
        }
        let fault = shown.and_then(|shown| shown.fault);
        outcome.map(|_| ()).map_err(|error| fault.unwrap_or_else(|| plain(&error)))
    }
}

/// Writes down what certificate was shown, whether it is accepted or not.
pub(super) fn note(shown: &Shown, found: &mut Found) {
    if let Some(expires_at) = shown.expires_at {
        found.sample("probe_tls_certificate_expiry_timestamp_seconds", expires_at.as_secs_f64());
        found.fact("certificate expires", expires_at);
        let left = expires_at.since(Timestamp::now()).as_secs() / 86_400;
        found.fact("certificate days left", left);
    }
    if !shown.issuer.is_empty() {
        found.fact("certificate issuer", &shown.issuer);
    }
}
