//! Clauses that the parser knows and that mean nothing here: each is refused.
//!
//! The planner passes most of them over in silence, and a sample of a table would be all of it. Start reading at
//! [`check`].

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Query, Select, SetExpr, TableFactor, Visit, Visitor};
use store::StatementError;

use super::place::Tokens;
use super::statement::only_reads;

/// A clause: the word that it begins with, and what may stand instead.
type Clause = (&'static str, Option<&'static str>);

/// Lets through what has only clauses that are followed.
pub(super) fn check(statement: &Statement, tokens: &Tokens) -> Result<(), StatementError> {
    let statement = match statement {
        Statement::Explain(explained) => return check(&explained.statement, tokens),
        Statement::Statement(statement) => statement,
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => return Ok(()),
    };
    let ControlFlow::Break(found) = statement.visit(&mut Clauses) else { return Ok(()) };
    Err(match found {
        Found::Clause((word, suggestion)) => StatementError {
            message: format!("`{word}` is not taken"),
            // A sample has a shorter word as well.
            position: tokens.name(word).or_else(|| tokens.name(word.strip_prefix("TABLE")?)),
            suggestion: suggestion.map(str::to_owned),
        },
        Found::Write(word) => StatementError { position: tokens.name(word), ..only_reads() },
    })
}

enum Found {
    Clause(Clause),
    /// What begins with this word writes.
    Write(&'static str),
}

struct Clauses;

impl Visitor for Clauses {
    type Break = Found;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Found> {
        let write = match &*query.body {
            SetExpr::Insert(_) => Some("INSERT"),
            SetExpr::Update(_) => Some("UPDATE"),
            SetExpr::Delete(_) => Some("DELETE"),
            SetExpr::Merge(_) => Some("MERGE"),
            SetExpr::Select(_)
            | SetExpr::Query(_)
            | SetExpr::SetOperation { .. }
            | SetExpr::Values(_)
            | SetExpr::Table(_) => None,
        };
        if let Some(write) = write {
            return ControlFlow::Break(Found::Write(write));
        }
        first([
            (query.settings.is_some(), ("SETTINGS", None)),
            (query.format_clause.is_some(), ("FORMAT", None)),
            (query.for_clause.is_some() || !query.locks.is_empty(), ("FOR", None)),
        ])
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Found> {
        first([
            (select.top.is_some(), ("TOP", Some("LIMIT"))),
            (select.prewhere.is_some(), ("PREWHERE", Some("WHERE"))),
            (!select.sort_by.is_empty(), ("SORT", Some("ORDER"))),
            (!select.cluster_by.is_empty(), ("CLUSTER", Some("ORDER"))),
            (!select.distribute_by.is_empty(), ("DISTRIBUTE", None)),
            (!select.lateral_views.is_empty(), ("LATERAL", None)),
            (!select.connect_by.is_empty(), ("CONNECT", None)),
            (select.into.is_some(), ("INTO", None)),
            (select.value_table_mode.is_some(), ("AS", None)),
        ])
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Found> {
        match table {
            TableFactor::Table {
                with_hints,
                version,
                with_ordinality,
                partitions,
                sample,
                index_hints,
                ..
            } => first([
                (sample.is_some(), ("TABLESAMPLE", None)),
                (!with_hints.is_empty() || *with_ordinality, ("WITH", None)),
                (version.is_some(), ("FOR", None)),
                (!partitions.is_empty(), ("PARTITION", None)),
                (!index_hints.is_empty(), ("INDEX", None)),
            ]),
            TableFactor::Derived { sample, .. } => first([(sample.is_some(), ("TABLESAMPLE", None))]),
            TableFactor::Pivot { .. } => first([(true, ("PIVOT", None))]),
            TableFactor::Unpivot { .. } => first([(true, ("UNPIVOT", None))]),
            TableFactor::MatchRecognize { .. } => first([(true, ("MATCH_RECOGNIZE", None))]),
            TableFactor::JsonTable { .. } => first([(true, ("JSON_TABLE", None))]),
            TableFactor::OpenJsonTable { .. } => first([(true, ("OPENJSON", None))]),
            TableFactor::XmlTable { .. } => first([(true, ("XMLTABLE", None))]),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Ends at the first clause that is there.
fn first<const N: usize>(clauses: [(bool, Clause); N]) -> ControlFlow<Found> {
    match clauses.into_iter().find(|(is_there, _)| *is_there) {
        Some((_, clause)) => ControlFlow::Break(Found::Clause(clause)),
        None => ControlFlow::Continue(()),
    }
}
