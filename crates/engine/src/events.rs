//! Event files: Parquet files of one table each, rows in ascending time.

pub(crate) mod collect;
pub(crate) mod filter;
pub(crate) mod read;
pub(crate) mod tokens;
pub(crate) mod write;

use std::sync::Arc;

use arrow::array::{
    Array, AsArray, RecordBatch, RecordBatchOptions, TimestampNanosecondArray, new_null_array,
};
use arrow::datatypes::{SchemaRef, TimestampNanosecondType};
use arrow::error::ArrowError;

/// The column that every table has, by which files are sorted.
pub(crate) const TIME: &str = "time";

/// The times of rows.
pub(crate) fn times_of(rows: &RecordBatch) -> Result<&TimestampNanosecondArray, ArrowError> {
    rows.column_by_name(TIME)
        .and_then(|column| column.as_primitive_opt::<TimestampNanosecondType>())
        .filter(|times| times.null_count() == 0)
        .ok_or_else(|| ArrowError::SchemaError("rows of events have no times".to_owned()))
}

/// Gives rows the columns of `schema`, by name. A column that they lack, because they were written
/// before it existed, is null.
pub(crate) fn conform(rows: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if rows.schema_ref().fields() == schema.fields() {
        return rows.with_schema(Arc::clone(schema));
    }
    let columns = schema
        .fields()
        .iter()
        .map(|field| match rows.column_by_name(field.name()) {
            Some(column) => Arc::clone(column),
            None => new_null_array(field.data_type(), rows.num_rows()),
        })
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::deploys;
    use store::{Table, schema};

    #[test]
    fn rows_from_before_a_column_existed_get_it_as_null() {
        let schema = schema(Table::Deploys);
        let rows = deploys(&[1, 2]);
        let kept: Vec<usize> =
            (0..schema.fields().len()).filter(|i| schema.field(*i).name() != "url").rev().collect();
        let older = rows.project(&kept).expect("projection");
        let back = conform(older, &schema).expect("conforms");
        assert_eq!(back.schema(), schema);
        assert_eq!(back.column_by_name("url").map(Array::null_count), Some(2));
    }
}
