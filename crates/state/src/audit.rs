//! The audit log: who did what, when, from where, and with which outcome. Append-only: the database
//! itself refuses to change an entry, and only retention removes one. A chain: each entry has a hash of
//! itself and of the one before it (`chain`), so that what was changed by other ways is found (`check`).

mod chain;
mod check;
mod export;
mod file;
mod old;
mod prune;
mod verify;

use std::fmt;
use std::str::FromStr;

use model::{TimeRange, Timestamp};
use sqlx::{QueryBuilder, Row as _};

pub(crate) use chain::append as append_within;
pub use chain::{AuditHash, AuditHead, BadAuditHash};
pub use check::{AuditFault, AuditFlaw, AuditStart, AuditVerdict};
pub use export::AuditExport;
pub use file::{AuditFileError, AuditFormat, UnknownAuditFormat};
pub(crate) use old::chain_old_entries;
pub use verify::{AuditVerification, verify_audit_file};

use crate::database::{Database, Row, Sql, millis, uncount};
use crate::error::during;
use crate::{Page, StateError};

/// Who the program itself is, as an actor.
const OURSELVES: &str = "watchkeeper";

/// How an action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Ok,
    /// It was not allowed.
    Denied,
    /// It was tried, and failed.
    Failed,
}

impl Outcome {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        [Self::Ok, Self::Denied, Self::Failed]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or_else(|| crate::scope::unknown("an outcome", text))
    }
}

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub time: Timestamp,
    /// Who: a user's name, `key:` and a key's name, `local`, or `watchkeeper` itself.
    pub actor: String,
    /// What: `login`, `user.create`, `alert.acknowledge`.
    pub action: String,
    /// To what.
    pub target: Option<String>,
    /// Further facts; never a secret.
    pub detail: serde_json::Value,
    /// From which address.
    pub client_ip: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
}

/// An entry of the log, with its place in it.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRecord {
    /// The place: ascending, never used twice.
    pub seq: i64,
    /// What was done.
    pub entry: AuditEntry,
    /// The hash of the entry and of all before it.
    pub hash: AuditHash,
}

/// Which entries to list. `None` asks for all.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Of this actor.
    pub actor: Option<String>,
    /// Of this action, or of all that begin with it and a dot: `user` finds `user.create`.
    pub action: Option<String>,
    /// To this target.
    pub target: Option<String>,
    /// In this time.
    pub range: Option<TimeRange>,
}

/// The audit log.
#[derive(Clone, Debug)]
pub struct Audit {
    pub(crate) database: Database,
}

impl Audit {
    /// Writes an entry; it is on the disk when this returns.
    pub async fn append(&self, entry: &AuditEntry) -> Result<(), StateError> {
        let doing = "writing the audit log";
        let mut transaction = self.database.begin(doing).await?;
        append_within(&mut transaction, entry).await?;
        transaction.commit().await.map_err(during(doing))
    }

    /// A page of entries, newest first, and how many there are in all.
    pub async fn list(
        &self,
        filter: &AuditFilter,
        page: Page,
    ) -> Result<(Vec<AuditRecord>, u64), StateError> {
        let doing = "reading the audit log";
        let total: i64 = filtered("SELECT COUNT(*) FROM audit", filter)
            .build_query_scalar()
            .fetch_one(&self.database.read)
            .await
            .map_err(during(doing))?;
        let mut query = filtered("SELECT * FROM audit", filter);
        query.push(" ORDER BY seq DESC LIMIT ").push_bind(page.sql_limit());
        query.push(" OFFSET ").push_bind(page.sql_offset());
        let rows = query.build().fetch_all(&self.database.read).await.map_err(during(doing))?;
        let records = rows.iter().map(record).collect::<Result<_, _>>()?;
        Ok((records, uncount(total)))
    }
}

fn filtered(select: &'static str, filter: &AuditFilter) -> QueryBuilder<Sql> {
    let mut query = QueryBuilder::new(select);
    query.push(" WHERE 1 = 1");
    if let Some(actor) = &filter.actor {
        query.push(" AND actor = ").push_bind(actor.clone());
    }
    if let Some(action) = &filter.action {
        // A dot is followed by a slash in ASCII: the half-open range holds all that begin with `action.`.
        query.push(" AND (action = ").push_bind(action.clone());
        query.push(" OR (action >= ").push_bind(format!("{action}."));
        query.push(" AND action < ").push_bind(format!("{action}/")).push("))");
    }
    if let Some(target) = &filter.target {
        query.push(" AND target = ").push_bind(target.clone());
    }
    if let Some(range) = &filter.range {
        query.push(" AND time_ms >= ").push_bind(millis(range.start));
        query.push(" AND time_ms <= ").push_bind(millis(range.end));
    }
    query
}

fn record(row: &Row) -> Result<AuditRecord, StateError> {
    let read = || -> Result<(AuditEntry, String, String, Vec<u8>), sqlx::Error> {
        let entry = AuditEntry {
            time: Timestamp::from_millis(row.try_get("time_ms")?),
            actor: row.try_get("actor")?,
            action: row.try_get("action")?,
            target: row.try_get("target")?,
            detail: serde_json::Value::Null,
            client_ip: row.try_get("client_ip")?,
            outcome: Outcome::Ok,
        };
        Ok((entry, row.try_get("detail")?, row.try_get("outcome")?, row.try_get("hash")?))
    };
    let doing = "reading the audit log";
    let (mut entry, detail, outcome, hash) = read().map_err(during(doing))?;
    entry.outcome = outcome.parse()?;
    entry.detail = serde_json::from_str(&detail)
        .map_err(|_| crate::scope::unknown("detail of the audit log", &detail))?;
    let hash = AuditHash::of_bytes(&hash)
        .ok_or_else(|| crate::scope::unknown("a hash of the audit log", &format!("{} bytes", hash.len())))?;
    Ok(AuditRecord { seq: row.try_get("seq").map_err(during(doing))?, entry, hash })
}
