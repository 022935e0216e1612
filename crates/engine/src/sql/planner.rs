//! How expressions and types of SQL are read, where DataFusion leaves it open.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Column, DFSchema, Result, ScalarValue, TableReference, plan_err};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions::datetime::planner::DatetimeFunctionPlanner;
use datafusion::functions::unicode::planner::UnicodeFunctionPlanner;
use datafusion::functions_aggregate::planner::AggregateFunctionPlanner;
use datafusion::functions_window::planner::WindowFunctionPlanner;
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr, TypePlanner,
};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, lit};
use datafusion::sql::sqlparser::ast::{BinaryOperator, DataType as SqlType};

use super::bounded;

/// Those that read expressions; the first that knows one reads it.
pub(super) fn expressions() -> Vec<Arc<dyn ExprPlanner>> {
    vec![
        Arc::new(Expressions),
        Arc::new(DatetimeFunctionPlanner),
        Arc::new(UnicodeFunctionPlanner),
        Arc::new(AggregateFunctionPlanner),
        Arc::new(WindowFunctionPlanner),
    ]
}

/// Attributes by their names, `attributes['key']`, and texts joined within bounds.
#[derive(Debug)]
struct Expressions;

impl ExprPlanner for Expressions {
    fn plan_binary_op(&self, expr: RawBinaryExpr, _: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        match expr.op {
            BinaryOperator::StringConcat => {
                Ok(PlannerResult::Planned(bounded::joined().call(vec![expr.left, expr.right])))
            }
            _ => Ok(PlannerResult::Original(expr)),
        }
    }

    fn plan_field_access(
        &self,
        expr: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let RawFieldAccessExpr { field_access, expr } = expr;
        let data_type = expr.get_type(schema)?;
        if !matches!(data_type, DataType::Map(..)) {
            return plan_err!(
                "only a map has values by names, as attributes['key']; this is {}",
                store::type_name(&data_type)
            );
        }
        match field_access {
            GetFieldAccess::NamedStructField { name } => Ok(PlannerResult::Planned(get_field(expr, name))),
            GetFieldAccess::ListIndex { key } => match *key {
                Expr::Literal(name @ ScalarValue::Utf8(Some(_)), _) => {
                    Ok(PlannerResult::Planned(get_field(expr, name)))
                }
                _ => plan_err!("the name of a value is a text, as in attributes['key']"),
            },
            GetFieldAccess::ListRange { .. } => plan_err!("a map has no parts in order"),
        }
    }

    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        nested_names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        let column = Expr::Column(Column::from((qualifier, field)));
        let nested = nested_names.iter().fold(column, |expr, name| {
            datafusion::functions::core::get_field().call(vec![expr, lit(name.clone())])
        });
        Ok(PlannerResult::Planned(nested))
    }
}

/// Refuses types whose values take as much memory as somebody likes, as `int[1000000000]` does.
#[derive(Debug)]
pub(super) struct Types;

impl TypePlanner for Types {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        match sql_type {
            SqlType::Array(_)
            | SqlType::Map(..)
            | SqlType::Struct(..)
            | SqlType::Tuple(_)
            | SqlType::Nested(_)
            | SqlType::Union(_)
            | SqlType::FixedString(_)
            | SqlType::Binary(_)
            | SqlType::Varbinary(_)
            | SqlType::Custom(..) => plan_err!("the type {sql_type} is not known here"),
            _ => Ok(None),
        }
    }
}
