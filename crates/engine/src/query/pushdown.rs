//! Filters of SQL as conditions of a scan: the one place that knows both. What has no condition that means the same
//! is carried out above the scan.
//!
//! SQL knows truth values that are unknown, and takes no row for which a filter is. Conditions of scans do not hold
//! where there is no value, which comes to the same under "and" and "or"; opposites are other things in both, so those
//! of single comparisons alone are here.

use arrow::datatypes::SchemaRef;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use model::{TimeRange, Timestamp};
use store::{Condition, Field, FilterOp, Predicate, Scalar, Test};

use crate::events::TIME;
use crate::events::filter::RowFilter;

/// The function of SQL that finds whole words.
pub(crate) const HAS_WORDS: &str = "has_words";

/// The function that an attribute in brackets is.
pub(crate) const ATTRIBUTE: &str = "get_field";

/// Up to here integers are floats too.
const EXACT: u64 = 1 << 53;

/// A filter that is carried out where rows are read.
#[derive(Debug, PartialEq)]
pub(crate) enum Pushed {
    Range(TimeRange),
    Condition(Predicate),
}

impl Pushed {
    /// A filter that means the same; `None` when there is none.
    pub(crate) fn of(filter: &Expr, schema: &SchemaRef) -> Option<Self> {
        if let Some(range) = range_of(filter) {
            return Some(Self::Range(range));
        }
        let predicate = predicate(filter)?;
        RowFilter::new(schema, [predicate.clone()]).is_ok().then_some(Self::Condition(predicate))
    }
}

/// The range of times that a comparison says.
fn range_of(filter: &Expr) -> Option<TimeRange> {
    let Expr::BinaryExpr(comparison) = filter else { return None };
    let (column, op, value) = sides(comparison)?;
    match (column, value) {
        (Expr::Column(column), ScalarValue::TimestampNanosecond(Some(nanos), _)) if column.name == TIME => {
            time_range(op, *nanos)
        }
        _ => None,
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

/// What is compared, and with which constant.
fn sides(BinaryExpr { left, op, right }: &BinaryExpr) -> Option<(&Expr, Operator, &ScalarValue)> {
    match (&**left, &**right) {
        (value, Expr::Literal(constant, _)) => Some((value, *op, constant)),
        (Expr::Literal(constant, _), value) => Some((value, op.swap()?, constant)),
        _ => None,
    }
}

fn predicate(filter: &Expr) -> Option<Predicate> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { op: op @ (Operator::And | Operator::Or), .. }) => {
            let mut parts = Vec::new();
            gather(filter, *op, &mut parts)?;
            Some(if *op == Operator::And { Predicate::All(parts) } else { Predicate::Any(parts) })
        }
        Expr::BinaryExpr(comparison) => {
            let (value, op, constant) = sides(comparison)?;
            is(value, Test::Compare(compares(op)?, scalar(constant)?))
        }
        Expr::InList(InList { expr, list, negated }) => {
            let op = if *negated { FilterOp::NotEqual } else { FilterOp::Equal };
            let one = |constant: &Expr| match constant {
                Expr::Literal(constant, _) => is(expr, Test::Compare(op, scalar(constant)?)),
                _ => None,
            };
            let each = list.iter().map(one).collect::<Option<Vec<_>>>()?;
            Some(if *negated { Predicate::All(each) } else { Predicate::Any(each) })
        }
        Expr::IsNotNull(value) => is(value, Test::Exists),
        Expr::IsNull(value) => is(value, Test::Exists).map(Predicate::opposite),
        Expr::Like(like) if !like.negated && !like.case_insensitive && like.escape_char.is_none() => {
            let Expr::Literal(ScalarValue::Utf8(Some(pattern)), _) = &*like.pattern else { return None };
            let text = pattern.strip_prefix('%')?.strip_suffix('%')?;
            let is_plain = !text.contains(['%', '_', '\\']);
            is_plain.then(|| is(&like.expr, Test::Compare(FilterOp::Contains, text.into())))?
        }
        Expr::ScalarFunction(call) => called(call),
        // A column of truth values by itself, or not.
        Expr::Column(_) => is(filter, Test::equal(true)),
        Expr::Not(value) if matches!(**value, Expr::Column(_)) => is(value, Test::equal(false)),
        _ => None,
    }
}

/// The parts that are joined so. A long chain is one list, however it is nested.
fn gather(filter: &Expr, by: Operator, into: &mut Vec<Predicate>) -> Option<()> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if *op == by => {
            gather(left, by, into)?;
            gather(right, by, into)
        }
        part => {
            into.push(predicate(part)?);
            Some(())
        }
    }
}

