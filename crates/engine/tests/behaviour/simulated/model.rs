//! What was acknowledged, and a life of the store that is held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::model::{ByteSize, DurationText, MetricBatch, Sample, Timestamp};
use engine::{Config, Engine};
use fastrand::Rng;
use prometheus::Registry;
use store::{AppendError, Batch, TelemetryStore};

use super::disk::SimulatedDisk;
use crate::fixture::{Open, Series, T0, deploys, labels_of};

/// What a batch holds: samples by series and time, and the times of rows.
#[derive(Clone, Debug, Default, PartialEq)]
struct Content {
    samples: BTreeMap<(String, i64), u64>,
    rows: BTreeSet<i64>,
}

impl Content {
    fn add(&mut self, other: &Self) {
        self.samples.extend(other.samples.iter().map(|(key, bits)| (key.clone(), *bits)));
        self.rows.extend(&other.rows);
    }

    fn is_in(&self, other: &Self) -> bool {
        self.samples.iter().all(|(key, bits)| other.samples.get(key) == Some(bits))
            && self.rows.is_subset(&other.rows)
    }

    fn touches(&self, other: &Self) -> bool {
        self.samples.keys().any(|key| other.samples.contains_key(key))
            || self.rows.iter().any(|row| other.rows.contains(row))
    }
}

/// The oracle.
pub(crate) struct Model {
    rng: Rng,
    /// No time is used twice, so each sample and row tells which batch it came from.
    next_ms: i64,
    acknowledged: Content,
    /// Batches whose answer never came, or said that nobody knows.
    doubtful: Vec<Content>,
}

impl Model {
    pub(crate) fn new(seed: u64) -> Self {
        let acknowledged = Content::default();
        Self { rng: Rng::with_seed(seed), next_ms: T0, acknowledged, doubtful: Vec::new() }
    }

    fn time(&mut self) -> i64 {
        self.next_ms += self.rng.i64(1..2_000);
        self.next_ms
    }

    fn batch(&mut self) -> (Batch, Content) {
        let mut content = Content::default();
        let mut metrics = MetricBatch::new();
        for _ in 0..self.rng.u8(0..4) {
            let name = ["up", "down", "left", "right", "here"][self.rng.usize(0..5)];
            let mut samples: Vec<Sample> = (0..self.rng.u8(1..6))
                .map(|_| Sample { time_ms: self.time(), value: self.rng.f64() })
                .collect();
            if self.rng.u8(0..4) == 0 {
                samples.reverse();
            }
            let labels = labels_of(name);
            for sample in &samples {
                content.samples.insert((labels.to_string(), sample.time_ms), sample.value.to_bits());
            }
            metrics.push(labels.as_ref(), &samples);
        }
        let rows: Vec<i64> = (0..self.rng.u8(0..4)).map(|_| self.time()).collect();
        content.rows.extend(&rows);
        let events = if rows.is_empty() { Vec::new() } else { vec![deploys(&rows)] };
        (Batch { metrics, events }, content)
    }
}

/// A process that has the store open, until it ends.
pub(crate) struct Life<'a> {
    disk: &'a SimulatedDisk,
    folder: &'a Path,
    store: Option<Open>,
    /// The store takes nothing more, or was never opened.
    poisoned: bool,
    /// Calls that had been made to fail before this life.
    injected: u64,
}

impl<'a> Life<'a> {
    pub(crate) fn new(disk: &'a SimulatedDisk, folder: &'a Path) -> Self {
        Self { disk, folder, store: None, poisoned: false, injected: disk.injected() }
    }

    /// Opens the store. Only a disk that fails or dies keeps it from opening.
    pub(crate) fn try_open(&mut self) {
        let config = Config {
            disk_reserve_bytes: ByteSize(0),
            retention: DurationText(Duration::from_secs(100 * 365 * 86_400)),
            // The day around T0 is over: every merge rolls it up, and every file that comes after makes that untrue.
            rollup_retention: DurationText(Duration::from_secs(100 * 365 * 86_400)),
            wal_segment_bytes: ByteSize(1_500),
            ..Config::default()
        };
        let registry = Registry::new();
        match Engine::open_on(Arc::new(self.disk.clone()), self.folder, config, &registry) {
            Ok(engine) => self.store = Some(Open::of(engine, registry)),
            Err(error) => {
                assert!(self.was_harmed(), "the store does not open: {error:?}");
                self.poisoned = true;
            }
        }
    }

    /// Whether the disk has given a reason to fail.
    fn was_harmed(&self) -> bool {
        self.disk.is_dead() || self.disk.injected() > self.injected
    }

