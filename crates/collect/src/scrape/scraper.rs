//! One target: a task that asks it at its moments, stores what it shows, and writes down how that went.

mod clock;

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{DurationText, Labels, MetricBatch, STALE_NAN, Timestamp};
use parking_lot::Mutex;
use protocol::exposition::{self, Options};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::body::{Body, Room};
use super::error::ScrapeError;
use super::http::{reason, refused};
use super::job::Job;
use super::metrics::Metrics;
use super::protocols;
use super::series::{Counts, Series, Taken};
use super::status::{Health, TargetStatus};
use super::store::Store;
use super::target::Target;
use crate::runner::panic_text;
use clock::Clock;

/// What all targets share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) metrics: Metrics,
    /// Targets that are asked at the same moment.
    pub(super) asking: Arc<Semaphore>,
    /// Bodies that are unpacked and read at the same moment.
    pub(super) reading: Arc<Semaphore>,
    pub(super) room: Room,
    /// The places for targets of all jobs.
    pub(super) max_targets: usize,
}

/// What a job says to its targets.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) job: Arc<Job>,
    /// Why none of its targets is asked.
    pub(super) refused: Option<String>,
}

/// A target with its task's state.
pub(super) struct Scraper {
    target: Target,
    orders: watch::Receiver<Order>,
    shared: Shared,
    status: Arc<Mutex<TargetStatus>>,
    series: Arc<Mutex<Series>>,
    reports: Reports,
}

impl Scraper {
    pub(super) fn new(target: Target, orders: watch::Receiver<Order>, shared: Shared) -> Self {
        let job = Arc::clone(&orders.borrow().job);
        let status = TargetStatus {
            pool: job.name.clone(),
            discovered: target.discovered.clone(),
            labels: target.labels.clone(),
            url: target.url.to_string(),
            health: Health::Unknown,
            last_error: None,
            last_scrape: None,
            last_duration: Duration::ZERO,
            interval: target.interval,
            timeout: target.timeout,
        };
        let reports = Reports::new(&target.labels);
        Self { target, orders, shared, status: Arc::new(Mutex::new(status)), series: Arc::default(), reports }
    }

    pub(super) fn status(&self) -> Arc<Mutex<TargetStatus>> {
        Arc::clone(&self.status)
    }

    pub(super) fn series(&self) -> Arc<Mutex<Series>> {
        Arc::clone(&self.series)
    }

    /// Asks until `stop`; then ends all series.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut clock = Clock::new(self.target.interval, self.target.id);
        let mut last_ms = i64::MIN;
        loop {
            let due = clock.next(Timestamp::now().as_millis());
            let waited = stop.run_until_cancelled(clock::sleep_until(due)).await;
            if waited.is_none() {
                break;
            }
            let now = Timestamp::now().as_millis();
            let at_ms = clock.snap(due, now);
            if at_ms != due {
                self.shared.metrics.late.inc();
            }
            last_ms = last_ms.max(at_ms);
            if stop.run_until_cancelled(self.scrape(at_ms)).await.is_none() {
                break;
            }
        }
        self.end(last_ms).await;
    }

    /// One scrape: ask, read, store, write down.
    async fn scrape(&mut self, at_ms: i64) {
        let begun = Instant::now();
        let order = self.orders.borrow_and_update().clone();
        let read = match order.refused {
            Some(reason) => Err((ScrapeError::TargetLimit(reason), Counts::default())),
            None => self.read(&order.job, at_ms).await,
        };
        let took = begun.elapsed();
        let (mut taken, mut error) = match read {
            Ok(taken) => (taken, None),
            Err((error, counts)) => {
                let mut taken = Taken { counts, ..Taken::default() };
                self.series.lock().end(at_ms, &mut taken.batch);
                (taken, Some(error))
            }
        };
        let counts = taken.counts;
        self.reports.add(&mut taken.batch, at_ms, error.is_none(), took, counts);
        if let Err(unstored) = self.shared.store.put(taken).await {
            error.get_or_insert(unstored);
        }
        self.note(error, at_ms, took);
    }

    /// What the target shows, read.
    async fn read(&self, job: &Arc<Job>, at_ms: i64) -> Result<Taken, (ScrapeError, Counts)> {
        let none = |error| (error, Counts::default());
        let body = tokio::time::timeout(self.target.timeout, self.ask(job));
        let body = body
            .await
            .unwrap_or(Err(ScrapeError::TimedOut(DurationText(self.target.timeout))))
            .map_err(none)?;
        let turn = Arc::clone(&self.shared.reading).acquire_owned().await;
        let turn = turn.map_err(|_| none(ScrapeError::Panicked("the program is ending".to_owned())))?;
        let (job, labels) = (Arc::clone(job), self.target.labels.clone());
        let series = Arc::clone(&self.series);
        let reading =
            tokio::task::spawn_blocking(move || read_body(body, &job, &labels, &series, at_ms, turn));
        reading.await.unwrap_or_else(|error| {
            let what = match error.try_into_panic() {
                Ok(panic) => panic_text(&*panic),
                Err(_) => "the program is ending".to_owned(),
            };
            Err(none(ScrapeError::Panicked(what)))
        })
    }

    /// Asks, and reads the body.
    async fn ask(&self, job: &Job) -> Result<Body, ScrapeError> {
        let _turn = self.shared.asking.acquire().await;
        let request = job.client.get(self.target.url.clone()).await.map_err(ScrapeError::Refused)?;
        let encoding = if job.packed { "gzip" } else { "identity" };
        let request = request
            .header(ACCEPT, job.accept.as_str())
            .header(ACCEPT_ENCODING, encoding)
            .header("X-Prometheus-Scrape-Timeout-Seconds", self.target.timeout.as_secs_f64().to_string());
        let response = request.send().await.map_err(|error| ScrapeError::Unreachable(reason(&error)))?;
        match refused(&response) {
            Some(refused) => Err(ScrapeError::Refused(refused)),
            None => Body::read(response, job.limits.body, &self.shared.room).await,
        }
    }

    /// Writes down how a scrape went, and logs what is news.
    fn note(&self, error: Option<ScrapeError>, at_ms: i64, took: Duration) {
        let outcome = error.as_ref().map_or("ok", ScrapeError::outcome);
        self.shared.metrics.scrapes.with_label_values(&[outcome]).inc();
        let health = if error.is_none() { Health::Up } else { Health::Down };
        let error = error.map(|error| error.to_string());
        let mut status = self.status.lock();
        let is_news = status.health != health || status.last_error != error;
        status.health = health;
        status.last_error.clone_from(&error);
        status.last_scrape = Some(Timestamp::from_millis(at_ms));
        status.last_duration = took;
        let (job, target) = (status.pool.clone(), crate::probes::shown_url(&self.target.url));
        drop(status);
        match error {
            Some(error) if is_news => tracing::warn!(job, target, %error, "a target cannot be scraped"),
            None if is_news => tracing::info!(job, target, "a target is scraped"),
            _ => {}
        }
    }

    /// Ends all series: the target is gone, or we are.
    async fn end(&self, last_ms: i64) {
        if last_ms == i64::MIN {
            return;
        }
        // After the last sample, whatever the clock says.
        let at_ms = Timestamp::now().as_millis().max(last_ms.saturating_add(1));
        let mut batch = MetricBatch::new();
        self.series.lock().end(at_ms, &mut batch);
        self.reports.end(&mut batch, at_ms);
        if let Err(error) = self.shared.store.put_samples(batch).await {
            tracing::warn!(%error, "the end of the series of a target could not be stored");
        }
    }
}

