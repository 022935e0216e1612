//! The functions of templates: Go's own, and those that Prometheus adds.

mod collections;
mod strings;
mod times;

use std::sync::Arc;

use model::Timestamp;

use super::Data;
use super::number::{humanize, humanize_1024, humanize_duration, humanize_percentage};
use super::printf::{print, printf};
use super::value::{SampleValue, Value};
use collections::{compare, index, length, line, slice, sorted};
pub(super) use times::time_field;
use times::{duration, timestamp};

macro_rules! functions {
    ($($variant:ident $name:literal,)*) => {
        /// A function.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Function { $($variant,)* }

        impl Function {
            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            pub(super) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

functions! {
    And "and",
    Or "or",
    Not "not",
    Eq "eq",
    Ne "ne",
    Lt "lt",
    Le "le",
    Gt "gt",
    Ge "ge",
    Call "call",
    Len "len",
    Index "index",
    Slice "slice",
    Print "print",
    Printf "printf",
    Println "println",
    Html "html",
    Js "js",
    UrlQuery "urlquery",
    Query "query",
    First "first",
    Label "label",
    ValueOf "value",
    TextValue "strvalue",
    SortByLabel "sortByLabel",
    Args "args",
    Humanize "humanize",
    Humanize1024 "humanize1024",
    HumanizeDuration "humanizeDuration",
    HumanizePercentage "humanizePercentage",
    HumanizeTimestamp "humanizeTimestamp",
    ToTime "toTime",
    ToDuration "toDuration",
    Now "now",
    ParseDuration "parseDuration",
    ParseDurationTime "parseDurationTime",
    Title "title",
    ToUpper "toUpper",
    ToLower "toLower",
    Match "match",
    ReplaceAll "reReplaceAll",
    StripPort "stripPort",
    StripDomain "stripDomain",
    GraphLink "graphLink",
    TableLink "tableLink",
    UrlQueryEscape "urlQueryEscape",
    SafeHtml "safeHtml",
    PathPrefix "pathPrefix",
    ExternalUrl "externalURL",
}

/// The most values that `args` takes.
const MAX_ARGS: usize = 32;

/// Whether a value is a map with a map in it: what is nested deeper would take deep stacks to print and to drop.
fn holds_a_map(value: &Value) -> bool {
    matches!(value, Value::Map(map) if map.values().any(|value| matches!(value, Value::Map(_))))
}

/// Calls a function. The text of an error is Go's, or close to it.
pub(super) fn call(function: Function, arguments: &[Value], data: &Data<'_>) -> Result<Value, String> {
    let name = function.name();
    let given = Given { name, arguments };
    let called =
        |result: Result<Value, String>| result.map_err(|reason| format!("error calling {name}: {reason}"));
    match function {
        // These two, and queries, are answered where the tree is gone over.
        Function::And | Function::Or | Function::Query => Err(format!("{name} cannot be called here")),
        Function::Not => given.one().map(|value| Value::Bool(!value.is_true())),
        Function::Eq | Function::Ne | Function::Lt | Function::Le | Function::Gt | Function::Ge => {
            called(compare(function, arguments))
        }
        Function::Call => Err(format!("error calling {name}: a value of a template is no function")),
        Function::Len => called(length(given.one()?)),
        Function::Index => called(index(arguments)),
        Function::Slice => called(slice(arguments)),
        Function::Print => Ok(Value::text(print(arguments))),
        Function::Println => Ok(Value::text(line(arguments))),
        Function::Printf => match arguments.split_first() {
            Some((Value::Text(format), rest)) => Ok(Value::text(printf(format, rest))),
            Some((other, _)) => Err(given.wrong("string", other)),
            None => Err(given.count("at least 1")),
        },
        Function::Html => Ok(Value::text(strings::html(&print(arguments)))),
        Function::Js => Ok(Value::text(strings::js(&print(arguments)))),
        Function::UrlQuery => Ok(Value::text(strings::query_escape(&print(arguments)))),
        Function::First => called(match given.list(0, 1)?.first() {
            Some(first) => Ok(first.clone()),
            None => Err("first() called on vector with no elements".to_owned()),
        }),
        Function::Label => {
            let sample = given.sample(1, 2)?;
            Ok(Value::text(sample.labels.get(given.text(0, 2)?).map_or("", String::as_str)))
        }
        Function::ValueOf => Ok(Value::Float(given.sample(0, 1)?.value)),
        Function::TextValue => {
            Ok(Value::text(given.sample(0, 1)?.labels.get("__value__").map_or("", String::as_str)))
        }
        Function::SortByLabel => sorted(given.text(0, 2)?, given.list(1, 2)?),
        Function::Args => {
            if arguments.len() > MAX_ARGS || arguments.iter().any(holds_a_map) {
                return Err(format!(
                    "error calling {name}: it takes {MAX_ARGS} values, and args in args, but not deeper"
                ));
            }
            let named =
                arguments.iter().enumerate().map(|(index, value)| (format!("arg{index}"), value.clone()));
            Ok(Value::Map(Arc::new(named.collect())))
        }
        Function::Humanize => called(number(given.one()?).map(|number| Value::text(humanize(number)))),
        Function::Humanize1024 => {
            called(number(given.one()?).map(|number| Value::text(humanize_1024(number))))
        }
        Function::HumanizeDuration => {
            called(number(given.one()?).map(|number| Value::text(humanize_duration(number))))
        }
        Function::HumanizePercentage => {
            called(number(given.one()?).map(|number| Value::text(humanize_percentage(number))))
        }
        Function::HumanizeTimestamp => {
            called(number(given.one()?).map(|number| Value::text(timestamp(number))))
        }
        Function::ToTime => {
            called(number(given.one()?).map(|number| Value::Time(Timestamp::from_secs_f64(number))))
        }
        Function::ToDuration => called(number(given.one()?).map(Value::Duration)),
        Function::Now => Ok(Value::Float(data.now)),
        Function::ParseDuration => called(duration(given.text(0, 1)?).map(Value::Float)),
        Function::ParseDurationTime => called(duration(given.text(0, 1)?).map(Value::Duration)),
        Function::Title => Ok(Value::text(strings::title(given.text(0, 1)?))),
        Function::ToUpper => Ok(Value::text(given.text(0, 1)?.to_uppercase())),
        Function::ToLower => Ok(Value::text(given.text(0, 1)?.to_lowercase())),
        Function::Match => called(strings::is_match(given.text(0, 2)?, given.text(1, 2)?).map(Value::Bool)),
        Function::ReplaceAll => called(
            strings::replace_all(given.text(0, 3)?, given.text(1, 3)?, given.text(2, 3)?).map(Value::text),
        ),
        Function::StripPort => Ok(Value::text(strings::strip_port(given.text(0, 1)?))),
        Function::StripDomain => Ok(Value::text(strings::strip_domain(given.text(0, 1)?))),
        Function::GraphLink => Ok(Value::text(strings::link(given.text(0, 1)?, 0))),
        Function::TableLink => Ok(Value::text(strings::link(given.text(0, 1)?, 1))),
        Function::UrlQueryEscape => Ok(Value::text(strings::query_escape(given.text(0, 1)?))),
        Function::SafeHtml => given.text(0, 1).map(Value::text),
        Function::PathPrefix => Ok(Value::text(strings::path_of(&data.external.url))),
        Function::ExternalUrl => Ok(Value::text(data.external.url.as_str())),
    }
}

/// What a function is given, and how it is read.
struct Given<'a> {
    name: &'static str,
    arguments: &'a [Value],
}

impl<'a> Given<'a> {
    fn count(&self, wanted: &str) -> String {
        format!("wrong number of args for {}: want {wanted} got {}", self.name, self.arguments.len())
    }

    fn wrong(&self, wanted: &str, found: &Value) -> String {
        format!("wrong type for {}; expected {wanted}; got {}", self.name, found.kind())
    }

    fn at(&self, place: usize, of: usize) -> Result<&'a Value, String> {
        match self.arguments.get(place) {
            Some(value) if self.arguments.len() == of => Ok(value),
            _ => Err(self.count(&of.to_string())),
        }
    }

    fn one(&self) -> Result<&'a Value, String> {
        self.at(0, 1)
    }

    fn text(&self, place: usize, of: usize) -> Result<&'a str, String> {
        match self.at(place, of)? {
            Value::Text(text) => Ok(text),
            other => Err(self.wrong("string", other)),
        }
    }

    fn sample(&self, place: usize, of: usize) -> Result<&'a SampleValue, String> {
        match self.at(place, of)? {
            Value::Sample(sample) => Ok(sample),
            other => Err(self.wrong("*template.sample", other)),
        }
    }

    fn list(&self, place: usize, of: usize) -> Result<&'a [Value], String> {
        match self.at(place, of)? {
            Value::List(list) => Ok(list),
            other => Err(self.wrong("template.queryResult", other)),
        }
    }
}

/// What functions of numbers take: numbers, texts that are numbers, and durations in seconds.
fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) | Value::Duration(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Text(text) => {
            text.parse().map_err(|_| format!("strconv.ParseFloat: parsing {text:?}: invalid syntax"))
        }
        other => Err(format!("can't convert {} to float", other.kind())),
    }
}
