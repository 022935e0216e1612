//! What a search sees of a record.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::time::Duration;

use model::Timestamp;

use crate::{Level, Scope, Value, quantity};

/// A record that can be searched: a log record, a span.
pub trait Record {
    /// The value of a field that the schema knows, by its name.
    fn field(&self, name: &str) -> Option<Datum<'_>>;

    /// The value of an attribute. With [`Scope::Any`] that is the record's own, or else its resource's.
    fn attribute(&self, scope: Scope, name: &str) -> Option<Datum<'_>>;
}

/// A value of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// A number.
    Number(f64),
    /// A duration.
    Duration(Duration),
    /// A size in bytes.
    Bytes(u64),
    /// A time.
    Time(Timestamp),
    /// A level.
    Level(Level),
    /// True or false.
    Bool(bool),
}

impl<'a> From<&'a str> for Datum<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl Datum<'_> {
    /// As a text: what words, patterns and equality are looked at in.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Duration(duration) => Cow::Owned(format!("{duration:?}")),
            Self::Bytes(bytes) => Cow::Owned(bytes.to_string()),
            Self::Time(time) => Cow::Owned(time.to_string()),
            Self::Level(level) => Cow::Borrowed(level.name()),
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        }
    }

    /// How this lies to a value; nothing when it is of another kind.
    ///
    /// A text is read as what it is compared with: attributes hold numbers and durations as texts.
    pub fn order(&self, value: &Value) -> Option<Ordering> {
        let own = match self {
            Self::Text(text) => return read_like(text, value)?.order(value),
            Self::Bytes(bytes) if matches!(value, Value::Number(_)) => Value::Number(*bytes as f64),
            Self::Number(number) => match value {
                Value::Bytes(bytes) => return number.partial_cmp(&(*bytes as f64)),
                Value::Text(_) => Value::Text(number.to_string()),
                _ => Value::Number(*number),
            },
            Self::Bytes(bytes) => Value::Bytes(*bytes),
            Self::Duration(duration) => Value::Duration(*duration),
            Self::Time(time) => Value::Time(*time),
            Self::Level(level) => Value::Level(*level),
            Self::Bool(value) => Value::Bool(*value),
        };
        own.order(value)
    }
}

/// A text as a value of the kind that another has.
fn read_like(text: &str, like: &Value) -> Option<Value> {
    match like {
        Value::Number(_) => quantity::number(text).map(Value::Number),
        Value::Duration(_) => quantity::duration(text).map(Value::Duration),
        Value::Bytes(_) => quantity::bytes(text).map(Value::Bytes),
        Value::Time(_) => Timestamp::parse_rfc3339(text).ok().map(Value::Time),
        Value::Level(_) => Level::parse(text).map(Value::Level),
        Value::Bool(_) => text.parse().ok().map(Value::Bool),
        Value::Text(_) => Some(Value::Text(text.to_owned())),
    }
}
