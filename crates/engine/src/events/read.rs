//! Reading an event file: as few row groups, pages and columns as the query lets.
//!
//! Rows are in ascending time, so the pages of the time column cut a row group into windows. They are
//! read in the order of the query, each only while its times still matter.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, AsArray, RecordBatch, UInt64Array};
use arrow::datatypes::{SchemaRef, TimestampNanosecondType};
use arrow::error::ArrowError;
use model::{TimeRange, Timestamp};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowPredicate, ArrowPredicateFn, ArrowReaderMetadata, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowFilter as ReaderFilter, RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;
use store::{Condition, Entries, Field, FilterOp, Order, Predicate, Scalar, Test};

use crate::cache::Cache;
use crate::catalog::Part;
use crate::core::Core;
use crate::events::bloom;
use crate::events::condition;
use crate::events::dictionaries;
use crate::events::filter::{RowFilter, mask_of, within};
use crate::events::footer::{footer, of_group};
use crate::events::lifted::Lifted;
use crate::events::tokens::Places;
use crate::events::values::{Value, with_values};
use crate::events::{TIME, conform, ids};
use crate::files::StoredFile;
use crate::query::ReadError;
use crate::sums::CheckedFile;
use crate::telemetry::Scans;

/// The most rows that are decoded at a time, and about how many bytes of them.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 4 << 20;
/// The fewest rows that are decoded at a time, however large they are on average.
const BATCH_MIN_ROWS: usize = 64;
/// The most windows that are read at once by a query that may need few rows.
const MAX_WINDOWS: usize = 64;

/// What a query wants of the rows of a table.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The columns of the answer.
    pub(crate) schema: SchemaRef,
    /// The entries of its maps that are looked at. There may be others.
    pub(crate) entries: Entries,
    /// Those columns of the answer that are attributes.
    pub(crate) values: Vec<Value>,
    pub(crate) filter: RowFilter,
    pub(crate) range: TimeRange,
    /// Which rows are read first.
    pub(crate) order: Order,
    /// When only so many rows matter, the first ones in that order.
    pub(crate) first: Option<usize>,
    /// Counts what is read.
    pub(crate) tally: Arc<Tally>,
}

impl Wanted {
    /// The answer of rows of a file in which attributes are lifted, or of memory. They have the columns that it needs.
    pub(crate) fn answer(&self, rows: RecordBatch, lifted: &Lifted) -> Result<RecordBatch, ArrowError> {
        if self.values.is_empty() {
            return conform(lifted.remade(rows, |_| true)?, &self.schema);
        }
        let is_wanted = |map: &str| self.schema.index_of(map).is_ok();
        conform(with_values(rows, &self.values, lifted, is_wanted)?, &self.schema)
    }
}

/// The part of all rows that one thread reads: each so manieth row group of a file, each so manieth batch in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) index: usize,
    pub(crate) of: usize,
}

impl Share {
    pub(crate) const ALL: Self = Self { index: 0, of: 1 };

    pub(crate) fn has(self, place: usize) -> bool {
        place % self.of == self.index
    }
}

/// What one query has read, for whoever tells it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rows: AtomicU64,
    pub(crate) row_groups: AtomicU64,
    pub(crate) row_groups_passed_over: AtomicU64,
}

/// Some neighbouring rows of a row group, and their times.
struct Window {
    rows: Range<usize>,
    range: TimeRange,
}

/// What came of one step.
pub(crate) enum Step<T> {
    /// Rows that are wanted.
    Rows(T),
    /// There was nothing in what was looked at.
    Nothing,
    /// There is nothing more.
    End,
}

/// The row group that is being read.
struct Group {
    /// The footer of this row group alone, with its indexes of pages.
    footer: ArrowReaderMetadata,
    /// The number of its first row in the file.
    first_row: usize,
    /// What its rows must satisfy, without what its statistics and filters have answered already.
    filter: RowFilter,
    /// The rows of pages that may satisfy it; without it, all of them.
    pages: Option<RowSelection>,
}

