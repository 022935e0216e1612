//! A store in memory, for the samples of one test: it keeps the port's promises, but for lasting.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use model::histogram::histogram_place;
use model::{Histograms, Labels, MetricBatch, TimeRange, Timestamp};
use parking_lot::Mutex;
use store::{
    AppendError, Appended, Batch, Cancel, EventPass, EventScan, Matcher, QueryError, SelectRequest,
    SeriesBuffer, SeriesCursor, StoreStats, TelemetryStore,
};

/// Samples that one test may have.
const MAX_SAMPLES: usize = 20_000_000;

#[derive(Default)]
pub(super) struct MemoryStore(Mutex<Held>);

/// Series by the bytes of their labels, which is the order in which a cursor gives them.
#[derive(Default)]
struct Held {
    series: BTreeMap<Vec<u8>, Stored>,
    samples: usize,
}

struct Stored {
    labels: Labels,
    times_ms: Vec<i64>,
    values: Vec<f64>,
    histograms: Histograms,
}

impl MemoryStore {
    /// Keeps samples, and says how many have another value than one that is there at their time: as in Prometheus
    /// the first stays.
    pub(super) fn insert(&self, batch: &MetricBatch) -> Result<u64, String> {
        let mut conflicting = 0;
        let mut held = self.0.lock();
        held.samples += batch.sample_count();
        if held.samples > MAX_SAMPLES {
            return Err(format!("a test may have {MAX_SAMPLES} samples: make series shorter"));
        }
        for (labels, samples) in batch.iter() {
            let stored = held.series.entry(labels.as_bytes().to_vec()).or_insert_with(|| Stored {
                labels: labels.to_owned(),
                times_ms: Vec::new(),
                values: Vec::new(),
                histograms: Histograms::default(),
            });
            for sample in samples {
                let at = match stored.times_ms.binary_search(&sample.time_ms) {
                    Err(at) => at,
                    Ok(at) => {
                        let is_number = histogram_place(sample.value).is_none();
                        conflicting +=
                            u64::from(is_number && stored.values[at].to_bits() != sample.value.to_bits());
                        continue;
                    }
                };
                let value =
                    match histogram_place(sample.value).and_then(|place| batch.histograms().get(place)) {
                        Some(encoded) => stored.histograms.push_encoded(encoded),
                        None => sample.value,
                    };
                stored.times_ms.insert(at, sample.time_ms);
                stored.values.insert(at, value);
            }
        }
        Ok(conflicting)
    }
}

struct Cursor(std::vec::IntoIter<SeriesBuffer>);

impl SeriesCursor for Cursor {
    fn next_series(&mut self, into: &mut SeriesBuffer) -> Result<bool, QueryError> {
        let next = self.0.next();
        let found = next.is_some();
        if let Some(series) = next {
            *into = series;
        }
        Ok(found)
    }
}

fn not_asked<T>() -> Result<T, QueryError> {
    Err(QueryError::Invalid("a test of rules has samples alone".to_owned()))
}

#[async_trait]
impl TelemetryStore for MemoryStore {
    async fn append(&self, batch: Batch) -> Result<Appended, AppendError> {
        let samples = batch.metrics.sample_count() as u64;
        Ok(match self.insert(&batch.metrics) {
            Ok(_) => Appended { samples, ..Appended::default() },
            Err(_) => Appended { samples_over_series_limit: samples, ..Appended::default() },
        })
    }

    fn select(&self, request: &SelectRequest) -> Result<Box<dyn SeriesCursor>, QueryError> {
        let held = self.0.lock();
        let (start, end) = (request.range.start.as_millis(), request.range.end.as_millis());
        let mut found = Vec::new();
        for stored in held.series.values() {
            if !request.matchers.iter().all(|matcher| matcher.matches(stored.labels.as_ref())) {
                continue;
            }
            let from = stored.times_ms.partition_point(|time_ms| *time_ms < start);
            let to = stored.times_ms.partition_point(|time_ms| *time_ms <= end);
            if from < to {
                found.push(SeriesBuffer {
                    labels: stored.labels.clone(),
                    times_ms: stored.times_ms[from..to].to_vec(),
                    values: stored.values[from..to].to_vec(),
                    histograms: stored.histograms.clone(),
                    ..SeriesBuffer::default()
                });
            }
        }
        Ok(Box::new(Cursor(found.into_iter())))
    }

    fn series(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        limit: usize,
        cancel: &Cancel,
    ) -> Result<Vec<Labels>, QueryError> {
        let request = SelectRequest {
            matchers: matchers.to_vec(),
            range,
            values: None,
            max_samples: u64::MAX,
            cancel: cancel.clone(),
        };
        let mut cursor = self.select(&request)?;
        let (mut labels, mut series) = (Vec::new(), SeriesBuffer::default());
        while labels.len() < limit && cursor.next_series(&mut series)? {
            labels.push(series.labels.clone());
        }
        Ok(labels)
    }

    fn label_names(&self, _: &[Matcher], _: TimeRange, _: &Cancel) -> Result<Vec<String>, QueryError> {
        not_asked()
    }

    fn label_values(
        &self,
        _: &str,
        _: &[Matcher],
        _: TimeRange,
        _: &Cancel,
    ) -> Result<Vec<String>, QueryError> {
        not_asked()
    }

    fn scan(&self, _: &EventScan) -> Result<Vec<RecordBatch>, QueryError> {
        not_asked()
    }

    fn each_batch(
        &self,
        _: &EventPass,
        _: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        not_asked()
    }

    fn stats(&self) -> StoreStats {
        StoreStats { oldest: Some(Timestamp::default()), ..StoreStats::default() }
    }
}
