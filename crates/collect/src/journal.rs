//! Entries of systemd's journal as records of logs, by following `journalctl`.
//!
//! Where reading goes on is a cursor of the journal, kept after what lies before it is stored. Entries that were stored
//! after it was written down are known by their ids, which come from their own cursors; the store is asked for those
//! once at the start. A cursor that cannot be read is told and passed over: the journal is read from now on, as at a first
//! start. `journalctl` is waited for by not reading on: nothing is dropped here, and the journal keeps what
//! waits. The library of systemd was not taken: it would bind the binary to it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ingest::{Ingest, Reason, Source};
use model::event::Event;
use model::{MetricBatch, TimeRange, Timestamp};
use parking_lot::Mutex;
use protocol::logs::{JOURNAL_FIELDS, JournalEntry, Lines, read_journal_entry};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::collector::{BoxError, CollectError, Collector};
use crate::durable;

/// How much is read at a time; its entries are stored together.
const PIECE_BYTES: usize = 64 << 10;
/// How long to wait before `journalctl` is started again, and until the store may have room.
const PAUSE: Duration = Duration::from_secs(2);
/// How often the cursor is written down at the most.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
/// Clocks may have been set back by so much between two entries.
const BEHIND: Duration = Duration::from_secs(600);
/// How often it is told how this does.
const STATUS_INTERVAL: Duration = Duration::from_secs(15);
/// What ids of entries begin with.
const PREFIX: &str = "journal:";

/// The section `[journal]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JournalConfig {
    /// Whether the journal is read: from the first start on, through `journalctl`.
    pub enabled: bool,
    /// Units whose entries are read; all entries, when there are none.
    pub units: Vec<String>,
    /// The program that prints the journal.
    pub command: PathBuf,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self { enabled: false, units: Vec::new(), command: "journalctl".into() }
    }
}

/// How far the journal was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    cursor: String,
    /// When its entry was written, in nanoseconds since the epoch.
    time: i64,
}

/// Follows the journal.
pub(crate) struct Journal {
    config: JournalConfig,
    cursor_file: PathBuf,
    ingest: Arc<Ingest>,
    failure: Arc<Mutex<Option<String>>>,
    /// One writes the cursor down at a time: a write that was given up may still be about it.
    saving: Arc<Mutex<()>>,
}

/// What is known while the journal is followed.
struct Place {
    kept: Option<Kept>,
    saved: Option<Kept>,
    last_saved: Instant,
    /// Ids of entries that were stored after the cursor was written down.
    stored: HashSet<String>,
}

impl Journal {
    pub(crate) fn new(config: &JournalConfig, data_dir: &Path, ingest: Arc<Ingest>) -> Arc<Self> {
        let cursor_file = data_dir.join("journal.cursor");
        let config = config.clone();
        Arc::new(Self { config, cursor_file, ingest, failure: Arc::default(), saving: Arc::default() })
    }

    /// A collector that tells how this does.
    pub(crate) fn status(&self) -> Box<dyn Collector> {
        Box::new(JournalStatus { failure: Arc::clone(&self.failure) })
    }

