//! The store's own metrics, by the part of the store that they tell about.

use std::time::Instant;

use prometheus::{Error, Histogram, HistogramOpts, IntCounter, IntGauge, Registry};

use crate::EngineError;

/// Counters and gauges of one store, registered where the caller said.
#[derive(Debug)]
pub(crate) struct Telemetry {
    pub(crate) sizes: Sizes,
    pub(crate) intake: Intake,
    pub(crate) wal: Wal,
    pub(crate) files: Files,
    pub(crate) scans: Scans,
    pub(crate) archive: Archive,
    pub(crate) query_limits: IntCounter,
}

/// Scans of events.
#[derive(Clone, Debug)]
pub(crate) struct Scans {
    pub(crate) row_groups: IntCounter,
    pub(crate) row_groups_passed_over: IntCounter,
}

/// How large things are.
#[derive(Debug)]
pub(crate) struct Sizes {
    pub(crate) head_series: IntGauge,
    pub(crate) head_bytes: IntGauge,
    pub(crate) wal_bytes: IntGauge,
    pub(crate) file_bytes: IntGauge,
    pub(crate) files: IntGauge,
    pub(crate) free_bytes: IntGauge,
    pub(crate) quarantined_files: IntGauge,
}

/// What became of what came in.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) samples: IntCounter,
    pub(crate) duplicate: IntCounter,
    pub(crate) too_old: IntCounter,
    pub(crate) over_series_limit: IntCounter,
    pub(crate) rows: IntCounter,
    pub(crate) overloaded: IntCounter,
}

/// The write-ahead log.
#[derive(Debug)]
pub(crate) struct Wal {
    pub(crate) commits: IntCounter,
    pub(crate) commit_seconds: Histogram,
    pub(crate) torn_tails: IntCounter,
    pub(crate) corrupt_records: IntCounter,
    pub(crate) missing_records: IntCounter,
    pub(crate) replayed_records: IntCounter,
    pub(crate) poisoned: IntGauge,
}

/// Files that come and go.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) flushes: IntCounter,
    pub(crate) flush_errors: IntCounter,
    pub(crate) flush_seconds: Histogram,
    pub(crate) orphans_removed: IntCounter,
    pub(crate) expired: IntCounter,
    pub(crate) dropped_for_space: IntCounter,
    pub(crate) compactions: IntCounter,
    pub(crate) compacted_files: IntCounter,
    pub(crate) rollups: IntCounter,
    pub(crate) compaction_errors: IntCounter,
    pub(crate) scrubbed_bytes: IntCounter,
    pub(crate) scrubs: IntCounter,
    pub(crate) scrub_problems: IntCounter,
    pub(crate) scrub_log_problems: IntCounter,
    pub(crate) scrub_unread: IntCounter,
}

/// The archive.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(crate) days: IntCounter,
    pub(crate) rows: IntCounter,
    pub(crate) bytes: IntCounter,
    pub(crate) errors: IntCounter,
    pub(crate) pending: IntGauge,
    pub(crate) expired: IntCounter,
    pub(crate) missed: IntCounter,
}

impl Telemetry {
    pub(crate) fn new(registry: &Registry) -> Result<Self, EngineError> {
        let made = Made(registry);
        let new = || -> Result<Self, Error> {
            Ok(Self {
                sizes: Sizes::new(&made)?,
                intake: Intake::new(&made)?,
                wal: Wal::new(&made)?,
                files: Files::new(&made)?,
                scans: Scans::new(&made)?,
                archive: Archive::new(&made)?,
                query_limits: made
                    .counter("store_query_limits_total", "Queries that were stopped at a limit.")?,
            })
        };
        new().map_err(EngineError::Metric)
    }
}

/// Makes metrics and registers them.
struct Made<'a>(&'a Registry);

impl Made<'_> {
    fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, Error> {
        let gauge = IntGauge::new(format!("watchkeeper_{name}"), help)?;
        self.0.register(Box::new(gauge.clone()))?;
        Ok(gauge)
    }

    fn counter(&self, name: &str, help: &str) -> Result<IntCounter, Error> {
        let counter = IntCounter::new(format!("watchkeeper_{name}"), help)?;
        self.0.register(Box::new(counter.clone()))?;
        Ok(counter)
    }

    /// A histogram of durations whose first bucket ends at `first` seconds.
    fn seconds(&self, name: &str, help: &str, first: f64) -> Result<Histogram, Error> {
        let buckets = prometheus::exponential_buckets(first, 2.0, 14)?;
        let options = HistogramOpts::new(format!("watchkeeper_{name}"), help).buckets(buckets);
        let histogram = Histogram::with_opts(options)?;
        self.0.register(Box::new(histogram.clone()))?;
        Ok(histogram)
    }
}

impl Scans {
    fn new(made: &Made<'_>) -> Result<Self, Error> {
        Ok(Self {
            row_groups: made
                .counter("scan_row_groups_total", "Row groups of event files that scans read.")?,
            row_groups_passed_over: made.counter(
                "scan_row_groups_passed_over_total",
                "Row groups that scans did not read, by what statistics and filters say of them.",
            )?,
        })
    }
}

