//! A life of the store that is held against the model.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::model::{ByteSize, DurationText, Timestamp};
use engine::{Config, Engine, MetricRetention, RetentionOverrides};
use prometheus::Registry;
use store::{AppendError, MatchOp, Matcher, TelemetryStore};

use super::batches::{SERIES, Sent, WINDOW_MS};
use super::disk::SimulatedDisk;
use super::model::{KEPT_SHORTER, Model, SHORTER_MS};
use super::world::{Found, ROWS, Stays};
use crate::fixture::{Open, Series, T0, labels_of};

/// At the time that it is, nothing of the traces is past retention.
const RETENTION: Duration = Duration::from_secs(100 * 365 * 86_400);
/// Rollups of a day are dropped with the first of its samples: they say what these said, and would stand in for them.
const ROLLUP_RETENTION: Duration = Duration::from_secs((100 * 365 - 2) * 86_400);

/// The time at which what is older than another is past retention.
fn expires_at(horizon_ms: i64) -> Timestamp {
    Timestamp::from_millis(horizon_ms).after(RETENTION)
}

fn config() -> Config {
    let shorter = MetricRetention {
        r#match: "as the matchers say".to_owned(),
        matchers: vec![
            Matcher::new("__name__", MatchOp::Regex, KEPT_SHORTER.join("|")).expect("a pattern of names"),
        ],
        keep: DurationText(RETENTION - Duration::from_millis(SHORTER_MS.unsigned_abs())),
    };
    Config {
        disk_reserve_bytes: ByteSize(0),
        retention: DurationText(RETENTION),
        // The day around T0 is over: every merge rolls it up, and every file that comes after makes that untrue.
        rollup_retention: DurationText(ROLLUP_RETENTION),
        retention_overrides: RetentionOverrides { metrics: vec![shorter], ..RetentionOverrides::default() },
        out_of_order_window: DurationText(Duration::from_millis(WINDOW_MS.unsigned_abs())),
        wal_segment_bytes: ByteSize(1_500),
        ..Config::default()
    }
}

/// What a life has come by, so that a trace can tell that it does something.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(crate) doubles: u64,
    pub(crate) too_old: u64,
    pub(crate) expired_files: usize,
    pub(crate) merged_files: usize,
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
    /// Whether the store reads just the files that the catalog has. A commit that lets go of files and is reported
    /// as failed can have happened all the same; the store reads them until it lets go of them again.
    knows_files: bool,
    done: Done,
}

impl<'a> Life<'a> {
    pub(crate) fn new(disk: &'a SimulatedDisk, folder: &'a Path) -> Self {
        Self {
            disk,
            folder,
            store: None,
            poisoned: false,
            injected: disk.injected(),
            knows_files: true,
            done: Done::default(),
        }
    }

