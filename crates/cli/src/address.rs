//! Where the server of this machine is, by its own configuration: for commands that are given no address.
//!
//! Knows nothing of flags: `client` asks here when there is no `--url`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// How a server on this machine is asked.
#[derive(Debug, PartialEq)]
pub(crate) struct Address {
    /// The address, as `https://127.0.0.1:7654`.
    pub(crate) url: String,
    /// A PEM file with the certificate that it shows.
    pub(crate) certificate: Option<PathBuf>,
}

impl Address {
    /// Of the server with this configuration.
    pub(crate) fn of(server: &server::Config) -> Self {
        let scheme = if server.tls_certificate.is_some() { "https" } else { "http" };
        Self {
            url: format!("{scheme}://{}", reached(server.listen)),
            certificate: server.tls_certificate.clone(),
        }
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
            let expected = Address { url: url.to_owned(), certificate: None };
            assert_eq!(Address::of(&server(listen)), expected, "{listen}");
        }
    }
}
