//! The whole way with everything real: store, query engine, live state, clock, webhook.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use ingest::{Ingest, Limits, Redaction, Redactor, Source};
use model::{DurationText, Labels, MetricBatch, Timestamp};
use pipeline::{Pipeline, QueueSnapshot, QueueState, QueueTask};
use promql::{Cancel, Query, Value};
use state::State;
use store::TelemetryStore;
use testkit::eventually;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::listener::listen;
use super::stage::{http_client, webhook};
use crate::{AlertFilter, AlertRecord, AlertState, Alerts, Config, Parts, Rule, RuleSet};

const RULES: &str = r#"groups:
  - name: queues
    rules:
      - record: queue:pending:sum
        expr: sum by (queue) (queue_depth{state="pending"})
      - alert: QueueBacklog
        expr: queue:pending:sum > 100
        for: 500ms
        labels: { severity: critical }
        annotations: { summary: "{{ $labels.queue }} holds {{ $value | printf \"%.0f\" }} tasks" }
        runbook: [oldest_pending_tasks, collectors_down]
"#;

/// A house with all that alerting needs.
struct House {
    engine: Arc<engine::Engine>,
    promql: promql::Engine,
    ingest: Arc<Ingest>,
    state: State,
    alerts: Arc<Alerts>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl House {
    async fn open(folder: &Path, url: &str) -> Result<Self> {
        let registry = prometheus::Registry::new();
        let engine = engine::Engine::open(folder, engine::Config::default(), &registry)?;
        let store = Arc::clone(&engine) as Arc<dyn TelemetryStore>;
        let redactor = Redactor::new(&Redaction::default())?;
        let day = Duration::from_secs(86_400);
        let ingest = Ingest::new(Arc::clone(&store), Limits::default(), redactor, day, &registry)?;
        let pipeline = Pipeline::new(pipeline::Config::default(), &registry)?;
        pipeline.queues().observe(snapshot());
        let state = State::open(&folder.join("state.db")).await?;
        let promql = promql::Engine::new(Arc::clone(&store), promql::Limits::default());
        let parts = Parts {
            engine: promql.clone(),
            pipeline,
            store: Arc::clone(&store),
            state: state.clone(),
            ingest: Arc::clone(&ingest),
            http: http_client(),
        };
        let config = Config { interval: DurationText(Duration::from_millis(100)), ..Config::default() };
        let rules = RuleSet::parse("rules.yml", RULES)?;
        let alerts = Alerts::new(config, &webhook(url), rules, parts, &registry).await?;
        let stop = CancellationToken::new();
        let running = tokio::spawn(Arc::clone(&alerts).run(stop.clone()));
        Ok(Self { engine, promql, ingest, state, alerts, stop, running })
    }

    async fn close(self) -> Result<()> {
        self.stop.cancel();
        self.running.await?;
        self.state.close().await;
        let engine = self.engine;
        tokio::task::spawn_blocking(move || engine.shutdown()).await?;
        Ok(())
    }

    async fn depth(&self, depth: f64) -> Result<()> {
        let labels = Labels::metric("queue_depth", &[("queue", "llm_tasks"), ("state", "pending")]);
        let mut batch = MetricBatch::new();
        batch.push_one(&labels, Timestamp::now().as_millis(), depth);
        self.ingest.append_metrics(Source::Collector, batch).await?;
        Ok(())
    }

    async fn until(&self, state: AlertState) -> Result<AlertRecord> {
        eventually(state.as_str(), || async {
            let page = state::Page::default();
            let (alerts, _) = self.alerts.list(&AlertFilter::default(), page).await?;
            let rules = self.alerts.rules();
            let failing = rules.iter().find_map(|rule| rule.last_error.clone());
            ensure!(failing.is_none(), "{failing:?}");
            Ok(alerts.into_iter().find(|alert| alert.state == state))
        })
        .await
    }

    /// How many series a query gives now.
    async fn count(&self, query: &str) -> Result<usize> {
        self.count_of(Query::parse(query)?).await
    }

    async fn count_of(&self, query: Query) -> Result<usize> {
        let engine = self.promql.clone();
        let output =
            tokio::task::spawn_blocking(move || engine.instant(&query, Timestamp::now(), &Cancel::never()))
                .await??;
        match output.value {
            Value::Vector(samples) => Ok(samples.len()),
            other => anyhow::bail!("{other:?}"),
        }
    }
}

fn snapshot() -> QueueSnapshot {
    let now = Timestamp::now();
    let task = QueueTask {
        id: "task-17".to_owned(),
        kind: Some("summary".to_owned()),
        document_id: Some("doc-4".to_owned()),
        priority: Some(5.0),
        created_at: Some(now.before(Duration::from_secs(125))),
        first_seen: now,
        state: QueueState::Pending,
        payload_hash: "00".to_owned(),
        payload_bytes: 10,
        score: None,
        position: None,
    };
    QueueSnapshot {
        queue: "llm_tasks".to_owned(),
        system: "redis".to_owned(),
        time: now,
        depth: BTreeMap::from([(QueueState::Pending, 150)]),
        tasks: vec![task],
        oldest_age_seconds: BTreeMap::new(),
        enqueued_total: None,
        completed_total: None,
        failed_total: None,
        ok: true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_in_the_store_reaches_people_with_its_oldest_tasks_and_survives_a_restart() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (port, requests) = listen(&["200 OK"]).await?;
    let url = format!("http://127.0.0.1:{port}/");
    let house = House::open(folder.path(), &url).await?;
    house.depth(150.0).await?;
    house.until(AlertState::Pending).await?;
    let fired = house.until(AlertState::Firing).await?;
    ensure!(fired.annotations["summary"] == "llm_tasks holds 150 tasks", "{fired:?}");
    let told =
        eventually("the webhook to be called", || async { Ok(requests.lock().first().cloned()) }).await?;
    let evidence = &told.1["alerts"][0]["evidence"];
    ensure!(evidence[0]["rows"][0][1] == "task-17", "{evidence}");
    ensure!(evidence[0]["rows"][0][5].as_str().is_some_and(|age| age.starts_with("2m ")), "{evidence}");
    ensure!(evidence[1]["note"] == "every collector works", "{evidence}");
    eventually("the alert to be a series", || async {
        let firing = house.count(r#"ALERTS{alertname="QueueBacklog",alertstate="firing"}"#).await?;
        let pending = house.count(r#"ALERTS{alertstate="pending"}"#).await?;
        Ok((firing == 1 && pending == 0).then_some(()))
    })
    .await?;
    house.alerts.acknowledge(&fired.id, "ann", Some("adding workers")).await?;
    house.close().await?;

    let house = House::open(folder.path(), &url).await?;
    eventually("the rules to be evaluated", || async {
        let evaluated = house.alerts.rules().iter().all(|rule| rule.last_evaluation.is_some());
        Ok(evaluated.then_some(()))
    })
    .await?;
    let kept = house.until(AlertState::Acknowledged).await?;
    ensure!(kept.id == fired.id && kept.fired_at == fired.fired_at, "{kept:?}");
    ensure!(requests.lock().len() == 1, "it was told again");
    house.depth(0.0).await?;
    let over = house.until(AlertState::Resolved).await?;
    ensure!(over.acknowledged_by.as_deref() == Some("ann"), "{over:?}");
    let told = eventually("the end to be told", || async { Ok(requests.lock().get(1).cloned()) }).await?;
    ensure!(
        told.1["status"] == "resolved" && told.1["groupKey"] == requests.lock()[0].1["groupKey"],
        "{told:?}"
    );
    let detail = house.alerts.get(&fired.id).await?.context("the alert is there")?;
    let steps: Vec<_> = detail.history.iter().rev().map(|step| (step.to, step.actor.as_deref())).collect();
    ensure!(
        steps
            == [
                (AlertState::Pending, None),
                (AlertState::Firing, None),
                (AlertState::Acknowledged, Some("ann")),
                (AlertState::Resolved, None),
            ],
        "{steps:?}"
    );
    house.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_ours_is_no_restart_of_a_worker() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let house = House::open(folder.path(), "http://127.0.0.1:9/").await?;
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let rules = RuleSet::load(&["pipeline.yml".to_owned()], &shipped)?;
    let rule = rules
        .rules()
        .find_map(|rule| match rule.as_ref() {
            Rule::Alert(alert) if alert.name == "WorkerRestartsOften" => Some(alert),
            _ => None,
        })
        .context("the rule is there")?;
    // The count of restarts begins at zero with us, so it falls when we start again.
    let once = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0];
    let twice_at_once = [0.0, 0.0, 0.0, 2.0, 2.0, 2.0];
    let now = Timestamp::now();
    let mut batch = MetricBatch::new();
    for (worker, counts) in [("once", once), ("twice", twice_at_once)] {
        let restarts = Labels::metric("worker_restarts_total", &[("worker", worker)]);
        let uptime = Labels::metric("worker_uptime_seconds", &[("worker", worker)]);
        for (count, age) in counts.into_iter().zip((0..6_u64).rev()) {
            let time = now.before(Duration::from_secs(age * 15)).as_millis();
            batch.push_one(&restarts, time, count);
        }
        batch.push_one(&uptime, now.as_millis(), 60.0);
    }
    house.ingest.append_metrics(Source::Collector, batch).await?;
    ensure!(house.count_of(rule.query.clone()).await? == 1, "only the one that restarted twice");
    house.close().await
}
