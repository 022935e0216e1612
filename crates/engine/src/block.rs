//! Blocks: the samples of some time in two Parquet files.
//!
//! One holds chunks, sorted by series; the other the series, sorted by labels, each with how many of
//! the chunks are its own. docs/format/metrics-block.md describes both.

pub(crate) mod chunk;
pub(crate) mod read;
pub(crate) mod write;

/// Columns of the file of chunks.
pub(crate) mod chunk_column {
    pub(crate) const SERIES: &str = "series";
    pub(crate) const FIRST: &str = "first_ms";
    pub(crate) const LAST: &str = "last_ms";
    pub(crate) const COUNT: &str = "count";
    pub(crate) const MIN: &str = "min";
    pub(crate) const MAX: &str = "max";
    pub(crate) const TIMES: &str = "times";
    pub(crate) const VALUES: &str = "values";
}

/// Columns of the file of series.
pub(crate) mod series_column {
    pub(crate) const SERIES: &str = "series";
    pub(crate) const LABELS: &str = "labels";
    pub(crate) const CHUNKS: &str = "chunks";
    pub(crate) const FIRST: &str = "first_ms";
    pub(crate) const LAST: &str = "last_ms";
}
