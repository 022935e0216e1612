//! Values of templates: what they are taken for, and how they are printed. Both are Go's ways, because
//! templates of rules are written for Go.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Histogram, Timestamp};

use super::number::shortest;

/// What an expression gives.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Nothing: Go's nil, and what a map has under a key that is not there.
    Absent,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    /// Labels: one that is not there is an empty text.
    Labels(Arc<BTreeMap<String, String>>),
    Map(Arc<BTreeMap<String, Value>>),
    List(Arc<Vec<Value>>),
    /// A native histogram, which is what a result may be instead of a number.
    Histogram(Arc<Histogram>),
    /// One result of a query.
    Sample(Arc<SampleValue>),
    Time(Timestamp),
    /// A duration in seconds.
    Duration(f64),
    /// What the template is filled in for: it has the fields `Labels`, `Value` and so on.
    Root,
}

/// One result of a query.
#[derive(Clone, Debug)]
pub(super) struct SampleValue {
    pub(super) labels: Arc<BTreeMap<String, String>>,
    pub(super) value: f64,
}

/// Why two values cannot be compared; in Go's words.
pub(super) const INCOMPATIBLE: &str = "incompatible types for comparison";

impl Value {
    pub(super) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Whether it counts as true: whether it is anything but zero, nothing or empty.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Bool(yes) => *yes,
            Self::Int(number) => *number != 0,
            Self::Float(number) | Self::Duration(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Labels(labels) => !labels.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Histogram(_) | Self::Sample(_) | Self::Time(_) | Self::Root => true,
        }
    }

    /// The name of its type, as Go has it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Absent => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Labels(_) => "map[string]string",
            Self::Map(_) => "map[string]interface {}",
            Self::List(_) => "template.queryResult",
            Self::Histogram(_) => "*histogram.FloatHistogram",
            Self::Sample(_) => "*template.sample",
            Self::Time(_) => "time.Time",
            Self::Duration(_) => "time.Duration",
            Self::Root => "struct",
        }
    }

    /// As Go prints it.
    pub(super) fn printed(&self) -> String {
        match self {
            Self::Absent => "<no value>".to_owned(),
            Self::Bool(yes) => yes.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => shortest(*number),
            Self::Text(text) => text.as_ref().to_owned(),
            Self::Labels(labels) => {
                bracketed("map[", labels.iter().map(|(key, value)| format!("{key}:{value}")))
            }
            Self::Map(map) => {
                bracketed("map[", map.iter().map(|(key, value)| format!("{key}:{}", value.printed())))
            }
            Self::List(list) => bracketed("[", list.iter().map(Self::printed)),
            Self::Histogram(histogram) => histogram.to_string(),
            Self::Sample(sample) => {
                format!(
                    "{{{} {}}}",
                    Self::Labels(Arc::clone(&sample.labels)).printed(),
                    shortest(sample.value)
                )
            }
            Self::Time(time) => go_time(*time),
            Self::Duration(seconds) => go_duration(*seconds),
            Self::Root => "<root>".to_owned(),
        }
    }

    /// Whether two are equal; an error when they are not of one kind.
    pub(super) fn equals(&self, other: &Self) -> Result<bool, &'static str> {
        match (self, other) {
            (Self::Absent, Self::Absent) => Ok(true),
            (Self::Absent, _) | (_, Self::Absent) => Ok(false),
            (Self::Bool(a), Self::Bool(b)) => Ok(a == b),
            _ => Ok(self.order(other)? == Some(Ordering::Equal)),
        }
    }

    /// Which of two is less; nothing when one is not a number at all.
    pub(super) fn order(&self, other: &Self) -> Result<Option<Ordering>, &'static str> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Ok(Some(a.cmp(b))),
            (Self::Float(a), Self::Float(b)) | (Self::Duration(a), Self::Duration(b)) => Ok(a.partial_cmp(b)),
            (Self::Text(a), Self::Text(b)) => Ok(Some(a.cmp(b))),
            _ => Err(INCOMPATIBLE),
        }
    }
}

fn bracketed(open: &str, parts: impl Iterator<Item = String>) -> String {
    format!("{open}{}]", parts.collect::<Vec<_>>().join(" "))
}

/// A time as Go prints it: `2025-08-01 21:30:00.5 +0000 UTC`.
pub(super) fn go_time(time: Timestamp) -> String {
    let text = time.to_string();
    match text.strip_suffix('Z').and_then(|text| text.split_once('T')) {
        Some((day, clock)) => format!("{day} {clock} +0000 UTC"),
        None => text,
    }
}

/// A duration as Go prints it: `1h30m0s`, `1.5ms`.
fn go_duration(seconds: f64) -> String {
    if seconds == 0.0 || !seconds.is_finite() {
        return "0s".to_owned();
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let seconds = seconds.abs();
    let (scale, unit) = match seconds {
        s if s < 1e-6 => (1e9, "ns"),
        s if s < 1e-3 => (1e6, "µs"),
        s if s < 1.0 => (1e3, "ms"),
        _ => (1.0, "s"),
    };
    // Nanoseconds are the finest that Go knows.
    let rounded = |number: f64| (number * 1e9).round() / 1e9;
    if seconds < 60.0 {
        return format!("{sign}{}{unit}", rounded(seconds * scale));
    }
    let (minutes, rest) = ((seconds / 60.0).floor(), rounded(seconds % 60.0));
    let (hours, minutes) = ((minutes / 60.0).floor(), minutes % 60.0);
    let hours = if hours > 0.0 { format!("{hours}h") } else { String::new() };
    format!("{sign}{hours}{minutes}m{rest}s")
}
