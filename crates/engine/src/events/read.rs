//! Reading an event file: as few row groups, pages and columns as the scan lets.
//!
//! Rows are in ascending time, so the pages of the time column cut a row group into windows. They are
//! read in the order of the scan, each only while its times still matter.

use std::ops::Range;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampNanosecondType;
use model::{TimeRange, Timestamp};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
    RowFilter as ReaderFilter, RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use store::{EventPass, EventScan, Order, QueryError, Table};

use crate::cache::Cache;
use crate::catalog::Part;
use crate::events::collect::Collector;
use crate::events::filter::RowFilter;
use crate::events::{TIME, conform};
use crate::files::StoredFile;
use crate::query::ReadError;
use crate::sums::CheckedFile;

/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 8192;

/// Some neighbouring rows of a row group, and their times.
struct Window {
    rows: Range<usize>,
    range: TimeRange,
}

/// Reads what a scan wants of a file. `source` is the file's place among the sources.
pub(crate) fn scan_file(
    file: &StoredFile,
    footers: &Cache<ArrowReaderMetadata>,
    scan: &EventScan,
    filter: &RowFilter,
    source: usize,
    collector: &mut Collector,
) -> Result<(), ReadError> {
    let input = file.open(Part::Rows)?;
    let footer = footer(file, &input, footers)?;
    let groups = footer.metadata().num_row_groups();
    for group in in_order(0..groups, scan.order) {
        if !may_match(&input, &footer, group, filter, collector.range())? {
            continue;
        }
        let before: usize = footer.metadata().row_groups()[..group].iter().map(rows_of).sum();
        for window in in_order(windows(&footer, group)?.into_iter(), scan.order) {
            if !window.range.overlaps(&collector.range()) {
                continue;
            }
            let mut row = (before + window.rows.start) as u64;
            let rows = vec![window.rows];
            for batch in read_rows(&input, &footer, group, rows, &[], filter, collector.range())? {
                let rows = conform(batch?, &store::schema(scan.table)).map_err(ParquetError::from)?;
                // Rows that are left out are not numbered, which changes nothing in the order.
                let count = rows.num_rows() as u64;
                collector.add(rows, source, row)?;
                row += count;
            }
            collector.end_source()?;
        }
    }
    Ok(())
}

/// Hands what a pass wants of a file to `each`: only pages whose times matter, and only its columns.
pub(crate) fn pass_over_file(
    file: &StoredFile,
    footers: &Cache<ArrowReaderMetadata>,
    pass: &EventPass,
    filter: &RowFilter,
    each: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
) -> Result<(), ReadError> {
    let input = file.open(Part::Rows)?;
    let footer = footer(file, &input, footers)?;
    for group in 0..footer.metadata().num_row_groups() {
        if !may_match(&input, &footer, group, filter, pass.range)? {
            continue;
        }
        let windows = windows(&footer, group)?.into_iter();
        let rows =
            windows.filter(|window| window.range.overlaps(&pass.range)).map(|window| window.rows).collect();
        for batch in read_rows(&input, &footer, group, rows, pass.columns, filter, pass.range)? {
            each(&batch?)?;
        }
    }
    Ok(())
}

/// All rows of a file, in order, in the table's schema; `None` when they take more memory than is left,
/// from which what they take is taken.
pub(crate) fn all_rows(
    file: &StoredFile,
    footers: &Cache<ArrowReaderMetadata>,
    table: Table,
    left: &mut usize,
) -> Result<Option<Vec<RecordBatch>>, ReadError> {
    let input = file.open(Part::Rows)?;
    let footer = footer(file, &input, footers)?;
    let reader =
        ParquetRecordBatchReaderBuilder::new_with_metadata(input, footer).with_batch_size(BATCH_ROWS);
    let schema = store::schema(table);
    let mut all = Vec::new();
    for batch in reader.build()? {
        let rows = batch.map_err(ParquetError::from)?;
        let Some(less) = left.checked_sub(rows.get_array_memory_size()) else { return Ok(None) };
        *left = less;
        all.push(conform(rows, &schema).map_err(ParquetError::from)?);
    }
    Ok(Some(all))
}

fn in_order<I: DoubleEndedIterator>(all: I, order: Order) -> impl Iterator<Item = I::Item> {
    let (forward, backward) = match order {
        Order::OldestFirst => (Some(all), None),
        Order::NewestFirst => (None, Some(all.rev())),
    };
    forward.into_iter().flatten().chain(backward.into_iter().flatten())
}

fn rows_of(group: &RowGroupMetaData) -> usize {
    usize::try_from(group.num_rows()).unwrap_or(0)
}

