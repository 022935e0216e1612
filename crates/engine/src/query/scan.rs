//! Scanning the rows of an event table: what the telemetry port asks, as a plan.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use store::{Entries, EventPass, EventScan, Order, QueryError};

use crate::core::Core;
use crate::events::filter::RowFilter;
use crate::events::read::Wanted;
use crate::query::plan::{Answer, ScanExec};
use crate::query::queries::Queries;
use crate::query::reader::may_have_rows;

/// The rows that a scan wants, in its order.
pub(crate) fn scan(
    core: &Arc<Core>,
    queries: &Queries,
    scan: &EventScan,
) -> Result<Vec<RecordBatch>, QueryError> {
    let schema = store::schema(scan.table);
    let filter = RowFilter::new(&schema, scan.filters.iter().cloned())?;
    if scan.limit == 0 {
        return Ok(Vec::new());
    }
    let view = core.view();
    if !may_have_rows(&view, scan.table, scan.range) {
        return Ok(Vec::new());
    }
    let wanted = Wanted {
        schema,
        entries: Entries::all(),
        values: Vec::new(),
        filter,
        range: scan.range,
        order: scan.order,
        first: None,
        tally: Arc::default(),
    };
    let plan = ScanExec::new(core, &view, scan.table, wanted, Answer::First(scan.limit));
    let mut rows = Vec::new();
    let run = queries.run(Arc::new(plan), &scan.cancel, &mut |batch| {
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
    let filter = RowFilter::new(&schema, pass.filters.iter().cloned())?;
    let schema = project(&schema, &pass.columns)?;
    let wanted = Wanted {
        schema,
        entries: pass.entries.clone(),
        values: Vec::new(),
        filter,
        range: pass.range,
        order: Order::OldestFirst,
        first: None,
        tally: Arc::default(),
    };
    let view = core.view();
    // Searches look into several tables, some of which most stores have nothing in: that takes no turn.
    if !may_have_rows(&view, pass.table, pass.range) {
        return Ok(());
    }
    let plan = ScanExec::new(core, &view, pass.table, wanted, Answer::AsRead(None));
    queries.run(Arc::new(plan), &pass.cancel, &mut |rows| each(&rows))
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