/// Reads what a query wants of one file.
pub(crate) struct FileScan {
    input: CheckedFile,
    footer: ArrowReaderMetadata,
    lifted: Arc<Lifted>,
    wanted: Arc<Wanted>,
    /// Row groups and windows of the current one that are still to be read, in the order of the query.
    groups: VecDeque<usize>,
    windows: VecDeque<Window>,
    group: Option<Group>,
    /// How many windows are read at once: a query that wants few rows of many finds them in the first
    /// window, one that looks for rare rows should not begin anew at each.
    at_once: usize,
    batches: Option<ParquetRecordBatchReader>,
    /// The number of the next row of `batches` in the file.
    row: u64,
    counts: Scans,
}

impl FileScan {
    pub(crate) fn open(
        core: &Core,
        file: &StoredFile,
        wanted: &Arc<Wanted>,
        share: Share,
    ) -> Result<Self, ReadError> {
        let input = file.open(Part::Rows)?;
        let footer = footer(file, &input, &core.footers)?;
        let lifted = Arc::new(Lifted::of(&footer)?);
        let groups = (0..footer.metadata().num_row_groups()).filter(|group| share.has(*group)).collect();
        let groups = in_order(groups, wanted.order);
        Ok(Self {
            input,
            footer,
            lifted,
            wanted: Arc::clone(wanted),
            groups,
            windows: VecDeque::new(),
            group: None,
            at_once: if wanted.first.is_some() { 1 } else { usize::MAX },
            batches: None,
            row: 0,
            counts: core.telemetry.scans.clone(),
        })
    }

    /// Reads some rows on, of those whose times are in `range`; rows come with the number of the first.
    /// They may have numbers of rows before and after them that were left out, which changes nothing in
    /// their order.
    pub(crate) fn step(&mut self, range: TimeRange) -> Result<Step<(RecordBatch, u64)>, ReadError> {
        if let Some(batches) = &mut self.batches {
            if let Some(rows) = batches.next() {
                let rows = rows.and_then(|rows| self.wanted.answer(rows, &self.lifted));
                let rows = rows.map_err(ParquetError::from)?;
                let first = self.row;
                self.row += rows.num_rows() as u64;
                return Ok(Step::Rows((rows, first)));
            }
            self.batches = None;
        }
        self.windows.retain(|window| window.range.overlaps(&range));
        if !self.windows.is_empty() {
            let count = self.at_once.min(self.windows.len());
            self.at_once = self.at_once.saturating_mul(2).min(MAX_WINDOWS.max(self.at_once));
            let mut windows: Vec<Window> = self.windows.drain(..count).collect();
            windows.sort_by_key(|window| window.rows.start);
            if let Some(group) = &self.group {
                let (batches, row) = self.read(group, &windows, range)?;
                (self.batches, self.row) = (Some(batches), row);
            }
            return Ok(Step::Nothing);
        }
        let Some(group) = self.groups.pop_front() else { return Ok(Step::End) };
        let lifted = &self.lifted;
        if let Some(filter) = left_of(&self.input, &self.footer, lifted, group, &self.wanted.filter, range)? {
            let groups = self.footer.metadata().row_groups();
            let first_row = groups[..group].iter().map(rows_of).sum();
            let footer = of_group(&self.footer, &self.input, group)?;
            let pages = pages_that_may_match(&footer, &filter)?;
            if pages.as_ref().is_none_or(RowSelection::selects_any) {
                self.windows = in_order(windows(&footer)?, self.wanted.order);
            }
            if looks_for_one_value(&footer, &filter) {
                self.at_once = usize::MAX;
            }
            let footer = dictionaries::for_conditions(footer, &filter, &self.answered())?;
            self.group = Some(Group { footer, first_row, filter, pages });
            self.counts.row_groups.inc();
            self.wanted.tally.row_groups.fetch_add(1, Ordering::Relaxed);
        } else {
            self.counts.row_groups_passed_over.inc();
            self.wanted.tally.row_groups_passed_over.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Step::Nothing)
    }

