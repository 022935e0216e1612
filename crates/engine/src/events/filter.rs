//! Conditions on rows, by Arrow's kernels.

use arrow::array::{
    Array, ArrayRef, BooleanArray, Datum, Float64Array, Int64Array, RecordBatch, Scalar, StringArray,
};
use arrow::compute::kernels::cmp;
use arrow::compute::{and, cast, contains, filter_record_batch, prep_null_mask_filter};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use model::TimeRange;
use store::{ColumnFilter, FilterOp, QueryError, Scalar as Value};

use crate::events::{TIME, times_of};

/// The conditions of a scan, checked against the table's schema.
#[derive(Clone, Debug)]
pub(crate) struct RowFilter {
    conditions: Vec<ColumnFilter>,
}

impl RowFilter {
    /// Takes conditions of which each names a column of the schema, of a type that it can be compared with.
    pub(crate) fn new(schema: &SchemaRef, conditions: &[ColumnFilter]) -> Result<Self, QueryError> {
        for condition in conditions {
            check(schema, condition).map_err(QueryError::Invalid)?;
        }
        Ok(Self { conditions: conditions.to_vec() })
    }

    /// The columns that the conditions and the time need.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(TIME).chain(self.conditions.iter().map(|condition| condition.column))
    }

    /// Columns that must be equal to a text, with the text: bloom filters can rule them out.
    pub(crate) fn equal_texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.conditions.iter().filter_map(|condition| match (&condition.op, &condition.value) {
            (FilterOp::Equal, Value::Text(text)) => Some((condition.column, text.as_str())),
            _ => None,
        })
    }

    /// Which rows lie in the range and satisfy every condition. Rows may have more columns, or lack one,
    /// which then is null.
    pub(crate) fn mask(&self, rows: &RecordBatch, range: TimeRange) -> Result<BooleanArray, ArrowError> {
        let times = times_of(rows)?.values();
        let (start, end) = (range.start.as_nanos(), range.end.as_nanos());
        let mut mask: BooleanArray = times.iter().map(|time| Some(start <= *time && *time <= end)).collect();
        for condition in &self.conditions {
            let Some(column) = rows.column_by_name(condition.column) else {
                return Ok(BooleanArray::from(vec![false; rows.num_rows()]));
            };
            let holds = evaluate(column, condition)?;
            let holds = if holds.null_count() > 0 { prep_null_mask_filter(&holds) } else { holds };
            mask = and(&mask, &holds)?;
        }
        Ok(mask)
    }

    /// The rows that lie in the range and satisfy every condition.
    pub(crate) fn apply(&self, rows: &RecordBatch, range: TimeRange) -> Result<RecordBatch, ArrowError> {
        filter_record_batch(rows, &self.mask(rows, range)?)
    }
}

fn check(schema: &SchemaRef, condition: &ColumnFilter) -> Result<(), String> {
    let column = condition.column;
    let field = schema.field_with_name(column).map_err(|_| format!("there is no column `{column}`"))?;
    let (kind, fits) = match &condition.value {
        Value::Text(_) => ("a text", *field.data_type() == DataType::Utf8),
        Value::Number(_) => {
            ("a number", matches!(field.data_type(), DataType::Int64 | DataType::UInt64 | DataType::Float64))
        }
        Value::Bool(_) => ("a truth value", *field.data_type() == DataType::Boolean),
    };
    if !fits {
        return Err(format!("column `{column}` cannot be compared with {kind}"));
    }
    match (&condition.op, &condition.value) {
        (FilterOp::Contains, Value::Number(_) | Value::Bool(_)) => {
            Err(format!("column `{column}` is no text, so nothing can be contained in it"))
        }
        _ => Ok(()),
    }
}

fn evaluate(column: &ArrayRef, condition: &ColumnFilter) -> Result<BooleanArray, ArrowError> {
    match &condition.value {
        Value::Text(text) => {
            let text = StringArray::new_scalar(text.as_str());
            if condition.op == FilterOp::Contains {
                contains(column, &text)
            } else {
                compare(column, &text, condition.op)
            }
        }
        Value::Number(number) => compare_number(column, *number, condition.op),
        Value::Bool(value) => compare(column, &BooleanArray::new_scalar(*value), condition.op),
    }
}

