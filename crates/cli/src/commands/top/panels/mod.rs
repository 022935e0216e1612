//! The six panels: each turns a picture into a table, and knows nothing of the terminal.

mod alerts;
mod errors;
mod hosts;
mod jobs;
mod queues;
mod workers;

use super::grid::{Column, Grid, Row, Tone};
use super::picture::Picture;

/// A panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Panel {
    Queues,
    Workers,
    Jobs,
    Alerts,
    Hosts,
    Errors,
}

impl Panel {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 6] =
        [Self::Queues, Self::Workers, Self::Jobs, Self::Alerts, Self::Hosts, Self::Errors];

    /// Its place among all, from 0.
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// What stands above it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Queues => "Queues",
            Self::Workers => "Workers",
            Self::Jobs => "Jobs",
            Self::Alerts => "Alerts",
            Self::Hosts => "Hosts",
            Self::Errors => "Recent errors",
        }
    }

    /// What is said when it has no rows.
    pub(crate) fn nothing(self) -> &'static str {
        match self {
            Self::Queues => "no queue is watched yet",
            Self::Workers => "no worker has been heard of",
            Self::Jobs => "no job has been heard of",
            Self::Alerts => "nothing fires",
            Self::Hosts => "no host is watched",
            Self::Errors => "none",
        }
    }

    /// Its columns.
    pub(crate) fn columns(self) -> &'static [Column] {
        match self {
            Self::Queues => queues::COLUMNS,
            Self::Workers => workers::COLUMNS,
            Self::Jobs => jobs::COLUMNS,
            Self::Alerts => alerts::COLUMNS,
            Self::Hosts => hosts::COLUMNS,
            Self::Errors => errors::COLUMNS,
        }
    }

    /// Its rows, in their own order: what needs a look first.
    pub(crate) fn grid(self, picture: &Picture) -> Grid {
        let rows = match self {
            Self::Queues => queues::rows(picture),
            Self::Workers => workers::rows(picture),
            Self::Jobs => jobs::rows(picture),
            Self::Alerts => alerts::rows(picture),
            Self::Hosts => hosts::rows(picture),
            Self::Errors => errors::rows(picture),
        };
        Grid { columns: self.columns(), rows }
    }
}

/// The most rows of a panel: more than anybody moves through with keys.
const MAX_ROWS: usize = 500;

/// The first rows of a panel.
fn bounded(rows: impl Iterator<Item = Row>) -> Vec<Row> {
    rows.take(MAX_ROWS).collect()
}

/// The tone of a severity.
pub(crate) fn severity(name: &str) -> Tone {
    match name {
        "info" => Tone::Quiet,
        "warning" => Tone::Warning,
        // A severity that is not known here is not taken lightly.
        _ => Tone::Bad,
    }
}
