//! Conditions on rows, by Arrow's kernels.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Datum, Float64Array, Int64Array, RecordBatch, Scalar,
    StringArray, UInt64Array,
};
use arrow::compute::kernels::cmp;
use arrow::compute::{and, and_kleene, cast, contains, or_kleene, prep_null_mask_filter};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use memchr::memmem::Finder;
use model::TimeRange;
use model::words::is_of_word;
use store::{ColumnFilter, FilterOp, QueryError, Scalar as Value};

use crate::events::times_of;
use crate::events::tokens::certain_words;

/// A condition on a column: it holds where the column is not null and the comparison does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    pub(crate) column: String,
    pub(crate) op: FilterOp,
    pub(crate) value: Value,
}

impl From<&ColumnFilter> for Condition {
    fn from(filter: &ColumnFilter) -> Self {
        Self { column: filter.column.to_owned(), op: filter.op, value: filter.value.clone() }
    }
}

impl Condition {
    /// Which rows satisfy it. A column that the rows lack is null.
    pub(crate) fn mask(&self, rows: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let Some(column) = rows.column_by_name(&self.column) else {
            return Ok(BooleanArray::from(vec![false; rows.num_rows()]));
        };
        let holds = evaluate(column, self)?;
        Ok(if holds.null_count() > 0 { prep_null_mask_filter(&holds) } else { holds })
    }

    /// Whether some row of each of several runs may satisfy it, by the least and the greatest value of each;
    /// where these are not known, it may.
    pub(crate) fn may_hold(&self, least: &ArrayRef, greatest: &ArrayRef) -> Result<BooleanArray, ArrowError> {
        let holds = |column, op| evaluate(column, &Self { op, ..self.clone() });
        let may = match self.op {
            FilterOp::Equal => {
                let not_greater = or_kleene(&holds(least, FilterOp::Less)?, &holds(least, FilterOp::Equal)?)?;
                and_kleene(&not_greater, &holds(greatest, FilterOp::AtLeast)?)?
            }
            FilterOp::AtLeast => holds(greatest, FilterOp::AtLeast)?,
            FilterOp::Less => holds(least, FilterOp::Less)?,
            FilterOp::NotEqual | FilterOp::Contains | FilterOp::ContainsWords => {
                return Ok(BooleanArray::from(vec![true; least.len()]));
            }
        };
        Ok(may.iter().map(|may| Some(may.unwrap_or(true))).collect())
    }

    /// How much work it is for each row, more or less.
    fn cost(&self) -> u8 {
        match (&self.value, self.op) {
            (Value::Number(_) | Value::Bool(_), _) => 0,
            (Value::Text(_), FilterOp::Contains | FilterOp::ContainsWords) => 2,
            (Value::Text(_), _) => 1,
        }
    }
}

/// The conditions of a scan, checked against the table's schema; those that are quickly looked at first.
#[derive(Clone, Debug)]
pub(crate) struct RowFilter {
    conditions: Vec<Condition>,
}

impl RowFilter {
    /// Takes conditions of which each names a column of the schema, of a type that it can be compared with.
    pub(crate) fn new(
        schema: &SchemaRef,
        conditions: impl IntoIterator<Item = Condition>,
    ) -> Result<Self, QueryError> {
        let mut conditions: Vec<Condition> = conditions.into_iter().collect();
        for condition in &conditions {
            check(schema, condition).map_err(QueryError::Invalid)?;
        }
        conditions.sort_by_key(Condition::cost);
        Ok(Self { conditions })
    }

