//! The engine as a whole: opening, closing, and the telemetry port over it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use model::{ByteSize, Labels, TimeRange, Timestamp};
use parking_lot::Mutex;
use store::{
    AppendError, Appended, Batch, Cancel, Cardinality, Changes, EventPass, EventScan, Intake, Matcher,
    QueryError, Reservation, RollupCursor, RollupPart, SelectRequest, SeriesBuffer, SeriesCursor, SqlError,
    SqlQuery, SqlRows, SqlSummary, StoreStats, TelemetryStore,
};
use tokio::sync::oneshot;

use crate::archive::{self, Archiver};
use crate::catalog::Catalog;
use crate::compact::{Extent, compact};
use crate::core::Core;
use crate::demand::Demand;
use crate::layout::{Layout, segment_id};
use crate::open::open;
use crate::query::queries::Queries;
use crate::rollup::{self, Bucket, StandIns};
use crate::telemetry::Telemetry;
use crate::upkeep::{self, Flusher, Signal};
use crate::vfs::{Disk, Lock, Vfs};
use crate::wal::queue::{Gathering, Queue};
use crate::wal::record::MAX_PAYLOAD_BYTES;
use crate::wal::writer::Committer;
use crate::{Config, EngineError, query, retention, sql};

/// What a record takes beyond the memory of its batch, at most: schemas and padding of Arrow IPC.
const RECORD_SLACK_BYTES: usize = 1 << 20;

/// What a start writes beside a copy of the log's last segment, at most: the catalog's journal, a segment's header.
const START_BYTES: u64 = 4 << 20;

/// An open store. Dropping it ends its threads; what was acknowledged is durable either way.
pub struct Engine {
    core: Arc<Core>,
    queries: Queries,
    /// What statements of SQL have in common.
    sessions: sql::Sessions,
    queue: Arc<Queue>,
    flusher: Arc<Flusher>,
    signal: Arc<Signal>,
    /// Where there is an archive.
    archiver: Option<Arc<Mutex<Archiver>>>,
    /// Set when long work is to be given up.
    stopping: Arc<AtomicBool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Held until the threads have ended.
    _lock: Box<dyn Lock>,
}

/// Tells the owner of the store when a thread panics: without it memory would fill up, and nobody know why.
struct TellOfPanic {
    core: Arc<Core>,
    name: &'static str,
}

impl Drop for TellOfPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.core.failure.tell(EngineError::Panicked { name: self.name });
        }
    }
}

impl Engine {
    /// Opens the store in `data_dir`, which is created when it is not there, and replays its write-ahead log.
    /// A registry takes one store: opening a second one with it is an error.
    pub fn open(
        data_dir: &Path,
        config: Config,
        registry: &prometheus::Registry,
    ) -> Result<Arc<Self>, EngineError> {
        Self::open_on(Arc::new(Disk), data_dir, config, registry)
    }

    /// As [`Engine::open`], on another file system than the real one. The catalog is on the real one.
    pub fn open_on(
        vfs: Arc<dyn Vfs>,
        data_dir: &Path,
        config: Config,
        registry: &prometheus::Registry,
    ) -> Result<Arc<Self>, EngineError> {
        let disk = Arc::clone(&vfs);
        Self::try_open(vfs, data_dir, config, registry).map_err(|error| {
            if !error.is_for_want_of_room() {
                return error;
            }
            let needed = ByteSize(start_bytes(&*disk, data_dir).next_multiple_of(1 << 20));
            EngineError::NoRoom { data_dir: data_dir.to_owned(), needed, source: Box::new(error) }
        })
    }

