//! Rows that lack columns: those in which there is nothing are left out, and some did not exist yet.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;

/// Gives rows the columns of `schema`, by name. A column that they lack, because there was nothing in it or they were
/// written before it existed, is null.
pub fn conform(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if rows.schema_ref().fields() == schema.fields() {
        return rows.clone().with_schema(Arc::clone(schema));
    }
    let columns = schema
        .fields()
        .iter()
        .map(|field| match rows.column_by_name(field.name()) {
            Some(column) => Arc::clone(column),
            None => new_null_array(field.data_type(), rows.num_rows()),
        })
        .collect();
    // Without any column, rows are a number alone.
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

/// Whether rows have columns of `schema` and no others, in its order, and all those that cannot be null.
pub fn is_narrowed(rows: &RecordBatch, schema: &SchemaRef) -> bool {
    let mut columns = rows.schema_ref().fields().iter().peekable();
    let has_all =
        schema.fields().iter().all(|field| columns.next_if_eq(&field).is_some() || field.is_nullable());
    has_all && columns.next().is_none()
}

/// Leaves out columns in which there is nothing.
pub fn narrowed(rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let fields = rows.schema_ref().fields().iter().zip(rows.columns()).enumerate();
    let has_something = |(_, (field, column)): &(usize, (&FieldRef, &ArrayRef))| {
        !field.is_nullable() || column.null_count() < column.len()
    };
    let kept: Vec<usize> = fields.filter(has_something).map(|(place, _)| place).collect();
    if kept.len() == rows.num_columns() { Ok(rows.clone()) } else { rows.project(&kept) }
}

/// The columns of `schema` that are in one of the schemas.
pub fn joint<'s>(schema: &SchemaRef, of: impl IntoIterator<Item = &'s SchemaRef>) -> SchemaRef {
    let of: Vec<&SchemaRef> = of.into_iter().collect();
    let is_in_one = |field: &&FieldRef| of.iter().any(|schema| schema.index_of(field.name()).is_ok());
    let fields: Vec<FieldRef> = schema.fields().iter().filter(is_in_one).cloned().collect();
    if fields.len() == schema.fields().len() { Arc::clone(schema) } else { Arc::new(Schema::new(fields)) }
}
