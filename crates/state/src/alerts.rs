//! States of alerts, and how they came about.
//!
//! A [`Commit`] writes states, history and the notifications that follow from them in one
//! transaction: after a crash either all of it has happened or nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use model::Timestamp;
use sqlx::{QueryBuilder, Row as _};

use crate::database::{Database, Row, Sql, Transaction, millis, millis_option, uncount};
use crate::deliveries::{self, NewDelivery};
use crate::error::during;
use crate::{Page, StateError};

/// Where an alert is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertState {
    /// The condition does not hold. Kept in the history alone.
    Inactive,
    /// The condition holds, not yet for long enough.
    Pending,
    /// The condition holds, and people were told.
    Firing,
    /// Somebody has taken it on.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl AlertState {
    /// All states.
    pub const ALL: [Self; 5] =
        [Self::Inactive, Self::Pending, Self::Firing, Self::Acknowledged, Self::Resolved];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AlertState {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| crate::scope::unknown("the state of an alert", text))
    }
}

/// One alert as it stands now, or as it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRecord {
    /// The id: the same for the same rule and labels, in every episode.
    pub id: String,
    /// The id of the rule.
    pub rule_id: String,
    /// The group that the rule is in.
    pub group: String,
    /// The rule's name, which is the label `alertname`.
    pub rule: String,
    /// How bad it is: `info`, `warning`, `error` or `critical`.
    pub severity: String,
    /// All labels, `alertname` and `severity` among them.
    pub labels: BTreeMap<String, String>,
    /// What people read.
    pub annotations: BTreeMap<String, String>,
    /// What the rule's expression gave last. NaN where it was NaN.
    pub value: f64,
    /// Where it is in its life.
    pub state: AlertState,
    /// Since when the condition has held, in this episode.
    pub active_at: Timestamp,
    /// When it fired.
    pub fired_at: Option<Timestamp>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// Since when the condition has been gone while `keep_firing_for` keeps the alert alive.
    pub keep_firing_since: Option<Timestamp>,
    /// Resolved by hand while the condition still held: it stays resolved until the condition clears.
    pub held: bool,
    /// Who took it on.
    pub acknowledged_by: Option<String>,
    /// When.
    pub acknowledged_at: Option<Timestamp>,
    /// Who resolved it by hand; `None` when its condition went.
    pub resolved_by: Option<String>,
    /// What was said when it was acknowledged, or resolved by hand.
    pub note: Option<String>,
    /// What the runbook's checks gave when it fired.
    pub evidence: serde_json::Value,
    /// When a notification about it was last queued.
    pub last_notified_at: Option<Timestamp>,
    /// When this record last changed.
    pub updated_at: Timestamp,
}

/// One step in the life of an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The alert.
    pub alert_id: String,
    /// The rule's name.
    pub rule: String,
    /// When.
    pub time: Timestamp,
    /// From which state.
    pub from: AlertState,
    /// To which state.
    pub to: AlertState,
    /// What the expression gave.
    pub value: f64,
    /// Who did it; `None` when the condition did.
    pub actor: Option<String>,
    /// What was said.
    pub note: Option<String>,
}

/// What is written in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Alerts as they are now.
    pub upserts: Vec<AlertRecord>,
    /// Ids of alerts of which nothing is kept but their history.
    pub removals: Vec<String>,
    /// History.
    pub transitions: Vec<Transition>,
    /// Notifications to send.
    pub deliveries: Vec<NewDelivery>,
}

impl Commit {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.upserts.is_empty()
            && self.removals.is_empty()
            && self.transitions.is_empty()
            && self.deliveries.is_empty()
    }
}

/// Which alerts to list. Empty lists and `None` ask for all.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// In one of these states.
    pub states: Vec<AlertState>,
    /// With one of these severities.
    pub severities: Vec<String>,
    /// Of the rule with this name.
    pub rule: Option<String>,
}

/// The states of alerts.
#[derive(Clone, Debug)]
pub struct AlertStates {
    pub(crate) database: Database,
}

impl AlertStates {
    /// Writes all of a commit or nothing. Answers how many undelivered notifications had to be given
    /// up because the queue was full.
    pub async fn commit(&self, commit: &Commit, now: Timestamp) -> Result<u64, StateError> {
        let doing = "writing alert states";
        let mut transaction = self.database.begin(doing).await?;
        for record in &commit.upserts {
            upsert(&mut transaction, record).await?;
        }
        for id in &commit.removals {
            sqlx::query("DELETE FROM alerts WHERE id = $1")
                .bind(id)
                .execute(&mut *transaction)
                .await
                .map_err(during(doing))?;
        }
        for transition in &commit.transitions {
            add_transition(&mut transaction, transition).await?;
        }
        let given_up = deliveries::enqueue(&mut transaction, &commit.deliveries, now).await?;
        transaction.commit().await.map_err(during(doing))?;
        Ok(given_up)
    }