    fn try_open(
        vfs: Arc<dyn Vfs>,
        data_dir: &Path,
        config: Config,
        registry: &prometheus::Registry,
    ) -> Result<Arc<Self>, EngineError> {
        let layout = Layout::new(data_dir);
        for dir in [layout.wal_dir(), layout.metrics_dir(), layout.events_dir(), layout.quarantine_dir()] {
            vfs.create_dir_all(&dir).map_err(EngineError::io("create", dir))?;
        }
        vfs.sync_dir(layout.root()).map_err(EngineError::io("sync", layout.root()))?;
        let lock = vfs.lock(&layout.lock()).map_err(EngineError::io("lock", layout.lock()))?;
        let lock = lock.ok_or_else(|| EngineError::InUse(data_dir.to_owned()))?;
        let queries = Queries::new(&config)?;
        let telemetry = Telemetry::new(registry)?;
        let catalog = Catalog::open(&layout.catalog(), Arc::clone(&vfs))?;
        let core = Arc::new(Core::new(vfs, layout, config, telemetry, catalog)?);
        core.measure_disk();
        let archiver = Archiver::new(&core)?.map(|archiver| Arc::new(Mutex::new(archiver)));
        let needed = start_bytes(&*core.vfs, data_dir);
        let opened = open(&core, needed)?;
        core.stats();
        let queue = Arc::new(Queue::new(gathering(&core.config)));
        let flusher = Arc::new(Flusher::new(Arc::clone(&core), Arc::clone(&queue)));
        let signal = Arc::new(Signal::default());
        let stopping = Arc::default();
        let threads = Mutex::default();
        let engine = Arc::new(Self {
            core,
            queries,
            sessions: sql::Sessions::default(),
            queue,
            flusher,
            signal,
            archiver,
            stopping,
            threads,
            _lock: lock,
        });
        let wake = Arc::clone(&engine.signal);
        let committer = Committer::new(
            Arc::clone(&engine.core),
            Arc::clone(&engine.queue),
            opened.segment,
            opened.sequence,
            opened.watermark,
            Box::new(move || wake.wake()),
        );
        engine.start("store-commit", move || committer.run())?;
        let (core, flusher) = (Arc::clone(&engine.core), Arc::clone(&engine.flusher));
        let signal = Arc::clone(&engine.signal);
        engine.start("store-upkeep", move || upkeep::run(&core, &flusher, &signal))?;
        let (core, stopping) = (Arc::clone(&engine.core), Arc::clone(&engine.stopping));
        engine.start("store-disk", move || upkeep::measure_on(&core, &stopping))?;
        let (core, stopping) = (Arc::clone(&engine.core), Arc::clone(&engine.stopping));
        engine.start("store-compact", move || upkeep::compact_on(&core, &stopping))?;
        if let Some(archiver) = engine.archiver.clone() {
            let (core, stopping) = (Arc::clone(&engine.core), Arc::clone(&engine.stopping));
            engine.start("store-archive", move || archive::run(&core, &archiver, &stopping))?;
        }
        Ok(engine)
    }

    #[cfg(test)]
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// A session in which every table is one of DataFusion, as the store is now.
    #[cfg(test)]
    pub(crate) fn session(&self) -> datafusion::execution::context::SessionContext {
        let state = sql::anytime(&self.core, &self.sessions, self.queries.environment());
        datafusion::execution::context::SessionContext::new_with_state(state)
    }

    /// Runs a plan within the bounds of scans, and hands its batches to `each`, whose first error ends it. Blocks.
    #[cfg(test)]
    pub(crate) fn run_plan(
        &self,
        plan: Arc<dyn datafusion::physical_plan::ExecutionPlan>,
        cancel: &Cancel,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        query::scan::counted(&self.core, self.queries.run(plan, cancel, each))
    }