fn called(call: &ScalarFunction) -> Option<Predicate> {
    let op = match call.func.name() {
        "contains" => FilterOp::Contains,
        HAS_WORDS => FilterOp::ContainsWords,
        _ => return None,
    };
    let [value, Expr::Literal(ScalarValue::Utf8(Some(text)), _)] = &*call.args else { return None };
    is(value, Test::Compare(op, text.clone().into()))
}

fn is(value: &Expr, test: Test) -> Option<Predicate> {
    Some(Predicate::Is(Condition { field: field(value)?, test }))
}

/// The column, or the attribute, that an expression is.
fn field(value: &Expr) -> Option<Field> {
    match value {
        Expr::Column(column) => Some(Field::Column(column.name.clone().into())),
        Expr::ScalarFunction(call) if call.func.name() == ATTRIBUTE => {
            let [Expr::Column(map), Expr::Literal(ScalarValue::Utf8(Some(key)), _)] = &*call.args else {
                return None;
            };
            Some(Field::Attribute { map: map.name.clone().into(), key: key.clone() })
        }
        _ => None,
    }
}

fn compares(op: Operator) -> Option<FilterOp> {
    Some(match op {
        Operator::Eq => FilterOp::Equal,
        Operator::NotEq => FilterOp::NotEqual,
        Operator::GtEq => FilterOp::AtLeast,
        Operator::Gt => FilterOp::Greater,
        Operator::LtEq => FilterOp::AtMost,
        Operator::Lt => FilterOp::Less,
        _ => return None,
    })
}

fn scalar(constant: &ScalarValue) -> Option<Scalar> {
    Some(match constant {
        ScalarValue::Utf8(Some(text)) => Scalar::Text(text.clone()),
        ScalarValue::Boolean(Some(value)) => Scalar::Bool(*value),
        ScalarValue::Float64(Some(number)) => Scalar::Number(*number),
        ScalarValue::Int64(Some(number)) if number.unsigned_abs() <= EXACT => Scalar::Number(*number as f64),
        ScalarValue::UInt64(Some(count)) => Scalar::Count(*count),
        ScalarValue::TimestampNanosecond(Some(nanos), _) => Scalar::Time(Timestamp::from_nanos(*nanos)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use datafusion::functions::core::expr_fn::get_field;
    use datafusion::logical_expr::{col, lit, not};
    use store::{Table, schema};

    use super::*;

    fn column(name: &'static str, op: FilterOp, value: impl Into<Scalar>) -> Predicate {
        Predicate::column(name, Test::Compare(op, value.into()))
    }

    #[test]
    fn filters_become_conditions_that_mean_the_same() {
        let schema = schema(Table::Logs);
        let shard = || get_field(col("attributes"), "shard");
        let equal = |value: &str| column("level", FilterOp::Equal, value);
        let cases = [
            (col("level").eq(lit("error")), Some(equal("error"))),
            (lit("error").eq(col("level")), Some(equal("error"))),
            (
                col("severity_number").gt(lit(16u64)),
                Some(column("severity_number", FilterOp::Greater, 16u64)),
            ),
            (
                col("level").in_list(vec![lit("error"), lit("warn")], false),
                Some(Predicate::Any(vec![equal("error"), equal("warn")])),
            ),
            (
                col("level").in_list(vec![lit("error")], true),
                Some(Predicate::All(vec![column("level", FilterOp::NotEqual, "error")])),
            ),
            (
                col("level").eq(lit("a")).or(col("level").eq(lit("b"))).or(col("level").eq(lit("c"))),
                Some(Predicate::Any(vec![equal("a"), equal("b"), equal("c")])),
            ),
            (shard().eq(lit("1")), Some(Predicate::attribute("attributes", "shard", Test::equal("1")))),
            (shard().is_null(), Some(Predicate::attribute("attributes", "shard", Test::Exists).opposite())),
            (col("level").is_not_null(), Some(Predicate::column("level", Test::Exists))),
            // Where there is no level, SQL does not know, and the opposite of a condition holds.
            (not(col("level").eq(lit("error"))), None),
            (col("level").eq(lit(1.0)), None),
            (col("attributes").eq(lit("a")), None),
            (col("level").eq(lit("a")).or(col("level").eq(col("service"))), None),
        ];
        for (filter, expected) in cases {
            assert_eq!(Pushed::of(&filter, &schema), expected.map(Pushed::Condition), "{filter}");
        }
        let zone = Some("UTC".into());
        let time = col("time").gt(lit(ScalarValue::TimestampNanosecond(Some(7), zone)));
        let range = TimeRange::new(Timestamp::from_nanos(8), TimeRange::ALL.end);
        assert_eq!(Pushed::of(&time, &schema), Some(Pushed::Range(range)));
    }
}
