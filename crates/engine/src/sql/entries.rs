//! Which entries of maps a statement looks at: where `attributes['k']` is all that becomes of a table's attributes, its
//! scans read `k` alone.
//!
//! Maps are followed from the scans upwards. Every column of a plan that is nothing but a map of a table has it as its
//! origin; what an expression does with such a column but ask for one value by a constant name is a use of the whole
//! map, and so is being in the answer. Whatever is not understood is taken for such a use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, TableScan, TableSource};
use store::{Entries, Table};

use crate::query::pushdown::ATTRIBUTE;
use crate::query::table::EventTable;

/// The plan with scans that read no other entries of maps than it looks at. Needs a large stack.
pub(super) fn narrowed(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut uses = Uses::default();
    let answer = uses.of(&plan)?;
    answer.iter().flatten().for_each(|origin| uses.whole(origin));
    if uses.are_unclear {
        return Ok(plan);
    }
    let narrowed = plan.transform_down(|part| match part {
        LogicalPlan::TableScan(scan) => Ok(match uses.source(&scan) {
            Some(source) => Transformed::yes(LogicalPlan::TableScan(TableScan { source, ..scan })),
            None => Transformed::no(LogicalPlan::TableScan(scan)),
        }),
        part => Ok(Transformed::no(part)),
    });
    narrowed.map(|narrowed| narrowed.data)
}

/// A column of maps of a table. What all scans of it look at is taken together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Origin {
    table: Table,
    map: String,
}

/// What each column of a part of a plan is; nothing but a map, if it is anything that matters here.
type Columns = Vec<BTreeSet<Origin>>;

/// What a plan looks at.
#[derive(Default)]
struct Uses {
    /// Entries, by their names.
    entries: BTreeMap<Origin, BTreeSet<String>>,
    /// All of a map.
    whole: BTreeSet<Origin>,
    /// Whether there is something of which nobody knows what it looks at.
    are_unclear: bool,
}

impl Uses {
    fn whole(&mut self, origin: &Origin) {
        self.whole.insert(origin.clone());
    }

    /// The columns of a part of a plan, once what it looks at is noted.
    fn of(&mut self, plan: &LogicalPlan) -> Result<Columns> {
        let mut inputs = Vec::new();
        for input in plan.inputs() {
            inputs.push((input, self.of(input)?));
        }
        let count = plan.schema().fields().len();
        let columns = self.columns(plan, &inputs)?;
        if let Some(columns) = columns.filter(|columns| columns.len() == count) {
            return Ok(columns);
        }
        inputs.iter().flat_map(|(_, columns)| columns).flatten().for_each(|origin| self.whole(origin));
        Ok(vec![BTreeSet::new(); count])
    }