/// Integers are compared as floats, as far as those are exact; whole numbers as integers.
fn compare_number(column: &ArrayRef, number: f64, op: FilterOp) -> Result<BooleanArray, ArrowError> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if *column.data_type() == DataType::Int64 && number.fract() == 0.0 && number.abs() <= EXACT {
        return compare(column, &Int64Array::new_scalar(number as i64), op);
    }
    let number: Scalar<Float64Array> = Float64Array::new_scalar(number);
    compare(&cast(column, &DataType::Float64)?, &number, op)
}

fn compare(column: &dyn Datum, value: &dyn Datum, op: FilterOp) -> Result<BooleanArray, ArrowError> {
    match op {
        FilterOp::Equal => cmp::eq(column, value),
        FilterOp::NotEqual => cmp::neq(column, value),
        FilterOp::AtLeast => cmp::gt_eq(column, value),
        FilterOp::Less => cmp::lt(column, value),
        FilterOp::Contains => {
            Err(ArrowError::InvalidArgumentError("only texts contain something".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::deploys;
    use store::{EventScan, Table, schema};

    fn rows_left(scan: &EventScan) -> Result<Vec<i64>, QueryError> {
        let filter = RowFilter::new(&schema(scan.table), &scan.filters)?;
        let rows = filter.apply(&deploys(&[0, 1, 2, 3, 4, 5]), scan.range).expect("kernels");
        Ok(times_of(&rows).expect("times").values().iter().map(|time| time / 1_000_000).collect())
    }

    fn all() -> EventScan {
        EventScan::new(Table::Deploys, TimeRange::ALL, 100)
    }

    #[test]
    fn conditions_select_rows_and_null_satisfies_none() {
        let cases = [
            (all().with("service", FilterOp::Equal, "service-1"), vec![1, 4]),
            (all().with("service", FilterOp::NotEqual, "service-1"), vec![0, 2, 3, 5]),
            (all().with("service", FilterOp::AtLeast, "service-1"), vec![1, 2, 4, 5]),
            (all().with("service", FilterOp::Less, "service-1"), vec![0, 3]),
            (all().with("event_id", FilterOp::Contains, "3"), vec![3]),
            (all().with("environment", FilterOp::NotEqual, "test"), vec![0, 2, 4]),
            (all().with("url", FilterOp::NotEqual, "x"), vec![]),
            (
                all().with("service", FilterOp::Equal, "service-1").with("event_id", FilterOp::Equal, "e4"),
                vec![4],
            ),
        ];
        for (scan, expected) in cases {
            assert_eq!(rows_left(&scan).expect("valid"), expected, "{:?}", scan.filters);
        }
    }

    #[test]
    fn a_column_that_does_not_exist_or_does_not_fit_is_invalid() {
        let cases = [
            all().with("colour", FilterOp::Equal, "red"),
            all().with("service", FilterOp::Equal, 1.0),
            all().with("time", FilterOp::Equal, 1.0),
            all().with("attributes", FilterOp::Contains, "a"),
        ];
        for scan in cases {
            assert!(matches!(rows_left(&scan), Err(QueryError::Invalid(_))), "{:?}", scan.filters);
        }
    }

    #[test]
    fn numbers_are_compared_with_integers_and_floats_alike() {
        let columns: [ArrayRef; 3] = [
            std::sync::Arc::new(Int64Array::from(vec![Some(-1), None, Some(3)])),
            std::sync::Arc::new(arrow::array::UInt64Array::from(vec![Some(1), None, Some(3)])),
            std::sync::Arc::new(Float64Array::from(vec![Some(2.4), None, Some(2.5)])),
        ];
        for column in &columns {
            let mask = compare_number(column, 2.5, FilterOp::AtLeast).expect("kernel");
            assert_eq!(
                mask.iter().collect::<Vec<_>>(),
                [Some(false), None, Some(true)],
                "{:?}",
                column.data_type()
            );
        }
        let mask = compare_number(&columns[0], 3.0, FilterOp::Equal).expect("kernel");
        assert!(mask.value(2) && !mask.value(0));
    }
}
