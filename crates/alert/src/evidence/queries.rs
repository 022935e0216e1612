//! Checks that ask a query.

use async_trait::async_trait;
use promql::Query;

use super::{Check, Context, Table, text};
use crate::evaluate::EvaluateError;

struct CollectorsDown;

#[async_trait]
impl Check for CollectorsDown {
    fn name(&self) -> &'static str {
        "collectors_down"
    }

    fn title(&self) -> &'static str {
        "Collectors that fail"
    }

    async fn run(&self, context: &Context) -> Result<Table, EvaluateError> {
        let query = Query::parse("collector_up == 0").map_err(EvaluateError::Query)?;
        let found = context.evaluator.evaluate(&query, context.now).await?;
        let rows = found
            .iter()
            .map(|finding| [text(finding.labels.get("collector")), text(finding.labels.get("target"))]);
        Ok(Table::new(["collector", "target"], rows).or_else_note("every collector works"))
    }
}

pub(super) fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(CollectorsDown)]
}