    /// Begins to read windows of a row group, which are in ascending order, and says which row is the first.
    fn read(
        &self,
        group: &Group,
        windows: &[Window],
        range: TimeRange,
    ) -> Result<(ParquetRecordBatchReader, u64), ParquetError> {
        let columns = group.footer.metadata().row_group(0);
        let rows: Vec<Range<usize>> =
            windows.iter().map(|window| self.rows_that_matter(group, window, range)).collect();
        let first = (group.first_row + rows[0].start) as u64;
        let all_within = windows
            .iter()
            .all(|window| range.contains(window.range.start) && range.contains(window.range.end));
        let answer = self.roots(self.answered());
        let mut needed = answer.clone();
        let mut predicates: Vec<Box<dyn ArrowPredicate>> = Vec::new();
        if !all_within {
            let time = self.roots([TIME]);
            needed.union(&time);
            predicates.push(Box::new(ArrowPredicateFn::new(time, move |rows| within(&rows, range))));
        }
        for part in group.filter.parts() {
            let mut columns = self.lifted.columns_of_predicate(part);
            if !columns.iter().any(|column| self.footer.schema().index_of(column).is_ok()) {
                // Whoever looks at rows needs to see how many they are.
                columns.insert(TIME);
            }
            let columns = self.roots(columns);
            needed.union(&columns);
            let (part, lifted) = (part.clone(), Arc::clone(&self.lifted));
            let mask = move |rows: RecordBatch| mask_of(&part, &rows, &lifted);
            predicates.push(Box::new(ArrowPredicateFn::new(columns, mask)));
        }
        let mut selection = RowSelection::from_consecutive_ranges(rows.into_iter(), rows_of(columns));
        if let Some(pages) = &group.pages {
            selection = selection.intersection(pages);
        }
        let input = self.input.clone();
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(input, group.footer.clone())
            .with_row_selection(selection)
            .with_batch_size(batch_rows(columns, &needed, &self.lifted))
            .with_projection(answer)
            .with_row_filter(ReaderFilter::new(predicates));
        Ok((reader.build()?, first))
    }

    /// The columns of the file that the answer needs.
    fn answered(&self) -> Vec<&str> {
        let Wanted { schema, entries, values, .. } = &*self.wanted;
        let fields = schema.fields().iter().map(|field| field.name());
        let of_table = fields.filter(|name| !values.iter().any(|value| value.name == **name));
        let of_table = of_table.flat_map(|name| self.lifted.columns_of(name, entries));
        let of_values = values.iter().flat_map(|value| self.lifted.columns_of_value(&value.map, &value.key));
        of_table.chain(of_values).collect()
    }

    /// Rows of a window without those that come after enough others whatever they are.
    fn rows_that_matter(&self, group: &Group, window: &Window, range: TimeRange) -> Range<usize> {
        let Range { start, end } = window.rows;
        let all_match = group.filter.is_everything()
            && range.contains(window.range.start)
            && range.contains(window.range.end);
        match (self.wanted.first, self.wanted.order) {
            (Some(first), Order::OldestFirst) if all_match => start..end.min(start.saturating_add(first)),
            (Some(first), Order::NewestFirst) if all_match => start.max(end.saturating_sub(first))..end,
            _ => start..end,
        }
    }

    /// Columns by name. One that the file lacks was added later; its rows read as null there.
    fn roots<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> ProjectionMask {
        let schema = self.footer.schema();
        let indices = columns.into_iter().filter_map(|column| schema.index_of(column).ok());
        ProjectionMask::roots(self.footer.parquet_schema(), indices)
    }
}

/// Whether rows must have one of some values in a column of a row group that has a bloom filter: where they are, they are
/// seldom.
fn looks_for_one_value(footer: &ArrowReaderMetadata, filter: &RowFilter) -> bool {
    fn is_seldom(footer: &ArrowReaderMetadata, predicate: &Predicate) -> bool {
        match predicate {
            Predicate::Is(Condition {
                field: Field::Column(name),
                test: Test::Compare(FilterOp::Equal, _),
            }) => {
                let column = leaf(footer, name).map(|leaf| footer.metadata().row_group(0).column(leaf));
                column.is_some_and(|column| column.bloom_filter_offset().is_some())
            }
            Predicate::Any(parts) => !parts.is_empty() && parts.iter().all(|part| is_seldom(footer, part)),
            Predicate::All(parts) => parts.iter().any(|part| is_seldom(footer, part)),
            Predicate::Is(_) | Predicate::Not(_) | Predicate::Own(_) => false,
        }
    }
    filter.parts().iter().any(|part| is_seldom(footer, part))
}

