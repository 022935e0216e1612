//! What the tests play on.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use ingest::{IngestError, SamplesOutcome};
use model::{Labels, MetricBatch, Timestamp};
use parking_lot::Mutex;
use pipeline::Pipeline;
use promql::Query;
use state::State;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::evaluate::{EvaluateError, Evaluator, Finding};
use crate::notify::Notification;
use crate::series::Sink;
use crate::service::{Alerts, OpenParts};
use crate::{AlertFilter, AlertRecord, AlertState, Channels, Config, Delivery, DeliveryFilter, RuleSet};

/// An HTTP client as the binary makes one.
pub(crate) fn http_client() -> reqwest::Client {
    // The second test finds the provider installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// A rule for a queue's depth that fires after half a minute.
pub(super) const BACKLOG: &str = r#"groups:
  - name: queues
    rules:
      - alert: QueueBacklog
        expr: queue_depth > 100
        for: 30s
        labels: { severity: critical }
        annotations: { summary: "{{ $labels.queue }} holds {{ $value }} tasks" }
        runbook: [oldest_pending_tasks, workers]
"#;

/// Answers as the test says, by the text of the query.
#[derive(Default)]
pub(super) struct Answers(Mutex<BTreeMap<String, Vec<Finding>>>);

impl Answers {
    /// From now on `query` gives these queues with these depths.
    pub(super) fn queues(&self, query: &str, depths: &[(&str, f64)]) {
        let findings = depths
            .iter()
            .map(|(queue, value)| Finding::number(Labels::metric("queue_depth", &[("queue", queue)]), *value))
            .collect();
        self.0.lock().insert(query.to_owned(), findings);
    }

    /// From now on `query` gives these.
    pub(super) fn give(&self, query: &str, findings: Vec<Finding>) {
        self.0.lock().insert(query.to_owned(), findings);
    }

    /// From now on `query` fails.
    pub(super) fn fail(&self, query: &str) {
        self.0.lock().remove(query);
    }
}

#[async_trait]
impl Evaluator for Answers {
    async fn evaluate(&self, query: &Query, time: Timestamp) -> Result<Vec<Finding>, EvaluateError> {
        self.evaluate_here(query, time, &promql::Cancel::never())
    }

    fn evaluate_here(
        &self,
        query: &Query,
        _time: Timestamp,
        _cancel: &promql::Cancel,
    ) -> Result<Vec<Finding>, EvaluateError> {
        let failed = || EvaluateError::Query(promql::Error::Execution("the test wants it so".to_owned()));
        self.0.lock().get(query.text()).cloned().ok_or_else(failed)
    }
}

/// Keeps what is written.
#[derive(Default)]
pub(super) struct Written(pub(super) Mutex<Vec<(Labels, i64, f64)>>);

#[async_trait]
impl Sink for Written {
    async fn write(&self, batch: MetricBatch) -> Result<SamplesOutcome, IngestError> {
        let mut outcome = SamplesOutcome::default();
        for (labels, samples) in batch.iter() {
            for sample in samples {
                let mut written = self.0.lock();
                let known = written
                    .iter()
                    .find(|(known, time_ms, _)| *known == labels.to_owned() && *time_ms == sample.time_ms);
                match known {
                    Some((_, _, value)) if value.to_bits() != sample.value.to_bits() => {
                        outcome.conflicting += 1;
                    }
                    _ => written.push((labels.to_owned(), sample.time_ms, sample.value)),
                }
            }
        }
        Ok(outcome)
    }
}

/// Alerting over the database of a folder, with its clerk at work; ends when it is dropped, as a
/// process that is killed does.
pub(super) struct Stage {
    pub(super) alerts: Arc<Alerts>,
    pub(super) state: State,
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) store: Arc<engine::Engine>,
    pub(super) answers: Arc<Answers>,
    pub(super) written: Arc<Written>,
    pub(super) registry: prometheus::Registry,
    pub(super) stop: CancellationToken,
    _guard: DropGuard,
}

impl Stage {
    pub(super) async fn open(folder: &Path, config: Config, channels: &Channels, rules: &str) -> Self {
        let state = State::open(&folder.join("state.db")).await.expect("a database");
        let registry = prometheus::Registry::new();
        let pipeline = Pipeline::new(pipeline::Config::default(), &registry).expect("live state");
        let (answers, written) = (Arc::<Answers>::default(), Arc::<Written>::default());
        // A store of its own for each opening: one that was dropped may still hold its lock.
        let its_folder = tempfile::tempdir_in(folder).expect("a folder").keep();
        let opened = engine::Engine::open(&its_folder, engine::Config::default(), &registry);
        let store = opened.expect("a store");
        let parts = OpenParts {
            evaluator: Arc::clone(&answers) as Arc<dyn Evaluator>,
            sink: Arc::clone(&written) as Arc<dyn Sink>,
            pipeline: Arc::clone(&pipeline),
            store: Arc::clone(&store) as Arc<dyn store::TelemetryStore>,
            state: state.clone(),
            http: http_client(),
        };
        let rules = RuleSet::parse("rules.yml", rules).expect("valid rules");
        let alerts = Alerts::assemble(config, channels, rules, parts, &registry).await.expect("assembled");
        let stop = CancellationToken::new();
        let clerk = alerts.waiting_clerk.lock().take().expect("a clerk");
        tokio::spawn(clerk.run(stop.clone()));
        let guard = stop.clone().drop_guard();
        Self { alerts, state, pipeline, store, answers, written, registry, stop, _guard: guard }
    }

    /// A stage with one webhook that nobody serves: notifications stay in the queue.
    pub(super) async fn quiet(folder: &Path, rules: &str) -> Self {
        Self::open(folder, Config::default(), &webhook("http://127.0.0.1:9/"), rules).await
    }

    /// Evaluates all groups as of so many seconds after the beginning.
    pub(super) async fn evaluate(&self, seconds: i64) {
        for group in self.alerts.groups().iter() {
            group.evaluate(at(seconds)).await;
        }
    }

    pub(super) async fn all(&self) -> Vec<AlertRecord> {
        let page = state::Page::default();
        self.alerts.list(&AlertFilter::default(), page).await.expect("a list").0
    }

    /// The only alert.
    pub(super) async fn one(&self) -> AlertRecord {
        let mut alerts = self.all().await;
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        alerts.remove(0)
    }

    pub(super) async fn state_of_one(&self) -> AlertState {
        self.one().await.state
    }

    /// What was queued so far, oldest first.
    pub(super) async fn deliveries(&self) -> Vec<Delivery> {
        let page = state::Page::default();
        let mut deliveries =
            self.alerts.deliveries(&DeliveryFilter::default(), page).await.expect("a list").0;
        deliveries.reverse();
        deliveries
    }

    pub(super) async fn subjects(&self) -> Vec<String> {
        self.deliveries().await.into_iter().map(|delivery| delivery.subject).collect()
    }

    pub(super) async fn notifications(&self) -> Vec<Notification> {
        let parsed = |delivery: Delivery| serde_json::from_value(delivery.payload).expect("a notification");
        self.deliveries().await.into_iter().map(parsed).collect()
    }
}

/// So many seconds after the beginning.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_754_083_800_000 + seconds * 1_000)
}

pub(super) fn webhook(url: &str) -> Channels {
    section(serde_json::json!({ "webhook": [{ "name": "hook", "url": url }] }))
}

pub(super) fn section(json: serde_json::Value) -> Channels {
    serde_json::from_value(json).expect("a valid section")
}
