//! The place where objects are: a folder or a bucket, asked one thing at a time.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::Path as FilePath;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt as _, RetryConfig};
use tokio::runtime::Runtime;

use super::config::Place;
use super::folder::Folder;
use super::upload::Upload;
use super::{ArchiveConfig, ArchiveError, Day, Source};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take: a part over a slow line.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// How often a request is sent again before the whole day is given up for now.
const RETRIES: usize = 3;
const RETRY_TIMEOUT: Duration = Duration::from_secs(150);
/// How often it is looked whether the store stops.
const TICK: Duration = Duration::from_millis(200);

/// Where objects are.
pub(super) struct Destination {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// The folder, where it is one.
    folder: Option<Folder>,
    requests: Requests,
}

/// Runs requests on the thread that waits for them.
struct Requests {
    /// There until this is dropped.
    runtime: Option<Runtime>,
}

impl Requests {
    fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Waits for an answer, or for the stop of the store.
    fn wait<T, E>(
        &self,
        stop: &AtomicBool,
        asked: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ArchiveError>
    where
        ArchiveError: From<E>,
    {
        let runtime = self.runtime.as_ref().expect("it is there until this is dropped");
        runtime.block_on(async {
            let mut asked = pin!(asked);
            loop {
                match tokio::time::timeout(TICK, &mut asked).await {
                    Ok(answered) => return answered.map_err(ArchiveError::from),
                    Err(_) if stop.load(Ordering::Relaxed) => return Err(ArchiveError::Stopped),
                    Err(_) => {}
                }
            }
        })
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        // Waiting for its end is not allowed where async tasks run. What may still run there waits for a disk that
        // does not answer.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Does what a disk that does not answer can hold up, on a thread that nobody has to wait for.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ArchiveError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
}

impl Destination {
    /// Makes ready to ask. A bucket is not asked yet; a folder, in which objects of `used` were written before, is
    /// looked at.
    pub(super) fn open(
        place: &Place,
        config: &ArchiveConfig,
        used: BTreeSet<Source>,
        stop: &AtomicBool,
    ) -> Result<Self, ArchiveError> {
        let requests = Requests::new()?;
        match place {
            Place::Folder(path) => {
                let path = path.clone();
                let (folder, store) = requests.wait(stop, blocking(move || Folder::open(&path, &used)))?;
                Ok(Self { store: Arc::new(store), prefix: Path::default(), folder: Some(folder), requests })
            }
            Place::Bucket { name, prefix } => Ok(Self {
                store: Arc::new(bucket(name, config).build()?),
                prefix: Path::from(prefix.as_str()),
                folder: None,
                requests,
            }),
        }
    }

    /// Whether it is still there, as far as that is known without asking: a folder can be that of a disk which was
    /// unmounted, and would be made anew in its place.
    pub(super) fn check(&self, stop: &AtomicBool) -> Result<(), ArchiveError> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        self.wait(stop, blocking(move || folder.check()))
    }

    /// Whether what is written takes room on the disk of `dir`.
    pub(super) fn is_on_the_disk_of(&self, dir: &FilePath) -> bool {
        self.folder.as_ref().is_some_and(|folder| folder.is_on_the_disk_of(dir))
    }

    /// Where a day is.
    fn key(&self, source: Source, day: Day) -> Path {
        let name = source.name();
        self.folder(source).join(format!("day={day}")).join(format!("{name}-{day}.parquet"))
    }

    fn folder(&self, source: Source) -> Path {
        self.prefix.clone().join(source.name())
    }

    /// Begins the object of a day, in place of one that is there.
    pub(super) fn upload<'a>(&'a self, source: Source, day: Day, stop: &'a AtomicBool) -> Upload<'a> {
        Upload::new(self, &*self.store, self.key(source, day), stop)
    }

    /// Removes days before `oldest`, and nothing that is not ours. Returns how many.
    pub(super) fn remove_before(&self, oldest: Day, stop: &AtomicBool) -> Result<u64, ArchiveError> {
        let mut removed = 0;
        for source in Source::all() {
            let folder = self.folder(source);
            let found = self.wait(stop, self.store.list_with_delimiter(Some(&folder)))?;
            for day in found.common_prefixes.iter().filter_map(day_of).filter(|day| *day < oldest) {
                match self.wait(stop, self.store.delete(&self.key(source, day))) {
                    Ok(()) => removed += 1,
                    // Somebody else has removed it.
                    Err(ArchiveError::Place(object_store::Error::NotFound { .. })) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(removed)
    }

    /// Waits for an answer, or for the stop of the store.
    pub(super) fn wait<T, E>(
        &self,
        stop: &AtomicBool,
        asked: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ArchiveError>
    where
        ArchiveError: From<E>,
    {
        self.requests.wait(stop, asked)
    }
}

fn day_of(folder: &Path) -> Option<Day> {
    Day::parse(folder.parts().next_back()?.as_ref().strip_prefix("day=")?)
}

fn bucket(name: &str, config: &ArchiveConfig) -> AmazonS3Builder {
    let mut builder = match (&config.access_key_id, &config.secret_access_key) {
        (Some(id), Some(key)) => AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(key),
        _ => AmazonS3Builder::from_env(),
    };
    builder = builder.with_bucket_name(name);
    let from_environment = || std::env::var("AWS_REGION").ok().filter(|region| !region.is_empty());
    if let Some(region) = config.region.clone().or_else(from_environment) {
        builder = builder.with_region(region);
    }
    let client = ClientOptions::new().with_connect_timeout(CONNECT_TIMEOUT).with_timeout(REQUEST_TIMEOUT);
    builder = builder.with_client_options(client);
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    builder.with_retry(RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: RETRIES,
        retry_timeout: RETRY_TIMEOUT,
    })
}
