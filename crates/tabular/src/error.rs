//! What can go wrong while rows are written.

/// Rows that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Arrow refused: the rows do not fit the format, or the output could not be written.
    #[error("rows could not be written")]
    Arrow(#[from] arrow::error::ArrowError),
    /// Parquet refused, or the output could not be written.
    #[error("rows could not be written as Parquet")]
    Parquet(#[from] parquet::errors::ParquetError),
}

impl WriteError {
    /// The kind of the output's own error, if it was one.
    pub fn io_kind(&self) -> Option<std::io::ErrorKind> {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if let Some(io) = error.downcast_ref::<std::io::Error>() {
                return Some(io.kind());
            }
            if let Some(arrow::error::ArrowError::IoError(_, io)) = error.downcast_ref() {
                return Some(io.kind());
            }
            cause = match error.downcast_ref() {
                Some(parquet::errors::ParquetError::External(inner)) => Some(inner.as_ref()),
                _ => error.source(),
            };
        }
        None
    }
}
