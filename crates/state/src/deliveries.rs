//! The queue of notifications: what is to be sent over which channel, and what came of it.
//!
//! Bounded: when [`MAX_WAITING`] wait, the oldest are given up, and the caller counts them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use model::Timestamp;
use sqlx::{QueryBuilder, Row as _};

use crate::database::{Database, Row, Sql, Transaction, count, millis, uncount};
use crate::error::during;
use crate::{Page, StateError};

/// The most notifications that wait to be sent.
pub(crate) const MAX_WAITING: i64 = 10_000;
const MAX_OUTCOME_CHARS: usize = 500;

/// What became of a notification so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// Not tried yet.
    Pending,
    /// Tried without success, to be tried again.
    Failed,
    /// The receiver has accepted it.
    Delivered,
    /// Given up.
    Dead,
}

impl DeliveryState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Failed, Self::Delivered, Self::Dead];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeliveryState {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| crate::scope::unknown("the state of a delivery", text))
    }
}

/// A notification to be queued.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDelivery {
    /// Over which channel.
    pub channel: String,
    /// What it belongs to: of one thread an earlier notification is always sent before a later one.
    pub thread: String,
    /// What it says, in one line.
    pub subject: String,
    /// All that the channel needs to send it.
    pub payload: serde_json::Value,
}

/// A queued notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The id, the same in every attempt.
    pub id: String,
    /// Over which channel.
    pub channel: String,
    /// What it says, in one line.
    pub subject: String,
    /// All that the channel needs to send it.
    pub payload: serde_json::Value,
    /// What became of it so far.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u64,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it is tried next, while it is pending or failed.
    pub next_attempt_at: Timestamp,
    /// When it was delivered or given up.
    pub finished_at: Option<Timestamp>,
    /// What the receiver said, or why it failed.
    pub outcome: Option<String>,
}

/// Which notifications to list. Empty lists and `None` ask for all.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// In one of these states.
    pub states: Vec<DeliveryState>,
    /// Over this channel.
    pub channel: Option<String>,
}

/// How many notifications of one channel are in each state.
pub type DeliveryCounts = BTreeMap<DeliveryState, u64>;

/// The queue.
#[derive(Clone, Debug)]
pub struct Deliveries {
    pub(crate) database: Database,
}

/// Queues notifications inside a transaction; answers how many old ones were given up for them.
pub(crate) async fn enqueue(
    transaction: &mut Transaction,
    deliveries: &[NewDelivery],
    now: Timestamp,
) -> Result<u64, StateError> {
    if deliveries.is_empty() {
        return Ok(0);
    }
    for delivery in deliveries {
        sqlx::query(
            "INSERT INTO deliveries
                 (id, channel, thread, subject, payload, state, attempts, created_ms, next_attempt_ms)
             VALUES ($1, $2, $6, $3, $4, 'pending', 0, $5, $5)",
        )
        .bind(uuid::Uuid::now_v7().to_string())
        .bind(&delivery.channel)
        .bind(&delivery.subject)
        .bind(delivery.payload.to_string())
        .bind(millis(now))
        .bind(&delivery.thread)
        .execute(&mut **transaction)
        .await
        .map_err(during("queueing a notification"))?;
    }
    sqlx::query(
        "UPDATE deliveries SET state = 'dead', finished_ms = $1, outcome = 'the queue was full' WHERE id IN
         (SELECT id FROM deliveries WHERE state IN ('pending', 'failed')
          ORDER BY created_ms DESC, id DESC LIMIT 10000 OFFSET $2)",
    )
    .bind(millis(now))
    .bind(MAX_WAITING)
    .execute(&mut **transaction)
    .await
    .map(|done| done.rows_affected())
    .map_err(during("bounding the queue of notifications"))
}

impl Deliveries {
    /// Queues one notification that follows from no alert: a test of a channel.
    pub async fn enqueue(&self, delivery: NewDelivery, now: Timestamp) -> Result<u64, StateError> {
        let doing = "queueing a notification";
        let mut transaction = self.database.begin(doing).await?;
        let given_up = enqueue(&mut transaction, &[delivery], now).await?;
        transaction.commit().await.map_err(during(doing))?;
        Ok(given_up)
    }

