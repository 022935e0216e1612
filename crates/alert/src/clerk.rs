//! The clerk: the one task that changes alerts. What evaluations and people want goes through its
//! queue, one after the other; each change is in the database, with the notifications that follow
//! from it, before it shows.

mod plan;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use state::{AlertRecord, AlertState, AlertStates, StateError};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::ActionError;
use crate::book::{Book, RuleAlerts};
use crate::evidence::CheckResult;
use crate::machine::{Input, Policy, Said};
use crate::metrics::Metrics;
use crate::notify::Route;
use plan::Plan;

/// How many wishes wait for the clerk; those who wish wait when it is full.
const QUEUE: usize = 64;

/// An alert that a rule gives.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    pub(crate) id: String,
    pub(crate) severity: crate::Severity,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// What one evaluation of a rule gives.
#[derive(Debug)]
pub(crate) struct Observation {
    pub(crate) rule_id: String,
    pub(crate) group: String,
    pub(crate) rule: String,
    pub(crate) policy: Policy,
    pub(crate) at: Timestamp,
    pub(crate) sightings: Vec<Sighting>,
    /// Evidence for alerts that are about to fire, by id.
    pub(crate) evidence: BTreeMap<String, Vec<CheckResult>>,
    /// Whether what is missing counts as gone. Not soon after a start: then the data may be missing.
    pub(crate) absence_counts: bool,
    /// What the history says of what this changes.
    pub(crate) note: Option<String>,
}

impl Observation {
    /// That a rule gives nothing, and nothing keeps its alerts alive.
    pub(crate) fn of_nothing(rule_id: &str, group: &str, rule: &str, at: Timestamp) -> Self {
        Self {
            rule_id: rule_id.to_owned(),
            group: group.to_owned(),
            rule: rule.to_owned(),
            policy: Policy::default(),
            at,
            sightings: Vec::new(),
            evidence: BTreeMap::new(),
            absence_counts: true,
            note: None,
        }
    }
}

/// What a person does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Acknowledge,
    Resolve,
}

enum Wish {
    Observe(Box<Observation>, oneshot::Sender<Result<RuleAlerts, StateError>>),
    Act { id: String, action: Action, said: Said, reply: oneshot::Sender<Result<AlertRecord, ActionError>> },
}

/// How others speak to the clerk.
#[derive(Clone)]
pub(crate) struct ClerkHandle {
    wishes: mpsc::Sender<Wish>,
}

/// The clerk.
pub(crate) struct Clerk {
    wishes: mpsc::Receiver<Wish>,
    desk: Desk,
}

/// What the clerk works with.
pub(crate) struct Desk {
    pub(crate) book: Arc<Book>,
    pub(crate) states: AlertStates,
    pub(crate) routes: Vec<Route>,
    pub(crate) repeat_interval: Duration,
    /// Rung when notifications were queued.
    pub(crate) bell: Arc<Notify>,
    pub(crate) metrics: Metrics,
}

/// Somebody who wished something of a clerk that has gone home.
#[derive(Debug, thiserror::Error)]
#[error("alerting is shutting down")]
pub(crate) struct Gone;

impl ClerkHandle {
    /// Tells of an evaluation; the answer is the rule's alerts as they stand then.
    pub(crate) async fn observe(
        &self,
        observation: Observation,
    ) -> Result<Result<RuleAlerts, StateError>, Gone> {
        let (reply, answer) = oneshot::channel();
        self.wishes.send(Wish::Observe(Box::new(observation), reply)).await.map_err(|_| Gone)?;
        answer.await.map_err(|_| Gone)
    }

    /// Does what a person wants.
    pub(crate) async fn act(&self, id: &str, action: Action, said: Said) -> Result<AlertRecord, ActionError> {
        let (reply, answer) = oneshot::channel();
        let wish = Wish::Act { id: id.to_owned(), action, said, reply };
        self.wishes.send(wish).await.map_err(|_| ActionError::Stopped)?;
        answer.await.unwrap_or(Err(ActionError::Stopped))
    }
}

