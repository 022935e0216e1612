//! Functions that look into texts, maps and lists.

use std::sync::Arc;

use super::given::Given;
use crate::template::value::Value;

/// The most values that `args` takes.
const MAX_ARGS: usize = 32;

/// A function of maps, lists and texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::template) enum Collection {
    Len,
    Index,
    Slice,
    Args,
}

impl Collection {
    pub(super) fn of(self, given: &Given<'_>) -> Result<Value, String> {
        let found = match self {
            Self::Len => length(given.one()?),
            Self::Index => index(given.arguments),
            Self::Slice => slice(given.arguments),
            Self::Args => args(given.arguments),
        };
        found.map_err(|reason| given.failed(&reason))
    }
}

/// A map of all that is given, by its place.
fn args(values: &[Value]) -> Result<Value, String> {
    if values.len() > MAX_ARGS || values.iter().any(holds_a_map) {
        return Err(format!("it takes {MAX_ARGS} values, and args in args, but not deeper"));
    }
    let named = values.iter().enumerate().map(|(index, value)| (format!("arg{index}"), value.clone()));
    Ok(Value::Map(Arc::new(named.collect())))
}

/// Whether a value is a map with a map in it: what is nested deeper would take deep stacks to print and to drop.
fn holds_a_map(value: &Value) -> bool {
    matches!(value, Value::Map(map) if map.values().any(|value| matches!(value, Value::Map(_))))
}

fn length(value: &Value) -> Result<Value, String> {
    let length = match value {
        // Go counts bytes.
        Value::Text(text) => text.len(),
        Value::Labels(labels) => labels.len(),
        Value::Map(map) => map.len(),
        Value::List(list) => list.len(),
        other => return Err(format!("len of type {}", other.kind())),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn index(arguments: &[Value]) -> Result<Value, String> {
    let (first, keys) = arguments.split_first().ok_or("index of untyped nil")?;
    let mut value = first.clone();
    for key in keys {
        value = match (&value, key) {
            (Value::Labels(labels), Value::Text(key)) => {
                Value::text(labels.get(&**key).map_or("", String::as_str))
            }
            (Value::Map(map), Value::Text(key)) => map.get(&**key).cloned().unwrap_or(Value::Absent),
            (Value::List(list), Value::Int(place)) => {
                let item = usize::try_from(*place).ok().and_then(|place| list.get(place));
                item.cloned().ok_or_else(|| format!("index out of range: {place}"))?
            }
            (Value::Text(text), Value::Int(place)) => {
                let byte = usize::try_from(*place).ok().and_then(|place| text.as_bytes().get(place));
                Value::Int(i64::from(*byte.ok_or_else(|| format!("index out of range: {place}"))?))
            }
            (Value::Labels(_) | Value::Map(_), other) => {
                return Err(format!("value has type {}; should be string", other.kind()));
            }
            (Value::List(_) | Value::Text(_), other) => {
                return Err(format!("cannot index slice/array with type {}", other.kind()));
            }
            (other, _) => return Err(format!("can't index item of type {}", other.kind())),
        };
    }
    Ok(value)
}

fn slice(arguments: &[Value]) -> Result<Value, String> {
    let (value, places) = arguments.split_first().ok_or("slice of untyped nil")?;
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(list) => list.len(),
        other => return Err(format!("can't slice item of type {}", other.kind())),
    };
    let mut bounds = [0, length];
    if places.len() > bounds.len() {
        return Err(format!("too many slice indexes: {}", places.len()));
    }
    for (bound, place) in bounds.iter_mut().zip(places) {
        let Value::Int(place) = place else {
            return Err(format!("cannot index slice/array with type {}", place.kind()));
        };
        *bound = usize::try_from(*place)
            .ok()
            .filter(|place| *place <= length)
            .ok_or_else(|| format!("index out of range: {place}"))?;
    }
    let [from, to] = bounds;
    let out_of_range = || format!("invalid slice index: {from} > {to}");
    match value {
        // Go cuts bytes; a character that would be torn is an error here.
        Value::Text(text) => text.get(from..to).map(Value::text).ok_or_else(out_of_range),
        Value::List(list) => {
            list.get(from..to).map(|part| Value::List(Arc::new(part.to_vec()))).ok_or_else(out_of_range)
        }
        _ => Err(out_of_range()),
    }
}