    /// What is not over, and what was resolved by hand while its condition held: everything that an
    /// evaluator has to know when it starts.
    pub async fn load_live(&self) -> Result<Vec<AlertRecord>, StateError> {
        sqlx::query("SELECT * FROM alerts WHERE state <> 'resolved' OR held <> 0 ORDER BY id")
            .fetch_all(&self.database.read)
            .await
            .map_err(during("loading alert states"))?
            .iter()
            .map(record)
            .collect()
    }

    /// One alert.
    pub async fn get(&self, id: &str) -> Result<Option<AlertRecord>, StateError> {
        let row = sqlx::query("SELECT * FROM alerts WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.database.read)
            .await
            .map_err(during("looking an alert up"))?;
        row.as_ref().map(record).transpose()
    }

    /// A page of alerts, the last changed first, and how many there are in all.
    pub async fn list(
        &self,
        filter: &AlertFilter,
        page: Page,
    ) -> Result<(Vec<AlertRecord>, u64), StateError> {
        let doing = "listing alerts";
        let total: i64 = filtered("SELECT COUNT(*) FROM alerts", filter)
            .build_query_scalar()
            .fetch_one(&self.database.read)
            .await
            .map_err(during(doing))?;
        let mut query = filtered("SELECT * FROM alerts", filter);
        query.push(" ORDER BY updated_ms DESC, id LIMIT ").push_bind(page.sql_limit());
        query.push(" OFFSET ").push_bind(page.sql_offset());
        let rows = query.build().fetch_all(&self.database.read).await.map_err(during(doing))?;
        let records = rows.iter().map(record).collect::<Result<_, _>>()?;
        Ok((records, uncount(total)))
    }

    /// How many alerts are in each state.
    pub async fn counts(&self) -> Result<BTreeMap<AlertState, u64>, StateError> {
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT state, COUNT(*) FROM alerts GROUP BY state")
            .fetch_all(&self.database.read)
            .await
            .map_err(during("counting alerts"))?;
        rows.into_iter().map(|(state, count)| Ok((state.parse()?, uncount(count)))).collect()
    }

    /// The history of one alert, newest first.
    pub async fn history(&self, id: &str, page: Page) -> Result<Vec<Transition>, StateError> {
        sqlx::query(
            "SELECT * FROM alert_transitions WHERE alert_id = $1 ORDER BY seq DESC LIMIT $2 OFFSET $3",
        )
        .bind(id)
        .bind(page.sql_limit())
        .bind(page.sql_offset())
        .fetch_all(&self.database.read)
        .await
        .map_err(during("reading the history of an alert"))?
        .iter()
        .map(transition)
        .collect()
    }
}

fn filtered(select: &'static str, filter: &AlertFilter) -> QueryBuilder<Sql> {
    let mut query = QueryBuilder::new(select);
    query.push(" WHERE 1 = 1");
    let mut among = |column: &str, values: Vec<String>| {
        if !values.is_empty() {
            query.push(format_args!(" AND {column} IN ("));
            let mut list = query.separated(", ");
            for value in values {
                list.push_bind(value);
            }
            query.push(")");
        }
    };
    among("state", filter.states.iter().map(|state| state.as_str().to_owned()).collect());
    among("severity", filter.severities.clone());
    among("rule", filter.rule.clone().into_iter().collect());
    query
}

async fn upsert(transaction: &mut Transaction, record: &AlertRecord) -> Result<(), StateError> {
    sqlx::query(
        "INSERT INTO alerts (id, rule_id, rule_group, rule, severity, labels, annotations, value, state,
             active_ms, fired_ms, resolved_ms, keep_firing_since_ms, held, acknowledged_by,
             acknowledged_ms, note, evidence, last_notified_ms, updated_ms, resolved_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
         ON CONFLICT (id) DO UPDATE SET rule_id = $2, rule_group = $3, rule = $4, severity = $5,
             labels = $6, annotations = $7, value = $8, state = $9, active_ms = $10, fired_ms = $11,
             resolved_ms = $12, keep_firing_since_ms = $13, held = $14, acknowledged_by = $15,
             acknowledged_ms = $16, note = $17, evidence = $18, last_notified_ms = $19, updated_ms = $20,
             resolved_by = $21",
    )
    .bind(&record.id)
    .bind(&record.rule_id)
    .bind(&record.group)
    .bind(&record.rule)
    .bind(&record.severity)
    .bind(json(&record.labels))
    .bind(json(&record.annotations))
    .bind(number(record.value))
    .bind(record.state.as_str())
    .bind(millis(record.active_at))
    .bind(millis_option(record.fired_at))
    .bind(millis_option(record.resolved_at))
    .bind(millis_option(record.keep_firing_since))
    .bind(i64::from(record.held))
    .bind(&record.acknowledged_by)
    .bind(millis_option(record.acknowledged_at))
    .bind(&record.note)
    .bind(record.evidence.to_string())
    .bind(millis_option(record.last_notified_at))
    .bind(millis(record.updated_at))
    .bind(&record.resolved_by)
    .execute(&mut **transaction)
    .await
    .map(drop)
    .map_err(during("writing an alert"))
}

async fn add_transition(transaction: &mut Transaction, step: &Transition) -> Result<(), StateError> {
    sqlx::query(
        "INSERT INTO alert_transitions (alert_id, rule, time_ms, from_state, to_state, value, actor, note)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&step.alert_id)
    .bind(&step.rule)
    .bind(millis(step.time))
    .bind(step.from.as_str())
    .bind(step.to.as_str())
    .bind(number(step.value))
    .bind(&step.actor)
    .bind(&step.note)
    .execute(&mut **transaction)
    .await
    .map(drop)
    .map_err(during("writing the history of an alert"))
}

fn json(map: &BTreeMap<String, String>) -> String {
    serde_json::to_string(map).expect("a map of texts is always JSON")
}

/// NaN is stored as NULL: that is what SQLite makes of it.
fn number(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

fn map(text: &str) -> Result<BTreeMap<String, String>, StateError> {
    serde_json::from_str(text).map_err(|_| crate::scope::unknown("labels or annotations", text))
}

fn record(row: &Row) -> Result<AlertRecord, StateError> {
    let get = |column: &str| row.try_get::<String, _>(column).map_err(during("reading an alert"));
    let maybe = |column: &str| row.try_get::<Option<String>, _>(column).map_err(during("reading an alert"));
    let time = |column: &str| {
        row.try_get::<Option<i64>, _>(column)
            .map(|time| time.map(Timestamp::from_millis))
            .map_err(during("reading an alert"))
    };
    let value: Option<f64> = row.try_get("value").map_err(during("reading an alert"))?;
    let held: i64 = row.try_get("held").map_err(during("reading an alert"))?;
    let evidence = get("evidence")?;
    Ok(AlertRecord {
        id: get("id")?,
        rule_id: get("rule_id")?,
        group: get("rule_group")?,
        rule: get("rule")?,
        severity: get("severity")?,
        labels: map(&get("labels")?)?,
        annotations: map(&get("annotations")?)?,
        value: value.unwrap_or(f64::NAN),
        state: get("state")?.parse()?,
        active_at: time("active_ms")?.unwrap_or_default(),
        fired_at: time("fired_ms")?,
        resolved_at: time("resolved_ms")?,
        keep_firing_since: time("keep_firing_since_ms")?,
        held: held != 0,
        acknowledged_by: maybe("acknowledged_by")?,
        acknowledged_at: time("acknowledged_ms")?,
        resolved_by: maybe("resolved_by")?,
        note: maybe("note")?,
        evidence: serde_json::from_str(&evidence)
            .map_err(|_| crate::scope::unknown("evidence", &evidence))?,
        last_notified_at: time("last_notified_ms")?,
        updated_at: time("updated_ms")?.unwrap_or_default(),
    })
}

fn transition(row: &Row) -> Result<Transition, StateError> {
    let get = |column: &str| row.try_get::<String, _>(column).map_err(during("reading a transition"));
    let maybe =
        |column: &str| row.try_get::<Option<String>, _>(column).map_err(during("reading a transition"));
    let time: i64 = row.try_get("time_ms").map_err(during("reading a transition"))?;
    let value: Option<f64> = row.try_get("value").map_err(during("reading a transition"))?;
    Ok(Transition {
        alert_id: get("alert_id")?,
        rule: get("rule")?,
        time: Timestamp::from_millis(time),
        from: get("from_state")?.parse()?,
        to: get("to_state")?.parse()?,
        value: value.unwrap_or(f64::NAN),
        actor: maybe("actor")?,
        note: maybe("note")?,
    })
}
