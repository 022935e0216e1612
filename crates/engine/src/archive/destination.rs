//! The place where objects are: a folder or a bucket, asked one thing at a time.

use std::future::Future;
use std::path::Path as FilePath;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt as _, RetryConfig};
use tokio::runtime::Runtime;

use super::config::Place;
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
    /// Requests run on the thread that waits for them. There until this is dropped.
    runtime: Option<Runtime>,
}

impl Drop for Destination {
    fn drop(&mut self) {
        // Waiting for its end is not allowed where async tasks run, and nothing runs on it any more.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Destination {
    /// Makes ready to ask; nothing is asked yet.
    pub(super) fn new(place: &Place, config: &ArchiveConfig) -> Result<Self, ArchiveError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (store, prefix): (Arc<dyn ObjectStore>, Path) = match place {
            Place::Folder(path) => (Arc::new(folder(path)?), Path::default()),
            Place::Bucket { name, prefix } => {
                (Arc::new(bucket(name, config).build()?), Path::from(prefix.as_str()))
            }
        };
        Ok(Self { store, prefix, runtime: Some(runtime) })
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
    pub(super) fn wait<T>(
        &self,
        stop: &AtomicBool,
        asked: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, ArchiveError> {
        let runtime = self.runtime.as_ref().expect("it is there until the destination is dropped");
        runtime.block_on(async {
            let mut asked = pin!(asked);
            loop {
                match tokio::time::timeout(TICK, &mut asked).await {
                    Ok(answered) => return Ok(answered?),
                    Err(_) if stop.load(Ordering::Relaxed) => return Err(ArchiveError::Stopped),
                    Err(_) => {}
                }
            }
        })
    }
}

fn day_of(folder: &Path) -> Option<Day> {
    Day::parse(folder.parts().next_back()?.as_ref().strip_prefix("day=")?)
}

/// A folder. Only the last part of its path is made: where what is above is missing, a disk is not mounted.
fn folder(path: &FilePath) -> Result<LocalFileSystem, ArchiveError> {
    if !path.is_dir() {
        std::fs::create_dir(path)?;
    }
    remove_unfinished(path)?;
    Ok(LocalFileSystem::new_with_prefix(path)?.with_fsync(true).with_automatic_cleanup(true))
}

/// Removes what a crash has left: `<object>#<number>` beside where the object would have been.
fn remove_unfinished(root: &FilePath) -> Result<(), ArchiveError> {
    for source in Source::all() {
        let Ok(days) = std::fs::read_dir(root.join(source.name())) else { continue };
        for day in days {
            let Ok(files) = std::fs::read_dir(day?.path()) else { continue };
            for file in files {
                let file = file?;
                let name = file.file_name();
                if name
                    .to_string_lossy()
                    .rsplit_once(".parquet#")
                    .is_some_and(|(_, number)| number.parse::<u32>().is_ok())
                {
                    std::fs::remove_file(file.path())?;
                }
            }
        }
    }
    Ok(())
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
