//! A search of one kind of records, ready to be asked.

use model::{TimeRange, Timestamp};
use search::{Hint, Query, Schema};
use store::{Cancel, EventPass, EventScan, Order, Predicate, Table};

use crate::compile::predicate;

/// What is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Records of logs.
    Logs,
    /// Spans of traces.
    Spans,
}

impl Kind {
    /// Both.
    pub const ALL: &[Self] = &[Self::Logs, Self::Spans];

    /// The table that holds them.
    pub const fn table(self) -> Table {
        match self {
            Self::Logs => Table::Logs,
            Self::Spans => Table::Spans,
        }
    }

    /// What a query may name of them.
    pub fn schema(self) -> Schema {
        match self {
            Self::Logs => Schema::logs(),
            Self::Spans => Schema::spans(),
        }
    }
}

/// Records of a time that satisfy a predicate of the store.
#[derive(Clone, Debug)]
pub struct Selection {
    kind: Kind,
    predicate: Predicate,
    range: TimeRange,
}

impl Selection {
    pub(crate) const fn new(kind: Kind, predicate: Predicate, range: TimeRange) -> Self {
        Self { kind, predicate, range }
    }

    /// The times between which everything lies that is selected. Where it ends before it starts nothing is.
    pub const fn range(&self) -> TimeRange {
        self.range
    }

    /// Whether nothing can be selected.
    pub fn is_empty(&self) -> bool {
        self.range.start > self.range.end
    }

    /// The first rows in an order, of those in a part of the range.
    pub fn scan(&self, range: TimeRange, order: Order, limit: usize, cancel: &Cancel) -> EventScan {
        let scan = EventScan { order, ..EventScan::new(self.kind.table(), range, limit) };
        scan.matching(self.predicate.clone()).stopped_by(cancel)
    }

    /// All rows, with these columns.
    pub fn pass(&self, columns: Vec<&'static str>, cancel: &Cancel) -> EventPass {
        EventPass {
            table: self.kind.table(),
            range: self.range,
            filters: vec![self.predicate.clone()],
            columns: columns.into(),
            cancel: cancel.clone(),
        }
    }
}

/// A query over records of a time.
///
/// ```
/// use records::{Kind, Search};
/// use model::{TimeRange, Timestamp};
/// let search = Search::new(Kind::Logs, "level>=warn timeout", TimeRange::ALL, Timestamp::now())?;
/// assert!(search.hints().is_empty());
/// # Ok::<(), search::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Search {
    query: Query,
    selection: Selection,
}

impl Search {
    /// Reads a query; `-15m` in it counts from `now`. What it says of times narrows the range.
    pub fn new(kind: Kind, text: &str, range: TimeRange, now: Timestamp) -> Result<Self, search::Error> {
        let query = Query::parse(text, &kind.schema(), now)?;
        let of_query = query.time_range();
        let range = TimeRange::new(range.start.max(of_query.start), range.end.min(of_query.end));
        let predicate = predicate(kind, query.filter());
        Ok(Self { query, selection: Selection::new(kind, predicate, range) })
    }

    /// What both this and another search of the same kind find, in the range of both. Its query, and what its writer
    /// should know, are those of this one.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        let Selection { kind, predicate, range: own } = self.selection;
        let others = other.range();
        let range = TimeRange::new(own.start.max(others.start), own.end.min(others.end));
        let both = Predicate::All(vec![predicate, other.predicate().clone()]);
        Self { query: self.query, selection: Selection::new(kind, both, range) }
    }

    /// What is searched.
    pub const fn kind(&self) -> Kind {
        self.selection.kind
    }

    /// The query.
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// What its writer should know.
    pub fn hints(&self) -> &[Hint] {
        self.query.hints()
    }

    /// What the store is asked.
    pub const fn predicate(&self) -> &Predicate {
        &self.selection.predicate
    }

    /// The times between which everything lies that is found. Where it ends before it starts nothing is.
    pub const fn range(&self) -> TimeRange {
        self.selection.range
    }

    /// Whether nothing can be found.
    pub fn is_empty(&self) -> bool {
        self.selection.is_empty()
    }

    /// The first rows in an order, of those in a part of the range.
    pub fn scan(&self, range: TimeRange, order: Order, limit: usize, cancel: &Cancel) -> EventScan {
        self.selection.scan(range, order, limit, cancel)
    }

    /// All rows, with these columns.
    pub fn pass(&self, columns: Vec<&'static str>, cancel: &Cancel) -> EventPass {
        self.selection.pass(columns, cancel)
    }
}