    /// Opens the store. Only a disk that fails or dies keeps it from opening.
    pub(crate) fn try_open(&mut self, model: &mut Model) {
        let registry = Registry::new();
        match Engine::open_on(Arc::new(self.disk.clone()), self.folder, config(), &registry) {
            Ok(engine) => {
                self.store = Some(Open::of(engine, registry));
                self.knows_files = true;
                model.opened();
            }
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

    pub(crate) fn done(&self) -> Done {
        self.done
    }

    pub(crate) fn append(&mut self, model: &mut Model) {
        if self.store.is_some() {
            let sent = model.batch();
            self.send(model, &sent);
        }
    }

    /// Appends a batch that repeats times and comes late.
    pub(crate) fn append_late(&mut self, model: &mut Model) {
        if self.store.is_some() {
            let sent = model.late_batch();
            self.send(model, &sent);
        }
    }

    fn send(&mut self, model: &mut Model, sent: &Sent) {
        let Some(store) = &self.store else { return };
        match store.append(sent.to_batch()) {
            Ok(appended) => {
                self.done.doubles += appended.samples_duplicate;
                self.done.too_old += appended.samples_too_old;
                model.acknowledged(sent, &appended);
            }
            Err(AppendError::Poisoned | AppendError::Closed) => {
                assert!(self.was_harmed(), "poisoned by nothing");
                // What comes after the first is not even written: nothing of it may ever be found.
                if !self.poisoned {
                    model.doubtful(sent);
                }
                self.poisoned = true;
            }
            // Nothing of it may ever be found.
            Err(AppendError::DiskFull { .. }) if self.was_harmed() => {}
            Err(error) => panic!("refused: {error}"),
        }
    }

    /// Writes files; a disk that fails keeps it from doing so, and no harm is done.
    pub(crate) fn checkpoint(&mut self, model: &mut Model) {
        if let Some(store) = &self.store {
            let done = store.engine.checkpoint();
            assert!(done.is_ok() || self.was_harmed(), "{done:?}");
            match done {
                Ok(()) => model.written(),
                Err(_) => model.may_be_written(),
            }
        }
    }

    /// Merges files; a disk that fails keeps it from doing so, and no harm is done.
    pub(crate) fn compact(&mut self) {
        // Rollups of files that the catalog has let go of would stand in for these after the next start. They may, for
        // all that is past its retention; the model knows nothing of stand-ins.
        if self.knows_files {
            self.merge(Timestamp::now());
        }
    }

    /// Drops the files of which all is older than a time; a disk that fails keeps it from doing so, and no harm is
    /// done.
    pub(crate) fn expire(&mut self, model: &mut Model, horizon_ms: i64) {
        if self.is_over() {
            return;
        }
        let Some(store) = &self.store else { return };
        model.may_expire(horizon_ms);
        match store.engine.drop_expired(expires_at(horizon_ms)) {
            Ok(files) => self.done.expired_files += files,
            Err(error) => {
                assert!(self.was_harmed(), "nothing is dropped: {error:?}");
                self.knows_files = false;
            }
        }
    }

    /// The same, and merges files at that time, which leaves out what is kept shorter than the rest.
    pub(crate) fn expire_and_merge(&mut self, model: &mut Model, horizon_ms: i64) {
        self.expire(model, horizon_ms);
        // Rollups of what is left out have to be gone.
        if self.is_over() || !self.knows_files {
            return;
        }
        model.may_be_left_out(horizon_ms);
        // Of files of which nothing is left the catalog lets go, too.
        self.knows_files = self.merge(expires_at(horizon_ms));
    }

    /// Whether all went well.
    fn merge(&mut self, now: Timestamp) -> bool {
        let Some(store) = &self.store else { return true };
        let done = store.engine.compact(now);
        assert!(done.is_ok() || self.was_harmed(), "{done:?}");
        self.done.merged_files += done.as_ref().copied().unwrap_or(0);
        done.is_ok()
    }

    /// Has everything expire, on a disk that does not fail: nothing is left.
    pub(crate) fn expire_all(&mut self, model: &mut Model) {
        self.checkpoint(model);
        let horizon_ms = model.later_than_all();
        self.expire(model, horizon_ms);
        assert_eq!(self.found(), Some(Found::new()), "something has not expired");
        let files = self.store.as_ref().map(|store| store.engine.stats().files);
        assert_eq!(files, Some(0), "files are left of which everything has expired");
    }

    pub(crate) fn shutdown(&mut self) {
        if let Some(store) = self.store.take() {
            store.engine.shutdown();
        }
    }

    pub(crate) fn open_again(&mut self, model: &mut Model) {
        self.try_open(model);
        if !self.is_over() {
            self.compare(model);
        }
    }

    /// Holds what is there against what may be, and takes it for the truth from here on.
    pub(crate) fn compare(&mut self, model: &mut Model) {
        // What is in doubt since the store is poisoned is not in memory, and may be in the log.
        if self.poisoned {
            return;
        }
        if let Some(found) = self.found() {
            model.see(&found, if self.knows_files { Stays::Surely } else { Stays::Maybe });
        }
    }

    fn found(&self) -> Option<Found> {
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
                        let samples = series.iter().map(|(labels, samples)| {
                            let is_told = counts.get(labels).copied().flatten().is_some();
                            (labels.clone(), is_told.then_some(samples.len() as f64))
                        });
                        assert_eq!(counts, samples.collect(), "rollups say something else than samples");
                    }
                    Ok(None) => {}
                    Err(error) => assert!(self.was_harmed(), "unreadable rollups: {error:?}"),
                }
                Some(found_of(&series, &rows))
            }
            Err(error) => {
                assert!(self.was_harmed(), "unreadable: {error:?}");
                None
            }
        }
    }
}

fn found_of(series: &Series, rows: &[i64]) -> Found {
    let names: BTreeMap<String, &'static str> =
        SERIES.iter().map(|name| (labels_of(name).to_string(), *name)).collect();
    let mut found = Found::new();
    for (labels, samples) in series {
        let name = names.get(labels).unwrap_or_else(|| panic!("a series that was never sent: {labels}"));
        found.extend(samples.iter().map(|(time_ms, bits)| ((*name, *time_ms), *bits)));
    }
    assert!(rows.is_sorted_by(|a, b| a < b), "rows are out of order, or one is there twice: {rows:?}");
    found.extend(rows.iter().map(|time_ms| ((ROWS, *time_ms), 0)));
    found
}
