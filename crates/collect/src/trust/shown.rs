//! A certificate that a server has shown, which may be anything, and what is wrong with it.

use model::Timestamp;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, Error};

/// A certificate that a server has shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    /// When it expires.
    pub(crate) expires_at: Option<Timestamp>,
    /// Who has signed it.
    pub(crate) issuer: String,
    /// Why it is not accepted.
    pub(crate) fault: Option<String>,
}

impl Shown {
    /// Reads a certificate that was to be for `name`. `is_lone` says that there is no authority to ask.
    pub(super) fn read(der: &[u8], fault: Option<&Error>, name: &ServerName<'_>, is_lone: bool) -> Self {
        let Ok((_, certificate)) = x509_parser::parse_x509_certificate(der) else {
            let fault = fault.map(|_| "the certificate cannot be read".to_owned());
            return Self { expires_at: None, issuer: String::new(), fault };
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
            _ if is_lone => {
                "this system has no list of authorities to trust: name one with `ca_file`".to_owned()
            }
            Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) => {
                let names: Vec<&str> = presented.iter().take(5).map(|name| bare(name)).collect();
                format!("the certificate is not for {}, but for {}", name.to_str(), names.join(", "))
            }
            Error::InvalidCertificate(CertificateError::NotValidForName) => {
                format!("the certificate is not for {}", name.to_str())
            }
            Error::InvalidCertificate(
                CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. },
            ) => "the certificate is not one for servers".to_owned(),
            _ if certificate.issuer() == certificate.subject() => {
                "the certificate is self-signed, and not by an authority that is trusted here".to_owned()
            }
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                format!("the certificate is signed by {issuer}, an authority that is not trusted here")
            }
            other => format!("the certificate is not accepted: {other}"),
        });
        Self { expires_at: Some(expires_at), issuer, fault }
    }
}

/// A name without its kind, which the library writes around it: `DnsName("a.example")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}
