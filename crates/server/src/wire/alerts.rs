//! Alerts, rules, channels and notifications.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Timestamp;
use serde::{Deserialize, Serialize};
use state::{AlertState, DeliveryState};
use utoipa::ToSchema;

use super::{Show, shape, shown_by_name};

shown_by_name!(alert::ChannelKind, alert::RuleHealth, alert::RuleKind, alert::Severity);

/// Durations are shown in seconds.
impl Show<f64> for Duration {
    fn show(self) -> f64 {
        self.as_secs_f64()
    }
}

impl Show<Option<f64>> for Option<Duration> {
    fn show(self) -> Option<f64> {
        self.map(|duration| duration.as_secs_f64())
    }
}

impl Show<BTreeMap<&'static str, u64>> for BTreeMap<AlertState, u64> {
    fn show(self) -> BTreeMap<&'static str, u64> {
        self.into_iter().map(|(state, count)| (state.as_str(), count)).collect()
    }
}

impl Show<BTreeMap<&'static str, u64>> for BTreeMap<DeliveryState, u64> {
    fn show(self) -> BTreeMap<&'static str, u64> {
        self.into_iter().map(|(state, count)| (state.as_str(), count)).collect()
    }
}

/// Who took an alert on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Acknowledgement {
    /// Who.
    pub(crate) by: String,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) at: Option<Timestamp>,
    /// What was said.
    pub(crate) note: Option<String>,
}

/// A number that may be infinite or none, which JSON has no way to say.
impl Show<Option<f64>> for f64 {
    fn show(self) -> Option<f64> {
        self.is_finite().then_some(self)
    }
}

/// An alert.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alert {
    /// The id: the same for the same rule and labels, in every episode.
    pub(crate) id: String,
    /// The id of the rule.
    pub(crate) rule_id: String,
    /// The group that the rule is in.
    pub(crate) group: String,
    /// The rule's name.
    pub(crate) rule: String,
    /// `info`, `warning`, `error` or `critical`.
    pub(crate) severity: String,
    /// All labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// What people read: `summary`, `description`, and what else the rule says.
    pub(crate) annotations: BTreeMap<String, String>,
    /// What the rule's expression gave last; null where that is no number.
    pub(crate) value: Option<f64>,
    /// `pending`, `firing`, `acknowledged` or `resolved`.
    pub(crate) state: &'static str,
    /// Since when the condition has held.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) active_at: Timestamp,
    /// When it fired.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) fired_at: Option<Timestamp>,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) resolved_at: Option<Timestamp>,
    /// Since when the condition has been gone while the rule keeps the alert firing.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) keep_firing_since: Option<Timestamp>,
    /// Whether it was resolved by hand while its condition still held.
    pub(crate) held: bool,
    /// Who took it on; null while nobody has.
    pub(crate) acknowledged: Option<Acknowledgement>,
    /// What was said when it was acknowledged, or resolved by hand.
    pub(crate) note: Option<String>,
    /// What the runbook's checks gave when it fired.
    #[schema(value_type = Object)]
    pub(crate) evidence: serde_json::Value,
    /// When a notification about it was last queued.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) last_notified_at: Option<Timestamp>,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
}

impl From<state::AlertRecord> for Alert {
    fn from(record: state::AlertRecord) -> Self {
        let acknowledged = record.acknowledged_by.map(|by| Acknowledgement {
            by,
            at: record.acknowledged_at,
            note: record.note.clone(),
        });
        Self {
            acknowledged,
            id: record.id,
            rule_id: record.rule_id,
            group: record.group,
            rule: record.rule,
            severity: record.severity,
            labels: record.labels,
            annotations: record.annotations,
            value: record.value.show(),
            state: record.state.as_str(),
            active_at: record.active_at,
            fired_at: record.fired_at,
            resolved_at: record.resolved_at,
            keep_firing_since: record.keep_firing_since,
            held: record.held,
            note: record.note,
            evidence: record.evidence,
            last_notified_at: record.last_notified_at,
            updated_at: record.updated_at,
        }
    }
}

shape! {
    /// One step in the life of an alert.
    Transition from state::Transition {
        /// When.
        #[schema(value_type = String, format = DateTime)]
        time: Timestamp,
        /// From which state.
        from: &'static str,
        /// To which state.
        to: &'static str,
        /// What the expression gave; null where that is no number.
        value: Option<f64>,
        /// Who did it; null when the condition did.
        actor: Option<String>,
        /// What was said.
        note: Option<String>,
    }
}