fn footer(
    file: &StoredFile,
    input: &CheckedFile,
    footers: &Cache<ArrowReaderMetadata>,
) -> Result<ArrowReaderMetadata, ParquetError> {
    if let Some(footer) = footers.get(file.entry.id) {
        return Ok(footer);
    }
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let footer = ArrowReaderMetadata::load(input, options)?;
    footers.put(file.entry.id, footer.clone(), footer.metadata().memory_size());
    Ok(footer)
}

fn leaf(footer: &ArrowReaderMetadata, column: &str) -> Option<usize> {
    footer.parquet_schema().columns().iter().position(|leaf| leaf.path().parts() == [column])
}

/// Whether a row group can hold a row of the scan, by its statistics and bloom filters.
fn may_match(
    input: &CheckedFile,
    footer: &ArrowReaderMetadata,
    group: usize,
    filter: &RowFilter,
    range: TimeRange,
) -> Result<bool, ParquetError> {
    let columns = footer.metadata().row_group(group);
    if let Some(Statistics::Int64(times)) =
        leaf(footer, TIME).and_then(|leaf| columns.column(leaf).statistics())
        && let (Some(first), Some(last)) = (times.min_opt(), times.max_opt())
        && !range.overlaps(&TimeRange::new(Timestamp::from_nanos(*first), Timestamp::from_nanos(*last)))
    {
        return Ok(false);
    }
    let blooms = ParquetRecordBatchReaderBuilder::new_with_metadata(input.clone(), footer.clone());
    for (column, text) in filter.equal_texts() {
        let Some(leaf) = leaf(footer, column) else { return Ok(false) };
        if let Some(Statistics::ByteArray(texts)) = columns.column(leaf).statistics()
            && let (Some(least), Some(greatest)) = (texts.min_opt(), texts.max_opt())
            && (text.as_bytes() < least.data() || text.as_bytes() > greatest.data())
        {
            return Ok(false);
        }
        let bloom = blooms.get_row_group_column_bloom_filter(group, leaf)?;
        if bloom.is_some_and(|bloom| !bloom.check(&text)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A row group cut where the pages of the time column end.
fn windows(footer: &ArrowReaderMetadata, group: usize) -> Result<Vec<Window>, ParquetError> {
    let metadata = footer.metadata();
    let whole = || vec![Window { rows: 0..rows_of(metadata.row_group(group)), range: TimeRange::ALL }];
    let (Some(columns), Some(offsets)) = (metadata.column_index(), metadata.offset_index()) else {
        return Ok(whole());
    };
    let times = StatisticsConverter::try_new(TIME, footer.schema(), footer.parquet_schema())?;
    let first = times.data_page_mins(columns, offsets, [&group])?;
    let last = times.data_page_maxes(columns, offsets, [&group])?;
    let counts = times.data_page_row_counts(offsets, metadata.row_groups(), [&group])?;
    let (Some(first), Some(last), Some(counts)) = (
        first.as_primitive_opt::<TimestampNanosecondType>(),
        last.as_primitive_opt::<TimestampNanosecondType>(),
        counts,
    ) else {
        return Ok(whole());
    };
    let mut start = 0;
    let windows =
        counts.values().iter().zip(first.values()).zip(last.values()).map(|((count, first), last)| {
            let rows = start..start + *count as usize;
            start = rows.end;
            Window {
                rows,
                range: TimeRange::new(Timestamp::from_nanos(*first), Timestamp::from_nanos(*last)),
            }
        });
    Ok(windows.collect())
}

/// Those of the named rows of a group that are wanted, with the named columns, or with all if none is
/// named. Columns that no condition needs are decoded for wanted rows only.
fn read_rows(
    input: &CheckedFile,
    footer: &ArrowReaderMetadata,
    group: usize,
    rows: Vec<Range<usize>>,
    columns: &[&str],
    filter: &RowFilter,
    range: TimeRange,
) -> Result<impl Iterator<Item = Result<RecordBatch, ParquetError>> + use<>, ParquetError> {
    let total = rows_of(footer.metadata().row_group(group));
    let roots = |columns: &mut dyn Iterator<Item = &str>| {
        // A column that the file lacks was added later; its rows read as null there.
        ProjectionMask::roots(
            footer.parquet_schema(),
            columns.filter_map(|column| footer.schema().index_of(column).ok()),
        )
    };
    let conditions = filter.clone();
    let predicate =
        ArrowPredicateFn::new(roots(&mut filter.columns()), move |rows| conditions.mask(&rows, range));
    let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input.clone(), footer.clone())
        .with_row_groups(vec![group])
        .with_row_selection(RowSelection::from_consecutive_ranges(rows.into_iter(), total))
        .with_row_filter(ReaderFilter::new(vec![Box::new(predicate)]))
        .with_batch_size(BATCH_ROWS);
    if !columns.is_empty() {
        builder = builder.with_projection(roots(&mut columns.iter().copied()));
    }
    Ok(builder.build()?.map(|batch| batch.map_err(ParquetError::from)))
}
