//! How the watching itself goes: collectors, and the server as a whole.

use model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::shape;

shape! {
    /// A collector, and how it does.
    Collector from collect::CollectorStatus {
        /// What kind it is.
        name: String,
        /// What it looks at.
        target: String,
        /// Whether its last pass succeeded.
        up: bool,
        /// Whether there is nothing to watch, and nobody asked for it by name: no fault.
        absent: bool,
        /// When a pass last succeeded.
        #[schema(value_type = Option<String>, format = DateTime)]
        last_success: Option<Timestamp>,
        /// Why the last pass failed; null once one has succeeded.
        last_error: Option<String>,
        /// What is wrong with a part of what it looks at, although the last pass succeeded.
        remark: Option<String>,
        /// How long the last pass took, in seconds.
        #[serde(rename = "duration_seconds")]
        duration: f64,
        /// How often it looks, in seconds.
        #[serde(rename = "interval_seconds")]
        interval: f64,
        /// Passes so far.
        runs: u64,
        /// Passes that failed.
        errors: u64,
    }
}

shape! {
    /// Jobs in memory, by status.
    JobCounts from pipeline::JobCounts {
        /// Jobs that wait.
        pending: usize,
        /// Jobs that run.
        running: usize,
        /// Jobs that ended well.
        completed: usize,
        /// Jobs that ended badly.
        failed: usize,
    }
}

shape! {
    /// How the store does.
    Store from store::StoreStats {
        /// Series in memory.
        head_series: u64,
        /// Bytes in memory that are not in files yet.
        head_bytes: u64,
        /// Bytes of the write-ahead log.
        wal_bytes: u64,
        /// Bytes of the files.
        file_bytes: u64,
        /// Files in use.
        files: u64,
        /// Files that were set aside because they could not be read.
        quarantined_files: u64,
        /// Bytes free on the disk.
        free_bytes: u64,
    }
}

shape! {
    /// A port that exporters of OpenTelemetry know, and whether it is listened on.
    OtlpReceiver from crate::receivers::ReceiverStatus {
        /// What it is meant for: `grpc` or `http`.
        transport: &'static str,
        /// Where it listens, or would.
        address: String,
        /// Why it does not listen; null where it does.
        fault: Option<String>,
    }
}

/// How the whole does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stats {
    /// The version of the program.
    pub(crate) version: &'static str,
    /// When the server began to answer.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) started_at: Timestamp,
    /// For how long it has, in seconds.
    pub(crate) uptime_seconds: f64,
    /// Jobs in memory, by status.
    pub(crate) jobs: JobCounts,
    /// Queues known.
    pub(crate) queues: usize,
    /// Workers known.
    pub(crate) workers: usize,
    /// Workers online.
    pub(crate) workers_online: usize,
    /// Alerts that are firing and that nobody has taken on.
    pub(crate) alerts_firing: u64,
    /// Alerts that somebody has taken on.
    pub(crate) alerts_acknowledged: u64,
    /// Collectors whose last pass failed.
    pub(crate) collectors_down: usize,
    /// The ports that exporters of OpenTelemetry know, but for those that are turned off.
    pub(crate) otlp_receivers: Vec<OtlpReceiver>,
    /// How the store does.
    pub(crate) store: Store,
}
