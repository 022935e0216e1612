//! Whom connections to targets trust, and what certificate they show.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::config::TlsConfig;

/// The settings of a job's connections; paths start at `base`.
pub(super) fn client_config(config: &TlsConfig, base: &Path) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions: &[&rustls::SupportedProtocolVersion] = match config.min_version.as_deref() {
        None | Some("TLS10" | "TLS11" | "TLS12") => &[&rustls::version::TLS13, &rustls::version::TLS12],
        Some("TLS13") => &[&rustls::version::TLS13],
        Some(other) => return Err(format!("`min_version`: `{other}` is no version: write TLS12 or TLS13")),
    };
    let verifier = Verifier {
        policy: policy(config, base, &provider)?,
        name: server_name(config)?,
        provider: Arc::clone(&provider),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match (&config.cert_file, &config.key_file) {
        (Some(certificate), Some(key)) => {
            let (certificate, key) = (base.join(certificate), base.join(key));
            let key_of = PrivateKeyDer::from_pem_file(&key)
                .map_err(|error| format!("the file {} gives no key: {error}", key.display()))?;
            builder.with_client_auth_cert(certificates(&certificate)?, key_of).map_err(|error| {
                format!("the certificate {} cannot be shown: {error}", certificate.display())
            })
        }
        (None, None) => Ok(builder.with_no_client_auth()),
        _ => Err("`cert_file` and `key_file` come together".to_owned()),
    }
}

/// The files that the settings are made of.
pub(super) fn material(config: &TlsConfig, base: &Path) -> Vec<PathBuf> {
    let files = [&config.ca_file, &config.cert_file, &config.key_file];
    files.into_iter().flatten().map(|file| base.join(file)).collect()
}

fn server_name(config: &TlsConfig) -> Result<Option<ServerName<'static>>, String> {
    let parse = |name: &String| {
        ServerName::try_from(name.clone())
            .map_err(|_| format!("`server_name`: `{name}` is no name of a server"))
    };
    config.server_name.as_ref().filter(|name| !name.is_empty()).map(parse).transpose()
}

/// Whose certificates are good.
#[derive(Debug)]
enum Policy {
    /// Those of authorities.
    Verified(Arc<WebPkiServerVerifier>),
    /// There is no authority to ask. Plain HTTP needs none, so this is told when one is needed.
    NoAuthorities,
    /// Everybody's.
    Anybody,
}

fn policy(config: &TlsConfig, base: &Path, provider: &Arc<CryptoProvider>) -> Result<Policy, String> {
    if config.insecure_skip_verify {
        return Ok(Policy::Anybody);
    }
    let roots = match &config.ca_file {
        Some(file) => {
            let path = base.join(file);
            let mut roots = RootCertStore::empty();
            for certificate in certificates(&path)? {
                roots.add(certificate).map_err(|error| no_certificate(&path, &error))?;
            }
            Arc::new(roots)
        }
        None => system_roots(),
    };
    if roots.is_empty() {
        return Ok(Policy::NoAuthorities);
    }
    let built = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider)).build();
    built.map(Policy::Verified).map_err(|error| format!("certificates cannot be verified: {error}"))
}

fn no_certificate(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("the file {} gives no certificate: {error}", path.display())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| no_certificate(path, &error))?.collect();
    let found = found.map_err(|error| no_certificate(path, &error))?;
    if found.is_empty() { Err(no_certificate(path, &"there is none in it")) } else { Ok(found) }
}

/// The authorities that this system trusts, read once.
fn system_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    Arc::clone(ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    }))
}

/// Judges certificates, by another name than the host's where one is configured.
#[derive(Debug)]
struct Verifier {
    policy: Policy,
    name: Option<ServerName<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.policy {
            Policy::Anybody => Ok(ServerCertVerified::assertion()),
            Policy::NoAuthorities => Err(rustls::CertificateError::UnknownIssuer.into()),
            Policy::Verified(authorities) => {
                let name = self.name.as_ref().unwrap_or(server_name);
                authorities.verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
            }
        }
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
