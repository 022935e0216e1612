//! Event tables as tables of DataFusion: one view of the store, with filters, columns, order and limit
//! carried out by [`ScanExec`].

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, ScalarValue};
use datafusion::execution::context::{SQLOptions, SessionConfig, SessionContext};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use model::{TimeRange, Timestamp};
use store::{FilterOp, Order, QueryError, Scalar, Table};

use crate::core::{Core, View};
use crate::events::TIME;
use crate::events::filter::{Condition, RowFilter};
use crate::events::read::Wanted;
use crate::query::plan::{Answer, ScanExec};
use crate::query::queries::Queries;

/// Up to here integers are floats too.
const EXACT: i64 = 1 << 53;

/// A session in which every event table is a table, all of one view of the store.
pub(crate) fn session(core: &Arc<Core>, queries: &Queries) -> SessionContext {
    // A scan has one partition, and whoever runs a plan gives one thread at a time to it.
    let config = SessionConfig::new().with_target_partitions(1);
    let session = SessionContext::new_with_config_rt(config, queries.environment());
    let view = core.view();
    for table in Table::ALL {
        let (core, view) = (Arc::clone(core), view.clone());
        let registered =
            session.register_table(table.name(), Arc::new(EventTable { core, view, table: *table }));
        registered.expect("a new session has no table of that name");
    }
    session
}

/// The plan of a query that reads; of anything else none is made.
pub(crate) async fn plan_sql(
    session: &SessionContext,
    text: &str,
) -> std::result::Result<Arc<dyn ExecutionPlan>, QueryError> {
    let only_queries =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let plan = async {
        let query = session.sql_with_options(text, only_queries).await?;
        query.create_physical_plan().await
    };
    plan.await.map_err(|error| QueryError::Invalid(error.strip_backtrace()))
}

/// An event table in one view of the store.
struct EventTable {
    core: Arc<Core>,
    view: View,
    table: Table,
}

impl fmt::Debug for EventTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventTable({})", self.table.name())
    }
}

#[async_trait]
impl TableProvider for EventTable {
    fn schema(&self) -> SchemaRef {
        store::schema(self.table)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let schema = self.schema();
        let support = |filter: &&Expr| match Pushed::of(filter, &schema) {
            Some(_) => TableProviderFilterPushDown::Exact,
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
        let mut range = TimeRange::ALL;
        let mut conditions = Vec::new();
        for filter in filters {
            match Pushed::of(filter, &whole) {
                Some(Pushed::Range(within)) => {
                    range = TimeRange::new(range.start.max(within.start), range.end.min(within.end));
                }
                Some(Pushed::Condition(condition)) => conditions.push(condition),
                // It was not taken, and is carried out above.
                None => {}
            }
        }
        let filter = RowFilter::new(&whole, conditions)
            .map_err(|error| datafusion::common::DataFusionError::External(Box::new(error)))?;
        let schema = match projection {
            Some(places) => Arc::new(whole.project(places)?),
            None => whole,
        };
        let Some(range) = self.core.kept.range_of_table(self.table, range, Timestamp::now()) else {
            return Ok(Arc::new(EmptyExec::new(schema)));
        };
        let wanted = Wanted { schema, filter, range, order: Order::OldestFirst, first: None };
        Ok(Arc::new(ScanExec::new(&self.core, &self.view, self.table, wanted, Answer::AsRead(limit))))
    }
}

/// A filter that is carried out where rows are read.
#[derive(Debug, PartialEq)]
enum Pushed {
    Range(TimeRange),
    Condition(Condition),
}

impl Pushed {
    /// A filter that means the same; `None` when there is none.
    fn of(filter: &Expr, schema: &SchemaRef) -> Option<Self> {
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
        let condition = Condition { column: column.to_owned(), op, value };
        RowFilter::new(schema, [condition.clone()]).is_ok().then_some(Self::Condition(condition))
    }
}

fn time_range(op: Operator, nanos: i64) -> Option<TimeRange> {
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

#[cfg(test)]
mod tests;