    fn start(&self, name: &'static str, work: impl FnOnce() + Send + 'static) -> Result<(), EngineError> {
        let told = TellOfPanic { core: Arc::clone(&self.core), name };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _told = told;
            work();
        });
        self.threads.lock().push(thread.map_err(|source| EngineError::Thread { name, source })?);
        Ok(())
    }

    /// Writes everything that is in memory to files. Blocks until that is done.
    pub fn checkpoint(&self) -> Result<(), EngineError> {
        self.flusher.flush()
    }

    /// Merges files, as a background pass does every `compaction_interval`. Returns how many were merged to others.
    pub fn compact(&self, now: Timestamp) -> Result<usize, EngineError> {
        compact(&self.core, (now, now), Extent::Usual, &self.stopping)
    }

    /// Merges the files of each day, of one that is not over too: for a store into which nothing comes.
    pub fn compact_days(&self, now: Timestamp) -> Result<usize, EngineError> {
        compact(&self.core, (now, now), Extent::Days, &self.stopping)
    }

    /// Archives the days that are over at `now`, as a background pass does each minute. Returns how many;
    /// none where no archive is configured. Days that cannot be read are passed over, which the log and the
    /// catalog say. Blocks; not to be called where async tasks run.
    pub fn archive(&self, now: Timestamp) -> Result<usize, EngineError> {
        let Some(archiver) = &self.archiver else { return Ok(0) };
        archiver.lock().pass(&self.core, now, &self.stopping).map(|passed| passed.archived)
    }

    /// Drops the files in which everything is older than retention at `now`, as a background pass does
    /// each minute. Returns how many.
    pub fn drop_expired(&self, now: Timestamp) -> Result<usize, EngineError> {
        retention::drop_expired(&self.core, now)
    }

    /// Waits until the store cannot go on, and says why. When its log cannot be written it takes nothing any
    /// more: what the disk has of the last write is not known, and only a start reads the disk itself. When
    /// one of its threads has panicked, memory fills up. Its owner says so to people, and ends.
    pub async fn failed(&self) -> Arc<EngineError> {
        self.core.failure.told().await
    }

    /// Takes nothing more, finishes what was taken, and joins the threads. Writes the head to files when
    /// it is so large that replaying it would take longer. Blocks. Queries are still answered afterwards.
    pub fn shutdown(&self) {
        let is_large = self.core.segments.bytes() > self.core.config.wal_segment_bytes.0;
        if is_large && let Err(error) = self.flusher.flush() {
            // The log has it all: the next start replays it.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the head could not be written to files"
            );
        }
        self.end();
    }

    fn end(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.signal.stop();
        self.queue.close();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a thread of the store has panicked");
            }
        }
    }

    fn admit(&self, demand: Demand, bytes: usize) -> Result<(), AppendError> {
        let record_bytes = most_record_bytes(bytes);
        if record_bytes > MAX_PAYLOAD_BYTES {
            return Err(AppendError::TooLarge { bytes: record_bytes, max_bytes: MAX_PAYLOAD_BYTES });
        }
        if let Some(what) = self.core.overload(demand) {
            return Err(AppendError::Overloaded { what });
        }
        if demand.has_reserved() {
            self.core.room.take_reserved(bytes as u64);
            return Ok(());
        }
        self.core.take_of_disk(bytes as u64)
    }

    /// Hands a batch to the committer.
    fn push(
        &self,
        batch: Batch,
        demand: Demand,
        bytes: usize,
    ) -> Result<oneshot::Receiver<Result<Appended, AppendError>>, AppendError> {
        self.admit(demand, bytes)?;
        self.queue.push(batch, demand, bytes).inspect_err(|_| self.core.room.give_back(bytes as u64))
    }

    /// Counts what was refused at a bound.
    fn count_refusal(&self, error: &AppendError) {
        if matches!(error, AppendError::Overloaded { .. }) {
            self.core.telemetry.intake.overloaded.inc();
        }
    }
}

/// The room that a start needs: it writes the log's last segment anew, as far as its size is to be learned.
fn start_bytes(vfs: &dyn Vfs, data_dir: &Path) -> u64 {
    let entries = vfs.list(&Layout::new(data_dir).wal_dir()).unwrap_or_default();
    let segments = entries.iter().filter_map(|entry| Some((segment_id(&entry.name)?, entry.bytes)));
    segments.max().map_or(0, |(_, bytes)| bytes) + START_BYTES
}

