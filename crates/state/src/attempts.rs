//! Failed logins, by subject (an address, or an address with a name): how long to wait before the next.
//!
//! Kept on disk so that a restart does not hand out fresh tries.

use std::time::Duration;

use model::Timestamp;

use crate::StateError;
use crate::database::{Database, millis, uncount};
use crate::error::during;

/// Failures that cost nothing: people mistype.
const FREE_FAILURES: u64 = 5;
/// The wait after the first failure over that; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// How many subjects are remembered; beyond it the ones that were quiet longest are forgotten.
pub(crate) const MAX_SUBJECTS: i64 = 10_000;
const MAX_SUBJECT_CHARS: usize = 200;

/// Failed logins.
#[derive(Clone, Debug)]
pub struct LoginAttempts {
    pub(crate) database: Database,
}

impl LoginAttempts {
    /// How long `subject` has to wait before it may try again; `None` when it may try now.
    pub async fn wait(&self, subject: &str, now: Timestamp) -> Result<Option<Duration>, StateError> {
        let row: Option<(i64, i64)> =
            sqlx::query_as("SELECT failures, last_ms FROM login_attempts WHERE subject = $1")
                .bind(cut(subject))
                .fetch_optional(&self.database.read)
                .await
                .map_err(during("looking failed logins up"))?;
        Ok(row.and_then(|(failures, last_ms)| {
            let until = Timestamp::from_millis(last_ms).after(wait_after(uncount(failures)));
            let left = until.since(now);
            (!left.is_zero()).then_some(left)
        }))
    }

    /// Records a failure. After a quiet time of twice the longest wait the count starts anew.
    pub async fn failed(&self, subject: &str, now: Timestamp) -> Result<(), StateError> {
        let doing = "recording a failed login";
        let mut transaction = self.database.begin(doing).await?;
        sqlx::query(
            "INSERT INTO login_attempts (subject, failures, last_ms) VALUES ($1, 1, $2)
             ON CONFLICT (subject) DO UPDATE SET last_ms = $2,
             failures = CASE WHEN login_attempts.last_ms < $3 THEN 1 ELSE login_attempts.failures + 1 END",
        )
        .bind(cut(subject))
        .bind(millis(now))
        .bind(millis(now.before(LONGEST_WAIT * 2)))
        .execute(&mut *transaction)
        .await
        .map_err(during(doing))?;
        sqlx::query(
            "DELETE FROM login_attempts WHERE subject IN
             (SELECT subject FROM login_attempts ORDER BY last_ms DESC LIMIT 1000 OFFSET $1)",
        )
        .bind(MAX_SUBJECTS)
        .execute(&mut *transaction)
        .await
        .map_err(during(doing))?;
        transaction.commit().await.map_err(during(doing))
    }

    /// Forgets the failures of a subject, after a login that succeeded.
    pub async fn succeeded(&self, subject: &str) -> Result<(), StateError> {
        sqlx::query("DELETE FROM login_attempts WHERE subject = $1")
            .bind(cut(subject))
            .execute(&self.database.write)
            .await
            .map_err(during("forgetting failed logins"))?;
        Ok(())
    }
}

fn cut(subject: &str) -> String {
    subject.chars().take(MAX_SUBJECT_CHARS).collect()
}

fn wait_after(failures: u64) -> Duration {
    let Some(over) = failures.checked_sub(FREE_FAILURES) else { return Duration::ZERO };
    let doublings = u32::try_from(over).unwrap_or(u32::MAX).min(16);
    (FIRST_WAIT * (1 << doublings)).min(LONGEST_WAIT)
}
