//! One target: a task that asks it at its moments, stores what it shows, and writes down how that went.

mod clock;

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{DurationText, Labels, MetricBatch, Timestamp};
use parking_lot::Mutex;
use protocol::exposition::{self, Options};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::body::Body;
use super::deadline::Deadline;
use super::error::ScrapeError;
use super::failure_log::{Failure, FailureLog};
use super::job::Job;
use super::metrics::Metrics;
use super::protocols;
use super::report::{Extra, Report, Reports};
use super::room::Room;
use super::series::{Counts, Series, Taken};
use super::status::{Health, TargetStatus};
use super::store::Store;
use super::target::{Target, Timing};
use super::turn::Turn;
use crate::runner::panic_text;
use clock::Clock;

/// What is said of a target that was not asked when it was due.
const SKIPPED: &str = "it was not asked, for others took all places of scraping.max_concurrent for an interval: \
                       allow more, or ask those that do not answer less often";

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
    pub(super) failures: FailureLog,
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
    timing: watch::Receiver<Timing>,
    shared: Shared,
    status: Arc<Mutex<TargetStatus>>,
    series: Arc<Mutex<Series>>,
    reports: Reports,
}

impl Scraper {
    pub(super) fn new(
        target: Target,
        orders: watch::Receiver<Order>,
        timing: watch::Receiver<Timing>,
        shared: Shared,
    ) -> Self {
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
            interval: target.timing.interval,
            timeout: target.timing.timeout,
        };
        let reports = Reports::new(&target.labels);
        let status = Arc::new(Mutex::new(status));
        Self { target, orders, timing, shared, status, series: Arc::default(), reports }
    }

    pub(super) fn status(&self) -> Arc<Mutex<TargetStatus>> {
        Arc::clone(&self.status)
    }

    pub(super) fn series(&self) -> Arc<Mutex<Series>> {
        Arc::clone(&self.series)
    }

    /// Asks until `stop`; then ends all series.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut clock = Clock::new(self.timing.borrow_and_update().interval, self.target.id);
        let mut last_ms = i64::MIN;
        loop {
            let due = clock.next(Timestamp::now().as_millis());
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                changed = self.timing.changed() => match changed {
                    Ok(()) => {
                        clock = Clock::new(self.timing.borrow().interval, self.target.id);
                        continue;
                    }
                    // Whoever had us asked has let go.
                    Err(_) => break,
                },
                () = clock::sleep_until(due) => {}
            }
            let Some(turn) = stop.run_until_cancelled(self.turn()).await else { break };
            let Some(turn) = turn else {
                self.skip();
                continue;
            };
            let now = Timestamp::now().as_millis();
            let at_ms = clock.snap(due, now);
            if at_ms != due {
                self.shared.metrics.late.inc();
            }
            last_ms = last_ms.max(at_ms);
            if stop.run_until_cancelled(self.scrape(at_ms, turn)).await.is_none() {
                break;
            }
        }
        self.end(last_ms).await;
    }

    /// A place among the targets that are asked at the same moment; nothing when an interval passes without one.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let interval = self.timing.borrow().interval;
        let turn = Arc::clone(&self.shared.asking).acquire_owned();
        tokio::time::timeout(interval, turn).await.ok()?.ok()
    }

    /// Counts a scrape that had no place. Nothing is known of the target, so its series neither go on nor end.
    fn skip(&self) {
        self.shared.metrics.scrapes.with_label_values(&["skipped"]).inc();
        let mut status = self.status.lock();
        let is_news = status.last_error.as_deref() != Some(SKIPPED);
        status.last_error = Some(SKIPPED.to_owned());
        let job = status.pool.clone();
        drop(status);
        if is_news {
            let target = crate::probes::shown_url(&self.target.url);
            tracing::warn!(job, target, "{SKIPPED}");
        }
    }

    /// One scrape: ask, read, store, write down.
    async fn scrape(&mut self, at_ms: i64, turn: OwnedSemaphorePermit) {
        let begun = Instant::now();
        let order = self.orders.borrow_and_update().clone();
        let read = match order.refused {
            Some(reason) => Err((ScrapeError::TargetLimit(reason), Counts::default())),
            None => self.read(&order.job, at_ms, turn).await,
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
        self.shared.metrics.left_out.inc_by(counts.left_out as u64);
        let extra = order.job.extra_metrics.then(|| self.extra(&order.job, counts, error.as_ref()));
        let report = Report { is_up: error.is_none(), took, counts, extra };
        self.reports.add(&mut taken.batch, at_ms, &report);
        let left_out = taken.left_out.take();
        let refused = match self.shared.store.put(taken).await {
            Ok(refused) => refused,
            Err(unstored) => {
                error.get_or_insert(unstored);
                None
            }
        };
        if let (Some(path), Some(error)) = (&order.job.failure_log, &error) {
            let (reason, target) = (error.to_string(), crate::probes::shown_url(&self.target.url));
            let failure = Failure::new(at_ms, &reason, &order.job.name, &target);
            self.shared.failures.write(path, &failure).await;
        }
        let refused: Vec<String> = left_out.into_iter().chain(refused).collect();
        self.note(error, (!refused.is_empty()).then(|| refused.join("; ")), at_ms, took);
    }

    fn extra(&self, job: &Job, counts: Counts, error: Option<&ScrapeError>) -> Extra {
        let is_too_large = error.is_some_and(ScrapeError::is_of_size);
        let limit = job.limits.samples;
        Extra {
            timeout: self.timing.borrow().timeout,
            sample_limit: if limit == usize::MAX { 0 } else { limit },
            body_bytes: if is_too_large { -1.0 } else { counts.body as f64 },
        }
    }

    /// What the target shows, read.
    async fn read(
        &self,
        job: &Arc<Job>,
        at_ms: i64,
        turn: OwnedSemaphorePermit,
    ) -> Result<Taken, (ScrapeError, Counts)> {
        let none = |error| (error, Counts::default());
        let timeout = self.timing.borrow().timeout;
        let body = self.ask(job, Deadline::after(timeout)).await.map_err(none)?;
        drop(turn);
        let turn = Turn::take(&self.shared.reading).await;
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
    async fn ask(&self, job: &Job, deadline: Deadline) -> Result<Body, ScrapeError> {
        let request = deadline.bound(job.client.get(self.target.url.clone())).await;
        let request = request.map_err(|_| ScrapeError::NoCredentials(DurationText(deadline.timeout())))?;
        let request = request.map_err(ScrapeError::Refused)?;
        let encoding = if job.packed { "gzip" } else { "identity" };
        let request = request
            .header(ACCEPT, job.accept.as_str())
            .header(ACCEPT_ENCODING, encoding)
            .header("X-Prometheus-Scrape-Timeout-Seconds", deadline.timeout().as_secs_f64().to_string());
        let response = deadline.bound(job.client.send(request)).await??;
        Body::read(response, job.limits.body, &self.shared.room, deadline).await
    }

    /// Writes down how a scrape went, and logs what is news. A scrape of which samples were `refused` has succeeded.
    fn note(&self, error: Option<ScrapeError>, refused: Option<String>, at_ms: i64, took: Duration) {
        let outcome = error.as_ref().map_or("ok", ScrapeError::outcome);
        self.shared.metrics.scrapes.with_label_values(&[outcome]).inc();
        let health = if error.is_none() { Health::Up } else { Health::Down };
        let refused = refused.map(|refused| format!("not all of it is stored: {refused}"));
        let error = error.map(|error| error.to_string()).or(refused);
        let mut status = self.status.lock();
        let is_news = status.health != health || status.last_error != error;
        status.health = health;
        status.last_error.clone_from(&error);
        status.last_scrape = Some(Timestamp::from_millis(at_ms));
        status.last_duration = took;
        let (job, target) = (status.pool.clone(), crate::probes::shown_url(&self.target.url));
        drop(status);
        match error {
            Some(error) if is_news && health == Health::Up => {
                tracing::warn!(job, target, %error, "what a target shows is refused");
            }
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
    mut turn: Turn,
) -> Result<Taken, (ScrapeError, Counts)> {
    let none = |error| (error, Counts::default());
    let format = protocols::format_of(&body.content_type).or(job.fallback);
    let format = format.ok_or_else(|| none(ScrapeError::of_type(&body.content_type)))?;
    // What is read takes several times the memory of what was sent.
    let options = Options {
        max_bytes: job.limits.body.saturating_mul(4).max(1 << 20),
        native_histograms: job.native_histograms,
        classic_histograms: job.classic_histograms,
        custom_histograms: job.custom_histograms,
    };
    let bytes = body.unpack(&mut turn).map_err(none)?;
    let size = bytes.len();
    let read = match exposition::decode(format, bytes, &options) {
        Ok(shown) => series.lock().take(&shown, job, target, at_ms),
        Err(error) => Err(none(error.into())),
    };
    read.map(|taken| Taken { counts: Counts { body: size, ..taken.counts }, ..taken })
        .map_err(|(error, counts)| (error, Counts { body: size, ..counts }))
}
