//! What all parts of an open store share: the disk, the catalog, and what a query sees.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use model::{ByteSize, TimeRange, Timestamp};
use parking_lot::{Mutex, MutexGuard, RwLock};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use store::{AppendError, Changes, Reservation, StoreStats};

use crate::block::held::Total;
use crate::block::series::BlockSeries;
use crate::cache::Cache;
use crate::catalog::{Catalog, FileKind};
use crate::clock::Clock;
use crate::demand::Demand;
use crate::events::footer::GroupFooters;
use crate::events::lifted::Lifted;
use crate::failure::Failure;
use crate::files::StoredFile;
use crate::head::Head;
use crate::head::metrics::Limits;
use crate::kept::Kept;
use crate::layout::Layout;
use crate::query::ahead::Spare;
use crate::rollup::EmptyDays;
use crate::room::Room;
use crate::telemetry::Telemetry;
use crate::unread::Unread;
use crate::vfs::Vfs;
use crate::wal::segment::Segments;
use crate::{Config, EngineError};

/// Bytes of samples a series, some forty-five samples, with which files are worth writing.
const ENOUGH_BYTES_A_SERIES: u64 = 192;

/// How many selectors may hold as much of the labels and indexes of blocks as one may; more of them have to do with
/// less, or wait.
const LARGE_SELECTORS: usize = 2;

/// What is full when rows find no room in memory.
const MEMORY_FOR_EVENTS: &str = "memory for events";

/// The shared parts of a store.
pub(crate) struct Core {
    pub(crate) vfs: Arc<dyn Vfs>,
    pub(crate) layout: Layout,
    pub(crate) config: Config,
    pub(crate) kept: Kept,
    pub(crate) telemetry: Telemetry,
    pub(crate) catalog: Catalog,
    pub(crate) segments: Segments,
    /// Which samples came, or went, when.
    pub(crate) changes: Changes,
    /// Why nothing is written any more.
    pub(crate) failure: Failure,
    /// Labels and indexes of blocks.
    pub(crate) block_series: Cache<Arc<BlockSeries>>,
    /// What all queries together hold of them, what is kept for the next ones included.
    pub(crate) labels_held: Arc<Total>,
    /// Buffers that large queries have read into.
    pub(crate) spare: Arc<Spare>,
    /// Footers of event files.
    pub(crate) footers: Cache<ArrowReaderMetadata>,
    /// Those of row groups alone, with their indexes of pages.
    pub(crate) groups: Arc<GroupFooters>,
    /// What is lifted in event files.
    pub(crate) lifted: Cache<Arc<Lifted>>,
    view: RwLock<View>,
    quarantined: Mutex<Vec<Arc<StoredFile>>>,
    /// Held while the catalog and the view are changed together.
    changing: Mutex<()>,
    next_file: AtomicU64,
    /// Files that were let go of.
    leaving: Mutex<Vec<Weak<StoredFile>>>,
    pub(crate) room: Room,
    /// Bytes of rows for which room was taken and that are not in the head yet.
    reserved: Mutex<u64>,
    pub(crate) empty_days: EmptyDays,
    pub(crate) unread: Unread,
    clock: Clock,
}

/// What a query sees. Every piece of data is in exactly one of its parts.
#[derive(Clone)]
pub(crate) struct View {
    /// What takes samples and rows now.
    pub(crate) head: Arc<Head>,
    /// What is being written to files.
    pub(crate) frozen: Option<Arc<Head>>,
    /// The files, in the order in which they were written.
    pub(crate) files: Arc<Vec<Arc<StoredFile>>>,
}

