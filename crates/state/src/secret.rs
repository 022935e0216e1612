//! Random secrets, and the hashes by which they are kept.
//!
//! A secret here has 256 random bits, so a plain SHA-256 of it cannot be searched; slow hashing is
//! for what people think up (`password`).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::StateError;

/// A text that must not end up in a log: shown as `***`, given out by [`Secret::reveal`] alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn prefixed(prefix: &str) -> Result<Self, StateError> {
        Ok(Self(format!("{prefix}{}", random_text()?)))
    }

    pub(crate) fn random() -> Result<Self, StateError> {
        random_text().map(Self)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// 256 random bits as 43 characters that need no escaping anywhere.
pub(crate) fn random_text() -> Result<String, StateError> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes::<32>()?))
}

pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], StateError> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).map_err(|error| StateError::Crypto {
        doing: "reading random bytes of the system",
        reason: error.to_string(),
    })?;
    Ok(bytes)
}

/// The hash by which a random secret is kept and found.
pub(crate) fn fingerprint(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}
