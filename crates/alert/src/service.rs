//! The service: what the rest of the house calls.

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use ingest::Ingest;
use model::Timestamp;
use parking_lot::{Mutex, RwLock};
use pipeline::Pipeline;
use promql::Engine;
use state::{
    AlertFilter, AlertRecord, Delivery, DeliveryFilter, DeliveryState, NewDelivery, Page, State, StateError,
};
use store::TelemetryStore;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::book::Book;
use crate::clerk::{Action, Clerk, ClerkHandle, Desk, Observation};
use crate::diagnose::MAX_AT_ONCE;
use crate::evaluate::{EngineEvaluator, Evaluator};
use crate::evidence::{Checks, Sources};
use crate::group::{GroupRunner, Groups, Tools};
use crate::machine::Said;
use crate::metrics::Metrics;
use crate::notify::{Channel, Health, Notification, NotifiedAlert, Status, Worker, open_all};
use crate::reload::Reloading;
use crate::schedule;
use crate::series::{IngestSink, Sink};
use crate::template::External;
use crate::{ActionError, AlertDetail, AlertError, ChannelStatus, Channels, Config, RuleSet, Severity};

/// The longest note that is kept, in characters.
const MAX_NOTE_CHARS: usize = 2_000;

/// What alerting works with.
pub struct Parts {
    /// Evaluates expressions.
    pub engine: Engine,
    /// Live state, for evidence.
    pub pipeline: Arc<Pipeline>,
    /// Stored events, for evidence.
    pub store: Arc<dyn TelemetryStore>,
    /// Where states and notifications are kept.
    pub state: State,
    /// Where recorded series and `ALERTS` go.
    pub ingest: Arc<Ingest>,
    /// Sends webhooks.
    pub http: reqwest::Client,
}

/// The same with its seams open: what tests put in place of an engine and a store.
pub(crate) struct OpenParts {
    pub(crate) evaluator: Arc<dyn Evaluator>,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) store: Arc<dyn TelemetryStore>,
    pub(crate) state: State,
    pub(crate) http: reqwest::Client,
}

/// A channel, how it does, and what wakes its worker.
struct Outlet {
    channel: Arc<Channel>,
    health: Arc<Mutex<Health>>,
}

/// Alerting.
pub struct Alerts {
    config: Config,
    state: State,
    /// The groups that are evaluated; whoever evaluates them hears when they change.
    groups: watch::Sender<Groups>,
    /// The files that rules are read from again, and how that went.
    pub(crate) reloading: Reloading,
    outlets: Vec<Outlet>,
    pub(crate) tools: Arc<Tools>,
    pub(crate) diagnoses: Semaphore,
    bell: Arc<Notify>,
    clerk: ClerkHandle,
    /// Taken by `run`.
    waiting_clerk: Mutex<Option<Clerk>>,
}

impl Alerts {
    /// Sets alerting up: reads stored states and checks channels. Nothing is evaluated, and nobody can
    /// acknowledge anything, before [`Alerts::run`].
    pub async fn new(
        config: Config,
        channels: &Channels,
        rules: RuleSet,
        parts: Parts,
        registry: &prometheus::Registry,
    ) -> Result<Arc<Self>, AlertError> {
        let evaluator = Arc::new(EngineEvaluator { engine: parts.engine, timeout: config.query_timeout.0 });
        let open = OpenParts {
            evaluator,
            sink: Arc::new(IngestSink(parts.ingest)),
            pipeline: parts.pipeline,
            store: parts.store,
            state: parts.state,
            http: parts.http,
        };
        Self::assemble(config, channels, rules, open, registry).await
    }

