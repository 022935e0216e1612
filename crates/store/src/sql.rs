//! Queries in SQL: what is asked and answered, what can be wrong with a statement, and what tables there are.
//!
//! A store that knows SQL takes one statement that reads ([`SqlQuery`]) and hands rows to a [`SqlRows`]. Which tables
//! there are is the same for every store: [`sql_tables`].

mod describe;
mod tables;

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

pub use tables::{SAMPLES, SqlColumn, SqlTable, samples_schema, sql_tables, type_name};

use crate::{Cancel, QueryError};

/// One statement that reads.
#[derive(Clone, Debug)]
pub struct SqlQuery {
    /// The statement.
    pub statement: String,
    /// The answer ends after so many rows; without it, after as many as a scan may return, and more are an error.
    pub limit: Option<usize>,
    /// How long it may take at most; a store has a bound of its own.
    pub timeout: Option<Duration>,
    /// Stops it.
    pub cancel: Cancel,
}

impl SqlQuery {
    /// A statement within the bounds of the store.
    pub fn new(statement: impl Into<String>) -> Self {
        Self { statement: statement.into(), limit: None, timeout: None, cancel: Cancel::never() }
    }
}

/// Takes the rows of an answer, on the thread of whoever asks. The first error ends the query.
pub trait SqlRows {
    /// The columns, once, before any row.
    fn begin(&mut self, schema: &SchemaRef) -> Result<(), QueryError>;

    /// Rows that have them.
    fn rows(&mut self, rows: &RecordBatch) -> Result<(), QueryError>;
}

/// What an answer was made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SqlSummary {
    /// Rows of the answer.
    pub rows: u64,
    /// Whether there were more, which the limit of the query cut off.
    pub is_truncated: bool,
    /// Rows of event tables and samples that went into it, after the conditions that are looked at where they are read.
    pub rows_read: u64,
    /// Row groups of event files that were read.
    pub row_groups_read: u64,
    /// Row groups that were passed over, by what statistics and filters say of them.
    pub row_groups_passed_over: u64,
    /// How long making the plan took.
    pub planning: Duration,
    /// How long all of it took.
    pub total: Duration,
}

/// A place in a statement, counted from one; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

/// What is wrong with a statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StatementError {
    /// What is wrong.
    pub message: String,
    /// Where, if that is known.
    pub position: Option<Position>,
    /// What may have been meant: the name of a table, a column or a function, a word of SQL, or what can stand instead.
    pub suggestion: Option<String>,
}

impl StatementError {
    /// What is wrong, somewhere.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), position: None, suggestion: None }
    }
}

/// A statement that was not answered.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The statement is none, or one that does not only read.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It could not be answered.
    #[error(transparent)]
    Query(#[from] QueryError),
}