    /// The conditions, those that are quickly looked at first.
    pub(crate) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Columns that must be equal to a text, with the text: bloom filters can rule them out.
    pub(crate) fn equal_texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.conditions.iter().filter_map(|condition| match (&condition.op, &condition.value) {
            (FilterOp::Equal, Value::Text(text)) => Some((condition.column.as_str(), text.as_str())),
            _ => None,
        })
    }

    /// Columns whose text must have certain words, with the hashes of these: filters of words can rule
    /// them out.
    pub(crate) fn certain_words(&self) -> impl Iterator<Item = (&str, Vec<u64>)> {
        self.conditions.iter().filter_map(|condition| match &condition.value {
            Value::Text(text) => Some((condition.column.as_str(), certain_words(condition.op, text)))
                .filter(|(_, words)| !words.is_empty()),
            Value::Number(_) | Value::Bool(_) => None,
        })
    }

    /// Which rows lie in the range and satisfy every condition. Rows may have more columns, or lack one,
    /// which then is null.
    pub(crate) fn mask(&self, rows: &RecordBatch, range: TimeRange) -> Result<BooleanArray, ArrowError> {
        let mut mask = within(rows, range)?;
        for condition in &self.conditions {
            mask = and(&mask, &condition.mask(rows)?)?;
        }
        Ok(mask)
    }
}

/// Which rows lie in the range.
pub(crate) fn within(rows: &RecordBatch, range: TimeRange) -> Result<BooleanArray, ArrowError> {
    let (start, end) = (range.start.as_nanos(), range.end.as_nanos());
    Ok(times_of(rows)?.values().iter().map(|time| Some(start <= *time && *time <= end)).collect())
}

fn check(schema: &SchemaRef, condition: &Condition) -> Result<(), String> {
    let column = condition.column.as_str();
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
        (FilterOp::Contains | FilterOp::ContainsWords, Value::Number(_) | Value::Bool(_)) => {
            Err(format!("column `{column}` is no text, so nothing can be contained in it"))
        }
        _ => Ok(()),
    }
}

fn evaluate(column: &ArrayRef, condition: &Condition) -> Result<BooleanArray, ArrowError> {
    match &condition.value {
        Value::Text(value) => {
            let text = || StringArray::new_scalar(value.as_str());
            match condition.op {
                FilterOp::Contains => contains(column, &text()),
                FilterOp::ContainsWords => contains_words(column, value),
                op => compare(column, &text(), op),
            }
        }
        Value::Number(number) => compare_number(column, *number, condition.op),
        Value::Bool(value) => compare(column, &BooleanArray::new_scalar(*value), condition.op),
    }
}

fn contains_words(column: &ArrayRef, value: &str) -> Result<BooleanArray, ArrowError> {
    let texts = column
        .as_string_opt::<i32>()
        .ok_or_else(|| ArrowError::InvalidArgumentError("only texts contain words".to_owned()))?;
    let finder = Finder::new(value);
    Ok(texts.iter().map(|text| text.map(|text| has_words(text.as_bytes(), &finder))).collect())
}

/// Whether the text has what the finder looks for, and not as a part of longer words.
pub(crate) fn has_words(text: &[u8], finder: &Finder<'_>) -> bool {
    let value = finder.needle();
    let (Some(first), Some(last)) = (value.first(), value.last()) else { return true };
    let goes_on = |byte: Option<&u8>| byte.is_some_and(|byte| is_of_word(*byte));
    let mut from = 0;
    while let Some(found) = finder.find(&text[from..]) {
        let start = from + found;
        let before = start.checked_sub(1).and_then(|before| text.get(before));
        let after = text.get(start + value.len());
        if !(is_of_word(*first) && goes_on(before) || is_of_word(*last) && goes_on(after)) {
            return true;
        }
        from = start + 1;
    }
    false
}

