//! The rows of an answer, within their bounds.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use store::{QueryError, SqlRows};

use crate::core::Core;

/// Hands rows on until there are enough.
pub(super) struct Answer<'a> {
    limit: Option<usize>,
    max_rows: usize,
    max_bytes: u64,
    bytes: u64,
    into: &'a mut dyn SqlRows,
    pub(super) rows: usize,
    pub(super) is_truncated: bool,
}

impl<'a> Answer<'a> {
    pub(super) fn new(core: &Arc<Core>, limit: Option<usize>, into: &'a mut dyn SqlRows) -> Self {
        let (max_rows, max_bytes) = (core.config.max_scan_rows, core.config.max_scan_bytes.0);
        Self { limit, max_rows, max_bytes, bytes: 0, into, rows: 0, is_truncated: false }
    }

    /// Hands on rows. Those beyond the limit that was asked for are cut off; beyond the store's own they are an error.
    pub(super) fn add(&mut self, rows: &RecordBatch) -> Result<(), QueryError> {
        let left = self.limit.unwrap_or(usize::MAX).min(self.max_rows) - self.rows;
        let kept = rows.num_rows().min(left);
        if kept < rows.num_rows() {
            if self.limit.is_none_or(|limit| limit > self.max_rows) {
                return Err(self.too_many_rows());
            }
            self.is_truncated = true;
        }
        if kept == 0 {
            return Ok(());
        }
        let rows = rows.slice(0, kept);
        self.bytes += bytes_of(&rows);
        if self.bytes > self.max_bytes {
            return Err(QueryError::LimitReached(format!(
                "the answer has more than {} bytes (store.max_scan_bytes): name fewer columns, add conditions, or lower the limit",
                self.max_bytes
            )));
        }
        self.rows += kept;
        self.into.rows(&rows)
    }

    fn too_many_rows(&self) -> QueryError {
        QueryError::LimitReached(format!(
            "the answer has more than {} rows (store.max_scan_rows): add conditions, group, or give a limit",
            self.max_rows
        ))
    }
}

/// What rows take, without what they share with others.
pub(super) fn bytes_of(rows: &RecordBatch) -> u64 {
    let columns = rows.columns().iter();
    columns.map(|column| column.to_data().get_slice_memory_size().unwrap_or(0) as u64).sum()
}
