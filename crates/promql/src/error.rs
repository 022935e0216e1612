//! What can go wrong with a query, in Prometheus' classes.

use store::QueryError;

/// A query that was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no PromQL, or a parameter is wrong.
    #[error("{0}")]
    BadData(String),
    /// The query is well formed but has no answer with this data, such as two series that become one.
    #[error("{0}")]
    Execution(String),
    /// A limit was reached; the text names it and says how to narrow the query.
    #[error("{0}")]
    LimitReached(String),
    /// The query took longer than it may.
    #[error(
        "the query took longer than {limit} (promql.timeout); ask for a shorter range, a larger step or fewer series"
    )]
    Timeout {
        /// The limit `promql.timeout`.
        limit: model::DurationText,
    },
    /// The caller gave up.
    #[error("the query was cancelled")]
    Canceled,
    /// The store could not answer.
    #[error("the store could not answer the query")]
    Store(#[source] QueryError),
}

/// Prometheus' classes of errors, as its HTTP API names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// `bad_data`: the request is wrong.
    BadData,
    /// `execution`: the request is right and cannot be answered.
    Execution,
    /// `timeout`
    Timeout,
    /// `canceled`
    Canceled,
    /// `internal`
    Internal,
}

impl ErrorKind {
    /// The name in Prometheus' HTTP API (`errorType`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadData => "bad_data",
            Self::Execution => "execution",
            Self::Timeout => "timeout",
            Self::Canceled => "canceled",
            Self::Internal => "internal",
        }
    }
}

impl Error {
    /// The class.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::BadData(_) => ErrorKind::BadData,
            Self::Execution(_) | Self::LimitReached(_) => ErrorKind::Execution,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::Canceled => ErrorKind::Canceled,
            Self::Store(_) => ErrorKind::Internal,
        }
    }
}

impl From<QueryError> for Error {
    /// What the store says about the query itself keeps its class; the rest is the store's own failure.
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::LimitReached(text) => Self::LimitReached(text),
            QueryError::Invalid(text) => Self::BadData(text),
            QueryError::Stopped(_) => Self::Canceled,
            QueryError::TimedOut(text) => Self::LimitReached(text),
            other @ (QueryError::Busy { .. } | QueryError::Storage { .. }) => Self::Store(other),
        }
    }
}
