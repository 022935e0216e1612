//! Event tables as tables of DataFusion: one view of the store, with filters, columns, order and limit
//! carried out by [`ScanExec`].

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use model::{TimeRange, Timestamp};
use store::{Entries, Order, Table};

use crate::core::{Core, View};
use crate::events::filter::RowFilter;
use crate::events::read::{Tally, Wanted};
use crate::events::values::Value;
use crate::query::plan::{Answer, ScanExec};
use crate::query::pushdown::Pushed;

/// An event table in one view of the store.
pub(crate) struct EventTable {
    pub(crate) core: Arc<Core>,
    pub(crate) view: View,
    pub(crate) table: Table,
    /// The entries of its maps that are looked at.
    pub(crate) entries: Entries,
    /// Attributes that are columns after those of the table.
    pub(crate) values: Vec<Value>,
    /// What its scans read.
    pub(crate) tally: Arc<Tally>,
}

impl fmt::Debug for EventTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventTable({})", self.table.name())
    }
}

#[async_trait]
impl TableProvider for EventTable {
    fn schema(&self) -> SchemaRef {
        let of_table = store::schema(self.table);
        if self.values.is_empty() {
            return of_table;
        }
        let values = self.values.iter().map(|value| Arc::new(value.field()));
        let fields: Vec<FieldRef> = of_table.fields().iter().cloned().chain(values).collect();
        Arc::new(Schema::new_with_metadata(fields, of_table.metadata().clone()))
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let schema = store::schema(self.table);
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
        let whole = store::schema(self.table);
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
            Some(places) => Arc::new(self.schema().project(places)?),
            None => self.schema(),
        };
        let Some(range) = self.core.kept.range_of_table(self.table, range, Timestamp::now()) else {
            return Ok(Arc::new(EmptyExec::new(schema)));
        };
        let is_wanted = |value: &&Value| schema.index_of(&value.name).is_ok();
        let values = self.values.iter().filter(is_wanted).cloned().collect();
        let (tally, entries) = (Arc::clone(&self.tally), self.entries.clone());
        let order = Order::OldestFirst;
        let wanted = Wanted { schema, entries, values, filter, range, order, first: None, tally };
        Ok(Arc::new(ScanExec::new(&self.core, &self.view, self.table, wanted, Answer::AsRead(limit))))
    }
}

#[cfg(test)]
mod tests;
