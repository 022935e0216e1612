//! What goes wrong in DataFusion, in the port's terms: what, where, and what may have been meant.
//!
//! What the store says of itself goes through DataFusion as an error from outside; it is found again in whatever stands
//! around it. All else is the statement's: functions tell of their arguments as errors from outside, too. Start
//! reading at [`Read`].

use std::error::Error;
use std::{io, iter};

use datafusion::common::{Column, DataFusionError, SchemaError};
use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::Token;
use store::{Position, QueryError, SqlError, StatementError};

use super::arguments;
use super::compared::Mixed;
use super::place::{Tokens, nearest};
use super::said::{between, told};
use super::session::table_names;

/// How much alike a name must be to a column to be taken for one where a text can stand as well.
const MUCH_ALIKE: f64 = 0.75;
/// How much alike a word must be to one of SQL when nothing is wrong with it by itself.
const ALIKE_BEFORE: f64 = 0.7;
/// What stands before the name of a table in full.
const IN_FULL: &str = "watchkeeper.public.";
/// Words that statements begin and go on with.
const WORDS: &[&str] = &[
    "SELECT", "WITH", "VALUES", "EXPLAIN", "SHOW", "DESCRIBE", "FROM", "WHERE", "GROUP", "ORDER", "BY",
    "HAVING", "LIMIT", "OFFSET", "JOIN", "LEFT", "INNER", "ON", "AS", "AND", "OR", "NOT", "LIKE", "BETWEEN",
    "DISTINCT", "UNION", "CASE", "WHEN", "THEN", "ELSE", "END", "DESC", "ASC", "TABLES",
];

/// What is known of a statement that was read: what its faults are told with.
pub(super) struct Read {
    pub(super) tokens: Tokens,
    pub(super) mixed: Vec<Mixed>,
}

impl Read {
    /// What is wrong with a statement that cannot be planned.
    pub(super) fn error(&self, error: &DataFusionError, state: &SessionState) -> SqlError {
        let place = error.diagnostic().and_then(|diagnostic| diagnostic.span);
        // What DataFusion makes of a SHOW has places of its own.
        let position = place
            .map(|span| Position { line: span.start.line, column: span.start.column })
            .filter(|place| self.tokens.holds(*place));
        match error.find_root() {
            DataFusionError::SQL(parsing, _) => syntax(parsing, position, &self.tokens).into(),
            DataFusionError::SchemaError(schema, _) => of_schema(schema, position, &self.tokens).into(),
            DataFusionError::Plan(text) => self.planning(text, position, state).into(),
            _ => match query_error(error) {
                QueryError::Invalid(text) => self.planning(&text, position, state).into(),
                other => other.into(),
            },
        }
    }

    /// What became of a statement that was planned.
    pub(super) fn failed(&self, error: QueryError) -> SqlError {
        match error {
            QueryError::Invalid(text) => {
                let fault = told(&text, &self.tokens, &self.mixed);
                let message = format!("the statement failed: {}", fault.message);
                StatementError { message, ..fault }.into()
            }
            other => other.into(),
        }
    }

    fn planning(&self, text: &str, position: Option<Position>, state: &SessionState) -> StatementError {
        let known =
            unknown_name(text, &self.tokens, state).or_else(|| arguments::refused(text, &self.tokens, state));
        let fault = known.unwrap_or_else(|| told(text, &self.tokens, &self.mixed));
        StatementError { position: position.or(fault.position), ..fault }
    }
}

/// What went wrong while a statement ran. What is not the store's is the statement's: [`QueryError::Invalid`] with all
/// that DataFusion says.
pub(super) fn run_error(error: DataFusionError) -> QueryError {
    match error {
        DataFusionError::External(source) => match source.downcast::<QueryError>() {
            Ok(own) => *own,
            Err(source) => query_error(&DataFusionError::External(source)),
        },
        error => query_error(&error),
    }
}

fn query_error(error: &DataFusionError) -> QueryError {
    if let Some(own) = causes(error).find_map(|cause| cause.downcast_ref::<QueryError>()) {
        return again(own);
    }
    if causes(error).any(<dyn Error>::is::<io::Error>) {
        return storage(error);
    }
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => QueryError::LimitReached(
            "the statement would take more memory than it may (half of store.scans_memory_bytes, or what other scans \
             leave of it): give a range of `time`, name fewer columns, group by what has fewer values, or give a limit"
                .to_owned(),
        ),
        DataFusionError::ExecutionJoin(_) => storage(error),
        root => QueryError::Invalid(root.strip_backtrace()),
    }
}

