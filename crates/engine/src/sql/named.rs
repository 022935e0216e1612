//! Derived tables that have no name get one.
//!
//! DataFusion 55 takes a projection away whose expressions equal those of the projection below it, also where that
//! became so by other rules. Between derived tables without names `x + x AS x` over `x + x AS x` are such two, and one of
//! them would be missing in the answer. With a name between them their columns are told apart. Start reading at
//! [`name_derived_tables`]; columns of the answer whose names were made of such columns lose them again ([`plainly`]).

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Ident, TableAlias, TableFactor, VisitMut, VisitorMut};

/// What such names begin with. Nobody writes them without quotes.
const PREFIX: &str = "derived table ";

/// Names every derived table of a statement that has no name.
pub(super) fn name_derived_tables(statement: &mut Statement) {
    match statement {
        Statement::Explain(explained) => name_derived_tables(&mut explained.statement),
        Statement::Statement(statement) => _ = VisitMut::visit(&mut **statement, &mut Namer::default()),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => {}
    }
}

#[derive(Default)]
struct Namer {
    named: usize,
}

impl VisitorMut for Namer {
    type Break = ();

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Derived { alias: alias @ None, .. } = table {
            self.named += 1;
            let name = Ident::new(format!("{PREFIX}{}", self.named));
            *alias = Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None });
        }
        ControlFlow::Continue(())
    }
}

/// The plan with the names of columns that it would have without such names, unless two would be one then.
pub(super) fn plainly(plan: LogicalPlan) -> Result<LogicalPlan> {
    if matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_)) {
        return Ok(plan);
    }
    let names: Vec<String> = plan.schema().fields().iter().map(|field| plain(field.name())).collect();
    let is_as_before = plan.schema().fields().iter().zip(&names).all(|(field, name)| field.name() == name);
    if is_as_before || names.iter().collect::<HashSet<_>>().len() < names.len() {
        return Ok(plan);
    }
    let columns: Vec<Expr> =
        plan.schema().columns().into_iter().zip(names).map(|(column, name)| renamed(column, name)).collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

fn renamed(column: Column, name: String) -> Expr {
    if column.name == name { Expr::Column(column) } else { Expr::Column(column).alias(name) }
}

/// A name without all such names in it.
fn plain(name: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(name.len()), name);
    while let Some((before, behind)) = rest.split_once(PREFIX) {
        plain.push_str(before);
        let number = behind.bytes().take_while(u8::is_ascii_digit).count();
        match behind[number..].strip_prefix('.') {
            Some(column) if number > 0 => rest = column,
            _ => {
                plain.push_str(PREFIX);
                rest = behind;
            }
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_made_here_go_and_others_stay() {
        let cases = [
            ("derived table 1.x + derived table 12.x", "x + x"),
            ("sum(derived table 3.y)", "sum(y)"),
            ("derived table of mine", "derived table of mine"),
            ("derived table 7", "derived table 7"),
            ("x", "x"),
        ];
        for (name, expected) in cases {
            assert_eq!(plain(name), expected);
        }
    }
}
