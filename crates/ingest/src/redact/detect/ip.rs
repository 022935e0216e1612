//! `ip`: IPv4 and IPv6 addresses, without the port and the length of the prefix. Off unless `ips` is set.
//!
//! Not taken: those that belong to nobody (`127.0.0.1`, `::1`, `0.0.0.0`, `::`), versions of three parts or after a `v`,
//! times, paths of C++ and Rust (`std::string`).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Detector, IP, RedactError, Trigger, compiled, surroundings};

pub(super) fn detector() -> Result<Detector, RedactError> {
    let fourth = compiled(IP, r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")?;
    let sixth = compiled(IP, r"[0-9A-Fa-f:]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*")?;
    Ok(Detector::new(IP, vec![Trigger::Address], move |text, into| {
        let mut found_sixth = Vec::new();
        for found in sixth.find_iter(text) {
            // A sentence can end in one.
            let address = found.as_str().trim_end_matches('.');
            let range = found.start()..found.start() + address.len();
            let apart = !surroundings::is_word(surroundings::before(text, range.start))
                && !surroundings::is_word(surroundings::at(text, range.end));
            if apart && is_somebodys(address) {
                found_sixth.push(range);
            }
        }
        for found in fourth.find_iter(text) {
            let (start, end) = (found.start(), found.end());
            let apart = !surroundings::is_word(surroundings::before(text, start))
                && !surroundings::began(text, start, b".")
                && !surroundings::is_word(surroundings::at(text, end))
                && !surroundings::goes_on(text, end, b".");
            let within = found_sixth.iter().any(|one| one.start <= start && end <= one.end);
            let address = found.as_str().parse::<Ipv4Addr>();
            if apart && !within && address.is_ok_and(|one| !one.is_loopback() && !one.is_unspecified()) {
                into.push(start..end);
            }
        }
        into.append(&mut found_sixth);
    }))
}

/// Whether it is an address that is somebody's. Words of the letters a to f with `::` between them are none.
fn is_somebodys(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text.parse::<Ipv6Addr>().is_ok_and(|address| !address.is_loopback() && !address.is_unspecified())
}
