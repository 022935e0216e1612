//! Diagnosis on demand: the checks of an alert, of a rule, or those that somebody names, run now.

use std::collections::BTreeMap;

use model::Timestamp;
use state::StateError;

use crate::evidence::{CHECK_NAMES, CheckResult, Context};
use crate::{Alerts, Rule};

/// Diagnoses at once. A check reads stored events, so many of them would take the store from others.
pub(crate) const MAX_AT_ONCE: usize = 2;

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An alert, by its id: the checks of its rule, for its labels.
    Alert(String),
    /// A rule, by its name: its checks, for the labels of its alert if it has one now.
    Rule(String),
    /// These checks, or all when none is named.
    Checks(Vec<String>),
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// When.
    pub time: Timestamp,
    /// The alert that was looked at, if it was one.
    pub alert: Option<String>,
    /// Its rule, if one was looked at.
    pub rule: Option<String>,
    /// The labels that the checks were asked for.
    pub labels: BTreeMap<String, String>,
    /// What the checks gave.
    pub checks: Vec<CheckResult>,
}

/// A diagnosis that was not made.
#[derive(Debug, thiserror::Error)]
pub enum DiagnoseError {
    /// There is no such alert.
    #[error("there is no such alert")]
    NoAlert,
    /// No alerting rule has this name.
    #[error("there is no alerting rule `{0}`")]
    NoRule(String),
    /// There is no such check.
    #[error("there is no check `{0}`; there are {list}", list = CHECK_NAMES.join(", "))]
    NoCheck(String),
    /// Others are being made.
    #[error("{MAX_AT_ONCE} diagnoses are being made already")]
    Busy,
    /// Stored alerts could not be read.
    #[error("the alert could not be read")]
    Store(#[source] StateError),
}

impl Alerts {
    /// The checks by name, with what they show.
    pub fn checks(&self) -> Vec<(&'static str, &'static str)> {
        self.tools.checks.titles()
    }

    /// Runs checks now. What an alert keeps as its evidence stays what was found when it fired.
    pub async fn diagnose(&self, subject: &Subject) -> Result<Diagnosis, DiagnoseError> {
        let _permit = self.diagnoses.try_acquire().map_err(|_| DiagnoseError::Busy)?;
        let mut diagnosis = Diagnosis {
            time: Timestamp::now(),
            alert: None,
            rule: None,
            labels: BTreeMap::new(),
            checks: Vec::new(),
        };
        let runbook = match subject {
            Subject::Alert(id) => {
                let found = self.get(id).await.map_err(DiagnoseError::Store)?;
                let alert = found.ok_or(DiagnoseError::NoAlert)?.alert;
                let runbook = self.runbook(|rule| rule.id == alert.rule_id).unwrap_or_default();
                (diagnosis.alert, diagnosis.rule) = (Some(alert.id), Some(alert.rule));
                diagnosis.labels = alert.labels;
                runbook
            }
            Subject::Rule(name) => {
                let no_rule = || DiagnoseError::NoRule(name.chars().take(128).collect());
                let runbook = self.runbook(|rule| rule.name == *name).ok_or_else(no_rule)?;
                diagnosis.rule = Some(name.clone());
                diagnosis.labels = self.labels_of(name).unwrap_or_default();
                runbook
            }
            Subject::Checks(names) => {
                if let Some(unknown) = names.iter().find(|name| !CHECK_NAMES.contains(&name.as_str())) {
                    return Err(DiagnoseError::NoCheck(unknown.chars().take(128).collect()));
                }
                let mut names = names.clone();
                names.sort_unstable();
                names.dedup();
                names
            }
        };
        // Where nobody has said what to look at, everything is looked at.
        let runbook = if runbook.is_empty() {
            CHECK_NAMES.iter().map(|name| (*name).to_owned()).collect()
        } else {
            runbook
        };
        let context = Context {
            now: diagnosis.time,
            labels: diagnosis.labels.clone(),
            sources: self.tools.sources.clone(),
        };
        diagnosis.checks = self.tools.checks.gather(&runbook, &context).await;
        Ok(diagnosis)
    }

    /// The checks of an alerting rule.
    fn runbook(&self, is_wanted: impl Fn(&crate::AlertRule) -> bool) -> Option<Vec<String>> {
        self.groups().iter().flat_map(|group| group.rules()).find_map(|runner| match runner.rule.as_ref() {
            Rule::Alert(rule) if is_wanted(rule) => Some(rule.runbook.clone()),
            Rule::Alert(_) | Rule::Record(_) => None,
        })
    }

    /// The labels of the alert of a rule, when it has exactly one now.
    fn labels_of(&self, rule: &str) -> Option<BTreeMap<String, String>> {
        let groups = self.groups();
        let runners = groups.iter().flat_map(|group| group.rules());
        let alerts = runners
            .filter(|runner| runner.rule.name() == rule)
            .flat_map(|runner| self.tools.book.of_rule(runner.rule.id()).into_values().collect::<Vec<_>>());
        let mut live = alerts.filter(|alert| {
            matches!(alert.state, state::AlertState::Firing | state::AlertState::Acknowledged)
        });
        live.next().filter(|_| live.next().is_none()).map(|alert| alert.labels)
    }
}