/// Integers are compared as floats, as far as those are exact; whole numbers as integers.
fn compare_number(column: &ArrayRef, number: f64, op: FilterOp) -> Result<BooleanArray, ArrowError> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        match column.data_type() {
            DataType::Int64 => return compare(column, &Int64Array::new_scalar(number as i64), op),
            DataType::UInt64 if number >= 0.0 => {
                return compare(column, &UInt64Array::new_scalar(number as u64), op);
            }
            _ => {}
        }
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
        FilterOp::Contains | FilterOp::ContainsWords => {
            Err(ArrowError::InvalidArgumentError("only texts contain something".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::deploys;
    use arrow::compute::filter_record_batch;
    use store::{EventScan, Table, schema};

    fn rows_left(scan: &EventScan) -> Result<Vec<i64>, QueryError> {
        let filter = RowFilter::new(&schema(scan.table), scan.filters.iter().map(Condition::from))?;
        let rows = deploys(&[0, 1, 2, 3, 4, 5]);
        let rows =
            filter_record_batch(&rows, &filter.mask(&rows, scan.range).expect("kernels")).expect("kernels");
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
            (all().with("event_id", FilterOp::ContainsWords, "3"), vec![]),
            (all().with("service", FilterOp::ContainsWords, "2"), vec![2, 5]),
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
    fn runs_of_rows_may_satisfy_a_condition_unless_their_bounds_say_no() {
        let texts =
            |texts: [Option<&str>; 3]| -> ArrayRef { std::sync::Arc::new(StringArray::from(texts.to_vec())) };
        let (least, greatest) = (texts([Some("b"), Some("d"), None]), texts([Some("c"), Some("e"), None]));
        let cases = [
            (FilterOp::Equal, "a", [false, false, true]),
            (FilterOp::Equal, "c", [true, false, true]),
            (FilterOp::Equal, "d", [false, true, true]),
            (FilterOp::Equal, "f", [false, false, true]),
            (FilterOp::AtLeast, "c", [true, true, true]),
            (FilterOp::AtLeast, "ca", [false, true, true]),
            (FilterOp::Less, "d", [true, false, true]),
            (FilterOp::Less, "b", [false, false, true]),
            (FilterOp::NotEqual, "b", [true, true, true]),
            (FilterOp::Contains, "z", [true, true, true]),
        ];
        for (op, value, expected) in cases {
            let condition = Condition { column: "service".to_owned(), op, value: value.into() };
            let may = condition.may_hold(&least, &greatest).expect("kernels");
            assert_eq!(may.values().iter().collect::<Vec<_>>(), expected, "{op:?} {value}");
        }
        let numbers = |number: f64| -> ArrayRef { std::sync::Arc::new(Float64Array::from(vec![number])) };
        let condition = |op| Condition { column: "x".to_owned(), op, value: Value::Number(2.0) };
        let may = |op| condition(op).may_hold(&numbers(1.0), &numbers(1.5)).expect("kernels").value(0);
        assert_eq!([FilterOp::Equal, FilterOp::AtLeast, FilterOp::Less].map(may), [false, false, true]);
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
    fn words_are_found_where_they_are_no_parts_of_longer_ones() {
        let cases = [
            ("connection to db7 refused", "db7", true),
            ("connection to db77 refused", "db7", false),
            ("connection to my_db7", "db7", false),
            ("db7: refused", "db7", true),
            ("db77 or db7", "db7", true),
            ("db7", "db7", true),
            ("err: no answer", "no answer", true),
            ("err: no answers", "no answer", false),
            ("err(7)", "(7)", true),
            ("err(7)", "err(", true),
            ("terr(7)", "err(", false),
            ("a.b a.b.", "b.", true),
            ("xb a b a b", "b a b", true),
            ("für", "f", false),
            ("anything", "", true),
            ("", "x", false),
        ];
        for (text, value, expected) in cases {
            assert_eq!(has_words(text.as_bytes(), &Finder::new(value)), expected, "{value} in {text}");
        }
    }

    #[test]
    fn numbers_are_compared_with_integers_and_floats_alike() {
        let columns: [ArrayRef; 3] = [
            std::sync::Arc::new(Int64Array::from(vec![Some(-1), None, Some(3)])),
            std::sync::Arc::new(UInt64Array::from(vec![Some(1), None, Some(3)])),
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
        for column in &columns[..2] {
            let mask = compare_number(column, 3.0, FilterOp::Equal).expect("kernel");
            assert!(mask.value(2) && !mask.value(0));
        }
        let all = compare_number(&columns[1], -1.0, FilterOp::AtLeast).expect("kernel");
        assert!(all.value(0) && all.value(2));
    }
}
