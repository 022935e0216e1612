//! Which pages of a row group can have rows that are wanted, by the bounds of each, and which have nothing.

use std::ops::Range;

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, RowSelection};
use parquet::errors::ParquetError;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::PageLocation;
use store::{Condition, Field, Predicate};

use super::prune::{bounds_of, has_only_nulls, rows_of};
use crate::events::condition;
use crate::events::filter::RowFilter;

/// The rows of the only row group of a footer that lie in pages which may satisfy the filter, as far as the
/// pages' bounds tell; `None` when that is all.
pub(super) fn pages_that_may_match(
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

/// Those of some columns of the file that have something in selected rows of the only row group of a footer, as far as
/// its pages tell. Of others nothing need be read: who gets the rows knows what they lack as null.
pub(super) fn that_say_something<'c>(
    footer: &ArrowReaderMetadata,
    columns: Vec<&'c str>,
    rows: &RowSelection,
) -> Vec<&'c str> {
    let (rows, all) = (Ranges::of(rows), rows_of(footer.metadata().row_group(0)));
    let leaves = footer.parquet_schema().columns().iter().enumerate();
    let without: Vec<&str> = leaves
        .filter_map(|(leaf, column)| {
            // What is in maps is told by several columns together.
            let [name] = column.path().parts() else { return None };
            let (index, pages) = of_leaf(footer, leaf)?;
            are_null(index, pages, all, &rows).then_some(name.as_str())
        })
        .collect();
    // Without a map, what is lifted of it says whether rows have one at all.
    let is_needed = |column: &&&str| {
        !without.contains(*column) || column.split_once('.').is_some_and(|(map, _)| !columns.contains(&map))
    };
    let left: Vec<&str> = columns.iter().filter(is_needed).copied().collect();
    // Whoever looks at rows needs to see how many they are.
    if left.is_empty() { columns } else { left }
}

/// What is known of the pages of a column of the only row group of a footer, and where they are.
pub(super) fn of_leaf(
    footer: &ArrowReaderMetadata,
    leaf: usize,
) -> Option<(&ColumnIndexMetaData, &[PageLocation])> {
    let metadata = footer.metadata();
    let index = metadata.column_index()?.first()?.get(leaf)?;
    let pages = metadata.offset_index()?.first()?.get(leaf)?.page_locations();
    Some((index, pages.as_slice()))
}

/// Whether all pages of a column with one of these rows have nothing but null.
fn are_null(index: &ColumnIndexMetaData, pages: &[PageLocation], all: usize, rows: &Ranges) -> bool {
    let is_known = !matches!(index, ColumnIndexMetaData::NONE) && !pages.is_empty();
    if !is_known || index.num_pages() != pages.len() as u64 {
        return false;
    }
    (0..pages.len()).all(|page| index.is_null_page(page) || !rows.overlap(&rows_of_page(pages, page, all)))
}

/// The rows of a page of a row group that has `all` rows.
pub(super) fn rows_of_page(pages: &[PageLocation], page: usize, all: usize) -> Range<usize> {
    let begin = |page: &PageLocation| usize::try_from(page.first_row_index).unwrap_or(0).min(all);
    let start = pages.get(page).map_or(all, begin);
    start..pages.get(page + 1).map_or(all, begin)
}

/// Selected rows of a row group, as ranges in ascending order.
pub(super) struct Ranges(Vec<Range<usize>>);

impl Ranges {
    pub(super) fn of(rows: &RowSelection) -> Self {
        let mut start = 0;
        let mut ranges = Vec::new();
        for some in rows.iter() {
            let end = start + some.row_count;
            if !some.skip && some.row_count > 0 {
                ranges.push(start..end);
            }
            start = end;
        }
        Self(ranges)
    }

    /// Whether one of some neighbouring rows is among them.
    pub(super) fn overlap(&self, rows: &Range<usize>) -> bool {
        let place = self.0.partition_point(|range| range.end <= rows.start);
        self.0.get(place).is_some_and(|range| range.start < rows.end)
    }
}
