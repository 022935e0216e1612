//! The targets of one job: those that are found are asked, those that are gone are not any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::discovery::{Found, Source};
use super::job::Job;
use super::scraper::{Order, Scraper, Shared};
use super::series::Series;
use super::status::{DroppedTarget, PoolStatus, TargetMetadata, TargetStatus};
use super::target::{Resolved, Target, resolve};

/// The targets of a job.
pub(super) struct Pool {
    orders: watch::Sender<Order>,
    /// Targets of all jobs; whoever asks one has a place.
    places: Arc<Semaphore>,
    shared: Shared,
    state: Mutex<State>,
    stop: CancellationToken,
}

#[derive(Default)]
struct State {
    running: BTreeMap<u64, Running>,
    dropped: Vec<DroppedTarget>,
    dropped_count: usize,
    problem: Option<String>,
}

/// A target that is asked.
struct Running {
    status: Arc<Mutex<TargetStatus>>,
    series: Arc<Mutex<Series>>,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

/// A source with what it found, and when it is looked at again.
struct Watched<'a> {
    source: &'a Source,
    found: Found,
    next: Option<Instant>,
}

/// What is to be asked, of everything that was found.
#[derive(Default)]
struct Wanted {
    targets: BTreeMap<u64, Target>,
    dropped: Vec<DroppedTarget>,
    dropped_count: usize,
    refused: u64,
    problem: Option<String>,
}

impl Pool {
    pub(super) fn new(job: Arc<Job>, places: Arc<Semaphore>, shared: Shared) -> Arc<Self> {
        let (orders, _) = watch::channel(Order { job, refused: None });
        let stop = CancellationToken::new();
        Arc::new(Self { orders, places, shared, state: Mutex::default(), stop })
    }

    /// Works by another job of the same name from now on.
    pub(super) fn change(&self, job: Arc<Job>) {
        self.orders.send_replace(Order { job, refused: None });
    }

    pub(super) fn fingerprint(&self) -> u64 {
        self.orders.borrow().job.fingerprint
    }