    /// What is to be tried now over a channel, oldest first. What waits behind an earlier notification
    /// of its thread is not among it: nobody shall hear that an alert began after they heard of its end.
    pub async fn due(&self, channel: &str, now: Timestamp, limit: u64) -> Result<Vec<Delivery>, StateError> {
        sqlx::query(
            "SELECT * FROM deliveries d
             WHERE channel = $1 AND state IN ('pending', 'failed') AND next_attempt_ms <= $2
             AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.channel = d.channel AND e.thread = d.thread
                             AND e.id < d.id AND e.state IN ('pending', 'failed'))
             ORDER BY id LIMIT $3",
        )
        .bind(channel)
        .bind(millis(now))
        .bind(count(limit))
        .fetch_all(&self.database.read)
        .await
        .map_err(during("looking for notifications to send"))?
        .iter()
        .map(delivery)
        .collect()
    }

    /// When the next attempt over a channel is due; `None` when nothing waits.
    pub async fn next_due(&self, channel: &str) -> Result<Option<Timestamp>, StateError> {
        let next: Option<i64> = sqlx::query_scalar(
            "SELECT MIN(next_attempt_ms) FROM deliveries d
             WHERE channel = $1 AND state IN ('pending', 'failed')
             AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.channel = d.channel AND e.thread = d.thread
                             AND e.id < d.id AND e.state IN ('pending', 'failed'))",
        )
        .bind(channel)
        .fetch_one(&self.database.read)
        .await
        .map_err(during("looking for notifications to send"))?;
        Ok(next.map(Timestamp::from_millis))
    }

    /// Makes everything that waits for another attempt due now: the channel works again.
    pub async fn hurry(&self, channel: &str, now: Timestamp) -> Result<(), StateError> {
        sqlx::query("UPDATE deliveries SET next_attempt_ms = $2 WHERE channel = $1 AND state = 'failed'")
            .bind(channel)
            .bind(millis(now))
            .execute(&self.database.write)
            .await
            .map(drop)
            .map_err(during("bringing notifications forward"))
    }

    /// The receiver has accepted it.
    pub async fn delivered(&self, id: &str, outcome: &str, now: Timestamp) -> Result<(), StateError> {
        self.finish(id, DeliveryState::Delivered, outcome, now).await
    }

    /// It is given up.
    pub async fn dead(&self, id: &str, outcome: &str, now: Timestamp) -> Result<(), StateError> {
        self.finish(id, DeliveryState::Dead, outcome, now).await
    }

    /// Gives up what waits for a channel that is no longer there; answers how many those were.
    pub async fn abandon(&self, channel: &str, outcome: &str, now: Timestamp) -> Result<u64, StateError> {
        sqlx::query(
            "UPDATE deliveries SET state = 'dead', finished_ms = $2, outcome = $3
             WHERE channel = $1 AND state IN ('pending', 'failed')",
        )
        .bind(channel)
        .bind(millis(now))
        .bind(cut(outcome))
        .execute(&self.database.write)
        .await
        .map(|done| done.rows_affected())
        .map_err(during("giving notifications up"))
    }

    async fn finish(
        &self,
        id: &str,
        state: DeliveryState,
        outcome: &str,
        now: Timestamp,
    ) -> Result<(), StateError> {
        sqlx::query(
            "UPDATE deliveries SET state = $2, attempts = attempts + 1, finished_ms = $3, outcome = $4 WHERE id = $1",
        )
        .bind(id)
        .bind(state.as_str())
        .bind(millis(now))
        .bind(cut(outcome))
        .execute(&self.database.write)
        .await
        .map(drop)
        .map_err(during("recording the outcome of a notification"))
    }

    /// It failed, and is to be tried again at `next`.
    pub async fn failed(&self, id: &str, outcome: &str, next: Timestamp) -> Result<(), StateError> {
        sqlx::query(
            "UPDATE deliveries SET state = 'failed', attempts = attempts + 1, next_attempt_ms = $2, outcome = $3
             WHERE id = $1",
        )
        .bind(id)
        .bind(millis(next))
        .bind(cut(outcome))
        .execute(&self.database.write)
        .await
        .map(drop)
        .map_err(during("recording a failed attempt"))
    }

    /// A page of notifications, newest first, and how many there are in all.
    pub async fn list(
        &self,
        filter: &DeliveryFilter,
        page: Page,
    ) -> Result<(Vec<Delivery>, u64), StateError> {
        let doing = "listing notifications";
        let total: i64 = filtered("SELECT COUNT(*) FROM deliveries", filter)
            .build_query_scalar()
            .fetch_one(&self.database.read)
            .await
            .map_err(during(doing))?;
        let mut query = filtered("SELECT * FROM deliveries", filter);
        query.push(" ORDER BY created_ms DESC, id DESC LIMIT ").push_bind(page.sql_limit());
        query.push(" OFFSET ").push_bind(page.sql_offset());
        let rows = query.build().fetch_all(&self.database.read).await.map_err(during(doing))?;
        let deliveries = rows.iter().map(delivery).collect::<Result<_, _>>()?;
        Ok((deliveries, uncount(total)))
    }

    /// The newest notification of a channel that was tried at least once.
    pub async fn last_tried(&self, channel: &str) -> Result<Option<Delivery>, StateError> {
        let row = sqlx::query(
            "SELECT * FROM deliveries WHERE channel = $1 AND attempts > 0
             ORDER BY COALESCE(finished_ms, next_attempt_ms) DESC, id DESC LIMIT 1",
        )
        .bind(channel)
        .fetch_optional(&self.database.read)
        .await
        .map_err(during("looking a channel's last notification up"))?;
        row.as_ref().map(delivery).transpose()
    }

    /// How many notifications are in each state, by channel.
    pub async fn counts(&self) -> Result<BTreeMap<String, DeliveryCounts>, StateError> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT channel, state, COUNT(*) FROM deliveries GROUP BY channel, state")
                .fetch_all(&self.database.read)
                .await
                .map_err(during("counting notifications"))?;
        let mut counts: BTreeMap<String, DeliveryCounts> = BTreeMap::new();
        for (channel, state, number) in rows {
            counts.entry(channel).or_default().insert(state.parse()?, uncount(number));
        }
        Ok(counts)
    }
}

