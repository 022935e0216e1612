//! Evidence: what a runbook's checks give at the moment an alert fires.
//!
//! A [`Check`] reads live state or asks a query, and gives a small table. All checks of one alert run
//! side by side within one time limit; one that fails or is too slow says so in its place.

mod exits;
mod live;
mod queries;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::Timestamp;
use pipeline::Pipeline;
use serde::{Deserialize, Serialize};

use crate::evaluate::{EvaluateError, Evaluator};
use crate::template::{humanize_1024, humanize_duration};

/// The checks that a rule's `runbook` can name.
pub(crate) const CHECK_NAMES: &[&str] = &[
    "active_jobs",
    "collectors_down",
    "disk_use",
    "oom_kills",
    "recent_exits",
    "oldest_pending_tasks",
    "oldest_processing_tasks",
    "queues",
    "recent_failures",
    "top_processes_by_memory",
    "workers",
];

/// The most rows of one table.
const MAX_ROWS: usize = 10;
/// The longest text in a table, in characters.
const MAX_CELL_CHARS: usize = 120;

/// What a check gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name.
    pub check: String,
    /// What it shows, in words.
    pub title: String,
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
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) evaluator: Arc<dyn Evaluator>,
}

impl Context {
    fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }
}

/// Rows for columns, and what is to be said beside them.
#[derive(Debug, Default)]
pub(crate) struct Table {
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    note: Option<String>,
}

impl Table {
    fn new<const N: usize>(columns: [&'static str; N], rows: impl IntoIterator<Item = [String; N]>) -> Self {
        Self { columns: columns.to_vec(), rows: rows.into_iter().map(Vec::from).collect(), note: None }
    }

    /// What is said when there are no rows.
    fn or_else_note(mut self, note: &str) -> Self {
        if self.rows.is_empty() {
            self.note = Some(note.to_owned());
        }
        self
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
    async fn run(&self, context: &Context) -> Result<Table, EvaluateError>;
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
        Self { checks, timeout }
    }

    /// What the checks of a runbook give, in its order.
    pub(crate) async fn gather(&self, runbook: &[String], context: &Context) -> Vec<CheckResult> {
        let asked = runbook.iter().filter_map(|name| self.checks.iter().find(|check| check.name() == name));
        futures::future::join_all(asked.map(|check| self.one(check.as_ref(), context))).await
    }

    async fn one(&self, check: &dyn Check, context: &Context) -> CheckResult {
        let table = match tokio::time::timeout(self.timeout, check.run(context)).await {
            Ok(Ok(table)) => table,
            Ok(Err(error)) => Table { note: Some(format!("the check failed: {error}")), ..Table::default() },
            Err(_) => {
                let note = format!("the check took longer than {:?}", self.timeout);
                Table { note: Some(note), ..Table::default() }
            }
        };
        let cut = |text: String| text.chars().take(MAX_CELL_CHARS).collect::<String>();
        CheckResult {
            check: check.name().to_owned(),
            title: check.title().to_owned(),
            columns: table.columns.into_iter().map(str::to_owned).collect(),
            rows: table
                .rows
                .into_iter()
                .take(MAX_ROWS)
                .map(|row| row.into_iter().map(cut).collect())
                .collect(),
            note: table.note,
        }
    }
}

fn bytes(number: u64) -> String {
    format!("{}B", humanize_1024(number as f64))
}

fn age(seconds: f64) -> String {
    humanize_duration(seconds.round())
}

fn share(ratio: Option<f64>) -> String {
    ratio.map_or_else(none, |ratio| format!("{:.0}%", ratio * 100.0))
}

fn text(value: Option<&str>) -> String {
    value.map_or_else(none, str::to_owned)
}

fn none() -> String {
    "-".to_owned()
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

    #[test]
    fn amounts_are_written_for_people() {
        assert_eq!(bytes(4_831_838_208), "4.5GiB");
        assert_eq!(age(125.4), "2m 5s");
        assert_eq!(share(Some(0.915)), "92%");
        assert_eq!(share(None), "-");
    }
}
