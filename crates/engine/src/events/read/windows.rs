//! A row group cut into windows of time, so that they can be read in the order of a query.

use std::ops::Range;

use arrow::array::AsArray;
use arrow::datatypes::TimestampNanosecondType;
use model::{TimeRange, Timestamp};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::errors::ParquetError;

use super::prune::rows_of;
use crate::events::TIME;

/// Some neighbouring rows of a row group, and their times.
pub(super) struct Window {
    pub(super) rows: Range<usize>,
    pub(super) range: TimeRange,
}

/// The only row group of a footer, cut where the pages of the time column end.
pub(super) fn windows(footer: &ArrowReaderMetadata) -> Result<Vec<Window>, ParquetError> {
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
