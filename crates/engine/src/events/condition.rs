//! Single conditions on rows, by Arrow's kernels.

use std::borrow::Cow;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Datum, FixedSizeBinaryArray, Float64Array, Int64Array,
    RecordBatch, Scalar, StringArray, UInt32Array, UInt64Array, new_null_array,
};
use arrow::buffer::{BooleanBuffer, MutableBuffer};
use arrow::compute::kernels::cmp;
use arrow::compute::{and_kleene, cast, contains, is_not_null, prep_null_mask_filter, take};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::bit_util;
use memchr::memmem::Finder;
use model::words::is_of_word;
use store::{Condition, Field, FilterOp, Hint, Scalar as Value, Test};

use crate::events::ids;
use crate::events::lifted::{Lifted, either};

/// Which rows satisfy a condition. A column that the rows lack is null; attributes may have columns of their own.
pub(crate) fn mask(
    condition: &Condition,
    rows: &RecordBatch,
    lifted: &Lifted,
) -> Result<BooleanArray, ArrowError> {
    let Some(values) = values_of(&condition.field, rows, lifted)? else {
        return Ok(BooleanArray::from(vec![false; rows.num_rows()]));
    };
    let holds = evaluate(&values, &condition.test)?;
    Ok(if holds.null_count() > 0 { prep_null_mask_filter(&holds) } else { holds })
}

/// What rows have; `None` where it is null in all of them.
fn values_of<'r>(
    field: &Field,
    rows: &'r RecordBatch,
    lifted: &Lifted,
) -> Result<Option<Cow<'r, ArrayRef>>, ArrowError> {
    let column = rows.column_by_name(field.column());
    let Field::Attribute { map, key } = field else { return Ok(column.map(Cow::Borrowed)) };
    let of_column = lifted.values(rows, map, key)?;
    let of_maps = match column {
        Some(column) if !lifted.is_whole(map, key) => Some(attribute(column, key, Which::Last)?),
        _ => None,
    };
    let values = match (of_column, of_maps) {
        (Some(of_column), Some(of_maps)) => Some(either(&of_column, &of_maps)?),
        (Some(values), None) | (None, Some(values)) => Some(values),
        (None, None) => None,
    };
    Ok(values.map(Cow::Owned))
}

/// Whether some row of each of several runs may satisfy a test, by the least and the greatest value of each;
/// where these are not known, it may.
pub(crate) fn may_hold(
    test: &Test,
    least: &ArrayRef,
    greatest: &ArrayRef,
) -> Result<BooleanArray, ArrowError> {
    let all = || BooleanArray::from(vec![true; least.len()]);
    let Test::Compare(op, value) = test else { return Ok(all()) };
    let (least, greatest) = (&ids::in_texts(least)?, &ids::in_texts(greatest)?);
    let may = match op {
        FilterOp::Equal => and_kleene(
            &compared(least, FilterOp::AtMost, value)?,
            &compared(greatest, FilterOp::AtLeast, value)?,
        )?,
        FilterOp::AtLeast | FilterOp::Greater => compared(greatest, *op, value)?,
        FilterOp::Less | FilterOp::AtMost => compared(least, *op, value)?,
        FilterOp::NotEqual | FilterOp::Contains | FilterOp::ContainsWords => return Ok(all()),
    };
    Ok(may.iter().map(|may| Some(may.unwrap_or(true))).collect())
}

/// How much work a condition is for each row, more or less.
pub(crate) fn cost(condition: &Condition) -> u32 {
    let of_field = match condition.field {
        Field::Column(_) => 0,
        // All attributes of all rows are read for it.
        Field::Attribute { .. } => 4,
    };
    let of_test = match &condition.test {
        Test::Exists
        | Test::Compare(_, Value::Number(_) | Value::Count(_) | Value::Time(_) | Value::Bool(_)) => 0,
        Test::Compare(FilterOp::Contains | FilterOp::ContainsWords, _) => 2,
        Test::Compare(_, Value::Text(_)) => 1,
        Test::Contains(_) | Test::Words(_) => 3,
        Test::Matches(_) => 5,
    };
    of_field + of_test
}

