//! The store's own metrics.

use std::time::Instant;

use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge, Registry};

use crate::EngineError;

/// Counters and gauges of one store, registered where the caller said.
#[derive(Debug)]
pub(crate) struct Telemetry {
    pub(crate) head_series: IntGauge,
    pub(crate) head_bytes: IntGauge,
    pub(crate) wal_bytes: IntGauge,
    pub(crate) file_bytes: IntGauge,
    pub(crate) files: IntGauge,
    pub(crate) free_bytes: IntGauge,
    pub(crate) quarantined_files: IntGauge,
    pub(crate) samples: IntCounter,
    pub(crate) samples_duplicate: IntCounter,
    pub(crate) samples_too_old: IntCounter,
    pub(crate) samples_over_series_limit: IntCounter,
    pub(crate) rows: IntCounter,
    pub(crate) overloaded: IntCounter,
    pub(crate) orphans_removed: IntCounter,
    pub(crate) expired_files: IntCounter,
    pub(crate) commits: IntCounter,
    pub(crate) commit_seconds: Histogram,
    pub(crate) torn_tails: IntCounter,
    pub(crate) corrupt_records: IntCounter,
    pub(crate) replayed_records: IntCounter,
    pub(crate) flushes: IntCounter,
    pub(crate) flush_errors: IntCounter,
    pub(crate) flush_seconds: Histogram,
    pub(crate) query_limits: IntCounter,
}

impl Telemetry {
    pub(crate) fn new(registry: &Registry) -> Result<Self, EngineError> {
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let counter = |name: &str, help: &str| -> Result<IntCounter, prometheus::Error> {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let seconds = |name: &str, help: &str, first: f64| -> Result<Histogram, prometheus::Error> {
            let buckets = prometheus::exponential_buckets(first, 2.0, 14)?;
            let histogram = Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets))?;
            registry.register(Box::new(histogram.clone()))?;
            Ok(histogram)
        };
        let build = || -> Result<Self, prometheus::Error> {
            Ok(Self {
                head_series: gauge("watchkeeper_store_head_series", "Series in memory.")?,
                head_bytes: gauge(
                    "watchkeeper_store_head_bytes",
                    "Bytes in memory that are not in files yet.",
                )?,
                wal_bytes: gauge("watchkeeper_store_wal_bytes", "Bytes of the write-ahead log.")?,
                file_bytes: gauge("watchkeeper_store_file_bytes", "Bytes of the files.")?,
                files: gauge("watchkeeper_store_files", "Files in use.")?,
                free_bytes: gauge("watchkeeper_store_free_bytes", "Bytes free on the store's disk.")?,
                quarantined_files: gauge(
                    "watchkeeper_store_quarantined_files",
                    "Files that were set aside because they could not be read.",
                )?,
                samples: counter("watchkeeper_store_samples_total", "Samples stored.")?,
                samples_duplicate: counter(
                    "watchkeeper_store_samples_duplicate_total",
                    "Samples that were there already, at the same time of the same series.",
                )?,
                samples_too_old: counter(
                    "watchkeeper_store_samples_too_old_total",
                    "Samples further behind their series than the out-of-order window.",
                )?,
                samples_over_series_limit: counter(
                    "watchkeeper_store_samples_over_series_limit_total",
                    "Samples of series over the limit of series.",
                )?,
                rows: counter("watchkeeper_store_rows_total", "Event rows stored.")?,
                overloaded: counter("watchkeeper_store_overloaded_total", "Batches refused at a bound.")?,
                orphans_removed: counter(
                    "watchkeeper_store_orphans_removed_total",
                    "Files that were not in the catalog and were removed.",
                )?,
                expired_files: counter(
                    "watchkeeper_store_expired_files_total",
                    "Files dropped by retention.",
                )?,
                commits: counter("watchkeeper_wal_commits_total", "Commits of the write-ahead log.")?,
                commit_seconds: seconds(
                    "watchkeeper_wal_commit_duration_seconds",
                    "Write and sync of a commit.",
                    0.000_25,
                )?,
                torn_tails: counter(
                    "watchkeeper_wal_torn_tails_total",
                    "Torn ends of the log that were cut off.",
                )?,
                corrupt_records: counter(
                    "watchkeeper_wal_corrupt_records_total",
                    "Places where the log was corrupt.",
                )?,
                replayed_records: counter(
                    "watchkeeper_wal_replayed_records_total",
                    "Records replayed at the start.",
                )?,
                flushes: counter("watchkeeper_flush_total", "Flushes from memory to files.")?,
                flush_errors: counter(
                    "watchkeeper_flush_errors_total",
                    "Flushes that failed and are tried again.",
                )?,
                flush_seconds: seconds("watchkeeper_flush_duration_seconds", "Duration of a flush.", 0.01)?,
                query_limits: counter(
                    "watchkeeper_store_query_limits_total",
                    "Queries that were stopped at a limit.",
                )?,
            })
        };
        build().map_err(EngineError::Metric)
    }
}

/// Seconds since `start`, for histograms.
pub(crate) fn seconds_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}
