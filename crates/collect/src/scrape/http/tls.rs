//! `tls_config`: whom connections to targets trust, and what certificate they show.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use crate::scrape::config::TlsConfig;
use crate::scrape::job::Surroundings;
use crate::trust::{Judge, PemSource, Policy, provider};

/// The settings of a client's connections.
pub(super) fn client_config(config: &TlsConfig, around: &Surroundings<'_>) -> Result<ClientConfig, String> {
    let of = |key, text: &Option<String>, file: &Option<PathBuf>, file_key| {
        source(key, text.as_deref(), file.as_deref(), file_key, around.base)
    };
    let authorities = of("ca", &config.ca, &config.ca_file, "ca_file")?;
    let certificate = of("cert", &config.cert, &config.cert_file, "cert_file")?;
    let key = of("key", &config.key, &config.key_file, "key_file")?;
    let policy = match authorities {
        _ if config.insecure_skip_verify => Policy::Anybody,
        Some(authorities) => Policy::trusting(authorities.roots()?)?,
        None => around.authorities.policy(),
    };
    let provider = provider();
    let judge = Judge::new(policy, server_name(config)?, Arc::clone(&provider));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(config)?)
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(judge));
    match (certificate, key) {
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(certificate.certificates()?, key.private_key()?)
            .map_err(|error| format!("the certificate in {certificate} cannot be shown: {error}")),
        (None, None) => Ok(builder.with_no_client_auth()),
        _ => Err("a certificate and its key come together: `cert` or `cert_file`, and `key` or `key_file`"
            .to_owned()),
    }
}

/// Where PEM stands, if it stands at one of two keys.
fn source(
    key: &'static str,
    text: Option<&str>,
    file: Option<&Path>,
    file_key: &str,
    base: &Path,
) -> Result<Option<PemSource>, String> {
    let text = text.filter(|text| !text.is_empty());
    let file = file.filter(|file| !file.as_os_str().is_empty());
    match (text, file) {
        (Some(_), Some(_)) => Err(format!("`{key}` and `{file_key}` are both set; keep one")),
        (Some(text), None) => Ok(Some(PemSource::Text { key, pem: text.to_owned() })),
        (None, Some(file)) => Ok(Some(PemSource::File(base.join(file)))),
        (None, None) => Ok(None),
    }
}

/// The versions that may be spoken, the best first.
fn versions(config: &TlsConfig) -> Result<Vec<&'static rustls::SupportedProtocolVersion>, String> {
    let number = |key: &str, text: Option<&str>, usual: u8| match text {
        None | Some("") => Ok(usual),
        Some("TLS10") => Ok(10),
        Some("TLS11") => Ok(11),
        Some("TLS12") => Ok(12),
        Some("TLS13") => Ok(13),
        Some(other) => Err(format!("`{key}`: `{other}` is no version: write TLS12 or TLS13")),
    };
    let least = number("min_version", config.min_version.as_deref(), 12)?;
    let greatest = number("max_version", config.max_version.as_deref(), 13)?;
    let all = [(13, &rustls::version::TLS13), (12, &rustls::version::TLS12)];
    let found: Vec<_> = all
        .into_iter()
        .filter(|(version, _)| (least..=greatest).contains(version))
        .map(|(_, version)| version)
        .collect();
    if found.is_empty() {
        return Err(
            "`min_version` and `max_version` leave neither TLS12 nor TLS13, which are spoken".to_owned()
        );
    }
    Ok(found)
}

/// The files that the settings are made of.
pub(in crate::scrape) fn material(config: &TlsConfig, base: &Path) -> Vec<PathBuf> {
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
