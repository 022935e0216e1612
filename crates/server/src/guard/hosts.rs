//! Under which names this server answers: the defence against DNS rebinding and foreign pages.
//!
//! A page on another site can make a browser send requests here, and can point its own name at
//! 127.0.0.1. The first carries a foreign `Origin`, the second a foreign `Host`.

use std::net::{IpAddr, SocketAddr};

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{Method, header};

use crate::problem::{Kind, Problem};

/// The names that are answered to.
#[derive(Clone, Debug)]
pub(crate) struct AllowedHosts {
    listen: Vec<IpAddr>,
    names: Vec<(String, Option<u16>)>,
}

impl AllowedHosts {
    /// Those of a server that listens on these addresses, and has these names besides.
    pub(crate) fn new(listen: &[SocketAddr], names: &[String]) -> Self {
        let names = names
            .iter()
            .map(|name| match name.parse::<Authority>() {
                Ok(authority) => (bare(authority.host()), authority.port_u16()),
                Err(_) => (bare(name), None),
            })
            .collect();
        Self { listen: listen.iter().map(SocketAddr::ip).collect(), names }
    }

    /// Whether a request may come under this name. Literal addresses cannot be rebound; where the
    /// server listens on every address, every literal address is its own.
    fn allows(&self, authority: &Authority) -> bool {
        let host = bare(authority.host());
        if let Ok(address) = host.parse::<IpAddr>() {
            let is_own = |listen: &IpAddr| address == *listen || listen.is_unspecified();
            if address.is_loopback() || self.listen.iter().any(is_own) {
                return true;
            }
        } else if host == "localhost" || host.ends_with(".localhost") {
            return true;
        }
        self.names
            .iter()
            .any(|(name, port)| *name == host && port.is_none_or(|port| authority.port_u16() == Some(port)))
    }

    /// Checks `Host`, and `Origin` where a browser sent one.
    pub(crate) fn check(&self, parts: &Parts) -> Result<(), Problem> {
        let host = match parts.headers.get(header::HOST) {
            Some(value) => value.to_str().ok().and_then(|text| text.parse::<Authority>().ok()),
            None => parts.uri.authority().cloned(),
        };
        let Some(host) = host else {
            return Err(Problem::new(Kind::BadRequest, "Send a Host header that names this server."));
        };
        if !self.allows(&host) {
            let name: String = host.host().chars().take(128).collect();
            return Err(Problem::new(
                Kind::UnknownHost,
                format!(
                    "If `{name}` is a name of this server, add it to `allowed_hosts` in the section [server] of the configuration."
                ),
            ));
        }
        self.check_origin(parts)
    }

    fn check_origin(&self, parts: &Parts) -> Result<(), Problem> {
        let foreign = || {
            Problem::new(
                Kind::ForeignOrigin,
                "Requests from pages of other sites are refused; add the site to `allowed_hosts` if it is this server.",
            )
        };
        let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        match parts.headers.get(header::ORIGIN) {
            // A page without an origin of its own; reading is kept from it by the browser.
            Some(origin) if origin.as_bytes() == b"null" && safe => {}
            Some(origin) => {
                let text = origin.to_str().map_err(|_| foreign())?;
                let (_, authority) = text.split_once("://").ok_or_else(foreign)?;
                let authority: Authority = authority.parse().map_err(|_| foreign())?;
                if !self.allows(&authority) {
                    return Err(foreign());
                }
            }
            None => {}
        }
        let cross_site =
            parts.headers.get("sec-fetch-site").is_some_and(|site| site.as_bytes() == b"cross-site");
        if cross_site && !safe { Err(foreign()) } else { Ok(()) }
    }
}

fn bare(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(method: Method, headers: &[(&str, &str)]) -> Parts {
        let mut builder = axum::http::Request::builder().method(method).uri("/");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn only_names_of_this_server_are_answered() {
        let hosts = AllowedHosts::new(
            &[SocketAddr::from(([192, 168, 1, 5], 7654)), SocketAddr::from(([192, 168, 1, 7], 4317))],
            &["Watch.example.org".to_owned(), "proxy.example.org:8443".to_owned()],
        );
        let cases = [
            ("localhost:7654", true),
            ("LOCALHOST", true),
            ("app.localhost", true),
            ("127.0.0.1:7654", true),
            ("127.8.8.8", true),
            ("[::1]:7654", true),
            ("192.168.1.5:7654", true),
            ("192.168.1.6", false),
            ("192.168.1.7:4317", true),
            ("watch.example.org", true),
            ("watch.example.org:99", true),
            ("proxy.example.org:8443", true),
            ("proxy.example.org:80", false),
            ("evil.example.org", false),
            ("localhost.evil.org", false),
            ("127.0.0.1.evil.org", false),
        ];
        for (host, allowed) in cases {
            assert_eq!(hosts.check(&parts(Method::GET, &[("host", host)])).is_ok(), allowed, "{host}");
        }
        assert!(hosts.check(&parts(Method::GET, &[])).is_err(), "no host at all");
    }

    #[test]
    fn a_server_on_every_address_answers_to_every_address_but_not_to_every_name() {
        let hosts = AllowedHosts::new(&[SocketAddr::from(([0, 0, 0, 0], 7654))], &[]);
        assert!(hosts.check(&parts(Method::GET, &[("host", "10.1.2.3:7654")])).is_ok());
        assert!(hosts.check(&parts(Method::GET, &[("host", "rebound.example.org:7654")])).is_err());
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let hosts = AllowedHosts::new(&[SocketAddr::from(([127, 0, 0, 1], 7654))], &[]);
        let cases = [
            (Method::POST, "origin", "http://localhost:7654", true),
            (Method::POST, "origin", "https://evil.example.org", false),
            (Method::GET, "origin", "https://evil.example.org", false),
            (Method::POST, "origin", "null", false),
            (Method::POST, "sec-fetch-site", "cross-site", false),
            (Method::GET, "sec-fetch-site", "cross-site", true),
        ];
        for (method, name, value, allowed) in cases {
            let parts = parts(method.clone(), &[("host", "localhost:7654"), (name, value)]);
            assert_eq!(hosts.check(&parts).is_ok(), allowed, "{method} {name}: {value}");
        }
    }
}