/// An alert with how it came about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertDetail {
    /// The alert.
    #[serde(flatten)]
    pub(crate) alert: Alert,
    /// Its history, newest first.
    pub(crate) history: Vec<Transition>,
}

impl From<alert::AlertDetail> for AlertDetail {
    fn from(detail: alert::AlertDetail) -> Self {
        Self { alert: detail.alert.into(), history: detail.history.show() }
    }
}

/// What is said with an action.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Note {
    /// A note for those who look later.
    pub(crate) note: Option<String>,
}

shape! {
    /// How reading the rule files again went.
    RulesReload from alert::ReloadStatus {
        /// Whether there are files that are followed: not where the shipped rules are evaluated.
        follows: bool,
        /// When the rules that are evaluated were read.
        #[schema(value_type = String, format = DateTime)]
        last_success: Timestamp,
        /// What is wrong with the files as they are now; null when nothing is.
        error: Option<String>,
        /// When that was seen.
        #[schema(value_type = Option<String>, format = DateTime)]
        last_failure: Option<Timestamp>,
    }
}

shape! {
    /// A rule, and how it does.
    Rule from alert::RuleStatus {
        /// Its id.
        id: String,
        /// The file that it stands in.
        file: String,
        /// The line that it begins on.
        line: u64,
        /// Its group.
        group: String,
        /// How often it is evaluated, in seconds.
        #[serde(rename = "interval_seconds")]
        interval: f64,
        /// Its name: that of its alerts, or of the series that it records.
        name: String,
        /// `alerting` or `recording`.
        kind: &'static str,
        /// Its expression.
        query: String,
        /// How long the expression has to hold before an alert fires, in seconds.
        #[serde(rename = "for_seconds")]
        hold: f64,
        /// How long an alert fires on after the expression has ceased to hold, in seconds.
        #[serde(rename = "keep_firing_for_seconds")]
        keep_firing_for: f64,
        /// `info`, `warning`, `error` or `critical`; null for a recording rule.
        severity: Option<&'static str>,
        /// Labels as they are written.
        labels: BTreeMap<String, String>,
        /// Annotations as they are written.
        annotations: BTreeMap<String, String>,
        /// The checks that run when it fires.
        runbook: Vec<String>,
        /// `unknown`, `ok` or `err`.
        health: &'static str,
        /// Why its last evaluation failed.
        last_error: Option<String>,
        /// When it was last evaluated.
        #[schema(value_type = Option<String>, format = DateTime)]
        last_evaluation: Option<Timestamp>,
        /// How long that took, in seconds.
        #[serde(rename = "duration_seconds")]
        duration: Option<f64>,
        /// What is odd about it.
        warnings: Vec<String>,
        /// How many of its alerts are in each state.
        #[schema(value_type = BTreeMap<String, u64>)]
        alerts: BTreeMap<&'static str, u64>,
    }
}

shape! {
    /// A channel, and how it does.
    Channel from alert::ChannelStatus {
        /// Its name.
        name: String,
        /// `email` or `webhook`.
        kind: &'static str,
        /// Where it leads, without secrets.
        target: String,
        /// Alerts less severe than this are not told over it.
        min_severity: &'static str,
        /// Whether it tells the end of alerts.
        send_resolved: bool,
        /// Whether its last attempt succeeded; null when there was none.
        up: Option<bool>,
        /// When it last delivered something.
        #[schema(value_type = Option<String>, format = DateTime)]
        last_success: Option<Timestamp>,
        /// When it last failed.
        #[schema(value_type = Option<String>, format = DateTime)]
        last_failure: Option<Timestamp>,
        /// Why it last failed.
        last_error: Option<String>,
        /// How many notifications are in each state.
        #[schema(value_type = BTreeMap<String, u64>)]
        deliveries: BTreeMap<&'static str, u64>,
    }
}

shape! {
    /// A notification, without what it holds.
    Delivery from state::Delivery {
        /// The id, the same in every attempt.
        id: String,
        /// Over which channel.
        channel: String,
        /// What it says, in one line.
        subject: String,
        /// `pending`, `failed` (and tried again), `delivered` or `dead`.
        state: &'static str,
        /// How often it was tried.
        attempts: u64,
        /// When it was queued.
        #[schema(value_type = String, format = DateTime)]
        created_at: Timestamp,
        /// When it is tried next, while it is pending or failed.
        #[schema(value_type = String, format = DateTime)]
        next_attempt_at: Timestamp,
        /// When it was delivered or given up.
        #[schema(value_type = Option<String>, format = DateTime)]
        finished_at: Option<Timestamp>,
        /// What the receiver said, or why it failed.
        outcome: Option<String>,
    }
}
