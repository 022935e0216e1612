//! Seed 004's memory endpoints.

use model::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::mb;

/// Memory of the watched processes and of their host.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Memory {
    /// Resident memory of the watched process groups together, or else of the workers as they report
    /// it, in MB. Shared pages count once for each process.
    rss_mb: f64,
    /// Their virtual memory, in MB.
    vms_mb: f64,
    /// Their resident memory as a share of the host's, in percent.
    percent: f64,
    /// Memory that programs can still have, in MB.
    available_mb: f64,
    /// The host's memory, in MB.
    total_mb: f64,
}

/// The host.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HostUse {
    /// CPU in use, in percent.
    cpu_percent: f64,
    /// The root file system's use, or else that of the fullest one, in percent.
    disk_percent: f64,
}

/// Memory now. What is not known is 0.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemoryStats {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// Memory.
    memory: Memory,
    /// The host.
    system: HostUse,
}

impl MemoryStats {
    pub(crate) fn new(timestamp: Timestamp, now: &report::MemoryNow) -> Self {
        let known = Option::unwrap_or_default;
        let total = now.total_bytes.filter(|total| *total > 0.0);
        let share = now.rss_bytes.zip(total).map(|(rss, total)| 100.0 * rss / total);
        Self {
            timestamp,
            memory: Memory {
                rss_mb: mb(known(now.rss_bytes)),
                vms_mb: mb(known(now.vms_bytes)),
                percent: known(share),
                available_mb: mb(known(now.available_bytes)),
                total_mb: mb(known(total)),
            },
            system: HostUse {
                cpu_percent: 100.0 * known(now.cpu_ratio),
                disk_percent: 100.0 * known(now.disk_ratio),
            },
        }
    }
}

/// Memory at the begin or end of a stage, or when a component was loaded or given back: a row of the
/// table `job_metrics`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobMetric {
    /// The event that told of it, as a UUID: its id where that is one, or else made from its id.
    #[schema(format = "uuid")]
    id: String,
    /// The job.
    job_id: String,
    /// The stage.
    stage: Option<String>,
    /// The component.
    component: Option<String>,
    /// Resident memory, in MB.
    memory_rss_mb: Option<f64>,
    /// Virtual memory, in MB.
    memory_vms_mb: Option<f64>,
    /// Resident memory as a share of the host's, in percent.
    memory_percent: Option<f64>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// The same: events are stored as they happen.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// The memory of a job over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemoryHistory {
    /// The job that was asked for.
    job_id: String,
    /// Its memory, oldest first; nothing of a job that is not known. Of stages and of components the
    /// first 10,000 each.
    metrics: Vec<JobMetric>,
    /// How many there are.
    count: usize,
}

impl MemoryHistory {
    pub(crate) fn new(job_id: String, rows: Vec<report::MemoryRow>) -> Self {
        let metrics: Vec<JobMetric> = rows.into_iter().map(|row| JobMetric::new(&job_id, row)).collect();
        Self { job_id, count: metrics.len(), metrics }
    }
}

impl JobMetric {
    fn new(job_id: &str, row: report::MemoryRow) -> Self {
        Self {
            id: uuid_of(&row.event_id).to_string(),
            job_id: job_id.to_owned(),
            stage: row.stage,
            component: row.component,
            memory_rss_mb: row.rss_bytes.map(|bytes| mb(bytes as f64)),
            memory_vms_mb: row.vms_bytes.map(|bytes| mb(bytes as f64)),
            memory_percent: row.percent,
            timestamp: row.time,
            created_at: row.time,
        }
    }
}

fn uuid_of(event_id: &str) -> Uuid {
    Uuid::try_parse(event_id).unwrap_or_else(|_| {
        let hash = Sha256::digest(event_id.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_same_uuid_each_time_and_its_own_where_its_id_is_one() {
        let own = "0f8fad5b-d9cb-469f-a165-70867728950e";
        assert_eq!(uuid_of(own).to_string(), own);
        assert_eq!(uuid_of(&own.replace('-', "")).to_string(), own);
        assert_eq!(uuid_of("event 7"), uuid_of("event 7"));
        assert_ne!(uuid_of("event 7"), uuid_of("event 8"));
    }
}
