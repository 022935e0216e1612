//! All jobs: those of our own configuration and those of Prometheus' files, which are read again when they change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ingest::Ingest;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::config::{ScrapeConfig, ScrapingConfig};
use super::error::ScrapeSetupError;
use super::failure_log::FailureLog;
use super::files;
use super::form::ScrapeWarning;
use super::globals::Globals;
use super::job::{Job, Surroundings};
use super::metrics::Metrics;
use super::pool::Pool;
use super::room::Room;
use super::scraper::Shared;
use super::status::{DroppedTarget, PoolStatus, TargetMetadata, TargetStatus};
use super::store::Store;
use crate::trust::Authorities;

/// How often is looked whether a file has changed.
const WATCH: Duration = Duration::from_secs(5);

/// All targets that the configuration asks for.
pub struct Scrapes {
    scraping: ScrapingConfig,
    own: Vec<ScrapeConfig>,
    base: PathBuf,
    authorities: Arc<Authorities>,
    places: Arc<Semaphore>,
    shared: Shared,
    state: Mutex<State>,
}

struct State {
    loaded: Loaded,
    pools: BTreeMap<String, Arc<Pool>>,
    reload_error: Option<String>,
}

/// A configuration that was read and checked.
struct Loaded {
    jobs: BTreeMap<String, Arc<Job>>,
    external_labels: BTreeMap<String, String>,
    /// What of the files is passed over.
    warnings: Vec<ScrapeWarning>,
    /// Patterns of files, and files, that it was made of.
    watched: (Vec<PathBuf>, Vec<PathBuf>),
    digest: u64,
}

impl Loaded {
    fn log_warnings(&self) {
        for warning in &self.warnings {
            tracing::warn!(%warning, "a file in scraping.files is not taken as it stands");
        }
    }
}

impl Scrapes {
    /// Checks the configuration, files included; nothing is asked before [`run`](Self::run). Paths start at `base`.
    pub fn new(
        scraping: &ScrapingConfig,
        jobs: &[ScrapeConfig],
        base: &Path,
        ingest: Arc<Ingest>,
        registry: &prometheus::Registry,
    ) -> Result<Arc<Self>, ScrapeSetupError> {
        let metrics = Metrics::new(registry).map_err(ScrapeSetupError::Metrics)?;
        let authorities = Arc::<Authorities>::default();
        let loaded = load(jobs, Surroundings { scraping, base, authorities: &authorities })?;
        loaded.log_warnings();
        let max_targets = scraping.max_targets.min(Semaphore::MAX_PERMITS);
        let asked = scraping.max_concurrent.clamp(1, Semaphore::MAX_PERMITS);
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let shared = Shared {
            store: Store::new(ingest, metrics.clone()),
            asking: Arc::new(Semaphore::new(asked)),
            reading: Arc::new(Semaphore::new(processors)),
            room: Room::new(scraping.max_bodies.0, asked),
            failures: FailureLog::new(metrics.clone()),
            metrics,
            max_targets,
        };
        Ok(Arc::new(Self {
            scraping: scraping.clone(),
            own: jobs.to_vec(),
            base: base.to_owned(),
            authorities,
            places: Arc::new(Semaphore::new(max_targets)),
            shared,
            state: Mutex::new(State { loaded, pools: BTreeMap::new(), reload_error: None }),
        }))
    }