/// Whether a condition names a column of the schema, of a type that it can be asked of; or else why not.
pub(crate) fn check(schema: &SchemaRef, condition: &Condition) -> Result<(), String> {
    let name = condition.field.column();
    let field = schema.field_with_name(name).map_err(|_| format!("there is no column `{name}`"))?;
    let data_type = match (&condition.field, field.data_type()) {
        (Field::Attribute { .. }, DataType::Map(..)) => &DataType::Utf8,
        (Field::Attribute { .. }, _) => return Err(format!("column `{name}` holds no attributes")),
        (Field::Column(_), DataType::Map(..)) => {
            return Err(format!("column `{name}` holds attributes, which are asked for by their names"));
        }
        (Field::Column(_), data_type) => data_type,
    };
    let (kind, fits) = match &condition.test {
        Test::Exists => return Ok(()),
        Test::Contains(_) | Test::Words(_) | Test::Matches(_) | Test::Compare(_, Value::Text(_)) => {
            ("a text", *data_type == DataType::Utf8)
        }
        Test::Compare(_, Value::Number(_)) => {
            ("a number", matches!(data_type, DataType::Int64 | DataType::UInt64 | DataType::Float64))
        }
        Test::Compare(_, Value::Count(_)) => ("a whole number", *data_type == DataType::UInt64),
        Test::Compare(_, Value::Time(_)) => ("a time", matches!(data_type, DataType::Timestamp(..))),
        Test::Compare(_, Value::Bool(_)) => ("a truth value", *data_type == DataType::Boolean),
    };
    if !fits {
        return Err(format!("column `{name}` cannot be compared with {kind}"));
    }
    match &condition.test {
        Test::Compare(FilterOp::Contains | FilterOp::ContainsWords, value)
            if !matches!(value, Value::Text(_)) =>
        {
            Err(format!("column `{name}` is no text, so nothing can be contained in it"))
        }
        _ => Ok(()),
    }
}

/// Which of several attributes with one name counts: the last, as for whoever makes rows of them, or the first, as in SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    First,
    Last,
}

/// The values of one attribute, null where it is not there.
pub(crate) fn attribute(column: &ArrayRef, key: &str, which: Which) -> Result<ArrayRef, ArrowError> {
    let map = column
        .as_map_opt()
        .ok_or_else(|| ArrowError::InvalidArgumentError("only maps have attributes".to_owned()))?;
    let is_key = cmp::eq(map.keys(), &StringArray::new_scalar(key))?;
    if is_key.true_count() == 0 {
        return Ok(new_null_array(&DataType::Utf8, map.len()));
    }
    let offsets = map.value_offsets();
    let places: UInt32Array = (0..map.len())
        .map(|row| {
            let mut entries = offsets[row] as usize..offsets[row + 1] as usize;
            let is_it = |entry: &usize| is_key.value(*entry);
            match which {
                _ if map.is_null(row) => None,
                Which::First => entries.find(is_it),
                Which::Last => entries.rev().find(is_it),
            }
        })
        .map(|entry| entry.and_then(|entry| u32::try_from(entry).ok()))
        .collect();
    take(map.values(), &places, None)
}

fn evaluate(column: &ArrayRef, test: &Test) -> Result<BooleanArray, ArrowError> {
    if let DataType::FixedSizeBinary(size) = column.data_type() {
        return evaluate_ids(column, *size, test);
    }
    if let Some(dictionary) = column.as_any_dictionary_opt() {
        let of_values = evaluate(dictionary.values(), test)?;
        return Ok(take(&of_values, dictionary.keys(), None)?.as_boolean().clone());
    }
    match test {
        Test::Exists => is_not_null(column),
        Test::Compare(op, value) => compared(column, *op, value),
        Test::Contains(part) => each_hinted(column, part.hint(), |text| part.is_in(text)),
        Test::Words(phrase) => each_hinted(column, phrase.hint(), |text| phrase.is_in(text)),
        Test::Matches(pattern) => each_hinted(column, pattern.hint(), |text| pattern.is_match(text)),
    }
}

