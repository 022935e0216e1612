//! Jobs that run, over a store in memory.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use testkit::eventually;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::runner::tests::{MemoryStore, ingest};
use crate::scrape::{ScrapeConfig, ScrapeSetupError, Scrapes, ScrapingConfig, TargetStatus};

pub(super) struct Stage {
    pub(super) scrapes: Arc<Scrapes>,
    pub(super) store: Arc<MemoryStore>,
    pub(super) registry: prometheus::Registry,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

type Configured = (Arc<Scrapes>, Arc<MemoryStore>, prometheus::Registry);

/// A job that scrapes often.
pub(super) fn job(name: &str, targets: &[String], more: &Value) -> Value {
    let mut job = json!({ "job_name": name, "targets": targets, "every": "200ms", "timeout": "200ms" });
    for (key, value) in more.as_object().expect("keys") {
        job[key] = value.clone();
    }
    job
}

/// What is configured, or why it cannot be.
pub(super) fn configured(
    scraping: Value,
    jobs: &[Value],
    base: &Path,
) -> Result<Configured, ScrapeSetupError> {
    let scraping: ScrapingConfig = serde_json::from_value(scraping).expect("[scraping]");
    let jobs: Vec<ScrapeConfig> =
        jobs.iter().map(|job| serde_json::from_value(job.clone()).expect("a job")).collect();
    let (store, registry) = (Arc::<MemoryStore>::default(), prometheus::Registry::new());
    let scrapes = Scrapes::new(&scraping, &jobs, base, ingest(&store), &registry)?;
    Ok((scrapes, store, registry))
}

impl Stage {
    pub(super) fn new(jobs: &[Value]) -> Self {
        Self::with(json!({}), jobs, Path::new(""))
    }

    pub(super) fn with(scraping: Value, jobs: &[Value], base: &Path) -> Self {
        let (scrapes, store, registry) = configured(scraping, jobs, base).expect("a configuration");
        let stop = CancellationToken::new();
        let task = tokio::spawn(Arc::clone(&scrapes).run(stop.clone()));
        Self { scrapes, store, registry, stop, task }
    }

    /// Stops, and waits until everything has ended.
    pub(super) async fn stop(self) -> Arc<MemoryStore> {
        self.stop.cancel();
        self.task.await.expect("no panic");
        self.store
    }

    /// The target at this address, once `ready` holds for it.
    pub(super) async fn target(&self, url: &str, ready: impl Fn(&TargetStatus) -> bool) -> TargetStatus {
        let found = eventually("a target to be as wanted", || async {
            Ok(self.scrapes.targets().into_iter().find(|target| target.url.contains(url) && ready(target)))
        });
        found.await.unwrap_or_else(|error| panic!("{url}: {error:#}; {:#?}", self.scrapes.targets()))
    }

    /// Waits until a target has failed, and gives the reason.
    pub(super) async fn failure(&self, url: &str) -> String {
        self.target(url, |target| target.last_error.is_some()).await.last_error.expect("waited for")
    }

    /// Waits until the newest value of a series is as wanted.
    pub(super) async fn last(&self, series: &str, wanted: impl Fn(f64) -> bool) -> f64 {
        let found = eventually("a value to be as wanted", || async {
            Ok(self.store.values(series).last().copied().filter(|value| wanted(*value)))
        });
        found.await.unwrap_or_else(|error| panic!("{series}: {error:#}; {:?}", self.store.values(series)))
    }

    /// Waits until a series has ended.
    pub(super) async fn ended(&self, series: &str) {
        self.last(series, model::is_stale).await;
    }
}
