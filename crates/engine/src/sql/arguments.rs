//! Calls whose arguments a function does not take: what it takes instead.
//!
//! Signatures are told by DataFusion in its own terms, and some are code. So a few types are tried. Start reading at
//! [`refused`].

use std::str::FromStr;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit};
use datafusion::execution::SessionState;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use store::{StatementError, type_name};

use super::place::Tokens;
use super::said::between;

/// The most arguments of a call for which types are tried.
const MOST_ARGUMENTS: usize = 5;

/// The types that are tried.
fn types() -> [DataType; 6] {
    [
        DataType::Utf8,
        DataType::Int64,
        DataType::Float64,
        DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        DataType::Boolean,
        DataType::Interval(IntervalUnit::MonthDayNano),
    ]
}

/// What a text says of a call that its function does not take, if it is of one.
pub(super) fn refused(text: &str, tokens: &Tokens, state: &SessionState) -> Option<StatementError> {
    let (name, given) = call(text)?;
    let given = given.and_then(|given| {
        parts(given).iter().map(|kind| DataType::from_str(kind).ok()).collect::<Option<Vec<DataType>>>()
    });
    let shown = match given.as_deref() {
        Some([]) => "no argument".to_owned(),
        Some(given) => format!("({})", names(given)),
        None => "these arguments".to_owned(),
    };
    let instead = given.and_then(|given| takes(name, &given, state));
    let instead = instead.map(|instead| format!(": {instead}")).unwrap_or_default();
    Some(StatementError {
        message: format!("`{name}` does not take {shown}{instead}"),
        position: tokens.only_call(name),
        suggestion: None,
    })
}

/// The function of which a text says that it does not take its arguments, and their types where they are told.
fn call(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(call) = between(text, "argument types '", ")'") {
        let (name, given) = call.split_once('(')?;
        return Some((name, Some(given)));
    }
    if let Some(name) = between(text, "to satisfy a call to '", "' function") {
        return Some((name, between(text, "coercion from ", " to the signature")));
    }
    let (name, rest) = text.split_once("Function '")?.1.split_once('\'')?;
    let is_refusal = [" failed to match", " expects ", " user-defined coercion failed"];
    is_refusal.iter().any(|begins| rest.starts_with(begins)).then_some((name, None))
}

/// What stands between commas that stand in no parentheses.
fn parts(list: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let outside = |letter: char| {
        match letter {
            '(' | '<' | '[' => depth += 1,
            ')' | '>' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    };
    list.split(outside).map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn names<'t>(types: impl IntoIterator<Item = &'t DataType>) -> String {
    types.into_iter().map(type_name).collect::<Vec<_>>().join(", ")
}

/// What the function takes instead: another type of one argument, or another number of them.
fn takes(name: &str, given: &[DataType], state: &SessionState) -> Option<String> {
    if given.len() > MOST_ARGUMENTS {
        return None;
    }
    let types = types();
    for place in 0..given.len() {
        let mut tried = given.to_vec();
        let fits = |kind: &&DataType| {
            tried[place] = DataType::clone(kind);
            is_taken(name, &tried, state)
        };
        let taken: Vec<&DataType> = types.iter().filter(fits).collect();
        if !taken.is_empty() {
            let which =
                if given.len() == 1 { "its argument".to_owned() } else { format!("argument {}", place + 1) };
            return Some(format!("{which} can be of type {}", names(taken)));
        }
    }
    let fits = |number: &usize| types.iter().any(|kind| is_taken(name, &vec![kind.clone(); *number], state));
    let numbers: Vec<String> = (1..=MOST_ARGUMENTS).filter(fits).map(|number| number.to_string()).collect();
    (!numbers.is_empty()).then(|| format!("it takes {} arguments", numbers.join(" or ")))
}

/// Whether a function of that name takes arguments of these types.
fn is_taken(name: &str, types: &[DataType], state: &SessionState) -> bool {
    let fields = types.iter().map(|kind| Arc::new(Field::new("", kind.clone(), true)));
    let fields: Vec<FieldRef> = fields.collect();
    if let Some(function) = state.scalar_functions().get(name) {
        return fields_with_udf(&fields, &**function).is_ok();
    }
    if let Some(function) = state.aggregate_functions().get(name) {
        return fields_with_udf(&fields, &**function).is_ok();
    }
    let window = state.window_functions().get(name);
    window.is_some_and(|function| fields_with_udf(&fields, &**function).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_call_is_known_by_its_words() {
        let cases = [
            (
                "No function matches the given name and argument types 'sum(Utf8)'. And",
                Some(("sum", Some("Utf8"))),
            ),
            (
                "Failed to coerce arguments to satisfy a call to 'avg' function: coercion from Utf8 to the signature X failed",
                Some(("avg", Some("Utf8"))),
            ),
            ("Function 'left' expects 2 arguments but received 1", Some(("left", None))),
            ("Function 'left' is here", None),
        ];
        for (text, expected) in cases {
            assert_eq!(call(text), expected, "{text}");
        }
    }

    #[test]
    fn types_are_parted_where_they_end() {
        let zoned = "Timestamp(ns, \"UTC\")";
        assert_eq!(parts(&format!("Utf8, {zoned}, Int64")), ["Utf8", zoned, "Int64"]);
        assert_eq!(parts(""), [""; 0]);
    }
}
