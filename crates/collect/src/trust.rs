//! Whom TLS connections trust, and what certificate they were shown, good or bad.
//!
//! Probes and scraping set up their connections here; each certificate goes through one [`Judge`], which says in words
//! what is wrong with it. Start reading at [`Trust`].

mod authorities;
mod judge;
mod shown;
#[cfg(test)]
pub(crate) mod tests;

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;

pub(crate) use authorities::{Authorities, PemSource};
pub(crate) use judge::{Fault, Judge, Policy};
pub(crate) use shown::Shown;

/// The one implementation of cryptography of the house.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The TLS settings of one probe, and the certificate that it was shown last.
#[derive(Clone)]
pub(crate) struct Trust {
    config: Arc<ClientConfig>,
    judge: Arc<Judge>,
}

impl Trust {
    /// Trusts the authorities of this system, and the one in `ca_file`.
    pub(crate) fn verifying(authorities: &Authorities, ca_file: Option<&Path>) -> Result<Self, String> {
        Self::new(match ca_file {
            Some(path) => Policy::trusting(authorities.beside(&PemSource::File(path.to_owned()))?)?,
            None => authorities.policy(),
        })
    }

    /// Accepts every certificate.
    pub(crate) fn anybody() -> Result<Self, String> {
        Self::new(Policy::Anybody)
    }

    fn new(policy: Policy) -> Result<Self, String> {
        let provider = provider();
        let judge = Arc::new(Judge::new(policy, None, Arc::clone(&provider)));
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS cannot be set up: {error}"))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&judge) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        // A resumed session shows no certificate.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self { config: Arc::new(config), judge })
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// The certificate shown since the last call.
    pub(crate) fn take_shown(&self) -> Option<Shown> {
        self.judge.take_shown()
    }
}
