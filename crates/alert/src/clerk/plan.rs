//! What follows from one evaluation or one deed: records to write, history, notifications. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Timestamp;
use state::{AlertRecord, AlertState, Commit, NewDelivery, Transition};

use super::{Observation, Sighting, blank_record};
use crate::book::RuleAlerts;
use crate::evidence::CheckResult;
use crate::machine::{Input, NotPossible, Policy, Standing};
use crate::notify::{MAX_ALERTS, Notification, NotifiedAlert, Route, Status};

/// What is to be written down and told.
pub(super) struct Plan {
    rule_id: String,
    group: String,
    rule: String,
    policy: Policy,
    now: Timestamp,
    note: Option<String>,
    evidence: BTreeMap<String, Vec<CheckResult>>,
    repeat_interval: Duration,
    commit: Commit,
    fired: Vec<AlertRecord>,
    repeated: Vec<AlertRecord>,
    resolved: Vec<AlertRecord>,
}

impl Plan {
    pub(super) fn new(observation: &Observation, repeat_interval: Duration) -> Self {
        Self {
            rule_id: observation.rule_id.clone(),
            group: observation.group.clone(),
            rule: observation.rule.clone(),
            policy: observation.policy,
            now: observation.at,
            note: observation.note.clone(),
            evidence: observation.evidence.clone(),
            repeat_interval,
            commit: Commit::default(),
            fired: Vec::new(),
            repeated: Vec::new(),
            resolved: Vec::new(),
        }
    }

    /// A plan for what a person does with one alert.
    pub(super) fn of_record(record: &AlertRecord, now: Timestamp, repeat_interval: Duration) -> Self {
        Self {
            rule_id: record.rule_id.clone(),
            group: record.group.clone(),
            rule: record.rule.clone(),
            policy: Policy::default(),
            now,
            note: None,
            evidence: BTreeMap::new(),
            repeat_interval,
            commit: Commit::default(),
            fired: Vec::new(),
            repeated: Vec::new(),
            resolved: Vec::new(),
        }
    }

    /// The rule gives this alert.
    pub(super) fn present(&mut self, alerts: &mut RuleAlerts, sighting: &Sighting) {
        let mut record = alerts.remove(&sighting.id).unwrap_or_else(|| blank_record(&sighting.id));
        record.rule_id.clone_from(&self.rule_id);
        record.group.clone_from(&self.group);
        record.rule.clone_from(&self.rule);
        record.severity = sighting.severity.to_string();
        record.labels.clone_from(&sighting.labels);
        record.annotations.clone_from(&sighting.annotations);
        record.value = sighting.value;
        self.evaluated(alerts, record, Input::Present);
    }

    /// The rule does not give this alert.
    pub(super) fn absent(&mut self, alerts: &mut RuleAlerts, id: &str) {
        if let Some(record) = alerts.remove(id) {
            self.evaluated(alerts, record, Input::Absent);
        }
    }

    fn evaluated(&mut self, alerts: &mut RuleAlerts, record: AlertRecord, input: Input) {
        let before = Standing::of(&record);
        // The machine takes what an evaluation says wherever an alert stands.
        let after = before.clone().step(self.policy, input, self.now).unwrap_or_else(|_| before.clone());
        self.moved(alerts, record, &before, &after, None);
    }

    /// A person does something with this alert.
    pub(super) fn act(
        &mut self,
        alerts: &mut RuleAlerts,
        record: &AlertRecord,
        input: Input,
    ) -> Result<AlertRecord, NotPossible> {
        let said = match &input {
            Input::Acknowledge(said) | Input::Resolve(said) => Some(said.clone()),
            Input::Present | Input::Absent => None,
        };
        let before = Standing::of(record);
        let after = before.clone().step(self.policy, input, self.now)?;
        self.note = said.as_ref().and_then(|said| said.note.clone());
        alerts.remove(&record.id);
        Ok(self.moved(alerts, record.clone(), &before, &after, said.map(|said| said.by)))
    }

