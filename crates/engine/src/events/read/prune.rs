//! Which row groups can have rows that are wanted, by what a file says of each: the least and the greatest value of
//! columns, bloom filters, filters of words. What these answer of all rows of a row group need not be asked of each.

use arrow::array::{Array, UInt64Array};
use model::{TimeRange, Timestamp};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;
use store::{Condition, Field, FilterOp, Predicate, Scalar, Test};

use crate::events::bloom;
use crate::events::condition;
use crate::events::filter::RowFilter;
use crate::events::lifted::Lifted;
use crate::events::tokens::Places;
use crate::events::{TIME, ids};
use crate::sums::CheckedFile;

/// What rows of a row group must satisfy to be those of the scan, without what its statistics, bloom filters and
/// filters of words tell of all of them, and with conditions on columns of the file where attributes have such; `None`
/// when none of them is.
pub(super) fn left_of(
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
        && !column_lets(input, footer, group, of_file)?
    {
        return Ok(false);
    }
    // Filters of words are those of all attributes of a map.
    Places::of(footer, column).map_or(Ok(true), |places| places.may_hold(input, group, condition))
}

/// Whether what a file says of a column in a row group lets a condition on it hold.
fn column_lets(
    input: &CheckedFile,
    footer: &ArrowReaderMetadata,
    group: usize,
    condition: &Condition,
) -> Result<bool, ParquetError> {
    match &condition.test {
        Test::Compare(FilterOp::Equal, Scalar::Text(text)) => {
            may_be(input, footer, group, condition.field.column(), text)
        }
        _ => bounds_let(footer, group, condition),
    }
}

/// Whether a column can have a text in a row group, by its bounds and by its bloom filter. This is asked of all row groups
/// when one id is looked for, so bounds are compared as the bytes that they are, of which no arrays are made.
fn may_be(
    input: &CheckedFile,
    footer: &ArrowReaderMetadata,
    group: usize,
    column: &str,
    text: &str,
) -> Result<bool, ParquetError> {
    let (Some(leaf), Ok(field)) = (leaf(footer, column), footer.schema().field_with_name(column)) else {
        return Ok(false);
    };
    let Some(value) = ids::hashed(field.data_type(), text) else { return Ok(false) };
    let columns = footer.metadata().row_group(group);
    let chunk = columns.column(leaf);
    let may = chunk.statistics().is_none_or(|known| is_within(known, rows_of(columns), &value));
    Ok(may && bloom::lets(input, chunk, &value)?)
}

/// Whether a value lies between the least and the greatest one of a column, which has texts or bytes: their order is that
/// of their bytes.
fn is_within(known: &Statistics, rows: usize, value: &[u8]) -> bool {
    if known.null_count_opt() == Some(rows as u64) {
        return false;
    }
    // Those of old had another order.
    known.is_min_max_deprecated()
        || (known.min_bytes_opt().is_none_or(|least| least <= value)
            && known.max_bytes_opt().is_none_or(|greatest| value <= greatest))
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

/// Whether rows must have one of some values in a column of the only row group of a footer, and that has a bloom filter:
/// where they are, they are seldom.
pub(super) fn is_seldom(footer: &ArrowReaderMetadata, predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Is(Condition { field: Field::Column(name), test: Test::Compare(FilterOp::Equal, _) }) => {
            let column = leaf(footer, name).map(|leaf| footer.metadata().row_group(0).column(leaf));
            column.is_some_and(|column| column.bloom_filter_offset().is_some())
        }
        Predicate::Any(parts) => !parts.is_empty() && parts.iter().all(|part| is_seldom(footer, part)),
        Predicate::All(parts) => parts.iter().any(|part| is_seldom(footer, part)),
        Predicate::Is(_) | Predicate::Not(_) | Predicate::Own(_) => false,
    }
}

/// The statistics of a column; `None` when the file lacks it.
pub(super) fn bounds_of<'a>(
    footer: &'a ArrowReaderMetadata,
    column: &'a str,
) -> Result<Option<StatisticsConverter<'a>>, ParquetError> {
    if footer.schema().index_of(column).is_err() {
        return Ok(None);
    }
    StatisticsConverter::try_new(column, footer.schema(), footer.parquet_schema()).map(Some)
}

/// Whether a run of rows is known to have nothing but null, which satisfies no condition.
pub(super) fn has_only_nulls(nulls: &UInt64Array, run: usize, rows: usize) -> bool {
    nulls.is_valid(run) && nulls.value(run) == rows as u64
}

/// The place of a column among those of the file that hold values.
pub(super) fn leaf(footer: &ArrowReaderMetadata, column: &str) -> Option<usize> {
    footer.parquet_schema().columns().iter().position(|leaf| leaf.path().parts() == [column])
}

pub(super) fn rows_of(group: &RowGroupMetaData) -> usize {
    usize::try_from(group.num_rows()).unwrap_or(0)
}
