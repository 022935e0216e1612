//! Reading an event file: as few row groups, pages and columns as the query lets.
//!
//! Rows are in ascending time, so the pages of the time column cut a row group into windows. They are
//! read in the order of the query, each only while its times still matter.

mod few;
mod pages;
mod prune;
mod raw;
mod same;
mod windows;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{BooleanArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use model::TimeRange;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicate, ArrowPredicateFn, ArrowReaderMetadata, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowFilter as ReaderFilter, RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use store::{Entries, Order, Predicate};

use crate::cache::Cache;
use crate::catalog::Part;
use crate::core::Core;
use crate::events::dictionaries;
use crate::events::filter::{RowFilter, mask_of, within};
use crate::events::footer::{GroupFooters, footer, kept_of_group, lifted};
use crate::events::lifted::Lifted;
use crate::events::values::{Value, with_values};
use crate::events::{TIME, conform};
use crate::files::StoredFile;
use crate::query::ReadError;
use crate::sums::CheckedFile;
use crate::telemetry::Scans;
use few::{MAX_ROWS, few_rows, that_satisfy};
use pages::{pages_that_may_match, that_say_something};
use prune::{is_seldom, left_of, rows_of};
use raw::rows_that_may_have;
use same::Same;
use windows::{Window, windows};

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

/// Rows of a row group that are being read.
struct Batches {
    reader: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>,
    /// What is not read of them because it is known.
    same: Same,
    /// The number of the next row in the file.
    row: u64,
}

/// Reads what a query wants of one file.
pub(crate) struct FileScan {
    /// The number of the file.
    file: u64,
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
    batches: Option<Batches>,
    group_footers: Arc<GroupFooters>,
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
        let lifted = lifted(file.entry.id, &footer, &core.lifted)?;
        let groups = (0..footer.metadata().num_row_groups()).filter(|group| share.has(*group)).collect();
        let groups = in_order(groups, wanted.order);
        Ok(Self {
            file: file.entry.id,
            input,
            footer,
            lifted,
            wanted: Arc::clone(wanted),
            groups,
            windows: VecDeque::new(),
            group: None,
            at_once: if wanted.first.is_some() { 1 } else { usize::MAX },
            batches: None,
            group_footers: Arc::clone(&core.groups),
            counts: core.telemetry.scans.clone(),
        })
    }

