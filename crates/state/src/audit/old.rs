//! Entries of a log that was no chain: they are chained in their order, once, by the first start that knows of
//! chains. The chain says so itself, in an entry after them.

use model::Timestamp;
use serde_json::json;
use sqlx::Row as _;

use super::chain::{self, AuditHash, AuditHead, Link};
use super::check::{CHAINED, Chained};
use super::{AuditEntry, OURSELVES, Outcome};
use crate::StateError;
use crate::database::{Database, Transaction, uncount};
use crate::error::during;

/// Entries that are read at once.
const BATCH: i64 = 500;
const DOING: &str = "chaining the entries that the audit log has";
const ARE_THERE: &str =
    "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'audit_unchained'";

/// Chains entries that the migration has left to be chained, all of them or, after a crash, none.
pub(crate) async fn chain_old_entries(database: &Database) -> Result<(), StateError> {
    let are_there: i64 =
        sqlx::query_scalar(ARE_THERE).fetch_one(&database.read).await.map_err(during(DOING))?;
    if are_there == 0 {
        return Ok(());
    }
    let mut transaction = database.begin(DOING).await?;
    // Another process may have come first.
    let are_there: i64 =
        sqlx::query_scalar(ARE_THERE).fetch_one(&mut *transaction).await.map_err(during(DOING))?;
    if are_there == 0 {
        return Ok(());
    }
    let row = sqlx::query(
        "SELECT COUNT(*) AS entries,
                MAX(COALESCE(MAX(seq), 0),
                    COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'audit_unchained'), 0)) AS newest
         FROM audit_unchained",
    )
    .fetch_one(&mut *transaction)
    .await
    .map_err(during(DOING))?;
    let entries: i64 = row.try_get("entries").map_err(during(DOING))?;
    let last: i64 = row.try_get("newest").map_err(during(DOING))?;
    if last > 0 {
        chain_all(&mut transaction, entries, last).await?;
        tracing::info!(entries, "the entries of the audit log were chained");
    }
    sqlx::query("DROP TABLE audit_unchained").execute(&mut *transaction).await.map_err(during(DOING))?;
    transaction.commit().await.map_err(during(DOING))
}

/// Puts all entries into the chain. Where some between them are gone, which retention did when the clock was set,
/// those before get higher numbers: the last one keeps its own, and none is ever given again.
async fn chain_all(transaction: &mut Transaction, entries: i64, last: i64) -> Result<(), StateError> {
    let before = last - entries;
    let mut head = AuditHead { seq: before, hash: AuditHash::NONE };
    let mut read = i64::MIN;
    loop {
        let rows = sqlx::query("SELECT * FROM audit_unchained WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(read)
            .bind(BATCH)
            .fetch_all(&mut **transaction)
            .await
            .map_err(during(DOING))?;
        let links: Vec<Link> =
            rows.iter().map(Link::read_unchained).collect::<Result<_, _>>().map_err(during(DOING))?;
        let Some(newest) = links.last() else { break };
        read = newest.seq;
        for link in links {
            head = link.put_after(head).insert(transaction).await?;
        }
    }
    let told = Chained { entries: uncount(entries), first_seq: before + 1 };
    let note = AuditEntry {
        time: Timestamp::now(),
        actor: OURSELVES.to_owned(),
        action: CHAINED.to_owned(),
        target: None,
        detail: json!(told),
        client_ip: None,
        outcome: Outcome::Ok,
    };
    chain::insert_after(transaction, head, &note).await.map(drop)
}
