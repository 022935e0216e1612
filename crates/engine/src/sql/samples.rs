//! The samples of series as a table of DataFusion. Conditions on the name and on labels become matchers, conditions on
//! the time a range; what they do not say exactly is looked at again above.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use model::TimeRange;
use store::{MatchOp, Matcher};

use super::points::PointsExec;
use crate::core::Core;
use crate::events::TIME;
use crate::events::read::Tally;
use crate::query::pushdown::time_range;

/// The label that a metric's name is.
const NAME_LABEL: &str = "__name__";
const NAME: &str = "name";
const LABELS: &str = "labels";

/// All series of the store.
pub(super) struct SamplesTable {
    pub(super) core: Arc<Core>,
    pub(super) tally: Arc<Tally>,
}

impl fmt::Debug for SamplesTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SamplesTable")
    }
}

#[async_trait]
impl TableProvider for SamplesTable {
    fn schema(&self) -> SchemaRef {
        store::samples_schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match Pushed::of(filter) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let whole = self.schema();
        let schema = match projection {
            Some(places) => Arc::new(whole.project(places)?),
            None => whole,
        };
        let mut range = TimeRange::ALL;
        let mut matchers = Vec::new();
        for filter in filters {
            match Pushed::of(filter) {
                Some(Pushed::Range(within)) => {
                    range = TimeRange::new(range.start.max(within.start), range.end.min(within.end));
                }
                Some(Pushed::Matcher(matcher)) => matchers.push(matcher),
                None => {}
            }
        }
        Ok(Arc::new(PointsExec::new(&self.core, schema, matchers, range, limit, Arc::clone(&self.tally))))
    }
}

/// A filter that is carried out where series are read.
#[derive(Debug, PartialEq)]
enum Pushed {
    Range(TimeRange),
    Matcher(Matcher),
}

impl Pushed {
    /// What lets through all that a filter does, and perhaps a little more; `None` where nothing says so.
    fn of(filter: &Expr) -> Option<Self> {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
                let mut values = Vec::new();
                let label = alternatives(left, &mut values)?;
                (alternatives(right, &mut values)? == label).then(|| one_of(&label, &values))?
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let (column, op, value) = match (&**left, &**right) {
                    (column, Expr::Literal(value, _)) => (column, *op, value),
                    (Expr::Literal(value, _), column) => (column, op.swap()?, value),
                    _ => return None,
                };
                Self::compared(column, op, value)
            }
            Expr::InList(list) if !list.negated => {
                let label = label_of(&list.expr)?;
                let values: Option<Vec<String>> = list.list.iter().map(text_of).collect();
                one_of(&label, &values?)
            }
            Expr::Like(like) if !like.negated && !like.case_insensitive && like.escape_char.is_none() => {
                let beginning = text_of(&like.pattern)?;
                let beginning = beginning.strip_suffix('%')?;
                let is_plain = !beginning.is_empty() && !beginning.contains(['%', '_', '\\']);
                is_plain.then(|| matching(&label_of(&like.expr)?, &format!("{}.*", escaped(beginning))))?
            }
            _ => None,
        }
    }

    fn compared(column: &Expr, op: Operator, value: &ScalarValue) -> Option<Self> {
        if let (Expr::Column(column), ScalarValue::TimestampNanosecond(Some(nanos), _)) = (column, value) {
            return (column.name == TIME).then(|| time_range(op, *nanos).map(Self::Range))?;
        }
        let ScalarValue::Utf8(Some(text)) = value else { return None };
        let label = label_of(column)?;
        match op {
            // A label that is empty is one that is not there, which equals nothing.
            Operator::Eq if !text.is_empty() => Some(Self::Matcher(Matcher::equal(label, text))),
            Operator::NotEq => Matcher::new(label, MatchOp::NotEqual, text).ok().map(Self::Matcher),
            _ => None,
        }
    }
}

/// The label that an expression is.
fn label_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Column(column) if column.name == NAME => Some(NAME_LABEL.to_owned()),
        Expr::ScalarFunction(call) if call.func.name() == "get_field" => match &*call.args {
            [Expr::Column(column), label] if column.name == LABELS => text_of(label),
            _ => None,
        },
        _ => None,
    }
}

fn text_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => Some(text.clone()),
        _ => None,
    }
}

/// The label of which several values are let through.
fn alternatives(expr: &Expr, values: &mut Vec<String>) -> Option<String> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = expr else { return None };
    match op {
        Operator::Eq => {
            values.push(text_of(right)?);
            label_of(left)
        }
        Operator::Or => {
            let label = alternatives(left, values)?;
            (alternatives(right, values)? == label).then_some(label)
        }
        _ => None,
    }
}

fn one_of(label: &str, values: &[String]) -> Option<Pushed> {
    if values.iter().any(String::is_empty) {
        return None;
    }
    let values: Vec<String> = values.iter().map(|value| escaped(value)).collect();
    matching(label, &values.join("|"))
}

fn matching(label: &str, pattern: &str) -> Option<Pushed> {
    Matcher::new(label, MatchOp::Regex, pattern).ok().map(Pushed::Matcher)
}

/// A pattern that matches the text alone.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() && !character.is_ascii_alphanumeric() && character != '_' {
            // Writing to a String does not fail.
            _ = write!(pattern, "\\x{{{:x}}}", u32::from(character));
        } else {
            pattern.push(character);
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::functions::core::expr_fn::get_field;
    use datafusion::logical_expr::{Like, col, lit};

    #[test]
    fn conditions_on_names_and_labels_become_matchers() {
        let equal = |label: &str, value: &str| Some(Pushed::Matcher(Matcher::equal(label, value)));
        let regex = |label: &str, pattern: &str| matching(label, pattern);
        let job = || get_field(col("labels"), "job");
        let like = |pattern: &str| {
            Expr::Like(Like::new(false, Box::new(col("name")), Box::new(lit(pattern)), None, false))
        };
        let cases = [
            (col("name").eq(lit("up")), equal("__name__", "up")),
            (lit("up").eq(col("name")), equal("__name__", "up")),
            (job().eq(lit("api")), equal("job", "api")),
            (job().eq(lit("")), None),
            (col("value").eq(lit(1.0)), None),
            (col("name").in_list(vec![lit("a.b"), lit("c")], false), regex("__name__", "a\\x{2e}b|c")),
            (col("name").in_list(vec![lit("a")], true), None),
            (col("name").eq(lit("a")).or(col("name").eq(lit("b"))), regex("__name__", "a|b")),
            (col("name").eq(lit("a")).or(job().eq(lit("b"))), None),
            (like("http%"), regex("__name__", "http.*")),
            (like("ht%p%"), None),
        ];
        for (filter, expected) in cases {
            assert_eq!(Pushed::of(&filter), expected, "{filter}");
        }
    }
}
