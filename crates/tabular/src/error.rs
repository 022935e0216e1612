//! What can go wrong while rows are written.

use std::io;

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

/// Rows that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The output could not be written.
    #[error("their output failed")]
    Output(#[source] io::Error),
    /// Arrow refused: the rows do not fit the format.
    #[error("rows could not be written")]
    Arrow(#[source] ArrowError),
    /// Parquet refused.
    #[error("rows could not be written as Parquet")]
    Parquet(#[source] ParquetError),
}

impl From<ArrowError> for WriteError {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Self::Output(error),
            error => Self::Arrow(error),
        }
    }
}

impl From<ParquetError> for WriteError {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(error) => match error.downcast::<io::Error>() {
                Ok(error) => Self::Output(*error),
                Err(error) => Self::Parquet(ParquetError::External(error)),
            },
            error => Self::Parquet(error),
        }
    }
}

impl WriteError {
    /// The kind of the output's own error, if it was one.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Output(error) => Some(error.kind()),
            Self::Arrow(_) | Self::Parquet(_) => None,
        }
    }
}
