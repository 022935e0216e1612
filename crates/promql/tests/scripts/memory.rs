//! A store in memory: the smallest thing that keeps the port's promises.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use async_trait::async_trait;
use model::histogram::histogram_place;
use model::{Histogram, Histograms, Labels, STALE_NAN, TimeRange, Timestamp};
use store::{
    AppendError, Appended, Batch, Cancel, Changes, EventPass, EventScan, Matcher, QueryError, SelectRequest,
    SeriesBuffer, SeriesCursor, StoreStats, TelemetryStore,
};

/// A series: values by their times, and the histograms that they stand for.
struct StoredSeries {
    labels: Labels,
    values: BTreeMap<i64, f64>,
    histograms: Histograms,
}

/// Series by the bytes of their labels, which is the order in which a cursor gives them.
#[derive(Default)]
pub(crate) struct MemoryStore {
    series: Mutex<BTreeMap<Vec<u8>, StoredSeries>>,
    changes: Changes,
    reads: AtomicU64,
}

impl MemoryStore {
    pub(crate) fn insert(&self, labels: &Labels, time_ms: i64, value: f64) {
        self.insert_among(labels, time_ms, value, &Histograms::default());
    }

    pub(crate) fn insert_histogram(&self, labels: &Labels, time_ms: i64, histogram: &Histogram) {
        let mut histograms = Histograms::default();
        let value = histograms.push(histogram);
        self.insert_among(labels, time_ms, value, &histograms);
    }

    /// Inserts a value that may stand for one of some histograms.
    fn insert_among(&self, labels: &Labels, time_ms: i64, value: f64, histograms: &Histograms) {
        let mut series = self.series.lock().expect("no thread panics while it holds this");
        let new = || StoredSeries {
            labels: labels.clone(),
            values: BTreeMap::new(),
            histograms: Histograms::default(),
        };
        let entry = series.entry(labels.as_ref().as_bytes().to_vec()).or_insert_with(new);
        let mut values = [value];
        entry.histograms.adopt(histograms, &mut values);
        entry.values.insert(time_ms, values[0]);
        self.changes.note(Timestamp::from_millis(time_ms));
    }

    /// How often series were read since the last call.
    pub(crate) fn take_reads(&self) -> u64 {
        self.reads.swap(0, Ordering::Relaxed)
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
            for sample in samples {
                self.insert_among(&labels, sample.time_ms, sample.value, batch.metrics.histograms());
            }
        }
        Ok(Appended { samples: batch.metrics.sample_count() as u64, ..Appended::default() })
    }

    fn select(&self, request: &SelectRequest) -> Result<Box<dyn SeriesCursor>, QueryError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let series = self.series.lock().expect("no thread panics while it holds this");
        let mut found = Vec::new();
        for stored in series.values().filter(|stored| matches(&request.matchers, &stored.labels)) {
            let in_range = || {
                stored
                    .values
                    .iter()
                    .filter(|(time_ms, _)| request.range.contains(Timestamp::from_millis(**time_ms)))
            };
            let times_ms: Vec<i64> = in_range().map(|(time_ms, _)| *time_ms).collect();
            if !times_ms.is_empty() {
                // What need not be read is not.
                let matters = |value: f64| {
                    histogram_place(value).is_some()
                        || request.values.as_ref().is_none_or(|values| values.contains(&value))
                };
                let values =
                    in_range().map(|(_, value)| if matters(*value) { *value } else { STALE_NAN }).collect();
                found.push(SeriesBuffer {
                    labels: stored.labels.clone(),
                    times_ms,
                    values,
                    histograms: stored.histograms.clone(),
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
