//! Where the server of this machine is, by its own configuration: for commands that are given no address.
//!
//! With HTTPS the certificate has to be for the name by which the server is asked, and the server answers
//! to few names. So the first name that both agree on is taken, and asked at the address that is listened
//! on, whatever a name service says. Knows nothing of flags: `client` asks here when there is no `--url`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;

use crate::exit::Failure;

/// How a server on this machine is asked.
#[derive(Debug, PartialEq)]
pub(crate) struct Address {
    /// The address, as `https://localhost:7654`.
    pub(crate) url: String,
    /// The name in it, and where that is.
    pub(crate) name: Option<(String, SocketAddr)>,
    /// A PEM file with the certificate that it shows, which is known to be the right one.
    pub(crate) certificate: Option<PathBuf>,
}

impl Address {
    /// Of the server with this configuration.
    pub(crate) fn of(server: &server::Config) -> Result<Self, Failure> {
        let at = reached(server.listen);
        let Some(certificate) = &server.tls_certificate else {
            return Ok(Self { url: format!("http://{at}"), name: None, certificate: None });
        };
        let names = names(server, at);
        let name = name_of(certificate, &names)?.ok_or_else(|| {
            Failure::Unreachable(anyhow!(
                "the certificate {} is for none of {}: say with --url https://NAME:{} under which name the server is reached, \
                 or add a name that the certificate is for to `allowed_hosts` in the section [server]",
                certificate.display(),
                names.join(", "),
                at.port()
            ))
        })?;
        let known = (name.parse::<IpAddr>().is_err()).then(|| (name.clone(), at));
        let url = match name.parse() {
            Ok(IpAddr::V6(address)) => format!("https://[{address}]:{}", at.port()),
            _ => format!("https://{name}:{}", at.port()),
        };
        Ok(Self { url, name: known, certificate: Some(certificate.clone()) })
    }
}

/// Where this machine reaches who listens on every address, or on one.
fn reached(listen: SocketAddr) -> SocketAddr {
    let address = match listen.ip() {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    SocketAddr::new(address, listen.port())
}

/// The names to which the server answers on its own port.
fn names(server: &server::Config, at: SocketAddr) -> Vec<String> {
    let port = at.port().to_string();
    let allowed = server.allowed_hosts.iter().filter_map(|host| match host.rsplit_once(':') {
        Some((name, of)) => (of == port).then(|| name.to_owned()),
        None => Some(host.clone()),
    });
    [at.ip().to_string(), "localhost".to_owned()].into_iter().chain(allowed).collect()
}

/// The first of `names` that the certificate in a PEM file is for.
fn name_of(file: &Path, names: &[String]) -> anyhow::Result<Option<String>> {
    let cannot =
        || format!("cannot read the server's certificate {}; --url and --ca do without", file.display());
    let certificate = CertificateDer::from_pem_file(file).with_context(cannot)?;
    let certificate = ParsedCertificate::try_from(&certificate).with_context(cannot)?;
    let is_for = |name: &&String| {
        ServerName::try_from(name.as_str()).is_ok_and(|name| verify_server_name(&certificate, &name).is_ok())
    };
    Ok(names.iter().find(is_for).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(listen: &str) -> server::Config {
        server::Config { listen: listen.parse().expect("an address"), ..server::Config::default() }
    }

    #[test]
    fn what_listens_on_every_address_is_reached_on_loopback() {
        let cases = [
            ("127.0.0.1:7654", "http://127.0.0.1:7654"),
            ("0.0.0.0:17654", "http://127.0.0.1:17654"),
            ("[::]:80", "http://[::1]:80"),
            ("10.1.2.3:7654", "http://10.1.2.3:7654"),
        ];
        for (listen, url) in cases {
            let expected = Address { url: url.to_owned(), name: None, certificate: None };
            assert_eq!(Address::of(&server(listen)).expect("an address"), expected, "{listen}");
        }
    }

    #[test]
    fn a_server_with_a_certificate_is_asked_by_a_name_that_it_is_for_and_answers_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cert.pem");
        let cases: [(&[&str], &[&str], Option<&str>); 6] = [
            (&["localhost", "127.0.0.1"], &[], Some("https://127.0.0.1:7654")),
            (&["localhost"], &[], Some("https://localhost:7654")),
            (
                &["watch.example.org"],
                &["other.example.org", "watch.example.org"],
                Some("https://watch.example.org:7654"),
            ),
            (&["watch.example.org"], &["watch.example.org:7654"], Some("https://watch.example.org:7654")),
            (&["watch.example.org"], &["watch.example.org:443"], None),
            (&["watch.example.org"], &[], None),
        ];
        for (names, allowed, url) in cases {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let made = rcgen::generate_simple_self_signed(names.clone()).expect("a certificate");
            std::fs::write(&path, made.cert.pem()).expect("written");
            let config = server::Config {
                tls_certificate: Some(path.clone()),
                allowed_hosts: allowed.iter().map(|name| (*name).to_owned()).collect(),
                ..server("0.0.0.0:7654")
            };
            let address = Address::of(&config);
            match (address, url) {
                (Ok(address), Some(url)) => {
                    assert_eq!((address.url.as_str(), &address.certificate), (url, &Some(path.clone())));
                    let at = address.name.map(|(_, at)| at.to_string());
                    assert!(at.is_none_or(|at| at == "127.0.0.1:7654"), "{names:?}");
                }
                (Err(Failure::Unreachable(error)), None) => {
                    assert!(error.to_string().contains("--url https://NAME:7654"), "{error}");
                }
                (address, url) => panic!("{names:?} {allowed:?}: {address:?}, not {url:?}"),
            }
        }
    }
}
