//! What is asked without a proxy: hosts, addresses and networks, as `NO_PROXY` lists them.

use std::net::IpAddr;

/// A list of them. This host is asked without a proxy always, as in Go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NoProxy(Vec<Direct>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Direct {
    All,
    Network {
        address: IpAddr,
        bits: u8,
    },
    Address {
        address: IpAddr,
        port: Option<u16>,
    },
    /// A host with those below it; these alone when the name begins with a dot.
    Host {
        name: String,
        port: Option<u16>,
    },
}

impl NoProxy {
    /// Reads a list with commas. What is none of these is a host that no address has.
    pub(super) fn of(list: &str) -> Self {
        let entries = list.split(',').map(|entry| entry.trim().to_ascii_lowercase());
        Self(entries.filter(|entry| !entry.is_empty()).filter_map(|entry| Direct::of(&entry)).collect())
    }

    /// Whether a host is asked without a proxy. An IPv6 address may stand in brackets.
    pub(super) fn has(&self, host: &str, port: Option<u16>) -> bool {
        let host = bare(host).to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            return true;
        }
        self.0.iter().any(|direct| match direct {
            Direct::All => true,
            Direct::Network { address: network, bits } => {
                address.is_some_and(|address| is_within(address, *network, *bits))
            }
            Direct::Address { address: own, port: of } => {
                address == Some(*own) && (of.is_none() || *of == port)
            }
            Direct::Host { name, port: of } => {
                let below = host.strip_suffix(name.as_str());
                let fits = match name.strip_prefix('.') {
                    Some(_) => below.is_some_and(|below| !below.is_empty()),
                    None => below.is_some_and(|below| below.is_empty() || below.ends_with('.')),
                };
                fits && (of.is_none() || *of == port)
            }
        })
    }
}

impl Direct {
    fn of(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::All);
        }
        if let Some((network, bits)) = entry.split_once('/')
            && let (Ok(address), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u8>())
        {
            return Some(Self::Network { address, bits });
        }
        if let Ok(address) = bare(entry).parse() {
            return Some(Self::Address { address, port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (bare(host), Some(port.parse().ok()?)),
            None => (entry, None),
        };
        if let Ok(address) = host.parse() {
            return Some(Self::Address { address, port });
        }
        let name = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        (!name.is_empty()).then(|| Self::Host { name: name.to_owned(), port })
    }
}

/// An address without the brackets of IPv6.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (u128::from(address.to_bits()), u128::from(network.to_bits()), 32_u32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let Some(rest) = width.checked_sub(u32::from(bits)) else { return false };
    // A shift by all bits of the type is not defined, and leaves nothing that could differ.
    (address ^ network).checked_shr(rest).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_addresses_and_networks_are_asked_without_a_proxy_as_in_go() {
        let cases = [
            ("", "example.org", false),
            ("", "localhost", true),
            ("", "127.0.0.9", true),
            ("", "[::1]", true),
            ("*", "example.org", true),
            ("example.org", "example.org", true),
            ("example.org", "a.EXAMPLE.org", true),
            ("example.org", "anexample.org", false),
            (".example.org", "example.org", false),
            (".example.org", "a.example.org", true),
            ("*.example.org", "a.b.example.org", true),
            ("other, Example.org:9100 ", "example.org", true),
            ("example.org:80", "example.org", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1:9100", "10.0.0.1", true),
            ("10.0.0.1:80", "10.0.0.1", false),
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "11.0.0.1", true),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("fd00::/8", "[fd12::1]", true),
            ("::/0", "10.0.0.1", false),
            ("[fd12::1]:9100", "fd12::1", true),
            ("fd12::1", "fd12::2", false),
            ("a/b,:80,x:y", "example.org", false),
        ];
        for (list, host, expected) in cases {
            assert_eq!(NoProxy::of(list).has(host, Some(9100)), expected, "`{list}` {host}");
        }
    }
}
