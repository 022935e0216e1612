//! The functions of templates: Go's own, and those that Prometheus adds. Each module here has those of one kind.

mod collections;
mod comparison;
mod given;
mod layout;
mod numbers;
mod printing;
mod results;
mod strings;
mod times;

use super::Data;
use super::value::Value;
use collections::Collection;
use comparison::Comparison;
use given::Given;
use numbers::OfNumber;
use printing::Printing;
use results::OfResults;
use strings::{OfPattern, OfText};
use times::OfDuration;
pub(super) use times::{call_method, time_field};

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    And,
    Or,
    Not,
    Call,
    /// Asks a query.
    Query,
    Compare(Comparison),
    Print(Printing),
    /// Of maps, lists and texts.
    Collection(Collection),
    /// Of what queries give.
    Results(OfResults),
    /// Of one number.
    Number(OfNumber),
    /// Of one text, which becomes another one.
    Text(OfText),
    Pattern(OfPattern),
    Duration(OfDuration),
    Now,
    PathPrefix,
    ExternalUrl,
}

const FUNCTIONS: [(&str, Function); 49] = [
    ("and", Function::And),
    ("or", Function::Or),
    ("not", Function::Not),
    ("call", Function::Call),
    ("query", Function::Query),
    ("eq", Function::Compare(Comparison::Eq)),
    ("ne", Function::Compare(Comparison::Ne)),
    ("lt", Function::Compare(Comparison::Lt)),
    ("le", Function::Compare(Comparison::Le)),
    ("gt", Function::Compare(Comparison::Gt)),
    ("ge", Function::Compare(Comparison::Ge)),
    ("print", Function::Print(Printing::Print)),
    ("printf", Function::Print(Printing::Printf)),
    ("println", Function::Print(Printing::Println)),
    ("html", Function::Print(Printing::Html)),
    ("js", Function::Print(Printing::Js)),
    ("urlquery", Function::Print(Printing::UrlQuery)),
    ("len", Function::Collection(Collection::Len)),
    ("index", Function::Collection(Collection::Index)),
    ("slice", Function::Collection(Collection::Slice)),
    ("args", Function::Collection(Collection::Args)),
    ("first", Function::Results(OfResults::First)),
    ("label", Function::Results(OfResults::Label)),
    ("value", Function::Results(OfResults::Value)),
    ("strvalue", Function::Results(OfResults::TextValue)),
    ("sortByLabel", Function::Results(OfResults::SortByLabel)),
    ("humanize", Function::Number(OfNumber::Humanize)),
    ("humanize1024", Function::Number(OfNumber::Humanize1024)),
    ("humanizeDuration", Function::Number(OfNumber::HumanizeDuration)),
    ("humanizePercentage", Function::Number(OfNumber::HumanizePercentage)),
    ("humanizeTimestamp", Function::Number(OfNumber::HumanizeTimestamp)),
    ("toTime", Function::Number(OfNumber::ToTime)),
    ("toDuration", Function::Number(OfNumber::ToDuration)),
    ("title", Function::Text(OfText::Title)),
    ("toUpper", Function::Text(OfText::ToUpper)),
    ("toLower", Function::Text(OfText::ToLower)),
    ("stripPort", Function::Text(OfText::StripPort)),
    ("stripDomain", Function::Text(OfText::StripDomain)),
    ("graphLink", Function::Text(OfText::GraphLink)),
    ("tableLink", Function::Text(OfText::TableLink)),
    ("urlQueryEscape", Function::Text(OfText::UrlQueryEscape)),
    ("safeHtml", Function::Text(OfText::SafeHtml)),
    ("match", Function::Pattern(OfPattern::Match)),
    ("reReplaceAll", Function::Pattern(OfPattern::ReplaceAll)),
    ("parseDuration", Function::Duration(OfDuration::Seconds)),
    ("parseDurationTime", Function::Duration(OfDuration::Duration)),
    ("now", Function::Now),
    ("pathPrefix", Function::PathPrefix),
    ("externalURL", Function::ExternalUrl),
];

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, function)| *function)
    }

    pub(super) fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, known)| *known == self).map_or("a function", |(name, _)| name)
    }
}

/// Calls a function. The text of an error is Go's, or close to it.
pub(super) fn call(function: Function, arguments: &[Value], data: &Data<'_>) -> Result<Value, String> {
    let given = Given { name: function.name(), arguments };
    match function {
        // These two, and queries, are answered where the tree is gone over.
        Function::And | Function::Or | Function::Query => {
            Err(format!("{} cannot be called here", given.name))
        }
        Function::Not => given.one().map(|value| Value::Bool(!value.is_true())),
        Function::Call => Err(given.failed("a value of a template is no function")),
        Function::Compare(comparison) => {
            comparison.of(arguments).map(Value::Bool).map_err(|reason| given.failed(&reason))
        }
        Function::Print(printing) => printing.of(&given).map(Value::text),
        Function::Collection(function) => function.of(&given),
        Function::Results(function) => function.of(&given),
        Function::Number(function) => {
            let done = numbers::number(given.one()?).and_then(|number| function.of(number));
            done.map_err(|reason| given.failed(&reason))
        }
        Function::Text(function) => Ok(Value::text(function.of(given.text(0, 1)?))),
        Function::Pattern(function) => function.of(&given),
        Function::Duration(function) => {
            function.of(given.text(0, 1)?).map_err(|reason| given.failed(&reason))
        }
        Function::Now => Ok(Value::Float(data.now)),
        Function::PathPrefix => Ok(Value::text(strings::path_of(&data.external.url))),
        Function::ExternalUrl => Ok(Value::text(data.external.url.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_has_a_name_of_its_own() {
        for (name, function) in FUNCTIONS {
            assert_eq!((Function::named(name), function.name()), (Some(function), name));
        }
        assert_eq!(Function::named("frobnicate"), None);
    }
}
