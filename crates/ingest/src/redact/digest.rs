//! The hashes of the action `hash`: HMAC-SHA-256, cut to 64 bits and written in hex.
//!
//! Equal values have equal hashes, so that one can still count and follow them; who does not have the key can neither
//! invert them nor try values out. Ways to write the same value make no difference: capitals of an e-mail address,
//! spaces in a number.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::detect;

/// The shortest key, in bytes.
const MIN_KEY_BYTES: usize = 16;
/// How much of the hash is shown, in bytes.
const SHOWN_BYTES: usize = 8;
/// The digits of a hash that is shown.
pub(super) const HEX_DIGITS: usize = 2 * SHOWN_BYTES;

/// Hashes with a key.
pub(super) struct Digest(Hmac<Sha256>);

impl Digest {
    /// With this key; says what is wrong with one that is too short.
    pub(super) fn new(key: &str) -> Result<Self, String> {
        if key.len() < MIN_KEY_BYTES {
            return Err(format!(
                "a key has at least {MIN_KEY_BYTES} bytes, this one has {}: make one with `openssl rand -hex 32`",
                key.len()
            ));
        }
        Hmac::new_from_slice(key.as_bytes()).map(Self).map_err(|error| error.to_string())
    }

    /// The hash of what a detector found.
    pub(super) fn of(&self, detector: &str, secret: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(canonical(detector, secret).as_bytes());
        let bytes = mac.finalize().into_bytes();
        bytes.iter().take(SHOWN_BYTES).fold(String::with_capacity(HEX_DIGITS), |mut hex, byte| {
            // Writing to a text cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// One way to write what can be written in several.
fn canonical(detector: &str, secret: &str) -> String {
    match detector {
        detect::EMAIL => secret.to_lowercase().replace("%40", "@"),
        detect::PHONE | detect::CARD_NUMBER | detect::IBAN => {
            secret.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '+').collect()
        }
        _ => secret.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_that_of_hmac_sha256() {
        // Case 2 of RFC 4231 has a key of four bytes; a key of the wanted length gives what openssl gives:
        // printf 'what do ya want for nothing?' | openssl dgst -sha256 -hmac Jefe-Jefe-Jefe-Jefe
        let digest = Digest(Hmac::new_from_slice(b"Jefe").expect("any length"));
        assert_eq!(digest.of("x", "what do ya want for nothing?"), "5bdcc146bf60754e");
    }

    #[test]
    fn equal_values_have_equal_hashes_however_they_are_written() {
        let digest = Digest::new("0123456789abcdef").expect("long enough");
        let of = |detector, text| digest.of(detector, text);
        assert_eq!(of(detect::EMAIL, "Jane@Example.org"), of(detect::EMAIL, "jane%40example.org"));
        assert_eq!(
            of(detect::CARD_NUMBER, "4111 1111 1111 1111"),
            of(detect::CARD_NUMBER, "4111111111111111")
        );
        assert_ne!(of("jwt", "A"), of("jwt", "a"));
        let other = Digest::new("fedcba9876543210").expect("long enough");
        assert_ne!(of("jwt", "a"), other.of("jwt", "a"));
        assert!(Digest::new("short").err().expect("refused").contains("openssl rand"));
    }
}
