//! Sessions: what a browser holds after a login. The token is kept as a hash; its expiry slides with use.

use std::time::Duration;

use model::Timestamp;
use sqlx::Row as _;

use crate::database::{Database, millis};
use crate::error::during;
use crate::secret::{Secret, fingerprint};
use crate::users::user;
use crate::{StateError, User};

/// How long a session lives without being used.
const IDLE: Duration = Duration::from_secs(12 * 3600);
/// How long a session lives at the most.
const LIFETIME: Duration = Duration::from_secs(30 * 86_400);
/// How exactly use is recorded: one write a minute instead of one a request.
const TOUCH_EVERY: Duration = Duration::from_secs(60);
/// How many sessions one user keeps; a login over it ends the one that was idle longest.
const MAX_PER_USER: i64 = 20;

/// A session that was just made: the only time that its token is known.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// What the cookie holds.
    pub token: Secret,
    /// What a page sends along with every change.
    pub csrf_token: Secret,
    /// When the session ends if it is not used.
    pub expires_at: Timestamp,
    /// How long it lives at the most, for the cookie's `Max-Age`.
    pub max_age: Duration,
}

/// A session in use.
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose it is.
    pub user: User,
    /// What a page must have sent along with a change.
    pub csrf_token: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
}

/// The sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    pub(crate) database: Database,
}

impl Sessions {
    /// Begins a session.
    pub async fn create(
        &self,
        user_id: &str,
        client_ip: Option<&str>,
        now: Timestamp,
    ) -> Result<NewSession, StateError> {
        let session = NewSession {
            token: Secret::random()?,
            csrf_token: Secret::random()?,
            expires_at: now.after(IDLE),
            max_age: LIFETIME,
        };
        let doing = "beginning a session";
        let mut transaction = self.database.begin(doing).await?;
        sqlx::query(
            "DELETE FROM sessions WHERE token_hash IN
             (SELECT token_hash FROM sessions WHERE user_id = $1 ORDER BY last_seen_ms DESC LIMIT 1000 OFFSET $2)",
        )
        .bind(user_id)
        .bind(MAX_PER_USER - 1)
        .execute(&mut *transaction)
        .await
        .map_err(during(doing))?;
        sqlx::query(
            "INSERT INTO sessions (token_hash, user_id, csrf_token, client_ip, created_ms, last_seen_ms, expires_ms)
             VALUES ($1, $2, $3, $4, $5, $5, $6)",
        )
        .bind(fingerprint(session.token.reveal()))
        .bind(user_id)
        .bind(session.csrf_token.reveal())
        .bind(client_ip)
        .bind(millis(now))
        .bind(millis(session.expires_at))
        .execute(&mut *transaction)
        .await
        .map_err(|source| match &source {
            sqlx::Error::Database(cause) if cause.is_foreign_key_violation() => StateError::NotFound("user"),
            _ => StateError::Database { doing, source },
        })?;
        transaction.commit().await.map_err(during(doing))?;
        Ok(session)
    }

    /// The live session of a token, and that it is in use.
    pub async fn find(&self, token: &str, now: Timestamp) -> Result<Option<Session>, StateError> {
        let hash = fingerprint(token);
        let row = sqlx::query(
            "SELECT u.id, u.name, u.role, u.disabled_ms, u.created_ms, s.csrf_token,
                    s.created_ms AS began_ms, s.last_seen_ms, s.expires_ms
             FROM sessions s JOIN users u ON u.id = s.user_id
             WHERE s.token_hash = $1 AND s.expires_ms > $2 AND u.disabled_ms IS NULL",
        )
        .bind(&hash)
        .bind(millis(now))
        .fetch_optional(&self.database.read)
        .await
        .map_err(during("looking a session up"))?;
        let Some(row) = row else { return Ok(None) };
        let time = |column: &str| {
            row.try_get(column).map(Timestamp::from_millis).map_err(during("reading a session"))
        };
        let mut session = Session {
            user: user(&row)?,
            csrf_token: row.try_get("csrf_token").map_err(during("reading a session"))?,
            created_at: time("began_ms")?,
            expires_at: time("expires_ms")?,
        };
        if now.since(time("last_seen_ms")?) >= TOUCH_EVERY {
            session.expires_at = now.after(IDLE).min(session.created_at.after(LIFETIME));
            self.touch(&hash, session.expires_at, now).await;
        }
        Ok(Some(session))
    }

    /// Best effort: a disk that takes no writes must not lock people out.
    async fn touch(&self, hash: &str, expires_at: Timestamp, now: Timestamp) {
        let touched =
            sqlx::query("UPDATE sessions SET last_seen_ms = $2, expires_ms = $3 WHERE token_hash = $1")
                .bind(hash)
                .bind(millis(now))
                .bind(millis(expires_at))
                .execute(&self.database.write)
                .await;
        if let Err(error) = touched {
            tracing::warn!(%error, "a session could not be kept alive");
        }
    }

    /// Ends the session of a token; an unknown one is ended already.
    pub async fn end(&self, token: &str) -> Result<(), StateError> {
        sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
            .bind(fingerprint(token))
            .execute(&self.database.write)
            .await
            .map_err(during("ending a session"))?;
        Ok(())
    }

    /// Ends all sessions of a user, and says how many there were.
    pub async fn end_all(&self, user_id: &str) -> Result<u64, StateError> {
        sqlx::query("DELETE FROM sessions WHERE user_id = $1")
            .bind(user_id)
            .execute(&self.database.write)
            .await
            .map(|done| done.rows_affected())
            .map_err(during("ending a user's sessions"))
    }
}
