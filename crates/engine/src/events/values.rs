//! Attributes as columns of an answer, so that no maps are made of those that have columns of their own in files.
//!
//! An attribute is a column of its texts; or, where all that becomes of it are numbers of one type, of [`numbers`]. What
//! rows have of it is the same whether they come from memory or from a file, and whatever is lifted there. Start reading
//! at [`Value`].

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StructArray, new_null_array};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{is_not_null, is_null, nullif};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use arrow::error::ArrowError;

use crate::events::condition::{Which, attribute};
use crate::events::lifted::{Lifted, either};

/// An attribute that is a column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    /// What the column is called. No column of a table has a point in its name.
    pub(crate) name: String,
    pub(crate) map: String,
    pub(crate) key: String,
    /// The type of the numbers that become of it; `None` for texts.
    pub(crate) number: Option<DataType>,
}

impl Value {
    /// The texts of an attribute.
    pub(crate) fn new(map: &str, key: &str) -> Self {
        Self { name: format!("{map}.{key}"), map: map.to_owned(), key: key.to_owned(), number: None }
    }

    pub(crate) fn field(&self) -> Field {
        let data_type = self.number.as_ref().map_or(DataType::Utf8, numbers);
        Field::new(&self.name, data_type, true)
    }

    /// What rows have, which are of a file in which attributes are lifted, or of memory.
    fn of(&self, rows: &RecordBatch, lifted: &Lifted) -> Result<ArrayRef, ArrowError> {
        let Some(number) = &self.number else { return self.texts(rows, lifted) };
        let (numbers, texts) = match lifted.numbers(rows, &self.map, &self.key, number)? {
            Some(numbers) => {
                let of_maps = self.of_maps(rows, lifted)?;
                (numbers, of_maps.unwrap_or_else(|| new_null_array(&DataType::Utf8, rows.num_rows())))
            }
            None => (new_null_array(number, rows.num_rows()), self.texts(rows, lifted)?),
        };
        Ok(Arc::new(StructArray::try_new(fields(number), vec![numbers, texts], None)?))
    }

    fn texts(&self, rows: &RecordBatch, lifted: &Lifted) -> Result<ArrayRef, ArrowError> {
        let of_column = lifted.values(rows, &self.map, &self.key)?;
        Ok(match (of_column, self.of_maps(rows, lifted)?) {
            (Some(of_column), Some(of_maps)) => either(&of_column, &of_maps)?,
            (Some(values), None) | (None, Some(values)) => values,
            (None, None) => new_null_array(&DataType::Utf8, rows.num_rows()),
        })
    }

    /// What the maps have of it, where they may have something. Of several with one name the first is meant, as for
    /// `get_field`.
    fn of_maps(&self, rows: &RecordBatch, lifted: &Lifted) -> Result<Option<ArrayRef>, ArrowError> {
        match rows.column_by_name(&self.map) {
            Some(maps) if !lifted.is_whole(&self.map, &self.key) => {
                attribute(maps, &self.key, Which::First).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// Rows with these attributes as columns, and with the maps that are wanted. Rows are those of a file in which attributes
/// are lifted, whose columns may be called the same and be something else.
pub(crate) fn with_values(
    rows: RecordBatch,
    values: &[Value],
    lifted: &Lifted,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<RecordBatch, ArrowError> {
    let of_values = values.iter().map(|value| value.of(&rows, lifted)).collect::<Result<Vec<_>, _>>()?;
    let rows = lifted.remade(rows, is_wanted)?;
    let mut fields: Vec<FieldRef> = Vec::with_capacity(rows.num_columns() + values.len());
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(rows.num_columns() + values.len());
    for (field, column) in rows.schema_ref().fields().iter().zip(rows.columns()) {
        if !values.iter().any(|value| value.name == *field.name()) {
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(column));
        }
    }
    fields.extend(values.iter().map(|value| Arc::new(value.field())));
    columns.extend(of_values);
    // Without any column, rows are a number alone.
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
}

/// The type of texts of which numbers of a type become, some of which are such numbers already. A row has one of both, or
/// none. A text is made a number by whoever needs it, so that one of which none can be made is no error for others.
pub(crate) fn numbers(number: &DataType) -> DataType {
    DataType::Struct(fields(number))
}

fn fields(number: &DataType) -> Fields {
    Fields::from(vec![Field::new("number", number.clone(), true), Field::new("text", DataType::Utf8, true)])
}

/// The numbers of a column of [`numbers`]; `cast` makes them of texts.
pub(crate) fn numbers_of<E: From<ArrowError>>(
    column: &ArrayRef,
    cast: impl FnOnce(ArrayRef) -> Result<ArrayRef, E>,
) -> Result<ArrayRef, E> {
    let Some(both) = column.as_struct_opt().filter(|both| both.num_columns() == 2) else {
        return Err(ArrowError::SchemaError("a column of numbers has something else".to_owned()).into());
    };
    let of_rows = |place: usize| match both.null_count() {
        0 => Ok(Arc::clone(both.column(place))),
        _ => nullif(both.column(place), &is_null(both)?),
    };
    let (numbers, texts) = (of_rows(0)?, of_rows(1)?);
    if texts.null_count() == texts.len() {
        return Ok(numbers);
    }
    let of_texts = cast(Arc::clone(&texts))?;
    if numbers.null_count() == numbers.len() {
        return Ok(of_texts);
    }
    Ok(zip(&is_not_null(&texts)?, &of_texts, &numbers)?)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, StringArray};
    use arrow::buffer::NullBuffer;
    use arrow::compute::cast;

    use super::*;

    fn column(numbers: Vec<Option<f64>>, texts: Vec<Option<&str>>, rows: Option<Vec<bool>>) -> ArrayRef {
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Float64Array::from(numbers)), Arc::new(StringArray::from(texts))];
        let rows = rows.map(NullBuffer::from);
        Arc::new(StructArray::try_new(fields(&DataType::Float64), columns, rows).expect("columns"))
    }

    #[test]
    fn numbers_are_made_of_those_texts_alone_that_are_there() {
        let read = |column: &ArrayRef| {
            numbers_of::<ArrowError>(column, |texts| cast(&texts, &DataType::Float64)).expect("numbers")
        };
        let floats = |numbers: Vec<Option<f64>>| -> ArrayRef { Arc::new(Float64Array::from(numbers)) };
        let both = column(vec![Some(1.5), None, None], vec![None, Some("1e3"), None], None);
        assert_eq!(&read(&both), &floats(vec![Some(1.5), Some(1_000.0), None]));
        let texts = column(vec![None, None], vec![Some("2"), None], None);
        assert_eq!(&read(&texts), &floats(vec![Some(2.0), None]));
        // Rows that a join has none for.
        let missing = column(vec![Some(1.0), Some(2.0)], vec![None, Some("3")], Some(vec![false, false]));
        assert_eq!(&read(&missing), &floats(vec![None, None]));
        let numbers = column(vec![Some(1.0), None], vec![None, None], None);
        let never = |_: ArrayRef| -> Result<ArrayRef, ArrowError> { panic!("there are no texts") };
        assert_eq!(&numbers_of(&numbers, never).expect("numbers"), &floats(vec![Some(1.0), None]));
        let other = floats(vec![Some(1.0)]);
        assert!(
            numbers_of::<ArrowError>(&other, Ok).is_err_and(|error| error.to_string().contains("numbers"))
        );
    }
}