/// Unpacks and reads a body. Takes the processor for as long as that takes.
fn read_body(
    mut body: Body,
    job: &Job,
    target: &Labels,
    series: &Mutex<Series>,
    at_ms: i64,
    _turn: OwnedSemaphorePermit,
) -> Result<Taken, (ScrapeError, Counts)> {
    let none = |error| (error, Counts::default());
    let format = protocols::format_of(&body.content_type).or(job.fallback).ok_or_else(|| {
        let kind: String = body.content_type.chars().take(100).collect();
        none(ScrapeError::ContentType(format!(
            "the type of the body, `{kind}`, is none that is known: set `fallback_scrape_protocol` if it is one"
        )))
    })?;
    // What is read takes several times the memory of what was sent.
    let options = Options {
        max_bytes: job.limits.body.saturating_mul(4).max(1 << 20),
        classic_histograms: job.classic_histograms,
    };
    let bytes = body.unpack().map_err(none)?;
    let shown = exposition::decode(format, bytes, &options).map_err(|error| none(error.into()))?;
    series.lock().take(&shown, job, target, at_ms)
}

/// The series that say how scraping a target goes.
struct Reports {
    up: Labels,
    duration: Labels,
    scraped: Labels,
    kept: Labels,
    added: Labels,
}

impl Reports {
    fn new(target: &Labels) -> Self {
        let series = |name: &str| {
            let mut labels = target.to_builder();
            labels.set(model::labels::METRIC_NAME, name);
            labels.build()
        };
        Self {
            up: series("up"),
            duration: series("scrape_duration_seconds"),
            scraped: series("scrape_samples_scraped"),
            kept: series("scrape_samples_post_metric_relabeling"),
            added: series("scrape_series_added"),
        }
    }

    fn add(&self, batch: &mut MetricBatch, at_ms: i64, up: bool, took: Duration, counts: Counts) {
        batch.push_one(&self.up, at_ms, f64::from(u8::from(up)));
        batch.push_one(&self.duration, at_ms, took.as_secs_f64());
        batch.push_one(&self.scraped, at_ms, counts.shown as f64);
        batch.push_one(&self.kept, at_ms, counts.kept as f64);
        batch.push_one(&self.added, at_ms, counts.added as f64);
    }

    fn end(&self, batch: &mut MetricBatch, at_ms: i64) {
        for labels in [&self.up, &self.duration, &self.scraped, &self.kept, &self.added] {
            batch.push_one(labels, at_ms, STALE_NAN);
        }
    }
}
