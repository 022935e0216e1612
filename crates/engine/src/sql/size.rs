//! How large the expressions of a plan become once they are written out.
//!
//! DataFusion pushes conditions down by putting in, for each column, the expression that the column stands for, and
//! writes some expressions as several copies of their parts (`BETWEEN` as two comparisons). Thirty columns, each of
//! which names the one before it twice, would become a thousand million parts. So the parts are counted, without
//! making any, before a plan is optimized.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DataFusionError, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Case, Distinct, Expr, Join, JoinType, LogicalPlan, Operator};
use store::StatementError;

/// The most parts of an expression, with all that its columns stand for.
const MAX_PARTS: usize = 10_000;
/// Lists of `IN` up to this length are written as comparisons, each with its own left side.
const SHORT_LIST: usize = 3;
/// A regular expression is written as up to so many comparisons.
const ALTERNATIVES: usize = 4;

/// Lets through plans whose expressions stay within bounds when they are written out.
pub(super) fn check(plan: &LogicalPlan) -> Result<(), StatementError> {
    Sizes::default().outputs(plan).map(|_| ())
}

fn unwalked(error: &DataFusionError) -> StatementError {
    StatementError::new(error.strip_backtrace())
}

#[derive(Default)]
struct Sizes {
    /// The most parts of an expression so far: what a column has of which it is not known where it comes from.
    largest: usize,
}

impl Sizes {
    /// The parts of each column that comes out of a node.
    fn outputs(&mut self, plan: &LogicalPlan) -> Result<Vec<usize>, StatementError> {
        let mut columns = Vec::new();
        for input in plan.inputs() {
            columns.push((&**input.schema(), self.outputs(input)?));
        }
        self.check_subqueries(plan)?;
        let inputs = Inputs { columns, largest: self.largest.max(1) };
        let mut most = 0;
        let walked = plan.apply_expressions(|expr| {
            most = most.max(inputs.parts(expr));
            Ok(TreeNodeRecursion::Continue)
        });
        walked.map_err(|error| unwalked(&error))?;
        if most > MAX_PARTS {
            return Err(StatementError::new(format!(
                "an expression of the statement has more than {MAX_PARTS} parts, with all that its columns stand for: \
                 name each column less often, or nest less"
            )));
        }
        self.largest = self.largest.max(most);
        Ok(inputs.outputs(plan))
    }

    fn check_subqueries(&mut self, plan: &LogicalPlan) -> Result<(), StatementError> {
        let mut fault = None;
        let walked = plan.apply_subqueries(|subquery| match self.outputs(subquery) {
            Ok(_) => Ok(TreeNodeRecursion::Continue),
            Err(error) => {
                fault = Some(error);
                Ok(TreeNodeRecursion::Stop)
            }
        });
        walked.map_err(|error| unwalked(&error))?;
        fault.map_or(Ok(()), Err)
    }
}

/// What goes into a node: the columns of each input with their parts.
struct Inputs<'p> {
    columns: Vec<(&'p DFSchema, Vec<usize>)>,
    largest: usize,
}

