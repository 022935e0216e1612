//! The trait that engines implement.

use std::ops::RangeInclusive;
use std::time::Duration;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use model::{Histograms, Labels, MetricBatch, Starts, TimeRange, Timestamp};

use crate::{
    AppendError, Cancel, Cardinality, Changes, EventBatch, EventPass, EventScan, Intake, Matcher, QueryError,
    Reservation, SqlError, SqlQuery, SqlRows, SqlSummary, StatementError,
};

/// What is stored in one step: all of it becomes durable together, or none.
#[derive(Debug, Default)]
pub struct Batch {
    /// Samples.
    pub metrics: MetricBatch,
    /// Rows of event tables.
    pub events: Vec<EventBatch>,
}

impl Batch {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty() && self.events.iter().all(|events| events.rows.num_rows() == 0)
    }
}

impl From<MetricBatch> for Batch {
    fn from(metrics: MetricBatch) -> Self {
        Self { metrics, events: Vec::new() }
    }
}

/// What became of a batch that was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Samples that are stored now.
    pub samples: u64,
    /// Samples of series that would have gone over the limit of series.
    pub samples_over_series_limit: u64,
    /// Samples that were older than the store takes.
    pub samples_too_old: u64,
    /// Samples that were there already, at the same time of the same series.
    pub samples_duplicate: u64,
    /// Those of them that say something else than the newest sample of their series, which stays.
    pub samples_conflicting: u64,
    /// Rows that are stored now.
    pub rows: u64,
}

/// Which series to read, and from when to when.
#[derive(Clone, Debug)]
pub struct SelectRequest {
    /// Conditions on the labels, all of which must hold.
    pub matchers: Vec<Matcher>,
    /// Samples whose time lies here; both ends in whole milliseconds.
    pub range: TimeRange,
    /// Values that matter to whoever asks; all of them, without it. Where the values of a run of samples are all
    /// outside, they need not be read: their times are answered as they are, and their values as staleness markers.
    pub values: Option<RangeInclusive<f64>>,
    /// The most samples that may be read for this request.
    pub max_samples: u64,
    /// Stops reading between two series.
    pub cancel: Cancel,
}

/// One series, in flat arrays that a caller uses again for the next.
#[derive(Clone, Debug)]
pub struct SeriesBuffer {
    /// The labels.
    pub labels: Labels,
    /// Times in milliseconds, strictly ascending.
    pub times_ms: Vec<i64>,
    /// Values, one for each time. Staleness markers are among them, and values that stand for histograms.
    pub values: Vec<f64>,
    /// The histograms that values stand for. More can lie there than values speak of.
    pub histograms: Histograms,
    /// When what the samples count began, by their times. What is said of other times means nothing.
    pub starts: Starts,
}

impl SeriesBuffer {
    /// Makes room for so many more samples.
    pub fn reserve(&mut self, samples: usize) {
        self.times_ms.reserve(samples);
        self.values.reserve(samples);
    }

    /// Forgets the samples; keeps their memory.
    pub fn clear(&mut self) {
        self.times_ms.clear();
        self.values.clear();
        self.histograms.clear();
        self.starts.clear();
    }
}

impl Default for SeriesBuffer {
    fn default() -> Self {
        Self {
            labels: Labels::empty(),
            times_ms: Vec::new(),
            values: Vec::new(),
            histograms: Histograms::default(),
            starts: Starts::default(),
        }
    }
}

/// What a rollup says of the samples of a bucket: those after its start and until its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RollupPart {
    /// How many there are.
    Count,
    /// Their sum.
    Sum,
    /// The least; any number is less than NaN.
    Min,
    /// The greatest; any number is greater than NaN.
    Max,
    /// The last one, a staleness marker too.
    Last,
    /// By how much a counter grew since the last sample before the bucket, or since its start, resets corrected.
    /// Nothing is counted when that is older than an hour before the bucket's start.
    Increase,
}

impl RollupPart {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Count, Self::Sum, Self::Min, Self::Max, Self::Last, Self::Increase];
}

/// Series after series, each whole; in ascending order of labels' bytes.
pub trait SeriesCursor: Send {
    /// Overwrites `into` with the next series; `false` when there is none.
    fn next_series(&mut self, into: &mut SeriesBuffer) -> Result<bool, QueryError>;
}

/// What rollups say of one series, in flat arrays that a caller uses again for the next. Of histograms they say
/// nothing: where a bucket has some, its values stand for histograms ([`model::histogram::histogram_place`]) that are
/// not to be had here, and samples have to be read.
#[derive(Clone, Debug)]
pub struct RollupBuffer {
    /// The labels.
    pub labels: Labels,
    /// The ends of buckets in milliseconds, strictly ascending.
    pub times_ms: Vec<i64>,
    /// Each part that was asked for: values, one for each time.
    pub parts: Vec<Vec<f64>>,
}

impl Default for RollupBuffer {
    fn default() -> Self {
        Self { labels: Labels::empty(), times_ms: Vec::new(), parts: Vec::new() }
    }
}

/// Series after series as [`SeriesCursor`] gives them, rolled up.
pub trait RollupCursor: Send {
    /// Overwrites `into` with the next series; `false` when there is none.
    fn next_series(&mut self, into: &mut RollupBuffer) -> Result<bool, QueryError>;
}

