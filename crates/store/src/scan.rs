//! Event scans: which rows of which table, in which order, how many.

use model::TimeRange;

use crate::{Cancel, Table};

/// A request for rows of one table.
#[derive(Clone, Debug)]
pub struct EventScan {
    /// The table.
    pub table: Table,
    /// Rows whose `time` lies here.
    pub range: TimeRange,
    /// Conditions, all of which must hold.
    pub filters: Vec<ColumnFilter>,
    /// The order of the answer, by `time`.
    pub order: Order,
    /// At most this many rows.
    pub limit: usize,
    /// Stops the scan.
    pub cancel: Cancel,
}

impl EventScan {
    /// All rows of `table` in `range`, oldest first, up to `limit`.
    pub fn new(table: Table, range: TimeRange, limit: usize) -> Self {
        let cancel = Cancel::never();
        Self { table, range, filters: Vec::new(), order: Order::OldestFirst, limit, cancel }
    }

    /// Adds a condition.
    #[must_use]
    pub fn with(mut self, column: &'static str, op: FilterOp, value: impl Into<Scalar>) -> Self {
        self.filters.push(ColumnFilter { column, op, value: value.into() });
        self
    }

    /// Newest rows first.
    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.order = Order::NewestFirst;
        self
    }

    /// Lets `cancel` stop the scan.
    #[must_use]
    pub fn stopped_by(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }
}

/// A request to go over rows of one table, however many: for sums.
#[derive(Clone, Debug)]
pub struct EventPass {
    /// The table.
    pub table: Table,
    /// Rows whose `time` lies here.
    pub range: TimeRange,
    /// Conditions, all of which must hold.
    pub filters: Vec<ColumnFilter>,
    /// The columns that are wanted; they must exist in the table.
    pub columns: &'static [&'static str],
    /// Stops the pass.
    pub cancel: Cancel,
}

/// The order of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By ascending time.
    OldestFirst,
    /// By descending time.
    NewestFirst,
}

/// One condition on one column. A row whose column is null never satisfies one.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnFilter {
    /// The column; it must exist in the table.
    pub column: &'static str,
    /// The comparison.
    pub op: FilterOp,
    /// What to compare with.
    pub value: Scalar,
}

/// How a filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterOp {
    /// Equal.
    Equal,
    /// Not equal.
    NotEqual,
    /// At least.
    AtLeast,
    /// Less than.
    Less,
    /// Text that contains the value, upper and lower case told apart.
    Contains,
    /// Text in which the value stands as whole words, upper and lower case told apart: where it begins or
    /// ends with a part of a word, the word does too. Words are made of letters, digits and `_`. Searching
    /// for words passes over what a store knows not to have them.
    ContainsWords,
}

/// A value to compare a column with; its kind must be the column's.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A number; compared with integer and float columns alike.
    Number(f64),
    /// A truth value.
    Bool(bool),
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Scalar {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
