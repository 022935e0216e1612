//! Filters of SQL as conditions of a scan: the one place that knows both. What has no condition that means the same
//! is carried out above the scan.

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use model::{TimeRange, Timestamp};
use store::{FilterOp, Scalar};

use crate::events::TIME;
use crate::events::filter::{Condition, RowFilter};

/// The function of SQL that finds whole words.
pub(crate) const HAS_WORDS: &str = "has_words";

/// Up to here integers are floats too.
const EXACT: i64 = 1 << 53;

/// A filter that is carried out where rows are read.
#[derive(Debug, PartialEq)]
pub(crate) enum Pushed {
    Range(TimeRange),
    Condition(Condition),
}

impl Pushed {
    /// A filter that means the same; `None` when there is none.
    pub(crate) fn of(filter: &Expr, schema: &SchemaRef) -> Option<Self> {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (&**left, &**right) {
                (Expr::Column(column), Expr::Literal(value, _)) => {
                    Self::compared(&column.name, *op, value, schema)
                }
                (Expr::Literal(value, _), Expr::Column(column)) => {
                    Self::compared(&column.name, op.swap()?, value, schema)
                }
                _ => None,
            },
            Expr::Like(like) if !like.negated && !like.case_insensitive && like.escape_char.is_none() => {
                let (Expr::Column(column), Expr::Literal(ScalarValue::Utf8(Some(pattern)), _)) =
                    (&*like.expr, &*like.pattern)
                else {
                    return None;
                };
                let text = pattern.strip_prefix('%')?.strip_suffix('%')?;
                let is_plain = !text.contains(['%', '_', '\\']);
                is_plain
                    .then(|| Self::condition(&column.name, FilterOp::Contains, Scalar::Text(text.to_owned())))
            }
            Expr::ScalarFunction(call) => {
                let op = match call.func.name() {
                    "contains" => FilterOp::Contains,
                    HAS_WORDS => FilterOp::ContainsWords,
                    _ => return None,
                };
                let [Expr::Column(column), Expr::Literal(ScalarValue::Utf8(Some(text)), _)] = &*call.args
                else {
                    return None;
                };
                Self::checked(&column.name, op, Scalar::Text(text.clone()), schema)
            }
            // A column of truth values by itself, or not.
            Expr::Column(column) => {
                let field = schema.field_with_name(&column.name).ok()?;
                (*field.data_type() == DataType::Boolean)
                    .then(|| Self::condition(&column.name, FilterOp::Equal, Scalar::Bool(true)))
            }
            _ => None,
        }
    }

    fn condition(column: &str, op: FilterOp, value: Scalar) -> Self {
        Self::Condition(Condition { column: column.to_owned(), op, value })
    }

    fn compared(column: &str, op: Operator, value: &ScalarValue, schema: &SchemaRef) -> Option<Self> {
        if column == TIME {
            let ScalarValue::TimestampNanosecond(Some(nanos), _) = value else { return None };
            return time_range(op, *nanos).map(Self::Range);
        }
        let value = match value {
            ScalarValue::Utf8(Some(text)) => Scalar::Text(text.clone()),
            ScalarValue::Boolean(Some(value)) => Scalar::Bool(*value),
            ScalarValue::Float64(Some(number)) => Scalar::Number(*number),
            ScalarValue::Int64(Some(number)) if number.unsigned_abs() <= EXACT as u64 => {
                Scalar::Number(*number as f64)
            }
            ScalarValue::UInt64(Some(number)) if *number <= EXACT as u64 => Scalar::Number(*number as f64),
            _ => return None,
        };
        let op = match op {
            Operator::Eq => FilterOp::Equal,
            Operator::NotEq => FilterOp::NotEqual,
            Operator::GtEq => FilterOp::AtLeast,
            Operator::Lt => FilterOp::Less,
            _ => return None,
        };
        Self::checked(column, op, value, schema)
    }

    /// The condition, if the column can have it.
    fn checked(column: &str, op: FilterOp, value: Scalar, schema: &SchemaRef) -> Option<Self> {
        let condition = Condition { column: column.to_owned(), op, value };
        RowFilter::new(schema, [condition.clone()]).is_ok().then_some(Self::Condition(condition))
    }
}

/// The times that compare so with a time.
pub(crate) fn time_range(op: Operator, nanos: i64) -> Option<TimeRange> {
    let (at, all) = (Timestamp::from_nanos, TimeRange::ALL);
    Some(match op {
        Operator::Eq => TimeRange::new(at(nanos), at(nanos)),
        Operator::GtEq => TimeRange::new(at(nanos), all.end),
        Operator::Gt => TimeRange::new(at(nanos.checked_add(1)?), all.end),
        Operator::LtEq => TimeRange::new(all.start, at(nanos)),
        Operator::Lt => TimeRange::new(all.start, at(nanos.checked_sub(1)?)),
        _ => return None,
    })
}