    /// Reads until `cancel`.
    pub(crate) async fn run(self: Arc<Self>, cancel: CancellationToken) {
        let mut place: Option<Place> = None;
        loop {
            let followed = cancel.run_until_cancelled(self.follow(&mut place)).await;
            if let Some(Err(error)) = &followed {
                self.fail(error);
            }
            if followed.is_none() || cancel.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                break;
            }
        }
        if let Some(place) = &mut place
            && let Err(error) = self.save(place).await
        {
            tracing::warn!(%error, "how far the journal was read could not be kept; the store is asked for it");
        }
    }

    /// Reads as long as `journalctl` prints.
    async fn follow(&self, place: &mut Option<Place>) -> Result<(), CollectError> {
        let place = match place {
            Some(place) => place,
            None => place.insert(self.begin().await?),
        };
        let mut child = self.start(place.kept.as_ref())?;
        let mut output = child.stdout.take().ok_or_else(|| {
            CollectError::Mismatch("journalctl has no output that could be read".to_owned())
        })?;
        let (mut lines, mut buffer) = (Lines::default(), vec![0; PIECE_BYTES]);
        loop {
            let length = output.read(&mut buffer).await.map_err(|error| read_failed(Box::new(error)))?;
            if length == 0 {
                return Err(self.ended(&mut child).await);
            }
            let mut entries = Vec::new();
            let (mut too_large, mut malformed) = (0, 0);
            lines.feed(&buffer[..length], |line| match read_journal_entry(line.bytes) {
                Some(entry) => entries.push(entry),
                None if line.cut > 0 => too_large += 1,
                None if line.bytes.is_empty() => {}
                None => malformed += 1,
            });
            self.ingest.refuse_events(Source::Journal, Reason::TooLarge, too_large);
            self.ingest.refuse_events(Source::Journal, Reason::Malformed, malformed);
            self.store(entries, place).await;
            *self.failure.lock() = None;
        }
    }

    fn start(&self, kept: Option<&Kept>) -> Result<Child, CollectError> {
        let mut command = Command::new(&self.config.command);
        command.args(["--follow", "--output=json", "--all", "--no-pager", "--quiet"]);
        command.arg(format!("--output-fields={}", JOURNAL_FIELDS.join(",")));
        match kept {
            Some(kept) => command.args(["--lines=all".to_owned(), format!("--after-cursor={}", kept.cursor)]),
            None => command.arg("--lines=0"),
        };
        command.args(self.config.units.iter().map(|unit| format!("--unit={unit}")));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        command.spawn().map_err(|error| CollectError::Read {
            what: format!("the journal by {}", self.config.command.display()),
            source: Box::new(error),
        })
    }

    async fn ended(&self, child: &mut Child) -> CollectError {
        let how = match child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        CollectError::Mismatch(format!(
            "{} ended ({how}); it is started again",
            self.config.command.display()
        ))
    }

    /// Stores entries, however long it takes.
    async fn store(&self, entries: Vec<JournalEntry>, place: &mut Place) {
        let Some(last) = entries.last() else { return };
        let newest = Kept { cursor: last.cursor.clone(), time: last.log.time.as_nanos() };
        let now = Timestamp::now();
        let events = entries.into_iter().map(|entry| {
            let mut log = entry.log;
            log.event_id = Some(id_of(&entry.cursor));
            log.observed_time = Some(now);
            log
        });
        let mut is_new = |id: &Option<String>| id.as_ref().is_none_or(|id| !place.stored.remove(id));
        let events: Vec<Event> =
            events.filter(|log| is_new(&log.event_id)).map(|log| Event::Log(Box::new(log))).collect();
        while !events.is_empty() {
            match self.ingest.append_events(Source::Journal, events.clone()).await {
                Ok(_) => break,
                Err(error) => {
                    let what = "entries of the journal into the store; it is tried again".to_owned();
                    self.fail(&CollectError::Change { what, source: Box::new(error) });
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        place.kept = Some(newest);
        if place.last_saved.elapsed() >= SAVE_INTERVAL
            && let Err(error) = self.save(place).await
        {
            tracing::warn!(%error, "how far the journal was read could not be kept; the store is asked for it");
        }
    }

    async fn begin(&self) -> Result<Place, CollectError> {
        let kept = self.load().map_err(|error| read_failed(Box::new(error)))?;
        let mut stored = HashSet::new();
        if let Some(kept) = &kept {
            let range = TimeRange::new(Timestamp::from_nanos(kept.time).before(BEHIND), Timestamp::MAX);
            let ingest = Arc::clone(&self.ingest);
            let asking = tokio::task::spawn_blocking(move || {
                let mut stored = HashSet::new();
                ingest.stored_log_ids(range, PREFIX, &mut |id| _ = stored.insert(id.to_owned()))?;
                Ok::<_, ingest::IngestError>(stored)
            });
            let asked = asking.await.map_err(|error| read_failed(Box::new(error)))?;
            stored = asked.map_err(|error| read_failed(Box::new(error)))?;
        }
        Ok(Place { saved: kept.clone(), kept, last_saved: Instant::now(), stored })
    }

    /// Where reading stood; nothing on the first start, and where that cannot be understood.
    fn load(&self) -> std::io::Result<Option<Kept>> {
        let bytes = match std::fs::read(&self.cursor_file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match serde_json::from_slice(&bytes) {
            Ok(kept) => Ok(Some(kept)),
            Err(error) => {
                let path = self.cursor_file.display();
                tracing::warn!(%error, %path, "it does not say how far the journal was read: it is read from now on");
                Ok(None)
            }
        }
    }

    async fn save(&self, place: &mut Place) -> std::io::Result<()> {
        if place.kept == place.saved {
            return Ok(());
        }
        // Tried no more often if it fails.
        place.last_saved = Instant::now();
        let (path, bytes) = (self.cursor_file.clone(), serde_json::to_vec(&place.kept)?);
        let saving = Arc::clone(&self.saving);
        let writing = tokio::task::spawn_blocking(move || {
            let _alone = saving.lock();
            durable::replace(&path, &bytes)
        });
        writing.await.map_err(std::io::Error::other)??;
        place.saved.clone_from(&place.kept);
        Ok(())
    }

    fn fail(&self, error: &CollectError) {
        let said = error.chain();
        let mut failure = self.failure.lock();
        if failure.as_ref() != Some(&said) {
            tracing::warn!(error = %said, "the journal is not read");
        }
        *failure = Some(said);
    }
}

fn read_failed(source: BoxError) -> CollectError {
    CollectError::Read { what: "the journal".to_owned(), source }
}

/// The id of an entry: cursors are long.
fn id_of(cursor: &str) -> String {
    format!("{PREFIX}{:032x}", xxhash_rust::xxh3::xxh3_128(cursor.as_bytes()))
}

/// Tells how following the journal does, among the collectors.
struct JournalStatus {
    failure: Arc<Mutex<Option<String>>>,
}

#[async_trait]
impl Collector for JournalStatus {
    fn name(&self) -> &'static str {
        "journal"
    }

    fn target(&self) -> &str {
        "journal"
    }

    fn interval(&self) -> Duration {
        STATUS_INTERVAL
    }

    async fn collect(&mut self, _now: Timestamp) -> Result<MetricBatch, CollectError> {
        match &*self.failure.lock() {
            Some(failure) => Err(CollectError::Mismatch(failure.clone())),
            None => Ok(MetricBatch::new()),
        }
    }
}

#[cfg(test)]
mod tests;