/// An error with what it came of.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| (*error).source())
}

fn storage(error: &DataFusionError) -> QueryError {
    QueryError::Storage { doing: "running a query".to_owned(), source: error.strip_backtrace().into() }
}

/// The store's error once more: several may hold the one that it stands in.
fn again(error: &QueryError) -> QueryError {
    match error {
        QueryError::LimitReached(text) => QueryError::LimitReached(text.clone()),
        QueryError::Invalid(text) => QueryError::Invalid(text.clone()),
        QueryError::Stopped(why) => QueryError::Stopped(why),
        QueryError::TimedOut(text) => QueryError::TimedOut(text.clone()),
        QueryError::Busy { waiting } => QueryError::Busy { waiting: *waiting },
        QueryError::Storage { doing, source } => {
            let said: Vec<String> = causes(&**source).map(ToString::to_string).collect();
            QueryError::Storage { doing: doing.clone(), source: said.join(": ").into() }
        }
    }
}

fn syntax(error: &ParserError, position: Option<Position>, tokens: &Tokens) -> StatementError {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "it nests too deeply",
    };
    let (said, told) = placed(text);
    let position = position.or(told);
    let message = format!("the statement cannot be read: {said}");
    if position.is_none() && said.ends_with("found: EOF") {
        return StatementError {
            message: message.replace("EOF", "its end"),
            position: tokens.end(),
            suggestion: None,
        };
    }
    let (position, suggestion) = match position.and_then(|position| misspelt(position, tokens)) {
        Some((position, word)) => (Some(position), Some(word.to_owned())),
        None => (position, None),
    };
    StatementError { message, position, suggestion }
}

/// The word at a place, or the one before it, that is like one of SQL, and that one: in `count(*) form logs` nothing is
/// wrong before `logs`.
fn misspelt(position: Position, tokens: &Tokens) -> Option<(Position, &'static str)> {
    let (found, mut before) = tokens.at(position)?;
    let meant = |token: &Token| match token {
        Token::Word(word) if word.quote_style.is_none() => {
            let upper = word.value.to_uppercase();
            if WORDS.contains(&upper.as_str()) { None } else { nearest(&upper, WORDS.iter().copied()) }
        }
        _ => None,
    };
    let here = meant(found).map(|(likeness, word)| (likeness, position, word));
    let there = before.next().and_then(|(token, place)| {
        let (likeness, word) = meant(token)?;
        (likeness >= ALIKE_BEFORE).then_some((likeness, place, word))
    });
    let better = here.into_iter().chain(there).max_by(|a, b| a.0.total_cmp(&b.0));
    better.map(|(_, position, word)| (position, word))
}

/// A text of the parser without the place that stands at its end, and that place.
fn placed(text: &str) -> (&str, Option<Position>) {
    let parsed = text.rsplit_once(" at Line: ").and_then(|(said, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((said, Position { line: line.parse().ok()?, column: column.trim().parse().ok()? }))
    });
    parsed.map_or((text, None), |(said, position)| (said, Some(position)))
}

fn of_schema(error: &SchemaError, position: Option<Position>, tokens: &Tokens) -> StatementError {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let span = field.spans().first();
            let spanned = span.map(|span| Position { line: span.start.line, column: span.start.column });
            let position = position.or(spanned).or_else(|| tokens.name(field.name()));
            no_column(field, valid_fields, position, tokens)
        }
        SchemaError::AmbiguousReference { field } => StatementError {
            message: format!("the column `{0}` is in several tables: write `table.{0}`", field.name()),
            position: position.or_else(|| tokens.name(field.name())),
            suggestion: None,
        },
        other => {
            let fault = told(&other.to_string(), tokens, &[]);
            StatementError { position: position.or(fault.position), ..fault }
        }
    }
}