    pub(crate) async fn assemble(
        config: Config,
        channels: &Channels,
        rules: RuleSet,
        parts: OpenParts,
        registry: &prometheus::Registry,
    ) -> Result<Arc<Self>, AlertError> {
        check(&config)?;
        let (opened, routes) = open_all(&config, channels, &parts.http)?;
        let metrics = Metrics::new(registry).map_err(AlertError::Metrics)?;
        let live = parts.state.alerts().load_live().await.map_err(AlertError::State)?;
        let book = Arc::new(Book::new(live));
        let bell = Arc::new(Notify::new());
        let outlets = outlets(opened, &parts.state, &metrics).await.map_err(AlertError::State)?;
        let (clerk, handle) = Clerk::new(Desk {
            book: Arc::clone(&book),
            states: parts.state.alerts(),
            routes,
            repeat_interval: config.repeat_interval.0,
            bell: Arc::clone(&bell),
            metrics: metrics.clone(),
        });
        let tools = Arc::new(Tools {
            evaluator: Arc::clone(&parts.evaluator),
            sink: parts.sink,
            checks: Checks::all(config.evidence_timeout.0),
            sources: Sources {
                pipeline: parts.pipeline,
                evaluator: parts.evaluator,
                store: parts.store,
                state: parts.state.clone(),
                config: config.diagnosis.clone(),
            },
            clerk: handle.clone(),
            book,
            metrics,
            max_alerts: config.max_alerts_per_rule,
            query_timeout: config.query_timeout.0,
            external: External {
                labels: Arc::new(config.external_labels.clone()),
                url: config.external_url.clone().unwrap_or_default(),
            },
            started_at: RwLock::new(None),
            grace: config.grace.map(|grace| grace.0),
        });
        let runner = |group: &crate::Group| {
            Arc::new(GroupRunner::new(group.clone(), config.interval.0, Arc::clone(&tools)))
        };
        let groups: Groups = Arc::new(rules.groups().iter().map(runner).collect());
        tools.metrics.reloaded(true, Timestamp::now());
        Ok(Arc::new(Self {
            groups: watch::Sender::new(groups),
            reloading: Reloading::new(),
            state: parts.state,
            outlets,
            tools,
            diagnoses: Semaphore::new(MAX_AT_ONCE),
            bell,
            clerk: handle,
            waiting_clerk: Mutex::new(Some(clerk)),
            config,
        }))
    }