/// The most that a batch of this size in memory takes as a record. Of 16 bytes of a sample, 19 can become: a
/// time that is far from the one before, and a value without a zero byte. Of 8 of its start, 11 can.
fn most_record_bytes(bytes: usize) -> usize {
    bytes.saturating_add(bytes / 4).saturating_add(RECORD_SLACK_BYTES)
}

fn gathering(config: &Config) -> Gathering {
    let size = |size: ByteSize| usize::try_from(size.0).unwrap_or(usize::MAX);
    Gathering {
        commit_bytes: size(config.commit_bytes),
        interval: config.commit_interval.0,
        queue_bytes: size(config.commit_queue_bytes),
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end();
    }
}

#[async_trait]
impl TelemetryStore for Engine {
    /// # Panics
    /// When rows are not in their table's schema.
    async fn append(&self, batch: Batch) -> Result<Appended, AppendError> {
        self.append_by(batch, &Intake::Usual).await
    }

    /// # Panics
    /// When rows are not in their table's schema.
    async fn append_by(&self, batch: Batch, intake: &Intake) -> Result<Appended, AppendError> {
        if batch.is_empty() {
            return Ok(Appended::default());
        }
        for events in &batch.events {
            let schema = store::schema(events.table);
            assert!(store::is_narrowed(&events.rows, &schema), "rows are in their table's schema");
        }
        let events = batch.events.iter().map(|events| events.rows.get_array_memory_size()).sum::<usize>();
        let bytes = batch.metrics.size_bytes() + events;
        let demand = Demand::of(&batch, intake);
        let queued = self.push(batch, demand, bytes).inspect_err(|error| self.count_refusal(error))?;
        // The committer answers everything that it has taken, unless it has panicked.
        let appended = queued.await.unwrap_or(Err(AppendError::Poisoned))?;
        if let Intake::Reserved(reservation) = intake {
            reservation.spend(bytes as u64);
        }
        Ok(appended)
    }

    fn reserve(&self, bytes: u64) -> Result<Reservation, AppendError> {
        self.core.reserve(bytes).inspect_err(|error| self.count_refusal(error))
    }

    fn select(&self, request: &SelectRequest) -> Result<Box<dyn SeriesCursor>, QueryError> {
        query::select::select(&self.core, request, Timestamp::now())
    }

    fn rollups(
        &self,
        request: &SelectRequest,
        bucket: Duration,
        parts: &[RollupPart],
    ) -> Result<Option<Box<dyn RollupCursor>>, QueryError> {
        let Some(bucket) = i64::try_from(bucket.as_millis()).ok().and_then(Bucket::from_millis) else {
            return Ok(None);
        };
        rollup::select(&self.core, request, bucket, parts, Timestamp::now())
    }

    fn rollups_stand_in(&self, range: TimeRange) -> bool {
        StandIns::find(&self.core, &self.core.view(), range, Timestamp::now()).are_old()
    }

    fn each_series(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        each: &mut dyn FnMut(&SeriesBuffer) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let (kept, now) = (&self.core.kept, Timestamp::now());
        let Some(range) = kept.range_of_series(range, now) else { return Ok(()) };
        query::pass::each_series(&self.core, matchers, range, &mut |series| {
            kept.trim(series, now);
            if series.times_ms.is_empty() { Ok(()) } else { each(series) }
        })
    }

    fn series(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        limit: usize,
        cancel: &Cancel,
    ) -> Result<Vec<Labels>, QueryError> {
        query::labels::series(&self.core, matchers, (range, Timestamp::now()), limit, cancel)
    }

    fn label_names(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        cancel: &Cancel,
    ) -> Result<Vec<String>, QueryError> {
        query::labels::names(&self.core, matchers, (range, Timestamp::now()), cancel)
    }

    fn label_values(
        &self,
        name: &str,
        matchers: &[Matcher],
        range: TimeRange,
        cancel: &Cancel,
    ) -> Result<Vec<String>, QueryError> {
        query::labels::values(&self.core, name, matchers, (range, Timestamp::now()), cancel)
    }

