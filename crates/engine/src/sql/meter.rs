//! Window functions gather the rows of a partition without asking for memory: below each of them stands a node that
//! asks for it ([`HeldExec`]).

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use store::SqlError;

use super::fault;
use super::held::HeldExec;

/// Plan nodes that gather rows unasked.
const GATHERING: [&str; 2] = ["WindowAggExec", "BoundedWindowAggExec"];

/// The plan, of which every part asks for the memory that it takes.
pub(super) fn metered(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>, SqlError> {
    let metered = plan.transform_up(|node| {
        if !GATHERING.contains(&node.name()) {
            return Ok(Transformed::no(node));
        }
        let held = node.children().into_iter().map(|child| HeldExec::over(Arc::clone(child))).collect();
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        Ok(Transformed::yes(node.replace_children(held, options)?))
    });
    metered.data().map_err(|error| SqlError::Query(fault::query_error(error)))
}
