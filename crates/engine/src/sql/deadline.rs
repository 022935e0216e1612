//! Planning ends when its time is over, or when nobody waits for it any more.
//!
//! That is looked at before each rule of the analyzer, before each node that a rule of the optimizer rewrites, and
//! before each rule of the physical optimizer. What lies between is short by the bounds of [`super::statement`] and
//! [`super::size`]: reading a statement, making its first plan, one rule of the analyzer, and the physical plan.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{AnalyzerRule, ApplyOrder, OptimizerConfig, OptimizerRule};
use datafusion::physical_optimizer::{PhysicalOptimizerContext, PhysicalOptimizerRule};
use datafusion::physical_plan::ExecutionPlan;
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

    fn look(&self) -> Result<()> {
        self.check().map_err(|error| DataFusionError::External(Box::new(error)))
    }

    /// The rule, which looks at the time before each node that it rewrites.
    pub(super) fn over(self: &Arc<Self>, rule: &Rule) -> Rule {
        Arc::new(Timed { rule: Arc::clone(rule), until: Arc::clone(self) })
    }

    /// The rule, which looks at the time first.
    pub(super) fn over_analysis(self: &Arc<Self>, rule: &Analysis) -> Analysis {
        Arc::new(Timed { rule: Arc::clone(rule), until: Arc::clone(self) })
    }

    /// The rule, which looks at the time first.
    pub(super) fn over_physical(self: &Arc<Self>, rule: &Physical) -> Physical {
        Arc::new(Timed { rule: Arc::clone(rule), until: Arc::clone(self) })
    }
}

type Rule = Arc<dyn OptimizerRule + Send + Sync>;
type Analysis = Arc<dyn AnalyzerRule + Send + Sync>;
type Physical = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

struct Timed<R> {
    rule: R,
    until: Arc<Until>,
}

impl<R: fmt::Debug> fmt::Debug for Timed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.rule, f)
    }
}

impl OptimizerRule for Timed<Rule> {
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
        self.until.look()?;
        self.rule.rewrite(plan, config)
    }
}

impl AnalyzerRule for Timed<Analysis> {
    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        self.until.look()?;
        self.rule.analyze(plan, config)
    }

    fn name(&self) -> &str {
        self.rule.name()
    }
}

impl PhysicalOptimizerRule for Timed<Physical> {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.until.look()?;
        self.rule.optimize(plan, config)
    }

    fn optimize_with_context(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: &dyn PhysicalOptimizerContext,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.until.look()?;
        self.rule.optimize_with_context(plan, context)
    }

    fn name(&self) -> &str {
        self.rule.name()
    }

    fn schema_check(&self) -> bool {
        self.rule.schema_check()
    }
}
