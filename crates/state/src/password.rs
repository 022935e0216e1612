//! Passwords: the policy, and argon2id hashing away from the async threads.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
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
    /// The hash of a password that nobody has, so that an unknown user takes as long as a known one.
    nobody: Arc<str>,
}

impl Passwords {
    pub(crate) async fn new() -> Result<Self, StateError> {
        let turns = Arc::new(Semaphore::new(HASHES_AT_ONCE));
        let password = secret::random_text()?;
        let nobody = in_turn(&turns, move || hash_now(&password)).await??;
        Ok(Self { turns, nobody: nobody.into() })
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
