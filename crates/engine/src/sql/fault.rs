//! What goes wrong in DataFusion, in the port's terms: what, where, and what may have been meant.

use datafusion::common::{Column, DataFusionError, SchemaError};
use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use store::{Position, QueryError, SqlError, StatementError};

use super::session::table_names;
use crate::query::queries;

/// How much alike a name must be to be suggested.
const ALIKE: f64 = 0.5;
/// Words that statements begin and go on with.
const WORDS: &[&str] = &[
    "SELECT", "WITH", "VALUES", "EXPLAIN", "SHOW", "DESCRIBE", "FROM", "WHERE", "GROUP", "ORDER", "BY",
    "HAVING", "LIMIT", "OFFSET", "JOIN", "LEFT", "INNER", "ON", "AS", "AND", "OR", "NOT", "LIKE", "BETWEEN",
    "DISTINCT", "UNION", "CASE", "WHEN", "THEN", "ELSE", "END", "DESC", "ASC", "TABLES",
];

/// What is wrong with a statement that cannot be planned.
pub(super) fn error(error: DataFusionError, tokens: &[TokenWithSpan], state: &SessionState) -> SqlError {
    let place = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let position = place.map(|span| Position { line: span.start.line, column: span.start.column });
    match root(&error) {
        DataFusionError::ResourcesExhausted(_) | DataFusionError::External(_) => {
            SqlError::Query(query_error(error))
        }
        DataFusionError::SQL(parsing, _) => syntax(parsing, position, tokens).into(),
        DataFusionError::SchemaError(schema, _) => of_schema(schema, position, tokens).into(),
        DataFusionError::Plan(text) => planning(text, position, tokens, state).into(),
        other => {
            StatementError { position, ..StatementError::new(first_line(&other.strip_backtrace())) }.into()
        }
    }
}

/// What went wrong while a statement ran. What is not the store's is the statement's.
pub(super) fn query_error(error: DataFusionError) -> QueryError {
    match root(&error) {
        DataFusionError::ResourcesExhausted(_) => QueryError::LimitReached(
            "the statement would take more memory than it may (half of store.scans_memory_bytes, or what other scans \
             leave of it): give a range of `time`, name fewer columns, group by what has fewer values, or give a limit"
                .to_owned(),
        ),
        DataFusionError::External(_) | DataFusionError::IoError(_) | DataFusionError::ExecutionJoin(_) => {
            queries::query_error(error)
        }
        other => QueryError::Invalid(format!("the statement failed: {}", first_line(&other.strip_backtrace()))),
    }
}

/// The error that others stand around.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Context(_, error) | DataFusionError::Diagnostic(_, error) => root(error),
        DataFusionError::Shared(error) => root(error),
        DataFusionError::Collection(errors) => errors.first().map_or(error, root),
        error => error,
    }
}

/// What an error says, without DataFusion's word for its kind and its advice.
fn first_line(text: &str) -> String {
    let text = text.lines().next().unwrap_or_default();
    let kinds = [
        "Error during planning: ",
        "Execution error: ",
        "Internal error: ",
        "Arrow error: ",
        "This feature is not implemented: ",
        "Schema error: ",
    ];
    let kind = kinds.iter().find(|kind| text.starts_with(**kind));
    kind.map_or(text, |kind| &text[kind.len()..]).to_owned()
}

fn syntax(error: &ParserError, position: Option<Position>, tokens: &[TokenWithSpan]) -> StatementError {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "it nests too deeply",
    };
    let (said, told) = placed(text);
    let position = position.or(told);
    let found = position.and_then(|position| {
        tokens.iter().find(|token| {
            (token.span.start.line, token.span.start.column) == (position.line, position.column)
        })
    });
    let word = found.and_then(|found| match &found.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_uppercase()),
        _ => None,
    });
    let suggestion = word.and_then(|word| nearest(&word, WORDS.iter().copied()).map(str::to_owned));
    StatementError { message: format!("the statement cannot be read: {said}"), position, suggestion }
}

/// A text of the parser without the place that stands at its end, and that place.
fn placed(text: &str) -> (&str, Option<Position>) {
    let parsed = text.rsplit_once(" at Line: ").and_then(|(said, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((said, Position { line: line.parse().ok()?, column: column.trim().parse().ok()? }))
    });
    parsed.map_or((text, None), |(said, position)| (said, Some(position)))
}

fn of_schema(error: &SchemaError, position: Option<Position>, tokens: &[TokenWithSpan]) -> StatementError {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let here = |column: &&Column| field.relation.is_none() || column.relation == field.relation;
            let names = valid_fields.iter().filter(here).map(Column::name);
            let suggestion = nearest(field.name(), names).map(str::to_owned);
            let of = field.relation.as_ref().map(|table| format!(" in `{table}`")).unwrap_or_default();
            let span = field.spans().first();
            let spanned = span.map(|span| Position { line: span.start.line, column: span.start.column });
            let position = position.or(spanned).or_else(|| place_of(field.name(), tokens));
            StatementError {
                message: format!("there is no column `{}`{of}", field.name()),
                position,
                suggestion,
            }
        }
        SchemaError::AmbiguousReference { field } => StatementError {
            message: format!("the column `{0}` is in several tables: write `table.{0}`", field.name()),
            position: position.or_else(|| place_of(field.name(), tokens)),
            suggestion: None,
        },
        other => StatementError { position, ..StatementError::new(first_line(&other.to_string())) },
    }
}

fn planning(
    text: &str,
    position: Option<Position>,
    tokens: &[TokenWithSpan],
    state: &SessionState,
) -> StatementError {
    if let Some(name) = between(text, "table '", "' not found") {
        let bare = name.rsplit('.').next().unwrap_or(name);
        let position = position.or_else(|| place_of(bare, tokens));
        let suggestion = nearest(bare, table_names()).map(str::to_owned);
        return StatementError { message: format!("there is no table `{bare}`"), position, suggestion };
    }
    if let Some(name) = between(text, "Invalid function '", "'") {
        let scalar = state.scalar_functions().keys();
        let all = scalar.chain(state.aggregate_functions().keys()).chain(state.window_functions().keys());
        let mut all: Vec<&str> = all.map(String::as_str).collect();
        all.sort_unstable();
        let suggestion = nearest(name, all.into_iter()).map(str::to_owned);
        let position = position.or_else(|| place_of(name, tokens));
        return StatementError { message: format!("there is no function `{name}`"), position, suggestion };
    }
    StatementError { position, ..StatementError::new(first_line(text)) }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

/// Where a name stands first.
fn place_of(name: &str, tokens: &[TokenWithSpan]) -> Option<Position> {
    let is_it = |token: &&TokenWithSpan| match &token.token {
        Token::Word(word) => word.value.eq_ignore_ascii_case(name),
        _ => false,
    };
    let start = tokens.iter().find(is_it)?.span.start;
    Some(Position { line: start.line, column: start.column })
}

/// The name that is most like another.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    known
        .map(|candidate| (strsim::normalized_damerau_levenshtein(name, candidate), candidate))
        .filter(|(likeness, candidate)| *likeness >= ALIKE && *candidate != name)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
