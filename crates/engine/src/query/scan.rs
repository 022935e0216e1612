//! Scanning the rows of an event table.

use std::sync::Arc;

use arrow::array::RecordBatch;
use model::TimeRange;
use store::{EventPass, EventScan, Order, QueryError, Table};

use crate::catalog::FileKind;
use crate::core::Core;
use crate::events::collect::{Collector, ScanLimits};
use crate::events::filter::RowFilter;
use crate::events::read::{pass_over_file, scan_file};
use crate::files::StoredFile;
use crate::head::events::Part;
use crate::query::without_damaged;

/// Rows come from a file or from memory.
enum Source {
    File(Arc<StoredFile>),
    Memory(Part),
}

impl Source {
    fn range(&self) -> TimeRange {
        match self {
            Self::File(file) => file.entry.range,
            Self::Memory(part) => part.range,
        }
    }
}

/// The rows that a scan wants, in its order.
pub(crate) fn scan(core: &Core, scan: &EventScan) -> Result<Vec<RecordBatch>, QueryError> {
    let filter = RowFilter::new(&store::schema(scan.table), &scan.filters)?;
    if scan.limit == 0 {
        return Ok(Vec::new());
    }
    let limits = ScanLimits {
        max_rows: core.config.max_scan_rows,
        max_bytes: usize::try_from(core.config.max_scan_bytes.0).unwrap_or(usize::MAX),
    };
    let mut collector = Collector::new(scan, limits);
    for (place, source) in in_order(core, scan.table, scan.range, scan.order) {
        if !source.range().overlaps(&collector.range()) {
            continue;
        }
        let range = collector.range();
        match source {
            Source::File(file) => {
                let read = scan_file(&file, &core.footers, scan, &filter, place, &mut collector);
                without_damaged(core, &file, read)?;
            }
            Source::Memory(part) => {
                let rows = filter.apply(&part.rows, range).map_err(in_memory)?;
                collector.add(rows, place, 0)?;
                collector.end_source()?;
            }
        }
    }
    collector.finish()
}

/// Hands the rows that a pass wants to `each`, source by source.
pub(crate) fn each_batch(
    core: &Core,
    pass: &EventPass,
    each: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let schema = store::schema(pass.table);
    let filter = RowFilter::new(&schema, &pass.filters)?;
    if let Some(unknown) = pass.columns.iter().find(|column| schema.field_with_name(column).is_err()) {
        return Err(QueryError::Invalid(format!("there is no column `{unknown}`")));
    }
    for (_, source) in in_order(core, pass.table, pass.range, Order::OldestFirst) {
        match source {
            Source::File(file) => {
                let read = pass_over_file(&file, &core.footers, pass, &filter, each);
                without_damaged(core, &file, read)?;
            }
            Source::Memory(part) => {
                let rows = filter.apply(&part.rows, pass.range).map_err(in_memory)?;
                if rows.num_rows() > 0 {
                    each(&rows)?;
                }
            }
        }
    }
    Ok(())
}

fn in_memory(error: arrow::error::ArrowError) -> QueryError {
    QueryError::Storage { doing: "filtering rows in memory".to_owned(), source: Box::new(error) }
}

/// The sources of a scan, each with its place in the order in which rows came; those first that a scan
/// wants first, so that a limit is reached early.
fn in_order(core: &Core, table: Table, range: TimeRange, order: Order) -> Vec<(usize, Source)> {
    let view = core.view();
    let of_table = |file: &&Arc<StoredFile>| file.entry.kind == FileKind::Events(table);
    let files = view.files.iter().filter(of_table).map(|file| Source::File(Arc::clone(file)));
    let heads = view.frozen.iter().chain([&view.head]);
    let memory = heads.flat_map(|head| head.events.parts(table)).map(Source::Memory);
    let mut sources: Vec<(usize, Source)> =
        files.chain(memory).enumerate().filter(|(_, source)| source.range().overlaps(&range)).collect();
    match order {
        Order::OldestFirst => sources.sort_by_key(|(_, source)| source.range().start),
        Order::NewestFirst => sources.sort_by_key(|(_, source)| std::cmp::Reverse(source.range().end)),
    }
    sources
}
