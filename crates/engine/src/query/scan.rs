//! Scanning the rows of an event table: what the telemetry port asks, as a stream of batches.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::stream::{self, Stream, TryStreamExt};
use model::TimeRange;
use store::{EventPass, EventScan, Order, QueryError};
use tokio::task::yield_now;

use crate::core::Core;
use crate::events::collect::{Collector, ScanLimits};
use crate::events::filter::{Condition, RowFilter};
use crate::events::read::{Step, Wanted};
use crate::query::memory::Taken;
use crate::query::queries::Queries;
use crate::query::reader::Reader;

/// Memory that a scan takes beside the rows that it gathers: pages and batches while they are decoded.
const DECODE_BYTES: usize = 8 << 20;

/// The rows that a scan wants, in its order.
pub(crate) fn scan(
    core: &Arc<Core>,
    queries: &Queries,
    scan: &EventScan,
) -> Result<Vec<RecordBatch>, QueryError> {
    let schema = store::schema(scan.table);
    let filter = RowFilter::new(&schema, scan.filters.iter().map(Condition::from))?;
    if scan.limit == 0 {
        return Ok(Vec::new());
    }
    let (range, order, first) = (scan.range, scan.order, Some(scan.limit));
    let wanted = Arc::new(Wanted { schema, filter, range, order, first });
    let limits = ScanLimits {
        max_rows: core.config.max_scan_rows,
        max_bytes: usize::try_from(core.config.max_scan_bytes.0).unwrap_or(usize::MAX),
    };
    let memory = queries.memory().take(DECODE_BYTES)?;
    let collector = Collector::new(order, scan.limit, range, limits, queries.memory().take(0)?);
    let reader = Reader::new(core, &core.view(), scan.table, &wanted);
    let batches = stream::once(first_rows(reader, collector, memory));
    let batches =
        batches.map_ok(|rows| stream::iter(rows.into_iter().map(Ok::<_, QueryError>))).try_flatten();
    let mut rows = Vec::new();
    let run = queries.run(batches, &scan.cancel, &mut |batch| {
        rows.push(batch);
        Ok(())
    });
    run.map(|()| rows)
}

/// Hands the rows that a pass wants to `each`, source by source.
pub(crate) fn each_batch(
    core: &Arc<Core>,
    queries: &Queries,
    pass: &EventPass,
    each: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let schema = store::schema(pass.table);
    let filter = RowFilter::new(&schema, pass.filters.iter().map(Condition::from))?;
    let schema = project(&schema, pass.columns)?;
    let wanted = Wanted { schema, filter, range: pass.range, order: Order::OldestFirst, first: None };
    let memory = queries.memory().take(DECODE_BYTES)?;
    let reader = Reader::new(core, &core.view(), pass.table, &Arc::new(wanted));
    let batches = as_read(reader, pass.range, memory);
    queries.run(batches, &pass.cancel, &mut |rows| each(&rows))
}

/// Rows as they are read. The memory is held until the last.
fn as_read(
    reader: Reader,
    range: TimeRange,
    memory: Taken,
) -> impl Stream<Item = Result<RecordBatch, QueryError>> {
    stream::try_unfold((reader, memory), move |(mut reader, memory)| async move {
        loop {
            let step = reader.step(range)?;
            yield_now().await;
            match step {
                Step::Rows(rows) => return Ok(Some((rows.rows, (reader, memory)))),
                Step::Nothing => {}
                Step::End => return Ok(None),
            }
        }
    })
}

/// The first rows by time. The memory is held until they are there.
async fn first_rows(
    mut reader: Reader,
    mut collector: Collector,
    _memory: Taken,
) -> Result<Vec<RecordBatch>, QueryError> {
    loop {
        match reader.step(collector.range())? {
            Step::Rows(rows) => collector.add(rows)?,
            Step::Nothing => {}
            Step::End => return collector.finish(),
        }
        yield_now().await;
    }
}

/// The named columns; all, when none is named.
pub(super) fn project(schema: &SchemaRef, columns: &[&str]) -> Result<SchemaRef, QueryError> {
    if columns.is_empty() {
        return Ok(Arc::clone(schema));
    }
    let unknown = |column: &str| QueryError::Invalid(format!("there is no column `{column}`"));
    let places = columns.iter().map(|column| schema.index_of(column).map_err(|_| unknown(column)));
    let places = places.collect::<Result<Vec<_>, _>>()?;
    let projected = schema.project(&places).map_err(|error| QueryError::Invalid(error.to_string()))?;
    Ok(Arc::new(projected))
}

/// Counts what was stopped at a limit.
pub(crate) fn counted<T>(core: &Core, result: Result<T, QueryError>) -> Result<T, QueryError> {
    result.inspect_err(|error| {
        if matches!(error, QueryError::LimitReached(_) | QueryError::TimedOut(_) | QueryError::Busy { .. }) {
            core.telemetry.query_limits.inc();
        }
    })
}