/// The same of texts of hexadecimal digits that are there as bytes. An id is compared with these; for all else they
/// become texts.
fn evaluate_ids(column: &ArrayRef, size: i32, test: &Test) -> Result<BooleanArray, ArrowError> {
    let in_texts = || evaluate(&ids::in_texts(column)?, test);
    match test {
        Test::Exists => is_not_null(column),
        Test::Compare(FilterOp::Contains | FilterOp::ContainsWords, _) => in_texts(),
        Test::Compare(op, Value::Text(text)) => match (op, ids::parsed(text, size)) {
            (op, Some(id)) => compare(column, &FixedSizeBinaryArray::new_scalar(id), *op),
            // It is none, and all that is there are.
            (FilterOp::Equal, None) => Ok(BooleanArray::from(vec![false; column.len()])),
            (FilterOp::NotEqual, None) => is_not_null(column),
            (_, None) => in_texts(),
        },
        Test::Compare(..) | Test::Contains(_) | Test::Words(_) | Test::Matches(_) => in_texts(),
    }
}

fn compared(column: &ArrayRef, op: FilterOp, value: &Value) -> Result<BooleanArray, ArrowError> {
    match value {
        Value::Text(value) => match op {
            FilterOp::Contains => contains(column, &StringArray::new_scalar(value.as_str())),
            FilterOp::ContainsWords => {
                let finder = Finder::new(value);
                each_text(column, |text| has_words(text.as_bytes(), &finder))
            }
            op => compare(column, &StringArray::new_scalar(value.as_str()), op),
        },
        Value::Number(number) => compare_number(column, *number, op),
        Value::Count(count) => compare(column, &UInt64Array::new_scalar(*count), op),
        Value::Time(time) => {
            let nanos = cast(column, &DataType::Int64)?;
            compare(&nanos, &Int64Array::new_scalar(time.as_nanos()), op)
        }
        Value::Bool(value) => compare(column, &BooleanArray::new_scalar(*value), op),
    }
}

fn each_text(column: &ArrayRef, holds: impl Fn(&str) -> bool) -> Result<BooleanArray, ArrowError> {
    Ok(texts_of(column)?.iter().map(|text| text.map(&holds)).collect())
}

/// The same, where all texts for which it holds have what the hint looks for: of texts of ASCII the others are not looked
/// at one by one.
fn each_hinted(
    column: &ArrayRef,
    hint: Option<&Hint>,
    holds: impl Fn(&str) -> bool,
) -> Result<BooleanArray, ArrowError> {
    let texts = texts_of(column)?;
    let offsets = texts.value_offsets();
    let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else {
        return each_text(column, holds);
    };
    let (first, last) = (*first as usize, *last as usize);
    let all = &texts.value_data()[first..last];
    // Other characters can be folded into those of ASCII.
    let Some(hint) = hint.filter(|_| all.is_ascii()) else { return each_text(column, holds) };
    let mut found = MutableBuffer::new_null(texts.len());
    let (mut row, mut from) = (0, 0);
    while let Some(hit) = hint.find_at(all, from) {
        // Of texts without any bytes the last one before the hit; it is not among those.
        row += offsets[row + 1..].partition_point(|end| *end as usize - first <= hit.start);
        from = offsets[row + 1] as usize - first;
        if hit.end <= from && texts.is_valid(row) && holds(texts.value(row)) {
            bit_util::set_bit(found.as_slice_mut(), row);
        }
    }
    let found = BooleanBuffer::new(found.into(), 0, texts.len());
    Ok(BooleanArray::new(found, texts.nulls().cloned()))
}

fn texts_of(column: &ArrayRef) -> Result<&StringArray, ArrowError> {
    let texts = column.as_string_opt::<i32>();
    texts.ok_or_else(|| ArrowError::InvalidArgumentError("only texts contain something".to_owned()))
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
        FilterOp::Greater => cmp::gt(column, value),
        FilterOp::AtMost => cmp::lt_eq(column, value),
        FilterOp::Less => cmp::lt(column, value),
        FilterOp::Contains | FilterOp::ContainsWords => {
            Err(ArrowError::InvalidArgumentError("only texts contain something".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests;
