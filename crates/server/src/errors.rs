//! How the errors of each crate become problems: the one place that decides on statuses.

use std::fmt::Write as _;
use std::time::Duration;

use alert::{ActionError, DiagnoseError};
use collect::OperationError;
use ingest::IngestError;
use pipeline::PipelineError;
use report::ReportError;
use state::StateError;
use store::{AppendError, Position, QueryError, SqlError, StatementError};

use crate::problem::{Fault, Kind, Problem};

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
            IngestError::Part(error) => not_stored("Only a part was stored", &error),
            other => Self::internal(&other),
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        not_stored("Nothing was stored", &error)
    }
}

/// Why something was not stored, and what to do about it.
fn not_stored(what_was: &str, error: &AppendError) -> Problem {
    match error {
        AppendError::Overloaded { what } => {
            Problem::new(Kind::Overloaded, format!("{what_was} ({what}); send the same again."))
                .retry_after(RETRY_SOON)
        }
        AppendError::TooLarge { .. } => {
            Problem::new(Kind::TooLarge, format!("{what_was}: {error}. Send it in parts."))
        }
        AppendError::DiskFull { .. } => {
            let what_to_do = "Make room there, then send the same again.";
            Problem::new(
                Kind::DiskFull,
                format!("{what_was}: the server's disk is nearly full. {what_to_do}"),
            )
            .retry_after(RETRY_LATER)
        }
        AppendError::Poisoned | AppendError::Closed => {
            let what_to_do = "Send the same again once it has been restarted.";
            Problem::new(Kind::Unavailable, format!("{what_was}: the server is not writing. {what_to_do}"))
                .retry_after(RETRY_SOON)
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

/// What became of a statement, whose text says where in it.
pub(crate) fn of_statement(error: SqlError, statement: &str) -> Problem {
    let fault = match error {
        SqlError::Statement(fault) => fault,
        SqlError::Query(error) => return error.into(),
    };
    let mut detail = capital(&fault);
    if let Some(Position { line, column }) = fault.position {
        // Writing to a String does not fail.
        _ = write!(detail, ", at line {line}, column {column}");
    }
    detail.push('.');
    if let Some(suggestion) = &fault.suggestion {
        _ = write!(detail, " Did you mean `{suggestion}`?");
    }
    let problem = Problem::new(Kind::BadStatement, detail);
    match fault.position {
        Some(position) => problem.with_fault(fault_of(fault, position, statement)),
        None => problem,
    }
}

/// The place of a fault in bytes as well, to the end of the word or the text in quotes that is there.
fn fault_of(fault: StatementError, position: Position, statement: &str) -> Fault {
    let StatementError { message, suggestion, .. } = fault;
    let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let (line, column) = (place(position.line), place(position.column));
    let begun: usize = statement.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = &statement[begun..];
    let within = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(byte, _)| byte);
    let goes_on = |letter: char| letter.is_alphanumeric() || letter == '_';
    let there = &rest[within..];
    let word = match there.chars().next() {
        Some(quote @ ('\'' | '"')) => there[1..].find(quote).map_or(there.len(), |end| end + 2),
        _ => there.find(|letter| !goes_on(letter)).unwrap_or(there.len()),
    };
    let start = begun + within;
    Fault { start, end: start + word, line, column, message, expected: None, suggestion }
}

impl From<search::Error> for Problem {
    fn from(error: search::Error) -> Self {
        let problem = Self::new(Kind::BadQuery, format!("{}.", capital(&error)));
        let search::Error { span, place, message, expected, suggestion } = error;
        let (start, end, line, column) = (span.start, span.end, place.line, place.column);
        problem.with_fault(Fault { start, end, line, column, message, expected, suggestion })
    }
}

impl From<records::Error> for Problem {
    fn from(error: records::Error) -> Self {
        match error {
            records::Error::Read(error) => error.into(),
            records::Error::Rows(_) => Self::internal(&error),
            records::Error::TooManyOfOneTime => {
                let what_to_do = "Say of which `service`, `instance`, `host`, `scope`, trace or job it is.";
                Self::new(Kind::QueryTooLarge, format!("{}. {what_to_do}", capital(&error)))
            }
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
            ReportError::Series(error) => error.into(),
            ReportError::Rows(_) => Self::internal(&error),
        }
    }
}

impl From<promql::Error> for Problem {
    /// Of a query of our own: what is wrong with its text is our fault.
    fn from(error: promql::Error) -> Self {
        use promql::Error::{BadData, Canceled, Execution, LimitReached, Store, Timeout};
        match error {
            LimitReached(text) => QueryError::LimitReached(text).into(),
            Timeout { .. } => QueryError::TimedOut(error.to_string()).into(),
            Canceled => QueryError::Stopped("it took too long").into(),
            Store(error) => error.into(),
            BadData(_) | Execution(_) => Self::internal(&error),
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

#[cfg(test)]
mod tests {
    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse;

    use super::*;

    #[test]
    fn what_is_too_large_for_the_store_is_not_to_be_sent_again_and_what_found_no_room_is() {
        let too_large = || AppendError::TooLarge { bytes: 2, max_bytes: 1 };
        let overloaded = || AppendError::Overloaded { what: "memory" };
        let cases = [
            (IngestError::Store(too_large()), StatusCode::PAYLOAD_TOO_LARGE, "Nothing was stored"),
            (IngestError::Part(too_large()), StatusCode::PAYLOAD_TOO_LARGE, "Only a part was stored"),
            (IngestError::Store(overloaded()), StatusCode::SERVICE_UNAVAILABLE, "Nothing was stored"),
            (IngestError::Part(overloaded()), StatusCode::SERVICE_UNAVAILABLE, "Only a part was stored"),
        ];
        for (error, status, begins) in cases {
            let problem = Problem::from(error);
            assert!(problem.detail().starts_with(begins), "{problem:?}");
            let response = problem.into_response();
            assert_eq!(response.status(), status);
            let is_later = status == StatusCode::SERVICE_UNAVAILABLE;
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), is_later);
        }
    }
}
