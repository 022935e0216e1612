//! Putting lifted attributes back into maps.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, MapArray, RecordBatch, RecordBatchOptions, StringArray,
    StringBuilder, StructArray,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, Schema};
use arrow::error::ArrowError;

use super::decimal::{Decimal, MAX_BYTES};
use super::{Kind, OfMap, missing};

/// Rows of a file with a map in place of what they have of it.
pub(super) fn of_map(rows: RecordBatch, map: &OfMap) -> Result<RecordBatch, ArrowError> {
    if !map.columns.iter().any(|(name, _)| rows.column_by_name(name).is_some()) {
        return Ok(rows);
    }
    let lifted = map.columns.iter().filter_map(|(name, column)| {
        let values = rows.column_by_name(name)?;
        Some(Lifted::of(&column.key, column.kind, values))
    });
    let lifted = lifted.collect::<Result<Vec<_>, _>>()?;
    let rest = match rows.column_by_name(&map.name) {
        Some(column) => Some(column.as_map_opt().ok_or_else(|| missing(&map.name))?),
        None => None,
    };
    let remade: ArrayRef = Arc::new(remade(&map.data_type, rest, &lifted, rows.num_rows())?);
    let is_lifted = |name: &String| map.columns.iter().any(|(column, _)| column == name);
    let mut fields: Vec<FieldRef> = Vec::with_capacity(rows.num_columns());
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(rows.num_columns());
    for (field, column) in rows.schema_ref().fields().iter().zip(rows.columns()) {
        if !is_lifted(field.name()) {
            let is_map = *field.name() == map.name;
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(if is_map { &remade } else { column }));
        }
    }
    if rest.is_none() {
        fields.push(Arc::new(Field::new(&map.name, map.data_type.clone(), true)));
        columns.push(remade);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
}

/// The values of a column, as texts.
pub(super) fn texts(kind: Kind, values: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let Kind::Number(decimal) = kind else { return Ok(Arc::clone(values)) };
    let numbers = numbers_of(values)?;
    let mut texts = StringBuilder::with_capacity(numbers.len(), numbers.len() * MAX_BYTES / 4);
    for number in numbers {
        match number {
            Some(number) => texts.append_value(decimal.text(number, &mut [0; MAX_BYTES])),
            None => texts.append_null(),
        }
    }
    Ok(Arc::new(texts.finish()))
}

/// The numbers of a column that has such.
pub(super) fn numbers_of(values: &ArrayRef) -> Result<&Int64Array, ArrowError> {
    let numbers = values.as_primitive_opt::<Int64Type>();
    numbers.ok_or_else(|| ArrowError::SchemaError("a column of numbers has something else".to_owned()))
}

/// What a column has of one attribute.
struct Lifted<'a> {
    key: &'a str,
    values: Values<'a>,
}

enum Values<'a> {
    Texts(&'a StringArray),
    Numbers(Decimal, &'a Int64Array),
}

impl<'a> Lifted<'a> {
    fn of(key: &'a str, kind: Kind, values: &'a ArrayRef) -> Result<Self, ArrowError> {
        let values = match kind {
            Kind::Number(decimal) => Values::Numbers(decimal, numbers_of(values)?),
            Kind::Text => Values::Texts(values.as_string_opt::<i32>().ok_or_else(|| missing(key))?),
        };
        Ok(Self { key, values })
    }

    fn is_there(&self, row: usize) -> bool {
        match self.values {
            Values::Texts(texts) => texts.is_valid(row),
            Values::Numbers(_, numbers) => numbers.is_valid(row),
        }
    }

    /// How many rows have it.
    fn count(&self) -> usize {
        match self.values {
            Values::Texts(texts) => texts.len() - texts.null_count(),
            Values::Numbers(_, numbers) => numbers.len() - numbers.null_count(),
        }
    }

    /// The most bytes of its values.
    fn bytes(&self) -> usize {
        match self.values {
            Values::Texts(texts) => bytes_of(texts, 0..texts.len()),
            Values::Numbers(..) => self.count() * MAX_BYTES,
        }
    }

    fn add_to(&self, row: usize, entries: &mut Entries) {
        match self.values {
            Values::Texts(texts) => entries.add(self.key, Some(texts.value(row))),
            Values::Numbers(decimal, numbers) => {
                entries.add(self.key, Some(decimal.text(numbers.value(row), &mut [0; MAX_BYTES])));
            }
        }
    }
}

/// Entries of maps that are being made.
struct Entries {
    keys: StringBuilder,
    values: StringBuilder,
    count: usize,
}

impl Entries {
    fn add(&mut self, key: &str, value: Option<&str>) {
        self.keys.append_value(key);
        self.values.append_option(value);
        self.count += 1;
    }
}

/// Bytes of some texts.
fn bytes_of(texts: &StringArray, range: Range<usize>) -> usize {
    let offsets = texts.value_offsets();
    (offsets[range.end] - offsets[range.start]) as usize
}

/// What is left in the maps of a file, as the remaking of maps needs it.
struct Rest<'a> {
    map: &'a MapArray,
    keys: &'a StringArray,
    values: &'a StringArray,
}

