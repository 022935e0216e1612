//! A search of one kind of records, ready to be asked.

use arrow::array::RecordBatch;
use model::{TimeRange, Timestamp};
use search::{Hint, Query, Schema};
use store::{Cancel, EventPass, EventScan, Order, Predicate, QueryError, Table, TelemetryStore};

use crate::Error;
use crate::audits::Columns;
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

    /// The table that holds them, or most of them.
    pub const fn table(self) -> Table {
        match self {
            Self::Logs => Table::Logs,
            Self::Spans => Table::Spans,
        }
    }

    /// All tables that hold them, that one first: what is audited is among the records of logs.
    pub const fn tables(self) -> &'static [Table] {
        match self {
            Self::Logs => &[Table::Logs, Table::AuditEvents],
            Self::Spans => &[Table::Spans],
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
    /// What is asked of each table that holds them, in the order of [`Kind::tables`].
    predicates: Vec<Predicate>,
    range: TimeRange,
}

impl Selection {
    /// By what is asked of each table.
    pub(crate) fn new(kind: Kind, range: TimeRange, predicate: impl Fn(Table) -> Predicate) -> Self {
        Self { kind, predicates: kind.tables().iter().map(|table| predicate(*table)).collect(), range }
    }

    /// The times between which everything lies that is selected. Where it ends before it starts nothing is.
    pub const fn range(&self) -> TimeRange {
        self.range
    }

    /// Whether nothing can be selected.
    pub fn is_empty(&self) -> bool {
        self.range.start > self.range.end
    }

    /// What a table is asked; of one that holds no such records, what no row satisfies.
    pub(crate) fn predicate(&self, table: Table) -> Predicate {
        let mut all = self.kind.tables().iter().zip(&self.predicates);
        all.find(|(of, _)| **of == table).map_or_else(Predicate::nothing, |(_, predicate)| predicate.clone())
    }

    /// The first rows of a table in an order, of those in a part of the range.
    pub fn scan(
        &self,
        table: Table,
        range: TimeRange,
        order: Order,
        limit: usize,
        cancel: &Cancel,
    ) -> EventScan {
        let scan = EventScan { order, ..EventScan::new(table, range, limit) };
        scan.matching(self.predicate(table)).stopped_by(cancel)
    }

    /// Hands all rows to `add`, table by table, with these columns of each and what is looked at in them.
    pub(crate) fn each(
        &self,
        store: &dyn TelemetryStore,
        columns: impl Fn(Table) -> Columns,
        cancel: &Cancel,
        add: &mut dyn FnMut(Table, &RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), Error> {
        for table in self.kind.tables() {
            let Columns { columns, entries } = columns(*table);
            let pass = EventPass {
                table: *table,
                range: self.range,
                filters: vec![self.predicate(*table)],
                columns: columns.into(),
                entries,
                cancel: cancel.clone(),
            };
            store.each_batch(&pass, &mut |rows| add(*table, rows)).map_err(Error::Read)?;
        }
        Ok(())
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
        let selection = Selection::new(kind, range, |table| predicate(kind, table, query.filter()));
        Ok(Self { query, selection })
    }

    /// What both this and another search of the same kind find, in the range of both. Its query, and what its writer
    /// should know, are those of this one.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        let (own, others) = (&self.selection, &other.selection);
        let (first, second) = (own.range, others.range);
        let range = TimeRange::new(first.start.max(second.start), first.end.min(second.end));
        let both = |table| Predicate::All(vec![own.predicate(table), others.predicate(table)]);
        let selection = Selection::new(own.kind, range, both);
        Self { query: self.query, selection }
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

    /// What the store is asked of a table.
    pub fn predicate(&self, table: Table) -> Predicate {
        self.selection.predicate(table)
    }

    /// What is selected by it.
    pub(crate) const fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The times between which everything lies that is found. Where it ends before it starts nothing is.
    pub const fn range(&self) -> TimeRange {
        self.selection.range
    }

    /// Whether nothing can be found.
    pub fn is_empty(&self) -> bool {
        self.selection.is_empty()
    }

    /// The first rows of a table in an order, of those in a part of the range.
    pub fn scan(
        &self,
        table: Table,
        range: TimeRange,
        order: Order,
        limit: usize,
        cancel: &Cancel,
    ) -> EventScan {
        self.selection.scan(table, range, order, limit, cancel)
    }
}
