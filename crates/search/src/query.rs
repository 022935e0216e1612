//! From a query's text to what it finds.

use model::{TimeRange, Timestamp};

use crate::resolve::resolve;
use crate::{Error, Filter, Hint, Needs, Node, Record, Schema};

/// What is written, before anybody says what fields mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The tree of the query.
    pub tree: Node,
    /// What to know of it.
    pub hints: Vec<Hint>,
}

/// Reads a query's text.
pub fn parse(text: &str) -> Result<Parsed, Error> {
    let (tree, remarks) = crate::parse::parse(text).map_err(|fault| fault.in_text(text))?;
    let hints = remarks.into_iter().map(|remark| remark.in_text(text)).collect();
    Ok(Parsed { tree, hints })
}

/// A query over records of one schema.
#[derive(Clone, Debug)]
pub struct Query {
    tree: Node,
    filter: Filter,
    hints: Vec<Hint>,
    searched: Vec<String>,
    clock: Option<String>,
}

impl Query {
    /// Reads a query's text for records of the schema; `-15m` in it counts from `now`.
    pub fn parse(text: &str, schema: &Schema, now: Timestamp) -> Result<Self, Error> {
        let Parsed { tree, mut hints } = parse(text)?;
        let (filter, remarks) = resolve(&tree, schema, now).map_err(|fault| fault.in_text(text))?;
        hints.extend(remarks.into_iter().map(|remark| remark.in_text(text)));
        let clock = schema.clock().map(str::to_owned);
        Ok(Self { tree, filter, hints, searched: schema.searched().to_vec(), clock })
    }

    /// What is written. Its text form is one spelling for all queries that say the same in other ways.
    pub fn tree(&self) -> &Node {
        &self.tree
    }

    /// What it means.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What its writer should know: it is right, and may not be what was meant.
    pub fn hints(&self) -> &[Hint] {
        &self.hints
    }

    /// Whether it finds a record.
    pub fn matches(&self, record: &dyn Record) -> bool {
        self.filter.matches(record, &self.searched)
    }

    /// The words that every record has that it finds.
    pub fn needs(&self) -> Needs {
        self.filter.needs()
    }

    /// The times between which everything lies that it finds.
    pub fn time_range(&self) -> TimeRange {
        self.clock.as_deref().map_or(TimeRange::ALL, |clock| self.filter.time_range(clock))
    }
}

#[cfg(test)]
mod tests;