/// How many rows of a group are decoded at a time, so that a batch of average rows is not too large, also once their maps
/// have what is lifted.
fn batch_rows(group: &RowGroupMetaData, columns: &ProjectionMask, lifted: &Lifted) -> usize {
    let leaves = group.columns().iter().enumerate().filter(|(leaf, _)| columns.leaf_included(*leaf));
    let bytes: i64 = leaves
        .map(|(_, column)| {
            column.unencoded_byte_array_data_bytes().unwrap_or(0).max(column.uncompressed_size()).max(0)
        })
        .fold(lifted.bytes_beside(group, columns), i64::saturating_add);
    let bytes_a_row = usize::try_from(bytes).unwrap_or(usize::MAX) / rows_of(group).max(1);
    (BATCH_BYTES / bytes_a_row.max(1)).clamp(BATCH_MIN_ROWS, BATCH_ROWS)
}

/// All rows of a file, with all of their maps.
pub(crate) struct AllRows {
    batches: ParquetRecordBatchReader,
    lifted: Lifted,
}

impl Iterator for AllRows {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.batches.next()?;
        Some(rows.and_then(|rows| self.lifted.remade(rows, |_| true)))
    }
}

/// All rows of a file, in order, about as many bytes at a time as a scan decodes.
pub(crate) fn all_rows(
    file: &StoredFile,
    footers: &Cache<ArrowReaderMetadata>,
) -> Result<AllRows, ReadError> {
    let input = file.open(Part::Rows)?;
    let footer = footer(file, &input, footers)?;
    let lifted = Lifted::of(&footer)?;
    let of_group = |group| batch_rows(group, &ProjectionMask::all(), &lifted);
    let rows = footer.metadata().row_groups().iter().map(of_group).min().unwrap_or(BATCH_ROWS);
    let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(input, footer).with_batch_size(rows);
    Ok(AllRows { batches: batches.build()?, lifted })
}

fn in_order<T>(mut all: Vec<T>, order: Order) -> VecDeque<T> {
    if order == Order::NewestFirst {
        all.reverse();
    }
    all.into()
}

fn rows_of(group: &RowGroupMetaData) -> usize {
    usize::try_from(group.num_rows()).unwrap_or(0)
}

fn leaf(footer: &ArrowReaderMetadata, column: &str) -> Option<usize> {
    footer.parquet_schema().columns().iter().position(|leaf| leaf.path().parts() == [column])
}

/// What rows of a row group must satisfy to be those of the scan, without what its statistics, bloom filters and
/// filters of words tell of all of them, and with conditions on columns of the file where attributes have such; `None`
/// when none of them is.
fn left_of(
    input: &CheckedFile,
    footer: &ArrowReaderMetadata,
    lifted: &Lifted,
    group: usize,
    filter: &RowFilter,
    range: TimeRange,
) -> Result<Option<RowFilter>, ParquetError> {
    let columns = footer.metadata().row_group(group);
    if let Some(Statistics::Int64(times)) =
        leaf(footer, TIME).and_then(|leaf| columns.column(leaf).statistics())
        && let (Some(first), Some(last)) = (times.min_opt(), times.max_opt())
        && !range.overlaps(&TimeRange::new(Timestamp::from_nanos(*first), Timestamp::from_nanos(*last)))
    {
        return Ok(None);
    }
    filter.replaced(&mut |condition| {
        let of_file = lifted.in_columns(condition);
        let may = may_hold(input, footer, group, condition, &of_file)?;
        Ok(if may { of_file } else { Predicate::nothing() })
    })
}

/// Whether a condition, which is another one on columns of the file, can hold for some row of a row group.
fn may_hold(
    input: &CheckedFile,
    footer: &ArrowReaderMetadata,
    group: usize,
    condition: &Condition,
    of_file: &Predicate,
) -> Result<bool, ParquetError> {
    let column = condition.field.column();
    if footer.schema().index_of(column).is_err() || *of_file == Predicate::nothing() {
        return Ok(false);
    }
    if let Predicate::Is(of_file) = of_file
        && matches!(of_file.field, Field::Column(_))
        && !(bounds_let(footer, group, of_file)? && bloom_lets(input, footer, group, of_file)?)
    {
        return Ok(false);
    }
    // Filters of words are those of all attributes of a map.
    Places::of(footer, column).map_or(Ok(true), |places| places.may_hold(input, group, condition))
}

