//! Functions that compare values, and that look into texts, maps and lists.

use std::sync::Arc;

use super::Function;
use crate::template::value::Value;

pub(super) fn compare(function: Function, arguments: &[Value]) -> Result<Value, String> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let (first, rest) = arguments.split_first().ok_or("missing argument for comparison")?;
    if function == Function::Eq {
        if rest.is_empty() {
            return Err("missing argument for comparison".to_owned());
        }
        for other in rest {
            if first.equals(other)? {
                return Ok(Value::Bool(true));
            }
        }
        return Ok(Value::Bool(false));
    }
    let [second] = rest else {
        return Err(format!("a comparison takes 2 values, and is given {}", arguments.len()));
    };
    if function == Function::Ne {
        return Ok(Value::Bool(!first.equals(second)?));
    }
    let order = first.order(second)?;
    Ok(Value::Bool(match function {
        Function::Lt => order == Some(Less),
        Function::Le => matches!(order, Some(Less | Equal)),
        Function::Gt => order == Some(Greater),
        _ => matches!(order, Some(Greater | Equal)),
    }))
}

pub(super) fn length(value: &Value) -> Result<Value, String> {
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

pub(super) fn index(arguments: &[Value]) -> Result<Value, String> {
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

pub(super) fn slice(arguments: &[Value]) -> Result<Value, String> {
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

/// All values with a space between each two.
pub(super) fn line(values: &[Value]) -> String {
    let mut line = values.iter().map(Value::printed).collect::<Vec<_>>().join(" ");
    line.push('\n');
    line
}

pub(super) fn sorted(label: &str, samples: &[Value]) -> Result<Value, String> {
    let mut samples = samples.to_vec();
    let key = |value: &Value| match value {
        Value::Sample(sample) => sample.labels.get(label).cloned().unwrap_or_default(),
        _ => String::new(),
    };
    samples.sort_by_cached_key(key);
    Ok(Value::List(Arc::new(samples)))
}
