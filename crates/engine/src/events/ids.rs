//! Ids of traces and spans in files. What in memory is a text of hexadecimal digits is half as many bytes there, where
//! all that a file has in a column are such texts: in lower case and of the length that the column is known for
//! ([`Table::hex_columns`]). So bytes and texts say the same and have the same order, and to find one id no texts need
//! be made.
//!
//! Nothing but this module and the conditions of a scan knows of them: rows that leave a file have texts again.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray, RecordBatch, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use store::Table;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The digits of each byte.
static PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

/// What is no digit has this value, which has a bit that no digit's value has.
const NO_DIGIT: u8 = 16;

/// The value of each digit.
static VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// The columns that a file of these rows gets: those of `schema`, with bytes for texts where all of them are ids.
pub(crate) fn schema_of_rows<'r>(
    table: Table,
    schema: SchemaRef,
    rows: impl IntoIterator<Item = &'r RecordBatch>,
) -> SchemaRef {
    let rows: Vec<&RecordBatch> = rows.into_iter().collect();
    let are_ids = |column: &ArrayRef, digits| {
        let texts = column.as_string_opt::<i32>();
        texts.is_some_and(|texts| texts.iter().flatten().all(|text| is_id(text, digits)))
    };
    with_bytes(table, schema, |name, digits| {
        rows.iter().filter_map(|rows| rows.column_by_name(name)).all(|column| are_ids(column, digits))
    })
}

/// The columns that a file gets of the rows of others: those of `schema`, with bytes for texts where all files that
/// have the column have bytes there. Others are not looked through.
pub(crate) fn schema_of_files<'s>(
    table: Table,
    schema: SchemaRef,
    files: impl IntoIterator<Item = &'s SchemaRef>,
) -> SchemaRef {
    let files: Vec<&SchemaRef> = files.into_iter().collect();
    with_bytes(table, schema, |name, digits| {
        let mut fields = files.iter().filter_map(|schema| schema.field_with_name(name).ok());
        fields.all(|field| *field.data_type() == bytes_for(digits))
    })
}

fn with_bytes(table: Table, schema: SchemaRef, are_ids: impl Fn(&str, u8) -> bool) -> SchemaRef {
    let columns = table.hex_columns();
    if columns.is_empty() {
        return schema;
    }
    let field = |field: &FieldRef| {
        let column = columns.iter().find(|(name, _)| *name == field.name().as_str());
        match column {
            Some((name, digits)) if are_ids(name, *digits) => of_type(field, bytes_for(*digits)),
            _ => Arc::clone(field),
        }
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

fn bytes_for(digits: u8) -> DataType {
    DataType::FixedSizeBinary(i32::from(digits / 2))
}

fn of_type(field: &FieldRef, data_type: DataType) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

/// Rows with texts for bytes or bytes for texts where `schema` has them.
pub(super) fn converted(rows: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if rows.schema_ref().fields() == schema.fields() || !(has_bytes(rows.schema_ref()) || has_bytes(schema)) {
        return Ok(rows);
    }
    with_types(&rows, |field| {
        schema
            .field_with_name(field.name())
            .map_or_else(|_| field.data_type().clone(), |to| to.data_type().clone())
    })
}

/// Rows with texts for all bytes.
pub(super) fn rows_in_texts(rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    if !has_bytes(rows.schema_ref()) {
        return Ok(rows.clone());
    }
    with_types(rows, |field| match field.data_type() {
        DataType::FixedSizeBinary(_) => DataType::Utf8,
        other => other.clone(),
    })
}

/// The texts of bytes. Other columns stay what they are.
pub(super) fn in_texts(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    as_type(column, &DataType::Utf8)
}

/// The bytes of an id; `None` for what is none of so many bytes.
pub(super) fn parsed(text: &str, size: i32) -> Option<Vec<u8>> {
    let size = usize::try_from(size).ok().filter(|size| *size > 0 && text.len() == size.saturating_mul(2))?;
    let mut bytes = vec![0; size];
    parse(text, &mut bytes).then_some(bytes)
}

/// What of a text is in the bloom filter of a column of this type; `None` when no row of it can have the text.
pub(super) fn hashed<'t>(data_type: &DataType, text: &'t str) -> Option<Cow<'t, [u8]>> {
    match data_type {
        DataType::FixedSizeBinary(size) => parsed(text, *size).map(Cow::Owned),
        _ => Some(Cow::Borrowed(text.as_bytes())),
    }
}