/// Whether the least and the greatest value of a column in a row group let a condition on it hold.
fn bounds_let(
    footer: &ArrowReaderMetadata,
    group: usize,
    condition: &Condition,
) -> Result<bool, ParquetError> {
    let columns = footer.metadata().row_group(group);
    let Some(bounds) = bounds_of(footer, condition.field.column())? else { return Ok(false) };
    let (least, greatest) = (bounds.row_group_mins([columns])?, bounds.row_group_maxes([columns])?);
    let nulls = bounds.row_group_null_counts([columns])?;
    let may = condition::may_hold(&condition.test, &least, &greatest)?.value(0);
    Ok(may && !has_only_nulls(&nulls, 0, rows_of(columns)))
}

/// Whether the bloom filter of a column in a row group lets it have the text that it must be.
fn bloom_lets(
    input: &CheckedFile,
    footer: &ArrowReaderMetadata,
    group: usize,
    condition: &Condition,
) -> Result<bool, ParquetError> {
    let Test::Compare(FilterOp::Equal, Scalar::Text(text)) = &condition.test else { return Ok(true) };
    let column = condition.field.column();
    let (Some(leaf), Ok(field)) = (leaf(footer, column), footer.schema().field_with_name(column)) else {
        return Ok(false);
    };
    let Some(bytes) = ids::hashed(field.data_type(), text) else { return Ok(false) };
    bloom::lets(input, footer.metadata().row_group(group).column(leaf), &bytes)
}

/// The statistics of a column; `None` when the file lacks it.
fn bounds_of<'a>(
    footer: &'a ArrowReaderMetadata,
    column: &'a str,
) -> Result<Option<StatisticsConverter<'a>>, ParquetError> {
    if footer.schema().index_of(column).is_err() {
        return Ok(None);
    }
    StatisticsConverter::try_new(column, footer.schema(), footer.parquet_schema()).map(Some)
}

/// Whether a run of rows is known to have nothing but null, which satisfies no condition.
fn has_only_nulls(nulls: &UInt64Array, run: usize, rows: usize) -> bool {
    nulls.is_valid(run) && nulls.value(run) == rows as u64
}

/// The rows of the only row group of a footer that lie in pages which may satisfy the filter, as far as the
/// pages' bounds tell; `None` when that is all.
fn pages_that_may_match(
    footer: &ArrowReaderMetadata,
    filter: &RowFilter,
) -> Result<Option<RowSelection>, ParquetError> {
    pages_of_all(footer, filter.parts())
}

fn pages_of(
    footer: &ArrowReaderMetadata,
    predicate: &Predicate,
) -> Result<Option<RowSelection>, ParquetError> {
    match predicate {
        Predicate::All(parts) => pages_of_all(footer, parts),
        Predicate::Any(parts) => {
            let mut selection: Option<RowSelection> = None;
            for part in parts {
                let Some(pages) = pages_of(footer, part)? else { return Ok(None) };
                selection = Some(selection.map_or(pages.clone(), |before| before.union(&pages)));
            }
            Ok(selection)
        }
        Predicate::Is(condition) if matches!(condition.field, Field::Column(_)) => {
            pages_of_condition(footer, condition)
        }
        // Bounds of pages say what may hold, and so nothing of opposites.
        Predicate::Is(_) | Predicate::Not(_) | Predicate::Own(_) => Ok(None),
    }
}

fn pages_of_all(
    footer: &ArrowReaderMetadata,
    parts: &[Predicate],
) -> Result<Option<RowSelection>, ParquetError> {
    let mut selection: Option<RowSelection> = None;
    for part in parts {
        if let Some(pages) = pages_of(footer, part)? {
            selection = Some(selection.map_or(pages.clone(), |before| before.intersection(&pages)));
        }
    }
    Ok(selection)
}

