//! Attributes as columns of scans: where a projection stands on a scan and asks for `attributes['k']`, and for nothing else
//! of the map, the scan gives it as a column, and no map is made.
//!
//! Where such a column is made numbers of one type, and nothing else is done with it, the scan gives the numbers that it
//! has, with the texts of which it has none, see [`numbers_of`]. A text is made a number where the statement does it and
//! not before: there it may be an error, or never come to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::format::DEFAULT_CAST_OPTIONS;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result, exec_err};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, Projection, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TableScan, TableScanBuilder, Volatility,
};
use store::Table;

use super::entries;
use crate::events::values::{Value, numbers, numbers_of};
use crate::query::table::EventTable;

/// The plan with attributes as columns of its scans, as far as they are looked at right above these. Needs a large stack.
pub(super) fn in_columns(plan: LogicalPlan) -> Result<LogicalPlan> {
    let with_columns = plan.transform_up(|part| match part {
        LogicalPlan::Projection(projection) => Ok(match on_columns(&projection)? {
            Some(projection) => Transformed::yes(LogicalPlan::Projection(projection)),
            None => Transformed::no(LogicalPlan::Projection(projection)),
        }),
        part => Ok(Transformed::no(part)),
    })?;
    if !with_columns.transformed {
        return Ok(with_columns.data);
    }
    let plan = with_columns.data;
    let known = entries::numbers(&plan)?;
    if known.is_empty() {
        return Ok(plan);
    }
    plan.transform_up(|part| with_numbers(part, &known)).map(|plan| plan.data)
}

/// A projection on a scan of attributes as columns; `None` when it is none, or looks at none but in whole maps.
fn on_columns(projection: &Projection) -> Result<Option<Projection>> {
    let LogicalPlan::TableScan(scan) = &*projection.input else { return Ok(None) };
    let Ok(provider) = source_as_provider(&scan.source) else { return Ok(None) };
    let Some(table) = provider.downcast_ref::<EventTable>() else { return Ok(None) };
    let values = looked_at(projection, table.table)?;
    if values.is_empty() || !table.values.is_empty() {
        return Ok(None);
    }
    let scan = with_values(scan, table, &values)?;
    let column = |expr: Expr| {
        let value = entries::entry(&expr)
            .and_then(|(map, key)| values.iter().find(|value| value.map == map.name && value.key == key));
        Ok(match value {
            Some(value) => {
                let column = Column::new(Some(scan.table_name.clone()), value.name.clone());
                Transformed::new(Expr::Column(column), true, TreeNodeRecursion::Jump)
            }
            None => Transformed::no(expr),
        })
    };
    let names = NamePreserver::new_for_projection();
    let exprs = projection.expr.iter().map(|expr| {
        let name = names.save(expr);
        expr.clone().transform_down(column).map(|expr| name.restore(expr.data))
    });
    let exprs = exprs.collect::<Result<Vec<_>>>()?;
    let input = Arc::new(LogicalPlan::TableScan(scan));
    Projection::try_new_with_schema(exprs, input, Arc::clone(&projection.schema)).map(Some)
}