fn has_bytes(schema: &Schema) -> bool {
    schema.fields().iter().any(|field| matches!(field.data_type(), DataType::FixedSizeBinary(_)))
}

fn with_types(rows: &RecordBatch, wanted: impl Fn(&Field) -> DataType) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::with_capacity(rows.num_columns());
    let mut columns = Vec::with_capacity(rows.num_columns());
    for (field, column) in rows.schema_ref().fields().iter().zip(rows.columns()) {
        let column = as_type(column, &wanted(field))?;
        let is_same = column.data_type() == field.data_type();
        fields.push(if is_same { Arc::clone(field) } else { of_type(field, column.data_type().clone()) });
        columns.push(column);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// A column with texts for bytes or the other way round, where that is what makes it of the type.
fn as_type(column: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    let column: ArrayRef = match (column.data_type(), data_type) {
        (DataType::FixedSizeBinary(_), DataType::Utf8) => Arc::new(texts_of(column.as_fixed_size_binary())?),
        (DataType::Utf8, DataType::FixedSizeBinary(size)) => Arc::new(bytes_of(column.as_string(), *size)?),
        _ => Arc::clone(column),
    };
    Ok(column)
}

fn texts_of(ids: &FixedSizeBinaryArray) -> Result<StringArray, ArrowError> {
    let length = ids.value_size() * 2;
    let mut digits = vec![0; (ids.len() - ids.null_count()) * length];
    let mut offsets = Vec::with_capacity(ids.len() + 1);
    offsets.push(0);
    let mut end = 0;
    for id in ids {
        if let Some(id) = id {
            let text = &mut digits[end..end + length];
            for (byte, pair) in id.iter().zip(text.chunks_exact_mut(2)) {
                pair.copy_from_slice(&PAIRS[usize::from(*byte)]);
            }
            end += length;
        }
        offsets.push(i32::try_from(end).map_err(|_| ArrowError::OffsetOverflowError(end))?);
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    StringArray::try_new(offsets, Buffer::from_vec(digits), ids.nulls().cloned())
}

fn bytes_of(texts: &StringArray, size: i32) -> Result<FixedSizeBinaryArray, ArrowError> {
    let length = usize::try_from(size).unwrap_or(0);
    let mut bytes = vec![0; texts.len() * length];
    for (text, id) in texts.iter().zip(bytes.chunks_exact_mut(length.max(1))) {
        if text.is_some_and(|text| !parse(text, id)) {
            return Err(ArrowError::InvalidArgumentError(format!(
                "there is a text that is no id of {size} bytes"
            )));
        }
    }
    FixedSizeBinaryArray::try_new_with_len(size, Buffer::from_vec(bytes), texts.nulls().cloned(), texts.len())
}

fn is_id(text: &str, digits: u8) -> bool {
    text.len() == usize::from(digits) && text.bytes().all(|digit| VALUES[usize::from(digit)] != NO_DIGIT)
}

/// Whether a text is an id of so many bytes, which then are in `bytes`.
fn parse(text: &str, bytes: &mut [u8]) -> bool {
    let mut seen = 0;
    for (digits, byte) in text.as_bytes().chunks_exact(2).zip(bytes.iter_mut()) {
        let (high, low) = (VALUES[usize::from(digits[0])], VALUES[usize::from(digits[1])]);
        seen |= high | low;
        *byte = (high << 4) | (low & 15);
    }
    seen & NO_DIGIT == 0 && text.len() == 2 * bytes.len()
}

#[cfg(test)]
mod tests;
