//! From which address a request comes, proxies considered.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::Request;
use axum::http::HeaderMap;

/// The other end of the connection; set for every request by the accept loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// Whether it speaks TLS with us.
    pub(crate) tls: bool,
}

/// The address that the request comes from, trusted proxies looked through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

fn peer(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.address.ip().to_canonical());
    // Without a peer nobody is trusted: an address that is neither loopback nor routable.
    peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// The nearest address that is not a trusted proxy.
pub(crate) fn address(request: &Request, trusted: &[IpAddr]) -> IpAddr {
    let peer = peer(request);
    if !trusted.contains(&peer) {
        return peer;
    }
    forwarded_for(request.headers())
        .into_iter()
        .rev()
        .find(|address| !trusted.contains(address))
        .unwrap_or(peer)
}

/// The addresses in `X-Forwarded-For`, from the far end; what is not an address ends the chain.
fn forwarded_for(headers: &HeaderMap) -> Vec<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").into_iter().filter_map(|line| line.to_str().ok());
    let mut chain = Vec::new();
    for item in lines.flat_map(|line| line.split(',')) {
        match item.trim().parse::<IpAddr>() {
            Ok(address) => chain.push(address.to_canonical()),
            Err(_) => chain.clear(),
        }
    }
    chain
}

/// Whether a request comes from this machine itself, and not through a proxy on it.
pub(crate) fn is_local(request: &Request) -> bool {
    let proxied = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
    peer(request).is_loopback() && !proxied.iter().any(|name| request.headers().contains_key(*name))
}

/// Whether the browser speaks HTTPS: with us, or with a trusted proxy that says so.
pub(crate) fn is_https(request_headers: &HeaderMap, peer: Option<&Peer>, trusted: &[IpAddr]) -> bool {
    let Some(peer) = peer else { return false };
    let forwarded = || request_headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    peer.tls || (trusted.contains(&peer.address.ip().to_canonical()) && forwarded())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(peer: &str, forwarded: Option<&str>) -> Request {
        let mut builder = Request::builder().uri("/");
        if let Some(forwarded) = forwarded {
            builder = builder.header("x-forwarded-for", forwarded);
        }
        let mut request = builder.body(axum::body::Body::empty()).expect("a request");
        request
            .extensions_mut()
            .insert(Peer { address: SocketAddr::new(peer.parse().expect("an address"), 1), tls: false });
        request
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted = ["127.0.0.1", "10.0.0.1"].map(|text| text.parse().expect("an address"));
        let cases = [
            ("127.0.0.1", None, "127.0.0.1"),
            ("127.0.0.1", Some("203.0.113.9"), "203.0.113.9"),
            ("127.0.0.1", Some("6.6.6.6, 203.0.113.9, 10.0.0.1"), "203.0.113.9"),
            ("127.0.0.1", Some("nonsense"), "127.0.0.1"),
            ("198.51.100.7", Some("127.0.0.1"), "198.51.100.7"),
        ];
        for (peer, forwarded, expected) in cases {
            assert_eq!(
                address(&request(peer, forwarded), &trusted).to_string(),
                expected,
                "{peer} {forwarded:?}"
            );
        }
    }

    #[test]
    fn what_came_through_a_proxy_on_this_machine_is_not_local() {
        assert!(is_local(&request("127.0.0.1", None)));
        assert!(is_local(&request("::ffff:127.0.0.1", None)));
        assert!(!is_local(&request("127.0.0.1", Some("203.0.113.9"))));
        assert!(!is_local(&request("192.0.2.1", None)));
    }
}
