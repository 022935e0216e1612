//! A store in a temporary directory, and what is in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::vfs::{Disk, Vfs};
use engine::{Config, Engine, EngineError};
use model::event::{Attributes, AuditCategory, AuditEvent, AuditOutcome, DeployEvent};
use model::histogram::{Buckets, Span, histogram_place};
use model::{
    ByteSize, DurationText, Histogram, Histograms, Labels, MetricBatch, NO_START, Sample, SampleRun,
    TimeRange, Timestamp, is_stale,
};
use prometheus::Registry;
use store::{
    AppendError, Appended, Batch, Cancel, EventBatch, EventScan, Intake, Matcher, QueryError, Row,
    SelectRequest, SeriesBuffer, Table, TelemetryStore,
};

/// Series by their text, each with times and what [`told`] tells of values.
pub(crate) type Series = BTreeMap<String, Vec<(i64, u64)>>;

/// The time around which tests put their data.
pub(crate) const T0: i64 = 1_754_083_800_000;

/// A directory in which a store is opened, again and again.
pub(crate) struct Place {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) config: Config,
}

impl Place {
    pub(crate) fn new() -> Self {
        // The data of tests is of a fixed time, which gets older.
        let retention = DurationText(Duration::from_secs(100 * 365 * 86_400));
        let config = Config {
            disk_reserve_bytes: ByteSize(0),
            retention_free_bytes: ByteSize(0),
            retention,
            // Most tests count files, and their data is of days that are over.
            rollup_retention: DurationText(Duration::ZERO),
            ..Config::default()
        };
        Self { dir: tempfile::tempdir().expect("a temporary directory"), config }
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut place = Self::new();
        change(&mut place.config);
        place
    }

    pub(crate) fn try_open_on(&self, vfs: Arc<dyn Vfs>) -> Result<Open, EngineError> {
        let registry = Registry::new();
        let engine = Engine::open_on(vfs, self.dir.path(), self.config.clone(), &registry)?;
        Ok(Open::of(engine, registry))
    }

    pub(crate) fn open(&self) -> Open {
        self.try_open_on(Arc::new(Disk)).expect("the store opens")
    }

    /// The files below the directory whose name ends so, sorted.
    pub(crate) fn files(&self, dir: &str, suffix: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.dir.path().join(dir)).expect("a directory of the store");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.retain(|path| path.to_string_lossy().ends_with(suffix));
        paths.sort();
        paths
    }
}

/// An open store.
pub(crate) struct Open {
    pub(crate) engine: Arc<Engine>,
    pub(crate) registry: Registry,
    runtime: tokio::runtime::Runtime,
}

impl Open {
    pub(crate) fn of(engine: Arc<Engine>, registry: Registry) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Self { engine, registry, runtime }
    }

    pub(crate) fn append(&self, batch: impl Into<Batch>) -> Result<Appended, AppendError> {
        self.runtime.block_on(self.engine.append(batch.into()))
    }

    /// The same by another right than most.
    pub(crate) fn append_by(
        &self,
        batch: impl Into<Batch>,
        intake: &Intake,
    ) -> Result<Appended, AppendError> {
        self.runtime.block_on(self.engine.append_by(batch.into(), intake))
    }

    /// Why the store takes nothing more; waits for it.
    pub(crate) fn failed(&self) -> Arc<EngineError> {
        self.runtime.block_on(self.engine.failed())
    }

    /// Appends samples of one series.
    pub(crate) fn push(&self, name: &str, samples: &[(i64, f64)]) -> Appended {
        self.append(samples_of(name, samples)).expect("appended")
    }

    /// Appends rows, whose ids are their times.
    pub(crate) fn push_rows(&self, times_ms: &[i64]) -> Appended {
        let batch = Batch { metrics: MetricBatch::new(), events: vec![deploys(times_ms)] };
        self.append(batch).expect("appended")
    }

    pub(crate) fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        max: u64,
    ) -> Result<Series, QueryError> {
        let request = SelectRequest {
            matchers: matchers.to_vec(),
            range,
            values: None,
            max_samples: max,
            cancel: Cancel::never(),
        };
        let mut cursor = self.engine.select(&request)?;
        let mut buffer = SeriesBuffer::default();
        let mut found = Series::new();
        let mut previous: Option<Vec<u8>> = None;
        while cursor.next_series(&mut buffer)? {
            let bytes = buffer.labels.as_ref().as_bytes().to_vec();
            assert!(previous.is_none_or(|previous| previous < bytes), "series come in order, each once");
            assert!(buffer.times_ms.is_sorted_by(|a, b| a < b), "times ascend strictly");
            previous = Some(bytes);
            let samples = buffer.times_ms.iter().zip(&buffer.values).map(|(time_ms, value)| {
                (*time_ms, told(*value, &buffer.histograms, buffer.starts.at(*time_ms)))
            });
            found.insert(buffer.labels.to_string(), samples.collect());
        }
        Ok(found)
    }

    pub(crate) fn try_all(&self) -> Result<Series, QueryError> {
        self.select(&[], TimeRange::ALL, u64::MAX)
    }

    /// All samples.
    pub(crate) fn all(&self) -> Series {
        self.try_all().expect("a query")
    }

    pub(crate) fn try_rows(&self) -> Result<Vec<i64>, QueryError> {
        let scan = EventScan::new(Table::Deploys, TimeRange::ALL, 100_000);
        self.engine.scan(&scan).map(|batches| times_of(&deploys_in(&batches)))
    }

    /// Times of all rows in milliseconds, oldest first.
    pub(crate) fn rows(&self) -> Vec<i64> {
        self.try_rows().expect("a scan")
    }

    pub(crate) fn scan(&self, scan: &EventScan) -> Vec<DeployEvent> {
        deploys_in(&self.engine.scan(scan).expect("a scan"))
    }

    /// The value of one of the store's own metrics.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name).expect("a metric of the store");
        let metric = &family.get_metric()[0];
        metric.get_counter().get_value() + metric.get_gauge().get_value()
    }
}

