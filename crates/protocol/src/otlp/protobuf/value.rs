//! Values, attributes, and the simple kinds of fields.

use std::borrow::Cow;

use super::Read;
use crate::otlp::bounds::Bounds;
use crate::otlp::error::Fault;
use crate::otlp::time::UnixNanos;
use crate::otlp::value::{AnyValue, KeyValue};
use crate::wire::{Fields, Malformed, Value};

/// A text.
pub(super) fn text<'a>(bytes: &'a [u8], field: &str) -> Read<Cow<'a, str>> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(_) => Err(super::OtlpError::from(Fault::NotUtf8).within(field)),
    }
}

/// A time.
pub(super) fn time(bytes: [u8; 8]) -> UnixNanos {
    UnixNanos(u64::from_le_bytes(bytes))
}

/// A whole number of 32 bits; what is larger is cut, as protobuf has it.
pub(super) fn int32(number: u64) -> i32 {
    number as i32
}

/// The same without a sign.
pub(super) fn uint32(number: u64) -> u32 {
    number as u32
}

/// A whole number of 32 bits whose sign is its last bit.
pub(super) fn sint32(number: u64) -> i32 {
    let number = uint32(number);
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Adds an attribute to a list of them, if there is room.
pub(super) fn put_attribute<'a>(
    message: &'a [u8],
    field: &str,
    bounds: &Bounds,
    into: &mut Vec<KeyValue<'a>>,
) -> Read<()> {
    if bounds.count(1) {
        let attribute = key_value(message, bounds);
        into.push(attribute.map_err(|error| error.within_item(field, into.len()))?);
    }
    Ok(())
}

fn key_value<'a>(message: &'a [u8], bounds: &Bounds) -> Read<KeyValue<'a>> {
    let mut pair = KeyValue::default();
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(key)) => pair.key = text(key, "key")?,
            (2, Value::Bytes(value)) => {
                pair.value = any_value(value, bounds).map_err(|error| error.within("value"))?;
            }
            (number @ 1..=2, _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    Ok(pair)
}

/// A value of any kind.
pub(super) fn any_value<'a>(message: &'a [u8], bounds: &Bounds) -> Read<AnyValue<'a>> {
    let mut value = AnyValue::Empty;
    for field in Fields::of(message) {
        value = match field? {
            (1, Value::Bytes(bytes)) => AnyValue::Text(text(bytes, "string_value")?),
            (2, Value::Number(number)) => AnyValue::Bool(number != 0),
            (3, Value::Number(number)) => AnyValue::Int(number.cast_signed()),
            (4, Value::Eight(bytes)) => AnyValue::Double(f64::from_le_bytes(bytes)),
            (5..=6, Value::Bytes(_)) if !bounds.enter() => AnyValue::passed_over(),
            (5, Value::Bytes(list)) => {
                AnyValue::Array(array(list, bounds).map_err(|error| error.within("array_value"))?)
            }
            (6, Value::Bytes(list)) => {
                AnyValue::Map(map(list, bounds).map_err(|error| error.within("kvlist_value"))?)
            }
            (7, Value::Bytes(bytes)) => AnyValue::Bytes(Cow::Borrowed(bytes)),
            (number @ 1..=7, _) => return Err(Malformed::Type(number).into()),
            _ => continue,
        };
    }
    Ok(value)
}

/// The values of an array that was entered.
fn array<'a>(message: &'a [u8], bounds: &Bounds) -> Read<Vec<AnyValue<'a>>> {
    let mut values = Vec::new();
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(_)) if !bounds.count(1) => {}
            (1, Value::Bytes(value)) => {
                let value = any_value(value, bounds);
                values.push(value.map_err(|error| error.within_item("values", values.len()))?);
            }
            (1, _) => return Err(Malformed::Type(1).into()),
            _ => {}
        }
    }
    bounds.leave();
    Ok(values)
}

/// The entries of a map that was entered.
fn map<'a>(message: &'a [u8], bounds: &Bounds) -> Read<Vec<KeyValue<'a>>> {
    let mut entries = Vec::new();
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(entry)) => put_attribute(entry, "values", bounds, &mut entries)?,
            (1, _) => return Err(Malformed::Type(1).into()),
            _ => {}
        }
    }
    bounds.leave();
    Ok(entries)
}
