//! Whom a TLS connection trusts, and what certificate it was shown, good or bad.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use model::Timestamp;
use parking_lot::Mutex;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// The authorities that this system trusts, read when they are first needed, and shared by all probes.
#[derive(Default)]
pub(super) struct Authorities {
    roots: OnceLock<Arc<RootCertStore>>,
    verifier: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
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

    /// Verifies by them alone; none where there is no authority.
    fn verifier(&self) -> Option<Arc<WebPkiServerVerifier>> {
        self.verifier.get_or_init(|| verifier(Arc::clone(self.roots())).ok().flatten()).clone()
    }
}

/// Verifies by `roots`; none where there are none.
fn verifier(roots: Arc<RootCertStore>) -> Result<Option<Arc<WebPkiServerVerifier>>, String> {
    if roots.is_empty() {
        return Ok(None);
    }
    let built = WebPkiServerVerifier::builder_with_provider(roots, provider()).build();
    built.map(Some).map_err(|error| format!("certificates cannot be verified: {error}"))
}

/// Whose certificates are good.
#[derive(Debug)]
enum Policy {
    /// Those of authorities.
    Verified(Arc<WebPkiServerVerifier>),
    /// There is no authority to ask.
    NoAuthorities,
    /// Everybody's: the connection is private, and nobody knows with whom.
    Anybody,
}

/// The TLS settings of one probe, and the certificate that it was shown last.
#[derive(Clone)]
pub(super) struct Trust {
    config: Arc<ClientConfig>,
    witness: Arc<Witness>,
}

/// A certificate that a server has shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    /// When it expires.
    pub(super) expires_at: Option<Timestamp>,
    /// Who has signed it.
    pub(super) issuer: String,
    /// Why it is not accepted.
    pub(super) fault: Option<String>,
}

impl Trust {
    /// Trusts the authorities of this system, and the one in `ca_file`.
    pub(super) fn verifying(authorities: &Authorities, ca_file: Option<&Path>) -> Result<Self, String> {
        let verifier = match ca_file {
            Some(path) => verifier(with_file(authorities.roots(), path)?)?,
            None => authorities.verifier(),
        };
        Self::new(verifier.map_or(Policy::NoAuthorities, Policy::Verified))
    }

    /// Accepts every certificate.
    pub(super) fn anybody() -> Result<Self, String> {
        Self::new(Policy::Anybody)
    }

    fn new(policy: Policy) -> Result<Self, String> {
        let provider = provider();
        let witness = Arc::new(Witness { policy, provider: Arc::clone(&provider), shown: Mutex::default() });
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS cannot be set up: {error}"))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        // A resumed session shows no certificate.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self { config: Arc::new(config), witness })
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// The certificate shown since the last call.
    pub(super) fn take_shown(&self) -> Option<Shown> {
        self.witness.shown.lock().take()
    }
}

/// `roots`, and the authorities in a file.
fn with_file(roots: &RootCertStore, path: &Path) -> Result<Arc<RootCertStore>, String> {
    let fail =
        |error: &dyn std::fmt::Display| format!("the file {} gives no certificate: {error}", path.display());
    let mut roots = roots.clone();
    let before = roots.len();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| fail(&error))? {
        roots.add(certificate.map_err(|error| fail(&error))?).map_err(|error| fail(&error))?;
    }
    if roots.len() == before {
        return Err(fail(&"there is none in it"));
    }
    Ok(Arc::new(roots))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Judges certificates, and remembers the last.
#[derive(Debug)]
struct Witness {
    policy: Policy,
    provider: Arc<CryptoProvider>,
    shown: Mutex<Option<Shown>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judged = match &self.policy {
            Policy::Verified(verifier) => {
                verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            Policy::NoAuthorities => Err(CertificateError::UnknownIssuer.into()),
            Policy::Anybody => Ok(ServerCertVerified::assertion()),
        };
        let fault = judged.as_ref().err();
        *self.shown.lock() = Some(shown(end_entity, fault, server_name, &self.policy));
        judged
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Reads a certificate, which may be anything, and says what is wrong with it.
fn shown(der: &[u8], fault: Option<&Error>, name: &ServerName<'_>, policy: &Policy) -> Shown {
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(der) else {
        let fault = fault.map(|_| "the certificate cannot be read".to_owned());
        return Shown { expires_at: None, issuer: String::new(), fault };
    };
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_secs_f64(time.timestamp() as f64);
    let (begins_at, expires_at) =
        (at(certificate.validity().not_before), at(certificate.validity().not_after));
    let issuer: String = certificate.issuer().to_string().chars().take(120).collect();
    let now = Timestamp::now();
    let fault = fault.map(|fault| match fault {
        // Before all else: that is what its owner has to mend.
        _ if expires_at < now => format!("the certificate expired on {expires_at}"),
        _ if begins_at > now => format!("the certificate is not valid before {begins_at}"),
        _ if matches!(policy, Policy::NoAuthorities) => {
            "this system has no list of authorities to trust: name one with `ca_file`".to_owned()
        }
        Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) => {
            let names: Vec<&str> = presented.iter().take(5).map(String::as_str).collect();
            format!("the certificate is not for {}, but for {}", name.to_str(), names.join(", "))
        }
        Error::InvalidCertificate(CertificateError::NotValidForName) => {
            format!("the certificate is not for {}", name.to_str())
        }
        _ if certificate.issuer() == certificate.subject() => {
            "the certificate is self-signed, and not by an authority that is trusted here".to_owned()
        }
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            format!("the certificate is signed by {issuer}, an authority that is not trusted here")
        }
        other => format!("the certificate is not accepted: {other}"),
    });
    Shown { expires_at: Some(expires_at), issuer, fault }
}
