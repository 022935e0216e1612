//! Which entries of maps a statement looks at: where `attributes['k']` is all that becomes of a table's attributes, its
//! scans read `k` alone.
//!
//! Maps are followed from the scans upwards. Every column of a plan that is nothing but a map of a table has it as its
//! origin; what an expression does with such a column but ask for one value by a constant name is a use of the whole
//! map, and so is being in the answer. Whatever is not understood is taken for such a use.
//!
//! Attributes that are columns of scans, see [`super::values`], are followed in the same way: whether they are made
//! numbers of one type, or are looked at in another way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::expr::{Alias, Cast, TryCast};
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

/// The attributes that a plan has as columns of its scans and that become numbers of one type, whatever is done with
/// them; each with this type. Needs a large stack.
pub(super) fn numbers(plan: &LogicalPlan) -> Result<BTreeMap<(Table, String), DataType>> {
    let mut uses = Uses { part: Part::Number, ..Uses::default() };
    let answer = uses.of(plan)?;
    answer.iter().flatten().for_each(|origin| uses.whole(origin));
    if uses.are_unclear {
        return Ok(BTreeMap::new());
    }
    let Uses { entries, whole, .. } = uses;
    let known = entries.into_iter().filter(|(origin, _)| !whole.contains(origin));
    let numbers = known.filter_map(|(Origin { table, map }, types)| {
        let mut types = NUMBERS.iter().filter(|number| types.contains(&number.to_string()));
        let number = types.next()?.clone();
        types.next().is_none().then_some(((table, map), number))
    });
    Ok(numbers.collect())
}

/// The types of numbers that are made of attributes before they are needed.
const NUMBERS: &[DataType] = &[DataType::Float64, DataType::Int64];

/// What is a part of a column and not all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    /// An entry of a map, by its name.
    #[default]
    Entry,
    /// The numbers of the texts of an attribute, by their type.
    Number,
}

impl Part {
    /// The column and the part of it that an expression is.
    fn of(self, expr: &Expr) -> Option<(&Column, String)> {
        match self {
            Self::Entry => entry(expr).map(|(map, key)| (map, key.to_owned())),
            Self::Number => number(expr).map(|(column, number)| (column, number.to_string())),
        }
    }
}

/// A column of a table of which parts are looked at. What all scans of it look at is taken together.
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
    part: Part,
    /// Entries, or other parts, by their names.
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
            return Ok(Some(scanned(scan, self.part)));
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
            // Numbers have another type than texts, and one column of a union has one.
            LogicalPlan::Union(_) if self.part == Part::Entry => united(inputs),
            _ => None,
        })
    }

    /// Notes what an expression looks at.
    fn look(&mut self, expr: &Expr, inputs: &[(&LogicalPlan, Columns)]) -> Result<()> {
        expr.apply(|expr| {
            if let Some((map, key)) = self.part.of(expr)
                && let Some(origins) = origins(map, inputs)
            {
                for origin in origins {
                    self.entries.entry(origin).or_default().insert(key.clone());
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
        let EventTable { core, view, table, values, tally, .. } = provider.downcast_ref::<EventTable>()?;
        let looked_at = self.entries.iter().filter(|(origin, _)| {
            let is_scanned = scanned(scan, self.part).iter().any(|origins| origins.contains(*origin));
            is_scanned && !self.whole.contains(*origin)
        });
        let entries =
            looked_at.fold(Entries::all(), |entries, (origin, keys)| entries.only(&origin.map, keys.clone()));
        if entries.is_all() {
            return None;
        }
        let (core, view, tally) = (Arc::clone(core), view.clone(), Arc::clone(tally));
        let (table, values) = (*table, values.clone());
        Some(provider_as_source(Arc::new(EventTable { core, view, table, entries, values, tally })))
    }
}

/// The columns of a scan.
fn scanned(scan: &TableScan, part: Part) -> Columns {
    let provider = source_as_provider(&scan.source).ok();
    let scanned = provider.as_ref().and_then(|provider| provider.downcast_ref::<EventTable>());
    let origin = |field: &Field| {
        let scanned = scanned?;
        let has_parts = match part {
            Part::Entry => matches!(field.data_type(), DataType::Map(..)),
            Part::Number => scanned.values.iter().any(|value| value.name == *field.name()),
        };
        has_parts.then(|| Origin { table: scanned.table, map: field.name().clone() })
    };
    scan.projected_schema.fields().iter().map(|field| origin(field).into_iter().collect()).collect()
}

/// The column that an expression is, whatever it is called.
fn bare(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(Alias { expr, .. }) => bare(expr),
        _ => None,
    }
}

/// The column and the type of the numbers that an expression makes of its texts.
pub(super) fn number(expr: &Expr) -> Option<(&Column, &DataType)> {
    let (Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field })) = expr else {
        return None;
    };
    match &**expr {
        Expr::Column(column) if NUMBERS.contains(field.data_type()) => Some((column, field.data_type())),
        _ => None,
    }
}

/// The map and the name of the entry that an expression is.
pub(super) fn entry(expr: &Expr) -> Option<(&Column, &str)> {
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