    /// Evaluates rules and sends notifications until `stop`. A second call returns at once.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let Some(clerk) = self.waiting_clerk.lock().take() else { return };
        self.begin(Timestamp::now());
        let mut tasks = JoinSet::new();
        tasks.spawn(clerk.run(stop.clone()));
        tasks.spawn(schedule::run(self.groups.subscribe(), stop.clone()));
        tasks.spawn(Arc::clone(&self).follow(stop.clone()));
        for worker in self.workers() {
            tasks.spawn(worker.run(stop.clone()));
        }
        tasks.spawn(Arc::clone(&self).retire_later(stop));
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task of alerting has ended badly");
            }
        }
    }

    /// From now on, grace is counted.
    pub(crate) fn begin(&self, now: Timestamp) {
        *self.tools.started_at.write() = Some(now);
    }

    fn workers(&self) -> Vec<Worker> {
        let worker = |outlet: &Outlet| Worker {
            channel: Arc::clone(&outlet.channel),
            deliveries: self.state.deliveries(),
            config: self.config.delivery.clone(),
            health: Arc::clone(&outlet.health),
            bell: Arc::clone(&self.bell),
            metrics: self.tools.metrics.clone(),
            unmarked: Mutex::new(None),
        };
        self.outlets.iter().map(worker).collect()
    }

    async fn retire_later(self: Arc<Self>, stop: CancellationToken) {
        let grace = self.config.grace.map_or(self.config.interval.0 * 2, |grace| grace.0);
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(grace) => self.retire(Timestamp::now()).await,
        }
    }

    /// Ends the alerts of rules that are no longer there.
    pub(crate) async fn retire(&self, now: Timestamp) {
        let groups = self.groups();
        let known: Vec<&str> =
            groups.iter().flat_map(|group| group.rules()).map(|runner| runner.rule.id()).collect();
        for rule_id in self.tools.book.rule_ids() {
            let alerts = self.tools.book.of_rule(&rule_id);
            let Some(record) = alerts.values().next().filter(|_| !known.contains(&rule_id.as_str())) else {
                continue;
            };
            let at = Timestamp::from_millis(now.as_millis());
            let observation = Observation {
                note: Some("its rule was changed or removed".to_owned()),
                ..Observation::of_nothing(&rule_id, &record.group, &record.rule, at)
            };
            if let Ok(Err(error)) = self.clerk.observe(observation).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, rule = record.rule, "the alerts of a removed rule could not be ended");
            }
        }
    }

    /// The groups that are evaluated now.
    pub(crate) fn groups(&self) -> Groups {
        Arc::clone(&self.groups.borrow())
    }

    /// Evaluates other rules from now on. Groups that say the same go on as they are.
    pub(crate) fn install(&self, rules: &RuleSet) {
        let before = self.groups();
        let runner = |group: &crate::Group| {
            if let Some(same) = before.iter().find(|known| known.group().says_the_same(group)) {
                return Arc::clone(same);
            }
            let runner = GroupRunner::new(group.clone(), self.config.interval.0, Arc::clone(&self.tools));
            runner.remember_health(&before);
            Arc::new(runner)
        };
        let groups: Groups = Arc::new(rules.groups().iter().map(runner).collect());
        self.groups.send_replace(groups);
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// A page of alerts, the last changed first, and how many there are in all. Values are those of the
    /// last evaluation.
    pub async fn list(
        &self,
        filter: &AlertFilter,
        page: Page,
    ) -> Result<(Vec<AlertRecord>, u64), StateError> {
        let (records, total) = self.state.alerts().list(filter, page).await?;
        Ok((records.into_iter().map(|record| self.with_last_value(record)).collect(), total))
    }

    /// One alert with its history.
    pub async fn get(&self, id: &str) -> Result<Option<AlertDetail>, StateError> {
        let Some(alert) = self.state.alerts().get(id).await? else { return Ok(None) };
        let history = self.state.alerts().history(id, Page::default()).await?;
        Ok(Some(AlertDetail { alert: self.with_last_value(alert), history }))
    }

    /// What is stored is as of the last change; what was evaluated since stands in memory.
    fn with_last_value(&self, mut record: AlertRecord) -> AlertRecord {
        if let Some(live) = self.tools.book.get(&record.id).filter(|live| live.state == record.state) {
            record.value = live.value;
            record.annotations = live.annotations;
        }
        record
    }

    /// Takes a firing alert on: it fires on, and is not told again.
    pub async fn acknowledge(
        &self,
        id: &str,
        by: &str,
        note: Option<&str>,
    ) -> Result<AlertRecord, ActionError> {
        self.clerk.act(id, Action::Acknowledge, said(by, note)).await
    }

    /// Resolves an alert by hand: it stays resolved until its condition has cleared and come back.
    pub async fn resolve(&self, id: &str, by: &str, note: Option<&str>) -> Result<AlertRecord, ActionError> {
        self.clerk.act(id, Action::Resolve, said(by, note)).await
    }

    /// The channels, and how they do.
    pub async fn channels(&self) -> Result<Vec<ChannelStatus>, StateError> {
        let mut counts = self.state.deliveries().counts().await?;
        let status = |outlet: &Outlet| {
            let (channel, health) = (&outlet.channel, outlet.health.lock().clone());
            ChannelStatus {
                name: channel.route.channel.clone(),
                kind: channel.kind,
                target: channel.target.clone(),
                min_severity: channel.route.min_severity,
                send_resolved: channel.route.send_resolved,
                up: health.up,
                last_success: health.last_success,
                last_failure: health.last_failure,
                last_error: health.last_error,
                deliveries: counts.remove(&channel.route.channel).unwrap_or_default(),
            }
        };
        Ok(self.outlets.iter().map(status).collect())
    }

    /// A page of notifications with their outcome, newest first, and how many there are in all.
    pub async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        page: Page,
    ) -> Result<(Vec<Delivery>, u64), StateError> {
        self.state.deliveries().list(filter, page).await
    }

    /// Queues a test notification over a channel; `false` when there is no such channel.
    pub async fn test_channel(&self, name: &str, by: &str) -> Result<bool, StateError> {
        if !self.outlets.iter().any(|outlet| outlet.channel.route.channel == name) {
            return Ok(false);
        }
        let now = Timestamp::now();
        let notification = test_notification(by, now);
        let delivery = NewDelivery {
            channel: name.to_owned(),
            thread: "test".to_owned(),
            subject: notification.subject(),
            payload: serde_json::to_value(&notification).unwrap_or_default(),
        };
        let given_up = self.state.deliveries().enqueue(delivery, now).await?;
        self.tools.metrics.overflowed(given_up);
        self.bell.notify_waiters();
        Ok(true)
    }
}

