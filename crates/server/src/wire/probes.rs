//! Probed services.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Show, shape};

/// A probe: a service that is asked again and again, and how it answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Probe {
    /// Its name: the value of the label `probe`.
    pub(crate) probe: String,
    /// What kind it is: `http`, `tcp`, `tls`, `redis`, `postgresql`, `s3`, `ollama`, `openai`.
    pub(crate) kind: String,
    /// What is asked, without any password.
    pub(crate) target: String,
    /// Whether it answered as it should when it was last asked.
    pub(crate) up: bool,
    /// Since when it is as `up` says, as far as was seen since the start of Watchkeeper.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) since: Timestamp,
    /// When it was last asked.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) checked_at: Timestamp,
    /// How long its answer took, in seconds.
    pub(crate) latency_seconds: f64,
    /// Why it did not answer as it should; null when it did.
    pub(crate) reason: Option<String>,
    /// When it last did not answer as it should.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) last_failure_at: Option<Timestamp>,
    /// Why it did not then.
    pub(crate) last_failure_reason: Option<String>,
    /// The share of looks that succeeded.
    pub(crate) availability: Availability,
    /// What else it says, by name.
    pub(crate) facts: BTreeMap<String, String>,
    /// The slowest statements of a database, without their literals.
    pub(crate) statements: Vec<Statement>,
    /// The models of a model backend.
    pub(crate) models: Vec<Model>,
}

/// The share of a time in which the last look had succeeded, 0 to 1; null where nothing is known of it.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Availability {
    /// Within the last 5 minutes.
    #[serde(rename = "5m")]
    pub(crate) minutes_5: Option<f64>,
    /// Within the last hour.
    #[serde(rename = "1h")]
    pub(crate) hour_1: Option<f64>,
    /// Within the last day.
    #[serde(rename = "24h")]
    pub(crate) hours_24: Option<f64>,
}

shape! {
    /// A statement that a database has run.
    Statement from pipeline::SlowStatement {
        /// The database's own id of it.
        query_id: String,
        /// Its text, without literals, shortened.
        text: String,
        /// How often it ran.
        calls: u64,
        /// How long it took on average, in seconds.
        mean_seconds: f64,
        /// How long it took altogether, in seconds.
        total_seconds: f64,
    }
}

shape! {
    /// A model that a backend offers.
    Model from pipeline::BackendModel {
        /// Its name.
        name: String,
        /// Whether it is in memory; null where the backend does not tell.
        loaded: Option<bool>,
        /// Its size, in bytes; of a loaded one, in memory.
        size_bytes: Option<u64>,
        /// How much of it is in GPU memory, in bytes.
        vram_bytes: Option<u64>,
        /// When it will be unloaded, as the backend says.
        expires_at: Option<String>,
    }
}

impl Probe {
    pub(crate) fn new(seen: pipeline::ProbeSnapshot, availability: Availability) -> Self {
        let (last_failure_at, last_failure_reason) = seen.last_failure.unzip();
        Self {
            probe: seen.probe,
            kind: seen.kind,
            target: seen.target,
            up: seen.up,
            since: seen.since,
            checked_at: seen.checked_at,
            latency_seconds: seen.latency.as_secs_f64(),
            reason: seen.reason,
            last_failure_at,
            last_failure_reason,
            availability,
            facts: seen.facts,
            statements: seen.statements.show(),
            models: seen.models.show(),
        }
    }
}