fn pages_of_condition(
    footer: &ArrowReaderMetadata,
    condition: &Condition,
) -> Result<Option<RowSelection>, ParquetError> {
    let metadata = footer.metadata();
    let (Some(columns), Some(offsets)) = (metadata.column_index(), metadata.offset_index()) else {
        return Ok(None);
    };
    let Some(bounds) = bounds_of(footer, condition.field.column())? else { return Ok(None) };
    let least = bounds.data_page_mins(columns, offsets, [&0])?;
    let greatest = bounds.data_page_maxes(columns, offsets, [&0])?;
    let nulls = bounds.data_page_null_counts(columns, offsets, [&0])?;
    let Some(counts) = bounds.data_page_row_counts(offsets, metadata.row_groups(), [&0])? else {
        return Ok(None);
    };
    let may = condition::may_hold(&condition.test, &least, &greatest)?;
    let mut start = 0;
    let mut rows = Vec::new();
    for (page, count) in counts.values().iter().enumerate() {
        let count = usize::try_from(*count).unwrap_or(0);
        if may.value(page) && !has_only_nulls(&nulls, page, count) {
            rows.push(start..start + count);
        }
        start += count;
    }
    let all = rows_of(metadata.row_group(0));
    let is_a_part = rows.iter().map(Range::len).sum::<usize>() < all;
    Ok(is_a_part.then(|| RowSelection::from_consecutive_ranges(rows.into_iter(), all)))
}