fn said(by: &str, note: Option<&str>) -> Said {
    let note = note.map(str::trim).filter(|note| !note.is_empty());
    Said {
        by: by.to_owned(),
        at: Timestamp::from_millis(Timestamp::now().as_millis()),
        note: note.map(|note| note.chars().take(MAX_NOTE_CHARS).collect()),
    }
}

fn check(config: &Config) -> Result<(), AlertError> {
    let positive = [
        ("interval", config.interval),
        ("query_timeout", config.query_timeout),
        ("evidence_timeout", config.evidence_timeout),
        ("repeat_interval", config.repeat_interval),
    ];
    match positive.into_iter().find(|(_, value)| value.0.is_zero()) {
        Some((key, _)) => Err(AlertError::Zero { key }),
        None => Ok(()),
    }
}

/// The channels with what is stored of them; what waits for others that are gone is given up.
async fn outlets(
    opened: Vec<Arc<Channel>>,
    state: &State,
    metrics: &Metrics,
) -> Result<Vec<Outlet>, StateError> {
    let deliveries = state.deliveries();
    for name in deliveries.counts().await?.into_keys() {
        if !opened.iter().any(|channel| channel.route.channel == name) {
            let outcome = "the channel is no longer configured";
            let given_up = deliveries.abandon(&name, outcome, Timestamp::now()).await?;
            if given_up > 0 {
                tracing::warn!(channel = name, given_up, "notifications of a removed channel were given up");
            }
        }
    }
    let mut outlets = Vec::with_capacity(opened.len());
    for channel in opened {
        let last = deliveries.last_tried(&channel.route.channel).await?;
        let mut health = Health::default();
        if let Some(last) = last {
            health.up = Some(last.state == DeliveryState::Delivered);
            match last.state {
                DeliveryState::Delivered => health.last_success = last.finished_at,
                DeliveryState::Pending | DeliveryState::Failed | DeliveryState::Dead => {
                    health.last_failure = last.finished_at;
                    health.last_error = last.outcome;
                }
            }
        }
        metrics.channel(&channel.route.channel, health.up != Some(false));
        outlets.push(Outlet { channel, health: Arc::new(Mutex::new(health)) });
    }
    Ok(outlets)
}

fn test_notification(by: &str, now: Timestamp) -> Notification {
    let texts = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    Notification {
        status: Status::Firing,
        repeated: false,
        rule_id: "test".to_owned(),
        group: "watchkeeper".to_owned(),
        rule: "ChannelTest".to_owned(),
        time: now,
        alerts: vec![NotifiedAlert {
            id: "test".to_owned(),
            severity: Severity::Info,
            labels: texts(&[("alertname", "ChannelTest"), ("severity", "info")]),
            annotations: texts(&[(
                "summary",
                &format!("{by} asked for this test of the channel; nothing is wrong"),
            )]),
            value: "1".to_owned(),
            active_at: now,
            fired_at: Some(now),
            resolved_at: None,
            resolved_by: None,
            acknowledged_by: None,
            note: None,
            evidence: Vec::new(),
        }],
        more: 0,
    }
}
