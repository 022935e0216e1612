//! Event files: Parquet files of one table each, rows in ascending time.

pub(crate) mod bloom;
pub(crate) mod collect;
pub(crate) mod condition;
pub(crate) mod dictionaries;
pub(crate) mod filter;
pub(crate) mod footer;
pub(crate) mod ids;
pub(crate) mod lifted;
pub(crate) mod merge;
pub(crate) mod order;
pub(crate) mod read;
pub(crate) mod tokens;
pub(crate) mod values;
pub(crate) mod write;

use arrow::array::{Array, AsArray, RecordBatch, TimestampNanosecondArray};
use arrow::compute::concat_batches;
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

/// Gives rows the columns of `schema`, by name, see [`store::conform`], and its ids as it has them, see [`ids`].
pub(crate) fn conform(rows: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    store::conform(&ids::converted(rows, schema)?, schema)
}

/// Rows one after the other, with the columns of `schema`.
pub(crate) fn joined<'r>(
    schema: &SchemaRef,
    rows: impl Iterator<Item = &'r RecordBatch>,
) -> Result<RecordBatch, ArrowError> {
    let rows = rows.map(|rows| conform(rows.clone(), schema)).collect::<Result<Vec<_>, _>>()?;
    concat_batches(schema, &rows)
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