/// The only row group of a footer, cut where the pages of the time column end.
fn windows(footer: &ArrowReaderMetadata) -> Result<Vec<Window>, ParquetError> {
    let metadata = footer.metadata();
    let whole = || vec![Window { rows: 0..rows_of(metadata.row_group(0)), range: TimeRange::ALL }];
    let (Some(columns), Some(offsets)) = (metadata.column_index(), metadata.offset_index()) else {
        return Ok(whole());
    };
    let times = StatisticsConverter::try_new(TIME, footer.schema(), footer.parquet_schema())?;
    let first = times.data_page_mins(columns, offsets, [&0])?;
    let last = times.data_page_maxes(columns, offsets, [&0])?;
    let counts = times.data_page_row_counts(offsets, metadata.row_groups(), [&0])?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::lifted;
    use crate::events::write::tests::{written, written_of, written_with};
    use crate::testing::{deploys, logs};
    use model::event::LogEvent;
    use parquet::basic::{Compression, Type};
    use store::{Row, Table, schema};

    fn compared(column: &'static str, op: FilterOp, value: &str) -> Predicate {
        Predicate::column(column, Test::Compare(op, value.into()))
    }

    fn filter(predicate: Predicate) -> RowFilter {
        RowFilter::new(&schema(Table::Deploys), [predicate]).expect("columns of the table")
    }

    fn condition(column: &'static str, op: FilterOp, value: &str) -> RowFilter {
        filter(compared(column, op, value))
    }

    #[test]
    fn row_groups_and_pages_are_passed_over_by_their_bounds() {
        let rows: Vec<i64> = (1_000_000..1_160_000).collect();
        let (input, footer) = written(|file| file.push(&deploys(&rows)).expect("taken"));
        let nothing = Lifted::default();
        let may_match = |group, filter: &RowFilter| {
            left_of(&input, &footer, &nothing, group, filter, TimeRange::ALL).expect("read").is_some()
        };
        let newer = condition("event_id", FilterOp::AtLeast, "e1140000");
        assert_eq!([may_match(0, &newer), may_match(1, &newer)], [false, true]);
        let older = condition("event_id", FilterOp::Less, "e1000003");
        assert_eq!([may_match(0, &older), may_match(1, &older)], [true, false]);
        let everywhere = condition("service", FilterOp::Equal, "service-1");
        assert!(may_match(0, &everywhere) && may_match(1, &everywhere));
        let null = condition("url", FilterOp::NotEqual, "x");
        assert!(!may_match(0, &null), "all are null");
        let either = |one, other| filter(Predicate::Any(vec![one, other]));
        let old = || compared("event_id", FilterOp::Less, "e1000003");
        let new = || compared("event_id", FilterOp::AtLeast, "e1159990");
        let nowhere = || compared("event_id", FilterOp::Equal, "f");
        assert_eq!([0, 1].map(|group| may_match(group, &either(old(), nowhere()))), [true, false]);
        assert_eq!([0, 1].map(|group| may_match(group, &either(new(), old()))), [true, true]);
        assert!(!may_match(0, &either(nowhere(), nowhere())));
        assert!(may_match(0, &filter(nowhere().opposite())));
        let left =
            left_of(&input, &footer, &nothing, 0, &either(new(), old()), TimeRange::ALL).expect("read");
        assert_eq!(
            left.map(|left| left.parts().to_vec()),
            Some(vec![old()]),
            "it says what is not known yet"
        );

        let first = of_group(&footer, &input, 0).expect("a footer");
        let pages = |filter| pages_that_may_match(&first, filter).expect("indexes");
        assert_eq!(pages(&everywhere), None);
        let pages = pages(&older).expect("a part of the rows");
        let selected = pages.row_count();
        assert!((3..20_000).contains(&selected), "{selected}");
        assert!(!pages.iter().next().expect("rows").skip, "the first rows are among them");
        let middle = || compared("event_id", FilterOp::Equal, "e1060000");
        let both = pages_that_may_match(&first, &either(old(), middle())).expect("indexes");
        let both = both.expect("a part of the rows").row_count();
        assert!((selected + 1..40_000).contains(&both), "{both}");
        let unknown = either(old(), compared("service", FilterOp::Contains, "x"));
        assert_eq!(pages_that_may_match(&first, &unknown).expect("indexes"), None);
    }

    #[test]
    fn ids_that_are_bytes_are_passed_over_by_bounds_by_bloom_filters_and_by_pages() {
        let id = |number: u32| format!("ab{number:030x}");
        let texts: Vec<String> = (0..40_000).step_by(2).map(id).collect();
        let pairs: Vec<(Option<&str>, Option<&str>)> =
            texts.iter().map(|id| (Some(id.as_str()), None)).collect();
        let rows = logs(0, &pairs);
        let columns = ids::schema_of_rows(Table::Logs, rows.schema(), [&rows]);
        let (input, footer) = written_of(Table::Logs, columns, |file| file.push(&rows).expect("taken"));
        let nothing = Lifted::default();
        let column = leaf(&footer, "trace_id").expect("a column of the file");
        let column = footer.metadata().row_group(0).column(column);
        assert_eq!(
            (column.column_type(), column.compression()),
            (Type::FIXED_LEN_BYTE_ARRAY, Compression::UNCOMPRESSED)
        );

        let filter = |op, text: &str| {
            RowFilter::new(&schema(Table::Logs), [compared("trace_id", op, text)]).expect("valid")
        };
        let may_match = |op, text: &str| {
            let filter = filter(op, text);
            left_of(&input, &footer, &nothing, 0, &filter, TimeRange::ALL).expect("read").is_some()
        };
        let (first, last) = (id(0), id(39_998));
        let by_bounds = [
            (FilterOp::AtLeast, last.as_str(), true),
            (FilterOp::Greater, last.as_str(), false),
            (FilterOp::AtMost, first.as_str(), true),
            (FilterOp::Less, first.as_str(), false),
            (FilterOp::AtLeast, "ab", true),
            (FilterOp::AtLeast, "ac", false),
            (FilterOp::AtMost, "ab", false),
            (FilterOp::Equal, "ac000000000000000000000000000000", false),
            (FilterOp::NotEqual, "ac", true),
        ];
        for (op, text, expected) in by_bounds {
            assert_eq!(may_match(op, text), expected, "{op:?} {text}");
        }
        for number in (0..200).map(|number| number * 200) {
            assert!(may_match(FilterOp::Equal, &id(number)), "{number} is there");
            assert!(
                !may_match(FilterOp::Equal, &id(number).to_uppercase()),
                "{number}, not as it is written"
            );
            assert!(!may_match(FilterOp::Equal, &id(number)[..31]), "a part of {number}");
        }
        let absent = (0..200).map(|number| id(number * 200 + 1));
        let seem_there = absent.filter(|id| may_match(FilterOp::Equal, id)).count();
        assert!(seem_there < 20, "{seem_there} of 200 that are not there seem to be");

        let group = of_group(&footer, &input, 0).expect("a footer");
        let pages = pages_that_may_match(&group, &filter(FilterOp::Equal, &id(20_000))).expect("indexes");
        let selected = pages.expect("a part of the rows").row_count();
        assert!((1..10_000).contains(&selected), "{selected}");
    }

    #[test]
    fn batches_are_small_where_maps_get_long_names_back() {
        let name = |place: usize| format!("{place:02}{}", "x".repeat(120));
        let rows: Vec<LogEvent> = (0..2_000)
            .map(|number| LogEvent {
                attributes: (0..20).map(|place| (name(place), "v".to_owned())).collect(),
                ..LogEvent::new(Timestamp::from_millis(number), Arc::default())
            })
            .collect();
        let rows = LogEvent::to_batch(&rows).expect("rows of one table");
        let lifted = lifted::of_rows(Table::Logs, [&rows]);
        let (_, footer) =
            written_with(Table::Logs, rows.schema(), lifted, |file| file.push(&rows).expect("taken"));
        let lifted = Lifted::of(&footer).expect("its metadata");
        let group = footer.metadata().row_group(0);
        let bytes_a_row = 20 * name(0).len();
        let count = batch_rows(group, &ProjectionMask::all(), &lifted);
        assert!(count * bytes_a_row <= BATCH_BYTES, "{count}");
        let time = ProjectionMask::roots(footer.parquet_schema(), [0]);
        assert_eq!(batch_rows(group, &time, &lifted), BATCH_ROWS, "no maps are read");
    }

    #[test]
    fn attributes_in_columns_of_their_own_are_passed_over_by_bounds_by_words_and_by_pages() {
        let rows: Vec<LogEvent> = (0..60_000)
            .map(|number| {
                let attributes =
                    [("ms", format!("{}", f64::from(number) / 8.0)), ("name", format!("name {number:06}"))];
                let attributes = attributes.map(|(key, value)| (key.to_owned(), value)).into();
                LogEvent {
                    attributes,
                    ..LogEvent::new(Timestamp::from_millis(number.into()), Arc::default())
                }
            })
            .collect();
        let rows = LogEvent::to_batch(&rows).expect("rows of one table");
        let lifted = lifted::of_rows(Table::Logs, [&rows]);
        let (input, footer) =
            written_with(Table::Logs, rows.schema(), lifted, |file| file.push(&rows).expect("taken"));
        let lifted = Lifted::of(&footer).expect("its metadata");
        let left = |key: &str, op, text: &str| {
            let predicate = Predicate::attribute("attributes", key, Test::Compare(op, text.into()));
            let filter = RowFilter::new(&schema(Table::Logs), [predicate]).expect("valid");
            left_of(&input, &footer, &lifted, 0, &filter, TimeRange::ALL).expect("read")
        };
        let cases = [
            ("ms", FilterOp::Equal, "0.125", true),
            ("ms", FilterOp::Equal, "7499.875", true),
            ("ms", FilterOp::Equal, "7500", false),
            ("ms", FilterOp::Equal, "-0.125", false),
            ("ms", FilterOp::Equal, "0.1250", false),
            ("ms", FilterOp::Equal, "name", false),
            ("ms", FilterOp::NotEqual, "name", true),
            ("ms", FilterOp::AtLeast, "9", true),
            ("name", FilterOp::AtLeast, "name 059999", true),
            ("name", FilterOp::Greater, "name 059999", false),
            ("name", FilterOp::Less, "name 0", false),
            ("name", FilterOp::Equal, "name 030000", true),
            ("name", FilterOp::Equal, "name 03000x", false),
            ("none", FilterOp::NotEqual, "a", false),
        ];
        for (key, op, text, expected) in cases {
            assert_eq!(left(key, op, text).is_some(), expected, "{key} {op:?} {text}");
        }

        let group = of_group(&footer, &input, 0).expect("a footer");
        for (key, text) in [("ms", "3750"), ("name", "name 030000")] {
            let filter = left(key, FilterOp::Equal, text).expect("it is there");
            assert_eq!(
                filter.parts().iter().flat_map(Predicate::columns).collect::<Vec<_>>(),
                [format!("attributes.{key}")],
                "nothing else is read"
            );
            let pages = pages_that_may_match(&group, &filter).expect("indexes");
            let selected = pages.expect("a part of the rows").row_count();
            assert!((1..30_000).contains(&selected), "{selected} of {key}");
        }
    }
}
