//! Removing old entries: from the beginning of the log alone, and only after the chain itself says which.

use std::time::Duration;

use model::Timestamp;
use serde_json::json;
use sqlx::Row as _;

use super::chain::{self, AuditHash};
use super::check::{CHECKPOINT, Checkpoint};
use super::{Audit, AuditEntry, OURSELVES, Outcome};
use crate::StateError;
use crate::database::{Transaction, millis, uncount};
use crate::error::during;

const DOING: &str = "removing old entries of the audit log";
/// Entries go by the day, so that there are not more checkpoints than entries where little happens.
const AT_ONCE: Duration = Duration::from_secs(86_400);

impl Audit {
    /// Removes entries that are older than they are kept, and more of them than `max`. An entry that is younger
    /// keeps all after it: what is removed is a beginning of the log. A checkpoint, itself an entry, says where the
    /// rest goes on.
    pub(crate) async fn remove_old(
        &self,
        kept: Duration,
        max: i64,
        now: Timestamp,
    ) -> Result<u64, StateError> {
        let mut transaction = self.database.begin(DOING).await?;
        let Some(last) = last_to_remove(&mut transaction, kept, max, now).await? else { return Ok(0) };
        let Some(checkpoint) = checkpoint(&mut transaction, last).await? else { return Ok(0) };
        let entry = AuditEntry {
            time: now,
            actor: OURSELVES.to_owned(),
            action: CHECKPOINT.to_owned(),
            target: None,
            detail: json!(checkpoint),
            client_ip: None,
            outcome: Outcome::Ok,
        };
        chain::append(&mut transaction, &entry).await?;
        let removed = sqlx::query("DELETE FROM audit WHERE seq <= $1")
            .bind(last)
            .execute(&mut *transaction)
            .await
            .map_err(during(DOING))?;
        transaction.commit().await.map_err(during(DOING))?;
        Ok(removed.rows_affected())
    }
}

/// The place of the last entry that is to go.
async fn last_to_remove(
    transaction: &mut Transaction,
    kept: Duration,
    max: i64,
    now: Timestamp,
) -> Result<Option<i64>, StateError> {
    let oldest = sqlx::query("SELECT seq, time_ms FROM audit ORDER BY seq LIMIT 1")
        .fetch_optional(&mut **transaction)
        .await
        .map_err(during(DOING))?;
    let Some(oldest) = oldest else { return Ok(None) };
    let first: i64 = oldest.try_get("seq").map_err(during(DOING))?;
    let oldest_ms: i64 = oldest.try_get("time_ms").map_err(during(DOING))?;
    let newest: i64 = sqlx::query_scalar("SELECT MAX(seq) FROM audit")
        .fetch_one(&mut **transaction)
        .await
        .map_err(during(DOING))?;
    let mut last = newest.saturating_sub(max);
    let end = now.before(kept);
    if oldest_ms <= millis(end.before(AT_ONCE.min(kept / 10))) {
        let younger: Option<i64> =
            sqlx::query_scalar("SELECT seq FROM audit WHERE time_ms > $1 ORDER BY seq LIMIT 1")
                .bind(millis(end))
                .fetch_optional(&mut **transaction)
                .await
                .map_err(during(DOING))?;
        last = last.max(younger.map_or(newest, |younger| younger.saturating_sub(1)));
    }
    Ok(Some(last).filter(|last| *last >= first))
}

/// What goes when all up to `last` goes; `None` when it is nothing but earlier checkpoints.
async fn checkpoint(transaction: &mut Transaction, last: i64) -> Result<Option<Checkpoint>, StateError> {
    let others: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE seq <= $1 AND action <> $2")
        .bind(last)
        .bind(CHECKPOINT)
        .fetch_one(&mut **transaction)
        .await
        .map_err(during(DOING))?;
    if others == 0 {
        return Ok(None);
    }
    let row = sqlx::query("SELECT COUNT(*) AS removed, MIN(seq) AS oldest FROM audit WHERE seq <= $1")
        .bind(last)
        .fetch_one(&mut **transaction)
        .await
        .map_err(during(DOING))?;
    let newest = sqlx::query("SELECT seq, hash FROM audit WHERE seq <= $1 ORDER BY seq DESC LIMIT 1")
        .bind(last)
        .fetch_one(&mut **transaction)
        .await
        .map_err(during(DOING))?;
    let bytes: Vec<u8> = newest.try_get("hash").map_err(during(DOING))?;
    let last_hash = AuditHash::of_bytes(&bytes)
        .ok_or_else(|| crate::scope::unknown("a hash of the audit log", &format!("{} bytes", bytes.len())))?;
    Ok(Some(Checkpoint {
        removed: uncount(row.try_get("removed").map_err(during(DOING))?),
        first_seq: row.try_get("oldest").map_err(during(DOING))?,
        last_seq: newest.try_get("seq").map_err(during(DOING))?,
        last_hash,
    }))
}
