//! What plans of SQL do not do by themselves: ask for the memory of rows that they gather, and give others their turn.
//!
//! Window functions gather the rows of a partition without asking for memory: below each of them stands a node that
//! asks for it ([`HeldExec`]). Joins make many batches of one without ever pausing, so that no timeout would be looked
//! at: above each of them stands a node that pauses.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use store::SqlError;

use super::fault;
use super::held::HeldExec;

/// Plan nodes that gather rows unasked.
const GATHERING: [&str; 2] = ["WindowAggExec", "BoundedWindowAggExec"];

/// The plan, every part of which asks for the memory that it takes, and pauses.
pub(super) fn metered(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>, SqlError> {
    let metered = plan.transform_up(|node| {
        if GATHERING.contains(&node.name()) {
            let held = node.children().into_iter().map(|child| HeldExec::over(Arc::clone(child))).collect();
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            return Ok(Transformed::yes(node.replace_children(held, options)?));
        }
        if node.name().ends_with("JoinExec") {
            return Ok(Transformed::yes(Arc::new(CooperativeExec::new(node)) as Arc<dyn ExecutionPlan>));
        }
        Ok(Transformed::no(node))
    });
    metered.data().map_err(|error| SqlError::Query(fault::run_error(error)))
}
