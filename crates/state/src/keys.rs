//! API keys: what programs hold. A key is shown once and kept as a hash.

use std::time::Duration;

use model::Timestamp;
use sqlx::Row as _;

use crate::database::{Database, Row, millis, millis_option, uncount};
use crate::error::during;
use crate::secret::{Secret, fingerprint};
use crate::users::check_name;
use crate::{Page, Scopes, StateError};

const MAX_NAME_CHARS: usize = 128;
const MAX_KEYS: u64 = 10_000;
/// How every key begins, so that scanners for leaked secrets can find one.
const MARK: &str = "wk_";
/// How much of a key is kept in the clear, to tell keys apart.
const SHOWN_CHARS: usize = 11;
/// A key longer than this is none of ours, and is not hashed.
const MAX_KEY_BYTES: usize = 128;
/// How exactly use is recorded.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// An API key, without the key.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiKey {
    /// The id.
    pub id: String,
    /// What it is for, in a person's words.
    pub name: String,
    /// How the key begins.
    pub prefix: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A key that was just made: the only time that it is known.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The key itself.
    pub secret: Secret,
    /// What is kept of it.
    pub key: ApiKey,
}

/// The API keys.
#[derive(Clone, Debug)]
pub struct ApiKeys {
    pub(crate) database: Database,
}

impl ApiKeys {
    /// Makes a key.
    pub async fn create(
        &self,
        name: &str,
        scopes: Scopes,
        created_by: &str,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<NewApiKey, StateError> {
        check_name(name, MAX_NAME_CHARS)?;
        let doing = "making an API key";
        let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM api_keys")
            .fetch_one(&self.database.read)
            .await
            .map_err(during(doing))?;
        if uncount(kept) >= MAX_KEYS {
            return Err(StateError::TooMany { what: "API keys", max: MAX_KEYS });
        }
        let secret = Secret::prefixed(MARK)?;
        let key = ApiKey {
            id: uuid::Uuid::now_v7().to_string(),
            name: name.to_owned(),
            prefix: secret.reveal().chars().take(SHOWN_CHARS).collect(),
            scopes,
            created_by: created_by.to_owned(),
            created_at: Timestamp::from_millis(now.as_millis()),
            expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        sqlx::query(
            "INSERT INTO api_keys (id, name, prefix, key_hash, scopes, created_by, created_ms, expires_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&key.id)
        .bind(&key.name)
        .bind(&key.prefix)
        .bind(fingerprint(secret.reveal()))
        .bind(scopes.to_string())
        .bind(created_by)
        .bind(millis(now))
        .bind(millis_option(expires_at))
        .execute(&self.database.write)
        .await
        .map_err(during(doing))?;
        Ok(NewApiKey { secret, key })
    }

    /// The key behind a text, when it is neither unknown nor revoked nor over.
    pub async fn verify(&self, text: &str, now: Timestamp) -> Result<Option<ApiKey>, StateError> {
        if !text.starts_with(MARK) || text.len() > MAX_KEY_BYTES {
            return Ok(None);
        }
        let row = sqlx::query(
            "SELECT * FROM api_keys
             WHERE key_hash = $1 AND revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > $2)",
        )
        .bind(fingerprint(text))
        .bind(millis(now))
        .fetch_optional(&self.database.read)
        .await
        .map_err(during("looking an API key up"))?;
        let Some(key) = row.as_ref().map(api_key).transpose()? else { return Ok(None) };
        if key.last_used_at.is_none_or(|last| now.since(last) >= TOUCH_EVERY) {
            self.touch(&key, now).await;
        }
        Ok(Some(key))
    }

    /// Best effort: a disk that takes no writes must not lock programs out.
    async fn touch(&self, key: &ApiKey, now: Timestamp) {
        let touched = sqlx::query("UPDATE api_keys SET last_used_ms = $2 WHERE id = $1")
            .bind(&key.id)
            .bind(millis(now))
            .execute(&self.database.write)
            .await;
        if let Err(error) = touched {
            tracing::warn!(%error, key = key.prefix, "the use of an API key could not be recorded");
        }
    }

    /// The keys, newest first, revoked ones too.
    pub async fn list(&self, page: Page) -> Result<Vec<ApiKey>, StateError> {
        sqlx::query("SELECT * FROM api_keys ORDER BY created_ms DESC, id DESC LIMIT $1 OFFSET $2")
            .bind(page.sql_limit())
            .bind(page.sql_offset())
            .fetch_all(&self.database.read)
            .await
            .map_err(during("listing API keys"))?
            .iter()
            .map(api_key)
            .collect()
    }

    /// Revokes a key; it is refused from now on, and stays in the list.
    pub async fn revoke(&self, id: &str, now: Timestamp) -> Result<(), StateError> {
        let changed = sqlx::query("UPDATE api_keys SET revoked_ms = $2 WHERE id = $1 AND revoked_ms IS NULL")
            .bind(id)
            .bind(millis(now))
            .execute(&self.database.write)
            .await
            .map_err(during("revoking an API key"))?;
        if changed.rows_affected() == 0 { Err(StateError::NotFound("API key in use")) } else { Ok(()) }
    }
}

fn api_key(row: &Row) -> Result<ApiKey, StateError> {
    let time = |column: &str| -> Result<Option<Timestamp>, sqlx::Error> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millis))
    };
    let read = || -> Result<(ApiKey, String), sqlx::Error> {
        let key = ApiKey {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            prefix: row.try_get("prefix")?,
            scopes: Scopes::NONE,
            created_by: row.try_get("created_by")?,
            created_at: Timestamp::from_millis(row.try_get("created_ms")?),
            expires_at: time("expires_ms")?,
            last_used_at: time("last_used_ms")?,
            revoked_at: time("revoked_ms")?,
        };
        Ok((key, row.try_get("scopes")?))
    };
    let (key, scopes) = read().map_err(during("reading an API key"))?;
    Ok(ApiKey { scopes: scopes.parse()?, ..key })
}
