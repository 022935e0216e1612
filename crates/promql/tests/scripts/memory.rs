//! A store in memory: the smallest thing that keeps the port's promises.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arrow::array::RecordBatch;
use async_trait::async_trait;
use model::{Labels, STALE_NAN, TimeRange, Timestamp};
use store::{
    AppendError, Appended, Batch, Cancel, Changes, EventPass, EventScan, Matcher, QueryError, SelectRequest,
    SeriesBuffer, SeriesCursor, StoreStats, TelemetryStore,
};

/// Labels, and values by their times.
type StoredSeries = (Labels, BTreeMap<i64, f64>);

/// Series by the bytes of their labels, which is the order in which a cursor gives them.
#[derive(Default)]
pub(crate) struct MemoryStore {
    series: Mutex<BTreeMap<Vec<u8>, StoredSeries>>,
    /// Series that hold native histograms, which this store cannot hold.
    histograms: Mutex<Vec<Labels>>,
    asked_for_histograms: AtomicBool,
    changes: Changes,
    reads: AtomicU64,
}

impl MemoryStore {
    pub(crate) fn insert(&self, labels: &Labels, time_ms: i64, value: f64) {
        let mut series = self.series.lock().expect("no thread panics while it holds this");
        let entry = series
            .entry(labels.as_ref().as_bytes().to_vec())
            .or_insert_with(|| (labels.clone(), BTreeMap::new()));
        entry.1.insert(time_ms, value);
        self.changes.note(Timestamp::from_millis(time_ms));
    }

    /// How often series were read since the last call.
    pub(crate) fn take_reads(&self) -> u64 {
        self.reads.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn insert_histogram(&self, labels: Labels) {
        self.histograms.lock().expect("no thread panics while it holds this").push(labels);
    }

    /// Whether a query since the last call asked for a series that holds native histograms.
    pub(crate) fn take_asked_for_histograms(&self) -> bool {
        self.asked_for_histograms.swap(false, Ordering::Relaxed)
    }
}

struct Cursor(std::vec::IntoIter<SeriesBuffer>);

impl SeriesCursor for Cursor {
    fn next_series(&mut self, into: &mut SeriesBuffer) -> Result<bool, QueryError> {
        match self.0.next() {
            Some(series) => {
                *into = series;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

fn matches(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers.iter().all(|matcher| matcher.matches(labels.as_ref()))
}

#[async_trait]
impl TelemetryStore for MemoryStore {
    async fn append(&self, batch: Batch) -> Result<Appended, AppendError> {
        for (labels, samples) in batch.metrics.iter() {
            let labels = labels.to_owned();
            samples.iter().for_each(|sample| self.insert(&labels, sample.time_ms, sample.value));
        }
        Ok(Appended { samples: batch.metrics.sample_count() as u64, ..Appended::default() })
    }

    fn select(&self, request: &SelectRequest) -> Result<Box<dyn SeriesCursor>, QueryError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let histograms = self.histograms.lock().expect("no thread panics while it holds this");
        if histograms.iter().any(|labels| matches(&request.matchers, labels)) {
            self.asked_for_histograms.store(true, Ordering::Relaxed);
        }
        let series = self.series.lock().expect("no thread panics while it holds this");
        let mut found = Vec::new();
        for (labels, samples) in series.values().filter(|(labels, _)| matches(&request.matchers, labels)) {
            let in_range = || {
                samples
                    .iter()
                    .filter(|(time_ms, _)| request.range.contains(Timestamp::from_millis(**time_ms)))
            };
            let times_ms: Vec<i64> = in_range().map(|(time_ms, _)| *time_ms).collect();
            if !times_ms.is_empty() {
                // What need not be read is not.
                let matters =
                    |value: f64| request.values.as_ref().is_none_or(|values| values.contains(&value));
                let values =
                    in_range().map(|(_, value)| if matters(*value) { *value } else { STALE_NAN }).collect();
                found.push(SeriesBuffer {
                    labels: labels.clone(),
                    times_ms,
                    values,
                    ..SeriesBuffer::default()
                });
            }
        }
        Ok(Box::new(Cursor(found.into_iter())))
    }

    fn series(&self, _: &[Matcher], _: TimeRange, _: usize, _: &Cancel) -> Result<Vec<Labels>, QueryError> {
        Err(QueryError::Invalid("the engine asks for samples only".to_owned()))
    }

    fn label_names(&self, _: &[Matcher], _: TimeRange, _: &Cancel) -> Result<Vec<String>, QueryError> {
        Err(QueryError::Invalid("the engine asks for samples only".to_owned()))
    }

    fn label_values(
        &self,
        _: &str,
        _: &[Matcher],
        _: TimeRange,
        _: &Cancel,
    ) -> Result<Vec<String>, QueryError> {
        Err(QueryError::Invalid("the engine asks for samples only".to_owned()))
    }

    fn scan(&self, _: &EventScan) -> Result<Vec<RecordBatch>, QueryError> {
        Err(QueryError::Invalid("the engine asks for samples only".to_owned()))
    }

    fn each_batch(
        &self,
        _: &EventPass,
        _: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        Err(QueryError::Invalid("not asked here".to_owned()))
    }

    fn changes(&self) -> Option<&Changes> {
        Some(&self.changes)
    }

    fn stats(&self) -> StoreStats {
        StoreStats::default()
    }
}
