//! Queries over head and files together.
//!
//! A query takes one view of the store and reads its sources in the order in which they came to be:
//! files, the frozen head, the head. Of two samples of a series at the same time, the older source's
//! stays. A file that turns out to be damaged is set aside, and the query goes on without it.

pub(crate) mod ahead;
pub(crate) mod cursor;
pub(crate) mod labels;
pub(crate) mod pass;
pub(crate) mod plan;
pub(crate) mod pushdown;
pub(crate) mod queries;
pub(crate) mod reader;
pub(crate) mod scan;
pub(crate) mod select;
pub(crate) mod sources;
pub(crate) mod streams;
pub(crate) mod table;

use std::sync::Arc;

use model::TimeRange;
use parquet::errors::ParquetError;
use store::QueryError;

use crate::block::held::Full;
use crate::core::Core;
use crate::events::lifted::NotUnderstood;
use crate::files::StoredFile;
use crate::quarantine::quarantine;

/// Why a file could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The file.
    #[error("a file could not be read")]
    File(#[from] ParquetError),
    /// What it says of itself is not understood, and no damage.
    #[error(transparent)]
    NotUnderstood(#[from] NotUnderstood),
    /// What is in it would take more memory than there is for it.
    #[error("more memory would be taken than may be")]
    Full(Full),
}

impl From<Full> for ReadError {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.into())
    }
}

/// Goes on without a file that is damaged; any other error ends the query.
pub(crate) fn without_damaged<T>(
    core: &Core,
    file: &Arc<StoredFile>,
    result: Result<T, ReadError>,
) -> Result<Option<T>, QueryError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
        Err(QueryError::Storage { doing: format!("reading file {}", file.entry.id), source })
    };
    match result {
        Ok(value) => Ok(Some(value)),
        Err(ReadError::Full(full)) => Err(sources::too_many_labels(core, full)),
        // Another query has set it aside and moved it while this one held it.
        Err(ReadError::File(_)) if file.is_quarantined() => Ok(None),
        Err(ReadError::File(error)) if file.is_damaged() => {
            quarantine(core, file, &told(&error));
            Ok(None)
        }
        Err(ReadError::File(error)) => failed(Box::new(error)),
        Err(ReadError::NotUnderstood(error)) => failed(Box::new(error)),
    }
}

/// What an error of a file says, without the library's word for where it comes from.
fn told(error: &ParquetError) -> String {
    match error {
        ParquetError::External(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// A range in the milliseconds of samples.
pub(crate) fn millis(range: TimeRange) -> (i64, i64) {
    (range.start.as_millis(), range.end.as_millis())
}
