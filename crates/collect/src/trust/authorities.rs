//! Authorities that are trusted: those of this system, and those whose certificates stand somewhere as PEM.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::judge::Policy;

/// The authorities that this system trusts, read when they are first needed.
#[derive(Default)]
pub(crate) struct Authorities {
    roots: OnceLock<Arc<RootCertStore>>,
    policy: OnceLock<Policy>,
}

impl Authorities {
    fn roots(&self) -> &Arc<RootCertStore> {
        self.roots.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(%error, "an authority of this system cannot be read");
            }
            roots.add_parsable_certificates(found.certs);
            Arc::new(roots)
        })
    }

    /// Trusts them alone.
    pub(crate) fn policy(&self) -> Policy {
        let made = self.policy.get_or_init(|| {
            // A store that was read from certificates has nothing that the builder could refuse.
            Policy::trusting(Arc::clone(self.roots())).unwrap_or(Policy::NoAuthorities)
        });
        made.clone()
    }

    /// These, and others.
    pub(crate) fn beside(&self, others: &PemSource) -> Result<Arc<RootCertStore>, String> {
        others.roots_beside(RootCertStore::clone(self.roots()))
    }
}

/// Where certificates or a key stand as PEM.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PemSource {
    /// In a file.
    File(PathBuf),
    /// In the configuration, at a key.
    Text {
        /// The key.
        key: &'static str,
        /// What stands there.
        pem: String,
    },
}

impl fmt::Display for PemSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Text { key, .. } => write!(f, "`{key}`"),
        }
    }
}

impl PemSource {
    /// The certificates in it, one at least.
    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let fail = |error: &dyn fmt::Display| format!("{self} gives no certificate: {error}");
        let found: Result<Vec<_>, _> = match self {
            Self::File(path) => CertificateDer::pem_file_iter(path).map_err(|error| fail(&error))?.collect(),
            Self::Text { pem, .. } => CertificateDer::pem_slice_iter(pem.as_bytes()).collect(),
        };
        let found = found.map_err(|error| fail(&error))?;
        if found.is_empty() { Err(fail(&"there is none in it")) } else { Ok(found) }
    }

    /// The key in it.
    pub(crate) fn private_key(&self) -> Result<PrivateKeyDer<'static>, String> {
        let found = match self {
            Self::File(path) => PrivateKeyDer::from_pem_file(path),
            Self::Text { pem, .. } => PrivateKeyDer::from_pem_slice(pem.as_bytes()),
        };
        found.map_err(|error| format!("{self} gives no key: {error}"))
    }

    /// The authorities in it.
    pub(crate) fn roots(&self) -> Result<Arc<RootCertStore>, String> {
        self.roots_beside(RootCertStore::empty())
    }

    fn roots_beside(&self, mut roots: RootCertStore) -> Result<Arc<RootCertStore>, String> {
        for certificate in self.certificates()? {
            roots.add(certificate).map_err(|error| format!("{self} gives no certificate: {error}"))?;
        }
        Ok(Arc::new(roots))
    }
}
