//! Checks that ask a query.

use async_trait::async_trait;
use promql::Query;

use super::table::{CheckVerdict, counted};
use super::{Check, CheckError, Context, Table, text};
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

    async fn run(&self, context: &Context) -> Result<Table, CheckError> {
        let query = Query::parse("collector_up == 0").map_err(EvaluateError::Query)?;
        let found = context.sources.evaluator.evaluate(&query, context.now).await?;
        let rows = found
            .iter()
            .map(|finding| [text(finding.labels.get("collector")), text(finding.labels.get("target"))]);
        let table = Table::new(["collector", "target"], rows).or_else_note("every collector works");
        Ok(match found.len() {
            0 => table.judged(CheckVerdict::Fine, "every collector works"),
            failing => {
                table.judged(CheckVerdict::Bad, format!("{} cannot look", counted(failing, "collector")))
            }
        })
    }
}

pub(super) fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(CollectorsDown)]
}