impl Sizes {
    fn new(made: &Made<'_>) -> Result<Self, Error> {
        Ok(Self {
            head_series: made.gauge("store_head_series", "Series in memory.")?,
            head_bytes: made.gauge("store_head_bytes", "Bytes in memory that are not in files yet.")?,
            wal_bytes: made.gauge("store_wal_bytes", "Bytes of the write-ahead log.")?,
            file_bytes: made.gauge("store_file_bytes", "Bytes of the files.")?,
            files: made.gauge("store_files", "Files in use.")?,
            free_bytes: made.gauge("store_free_bytes", "Bytes free on the store's disk.")?,
            quarantined_files: made.gauge(
                "store_quarantined_files",
                "Files that were set aside because they could not be read.",
            )?,
        })
    }
}

impl Intake {
    fn new(made: &Made<'_>) -> Result<Self, Error> {
        Ok(Self {
            samples: made.counter("store_samples_total", "Samples stored.")?,
            duplicate: made.counter(
                "store_samples_duplicate_total",
                "Samples that were there already, at the same time of the same series.",
            )?,
            too_old: made.counter(
                "store_samples_too_old_total",
                "Samples further behind their series than the out-of-order window.",
            )?,
            over_series_limit: made.counter(
                "store_samples_over_series_limit_total",
                "Samples of series over the limit of series.",
            )?,
            rows: made.counter("store_rows_total", "Event rows stored.")?,
            overloaded: made.counter("store_overloaded_total", "Batches refused at a bound.")?,
        })
    }
}

impl Wal {
    fn new(made: &Made<'_>) -> Result<Self, Error> {
        Ok(Self {
            commits: made.counter("wal_commits_total", "Commits of the write-ahead log.")?,
            commit_seconds: made.seconds(
                "wal_commit_duration_seconds",
                "Write and sync of a commit.",
                0.000_25,
            )?,
            torn_tails: made.counter("wal_torn_tails_total", "Torn ends of the log that were cut off.")?,
            corrupt_records: made
                .counter("wal_corrupt_records_total", "Places where the log was corrupt.")?,
            missing_records: made.counter(
                "wal_missing_records_total",
                "Records of the log that a start did not find, by their numbers.",
            )?,
            replayed_records: made.counter("wal_replayed_records_total", "Records replayed at the start.")?,
            poisoned: made.gauge(
                "wal_poisoned",
                "1 when the log could not be written, and nothing is taken until the next start.",
            )?,
        })
    }
}

impl Files {
    fn new(made: &Made<'_>) -> Result<Self, Error> {
        Ok(Self {
            flushes: made.counter("flush_total", "Flushes from memory to files.")?,
            flush_errors: made.counter("flush_errors_total", "Flushes that failed and are tried again.")?,
            flush_seconds: made.seconds("flush_duration_seconds", "Duration of a flush.", 0.01)?,
            orphans_removed: made.counter(
                "store_orphans_removed_total",
                "Files that were not in the catalog and were removed.",
            )?,
            expired: made.counter("store_expired_files_total", "Files dropped because of their age.")?,
            dropped_for_space: made.counter(
                "store_dropped_for_space_files_total",
                "Files dropped because of a bound on space.",
            )?,
            compactions: made.counter("store_compactions_total", "Times that files were merged to one.")?,
            rollups: made.counter(
                "store_rollups_total",
                "Days of metrics that were rolled up, by five minutes or by an hour.",
            )?,
            compacted_files: made
                .counter("store_compacted_files_total", "Files that were merged to others.")?,
            compaction_errors: made.counter(
                "store_compaction_errors_total",
                "Merges of files that failed and are tried again.",
            )?,
            scrubbed_bytes: made
                .counter("store_scrubbed_bytes_total", "Bytes of files that were read only to check them.")?,
            scrubs: made.counter("store_scrubs_total", "Times that all files have been checked.")?,
            scrub_problems: made.counter(
                "store_scrub_catalog_problems_total",
                "Times that the catalog was found damaged when all files had been checked.",
            )?,
            scrub_unread: made.counter(
                "store_scrub_unread_total",
                "Times that a file or a part of the log could not be read to check it.",
            )?,
            scrub_log_problems: made.counter(
                "store_scrub_log_problems_total",
                "Segments of the log that were found damaged while what they hold was in memory.",
            )?,
        })
    }
}

impl Archive {
    fn new(made: &Made<'_>) -> Result<Self, Error> {
        Ok(Self {
            days: made.counter("store_archived_days_total", "Days of metrics and of tables archived.")?,
            rows: made.counter("store_archived_rows_total", "Points and rows archived.")?,
            bytes: made.counter("store_archived_bytes_total", "Bytes of the objects archived.")?,
            errors: made.counter(
                "store_archive_errors_total",
                "Times that the archive could not be used, or a day was passed over; it is tried again.",
            )?,
            pending: made.gauge("store_archive_pending_days", "Days that are to be archived.")?,
            expired: made.counter(
                "store_archive_expired_days_total",
                "Days removed from the archive because of their age.",
            )?,
            missed: made.counter(
                "store_dropped_unarchived_files_total",
                "Files dropped before all of them was archived.",
            )?,
        })
    }
}

/// Seconds since `start`, for histograms.
pub(crate) fn seconds_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}