impl Inputs<'_> {
    fn outputs(&self, plan: &LogicalPlan) -> Vec<usize> {
        let columns = plan.schema().fields().len();
        let mut parts = match plan {
            LogicalPlan::Projection(projection) => self.each(&projection.expr),
            LogicalPlan::Distinct(Distinct::On(distinct)) => self.each(&distinct.select_expr),
            LogicalPlan::Join(join) => self.joined(join),
            LogicalPlan::Union(_) => self.united(columns),
            LogicalPlan::Aggregate(aggregate) => match &*aggregate.group_expr {
                // Conditions stay above sets of groups.
                [Expr::GroupingSet(_)] => Vec::new(),
                groups => self.each(groups),
            },
            LogicalPlan::Window(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Subquery(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::Repartition(_)
            | LogicalPlan::Distinct(Distinct::All(_)) => self.input(0).to_vec(),
            _ => vec![self.most(); columns],
        };
        if matches!(plan, LogicalPlan::Aggregate(_) | LogicalPlan::Window(_)) {
            // What is made of several rows is not put in anywhere.
            parts.resize(columns, 1);
        }
        if parts.len() == columns { parts } else { vec![self.most(); columns] }
    }

    fn input(&self, place: usize) -> &[usize] {
        self.columns.get(place).map_or(&[], |(_, parts)| parts.as_slice())
    }

    /// The parts of the largest column.
    fn most(&self) -> usize {
        self.columns.iter().flat_map(|(_, parts)| parts).copied().max().unwrap_or(1)
    }

    fn joined(&self, join: &Join) -> Vec<usize> {
        let (left, right) = (self.input(0), self.input(1));
        match join.join_type {
            JoinType::LeftSemi | JoinType::LeftAnti => left.to_vec(),
            JoinType::RightSemi | JoinType::RightAnti => right.to_vec(),
            JoinType::LeftMark => [left, &[1]].concat(),
            JoinType::RightMark => [right, &[1]].concat(),
            _ => [left, right].concat(),
        }
    }

    fn united(&self, columns: usize) -> Vec<usize> {
        let most = |column: usize| {
            self.columns.iter().map(|(_, parts)| parts.get(column).copied().unwrap_or(self.largest)).max()
        };
        (0..columns).map(|column| most(column).unwrap_or(1)).collect()
    }

    fn each(&self, exprs: &[Expr]) -> Vec<usize> {
        exprs.iter().map(|expr| self.parts(expr)).collect()
    }

    fn all<'e>(&self, exprs: impl IntoIterator<Item = &'e Expr>) -> usize {
        exprs.into_iter().map(|expr| self.parts(expr)).fold(0, usize::saturating_add)
    }

    fn column(&self, column: &Column) -> usize {
        let parts = self
            .columns
            .iter()
            .find_map(|(schema, parts)| parts.get(schema.maybe_index_of_column(column)?).copied());
        parts.unwrap_or(self.largest)
    }

    /// The parts of an expression, once its columns are put in and its parts are copied.
    fn parts(&self, expr: &Expr) -> usize {
        let below = match expr {
            Expr::Column(column) => return self.column(column),
            Expr::OuterReferenceColumn(..) => return self.largest,
            Expr::Alias(alias) => return self.parts(&alias.expr),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                self.all([&**left, &**right]).saturating_mul(copies(*op))
            }
            Expr::Between(between) => {
                let expr = self.parts(&between.expr).saturating_mul(2);
                expr.saturating_add(self.all([&*between.low, &*between.high]))
            }
            Expr::InList(list) => {
                let length = list.list.len();
                let copies = if length > SHORT_LIST { 1 } else { 2 * length.max(1) };
                self.parts(&list.expr).saturating_mul(copies).saturating_add(self.all(&list.list))
            }
            Expr::Case(case) => self.case(case),
            // They become a CASE, whose conditions are what it answers, too.
            Expr::ScalarFunction(call) if matches!(call.name(), "coalesce" | "nvl") => {
                self.all(&call.args).saturating_mul(2)
            }
            expr => {
                let mut below: usize = 0;
                // Nothing fails in it.
                _ = expr.apply_children(|child| {
                    below = below.saturating_add(self.parts(child));
                    Ok(TreeNodeRecursion::Continue)
                });
                below
            }
        };
        below.saturating_add(1)
    }

    /// One that answers yes or no is written with `AND` and `OR`: each condition again in all that come behind it.
    fn case(&self, case: &Case) -> usize {
        let arms = &case.when_then_expr;
        let is_flag =
            |then: &Expr| matches!(then, Expr::Literal(ScalarValue::Boolean(_), _) | Expr::Column(_));
        let is_written_out =
            case.expr.is_none() && (arms.len() < 3 || arms.iter().all(|(_, then)| is_flag(then)));
        let copies = if is_written_out { arms.len() + 1 } else { 1 };
        let whens = self.all(arms.iter().map(|(when, _)| &**when)).saturating_mul(copies);
        let others = arms.iter().map(|(_, then)| then).chain(&case.expr).chain(&case.else_expr);
        whens.saturating_add(self.all(others.map(|expr| &**expr)))
    }
}

/// How often an operator's sides are written.
fn copies(op: Operator) -> usize {
    match op {
        Operator::RegexMatch | Operator::RegexIMatch | Operator::RegexNotMatch | Operator::RegexNotIMatch => {
            ALTERNATIVES
        }
        // `date_part('year', time) = 2026` becomes a range of `time`.
        Operator::Eq
        | Operator::NotEq
        | Operator::Lt
        | Operator::LtEq
        | Operator::Gt
        | Operator::GtEq
        | Operator::IsDistinctFrom
        | Operator::IsNotDistinctFrom => 2,
        _ => 1,
    }
}
