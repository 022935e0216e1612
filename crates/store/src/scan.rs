//! Event scans: which rows of which table, in which order, how many.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use model::TimeRange;

use crate::{Cancel, ColumnFilter, FilterOp, Predicate, Scalar, Table};

/// A request for rows of one table.
#[derive(Clone, Debug)]
pub struct EventScan {
    /// The table.
    pub table: Table,
    /// Rows whose `time` lies here.
    pub range: TimeRange,
    /// Conditions, all of which must hold.
    pub filters: Vec<Predicate>,
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
        self.filters.push(ColumnFilter { column, op, value: value.into() }.into());
        self
    }

    /// Adds a condition of any shape.
    #[must_use]
    pub fn matching(mut self, predicate: impl Into<Predicate>) -> Self {
        self.filters.push(predicate.into());
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
    pub filters: Vec<Predicate>,
    /// The columns that are wanted; they must exist in the table.
    pub columns: Cow<'static, [&'static str]>,
    /// The attributes that are looked at in columns of attributes; rows may have others.
    pub entries: Entries,
    /// Stops the pass.
    pub cancel: Cancel,
}

/// Which entries of columns of attributes somebody looks at: of a column that is named here these alone, and not whether
/// there are any at all; of any other column all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries(BTreeMap<String, BTreeSet<String>>);

impl Entries {
    /// All entries of all columns.
    pub fn all() -> Self {
        Self::default()
    }

    /// Of a column no entries but those of these names.
    #[must_use]
    pub fn only(mut self, column: impl Into<String>, names: BTreeSet<String>) -> Self {
        self.0.insert(column.into(), names);
        self
    }

    /// Whether all entries of all columns are looked at.
    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the entries of a column that are looked at; `None` for all.
    pub fn of(&self, column: &str) -> Option<&BTreeSet<String>> {
        self.0.get(column)
    }
}

/// The order of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By ascending time.
    OldestFirst,
    /// By descending time.
    NewestFirst,
}