    /// Reads some rows on, of those whose times are in `range`; rows come with the number of the first.
    /// They may have numbers of rows before and after them that were left out, which changes nothing in
    /// their order.
    pub(crate) fn step(&mut self, range: TimeRange) -> Result<Step<(RecordBatch, u64)>, ReadError> {
        if let Some(batches) = &mut self.batches {
            if let Some(rows) = batches.reader.next() {
                let rows = rows.and_then(|rows| batches.same.added_to(rows));
                let rows = rows.and_then(|rows| self.wanted.answer(rows, &self.lifted));
                let rows = rows.map_err(ParquetError::from)?;
                let first = batches.row;
                batches.row += rows.num_rows() as u64;
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
                self.batches = self.read(group, &windows, range)?;
            }
            return Ok(Step::Nothing);
        }
        let Some(group) = self.groups.pop_front() else { return Ok(Step::End) };
        let lifted = &self.lifted;
        if let Some(filter) = left_of(&self.input, &self.footer, lifted, group, &self.wanted.filter, range)? {
            let groups = self.footer.metadata().row_groups();
            let first_row = groups[..group].iter().map(rows_of).sum();
            let footer = kept_of_group(self.file, &self.footer, &self.input, group, &self.group_footers)?;
            let pages = pages_that_may_match(&footer, &filter)?;
            if pages.as_ref().is_none_or(RowSelection::selects_any) {
                self.windows = in_order(windows(&footer)?, self.wanted.order);
            }
            if filter.parts().iter().any(|part| is_seldom(&footer, part)) {
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

    /// Begins to read windows of a row group, which are in ascending order; `None` when it is known that none of their rows
    /// is wanted.
    ///
    /// Rows that are seldom are found first, in the columns that say so: where there are none, nothing is read of others,
    /// and where there are some, other columns are looked at in these rows only.
    fn read(
        &self,
        group: &Group,
        windows: &[Window],
        range: TimeRange,
    ) -> Result<Option<Batches>, ParquetError> {
        let footer = &group.footer;
        let columns = footer.metadata().row_group(0);
        let rows: Vec<Range<usize>> =
            windows.iter().map(|window| self.rows_that_matter(group, window, range)).collect();
        let first = (group.first_row + rows[0].start) as u64;
        let all_within = windows
            .iter()
            .all(|window| range.contains(window.range.start) && range.contains(window.range.end));
        let mut selection = RowSelection::from_consecutive_ranges(rows.into_iter(), rows_of(columns));
        if let Some(pages) = &group.pages {
            selection = selection.intersection(pages);
        }
        let (seldom, parts): (Vec<_>, Vec<_>) =
            group.filter.parts().iter().partition(|part| is_seldom(footer, part));
        for part in seldom {
            selection = self.rows_with(footer, selection, part)?;
        }
        if !selection.selects_any() {
            return Ok(None);
        }
        let mut answered = that_say_something(footer, self.answered(), &selection);
        let same = Same::taken_from(&mut answered, footer, &selection);
        let names: Vec<String> = answered.iter().map(|column| (*column).to_owned()).collect();
        let answer = self.roots(answered);
        let mut needed = answer.clone();
        let mut predicates: Vec<Box<dyn ArrowPredicate>> = Vec::new();
        if !all_within {
            let time = self.roots([TIME]);
            needed.union(&time);
            predicates.push(Box::new(ArrowPredicateFn::new(time, move |rows| within(&rows, range))));
        }
        for part in parts {
            let columns = self.columns_of(part);
            needed.union(&columns);
            let (part, lifted) = (part.clone(), Arc::clone(&self.lifted));
            let mask = move |rows: RecordBatch| mask_of(&part, &rows, &lifted);
            predicates.push(Box::new(ArrowPredicateFn::new(columns, mask)));
        }
        let batch = batch_rows(columns, &needed, &self.lifted);
        // Few rows that are large are many bytes: of those, what no filter wants is not even unpacked.
        if selection.row_count() <= MAX_ROWS.min(batch) {
            let rows = few_rows(&self.input, footer, needed, selection)?;
            let rows = rows.map(move |rows| that_satisfy(&mut predicates, rows?, &names));
            return Ok(Some(Batches { reader: Box::new(rows), same, row: first }));
        }
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(self.input.clone(), footer.clone())
            .with_row_selection(selection)
            .with_batch_size(batch)
            .with_projection(answer)
            .with_row_filter(ReaderFilter::new(predicates));
        Ok(Some(Batches { reader: Box::new(reader.build()?), same, row: first }))
    }

    /// Those of some rows of a row group, whose footer this is, that satisfy a part of the filter.
    fn rows_with(
        &self,
        footer: &ArrowReaderMetadata,
        mut rows: RowSelection,
        part: &Predicate,
    ) -> Result<RowSelection, ParquetError> {
        if let Some(some) = rows_that_may_have(&self.input, footer, part, &rows)? {
            rows = rows.intersection(&some);
        }
        if !rows.selects_any() {
            return Ok(rows);
        }
        let columns = self.columns_of(part);
        let batch = batch_rows(footer.metadata().row_group(0), &columns, &self.lifted);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(self.input.clone(), footer.clone())
            .with_row_selection(rows.clone())
            .with_batch_size(batch)
            .with_projection(columns);
        let masks = reader.build()?.map(|batch| mask_of(part, &batch?, &self.lifted));
        let masks = masks.collect::<Result<Vec<_>, ArrowError>>()?;
        if masks.iter().map(BooleanArray::len).sum::<usize>() != rows.row_count() {
            return Err(ParquetError::General("a row group has not the rows that it says".to_owned()));
        }
        Ok(rows.and_then(&RowSelection::from_filters(&masks)))
    }

    /// The columns of the file that a part of the filter needs.
    fn columns_of(&self, part: &Predicate) -> ProjectionMask {
        let mut columns = self.lifted.columns_of_predicate(part);
        if !columns.iter().any(|column| self.footer.schema().index_of(column).is_ok()) {
            // Whoever looks at rows needs to see how many they are.
            columns.insert(TIME);
        }
        self.roots(columns)
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

#[cfg(test)]
mod tests;