/// The attributes at which a projection looks, of maps at which it looks in no other way.
fn looked_at(projection: &Projection, table: Table) -> Result<Vec<Value>> {
    let (mut values, mut others): (Vec<Value>, Vec<String>) = (Vec::new(), Vec::new());
    for expr in &projection.expr {
        expr.apply(|expr| {
            if let Some((map, key)) = entries::entry(expr) {
                let value = Value::new(&map.name, key);
                if !values.contains(&value) {
                    values.push(value);
                }
                return Ok(TreeNodeRecursion::Jump);
            }
            if let Expr::Column(column) = expr {
                others.push(column.name.clone());
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    let is_map = |name: &str| table.attribute_columns().contains(&name);
    values.retain(|value| is_map(&value.map) && !others.contains(&value.map));
    Ok(values)
}

/// A scan with these columns, instead of the maps that they are of.
fn with_values(scan: &TableScan, table: &EventTable, values: &[Value]) -> Result<TableScan> {
    let schema = store::schema(table.table);
    let of_table = schema.fields().len();
    let is_left = |place: &usize| {
        let name = schema.fields().get(*place).map(|field| field.name());
        !values.iter().any(|value| Some(&value.map) == name)
    };
    let all = || (0..of_table).collect::<Vec<_>>();
    let left = scan.projection.clone().unwrap_or_else(all).into_iter().filter(is_left);
    let projection = left.chain(of_table..of_table + values.len()).collect();
    of_table_with(scan, table, values.to_vec(), Some(projection))
}

fn of_table_with(
    scan: &TableScan,
    table: &EventTable,
    values: Vec<Value>,
    projection: Option<Vec<usize>>,
) -> Result<TableScan> {
    let EventTable { core, view, table, entries, tally, .. } = table;
    let (core, view, tally) = (Arc::clone(core), view.clone(), Arc::clone(tally));
    let (table, entries) = (*table, entries.clone());
    let source = provider_as_source(Arc::new(EventTable { core, view, table, entries, values, tally }));
    TableScanBuilder::new(scan.table_name.clone(), source)
        .with_projection(projection)
        .with_filters(scan.filters.clone())
        .with_fetch(scan.fetch)
        .with_statistics_requests(scan.statistics_requests.clone())
        .build()
}

/// A part of a plan in which these attributes come as numbers. Those that scans give have another type than texts, by
/// which all parts above know them.
fn with_numbers(
    part: LogicalPlan,
    known: &BTreeMap<(Table, String), DataType>,
) -> Result<Transformed<LogicalPlan>> {
    if let LogicalPlan::TableScan(scan) = &part {
        let scan = numbers_of_scan(scan, known)?;
        return Ok(scan.map_or(Transformed::no(part), |scan| Transformed::yes(LogicalPlan::TableScan(scan))));
    }
    let schemas: Vec<_> = part.inputs().into_iter().map(|input| Arc::clone(input.schema())).collect();
    let is_number = |field: &DataType| matches!(field, DataType::Struct(_));
    if !schemas.iter().any(|schema| schema.fields().iter().any(|field| is_number(field.data_type()))) {
        return Ok(Transformed::no(part));
    }
    let names = NamePreserver::new(&part);
    let rewritten = |expr: Expr| {
        let name = names.save(&expr);
        let expr = expr.transform_down(|expr| Ok(read_number(expr, &schemas)))?;
        Ok(expr.update_data(|expr| name.restore(expr)))
    };
    let part = part.map_expressions(|expr| match &expr {
        // What it groups by keeps its names; under a name of its own it would be none any more.
        Expr::GroupingSet(_) => expr.map_children(rewritten),
        _ => rewritten(expr),
    })?;
    part.data.recompute_schema().map(Transformed::yes)
}

fn numbers_of_scan(
    scan: &TableScan,
    known: &BTreeMap<(Table, String), DataType>,
) -> Result<Option<TableScan>> {
    let Ok(provider) = source_as_provider(&scan.source) else { return Ok(None) };
    let Some(table) = provider.downcast_ref::<EventTable>() else { return Ok(None) };
    let number = |value: &Value| known.get(&(table.table, value.name.clone())).cloned();
    if !table.values.iter().any(|value| number(value).is_some()) {
        return Ok(None);
    }
    let values = table.values.iter().map(|value| Value { number: number(value), ..value.clone() }).collect();
    of_table_with(scan, table, values, scan.projection.clone()).map(Some)
}

/// What makes a number of an attribute, where that may be one already.
fn read_number(expr: Expr, schemas: &[Arc<DFSchema>]) -> Transformed<Expr> {
    let Some((column, number)) = entries::number(&expr) else { return Transformed::no(expr) };
    let field = schemas.iter().find_map(|schema| Some(schema.field(schema.maybe_index_of_column(column)?)));
    let comes_so = field.is_some_and(|field| *field.data_type() == numbers(number));
    if !comes_so {
        return Transformed::no(expr);
    }
    let read = ReadNumber::new(number.clone(), matches!(expr, Expr::TryCast(_)));
    let read = ScalarUDF::new_from_impl(read).call(vec![Expr::Column(column.clone())]);
    Transformed::new(read, true, TreeNodeRecursion::Jump)
}

/// A cast of the texts of an attribute that come with the numbers that are known of them.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ReadNumber {
    number: DataType,
    /// Whether a text of which no number can be made is null, and no error.
    is_try: bool,
    signature: Signature,
}

impl ReadNumber {
    fn new(number: DataType, is_try: bool) -> Self {
        Self { number, is_try, signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for ReadNumber {
    fn name(&self) -> &'static str {
        if self.is_try { "try_read_number" } else { "read_number" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.number.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let Ok([column]) = <[_; 1]>::try_from(args.args) else {
            return exec_err!("{} takes a column", self.name());
        };
        let mut options = DEFAULT_CAST_OPTIONS;
        options.safe = self.is_try;
        let numbers: Result<ArrayRef> = numbers_of(&column.into_array(rows)?, |texts| {
            ColumnarValue::Array(texts).cast_to(&self.number, Some(&options))?.into_array(rows)
        });
        numbers.map(ColumnarValue::Array)
    }
}
