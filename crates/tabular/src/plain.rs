//! Rows for formats of text: times in UTC as an offset, which the formatters understand, and maps as JSON
//! texts where the format has none.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{
    DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow::error::ArrowError;

/// Whether a map may stay a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maps {
    Kept,
    AsJson,
}

const OFFSET: &str = "+00:00";

/// The schema that [`rows`] gives.
pub(crate) fn schema(schema: &Schema, maps: Maps) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let data_type = match field.data_type() {
            DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some(OFFSET.into())),
            DataType::Map(..) if maps == Maps::AsJson => DataType::Utf8,
            other => other.clone(),
        };
        Field::new(field.name(), data_type, field.is_nullable())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The rows in that schema.
pub(crate) fn rows(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = rows.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| plain(column, field.data_type())).collect();
    RecordBatch::try_new(Arc::clone(schema), columns)
}

fn plain(column: &ArrayRef, wanted: &DataType) -> ArrayRef {
    match (column.data_type(), wanted) {
        (DataType::Timestamp(TimeUnit::Second, Some(_)), _) => {
            Arc::new(column.as_primitive::<TimestampSecondType>().clone().with_timezone(OFFSET))
        }
        (DataType::Timestamp(TimeUnit::Microsecond, Some(_)), _) => {
            Arc::new(column.as_primitive::<TimestampMicrosecondType>().clone().with_timezone(OFFSET))
        }
        (DataType::Timestamp(TimeUnit::Millisecond, Some(_)), _) => {
            Arc::new(column.as_primitive::<TimestampMillisecondType>().clone().with_timezone(OFFSET))
        }
        (DataType::Timestamp(TimeUnit::Nanosecond, Some(_)), _) => {
            Arc::new(column.as_primitive::<TimestampNanosecondType>().clone().with_timezone(OFFSET))
        }
        (DataType::Map(..), DataType::Utf8) => Arc::new(json(column.as_map())),
        _ => Arc::clone(column),
    }
}

/// Each map as a JSON object.
fn json(maps: &MapArray) -> StringArray {
    let mut texts = StringBuilder::with_capacity(maps.len(), maps.len() * 16);
    let mut text = String::new();
    for row in 0..maps.len() {
        if maps.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        let entries = maps.value(row);
        let (keys, values) =
            (entries.column(0).as_string_opt::<i32>(), entries.column(1).as_string_opt::<i32>());
        text.push('{');
        if let (Some(keys), Some(values)) = (keys, values) {
            for entry in 0..keys.len() {
                if entry > 0 {
                    text.push(',');
                }
                quote(&mut text, keys.value(entry));
                text.push(':');
                if values.is_null(entry) {
                    text.push_str("null");
                } else {
                    quote(&mut text, values.value(entry));
                }
            }
        }
        text.push('}');
        texts.append_value(&text);
    }
    texts.finish()
}

/// A text as a JSON string.
fn quote(into: &mut String, text: &str) {
    into.push('"');
    for character in text.chars() {
        match character {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            control if control < ' ' => {
                // Writing to a String does not fail.
                let _ = write!(into, "\\u{:04x}", u32::from(control));
            }
            other => into.push(other),
        }
    }
    into.push('"');
}
