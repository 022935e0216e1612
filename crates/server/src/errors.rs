//! How the errors of each crate become problems: the one place that decides on statuses.

use std::time::Duration;

use alert::{ActionError, DiagnoseError};
use collect::OperationError;
use ingest::IngestError;
use pipeline::PipelineError;
use report::ReportError;
use state::StateError;
use store::{AppendError, QueryError, SqlError};

use crate::problem::{Kind, Problem};

/// When a sender that was told "later" shall come back.
const RETRY_SOON: Duration = Duration::from_secs(2);
/// When to come back after a disk was full: somebody has to make room first.
const RETRY_LATER: Duration = Duration::from_secs(60);

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        match error {
            StateError::NotFound(what) => Self::new(Kind::NotFound, format!("There is no such {what}.")),
            StateError::Taken { .. } => {
                Self::new(Kind::Conflict, format!("{}; choose another name.", capital(&error)))
            }
            StateError::LastAdministrator => Self::new(Kind::NotPossible, format!("{}.", capital(&error))),
            StateError::BadName { .. } | StateError::BadPassword { .. } | StateError::TooMany { .. } => {
                Self::new(Kind::BadParameter, format!("{}.", capital(&error)))
            }
            StateError::Open { .. }
            | StateError::Migrate { .. }
            | StateError::Database { .. }
            | StateError::Corrupt { .. }
            | StateError::RemovedMeanwhile { .. }
            | StateError::Crypto { .. } => Self::internal(&error),
        }
    }
}

impl From<IngestError> for Problem {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Overloaded { what } => {
                Self::new(Kind::Overloaded, format!("Nothing was stored ({what}); send the same again.")).retry_after(RETRY_SOON)
            }
            AppendError::DiskFull { .. } => {
                Self::new(Kind::DiskFull, "Nothing was stored: the server's disk is nearly full. Make room there, then send the same again.")
                    .retry_after(RETRY_LATER)
            }
            AppendError::Poisoned | AppendError::Closed => {
                Self::new(Kind::Unavailable, "Nothing was stored: the server is not writing. Send the same again once it has been restarted.")
                    .retry_after(RETRY_SOON)
            }
        }
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::LimitReached(_) => Self::new(Kind::QueryTooLarge, format!("{}.", capital(&error))),
            QueryError::Invalid(_) => Self::new(Kind::BadParameter, format!("{}.", capital(&error))),
            QueryError::Stopped(_) => Self::new(Kind::TimedOut, "Ask for a shorter time or for less."),
            QueryError::TimedOut(_) => Self::new(Kind::TimedOut, format!("{}.", capital(&error))),
            QueryError::Busy { .. } => {
                Self::new(Kind::Overloaded, format!("{}.", capital(&error))).retry_after(RETRY_SOON)
            }
            QueryError::Storage { .. } => Self::internal(&error),
        }
    }
}

impl From<SqlError> for Problem {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Statement(fault) => Self::bad_statement(&fault),
            SqlError::Query(error) => error.into(),
        }
    }
}

impl From<PipelineError> for Problem {
    fn from(error: PipelineError) -> Self {
        match error {
            PipelineError::Read(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Events(error) => error.into(),
            ReportError::Series(promql::Error::LimitReached(text)) => QueryError::LimitReached(text).into(),
            ReportError::Series(error @ promql::Error::Timeout { .. }) => {
                QueryError::TimedOut(error.to_string()).into()
            }
            ReportError::Series(promql::Error::Canceled) => QueryError::Stopped("it took too long").into(),
            other => Self::internal(&other),
        }
    }
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::NotFound => Self::new(Kind::NotFound, "There is no such alert."),
            ActionError::NotPossible { .. } => {
                Self::new(Kind::NotPossible, format!("{}; look at its present state.", capital(&error)))
            }
            ActionError::Store(error) => error.into(),
            ActionError::Stopped => {
                Self::new(Kind::Unavailable, "The server is stopping; try again once it runs.")
                    .retry_after(RETRY_SOON)
            }
        }
    }
}

impl From<DiagnoseError> for Problem {
    fn from(error: DiagnoseError) -> Self {
        match error {
            DiagnoseError::NoAlert | DiagnoseError::NoRule(_) => {
                Self::new(Kind::NotFound, format!("{}.", capital(&error)))
            }
            DiagnoseError::NoCheck(_) => Self::new(Kind::BadParameter, format!("{}.", capital(&error))),
            DiagnoseError::Busy => Self::new(Kind::Overloaded, format!("{}; try again.", capital(&error)))
                .retry_after(RETRY_SOON),
            DiagnoseError::Store(error) => error.into(),
        }
    }
}

impl From<OperationError> for Problem {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::UnknownQueue(_) => {
                Self::new(Kind::NotFound, format!("{}; only mapped queues have operations.", capital(&error)))
            }
            OperationError::Selection(_) => Self::new(Kind::BadParameter, format!("{}.", capital(&error))),
            OperationError::NotPossible { .. } | OperationError::NoPreview => {
                Self::new(Kind::NotPossible, format!("{}.", capital(&error)))
            }
            OperationError::Redis(source) => {
                Self::new(Kind::Unavailable, format!("Nothing was done: {}.", source.chain()))
                    .retry_after(RETRY_SOON)
            }
            OperationError::BrokenOff { ref source, .. } => {
                let reason = source.chain();
                Self::new(Kind::Unavailable, format!("{} ({reason}).", capital(&error)))
            }
        }
    }
}

/// The error as the beginning of a sentence.
pub(crate) fn capital(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
