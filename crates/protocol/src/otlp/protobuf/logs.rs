//! `ExportLogsServiceRequest`.

use std::mem::take;

use super::Read;
use super::request::{Names, Walk};
use super::value::{any_value, int32, put_attribute, text, time, uint32};
use crate::otlp::bounds::Bounds;
use crate::otlp::ids::Id;
use crate::otlp::logs::{LogRecord, LogSink};
use crate::wire::{Fields, Malformed, Value};

const NAMES: Names = Names { resources: "resource_logs", scopes: "scope_logs", records: "log_records" };

/// Takes a request apart.
pub(in crate::otlp) fn decode(body: &[u8], sink: &mut impl LogSink) -> Read<()> {
    let bounds = Bounds::default();
    let mut one = LogRecord::default();
    let record = |message, sink: &mut _| {
        read(message, &bounds, &mut one)?;
        LogSink::record(sink, &one);
        Ok(())
    };
    Walk { names: NAMES, sink, bounds: &bounds, record }.request(body)
}

/// Reads a record over the one before, whose list it uses again.
fn read<'a>(message: &'a [u8], bounds: &Bounds, into: &mut LogRecord<'a>) -> Read<()> {
    let mut attributes = take(&mut into.attributes);
    attributes.clear();
    *into = LogRecord { attributes, ..LogRecord::default() };
    for field in Fields::of(message) {
        match field? {
            (1, Value::Eight(bytes)) => into.time = time(bytes),
            (2, Value::Number(number)) => into.severity_number = int32(number),
            (3, Value::Bytes(bytes)) => into.severity_text = text(bytes, "severity_text")?,
            (5, Value::Bytes(body)) => {
                into.body = any_value(body, bounds).map_err(|error| error.within("body"))?;
            }
            (6, Value::Bytes(attribute)) => {
                put_attribute(attribute, "attributes", bounds, &mut into.attributes)?;
            }
            (7, Value::Number(count)) => into.dropped_attributes_count = uint32(count),
            (8, Value::Four(bytes)) => into.flags = u32::from_le_bytes(bytes),
            (9, Value::Bytes(id)) => into.trace_id = Id::from_bytes(id),
            (10, Value::Bytes(id)) => into.span_id = Id::from_bytes(id),
            (11, Value::Eight(bytes)) => into.observed_time = time(bytes),
            (12, Value::Bytes(bytes)) => into.event_name = text(bytes, "event_name")?,
            (number @ (1..=3 | 5..=12), _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    into.beyond = bounds.beyond();
    Ok(())
}
