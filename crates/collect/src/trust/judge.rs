//! Judging certificates.

use std::sync::Arc;

use parking_lot::Mutex;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};

use super::provider;
use super::shown::Shown;

/// Whose certificates are good.
#[derive(Clone, Debug)]
pub(crate) enum Policy {
    /// Those of authorities.
    Verified(Verifier),
    /// There is no authority to ask. Who never speaks TLS needs none, so this is told when one is needed.
    NoAuthorities,
    /// Everybody's: the connection is private, and nobody knows with whom.
    Anybody,
}

impl Policy {
    /// Trusts these authorities.
    pub(crate) fn trusting(roots: Arc<RootCertStore>) -> Result<Self, String> {
        if roots.is_empty() {
            return Ok(Self::NoAuthorities);
        }
        let built = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), provider()).build();
        let webpki = built.map_err(|error| format!("certificates cannot be verified: {error}"))?;
        Ok(Self::Verified(Verifier { webpki, roots }))
    }
}

/// Authorities, and who verifies by them.
#[derive(Clone, Debug)]
pub(crate) struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
}

impl Verifier {
    /// Whether a certificate is signed by an authority, or is that of one.
    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.webpki.verify_server_cert(end_entity, intermediates, name, ocsp_response, now);
        match verified {
            Err(_) if self.is_root(end_entity) => by_itself(end_entity, name, now),
            verified => verified,
        }
    }

    /// Whether a certificate is an authority's own: one with its name, its key and its constraints. Who shows it must
    /// prove in the handshake to have the key, and with that could sign any other.
    fn is_root(&self, certificate: &CertificateDer<'_>) -> bool {
        let mut alone = RootCertStore::empty();
        alone.add(certificate.clone()).is_ok()
            && alone.roots.iter().all(|anchor| self.roots.roots.contains(anchor))
    }
}

/// Judges an authority's own certificate, shown by a server. The verifier takes none of these, and `openssl req -x509`
/// makes such of a server if nothing else is asked of it: who names that as the one to trust is to reach the server, as
/// with Go and OpenSSL. Its dates, its purpose and its name count as those of any other.
fn by_itself(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    let (_, parsed) =
        x509_parser::parse_x509_certificate(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = parsed.validity();
    if now < validity.not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > validity.not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    let purpose = parsed.extended_key_usage().map_err(|_| CertificateError::BadEncoding)?;
    if purpose.is_some_and(|purpose| !purpose.value.server_auth && !purpose.value.any) {
        return Err(CertificateError::InvalidPurpose.into());
    }
    verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
    Ok(ServerCertVerified::assertion())
}

/// Why a certificate is not accepted, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Fault(pub(crate) String);

impl Fault {
    /// The fault that a TLS error stands for.
    pub(crate) fn of(error: &Error) -> Option<&Self> {
        match error {
            Error::InvalidCertificate(CertificateError::Other(OtherError(fault))) => fault.downcast_ref(),
            _ => None,
        }
    }
}

/// Judges certificates, by another name than the host's where one is given, and remembers the last.
#[derive(Debug)]
pub(crate) struct Judge {
    policy: Policy,
    name: Option<ServerName<'static>>,
    provider: Arc<CryptoProvider>,
    shown: Mutex<Option<Shown>>,
}

impl Judge {
    pub(crate) fn new(
        policy: Policy,
        name: Option<ServerName<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        Self { policy, name, provider, shown: Mutex::default() }
    }

    /// The certificate shown since the last call.
    pub(super) fn take_shown(&self) -> Option<Shown> {
        self.shown.lock().take()
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let name = self.name.as_ref().unwrap_or(server_name);
        let judged = match &self.policy {
            Policy::Verified(verifier) => {
                verifier.verify(end_entity, intermediates, name, ocsp_response, now)
            }
            Policy::NoAuthorities => Err(CertificateError::UnknownIssuer.into()),
            Policy::Anybody => Ok(ServerCertVerified::assertion()),
        };
        let is_lone = matches!(self.policy, Policy::NoAuthorities);
        let shown = Shown::read(end_entity, judged.as_ref().err(), name, is_lone);
        let fault = shown.fault.clone();
        *self.shown.lock() = Some(shown);
        judged.map_err(|error| match fault {
            Some(fault) => CertificateError::Other(OtherError(Arc::new(Fault(fault)))).into(),
            None => error,
        })
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