impl Core {
    pub(crate) fn new(
        vfs: Arc<dyn Vfs>,
        layout: Layout,
        config: Config,
        telemetry: Telemetry,
        catalog: Catalog,
    ) -> Result<Self, EngineError> {
        let next_file = AtomicU64::new(catalog.next_file()?);
        let limits = limits(&config);
        let head = Arc::new(Head::after(None, limits));
        let cache_bytes = usize::try_from(config.cache_bytes.0).unwrap_or(usize::MAX);
        let series_cache_bytes = cache_bytes / 4 * 3;
        let labels_bytes = usize::try_from(config.max_query_labels_bytes.0).unwrap_or(usize::MAX);
        let labels_held = labels_bytes.saturating_mul(LARGE_SELECTORS).saturating_add(series_cache_bytes);
        Ok(Self {
            vfs,
            layout,
            kept: Kept::new(&config)?,
            telemetry,
            catalog,
            segments: Segments::default(),
            changes: Changes::default(),
            failure: Failure::default(),
            block_series: Cache::new(series_cache_bytes),
            labels_held: Total::within(labels_held),
            spare: Arc::default(),
            footers: Cache::new(cache_bytes / 8),
            groups: Arc::new(Cache::new(cache_bytes / 8 - cache_bytes / 64)),
            lifted: Cache::new(cache_bytes / 64),
            view: RwLock::new(View { head, frozen: None, files: Arc::default() }),
            quarantined: Mutex::default(),
            changing: Mutex::default(),
            next_file,
            leaving: Mutex::default(),
            room: Room::new(config.disk_reserve_bytes.0),
            reserved: Mutex::default(),
            empty_days: EmptyDays::default(),
            unread: Unread::default(),
            clock: Clock::new(),
            config,
        })
    }

    /// Lets go of what is kept of a file that no other query shall read.
    pub(crate) fn forget(&self, file: u64) {
        self.block_series.forget(file);
        self.footers.forget(file);
        self.groups.forget_where(|(other, _)| other == file);
        self.lifted.forget(file);
    }

    /// What a query sees now.
    pub(crate) fn view(&self) -> View {
        self.view.read().clone()
    }

    /// The head that takes samples and rows.
    pub(crate) fn head(&self) -> Arc<Head> {
        Arc::clone(&self.view.read().head)
    }

    /// Puts an empty head in place of the one that takes samples and rows, which is frozen.
    pub(crate) fn freeze_head(&self) -> Arc<Head> {
        // Made before the others have to wait: only who freezes puts another head in its place.
        let next = Arc::new(Head::after(Some(&self.head()), limits(&self.config)));
        let mut view = self.view.write();
        assert!(view.frozen.is_none(), "the head before has been written to files");
        let frozen = std::mem::replace(&mut view.head, next);
        view.frozen = Some(Arc::clone(&frozen));
        frozen
    }

    /// Puts files in place of the frozen head, in one step for queries.
    pub(crate) fn replace_frozen(&self, files: Vec<Arc<StoredFile>>) {
        let mut view = self.view.write();
        let all = view.files.iter().cloned().chain(files).collect();
        *view = View { head: Arc::clone(&view.head), frozen: None, files: Arc::new(all) };
    }

