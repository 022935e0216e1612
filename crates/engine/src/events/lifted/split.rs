//! Taking lifted attributes out of the maps of rows.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, MapArray, RecordBatch, StringArray, StructArray, UInt32Array,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::file::metadata::KeyValue;

use super::decimal::Decimal;
use super::{Column, Kind, told};

/// What is lifted of rows that are written to a file.
pub(crate) struct Lifting {
    /// Those of each column of the rows that has maps, in the order of their keys; of others none.
    columns: Vec<Vec<Column>>,
    schema: SchemaRef,
}

impl Lifting {
    /// Of rows with the columns of `schema`, these attributes.
    pub(crate) fn new(schema: &SchemaRef, lifted: Vec<Column>) -> Self {
        let mut columns: Vec<Vec<Column>> = vec![Vec::new(); schema.fields().len()];
        for column in lifted {
            if let Ok(place) = schema.index_of(&column.map)
                && told::is_map_of_texts(schema.field(place).data_type())
            {
                columns[place].push(column);
            }
        }
        let mut fields: Vec<FieldRef> = Vec::new();
        for (field, columns) in schema.fields().iter().zip(&mut columns) {
            columns.sort_by(|a, b| a.key.cmp(&b.key));
            columns.dedup_by(|a, b| a.key == b.key);
            fields.push(Arc::clone(field));
            fields.extend(columns.iter().map(|column| Arc::new(column.field())));
        }
        Self { columns, schema: Arc::new(Schema::new(fields)) }
    }

    /// The columns of the file.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The names of those columns that have numbers for texts.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = String> {
        let columns = self.columns.iter().flatten();
        columns.filter(|column| matches!(column.kind, Kind::Number(_))).map(Column::name)
    }

    /// Rows as they are written.
    pub(crate) fn split(&mut self, rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        if self.columns.iter().all(Vec::is_empty) {
            return Ok(rows.clone());
        }
        let mut split = Vec::with_capacity(self.schema.fields().len());
        for (column, lifted) in rows.columns().iter().zip(&mut self.columns) {
            if lifted.is_empty() {
                split.push(Arc::clone(column));
                continue;
            }
            let map = column.as_map_opt().ok_or_else(|| other("a column of maps has something else"))?;
            let (rest, of_rows) = Split::of(map, lifted)?.finish()?;
            split.push(Arc::new(rest));
            split.extend(of_rows);
        }
        RecordBatch::try_new(Arc::clone(&self.schema), split)
    }

    /// What the file's metadata says of it, once all rows are written.
    pub(crate) fn to_metadata(&self) -> Option<KeyValue> {
        told::written(self.columns.iter().flatten())
    }
}

fn other(what: &str) -> ArrowError {
    ArrowError::SchemaError(what.to_owned())
}

/// Maps that are being split.
struct Split<'a> {
    map: &'a MapArray,
    keys: &'a StringArray,
    values: &'a StringArray,
    columns: &'a mut [Column],
    /// What each of the columns has.
    lifted: Vec<Values>,
    /// The entries that stay, and where those of each row end.
    rest: Vec<u32>,
    ends: Vec<i32>,
    /// The column of each entry of the row before, where these entries begin, and whether they are in order. Most rows
    /// have the same names.
    found: Vec<Option<usize>>,
    before: usize,
    is_before_in_order: bool,
}

/// What a column has of each row.
enum Values {
    /// The entry that is its value.
    Texts(Vec<Option<u32>>),
    Numbers(Decimal, Vec<Option<i64>>),
}