    fn scan(&self, scan: &EventScan) -> Result<Vec<RecordBatch>, QueryError> {
        let kept = self.core.kept.range_of_table(scan.table, scan.range, Timestamp::now());
        let scan = match kept {
            Some(range) => EventScan { range, ..scan.clone() },
            // Its conditions are looked at all the same.
            None => EventScan { limit: 0, ..scan.clone() },
        };
        query::scan::counted(&self.core, query::scan::scan(&self.core, &self.queries, &scan))
    }

    fn each_batch(
        &self,
        pass: &EventPass,
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let kept = self.core.kept.range_of_table(pass.table, pass.range, Timestamp::now());
        let Some(range) = kept else { return Ok(()) };
        let pass = EventPass { range, ..pass.clone() };
        query::scan::counted(&self.core, query::scan::each_batch(&self.core, &self.queries, &pass, each))
    }

    fn each_batch_unhurried(
        &self,
        pass: &EventPass,
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let kept = self.core.kept.range_of_table(pass.table, pass.range, Timestamp::now());
        let Some(range) = kept else { return Ok(()) };
        query::pass::each_batch(&self.core, &EventPass { range, ..pass.clone() }, each)
    }

    fn sql(&self, query: &SqlQuery, into: &mut dyn SqlRows) -> Result<SqlSummary, SqlError> {
        match sql::run(&self.core, &self.queries, &self.sessions, query, into) {
            Err(SqlError::Query(error)) => {
                query::scan::counted(&self.core, Err(error)).map_err(SqlError::Query)
            }
            answered => answered,
        }
    }

    fn changes(&self) -> Option<&Changes> {
        Some(&self.core.changes)
    }

    fn cardinality(&self, most: usize) -> Cardinality {
        self.core.view().head.metrics.cardinality(most)
    }

    fn stats(&self) -> StoreStats {
        self.core.stats()
    }
}

#[cfg(test)]
mod tests {
    use model::{MetricBatch, Sample, SampleRun};

    use super::*;
    use crate::head::registry::Resolved;
    use crate::wal::payload::put_metrics;

    #[test]
    fn no_record_is_larger_than_what_is_expected_of_its_batch() {
        for has_starts in [false, true] {
            compare_record(has_starts);
        }
    }

    fn compare_record(has_starts: bool) {
        let far =
            |n: i64| Sample { time_ms: if n % 2 == 0 { i64::MIN / 2 } else { i64::MAX / 2 } + n, value: 0.1 };
        let samples: Vec<Sample> = (0..1_000_000).map(far).collect();
        let mut batch = MetricBatch::new();
        for number in 0..1_000 {
            batch.push(Labels::metric("a", &[("n", &number.to_string())]).as_ref(), &samples[..1]);
        }
        let starts: Vec<i64> = samples.iter().filter(|_| has_starts).map(|one| one.time_ms + 1).collect();
        batch.push_run(Labels::metric("b", &[]).as_ref(), SampleRun { samples: &samples, starts: &starts });
        let resolved: Vec<Resolved> = (0..=1_000).map(|id| Resolved::Define(id * 40_000)).collect();
        let mut record = Vec::new();
        put_metrics(&mut record, &batch, &resolved);
        let bytes = batch.size_bytes();
        assert!(record.len() > bytes + RECORD_SLACK_BYTES, "it takes more than the batch: {}", record.len());
        assert!(record.len() <= most_record_bytes(bytes), "{} of {}", record.len(), most_record_bytes(bytes));
    }

    #[tokio::test]
    async fn the_owner_is_told_of_a_thread_that_panics() {
        let dir = tempfile::tempdir().expect("dir");
        let engine =
            Engine::open(dir.path(), Config::default(), &prometheus::Registry::new()).expect("opens");
        engine.start("store-upkeep", || panic!("a fault")).expect("started");
        let error = engine.failed().await;
        assert!(matches!(&*error, EngineError::Panicked { name: "store-upkeep" }), "{error:?}");
    }
}
