//! Columns of texts that a statement compares with numbers.
//!
//! Such a comparison makes numbers of the texts, and fails at the first that is none. It is no error before: attributes
//! are texts, and some are all numbers. So what could be meant is kept until it fails.

use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use store::Position;

/// How many of them are kept.
const MOST: usize = 16;

/// A column of texts that is compared with a number.
#[derive(Debug)]
pub(super) struct Mixed {
    pub(super) column: String,
    pub(super) position: Option<Position>,
    operator: String,
    number: String,
}

impl Mixed {
    /// The comparison with a text.
    pub(super) fn suggestion(&self) -> String {
        let Self { column, operator, number, .. } = self;
        format!("{column} {operator} '{number}'")
    }
}

/// Those of a plan whose types are not made equal yet.
pub(super) fn mixed(plan: &LogicalPlan) -> Vec<Mixed> {
    let mut found = Vec::new();
    // Nothing fails in it.
    _ = plan.apply_with_subqueries(|part| {
        part.apply_expressions(|expr| {
            expr.apply(|expr| {
                found.extend(comparison(expr, part));
                Ok(if found.len() < MOST { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
            })
        })
    });
    found
}

fn comparison(expr: &Expr, part: &LogicalPlan) -> Option<Mixed> {
    let (column, operator, number) = match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(*op) => match (&**left, &**right) {
            (Expr::Column(column), number) => (column, op.to_string(), number),
            (number, Expr::Column(column)) => (column, op.swap()?.to_string(), number),
            _ => return None,
        },
        Expr::InList(InList { expr, list, .. }) => match &**expr {
            Expr::Column(column) => {
                (column, "=".to_owned(), list.iter().find(|value| number_of(value).is_some())?)
            }
            _ => return None,
        },
        _ => return None,
    };
    if !is_text(column, part) {
        return None;
    }
    let place = column.spans().first().map(|span| span.start);
    Some(Mixed {
        column: column.name().to_owned(),
        position: place.map(|start| Position { line: start.line, column: start.column }),
        operator,
        number: number_of(number)?,
    })
}

fn compares(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Eq | Operator::NotEq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq
    )
}

fn number_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(number, _) if number.data_type().is_numeric() && !number.is_null() => {
            Some(number.to_string())
        }
        Expr::Negative(number) => Some(format!("-{}", number_of(number)?)),
        _ => None,
    }
}

fn is_text(column: &Column, part: &LogicalPlan) -> bool {
    let inputs = part.inputs();
    let data_type = inputs.iter().find_map(|input| {
        let place = input.schema().maybe_index_of_column(column)?;
        Some(input.schema().field(place).data_type())
    });
    matches!(data_type, Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View))
}
