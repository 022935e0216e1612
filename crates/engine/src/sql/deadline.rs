//! Planning ends when its time is over, or when nobody waits for it any more.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use store::{Cancel, QueryError};

/// Until when a plan may be made.
#[derive(Clone)]
pub(super) struct Until {
    pub(super) deadline: Option<Instant>,
    pub(super) cancel: Cancel,
    /// What is said when the time is over.
    pub(super) timed_out: String,
}

impl Until {
    /// Whether there is time left.
    pub(super) fn check(&self) -> Result<(), QueryError> {
        if self.cancel.is_cancelled() {
            return Err(QueryError::Stopped("nobody waits for it any more"));
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(QueryError::TimedOut(self.timed_out.clone()));
        }
        Ok(())
    }

    /// The rule, which looks at the time before each node that it rewrites.
    pub(super) fn over(self: &Arc<Self>, rule: &Rule) -> Rule {
        Arc::new(Timed { rule: Arc::clone(rule), until: Arc::clone(self) })
    }
}

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

struct Timed {
    rule: Rule,
    until: Arc<Until>,
}

impl fmt::Debug for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.rule, f)
    }
}

impl OptimizerRule for Timed {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>, DataFusionError> {
        self.until.check().map_err(|error| DataFusionError::External(Box::new(error)))?;
        self.rule.rewrite(plan, config)
    }
}