    /// Takes down that an alert has moved, or has not; answers its record.
    fn moved(
        &mut self,
        alerts: &mut RuleAlerts,
        mut record: AlertRecord,
        before: &Standing,
        after: &Standing,
        actor: Option<String>,
    ) -> AlertRecord {
        after.write(&mut record);
        let told = self.tell(&mut record, before.state(), after.state());
        if before.state() != after.state() {
            self.commit.transitions.push(Transition {
                alert_id: record.id.clone(),
                rule: record.rule.clone(),
                time: self.now,
                from: before.state(),
                to: after.state(),
                value: record.value,
                actor,
                note: self.note.clone(),
            });
        }
        let changed = told || before != after;
        if changed {
            record.updated_at = self.now;
        }
        match after {
            Standing::Inactive => {
                if changed {
                    self.commit.removals.push(record.id.clone());
                }
                return record;
            }
            // It is over, and nothing more has to be known of it to go on.
            Standing::Resolved { held: false, .. } => {}
            Standing::Pending { .. }
            | Standing::Firing { .. }
            | Standing::Acknowledged { .. }
            | Standing::Resolved { held: true, .. } => {
                alerts.insert(record.id.clone(), record.clone());
            }
        }
        if changed {
            self.commit.upserts.push(record.clone());
        }
        record
    }

    /// Whether people are to be told; puts the alert among what is told.
    fn tell(&mut self, record: &mut AlertRecord, before: AlertState, after: AlertState) -> bool {
        use AlertState::{Acknowledged, Firing, Inactive, Pending, Resolved};
        match (before, after) {
            (Inactive | Pending | Resolved, Firing) => {
                let evidence = self.evidence.remove(&record.id).unwrap_or_default();
                record.evidence = serde_json::to_value(evidence).unwrap_or_else(|_| serde_json::json!([]));
                record.last_notified_at = Some(self.now);
                self.fired.push(record.clone());
                true
            }
            (Inactive | Resolved, Pending) => {
                record.evidence = serde_json::json!([]);
                record.last_notified_at = None;
                false
            }
            (Firing, Firing)
                if record
                    .last_notified_at
                    .is_none_or(|last| self.now.since(last) >= self.repeat_interval) =>
            {
                record.last_notified_at = Some(self.now);
                self.repeated.push(record.clone());
                true
            }
            (Firing | Acknowledged, Resolved) => {
                record.last_notified_at = Some(self.now);
                self.resolved.push(record.clone());
                true
            }
            (_, Inactive | Pending | Firing | Acknowledged | Resolved) => false,
        }
    }

    /// What is written: the records, the history, and for each channel the notifications it takes.
    pub(super) fn commit(&self, routes: &[Route]) -> Commit {
        let mut commit = self.commit.clone();
        let told = [
            (Status::Firing, false, &self.fired),
            (Status::Firing, true, &self.repeated),
            (Status::Resolved, false, &self.resolved),
        ];
        for route in routes {
            for (status, repeated, records) in told {
                let alerts: Vec<NotifiedAlert> = records
                    .iter()
                    .map(NotifiedAlert::of)
                    .filter(|alert| route.takes(status, alert.severity))
                    .collect();
                if !alerts.is_empty() {
                    commit.deliveries.extend(self.delivery(route, status, repeated, alerts));
                }
            }
        }
        commit
    }

    fn delivery(
        &self,
        route: &Route,
        status: Status,
        repeated: bool,
        mut alerts: Vec<NotifiedAlert>,
    ) -> Option<NewDelivery> {
        let more = alerts.len().saturating_sub(MAX_ALERTS);
        alerts.truncate(MAX_ALERTS);
        let notification = Notification {
            status,
            repeated,
            rule_id: self.rule_id.clone(),
            group: self.group.clone(),
            rule: self.rule.clone(),
            time: self.now,
            alerts,
            more,
        };
        Some(NewDelivery {
            channel: route.channel.clone(),
            thread: self.rule_id.clone(),
            subject: notification.subject(),
            payload: serde_json::to_value(&notification).ok()?,
        })
    }
}