    /// The same; `None` where it is not known what becomes of the inputs.
    fn columns(&mut self, plan: &LogicalPlan, inputs: &[(&LogicalPlan, Columns)]) -> Result<Option<Columns>> {
        if let LogicalPlan::TableScan(scan) = plan {
            // Its filters are carried out where rows are read, or above it.
            return Ok(Some(scanned(scan)));
        }
        if let LogicalPlan::Projection(projection) = plan {
            let mut columns = Columns::new();
            for expr in &projection.expr {
                match bare(expr).and_then(|column| origins(column, inputs)) {
                    Some(origins) => columns.push(origins),
                    None => {
                        self.look(expr, inputs)?;
                        columns.push(BTreeSet::new());
                    }
                }
            }
            return Ok(Some(columns));
        }
        plan.apply_expressions(|expr| self.look(expr, inputs).map(|()| TreeNodeRecursion::Continue))?;
        let [first, ..] = inputs else { return Ok(None) };
        let nothing = |columns: usize| vec![BTreeSet::new(); columns];
        Ok(match plan {
            LogicalPlan::Filter(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::SubqueryAlias(_) => Some(first.1.clone()),
            LogicalPlan::Aggregate(_) => Some(nothing(plan.schema().fields().len())),
            LogicalPlan::Window(window) => {
                Some([first.1.clone(), nothing(window.window_expr.len())].concat())
            }
            LogicalPlan::Join(join) => {
                let [left, right] = inputs else { return Ok(None) };
                Some(joined(join.join_type, &left.1, &right.1))
            }
            LogicalPlan::Union(_) => united(inputs),
            _ => None,
        })
    }

    /// Notes what an expression looks at.
    fn look(&mut self, expr: &Expr, inputs: &[(&LogicalPlan, Columns)]) -> Result<()> {
        expr.apply(|expr| {
            if let Some((map, key)) = entry(expr)
                && let Some(origins) = origins(map, inputs)
            {
                for origin in origins {
                    self.entries.entry(origin).or_default().insert(key.to_owned());
                }
                return Ok(TreeNodeRecursion::Jump);
            }
            match expr {
                Expr::Column(column) => match origins(column, inputs) {
                    Some(origins) => origins.iter().for_each(|origin| self.whole(origin)),
                    None => self.are_unclear = true,
                },
                // What these look at is in plans of their own.
                Expr::OuterReferenceColumn(..)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
                | Expr::ScalarSubquery(_) => self.are_unclear = true,
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(())
    }

    /// The table of a scan with what is looked at; `None` when that is all, or when it is no table of events.
    fn source(&self, scan: &TableScan) -> Option<Arc<dyn TableSource>> {
        let provider = source_as_provider(&scan.source).ok()?;
        let EventTable { core, view, table, tally, .. } = provider.downcast_ref::<EventTable>()?;
        let looked_at = self.entries.iter().filter(|(origin, _)| {
            let is_scanned = scanned(scan).iter().any(|origins| origins.contains(*origin));
            is_scanned && !self.whole.contains(*origin)
        });
        let entries =
            looked_at.fold(Entries::all(), |entries, (origin, keys)| entries.only(&origin.map, keys.clone()));
        if entries.is_all() {
            return None;
        }
        let (core, view, tally) = (Arc::clone(core), view.clone(), Arc::clone(tally));
        Some(provider_as_source(Arc::new(EventTable { core, view, table: *table, entries, tally })))
    }
}

/// The columns of a scan.
fn scanned(scan: &TableScan) -> Columns {
    let provider = source_as_provider(&scan.source).ok();
    let table =
        provider.as_ref().and_then(|provider| provider.downcast_ref::<EventTable>()).map(|table| table.table);
    let origin = |name: &str| table.map(|table| Origin { table, map: name.to_owned() });
    let columns = scan.projected_schema.fields().iter().map(|field| match field.data_type() {
        DataType::Map(..) => origin(field.name()).into_iter().collect(),
        _ => BTreeSet::new(),
    });
    columns.collect()
}

/// The column that an expression is, whatever it is called.
fn bare(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(Alias { expr, .. }) => bare(expr),
        _ => None,
    }
}

/// The map and the name of the entry that an expression is.
fn entry(expr: &Expr) -> Option<(&Column, &str)> {
    let Expr::ScalarFunction(call) = expr else { return None };
    match &*call.args {
        [Expr::Column(map), Expr::Literal(ScalarValue::Utf8(Some(key)), _)]
            if call.func.name() == ATTRIBUTE =>
        {
            Some((map, key.as_str()))
        }
        _ => None,
    }
}

/// Which maps a column is; `None` when there is no such column.
fn origins(column: &Column, inputs: &[(&LogicalPlan, Columns)]) -> Option<BTreeSet<Origin>> {
    let places = inputs.iter().filter_map(|(input, columns)| {
        let place = input.schema().maybe_index_of_column(column)?;
        columns.get(place)
    });
    let all: Vec<&BTreeSet<Origin>> = places.collect();
    (!all.is_empty()).then(|| all.into_iter().flatten().cloned().collect())
}

fn joined(join_type: JoinType, left: &[BTreeSet<Origin>], right: &[BTreeSet<Origin>]) -> Columns {
    let mark = [BTreeSet::new()];
    match join_type {
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => [left, right].concat(),
        JoinType::LeftSemi | JoinType::LeftAnti => left.to_vec(),
        JoinType::RightSemi | JoinType::RightAnti => right.to_vec(),
        JoinType::LeftMark => [left, &mark[..]].concat(),
        JoinType::RightMark => [right, &mark[..]].concat(),
    }
}

/// Columns that are each those of all inputs at their place.
fn united(inputs: &[(&LogicalPlan, Columns)]) -> Option<Columns> {
    let ((_, first), others) = inputs.split_first()?;
    let mut columns = first.clone();
    for (_, other) in others {
        if other.len() != columns.len() {
            return None;
        }
        columns.iter_mut().zip(other).for_each(|(column, other)| column.extend(other.iter().cloned()));
    }
    Some(columns)
}