impl<'a> Split<'a> {
    fn of(map: &'a MapArray, columns: &'a mut [Column]) -> Result<Self, ArrowError> {
        let texts = (map.keys().as_string_opt::<i32>(), map.values().as_string_opt::<i32>());
        let (Some(keys), Some(values)) = texts else {
            return Err(other("maps have something else than texts"));
        };
        let rows = map.len();
        let lifted = columns.iter().map(|column| match column.kind {
            Kind::Text => Values::Texts(vec![None; rows]),
            Kind::Number(decimal) => Values::Numbers(decimal, vec![None; rows]),
        });
        let lifted = lifted.collect();
        let (rest, ends) = (Vec::new(), Vec::with_capacity(rows + 1));
        let (found, before, is_before_in_order) = (Vec::new(), 0, true);
        let mut split =
            Self { map, keys, values, columns, lifted, rest, ends, found, before, is_before_in_order };
        split.ends.push(0);
        for row in 0..rows {
            if map.is_valid(row) {
                let offsets = map.value_offsets();
                split.add(row, offsets[row] as usize..offsets[row + 1] as usize)?;
            }
            let end = i32::try_from(split.rest.len());
            split.ends.push(end.map_err(|_| ArrowError::OffsetOverflowError(split.rest.len()))?);
        }
        Ok(split)
    }

    fn add(&mut self, row: usize, entries: Range<usize>) -> Result<(), ArrowError> {
        // Of names that are not in order, or not each once, nobody would know where they belong.
        let is_in_order = self.find(&entries);
        for (nth, entry) in entries.enumerate() {
            let place = u32::try_from(entry).map_err(|_| ArrowError::OffsetOverflowError(entry))?;
            let is_lifted = match self.found[nth] {
                Some(column) if is_in_order && self.values.is_valid(entry) => {
                    self.lifted[column].take(row, place, self.values.value(entry))
                }
                _ => false,
            };
            if !is_lifted {
                if let Some(column) = self.found[nth] {
                    self.columns[column].is_whole = false;
                }
                self.rest.push(place);
            }
        }
        Ok(())
    }

    /// Finds the column of each entry of a row. Returns whether their names are in order, each once.
    fn find(&mut self, entries: &Range<usize>) -> bool {
        let (mut is_in_order, mut was_same) = (true, false);
        for (nth, entry) in entries.clone().enumerate() {
            let key = self.keys.value(entry);
            let is_same = nth < self.found.len() && self.keys.value(self.before + nth) == key;
            let is_known = is_same && was_same && self.is_before_in_order;
            if nth > 0 && !is_known && self.keys.value(entry - 1) >= key {
                is_in_order = false;
            }
            if !is_same {
                let place = self.columns.binary_search_by(|column| column.key.as_str().cmp(key)).ok();
                match self.found.get_mut(nth) {
                    Some(found) => *found = place,
                    None => self.found.push(place),
                }
            }
            was_same = is_same;
        }
        self.found.truncate(entries.len());
        (self.before, self.is_before_in_order) = (entries.start, is_in_order);
        is_in_order
    }

    /// The maps with what is left of them, and the columns.
    fn finish(self) -> Result<(MapArray, Vec<ArrayRef>), ArrowError> {
        let DataType::Map(field, is_sorted) = self.map.data_type() else {
            return Err(other("a column of maps has something else"));
        };
        let DataType::Struct(fields) = field.data_type() else {
            return Err(other("maps have something else than entries"));
        };
        let rest = UInt32Array::from(self.rest);
        let entries = vec![take(self.keys, &rest, None)?, take(self.values, &rest, None)?];
        let entries = StructArray::try_new(fields.clone(), entries, None)?;
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        let nulls = self.map.nulls().cloned();
        let rest = MapArray::try_new(Arc::clone(field), ends, entries, nulls, *is_sorted)?;
        let values = self.values;
        let columns = self.lifted.into_iter().map(|lifted| lifted.finish(values));
        Ok((rest, columns.collect::<Result<_, _>>()?))
    }
}

impl Values {
    /// Takes the value of a row, which is the text of an entry, if it would come back as it is.
    fn take(&mut self, row: usize, entry: u32, text: &str) -> bool {
        match self {
            Self::Texts(entries) => {
                entries[row] = Some(entry);
                true
            }
            Self::Numbers(decimal, numbers) => {
                numbers[row] = decimal.parsed(text);
                numbers[row].is_some()
            }
        }
    }

    fn finish(self, values: &StringArray) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Texts(entries) => take(values, &UInt32Array::from(entries), None),
            Self::Numbers(_, numbers) => Ok(Arc::new(Int64Array::from(numbers))),
        }
    }
}
