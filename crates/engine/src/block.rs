//! Blocks: the samples of some time in four Parquet files.
//!
//! One holds chunks, sorted by series; one the columns of times that chunks share; one the series,
//! sorted by labels, each with how many of the chunks are its own; and one the index: which series have
//! which label. docs/format/metrics-block.md describes them, and the first version, which had two files.

pub(crate) mod chunk;
mod columns;
pub(crate) mod held;
pub(crate) mod index;
mod packed;
mod places;
pub(crate) mod read;
mod recent;
pub(crate) mod rows;
pub(crate) mod series;
pub(crate) mod stream;
mod times;
pub(crate) mod write;

use arrow::array::{AsArray, BinaryArray, RecordBatch};
use arrow::datatypes::ArrowPrimitiveType;
use parquet::errors::ParquetError;

/// Columns of the file of chunks.
pub(crate) mod chunk_column {
    pub(crate) const SERIES: &str = "series";
    pub(crate) const FIRST: &str = "first_ms";
    pub(crate) const LAST: &str = "last_ms";
    pub(crate) const COUNT: &str = "count";
    pub(crate) const MIN: &str = "min";
    pub(crate) const MAX: &str = "max";
    /// The row of the file of times; in the first version, the times themselves.
    pub(crate) const TIMES: &str = "times";
    pub(crate) const VALUES: &str = "values";
}

/// Columns of the file of times.
pub(crate) mod times_column {
    pub(crate) const COUNT: &str = "count";
    pub(crate) const TIMES: &str = "times";
}

/// Columns of the file of series.
pub(crate) mod series_column {
    pub(crate) const SERIES: &str = "series";
    pub(crate) const LABELS: &str = "labels";
    pub(crate) const CHUNKS: &str = "chunks";
    pub(crate) const FIRST: &str = "first_ms";
    pub(crate) const LAST: &str = "last_ms";
}

/// Columns of the index.
pub(crate) mod index_column {
    pub(crate) const NAME: &str = "name";
    pub(crate) const VALUE: &str = "value";
    pub(crate) const SERIES: &str = "series";
}

fn damaged(error: chunk::BadChunk) -> ParquetError {
    ParquetError::External(Box::new(error))
}

fn bad(what: &str) -> ParquetError {
    ParquetError::General(what.to_owned())
}

fn numbers<T: ArrowPrimitiveType>(batch: &RecordBatch, column: &str) -> Result<Vec<T::Native>, ParquetError> {
    let array = batch.column_by_name(column).and_then(|array| array.as_primitive_opt::<T>());
    array.map(|array| array.values().to_vec()).ok_or_else(|| bad("a column is missing or of another type"))
}

fn binary(batch: &RecordBatch, column: &str) -> Result<BinaryArray, ParquetError> {
    let array = batch.column_by_name(column).and_then(|array| array.as_binary_opt::<i32>());
    array.cloned().ok_or_else(|| bad("a column is missing or of another type"))
}
