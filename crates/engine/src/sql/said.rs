//! What DataFusion says of a statement, in words for whoever wrote it: what is wrong, where, and what may be meant.
//!
//! Its errors are texts once they leave a function, so their texts are what is looked at. One that is not known here is
//! told as it is. Start reading at [`told`].

use std::str::FromStr;

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;
use store::{StatementError, type_name};

use super::compared::Mixed;
use super::place::Tokens;

/// A time, counted back from now.
const AN_HOUR_AGO: &str = "now() - INTERVAL '1 hour'";
/// A time, written.
const A_TIME: &str = "'2026-11-30T12:00:00Z'";

/// One kind of what is said.
type Kind = fn(&str, &Tokens, &[Mixed]) -> Option<StatementError>;

const KINDS: [Kind; 11] =
    [pattern, time, number, unlike, division, recursion, access, same_names, out_of_order, correlated, known];
/// The operators whose sides can be unlike, longer ones first.
const OPERATORS: [&str; 11] = ["<=", ">=", "!=", "=", "<", ">", "+", "-", "*", "/", "%"];

/// What a text of DataFusion says.
pub(super) fn told(text: &str, tokens: &Tokens, mixed: &[Mixed]) -> StatementError {
    let fault = KINDS.iter().find_map(|kind| kind(text, tokens, mixed));
    let mut fault = fault.unwrap_or_else(|| StatementError::new(first_line(text)));
    fault.position =
        fault.position.or_else(|| tokens.quoted(&fault.message)).or_else(|| tokens.call_in(&fault.message));
    fault
}

/// What an error says, without DataFusion's words for its kinds and its advice.
fn first_line(text: &str) -> String {
    let kinds = [
        "Error during planning: ",
        "Execution error: ",
        "External error: ",
        "Internal error: ",
        "Arrow error: ",
        "This feature is not implemented: ",
        "Schema error: ",
        "Cast error: ",
        "Parser error: ",
        "Compute error: ",
        "Invalid argument error: ",
    ];
    let mut text = text.lines().next().unwrap_or_default();
    while let Some(rest) = kinds.iter().find_map(|kind| text.strip_prefix(kind)) {
        text = rest;
    }
    text.to_owned()
}

/// What stands between two texts.
pub(super) fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

/// A regular expression that cannot be read.
fn pattern(text: &str, tokens: &Tokens, _: &[Mixed]) -> Option<StatementError> {
    let (pattern, reason) = if let Some((_, shown)) = text.split_once("regex parse error:\n") {
        // The pattern, marks below what is wrong with it, and what that is.
        let pattern = shown.lines().next().and_then(|line| line.strip_prefix("    "));
        (pattern, shown.lines().find_map(|line| line.strip_prefix("error: ")))
    } else if text.contains("exceeds size limit") || text.contains("CompiledTooBig") {
        (None, Some("it becomes too large: say less often how often a part of it comes"))
    } else {
        let (_, pattern) = text.split_once("Regular expression did not compile: ")?;
        (Some(pattern), None)
    };
    let reason = reason.unwrap_or("it is no regular expression");
    let position = tokens.pattern(pattern.unwrap_or_default());
    let named = pattern.map(|pattern| format!(" `{pattern}`")).unwrap_or_default();
    Some(StatementError {
        message: format!("the pattern{named} cannot be read: {reason}"),
        position,
        suggestion: None,
    })
}

/// A text that is no time, where a time is wanted.
fn time(text: &str, tokens: &Tokens, _: &[Mixed]) -> Option<StatementError> {
    let value = between(text, "Error parsing timestamp from '", "'").or_else(|| {
        let (value, kind) = uncast(text)?;
        ["Timestamp", "Date", "Time"].iter().any(|time| kind.starts_with(time)).then_some(value)
    })?;
    Some(StatementError {
        message: format!("the text '{value}' is no time: write it as {A_TIME}, or count back from now()"),
        position: tokens.text(value),
        suggestion: Some(AN_HOUR_AGO.to_owned()),
    })
}

/// The text of a failed cast, and the type that it was to have.
fn uncast(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once("Cannot cast string '")?;
    let (value, kind) = rest.split_once("' to ")?;
    let kind = kind.strip_prefix("value of ").unwrap_or(kind);
    Some((value, kind.split(" type").next().unwrap_or(kind)))
}

