//! What alerting shows of itself: rules with their health, channels with their outcome.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Timestamp;
use state::{AlertRecord, AlertState, DeliveryCounts, Transition};

use crate::group::{GroupRunner, RuleRunner};
use crate::template::Template;
use crate::{Alerts, Rule, Severity};

/// An alert with how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertDetail {
    /// The alert.
    pub alert: AlertRecord,
    /// Its history, newest first.
    pub history: Vec<Transition>,
}

/// What a rule makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// Alerts.
    Alerting,
    /// A series.
    Recording,
}

impl RuleKind {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alerting => "alerting",
            Self::Recording => "recording",
        }
    }
}

/// How the last evaluation of a rule went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuleHealth {
    /// There was none yet.
    #[default]
    Unknown,
    /// Well.
    Ok,
    /// It failed; alerts stand as they stood.
    Failed,
}

impl RuleHealth {
    /// Its name, as Prometheus has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Failed => "err",
        }
    }
}

/// A rule, and how it does.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleStatus {
    /// Its id.
    pub id: String,
    /// The file that it stands in.
    pub file: String,
    /// The line that it begins on.
    pub line: u64,
    /// Its group.
    pub group: String,
    /// How often it is evaluated.
    pub interval: Duration,
    /// Its name: that of its alerts, or of the series that it records.
    pub name: String,
    /// What it makes.
    pub kind: RuleKind,
    /// Its expression.
    pub query: String,
    /// How long the expression has to hold before an alert fires.
    pub hold: Duration,
    /// How long an alert fires on after the expression has ceased to hold.
    pub keep_firing_for: Duration,
    /// How bad its alerts are; `None` for a recording rule.
    pub severity: Option<Severity>,
    /// Labels as they are written, templates and all.
    pub labels: BTreeMap<String, String>,
    /// Annotations as they are written, templates and all.
    pub annotations: BTreeMap<String, String>,
    /// The checks that run when it fires.
    pub runbook: Vec<String>,
    /// How its last evaluation went.
    pub health: RuleHealth,
    /// Why its last evaluation failed.
    pub last_error: Option<String>,
    /// When it was last evaluated.
    pub last_evaluation: Option<Timestamp>,
    /// How long that took.
    pub duration: Option<Duration>,
    /// What is odd about it, in words.
    pub warnings: Vec<String>,
    /// How many of its alerts are in each state; none of those that are over.
    pub alerts: BTreeMap<AlertState, u64>,
}

/// A group of rules, and how it does.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupStatus {
    /// Its name.
    pub name: String,
    /// The file that it stands in.
    pub file: String,
    /// How often it is evaluated.
    pub interval: Duration,
    /// The most results of each of its rules; `None` is no bound of its own.
    pub limit: Option<usize>,
    /// When it was last evaluated.
    pub last_evaluation: Option<Timestamp>,
    /// How long that took.
    pub duration: Option<Duration>,
    /// Its rules, in their order.
    pub rules: Vec<RuleStatus>,
}

impl Alerts {
    /// The rules, and how they do.
    pub fn rules(&self) -> Vec<RuleStatus> {
        self.rule_groups().into_iter().flat_map(|group| group.rules).collect()
    }

    /// The groups of rules, and how they do.
    pub fn rule_groups(&self) -> Vec<GroupStatus> {
        let group = |runner: &std::sync::Arc<GroupRunner>| GroupStatus {
            name: runner.group().name.clone(),
            file: runner.group().file.clone(),
            interval: runner.interval(),
            limit: runner.group().limit,
            last_evaluation: runner.last().map(|last| last.at),
            duration: runner.last().map(|last| last.took),
            rules: runner.rules().iter().map(|rule| self.status(runner, rule)).collect(),
        };
        self.groups().iter().map(group).collect()
    }

    /// The alerts of a rule as they stand now, none of those that are over.
    pub fn alerts_of(&self, rule_id: &str) -> Vec<AlertRecord> {
        let is_over =
            |record: &AlertRecord| matches!(record.state, AlertState::Inactive | AlertState::Resolved);
        self.tools.book.of_rule(rule_id).into_values().filter(|record| !is_over(record)).collect()
    }

    fn status(&self, group: &GroupRunner, runner: &RuleRunner) -> RuleStatus {
        let health = runner.health();
        let rule = runner.rule.as_ref();
        let mut status = RuleStatus {
            id: rule.id().to_owned(),
            file: group.group().file.clone(),
            line: rule.line(),
            group: group.group().name.clone(),
            interval: group.interval(),
            name: rule.name().to_owned(),
            kind: RuleKind::Recording,
            query: rule.query().text().to_owned(),
            hold: Duration::ZERO,
            keep_firing_for: Duration::ZERO,
            severity: None,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            runbook: Vec::new(),
            health: health.health,
            last_error: health.last_error,
            last_evaluation: health.last_evaluation,
            duration: health.duration,
            warnings: rule.warnings(),
            alerts: self.tools.book.counts(rule.id()),
        };
        match rule {
            Rule::Record(rule) => status.labels.clone_from(&rule.labels),
            Rule::Alert(rule) => {
                let texts = |templates: &BTreeMap<String, Template>| {
                    templates
                        .iter()
                        .map(|(key, template)| (key.clone(), template.text().to_owned()))
                        .collect()
                };
                status.kind = RuleKind::Alerting;
                (status.hold, status.keep_firing_for) = (rule.hold, rule.keep_firing_for);
                status.severity = Some(rule.severity);
                (status.labels, status.annotations) = (texts(&rule.labels), texts(&rule.annotations));
                status.runbook.clone_from(&rule.runbook);
            }
        }
        status
    }
}

/// What a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// Mail over SMTP.
    Email,
    /// HTTP with Alertmanager's payload.
    Webhook,
}

impl ChannelKind {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }
}

/// A channel, and how it does.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelStatus {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ChannelKind,
    /// Where it leads, without secrets.
    pub target: String,
    /// Alerts less severe than this are not told over it.
    pub min_severity: Severity,
    /// Whether it tells the end of alerts.
    pub send_resolved: bool,
    /// Whether its last attempt succeeded; `None` when there was none.
    pub up: Option<bool>,
    /// When it last delivered something.
    pub last_success: Option<Timestamp>,
    /// When it last failed.
    pub last_failure: Option<Timestamp>,
    /// Why it last failed.
    pub last_error: Option<String>,
    /// How many notifications are in each state.
    pub deliveries: DeliveryCounts,
}
