//! How long things are kept, and the task that removes what is older.

use std::time::Duration;

use model::{DurationText, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::database::{State, millis};
use crate::error::during;
use crate::{StateError, deliveries};

const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// However long things are kept, there are never more of them than this.
const MAX_HISTORY: i64 = 200_000;
const MAX_RESOLVED: i64 = 20_000;
const MAX_AUDIT: i64 = 2_000_000;
const DAY: Duration = Duration::from_secs(86_400);

/// How long the state database keeps what is over: the section `[state]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Resolved alerts, and the history of all.
    #[schemars(with = "String")]
    pub alert_retention: DurationText,
    /// Notifications that were delivered or given up.
    #[schemars(with = "String")]
    pub delivery_retention: DurationText,
    /// Entries of the audit log.
    #[schemars(with = "String")]
    pub audit_retention: DurationText,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            alert_retention: DurationText(90 * DAY),
            delivery_retention: DurationText(30 * DAY),
            audit_retention: DurationText(365 * DAY),
        }
    }
}

/// How much was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sessions and login links that were over.
    pub logins: u64,
    /// Alerts and steps of their history.
    pub alerts: u64,
    /// Notifications.
    pub deliveries: u64,
    /// Entries of the audit log.
    pub audit: u64,
}

impl State {
    /// Removes what is over and older than it is kept.
    pub async fn sweep(&self, config: &Config, now: Timestamp) -> Result<Swept, StateError> {
        let before = |kept: DurationText| millis(now.before(kept.0));
        let logins = self.remove("DELETE FROM sessions WHERE expires_ms <= $1", millis(now)).await?
            + self.remove("DELETE FROM login_links WHERE expires_ms <= $1", millis(now)).await?
            + self.remove("DELETE FROM login_attempts WHERE last_ms <= $1", millis(now.before(DAY))).await?;
        let alerts = self
            .remove(
                "DELETE FROM alerts WHERE state = 'resolved' AND held = 0 AND updated_ms <= $1",
                before(config.alert_retention),
            )
            .await?
            + self
                .remove(
                    "DELETE FROM alerts WHERE id IN
                     (SELECT id FROM alerts WHERE state = 'resolved' AND held = 0
                      ORDER BY updated_ms DESC, id LIMIT 10000 OFFSET $1)",
                    MAX_RESOLVED,
                )
                .await?
            + self
                .remove("DELETE FROM alert_transitions WHERE time_ms <= $1", before(config.alert_retention))
                .await?
            + self
                .remove(
                    "DELETE FROM alert_transitions WHERE seq <= (SELECT MAX(seq) FROM alert_transitions) - $1",
                    MAX_HISTORY,
                )
                .await?;
        let deliveries = self
            .remove(
                "DELETE FROM deliveries WHERE state IN ('delivered', 'dead') AND created_ms <= $1",
                before(config.delivery_retention),
            )
            .await?
            + self
                .remove(
                    "DELETE FROM deliveries WHERE state IN ('delivered', 'dead') AND id IN
                     (SELECT id FROM deliveries ORDER BY created_ms DESC, id DESC LIMIT 10000 OFFSET $1)",
                    deliveries::MAX_WAITING * 2,
                )
                .await?;
        let audit = self.audit().remove_old(config.audit_retention.0, MAX_AUDIT, now).await?;
        Ok(Swept { logins, alerts, deliveries, audit })
    }

    async fn remove(&self, statement: &'static str, bound: i64) -> Result<u64, StateError> {
        sqlx::query(statement)
            .bind(bound)
            .execute(&self.database.write)
            .await
            .map(|done| done.rows_affected())
            .map_err(during("removing what is over"))
    }

    /// Sweeps now and every hour, until `stop`.
    pub async fn run(self, config: Config, stop: CancellationToken) {
        loop {
            match self.sweep(&config, Timestamp::now()).await {
                Ok(swept) => tracing::debug!(?swept, "swept the state database"),
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "could not sweep the state database"
                ),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(SWEEP_EVERY) => {}
            }
        }
    }
}