    /// Scrapes until `stop`; ends when the series of all targets have.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        self.apply(&tasks);
        while stop.run_until_cancelled(tokio::time::sleep(WATCH)).await.is_some() {
            if self.reload().await {
                self.apply(&tasks);
            }
        }
        self.state.lock().pools.values().for_each(|pool| pool.stop());
        tasks.close();
        tasks.wait().await;
    }

    /// Brings the pools to what is loaded.
    fn apply(&self, tasks: &TaskTracker) {
        let mut state = self.state.lock();
        let State { loaded, pools, .. } = &mut *state;
        pools.retain(|name, pool| {
            let stays = loaded.jobs.contains_key(name);
            if !stays {
                pool.stop();
            }
            stays
        });
        for (name, job) in &loaded.jobs {
            match pools.get(name) {
                Some(pool) if pool.fingerprint() == job.fingerprint => {}
                Some(pool) => pool.change(Arc::clone(job)),
                None => {
                    let pool = Pool::new(Arc::clone(job), Arc::clone(&self.places), self.shared.clone());
                    tasks.spawn(Arc::clone(&pool).run());
                    pools.insert(name.clone(), pool);
                }
            }
        }
    }

    /// Reads the files again if they have changed; says whether there is something new. What cannot be used is told
    /// once, and what was there before goes on.
    async fn reload(self: &Arc<Self>) -> bool {
        let (patterns, material) = self.state.lock().loaded.watched.clone();
        if patterns.is_empty() && material.is_empty() {
            return false;
        }
        let before = self.state.lock().loaded.digest;
        let this = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || {
            let now = files::digest(&patterns, &material);
            let around =
                Surroundings { scraping: &this.scraping, base: &this.base, authorities: &this.authorities };
            (now != before).then(|| (now, load(&this.own, around)))
        });
        let Ok(Some((digest, loaded))) = reading.await else { return false };
        let mut state = self.state.lock();
        match loaded {
            Ok(loaded) => {
                tracing::info!(jobs = loaded.jobs.len(), "what is scraped was read again");
                loaded.log_warnings();
                state.loaded = loaded;
                state.reload_error = None;
                self.shared.metrics.reload_failed.set(0);
                true
            }
            Err(error) => {
                let error = crate::scrape::error::chain(&error);
                tracing::error!(%error, "what is to be scraped cannot be read again; what was there goes on");
                state.loaded.digest = digest;
                state.reload_error = Some(error);
                self.shared.metrics.reload_failed.set(1);
                false
            }
        }
    }

    /// Why the files as they are now cannot be used, if they cannot.
    pub fn reload_error(&self) -> Option<String> {
        self.state.lock().reload_error.clone()
    }

    /// How many jobs there are.
    pub fn job_count(&self) -> usize {
        self.state.lock().loaded.jobs.len()
    }

    /// What of the files is passed over, as they were read last.
    pub fn warnings(&self) -> Vec<ScrapeWarning> {
        self.state.lock().loaded.warnings.clone()
    }

    /// The `external_labels` of the files: those of what is federated, and of no series that is stored here.
    pub fn external_labels(&self) -> BTreeMap<String, String> {
        self.state.lock().loaded.external_labels.clone()
    }

    /// How each target does, by job.
    pub fn targets(&self) -> Vec<TargetStatus> {
        self.pools().iter().flat_map(|pool| pool.targets()).collect()
    }

    /// Targets that relabelling dropped, as many as jobs keep.
    pub fn dropped(&self) -> Vec<DroppedTarget> {
        self.pools().iter().flat_map(|pool| pool.dropped()).collect()
    }

    /// How each job does.
    pub fn jobs(&self) -> Vec<PoolStatus> {
        self.pools().iter().map(|pool| pool.status()).collect()
    }

    /// What targets say of their families. Waits for scrapes that are being read.
    pub fn metadata(&self) -> Vec<TargetMetadata> {
        self.pools().iter().flat_map(|pool| pool.metadata()).collect()
    }

    fn pools(&self) -> Vec<Arc<Pool>> {
        self.state.lock().pools.values().cloned().collect()
    }
}

/// Reads and checks everything.
fn load(own: &[ScrapeConfig], around: Surroundings<'_>) -> Result<Loaded, ScrapeSetupError> {
    let patterns: Vec<PathBuf> = around.scraping.files.iter().map(|file| around.base.join(file)).collect();
    let mut watched = Vec::new();
    let from_files = files::load(&patterns, around, &mut watched)?;
    let mut jobs = BTreeMap::new();
    for job in from_files.jobs {
        jobs.insert(job.name.clone(), Arc::new(job));
    }
    for config in own {
        let fail = |reason| ScrapeSetupError::Job { job: config.job_name.clone(), reason };
        let job = Job::new(config, &Globals::default(), &around).map_err(fail)?;
        if jobs.insert(job.name.clone(), Arc::new(job)).is_some() {
            return Err(fail("there are two of this name: give each its own".to_owned()));
        }
    }
    let material: Vec<PathBuf> = jobs.values().flat_map(|job| job.material.iter().cloned()).collect();
    let digest = files::digest(&watched, &material);
    Ok(Loaded {
        jobs,
        external_labels: from_files.external_labels,
        warnings: from_files.warnings,
        watched: (watched, material),
        digest,
    })
}
