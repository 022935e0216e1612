//! Reads stored events back: all of a window, in bounded slices, or those of one job.

use std::time::Duration;

use model::event::Event;
use model::{TimeRange, Timestamp};
use store::{Cancel, EventScan, FilterOp, QueryError, Table, TelemetryStore};

use crate::{JobSnapshot, PipelineError};

/// Rows of one slice.
const SLICE: usize = 10_000;
/// The most rows read of one job, of each table.
const MAX_ROWS_OF_JOB: usize = 10_000;

/// Tables whose events make up the live state.
const TABLES: [Table; 5] =
    [Table::JobEvents, Table::StageEvents, Table::ComponentEvents, Table::WorkerEvents, Table::Exits];

/// Hands every stored event since `since` to `fold`, in time order of each table; how many there were.
/// A row at the edge of a slice may be handed over twice, which the fold bears.
pub(crate) fn rebuild(
    store: &dyn TelemetryStore,
    since: Timestamp,
    mut fold: impl FnMut(&[Event]),
) -> Result<usize, PipelineError> {
    let mut total = 0;
    for table in TABLES {
        let (mut start, mut slice, mut limit) = (since, SLICE, SLICE);
        // As many rows as the store has refused to give at once, because they are large.
        let mut refused = usize::MAX;
        loop {
            let scan = EventScan::new(table, TimeRange::new(start, Timestamp::MAX), limit);
            let events = match scan_events(store, &scan) {
                Err(PipelineError::Read(QueryError::LimitReached(_))) if limit > 1 => {
                    refused = limit;
                    limit /= 2;
                    slice = slice.min(limit);
                    continue;
                }
                result => result?,
            };
            fold(&events);
            total += events.len();
            let Some(last) = events.iter().map(Event::time).max().filter(|_| events.len() >= limit) else {
                break;
            };
            if last > start {
                // The next slice begins at the last time, not after it: its rows may be in both slices.
                total -= events.iter().filter(|event| event.time() == last).count();
                (start, limit, refused) = (last, slice, usize::MAX);
            } else if limit.saturating_mul(2) < refused {
                // A whole slice of one instant: only a larger one gets beyond it.
                total -= events.len();
                limit = limit.saturating_mul(2);
            } else {
                tracing::warn!(table = table.name(), time = %last, "not all events of one instant fit into memory");
                (start, limit, refused) = (last.after(Duration::from_nanos(1)), slice, usize::MAX);
            }
        }
    }
    Ok(total)
}

fn scan_events(store: &dyn TelemetryStore, scan: &EventScan) -> Result<Vec<Event>, PipelineError> {
    let mut events = Vec::new();
    for batch in store.scan(scan).map_err(PipelineError::Read)? {
        events.extend(store::events_from_batch(scan.table, &batch).map_err(PipelineError::Rows)?);
    }
    Ok(events)
}

/// One job, folded from what is stored of it since `since`; `None` when nothing is. Blocks.
pub fn stored_job(
    store: &dyn TelemetryStore,
    job_id: &str,
    since: Timestamp,
    now: Timestamp,
    cancel: &Cancel,
) -> Result<Option<JobSnapshot>, PipelineError> {
    let range = TimeRange::new(since, now.after(Duration::from_secs(3600)));
    let mut events = Vec::new();
    for table in [Table::JobEvents, Table::StageEvents] {
        let scan = EventScan::new(table, range, MAX_ROWS_OF_JOB).with("job_id", FilterOp::Equal, job_id);
        events.extend(scan_events(store, &scan.stopped_by(cancel))?);
    }
    Ok(JobSnapshot::from_events(job_id, &events, now))
}
