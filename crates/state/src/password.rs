//! Passwords: the policy, and argon2id hashing away from the async threads.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::Semaphore;

use crate::{StateError, secret};

/// The least characters of a password.
pub const MIN_PASSWORD_CHARS: usize = 12;
/// The most: a longer one only costs time.
const MAX_PASSWORD_CHARS: usize = 1_024;
/// How many passwords are hashed at once; each takes 19 MiB while it is.
const HASHES_AT_ONCE: usize = 4;

/// Hashes and verifies, a bounded number at a time.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    /// A hash that no password has, so that an unknown user takes as long as a known one.
    nobody: Arc<str>,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self, StateError> {
        Ok(Self { turns: Arc::new(Semaphore::new(HASHES_AT_ONCE)), nobody: nobody()?.into() })
    }

    /// The hash of a password that satisfies the policy.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, StateError> {
        if !(MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&password.chars().count()) {
            return Err(StateError::BadPassword { min: MIN_PASSWORD_CHARS, max: MAX_PASSWORD_CHARS });
        }
        let password = password.to_owned();
        in_turn(&self.turns, move || hash_now(&password)).await?
    }

    /// Whether `password` is the one that was hashed. Without a hash it takes as long, and is not.
    pub(crate) async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool, StateError> {
        if password.len() > MAX_PASSWORD_CHARS * 4 {
            return Ok(false);
        }
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.as_ref().to_owned());
        let password = password.to_owned();
        let right = in_turn(&self.turns, move || {
            let parsed = PasswordHash::new(&hash).map_err(|error| StateError::Crypto {
                doing: "reading a stored password hash",
                reason: error.to_string(),
            })?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
        })
        .await??;
        Ok(known && right)
    }
}

fn hash_now(password: &str) -> Result<String, StateError> {
    match Argon2::default().hash_password(password.as_bytes()) {
        Ok(hash) => Ok(hash.to_string()),
        Err(error) => Err(StateError::Crypto { doing: "hashing a password", reason: error.to_string() }),
    }
}

/// What looks like a hash: random bytes in its place, to the same parameters. To compute one for this would cost
/// every start 19 MiB, which stay with the process.
fn nobody() -> Result<String, StateError> {
    let (salt, output) =
        (secret::random_bytes::<16>()?, secret::random_bytes::<{ Params::DEFAULT_OUTPUT_LEN }>()?);
    Ok(format!(
        "$argon2id$v=19$m={},t={},p={}${}${}",
        Params::DEFAULT_M_COST,
        Params::DEFAULT_T_COST,
        Params::DEFAULT_P_COST,
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(output)
    ))
}

async fn in_turn<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StateError> {
    let gone = |reason: String| StateError::Crypto { doing: "waiting for a password to be hashed", reason };
    let turn = Arc::clone(turns).acquire_owned().await.map_err(|error| gone(error.to_string()))?;
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    })
    .await
    .map_err(|error| gone(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_hash_that_no_password_has_costs_as_much_to_verify_as_any_other() {
        let (nobody, real) =
            (nobody().expect("random bytes"), hash_now("a long enough password").expect("hashed"));
        let shape = |hash: &str| -> Vec<String> {
            let parts: Vec<&str> = hash.split('$').collect();
            let lengths = parts[4..].iter().map(|part| part.len().to_string());
            parts[..4].iter().map(|part| (*part).to_owned()).chain(lengths).collect()
        };
        assert_eq!(shape(&nobody), shape(&real));
        let passwords = Passwords::new().expect("random bytes");
        assert!(!passwords.verify("a long enough password", None).await.expect("verified"));
        assert!(
            !passwords.verify("a long enough password", Some(nobody)).await.expect("it is read as a hash")
        );
        assert!(passwords.verify("a long enough password", Some(real)).await.expect("verified"));
    }
}