fn deploys_in(batches: &[arrow::array::RecordBatch]) -> Vec<DeployEvent> {
    batches.iter().flat_map(|batch| DeployEvent::from_batch(batch).expect("rows")).collect()
}

pub(crate) fn times_of(rows: &[DeployEvent]) -> Vec<i64> {
    rows.iter().map(|row| row.time.as_millis()).collect()
}

pub(crate) fn labels_of(name: &str) -> Labels {
    Labels::metric(
        name,
        &[("job", "test"), ("parity", if name.len().is_multiple_of(2) { "even" } else { "odd" })],
    )
}

pub(crate) fn samples_of(name: &str, samples: &[(i64, f64)]) -> MetricBatch {
    let mut batch = MetricBatch::new();
    let sample = |(time_ms, value): &(i64, f64)| Sample { time_ms: *time_ms, value: put(*value, &mut batch) };
    let starts: Vec<i64> = samples.iter().map(|(_, value)| start_of(*value)).collect();
    let samples: Vec<Sample> = samples.iter().map(sample).collect();
    batch.push_run(labels_of(name).as_ref(), SampleRun { samples: &samples, starts: &starts });
    batch
}

/// Since when a sample of a value counts: a quarter of those whose digits go on and on say so, with one of three starts.
pub(crate) fn start_of(value: f64) -> i64 {
    let tells = value.is_finite() && value.to_bits() & 24 == 24;
    if tells { T0 - (value.to_bits() >> 5) as i64 % 3 } else { NO_START }
}

/// The value as it goes into a batch: an eighth of those whose digits go on and on stand for histograms, so that
/// whatever is tried with samples is tried with these too.
pub(crate) fn put(value: f64, batch: &mut MetricBatch) -> f64 {
    if is_histogram(value) { batch.histogram(&histogram(value)) } else { value }
}

fn is_histogram(value: f64) -> bool {
    value.is_finite() && value.to_bits() & 7 == 5
}

fn histogram(sum: f64) -> Histogram {
    let counts = (0..sum.to_bits() >> 3 & 15).map(|count| count as f64).collect::<Vec<_>>();
    let spans = vec![Span { offset: -3, length: counts.len() as u32 }];
    let positive = Buckets { spans, counts };
    Histogram { sum, count: 7.5, positive, ..Histogram::default() }
}

/// What tells a value and its start from others: its bits, or what becomes of those of a histogram.
pub(crate) fn told(value: f64, histograms: &Histograms, start_ms: i64) -> u64 {
    // The end of a series counts nothing.
    let start = if is_stale(value) { 0 } else { (start_ms as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) };
    let Some(place) = histogram_place(value) else { return value.to_bits() ^ start };
    let mix = |told: u64, byte: &u8| (told ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    histograms.get(place).expect("the histogram is there").iter().fold(0xcbf2_9ce4_8422_2325, mix) ^ start
}

/// What the store tells of a value that was [`put`].
pub(crate) fn told_of(value: f64) -> u64 {
    let mut batch = MetricBatch::new();
    told(put(value, &mut batch), batch.histograms(), start_of(value))
}

pub(crate) fn deploy(time_ms: i64) -> DeployEvent {
    DeployEvent {
        time: Timestamp::from_millis(time_ms),
        event_id: format!("e{time_ms}"),
        service: format!("service-{}", time_ms.rem_euclid(3)),
        version: "1".into(),
        environment: (time_ms % 2 == 0).then(|| "production".to_owned()),
        description: None,
        url: None,
        attributes: Attributes::from([("k".to_owned(), time_ms.to_string())]),
    }
}

pub(crate) fn deploys(times_ms: &[i64]) -> EventBatch {
    let rows: Vec<DeployEvent> = times_ms.iter().map(|time| deploy(*time)).collect();
    EventBatch { table: Table::Deploys, rows: DeployEvent::to_batch(&rows).expect("rows") }
}

/// Something audited at each of these times.
pub(crate) fn audited(times_ms: &[i64]) -> EventBatch {
    let row = |time_ms: &i64| AuditEvent {
        time: Timestamp::from_millis(*time_ms),
        event_id: format!("a{time_ms}"),
        action: "document.delete".to_owned(),
        category: AuditCategory::UserAction,
        outcome: Some(AuditOutcome::Denied),
        user_id: Some("ann".to_owned()),
        target: Some("d-7".to_owned()),
        message: None,
        client_ip: None,
        tenant: None,
        service: None,
        host: None,
        job_id: None,
        document_id: None,
        request_id: None,
        trace_id: None,
        attributes: Attributes::new(),
    };
    let rows: Vec<AuditEvent> = times_ms.iter().map(row).collect();
    EventBatch { table: Table::AuditEvents, rows: AuditEvent::to_batch(&rows).expect("rows") }
}

/// One series as a query gives it.
pub(crate) fn expected(name: &str, samples: &[(i64, f64)]) -> (String, Vec<(i64, u64)>) {
    (labels_of(name).to_string(), samples.iter().map(|(time, value)| (*time, told_of(*value))).collect())
}

/// Copies what is in a directory, as a disk is found after a crash.
pub(crate) fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}