    /// Asks no target any more, and lets their series end.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    /// Finds targets and has them asked until [`stop`](Self::stop).
    pub(super) async fn run(self: Arc<Self>) {
        let tasks = TaskTracker::new();
        let mut orders = self.orders.subscribe();
        loop {
            let job = Arc::clone(&orders.borrow_and_update().job);
            let changed = async {
                // The sender is ours, so this ends with a change alone; our own orders are for the same job.
                while orders.changed().await.is_ok()
                    && orders.borrow_and_update().job.fingerprint == job.fingerprint
                {}
            };
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                () = changed => {}
                () = self.watch(&job, &tasks) => {}
            }
        }
        for (_, running) in std::mem::take(&mut self.state.lock().running) {
            running.stop.cancel();
        }
        tasks.close();
        tasks.wait().await;
        self.shared.metrics.targets.set(self.taken_places());
    }

    /// Looks for targets again and again.
    async fn watch(&self, job: &Arc<Job>, tasks: &TaskTracker) {
        let now = Some(Instant::now());
        let mut watched: Vec<Watched<'_>> =
            job.sources.iter().map(|source| Watched { source, found: Found::default(), next: now }).collect();
        if watched.is_empty() {
            self.settle(job, &watched, tasks);
        }
        loop {
            let now = Instant::now();
            let mut is_news = false;
            for one in watched.iter_mut().filter(|one| one.next.is_some_and(|next| next <= now)) {
                is_news |= one.source.look(&mut one.found).await;
                one.next = one.source.interval().map(|interval| Instant::now() + interval);
            }
            if is_news {
                self.settle(job, &watched, tasks);
            }
            match watched.iter().filter_map(|one| one.next).min() {
                Some(next) => tokio::time::sleep_until(next).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Has asked what is to be asked, and nothing else.
    fn settle(&self, job: &Arc<Job>, watched: &[Watched<'_>], tasks: &TaskTracker) {
        let mut wanted = Wanted::of(job, watched);
        let refused = (wanted.targets.len() > job.limits.targets).then(|| {
            format!(
                "the job has {} targets, the limit is {} (target_limit)",
                wanted.targets.len(),
                job.limits.targets
            )
        });
        self.orders.send_replace(Order { job: Arc::clone(job), refused });
        // What could not be looked at even once may well have what is asked already.
        let is_whole = watched.iter().all(|one| one.found.is_known());
        let mut state = self.state.lock();
        state.running.retain(|id, running| {
            if let Some(target) = wanted.targets.remove(id) {
                running.status.lock().discovered = target.discovered;
                return true;
            }
            if is_whole {
                running.stop.cancel();
            }
            !is_whole
        });
        for (id, target) in wanted.targets {
            let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                wanted.refused += 1;
                wanted.problem = Some("all places of scraping.max_targets are taken".to_owned());
                continue;
            };
            let scraper = Scraper::new(target, self.orders.subscribe(), self.shared.clone());
            let stop = CancellationToken::new();
            let running = Running {
                status: scraper.status(),
                series: scraper.series(),
                stop: stop.clone(),
                _place: place,
            };
            state.running.insert(id, running);
            tasks.spawn(scraper.run(stop));
        }
        if wanted.problem.is_some() && state.problem != wanted.problem {
            tracing::warn!(
                job = job.name,
                problem = wanted.problem,
                "not all targets of a job can be scraped"
            );
        }
        state.dropped = wanted.dropped;
        state.dropped_count = wanted.dropped_count;
        state.problem = wanted.problem;
        drop(state);
        self.shared.metrics.refused_targets.inc_by(wanted.refused);
        self.shared.metrics.targets.set(self.taken_places());
    }

    fn taken_places(&self) -> i64 {
        let taken = self.shared.max_targets.saturating_sub(self.places.available_permits());
        i64::try_from(taken).unwrap_or(i64::MAX)
    }

    pub(super) fn targets(&self) -> Vec<TargetStatus> {
        self.state.lock().running.values().map(|running| running.status.lock().clone()).collect()
    }

    pub(super) fn dropped(&self) -> Vec<DroppedTarget> {
        self.state.lock().dropped.clone()
    }

    pub(super) fn status(&self) -> PoolStatus {
        let state = self.state.lock();
        PoolStatus {
            name: self.orders.borrow().job.name.clone(),
            dropped: state.dropped_count,
            problem: state.problem.clone(),
        }
    }

    /// What targets say of their families. Waits for scrapes that are being read.
    pub(super) fn metadata(&self) -> Vec<TargetMetadata> {
        let state = self.state.lock();
        let all: Vec<_> = state
            .running
            .values()
            .map(|running| (running.status.lock().labels.clone(), Arc::clone(&running.series)))
            .collect();
        drop(state);
        all.into_iter()
            .map(|(target, series)| TargetMetadata { target, metadata: Arc::new(series.lock().metadata()) })
            .collect()
    }
}

impl Wanted {
    fn of(job: &Job, watched: &[Watched<'_>]) -> Self {
        let mut wanted = Self::default();
        for found in watched.iter().map(|one| &one.found) {
            if let Some(error) = &found.error {
                wanted.problem = Some(error.clone());
            }
            for labels in found.targets() {
                match resolve(job, &labels) {
                    Ok(Resolved::Target(target)) => {
                        wanted.targets.insert(target.id, target);
                    }
                    Ok(Resolved::Dropped(discovered)) => {
                        wanted.dropped_count += 1;
                        if wanted.dropped.len() < job.kept_dropped {
                            wanted.dropped.push(DroppedTarget { pool: job.name.clone(), discovered });
                        }
                    }
                    Err(problem) => {
                        wanted.refused += 1;
                        wanted.problem = Some(problem);
                    }
                }
            }
        }
        wanted
    }
}