fn no_column(
    field: &Column,
    valid_fields: &[Column],
    position: Option<Position>,
    tokens: &Tokens,
) -> StatementError {
    let here = |column: &&Column| field.relation.is_none() || column.relation == field.relation;
    let like = nearest(field.name(), valid_fields.iter().filter(here).map(Column::name));
    let of = field.relation.as_ref().map(|table| format!(" in `{table}`")).unwrap_or_default();
    let message = format!("there is no column `{}`{of}", field.name());
    let is_much_alike = like.is_some_and(|(likeness, _)| likeness >= MUCH_ALIKE);
    if field.relation.is_none()
        && !is_much_alike
        && let Some(text) = position.and_then(|position| unquoted(position, tokens))
    {
        let message = format!("{message}; texts stand in single quotes");
        return StatementError { message, position, suggestion: Some(text) };
    }
    StatementError { message, position, suggestion: like.map(|(_, name)| name.to_owned()) }
}

/// What stands at a place as a text, if it is what something is compared with.
fn unquoted(position: Position, tokens: &Tokens) -> Option<String> {
    let (Token::Word(word), _) = tokens.at(position)? else { return None };
    tokens.is_compared_with(position).then(|| format!("'{}'", word.value.replace('\'', "''")))
}

/// A table or a function that there is not.
fn unknown_name(text: &str, tokens: &Tokens, state: &SessionState) -> Option<StatementError> {
    let (what, name) = if let Some(name) = between(text, "table function '", "' not found") {
        ("table function", name)
    } else if let Some(name) = between(text, "table '", "' not found") {
        ("table", name.strip_prefix(IN_FULL).unwrap_or(name))
    } else {
        ("function", between(text, "Invalid function '", "'")?)
    };
    let suggestion = if what == "function" { nearest_function(name, state) } else { nearest_table(name) };
    // Of a name in several parts, the last.
    let position = tokens.name(name).or_else(|| tokens.name(name.rsplit('.').next()?));
    Some(StatementError { message: format!("there is no {what} `{name}`"), position, suggestion })
}

fn nearest_table(name: &str) -> Option<String> {
    nearest(name, table_names()).map(|(_, table)| table.to_owned())
}

fn nearest_function(name: &str, state: &SessionState) -> Option<String> {
    let scalar = state.scalar_functions().keys();
    let all = scalar.chain(state.aggregate_functions().keys()).chain(state.window_functions().keys());
    let mut all: Vec<&str> = all.map(String::as_str).collect();
    all.sort_unstable();
    nearest(name, all.into_iter()).map(|(_, function)| function.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::sync::Arc;

    use arrow::error::ArrowError;

    use super::*;

    fn outside(error: impl Error + Send + Sync + 'static) -> DataFusionError {
        DataFusionError::External(Box::new(error))
    }

    #[test]
    fn the_stores_errors_are_told_from_those_of_the_statement() {
        let broken =
            || QueryError::Storage { doing: "reading a file".to_owned(), source: "a bad sector".into() };
        type IsIt = fn(&QueryError) -> bool;
        let cases: [(DataFusionError, IsIt); 9] = [
            (outside(broken()), |error| matches!(error, QueryError::Storage { .. })),
            (outside(broken()).context("a rule"), |error| matches!(error, QueryError::Storage { .. })),
            (
                DataFusionError::Shared(Arc::new(outside(broken()))),
                |error| matches!(error, QueryError::Storage { doing, .. } if doing == "reading a file"),
            ),
            (DataFusionError::from(ArrowError::from(outside(broken()))), |error| {
                matches!(error, QueryError::Storage { .. })
            }),
            (DataFusionError::IoError(io::Error::other("gone")), |error| {
                matches!(error, QueryError::Storage { .. })
            }),
            (DataFusionError::ResourcesExhausted("full".to_owned()).context("a sort"), |error| {
                matches!(error, QueryError::LimitReached(_))
            }),
            (outside(io::Error::other("gone")), |error| matches!(error, QueryError::Storage { .. })),
            (outside(fmt::Error).context("a pattern"), |error| matches!(error, QueryError::Invalid(_))),
            (DataFusionError::from(ArrowError::DivideByZero), |error| {
                matches!(error, QueryError::Invalid(_))
            }),
        ];
        for (error, is_it) in cases {
            let said = error.to_string();
            let told = run_error(error);
            assert!(is_it(&told), "{said}: {told:?}");
        }
    }
}
