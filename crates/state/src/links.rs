//! Links that log in once: what the first start prints beside the password.

use std::time::Duration;

use model::Timestamp;

use crate::database::{Database, millis};
use crate::error::during;
use crate::secret::{Secret, fingerprint};
use crate::users::user;
use crate::{StateError, User};

/// The login links.
#[derive(Clone, Debug)]
pub struct LoginLinks {
    pub(crate) database: Database,
}

impl LoginLinks {
    /// Makes the token of a link that logs `user_id` in, once, within `valid_for`. An earlier link of
    /// the same user ends.
    pub async fn create(
        &self,
        user_id: &str,
        valid_for: Duration,
        now: Timestamp,
    ) -> Result<Secret, StateError> {
        let token = Secret::random()?;
        let doing = "making a login link";
        let mut transaction = self.database.begin(doing).await?;
        sqlx::query("DELETE FROM login_links WHERE user_id = $1")
            .bind(user_id)
            .execute(&mut *transaction)
            .await
            .map_err(during(doing))?;
        sqlx::query("INSERT INTO login_links (token_hash, user_id, expires_ms) VALUES ($1, $2, $3)")
            .bind(fingerprint(token.reveal()))
            .bind(user_id)
            .bind(millis(now.after(valid_for)))
            .execute(&mut *transaction)
            .await
            .map_err(during(doing))?;
        transaction.commit().await.map_err(during(doing))?;
        Ok(token)
    }

    /// Uses a link up. Of two that come at the same time one gets the user.
    pub async fn redeem(&self, token: &str, now: Timestamp) -> Result<Option<User>, StateError> {
        let used: Option<(String, i64)> =
            sqlx::query_as("DELETE FROM login_links WHERE token_hash = $1 RETURNING user_id, expires_ms")
                .bind(fingerprint(token))
                .fetch_optional(&self.database.write)
                .await
                .map_err(during("using a login link"))?;
        let Some((user_id, _)) = used.filter(|(_, expires_ms)| *expires_ms > millis(now)) else {
            return Ok(None);
        };
        let row = sqlx::query(
            "SELECT id, name, role, created_ms, disabled_ms FROM users WHERE id = $1 AND disabled_ms IS NULL",
        )
        .bind(user_id)
        .fetch_optional(&self.database.read)
        .await
        .map_err(during("using a login link"))?;
        row.as_ref().map(user).transpose()
    }
}