/// A text that is no number, or none of another type.
fn number(text: &str, tokens: &Tokens, mixed: &[Mixed]) -> Option<StatementError> {
    let (value, kind) = uncast(text)?;
    let wanted = match kind {
        kind if kind.contains("Int") => "whole number",
        kind if kind.starts_with("Float") || kind.starts_with("Decimal") => "number",
        "Boolean" => "boolean",
        kind if kind.starts_with("Interval") || kind.starts_with("Duration") => "interval",
        _ => "value of the type that is wanted",
    };
    let position = tokens.text(value);
    if let (None, Some(mixed)) = (position, mixed.first()) {
        return Some(StatementError {
            message: format!(
                "`{}` is a text and is compared with a number, and its value '{value}' is no {wanted}",
                mixed.column
            ),
            position: mixed.position.or_else(|| tokens.name(&mixed.column)),
            suggestion: Some(mixed.suggestion()),
        });
    }
    let cast = |token: &Token| match token {
        Token::Word(word) => word.keyword == Keyword::CAST,
        token => *token == Token::DoubleColon,
    };
    Some(StatementError {
        message: format!("the text '{value}' is no {wanted}; TRY_CAST makes null of what is none"),
        position: position.or_else(|| tokens.only(cast)),
        suggestion: None,
    })
}

/// Two sides of an operator whose types do not go together.
fn unlike(text: &str, tokens: &Tokens, _: &[Mixed]) -> Option<StatementError> {
    let line = first_line(text);
    let (_, sides) = line
        .split_once("for comparison operation ")
        .or_else(|| line.split_once("coerce arithmetic expression "))?;
    let sides = sides.split(" to valid").next()?;
    let (operator, (left, right)) = OPERATORS.iter().find_map(|operator| {
        let sides = sides.split_once(format!(" {operator} ").as_str())?;
        Some((*operator, sides))
    })?;
    let (left, right) = (named(left), named(right));
    let is_of_time = left == "timestamp" || right == "timestamp";
    let written = if is_of_time { format!("; a time is written {A_TIME}") } else { String::new() };
    Some(StatementError {
        message: format!("{left} {operator} {right}: these types do not go together{written}"),
        position: tokens.only(|token| match token {
            Token::Neq => operator == "!=",
            token => token.to_string() == operator,
        }),
        suggestion: is_of_time.then(|| AN_HOUR_AGO.to_owned()),
    })
}

/// A type of DataFusion in words of SQL.
fn named(kind: &str) -> String {
    DataType::from_str(kind).map_or_else(|_| kind.to_owned(), |kind| type_name(&kind))
}

fn division(text: &str, tokens: &Tokens, _: &[Mixed]) -> Option<StatementError> {
    text.contains("Divide by zero").then(|| StatementError {
        message: "a number is divided by zero; NULLIF(x, 0) instead of x makes null of that".to_owned(),
        position: tokens.only(|token| matches!(token, Token::Div | Token::Mod)),
        suggestion: None,
    })
}

fn recursion(text: &str, tokens: &Tokens, _: &[Mixed]) -> Option<StatementError> {
    text.contains("Recursive CTE").then(|| StatementError {
        message: "WITH RECURSIVE is not taken: it need not end".to_owned(),
        position: tokens.name("recursive"),
        suggestion: None,
    })
}

/// `message['a']`, where only maps have values by names.
fn access(text: &str, tokens: &Tokens, _: &[Mixed]) -> Option<StatementError> {
    text.contains("['key']").then(|| StatementError {
        position: tokens.only(|token| *token == Token::LBracket),
        ..StatementError::new(first_line(text))
    })
}

/// Two columns of an answer with one name.
fn same_names(text: &str, tokens: &Tokens, _: &[Mixed]) -> Option<StatementError> {
    let (_, shown) = text.split_once("require unique expression names")?;
    let name = between(shown, " AS ", "\"").unwrap_or_default();
    Some(StatementError {
        position: tokens.last(name),
        ..StatementError::new("two columns of the answer have one name: give one of them another, with AS")
    })
}

