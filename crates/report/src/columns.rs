//! Columns of a batch by name, as a pass reads them: without making rows of them.

use arrow::array::{Array, AsArray, PrimitiveArray, RecordBatch, StringArray};
use arrow::datatypes::{ArrowPrimitiveType, Float64Type, TimestampNanosecondType, UInt64Type};
use model::Timestamp;

/// A column of texts. One that the batch lacks is null everywhere.
pub(crate) struct Texts<'a>(Option<&'a StringArray>);

impl<'a> Texts<'a> {
    pub(crate) fn of(rows: &'a RecordBatch, column: &str) -> Self {
        Self(rows.column_by_name(column).and_then(|column| column.as_string_opt()))
    }

    pub(crate) fn get(&self, row: usize) -> Option<&'a str> {
        self.0.filter(|texts| !texts.is_null(row)).map(|texts| texts.value(row))
    }
}

/// A column of numbers or times. One that the batch lacks is null everywhere.
pub(crate) struct Values<'a, T: ArrowPrimitiveType>(Option<&'a PrimitiveArray<T>>);

pub(crate) type Counts<'a> = Values<'a, UInt64Type>;
pub(crate) type Numbers<'a> = Values<'a, Float64Type>;
pub(crate) type Times<'a> = Values<'a, TimestampNanosecondType>;

impl<'a, T: ArrowPrimitiveType> Values<'a, T> {
    pub(crate) fn of(rows: &'a RecordBatch, column: &str) -> Self {
        Self(rows.column_by_name(column).and_then(|column| column.as_primitive_opt()))
    }

    pub(crate) fn get(&self, row: usize) -> Option<T::Native> {
        self.0.filter(|values| !values.is_null(row)).map(|values| values.value(row))
    }
}

impl Times<'_> {
    pub(crate) fn time(&self, row: usize) -> Option<Timestamp> {
        self.get(row).map(Timestamp::from_nanos)
    }
}

/// Whether a column of truth values says yes.
pub(crate) fn says_yes(rows: &RecordBatch, column: &str, row: usize) -> bool {
    rows.column_by_name(column)
        .and_then(|column| column.as_boolean_opt())
        .is_some_and(|values| !values.is_null(row) && values.value(row))
}
