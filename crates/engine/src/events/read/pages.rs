//! Which pages of a row group can have rows that are wanted, by the bounds of each.

use std::ops::Range;

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, RowSelection};
use parquet::errors::ParquetError;
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