    pub(crate) fn is_over(&self) -> bool {
        self.poisoned || self.disk.is_dead()
    }

    pub(crate) fn append(&mut self, model: &mut Model) {
        let Some(store) = &self.store else { return };
        let (batch, content) = model.batch();
        match store.append(batch) {
            Ok(appended) => {
                assert_eq!(appended.samples, content.samples.len() as u64, "{appended:?}");
                model.acknowledged.add(&content);
            }
            Err(AppendError::Poisoned | AppendError::Closed) => {
                assert!(self.was_harmed(), "poisoned by nothing");
                model.doubtful.push(content);
                self.poisoned = true;
            }
            // Nothing of it may ever be found.
            Err(AppendError::DiskFull { .. }) if self.was_harmed() => {}
            Err(error) => panic!("refused: {error}"),
        }
    }

    /// Writes files; a disk that fails keeps it from doing so, and no harm is done.
    pub(crate) fn checkpoint(&mut self) {
        if let Some(store) = &self.store {
            let done = store.engine.checkpoint();
            assert!(done.is_ok() || self.was_harmed(), "{done:?}");
        }
    }

    /// Merges files; a disk that fails keeps it from doing so, and no harm is done.
    pub(crate) fn compact(&mut self) {
        if let Some(store) = &self.store {
            let done = store.engine.compact(Timestamp::now());
            assert!(done.is_ok() || self.was_harmed(), "{done:?}");
        }
    }

    pub(crate) fn shutdown(&mut self) {
        if let Some(store) = self.store.take() {
            store.engine.shutdown();
        }
    }

    pub(crate) fn open_again(&mut self, model: &mut Model) {
        self.try_open();
        if !self.is_over() {
            self.settle(model);
        }
    }

    fn found(&self) -> Option<Content> {
        let store = self.store.as_ref()?;
        let read = store.try_all().and_then(|series| Ok((series, store.try_rows()?)));
        match read {
            Ok((series, rows)) => {
                // What was synced does not rot here, so nothing may be taken for damaged.
                assert_eq!(store.engine.stats().quarantined_files, 0, "set aside");
                assert_eq!(store.metric("watchkeeper_wal_corrupt_records_total"), 0.0, "put aside");
                assert_eq!(store.metric("watchkeeper_wal_missing_records_total"), 0.0, "told as missing");
                match crate::rollups::counts(store, T0) {
                    Ok(Some(counts)) => {
                        let samples =
                            series.iter().map(|(labels, samples)| (labels.clone(), samples.len() as f64));
                        assert_eq!(counts, samples.collect(), "rollups say something else than samples");
                    }
                    Ok(None) => {}
                    Err(error) => assert!(self.was_harmed(), "unreadable rollups: {error:?}"),
                }
                Some(content_of(series, &rows))
            }
            Err(error) => {
                assert!(self.was_harmed(), "unreadable: {error:?}");
                None
            }
        }
    }

    /// After an end: holds what is there against what may be, and takes it for the truth from here on.
    pub(crate) fn settle(&mut self, model: &mut Model) {
        let Some(found) = self.found() else { return };
        let lost = |content: &Content| {
            let samples: Vec<_> =
                content.samples.iter().filter(|(key, bits)| found.samples.get(*key) != Some(bits)).collect();
            let rows: Vec<_> = content.rows.difference(&found.rows).collect();
            format!("samples {samples:?}, rows {rows:?}")
        };
        assert!(model.acknowledged.is_in(&found), "acknowledged and lost: {}", lost(&model.acknowledged));
        let mut known = model.acknowledged.clone();
        for batch in std::mem::take(&mut model.doubtful) {
            if batch.is_in(&found) {
                known.add(&batch);
            } else {
                assert!(!batch.touches(&found), "half a batch: missing {}", lost(&batch));
            }
        }
        assert_eq!(found, known, "something is there that was never sent");
        model.acknowledged = known;
    }

    /// Answers are the model's, while nothing is in doubt.
    pub(crate) fn compare(&mut self, model: &Model) {
        if let (Some(found), true) = (self.found(), model.doubtful.is_empty()) {
            assert_eq!(found, model.acknowledged);
        }
    }
}

fn content_of(series: Series, rows: &[i64]) -> Content {
    let samples = series
        .into_iter()
        .flat_map(|(labels, samples)| {
            samples.into_iter().map(move |(time, bits)| ((labels.clone(), time), bits))
        })
        .collect();
    let unique: BTreeSet<i64> = rows.iter().copied().collect();
    assert_eq!(unique.len(), rows.len(), "a row is there twice: {rows:?}");
    Content { samples, rows: unique }
}
