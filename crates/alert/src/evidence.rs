//! Evidence: what a runbook's checks give at the moment an alert fires, or when somebody asks.
//!
//! A [`Check`] reads live state, stored events or a query, and gives a small table with a verdict. All
//! checks of one alert run side by side within one time limit; one that fails or is too slow says so in
//! its place. From when on something is worth a look stands in [`DiagnosisConfig`], not here.

mod changes;
mod errors;
mod exits;
mod live;
mod probes;
mod processes;
mod queries;
mod queues;
mod stuck;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::Timestamp;
use pipeline::Pipeline;
use serde::{Deserialize, Serialize};
use state::State;
use store::TelemetryStore;

use crate::DiagnosisConfig;
use crate::evaluate::{EvaluateError, Evaluator};
pub use table::CheckVerdict;
use table::{Table, age, bytes, none, share, text};

/// The checks that a rule's `runbook` can name.
pub(crate) const CHECK_NAMES: &[&str] = &[
    "active_jobs",
    "collectors_down",
    "dependencies",
    "disk_use",
    "llm_backends",
    "oldest_pending_tasks",
    "oldest_processing_tasks",
    "oom_kills",
    "queue_heads",
    "queues",
    "recent_changes",
    "recent_errors",
    "recent_exits",
    "recent_failures",
    "stuck_tasks",
    "top_processes_by_memory",
    "workers",
];

/// The most rows of one table.
const MAX_ROWS: usize = 10;
/// The longest text in a table, in characters.
const MAX_CELL_CHARS: usize = 120;
/// The longest reason of a verdict, in characters.
const MAX_REASON_CHARS: usize = 300;

/// What a check gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name.
    pub check: String,
    /// What it shows, in words.
    pub title: String,
    /// What to make of it.
    pub verdict: CheckVerdict,
    /// Why, in one sentence; empty when there is nothing to say.
    pub reason: String,
    /// The columns of the table.
    pub columns: Vec<String>,
    /// The rows, each with a text for each column.
    pub rows: Vec<Vec<String>>,
    /// What is to be said beside the table: why it is empty, or why the check failed.
    pub note: Option<String>,
}

/// What checks look at.
pub(crate) struct Context {
    /// When the alert fired.
    pub(crate) now: Timestamp,
    /// The alert's labels: a check of a queue looks at the alert's queue.
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) sources: Sources,
}

/// What there is to look at, whatever the alert.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) evaluator: Arc<dyn Evaluator>,
    /// Stored events.
    pub(crate) store: Arc<dyn TelemetryStore>,
    /// Other alerts, and the audit log.
    pub(crate) state: State,
    pub(crate) config: DiagnosisConfig,
}

/// A check that could not look.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    #[error("stored events could not be read")]
    Events(#[source] store::QueryError),
    #[error("stored events could not be understood")]
    Rows(#[source] store::ColumnError),
    #[error("what people did could not be read")]
    State(#[source] state::StateError),
    #[error("the look was broken off")]
    Broken(#[source] tokio::task::JoinError),
}

impl Context {
    /// Live state.
    fn pipeline(&self) -> &Pipeline {
        &self.sources.pipeline
    }

    fn config(&self) -> &DiagnosisConfig {
        &self.sources.config
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }
}

/// One check.
#[async_trait]
pub(crate) trait Check: Send + Sync {
    /// The name by which a runbook asks for it.
    fn name(&self) -> &'static str;
    /// What it shows, in words.
    fn title(&self) -> &'static str;
    /// Looks.
    async fn run(&self, context: &Context) -> Result<Table, CheckError>;
}

/// The checks.
pub(crate) struct Checks {
    checks: Vec<Box<dyn Check>>,
    timeout: Duration,
}

impl Checks {
    /// Every check there is; those of one alert take `timeout` at the most.
    pub(crate) fn all(timeout: Duration) -> Self {
        let mut checks = live::checks();
        checks.extend(queries::checks());
        checks.extend(exits::checks());
        checks.extend(queues::checks());
        let further: [Box<dyn Check>; 4] = [
            Box::new(processes::TopProcesses),
            Box::new(stuck::StuckTasks),
            Box::new(errors::RecentErrors),
            Box::new(changes::RecentChanges),
        ];
        checks.extend(further);
        checks.extend(probes::checks());
        Self { checks, timeout }
    }

    /// The checks by name, with what they show.
    pub(crate) fn titles(&self) -> Vec<(&'static str, &'static str)> {
        let mut titles: Vec<_> = self.checks.iter().map(|check| (check.name(), check.title())).collect();
        titles.sort_unstable();
        titles
    }

    /// What the checks of a runbook give, in its order.
    pub(crate) async fn gather(&self, runbook: &[String], context: &Context) -> Vec<CheckResult> {
        let asked = runbook.iter().filter_map(|name| self.checks.iter().find(|check| check.name() == name));
        futures::future::join_all(asked.map(|check| self.one(check.as_ref(), context))).await
    }

    async fn one(&self, check: &dyn Check, context: &Context) -> CheckResult {
        let table = match tokio::time::timeout(self.timeout, check.run(context)).await {
            Ok(Ok(table)) => table,
            Ok(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    check = check.name(),
                    "a check failed"
                );
                Table::not_looked(format!("the check failed: {error}"))
            }
            Err(_) => Table::not_looked(format!(
                "the check took longer than {:?} (alerts.evidence_timeout)",
                self.timeout
            )),
        };
        let cut = |text: String| text.chars().take(MAX_CELL_CHARS).collect::<String>();
        let reason = table.reason.chars().take(MAX_REASON_CHARS).collect();
        CheckResult {
            check: check.name().to_owned(),
            title: check.title().to_owned(),
            verdict: table.verdict,
            reason,
            columns: table.columns.into_iter().map(str::to_owned).collect(),
            rows: table
                .rows
                .into_iter()
                .take(table.max_rows.unwrap_or(MAX_ROWS))
                .map(|row| row.into_iter().map(cut).collect())
                .collect(),
            note: table.note,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_a_runbook_may_use_has_its_check() {
        let checks = Checks::all(Duration::from_secs(1));
        let mut names: Vec<&str> = checks.checks.iter().map(|check| check.name()).collect();
        names.sort_unstable();
        assert_eq!(names, CHECK_NAMES);
    }
}