/// A column of the answer by its number, where there are not so many.
fn out_of_order(text: &str, tokens: &Tokens, _: &[Mixed]) -> Option<StatementError> {
    let (_, numbers) = text.split_once("column out of bounds, specified: ")?;
    let (number, most) = numbers.split_once(", max: ")?;
    let most = most.lines().next().unwrap_or_default();
    let is_it = |token: &Token| matches!(token, Token::Number(text, _) if text == number);
    Some(StatementError {
        position: tokens.only(is_it).or_else(|| tokens.last("BY")),
        ..StatementError::new(format!("there is no column {number} of the answer to order by: it has {most}"))
    })
}

/// A subquery that DataFusion cannot make a join of.
fn correlated(text: &str, tokens: &Tokens, _: &[Mixed]) -> Option<StatementError> {
    ["ScalarSubquery(", "InSubquery(", "Exists(", "Correlated "].iter().any(|word| text.contains(word)).then(
        || StatementError {
            position: tokens.last("SELECT"),
            ..StatementError::new(
                "a subquery that looks at columns around it is not taken here: join with it",
            )
        },
    )
}

/// What DataFusion says for its own developers.
fn known(text: &str, tokens: &Tokens, _: &[Mixed]) -> Option<StatementError> {
    let said: [(&str, &str, &[&str]); 6] = [
        ("Inconsistent data length across values", "rows of VALUES have unlike lengths", &["VALUES"]),
        ("nested_expressions", "arrays are not taken", &["ARRAY"]),
        ("Struct not supported", "structs are not taken: name their values one by one", &["STRUCT"]),
        ("escape char", "what escapes in a LIKE is one character", &["ESCAPE"]),
        ("to_char", "the format cannot be read: it is one of strftime, as '%Y-%m-%d'", &["to_char"]),
        ("Format error", "the format cannot be read: it is one of strftime, as '%Y-%m-%d'", &["to_char"]),
    ];
    let (_, message, words) = said.iter().find(|(needle, ..)| text.contains(needle))?;
    let bracket = || tokens.only(|token| *token == Token::LBracket);
    Some(StatementError {
        position: words.iter().find_map(|word| tokens.name(word)).or_else(bracket),
        ..StatementError::new(*message)
    })
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;
    use store::Position;

    use super::*;

    #[test]
    fn what_fails_is_told_with_its_place() {
        let patterns = "SELECT 1 FROM logs WHERE message ~* 'a('";
        let casts = "SELECT CAST(message AS INT) FROM logs";
        let cases = [
            (patterns, "regex parse error:\n    a(\n     ^\nerror: unclosed group", 37, "unclosed group"),
            (
                patterns,
                "Arrow error: Compute error: Regular expression did not compile: Syntax(\n~~~\n\
                 regex parse error:\n    (?i)a(\n         ^\nerror: unclosed group\n~~~\n)",
                37,
                "unclosed group",
            ),
            (patterns, "Compute error: Regular expression did not compile: a(", 37, "`a(`"),
            (patterns, "Compiled regex exceeds size limit of 10485760 bytes.", 34, "too large"),
            (
                casts,
                "Arrow error: Cast error: Cannot cast string 'x' to value of Int32 type",
                8,
                "whole number",
            ),
            (
                "SELECT 1 FROM logs WHERE time >= 5",
                "Cannot infer common argument type for comparison operation Timestamp(ns, \"UTC\") >= Int64",
                31,
                "timestamp >= bigint",
            ),
            ("SELECT 1 / (2 - 2)", "Arrow error: Divide by zero error", 10, "zero"),
            (
                "SELECT 1 FROM logs WHERE time > 'soon'",
                "Arrow error: Parser error: Error parsing timestamp from 'soon': error parsing date",
                33,
                "2026-11-30T12:00:00Z",
            ),
        ];
        for (statement, text, column, said) in cases {
            let tokens = Tokenizer::new(&GenericDialect {}, statement).tokenize_with_location();
            let fault = told(text, &Tokens::from(tokens.expect("tokens")), &[]);
            assert_eq!(fault.position, Some(Position { line: 1, column }), "{text}: {fault:?}");
            assert!(fault.message.contains(said) && !fault.message.contains("error:"), "{fault:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_told_without_words_for_its_kind() {
        let text = "Arrow error: Invalid argument error: it is wrong\nand more";
        assert_eq!(first_line(text), "it is wrong");
    }
}
