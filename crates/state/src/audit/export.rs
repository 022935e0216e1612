//! Exporting the log, or the part of it that was written in a range of time: entry after entry, without gaps, with
//! their hashes, so that the file can be verified without the log.

use model::TimeRange;

use super::Audit;
use super::chain::Link;
use super::file::AuditFormat;
use crate::StateError;
use crate::database::{Database, millis};
use crate::error::during;

/// Entries that are read at once.
const BATCH: i64 = 500;
const DOING: &str = "exporting the audit log";

/// An export that is under way. It ends with the entry that was the last one at its beginning.
#[derive(Debug)]
pub struct AuditExport {
    database: Database,
    format: AuditFormat,
    is_begun: bool,
    /// The place up to which entries were exported.
    done: i64,
    /// The place of the last entry that is exported.
    last: i64,
    entries: u64,
}

impl Audit {
    /// Begins an export. Entries stand in the log as they were written, and not by their times: from the first that
    /// is not before the range to the last that is not after it, all are exported.
    pub async fn export(&self, range: TimeRange, format: AuditFormat) -> Result<AuditExport, StateError> {
        let first: Option<i64> =
            sqlx::query_scalar("SELECT seq FROM audit WHERE time_ms >= $1 ORDER BY seq LIMIT 1")
                .bind(millis(range.start))
                .fetch_optional(&self.database.read)
                .await
                .map_err(during(DOING))?;
        let last: Option<i64> =
            sqlx::query_scalar("SELECT seq FROM audit WHERE time_ms <= $1 ORDER BY seq DESC LIMIT 1")
                .bind(millis(range.end))
                .fetch_optional(&self.database.read)
                .await
                .map_err(during(DOING))?;
        // Without either there is nothing to export.
        let (done, last) = match (first, last) {
            (Some(first), Some(last)) => (first.saturating_sub(1), last),
            _ => (0, 0),
        };
        Ok(AuditExport { database: self.database.clone(), format, is_begun: false, done, last, entries: 0 })
    }
}

impl AuditExport {
    /// The next part of the file; `None` when it is whole.
    pub async fn next_part(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        let mut part = Vec::new();
        if !self.is_begun {
            self.is_begun = true;
            self.format.begin(&mut part);
        }
        if self.done < self.last {
            let links = self.batch().await?;
            self.check_that_nothing_was_removed(links.first()).await?;
            for link in &links {
                self.format.write(link, &mut part);
                self.done = link.seq;
            }
            self.entries += links.len() as u64;
        }
        Ok((!part.is_empty()).then_some(part))
    }

    /// How many entries were exported.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    async fn batch(&self) -> Result<Vec<Link>, StateError> {
        let rows = sqlx::query("SELECT * FROM audit WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3")
            .bind(self.done)
            .bind(self.last)
            .bind(BATCH)
            .fetch_all(&self.database.read)
            .await
            .map_err(during(DOING))?;
        rows.iter().map(Link::read).collect::<Result<_, _>>().map_err(during(DOING))
    }

    /// A file in which retention has left a hole must not be taken for a whole one. Other holes are exported: who
    /// verifies the file shall find them.
    async fn check_that_nothing_was_removed(&self, next: Option<&Link>) -> Result<(), StateError> {
        let expected = self.done.saturating_add(1);
        if next.is_some_and(|link| link.seq == expected) {
            return Ok(());
        }
        let oldest: Option<i64> = sqlx::query_scalar("SELECT MIN(seq) FROM audit")
            .fetch_one(&self.database.read)
            .await
            .map_err(during(DOING))?;
        if oldest.is_none_or(|oldest| oldest > expected) {
            return Err(StateError::RemovedMeanwhile { seq: expected });
        }
        Ok(())
    }
}