impl<'a> Rest<'a> {
    fn of(map: &'a MapArray) -> Result<Self, ArrowError> {
        match (map.keys().as_string_opt::<i32>(), map.values().as_string_opt::<i32>()) {
            (Some(keys), Some(values)) => Ok(Self { map, keys, values }),
            _ => Err(ArrowError::SchemaError("maps have something else than texts".to_owned())),
        }
    }

    fn of_row(&self, row: usize) -> Range<usize> {
        let offsets = self.map.value_offsets();
        offsets[row] as usize..offsets[row + 1] as usize
    }

    /// All entries of all rows.
    fn all(&self) -> Range<usize> {
        let offsets = self.map.value_offsets();
        offsets[0] as usize..offsets[offsets.len() - 1] as usize
    }

    fn add_to(&self, entry: usize, entries: &mut Entries) {
        entries.add(self.keys.value(entry), self.values.is_valid(entry).then(|| self.values.value(entry)));
    }
}

/// Maps of what is left in those of a file and of what columns have, which are in the order of their keys. Without the
/// former every row has a map.
fn remade(
    data_type: &DataType,
    rest: Option<&MapArray>,
    lifted: &[Lifted<'_>],
    rows: usize,
) -> Result<MapArray, ArrowError> {
    let rest = rest.map(Rest::of).transpose()?;
    let mut entries = room(rest.as_ref(), lifted)?;
    let mut ends = Vec::with_capacity(rows + 1);
    ends.push(0);
    for row in 0..rows {
        if rest.as_ref().is_none_or(|rest| rest.map.is_valid(row)) {
            let mut left = rest.as_ref().map_or(0..0, |rest| rest.of_row(row));
            for column in lifted.iter().filter(|column| column.is_there(row)) {
                if let Some(rest) = &rest {
                    while left.start < left.end && rest.keys.value(left.start) < column.key {
                        rest.add_to(left.start, &mut entries);
                        left.start += 1;
                    }
                }
                column.add_to(row, &mut entries);
            }
            if let Some(rest) = &rest {
                left.for_each(|entry| rest.add_to(entry, &mut entries));
            }
        }
        ends.push(i32::try_from(entries.count).map_err(|_| ArrowError::OffsetOverflowError(entries.count))?);
    }
    let DataType::Map(field, is_sorted) = data_type else { return Err(missing("entries")) };
    let DataType::Struct(fields) = field.data_type() else { return Err(missing("entries")) };
    let Entries { mut keys, mut values, .. } = entries;
    let entries: Vec<ArrayRef> = vec![Arc::new(keys.finish()), Arc::new(values.finish())];
    let entries = StructArray::try_new(fields.clone(), entries, None)?;
    let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
    let nulls = rest.and_then(|rest| rest.map.nulls().cloned());
    MapArray::try_new(Arc::clone(field), ends, entries, nulls, *is_sorted)
}

/// Room for the entries of maps; an error when these are more than an array can have.
fn room(rest: Option<&Rest<'_>>, lifted: &[Lifted<'_>]) -> Result<Entries, ArrowError> {
    let of_rest = rest.map_or(0..0, Rest::all);
    let count = of_rest.len() + lifted.iter().map(Lifted::count).sum::<usize>();
    let of_keys: usize = lifted.iter().map(|column| column.count() * column.key.len()).sum();
    let of_values: usize = lifted.iter().map(Lifted::bytes).sum();
    let keys = of_keys + rest.map_or(0, |rest| bytes_of(rest.keys, of_rest.clone()));
    let values = of_values + rest.map_or(0, |rest| bytes_of(rest.values, of_rest.clone()));
    for bytes in [keys, values] {
        if i32::try_from(bytes).is_err() {
            return Err(ArrowError::OffsetOverflowError(bytes));
        }
    }
    Ok(Entries {
        keys: StringBuilder::with_capacity(count, keys),
        values: StringBuilder::with_capacity(count, values),
        count: 0,
    })
}
