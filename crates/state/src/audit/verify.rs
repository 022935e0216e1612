//! Verifying the log in the database, and an export of it in a file.

use std::io::BufRead;

use sqlx::Row as _;

use super::Audit;
use super::chain::{self, AuditHash, Link};
use super::check::{AuditVerdict, ChainCheck};
use super::file::{AuditFile, AuditFileError, Stop};
use crate::StateError;
use crate::database::{Transaction, uncount};
use crate::error::during;

/// Entries that are read at once.
const BATCH: i64 = 500;
const DOING: &str = "verifying the audit log";

/// A verification that is under way. It sees the log as it was at its beginning, whatever is written or removed
/// meanwhile.
#[derive(Debug)]
pub struct AuditVerification {
    transaction: Transaction,
    check: ChainCheck,
    /// The place up to which entries were read.
    read: i64,
    checked: u64,
    total: u64,
    written: i64,
}

impl Audit {
    /// Begins to verify the log. If a hash is `expected`, because it was noted elsewhere as that of the last entry,
    /// one of the entries has to have it: else entries are missing at the end.
    pub async fn verification(&self, expected: Option<AuditHash>) -> Result<AuditVerification, StateError> {
        let mut transaction = self.database.read.begin().await.map_err(during(DOING))?;
        let total: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM audit")
            .fetch_one(&mut *transaction)
            .await
            .map_err(during(DOING))?;
        let written = chain::written(&mut transaction).await?;
        let check = ChainCheck::new(expected);
        Ok(AuditVerification {
            transaction,
            check,
            read: i64::MIN,
            checked: 0,
            total: uncount(total),
            written,
        })
    }

    /// Verifies the log as a whole.
    pub async fn verify(&self, expected: Option<AuditHash>) -> Result<AuditVerdict, StateError> {
        let mut verification = self.verification(expected).await?;
        while verification.go_on().await? {}
        Ok(verification.finish())
    }
}

impl AuditVerification {
    /// Checks some more entries. `false` once there is nothing more to be found.
    pub async fn go_on(&mut self) -> Result<bool, StateError> {
        let rows = sqlx::query("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(self.read)
            .bind(BATCH)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(during(DOING))?;
        for row in &rows {
            self.read = row.try_get("seq").map_err(during(DOING))?;
            let goes_on = match Link::read(row) {
                Ok(link) => self.check.take(&link),
                Err(_) => {
                    self.check.unreadable(self.read, "it holds something that is never written");
                    false
                }
            };
            if !goes_on {
                return Ok(false);
            }
        }
        self.checked += rows.len() as u64;
        Ok(!rows.is_empty())
    }

    /// How many entries were looked at.
    pub fn checked(&self) -> u64 {
        self.checked
    }

    /// How many entries there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// What was found.
    pub fn finish(self) -> AuditVerdict {
        self.check.finish(Some(self.written))
    }
}

/// Verifies a file that was exported from a log, or some lines of one that follow each other. `progress` hears how
/// many bytes of it were read.
pub fn verify_audit_file(
    input: impl BufRead,
    expected: Option<AuditHash>,
    mut progress: impl FnMut(u64),
) -> Result<AuditVerdict, AuditFileError> {
    let mut file = AuditFile::new(input);
    let mut check = ChainCheck::new(expected);
    loop {
        match file.next_entry() {
            Ok(Some(link)) => {
                if !check.take(&link) {
                    break;
                }
            }
            Ok(None) => break,
            Err(Stop::Malformed(why)) => {
                check.unreadable(check.next_seq(), &why);
                break;
            }
            Err(Stop::Failed(error)) => return Err(error),
        }
        progress(file.bytes());
    }
    Ok(check.finish(None))
}
