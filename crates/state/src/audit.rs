//! The audit log: who did what, when, from where, and with which outcome. Append-only: the database
//! itself refuses to change an entry, and only retention removes one.

use std::fmt;
use std::str::FromStr;

use model::{TimeRange, Timestamp};
use sqlx::{QueryBuilder, Row as _};

use crate::database::{Database, Row, Sql, millis, uncount};
use crate::error::during;
use crate::{Page, StateError};

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
    /// Who: a user's name, `key:` and a key's prefix, `local`, or `system`.
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

/// A bound on each text of an entry: some of them come from outside.
const MAX_TEXT_CHARS: usize = 1_000;

impl Audit {
    /// Writes an entry; it is on the disk when this returns.
    pub async fn append(&self, entry: &AuditEntry) -> Result<(), StateError> {
        let cut = |text: &str| text.chars().take(MAX_TEXT_CHARS).collect::<String>();
        sqlx::query(
            "INSERT INTO audit (time_ms, actor, action, target, detail, client_ip, outcome)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(millis(entry.time))
        .bind(cut(&entry.actor))
        .bind(cut(&entry.action))
        .bind(entry.target.as_deref().map(cut))
        .bind(entry.detail.to_string())
        .bind(entry.client_ip.as_deref().map(cut))
        .bind(entry.outcome.as_str())
        .execute(&self.database.write)
        .await
        .map(drop)
        .map_err(during("writing the audit log"))
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

    /// Entries in the order in which they were written, after the place `after_seq` (0 for the first):
    /// call again with the last place for the next, until none come.
    pub async fn export(
        &self,
        filter: &AuditFilter,
        after_seq: i64,
        limit: u64,
    ) -> Result<Vec<AuditRecord>, StateError> {
        let mut query = filtered("SELECT * FROM audit", filter);
        query.push(" AND seq > ").push_bind(after_seq);
        query.push(" ORDER BY seq LIMIT ").push_bind(Page::first(limit).sql_limit());
        let rows =
            query.build().fetch_all(&self.database.read).await.map_err(during("exporting the audit log"))?;
        rows.iter().map(record).collect()
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
    let read = || -> Result<(AuditRecord, String, String), sqlx::Error> {
        let entry = AuditEntry {
            time: Timestamp::from_millis(row.try_get("time_ms")?),
            actor: row.try_get("actor")?,
            action: row.try_get("action")?,
            target: row.try_get("target")?,
            detail: serde_json::Value::Null,
            client_ip: row.try_get("client_ip")?,
            outcome: Outcome::Ok,
        };
        Ok((AuditRecord { seq: row.try_get("seq")?, entry }, row.try_get("detail")?, row.try_get("outcome")?))
    };
    let (mut record, detail, outcome) = read().map_err(during("reading the audit log"))?;
    record.entry.outcome = outcome.parse()?;
    record.entry.detail = serde_json::from_str(&detail)
        .map_err(|_| crate::scope::unknown("detail of the audit log", &detail))?;
    Ok(record)
}