/// How a store does.
#[derive(Clone, Debug, Default)]
pub struct StoreStats {
    /// Series in memory.
    pub head_series: u64,
    /// Bytes in memory that are not in files yet.
    pub head_bytes: u64,
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
    /// Bytes of the files.
    pub file_bytes: u64,
    /// Files in use.
    pub files: u64,
    /// Files that were set aside because they could not be read.
    pub quarantined_files: u64,
    /// Bytes free on the disk.
    pub free_bytes: u64,
    /// The earliest time in the files.
    pub oldest: Option<Timestamp>,
}

/// A durable store of metrics and events.
#[async_trait]
pub trait TelemetryStore: Send + Sync + 'static {
    /// Stores a batch. When this returns `Ok` the batch is on the disk and visible to queries; when it
    /// returns an error nothing of it is promised.
    async fn append(&self, batch: Batch) -> Result<Appended, AppendError>;

    /// The same, by another right than most. A store that has no bounds treats all alike.
    async fn append_by(&self, batch: Batch, intake: &Intake) -> Result<Appended, AppendError> {
        _ = intake;
        self.append(batch).await
    }

    /// Takes room for rows of about so many bytes that belong together and come in several batches, so that a refusal
    /// comes before the first of them is stored. What is stored by [`Intake::Reserved`] finds room: only a fault
    /// of the disk, or an end, can come between. There is room for all of it while there is any, however much it is.
    fn reserve(&self, bytes: u64) -> Result<Reservation, AppendError> {
        _ = bytes;
        Ok(Reservation::boundless())
    }

    /// The series that match, with their samples in the range. Blocks; call it where blocking is allowed.
    fn select(&self, request: &SelectRequest) -> Result<Box<dyn SeriesCursor>, QueryError>;

    /// Parts of what rollups say of the samples of each `bucket`, at the ends of buckets that lie in the range. `None`
    /// when there are none to read, so that nothing would be gained. Where samples come later than they were rolled up,
    /// these are not read. Blocks.
    fn rollups(
        &self,
        request: &SelectRequest,
        bucket: Duration,
        parts: &[RollupPart],
    ) -> Result<Option<Box<dyn RollupCursor>>, QueryError> {
        _ = (request, bucket, parts);
        Ok(None)
    }

    /// Whether in some part of a range the last value of each five minutes stands in for samples that are past
    /// retention or lost.
    fn rollups_stand_in(&self, range: TimeRange) -> bool {
        _ = range;
        false
    }

    /// Hands all series that match to `each`, one after the other, so that any number of samples can be gone
    /// over; memory is bounded by the longest series in the range. The first error of `each` ends it. Blocks.
    fn each_series(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        each: &mut dyn FnMut(&SeriesBuffer) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let request = SelectRequest {
            matchers: matchers.to_vec(),
            range,
            values: None,
            max_samples: u64::MAX,
            cancel: Cancel::never(),
        };
        let mut cursor = self.select(&request)?;
        let mut series = SeriesBuffer::default();
        while cursor.next_series(&mut series)? {
            each(&series)?;
        }
        Ok(())
    }

    /// The label sets that match and have samples in the range, sorted, `limit` at most. Blocks.
    fn series(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        limit: usize,
        cancel: &Cancel,
    ) -> Result<Vec<Labels>, QueryError>;

    /// The names of labels of the series that match, sorted. Blocks.
    fn label_names(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        cancel: &Cancel,
    ) -> Result<Vec<String>, QueryError>;

    /// The values of one label of the series that match, sorted. Blocks.
    fn label_values(
        &self,
        name: &str,
        matchers: &[Matcher],
        range: TimeRange,
        cancel: &Cancel,
    ) -> Result<Vec<String>, QueryError>;

    /// Rows of a table, in batches of the table's schema. Blocks.
    fn scan(&self, scan: &EventScan) -> Result<Vec<RecordBatch>, QueryError>;

    /// Hands all rows that a pass wants to `each`, batch by batch, so that any number of them can be
    /// summed up in bounded memory. Batches have at least the wanted columns, by name; rows come about
    /// in ascending time, but what arrived late may come late. The first error of `each` ends the pass.
    /// Blocks.
    fn each_batch(
        &self,
        pass: &EventPass,
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError>;

    /// As [`TelemetryStore::each_batch`], but for as long as it takes, on the thread of whoever asks: for
    /// exports, whose readers may be slow. The caller bounds how many there are at once. Blocks.
    fn each_batch_unhurried(
        &self,
        pass: &EventPass,
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        self.each_batch(pass, each)
    }

    /// Answers a statement of SQL that only reads, over the tables of [`crate::sql_tables`], as the store is now. Hands
    /// the columns and rows to `into`, on the thread of whoever asks; the caller bounds how many statements are planned
    /// at once. Blocks.
    fn sql(&self, query: &SqlQuery, into: &mut dyn SqlRows) -> Result<SqlSummary, SqlError> {
        _ = (query, into);
        Err(StatementError::new("this store does not know SQL").into())
    }

    /// What has changed of samples and when, for whoever keeps answers. Answers of a store that does not tell
    /// are not kept.
    fn changes(&self) -> Option<&Changes> {
        None
    }

    /// What series in memory there are the most of: lists of `most` each. A store that does not tell has empty ones.
    /// Blocks.
    fn cardinality(&self, most: usize) -> Cardinality {
        _ = most;
        Cardinality::default()
    }

    /// How the store does.
    fn stats(&self) -> StoreStats;
}
