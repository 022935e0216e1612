//! Diagnosis on the wire.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shape;

/// What is to be looked at. With neither, every check runs.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// A rule: its checks run, for the labels of its alert when exactly one fires.
    pub(crate) rule: Option<String>,
    /// Checks by name; `GET /api/v1/checks` lists them. Not together with `rule`.
    pub(crate) checks: Vec<String>,
}

/// A check that a runbook can name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Check {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it shows.
    pub(crate) title: &'static str,
}

shape! {
    /// What a check found.
    CheckResult from alert::CheckResult {
        /// The check's name.
        check: String,
        /// What it shows.
        title: String,
        /// `fine`, `look` (something deserves a look) or `bad` (something is broken).
        verdict: &'static str,
        /// Why, in one sentence; empty when there is nothing to say.
        reason: String,
        /// The columns of its table.
        columns: Vec<String>,
        /// The rows, each with a text for each column.
        rows: Vec<Vec<String>>,
        /// Why the table is empty, or how it was cut.
        note: Option<String>,
    }
}

shape! {
    /// What was found.
    Diagnosis from alert::Diagnosis {
        /// When.
        #[schema(value_type = String, format = DateTime)]
        time: Timestamp,
        /// The alert that was looked at, if it was one.
        alert: Option<String>,
        /// Its rule, if one was looked at.
        rule: Option<String>,
        /// The labels that the checks were asked for.
        labels: BTreeMap<String, String>,
        /// What the checks found, in the order of the runbook.
        checks: Vec<CheckResult>,
    }
}
