//! What can go wrong with a report.

use store::{ColumnError, QueryError};

/// A report that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Stored events could not be read.
    #[error("stored events could not be read")]
    Events(#[source] QueryError),
    /// Stored events are not what they should be.
    #[error("stored events could not be understood")]
    Rows(#[source] ColumnError),
    /// Stored series could not be read.
    #[error("stored series could not be read")]
    Series(#[source] promql::Error),
}