impl Clerk {
    pub(crate) fn new(desk: Desk) -> (Self, ClerkHandle) {
        let (sender, wishes) = mpsc::channel(QUEUE);
        (Self { wishes, desk }, ClerkHandle { wishes: sender })
    }

    /// Fulfils wishes until `stop`; one that is under way is finished.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let wish = tokio::select! {
                () = stop.cancelled() => return,
                wish = self.wishes.recv() => wish,
            };
            // An answer that nobody waits for any more is no error: the change has been made.
            match wish {
                None => return,
                Some(Wish::Observe(observation, reply)) => {
                    let _ = reply.send(self.desk.observe(*observation).await);
                }
                Some(Wish::Act { id, action, said, reply }) => {
                    let _ = reply.send(self.desk.act(&id, action, said).await);
                }
            }
        }
    }
}

impl Desk {
    async fn observe(&self, observation: Observation) -> Result<RuleAlerts, StateError> {
        let mut alerts = self.book.of_rule(&observation.rule_id);
        let mut plan = Plan::new(&observation, self.repeat_interval);
        let missing: Vec<String> = alerts
            .keys()
            .filter(|id| !observation.sightings.iter().any(|sighting| sighting.id == **id))
            .cloned()
            .collect();
        for sighting in &observation.sightings {
            plan.present(&mut alerts, sighting);
        }
        if observation.absence_counts {
            for id in &missing {
                plan.absent(&mut alerts, id);
            }
        }
        self.carry_out(plan, &observation.rule_id, &alerts, observation.at).await?;
        Ok(alerts)
    }

    async fn act(&self, id: &str, action: Action, said: Said) -> Result<AlertRecord, ActionError> {
        let now = said.at;
        let Some(record) = self.book.get(id) else {
            return match self.states.get(id).await.map_err(ActionError::Store)? {
                Some(over) => Err(ActionError::NotPossible { state: over.state, action: action.done() }),
                None => Err(ActionError::NotFound),
            };
        };
        let mut alerts = self.book.of_rule(&record.rule_id);
        let mut plan = Plan::of_record(&record, now, self.repeat_interval);
        let input = match action {
            Action::Acknowledge => Input::Acknowledge(said),
            Action::Resolve => Input::Resolve(said),
        };
        let changed = plan
            .act(&mut alerts, &record, input)
            .map_err(|refused| ActionError::NotPossible { state: refused.state, action: refused.action })?;
        self.carry_out(plan, &record.rule_id, &alerts, now).await.map_err(ActionError::Store)?;
        Ok(changed)
    }

    /// Writes a plan down, then shows it.
    async fn carry_out(
        &self,
        plan: Plan,
        rule_id: &str,
        alerts: &RuleAlerts,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let commit = plan.commit(&self.routes);
        if !commit.is_empty() {
            let given_up = self.states.commit(&commit, now).await?;
            self.metrics.overflowed(given_up);
        }
        self.book.replace(rule_id, alerts.clone());
        if !commit.deliveries.is_empty() {
            self.bell.notify_waiters();
        }
        Ok(())
    }
}

impl Action {
    const fn done(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledged",
            Self::Resolve => "resolved",
        }
    }
}

/// An alert of which nothing is known yet.
pub(crate) fn blank_record(id: &str) -> AlertRecord {
    AlertRecord {
        id: id.to_owned(),
        rule_id: String::new(),
        group: String::new(),
        rule: String::new(),
        severity: String::new(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        value: f64::NAN,
        state: AlertState::Inactive,
        active_at: Timestamp::default(),
        fired_at: None,
        resolved_at: None,
        keep_firing_since: None,
        held: false,
        acknowledged_by: None,
        acknowledged_at: None,
        resolved_by: None,
        note: None,
        evidence: serde_json::json!([]),
        last_notified_at: None,
        updated_at: Timestamp::default(),
    }
}