    /// Keeps everybody else from changing which files there are.
    pub(crate) fn changing_files(&self) -> MutexGuard<'_, ()> {
        self.changing.lock()
    }

    /// Puts a file in the place of those that it was merged from, in one step for queries.
    pub(crate) fn replace_files(&self, merged: Arc<StoredFile>, gone: &[u64]) {
        let mut view = self.view.write();
        let (gone, kept): (Vec<_>, Vec<_>) =
            view.files.iter().cloned().partition(|file| gone.contains(&file.entry.id));
        self.leaving.lock().extend(gone.iter().map(Arc::downgrade));
        let mut files: Vec<_> = kept.into_iter().chain([merged]).collect();
        files.sort_by_key(|file| (file.entry.precedence, file.entry.id));
        view.files = Arc::new(files);
    }

    /// Lets go of files.
    pub(crate) fn remove_files(&self, gone: impl Fn(&StoredFile) -> bool) {
        let mut view = self.view.write();
        let (gone, kept): (Vec<_>, Vec<_>) = view.files.iter().cloned().partition(|file| gone(file));
        self.leaving.lock().extend(gone.iter().map(Arc::downgrade));
        view.files = Arc::new(kept);
        drop(view);
        self.changes.note(Timestamp::MIN);
    }

    /// Notes a file that was set aside.
    pub(crate) fn note_quarantined(&self, file: Arc<StoredFile>) {
        let mut quarantined = self.quarantined.lock();
        quarantined.push(file);
        self.telemetry.sizes.quarantined_files.set(quarantined.len() as i64);
    }

    /// Whether a file of samples in a range was set aside.
    pub(crate) fn has_lost_samples(&self, range: &TimeRange) -> bool {
        let is_lost =
            |file: &Arc<StoredFile>| file.entry.kind == FileKind::Metrics && file.entry.range.overlaps(range);
        self.quarantined.lock().iter().any(is_lost)
    }

    /// Forgets files that were set aside, and returns them.
    pub(crate) fn take_quarantined(&self, gone: impl Fn(&StoredFile) -> bool) -> Vec<Arc<StoredFile>> {
        let mut quarantined = self.quarantined.lock();
        let taken = quarantined.extract_if(.., |file| gone(file)).collect();
        self.telemetry.sizes.quarantined_files.set(quarantined.len() as i64);
        taken
    }

    /// The time for whatever drops what is old.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now(|| self.view().files.iter().map(|file| file.entry.range.end).max())
    }

    /// A number for a new file.
    pub(crate) fn new_file_id(&self) -> u64 {
        self.next_file.fetch_add(1, Ordering::Relaxed)
    }

    /// Measures the disk.
    pub(crate) fn measure_disk(&self) {
        match self.vfs.free_bytes(self.layout.root()) {
            Ok(bytes) => self.room.measured(bytes),
            Err(error) => tracing::warn!(%error, "the free space of the disk could not be measured"),
        }
    }

    /// Bytes of files that nobody wants any more and somebody still reads.
    pub(crate) fn leaving_bytes(&self) -> u64 {
        let mut leaving = self.leaving.lock();
        leaving.retain(|file| file.strong_count() > 0);
        let dropped = leaving.iter().filter_map(Weak::upgrade).filter(|file| file.is_dropped());
        dropped.map(|file| file.bytes()).sum()
    }

    /// Whether memory or log are so full that files should be written.
    pub(crate) fn is_flush_due(&self, head: &Head) -> bool {
        let half = |size: ByteSize| size.0 / 2;
        head.metrics.sample_bytes() >= self.enough_samples(head.metrics.series())
            || head.events.bytes() >= half(self.config.events_head_max_bytes)
            || self.segments.bytes() >= half(self.config.wal_max_bytes)
            || head.age() >= self.max_age()
    }

    /// The bytes of samples with which files are written: a twelfth of what there may be, up to half of it
    /// when that would be few samples a series, because a file costs something for each series in it.
    fn enough_samples(&self, series: u64) -> u64 {
        let most = self.config.head_max_bytes.0;
        (most / 12).max(series.saturating_mul(ENOUGH_BYTES_A_SERIES)).min(most / 2)
    }

    fn max_age(&self) -> Duration {
        self.config.head_max_age.0
    }

    /// The bound that keeps a batch out, if one does: those of the kinds that it has, and those of all. Rows for which
    /// room was taken have it.
    pub(crate) fn overload(&self, demand: Demand) -> Option<&'static str> {
        let asks_for_rows = demand.has_rows && !demand.has_reserved();
        if demand.has_samples
            && self.bytes_in_heads(|head| head.metrics.sample_bytes())
                >= demand.share(self.config.head_max_bytes.0)
        {
            Some("memory for samples")
        } else if asks_for_rows && self.is_full_of_rows(demand, *self.reserved.lock()) {
            Some(MEMORY_FOR_EVENTS)
        } else if !demand.has_reserved()
            && self.segments.bytes() >= demand.share_of_both(self.config.wal_max_bytes.0)
        {
            Some("the write-ahead log")
        } else {
            None
        }
    }

    /// Whether rows have to wait for memory, of which so many bytes are taken for others that are on their way.
    fn is_full_of_rows(&self, demand: Demand, reserved: u64) -> bool {
        let in_use = if demand.has_spare() {
            // What is large goes beyond its bound, and is not to take what is spare.
            self.bytes_in_heads(|head| head.events.unreserved_bytes())
        } else {
            self.bytes_in_heads(|head| head.events.bytes()).saturating_add(reserved)
        };
        in_use >= demand.share(self.config.events_head_max_bytes.0)
    }

    /// What lies in memory and not in files.
    fn bytes_in_heads(&self, bytes: fn(&Head) -> u64) -> u64 {
        let view = self.view.read();
        bytes(&view.head) + view.frozen.as_deref().map_or(0, bytes)
    }

    /// Takes room for rows of so many bytes, in memory and on the disk.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: u64) -> Result<Reservation, AppendError> {
        let demand = Demand::of_rows();
        if let Some(what) = self.overload(demand) {
            return Err(AppendError::Overloaded { what });
        }
        self.take_of_disk(bytes)?;
        let mut reserved = self.reserved.lock();
        // Another may have taken it since.
        if self.is_full_of_rows(demand, *reserved) {
            self.room.give_back(bytes);
            return Err(AppendError::Overloaded { what: MEMORY_FOR_EVENTS });
        }
        *reserved = reserved.saturating_add(bytes);
        drop(reserved);
        let core = Arc::clone(self);
        Ok(Reservation::new(bytes, move |bytes| {
            let mut reserved = core.reserved.lock();
            *reserved = reserved.saturating_sub(bytes);
            drop(reserved);
            core.room.give_back(bytes);
        }))
    }

    /// Takes room on the disk, to be written to soon.
    pub(crate) fn take_of_disk(&self, bytes: u64) -> Result<(), AppendError> {
        if self.room.take(bytes) {
            return Ok(());
        }
        let (free_bytes, reserve_bytes) = (self.room.free(), self.config.disk_reserve_bytes.0);
        Err(AppendError::DiskFull { free_bytes, reserve_bytes })
    }

    /// How the store does. The gauges are set to the same.
    pub(crate) fn stats(&self) -> StoreStats {
        let view = self.view();
        let frozen = view.frozen.as_deref();
        let stats = StoreStats {
            head_series: view.head.metrics.series(),
            head_bytes: view.head.bytes() + frozen.map_or(0, Head::bytes),
            wal_bytes: self.segments.bytes(),
            file_bytes: view.files.iter().map(|file| file.bytes()).sum(),
            files: view.files.iter().map(|file| file.part_count()).sum(),
            quarantined_files: self.quarantined.lock().len() as u64,
            free_bytes: self.room.free(),
            oldest: view.files.iter().map(|file| file.entry.range.start).min(),
        };
        let set =
            |gauge: &prometheus::IntGauge, value: u64| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        set(&self.telemetry.sizes.head_series, stats.head_series);
        set(&self.telemetry.sizes.head_bytes, stats.head_bytes);
        set(&self.telemetry.sizes.wal_bytes, stats.wal_bytes);
        set(&self.telemetry.sizes.file_bytes, stats.file_bytes);
        set(&self.telemetry.sizes.files, stats.files);
        set(&self.telemetry.sizes.quarantined_files, stats.quarantined_files);
        set(&self.telemetry.sizes.free_bytes, stats.free_bytes);
        stats
    }
}

pub(crate) fn limits(config: &Config) -> Limits {
    Limits {
        max_series: config.max_series,
        out_of_order_ms: i64::try_from(config.out_of_order_window.0.as_millis()).unwrap_or(i64::MAX),
    }
}
