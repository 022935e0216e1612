//! Memory now, and the memory of one job over time: seed 004's two endpoints.

use std::time::Duration;

use model::event::{ComponentEvent, StageEvent};
use model::{TimeRange, Timestamp};
use promql::{Cancel, Engine};
use store::{EventScan, FilterOp, Row, Table, TelemetryStore};

use crate::{ReportError, series};

/// Memory of the watched processes and of their hosts; of what is not watched, `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MemoryNow {
    /// Resident memory of the watched process groups (Watchkeeper's own is none of them), or else of
    /// the workers as they report it, in bytes.
    pub rss_bytes: Option<f64>,
    /// Virtual memory of the watched processes, in bytes.
    pub vms_bytes: Option<f64>,
    /// Memory that programs can still have, in bytes.
    pub available_bytes: Option<f64>,
    /// Memory of the hosts, in bytes.
    pub total_bytes: Option<f64>,
    /// CPU in use, 0 to 1.
    pub cpu_ratio: Option<f64>,
    /// The root file system's use, or else that of the fullest one, 0 to 1.
    pub disk_ratio: Option<f64>,
}

/// The newest of what is stored about memory.
pub fn memory_now(engine: &Engine, now: Timestamp, cancel: &Cancel) -> Result<MemoryNow, ReportError> {
    let ask = |expression| series::at(engine, expression, now, cancel);
    Ok(MemoryNow {
        rss_bytes: ask(
            r#"sum(process_group_resident_memory_bytes{group!="watchkeeper"}) or sum(worker_memory_bytes)"#,
        )?,
        vms_bytes: ask(r#"sum(process_virtual_memory_bytes{group!="watchkeeper"})"#)?,
        available_bytes: ask("sum(host_memory_available_bytes)")?,
        total_bytes: ask("sum(host_memory_total_bytes)")?,
        cpu_ratio: ask("avg(host_cpu_usage_ratio)")?,
        disk_ratio: ask(
            r#"max(host_filesystem_usage_ratio{mountpoint="/"}) or max(host_filesystem_usage_ratio)"#,
        )?,
    })
}

/// Memory as a job's worker reported it at the begin or end of a stage, or when a component was loaded
/// or given back: a row of seed 004's table `job_metrics`.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryRow {
    /// The event that told of it.
    pub event_id: String,
    /// When.
    pub time: Timestamp,
    /// The stage.
    pub stage: Option<String>,
    /// The component.
    pub component: Option<String>,
    /// Resident memory, in bytes.
    pub rss_bytes: Option<u64>,
    /// Virtual memory, in bytes.
    pub vms_bytes: Option<u64>,
    /// Resident memory as a share of the host's, 0 to 100.
    pub percent: Option<f64>,
}

/// The most rows of one job that are read, of stages and of components each: the first.
const MAX_ROWS_OF_JOB: usize = 10_000;

/// What is stored since `since` of a job's memory, in order; nothing of a job that is not known.
pub fn memory_history(
    store: &dyn TelemetryStore,
    job_id: &str,
    since: Timestamp,
    now: Timestamp,
    cancel: &Cancel,
) -> Result<Vec<MemoryRow>, ReportError> {
    // Clocks of workers may be ahead of ours.
    let range = TimeRange::new(since, now.after(Duration::from_secs(3600)));
    let of_job = |table| {
        let scan = EventScan::new(table, range, MAX_ROWS_OF_JOB).with("job_id", FilterOp::Equal, job_id);
        scan.stopped_by(cancel)
    };
    let mut rows: Vec<MemoryRow> = read(store, &of_job(Table::StageEvents), |event: StageEvent| MemoryRow {
        event_id: event.event_id,
        time: event.time,
        stage: Some(event.stage),
        component: event.component,
        rss_bytes: event.memory_rss_bytes,
        vms_bytes: event.memory_vms_bytes,
        percent: event.memory_percent,
    })?;
    rows.extend(read(store, &of_job(Table::ComponentEvents), |event: ComponentEvent| MemoryRow {
        event_id: event.event_id,
        time: event.time,
        stage: event.stage,
        component: Some(event.component),
        rss_bytes: event.memory_rss_bytes,
        vms_bytes: event.memory_vms_bytes,
        percent: event.memory_percent,
    })?);
    rows.sort_by_key(|row| row.time);
    Ok(rows)
}

fn read<R: Row>(
    store: &dyn TelemetryStore,
    scan: &EventScan,
    row: impl Fn(R) -> MemoryRow,
) -> Result<Vec<MemoryRow>, ReportError> {
    let mut rows = Vec::new();
    for batch in store.scan(scan).map_err(ReportError::Events)? {
        rows.extend(R::from_batch(&batch).map_err(ReportError::Rows)?.into_iter().map(&row));
    }
    Ok(rows)
}