fn filtered(select: &'static str, filter: &DeliveryFilter) -> QueryBuilder<Sql> {
    let mut query = QueryBuilder::new(select);
    query.push(" WHERE 1 = 1");
    if !filter.states.is_empty() {
        query.push(" AND state IN (");
        let mut list = query.separated(", ");
        for state in &filter.states {
            list.push_bind(state.as_str());
        }
        query.push(")");
    }
    if let Some(channel) = &filter.channel {
        query.push(" AND channel = ").push_bind(channel.clone());
    }
    query
}

fn cut(outcome: &str) -> String {
    outcome.chars().take(MAX_OUTCOME_CHARS).collect()
}

fn delivery(row: &Row) -> Result<Delivery, StateError> {
    let read = || -> Result<(Delivery, String, String), sqlx::Error> {
        let delivery = Delivery {
            id: row.try_get("id")?,
            channel: row.try_get("channel")?,
            subject: row.try_get("subject")?,
            payload: serde_json::Value::Null,
            state: DeliveryState::Pending,
            attempts: uncount(row.try_get("attempts")?),
            created_at: Timestamp::from_millis(row.try_get("created_ms")?),
            next_attempt_at: Timestamp::from_millis(row.try_get("next_attempt_ms")?),
            finished_at: row.try_get::<Option<i64>, _>("finished_ms")?.map(Timestamp::from_millis),
            outcome: row.try_get("outcome")?,
        };
        Ok((delivery, row.try_get("state")?, row.try_get("payload")?))
    };
    let (delivery, state, payload) = read().map_err(during("reading a notification"))?;
    let payload = serde_json::from_str(&payload)
        .map_err(|_| crate::scope::unknown("the payload of a notification", &payload))?;
    Ok(Delivery { state: state.parse()?, payload, ..delivery })
}
