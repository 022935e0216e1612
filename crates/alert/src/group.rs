//! Evaluating one group: its rules one after the other, each result on its way to the clerk or to the
//! store. A rule that fails says so, and the next goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Labels, LabelsBuilder, MetricBatch, Timestamp};
use parking_lot::{Mutex, RwLock};

use crate::book::{Book, RuleAlerts};
use crate::clerk::{ClerkHandle, Observation, Sighting};
use crate::evaluate::{Evaluator, Finding};
use crate::evidence::{CheckResult, Checks, Context, Sources};
use crate::machine::{Input, Policy, Standing};
use crate::metrics::Metrics;
use crate::rules::identity;
use crate::series::{self, Sink};
use crate::{AlertRule, Group, RecordingRule, Rule, RuleHealth, Severity};

/// For how many alerts of one evaluation evidence is gathered; the rest fire without.
const MAX_EVIDENCE: usize = 10;

/// What all groups work with.
pub(crate) struct Tools {
    pub(crate) evaluator: Arc<dyn Evaluator>,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) checks: Checks,
    /// What checks look at.
    pub(crate) sources: Sources,
    pub(crate) clerk: ClerkHandle,
    pub(crate) book: Arc<Book>,
    pub(crate) metrics: Metrics,
    pub(crate) max_alerts: usize,
    /// Before this time what is missing does not count as gone, by the group's own interval.
    pub(crate) started_at: RwLock<Option<Timestamp>>,
    pub(crate) grace: Option<Duration>,
}

/// A group with how its rules do.
pub(crate) struct GroupRunner {
    group: Group,
    interval: Duration,
    rules: Vec<RuleRunner>,
    tools: Arc<Tools>,
}

/// A rule, and how it does.
pub(crate) struct RuleRunner {
    pub(crate) rule: Arc<Rule>,
    health: Mutex<Health>,
    /// The series that it wrote the last time.
    written: Mutex<BTreeSet<Labels>>,
}

/// How a rule does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    pub(crate) health: RuleHealth,
    pub(crate) last_error: Option<String>,
    pub(crate) last_evaluation: Option<Timestamp>,
    pub(crate) duration: Option<Duration>,
}

/// Why a rule failed, in words.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Evaluate(crate::evaluate::EvaluateError),
    #[error("the expression gives {given} results, and {limit} are allowed")]
    TooMany { given: usize, limit: usize },
    #[error("two results become the same {what} {labels}")]
    Same { what: &'static str, labels: Labels },
    #[error("the states of its alerts could not be stored")]
    State(#[source] state::StateError),
    #[error("its series could not be stored")]
    Ingest(#[source] ingest::IngestError),
    #[error(transparent)]
    Gone(crate::clerk::Gone),
}

impl RuleRunner {
    pub(crate) fn health(&self) -> Health {
        self.health.lock().clone()
    }
}

impl GroupRunner {
    pub(crate) fn new(group: Group, default_interval: Duration, tools: Arc<Tools>) -> Self {
        let rules = group.rules.iter().map(|rule| RuleRunner {
            rule: Arc::clone(rule),
            health: Mutex::default(),
            written: Mutex::default(),
        });
        let rules = rules.collect();
        Self { interval: group.interval.unwrap_or(default_interval), group, rules, tools }
    }

    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    pub(crate) fn group(&self) -> &Group {
        &self.group
    }

    pub(crate) fn rules(&self) -> &[RuleRunner] {
        &self.rules
    }

    pub(crate) fn took(&self, duration: Duration, missed: u64) {
        self.tools.metrics.group_done(duration, missed);
    }

    /// Evaluates all rules as of `at`.
    pub(crate) async fn evaluate(&self, at: Timestamp) {
        let mut alert_series = MetricBatch::new();
        for runner in &self.rules {
            let began = Instant::now();
            let done = match runner.rule.as_ref() {
                Rule::Alert(rule) => self.alert(runner, rule, at, &mut alert_series).await,
                Rule::Record(rule) => self.record(runner, rule, at).await,
            };
            self.tools.metrics.evaluated(done.is_err());
            let mut health = runner.health.lock();
            health.last_evaluation = Some(at);
            health.duration = Some(began.elapsed());
            health.health = if done.is_ok() { RuleHealth::Ok } else { RuleHealth::Failed };
            health.last_error = done.err().map(|failure| {
                let reason = chain(&failure);
                tracing::warn!(group = self.group.name, rule = runner.rule.name(), reason, "a rule failed");
                reason
            });
        }
        if !alert_series.is_empty()
            && let Err(error) = self.tools.sink.write(alert_series).await
        {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, group = self.group.name, "the series ALERTS could not be stored");
        }
    }

    async fn alert(
        &self,
        runner: &RuleRunner,
        rule: &AlertRule,
        at: Timestamp,
        alert_series: &mut MetricBatch,
    ) -> Result<(), Failure> {
        let findings = self.findings(&runner.rule, at, self.tools.max_alerts).await?;
        let sightings = sightings(rule, &findings)?;
        let policy = Policy { hold: rule.hold, keep_firing_for: rule.keep_firing_for };
        let known = self.tools.book.of_rule(&rule.id);
        let evidence = self.evidence(rule, policy, &known, &sightings, at).await;
        let observation = Observation {
            rule_id: rule.id.clone(),
            group: rule.group.clone(),
            rule: rule.name.clone(),
            policy,
            at,
            sightings,
            evidence,
            absence_counts: self.absence_counts(at),
            note: None,
        };
        let alerts =
            self.tools.clerk.observe(observation).await.map_err(Failure::Gone)?.map_err(Failure::State)?;
        let series = series::of_alerts(&alerts);
        let mut written = runner.written.lock();
        series::batch(&series, &written, at, alert_series);
        *written = series.into_keys().collect();
        Ok(())
    }

    async fn record(&self, runner: &RuleRunner, rule: &RecordingRule, at: Timestamp) -> Result<(), Failure> {
        let findings = self.findings(&runner.rule, at, usize::MAX).await?;
        let mut series = BTreeMap::new();
        for finding in findings {
            let mut builder = finding.labels.to_builder();
            builder.set(model::labels::METRIC_NAME, rule.name.as_str());
            for (name, value) in &rule.labels {
                builder.set(name.as_str(), value.as_str());
            }
            let labels = builder.build();
            if series.insert(labels.clone(), finding.value).is_some() {
                return Err(Failure::Same { what: "series", labels });
            }
        }
        let mut batch = MetricBatch::new();
        series::batch(&series, &runner.written.lock(), at, &mut batch);
        if !batch.is_empty() {
            self.tools.sink.write(batch).await.map_err(Failure::Ingest)?;
        }
        *runner.written.lock() = series.into_keys().collect();
        Ok(())
    }

    async fn findings(&self, rule: &Rule, at: Timestamp, bound: usize) -> Result<Vec<Finding>, Failure> {
        let asked = at.before(self.group.query_offset);
        let findings = self.tools.evaluator.evaluate(rule.query(), asked).await.map_err(Failure::Evaluate)?;
        let limit = self.group.limit.unwrap_or(bound).min(bound);
        if findings.len() > limit {
            return Err(Failure::TooMany { given: findings.len(), limit });
        }
        Ok(findings)
    }

    /// The machine is asked beforehand which alerts will fire, so that checks do not hold up the clerk.
    /// When somebody acts in between, evidence is gathered in vain, and nothing else happens.
    async fn evidence(
        &self,
        rule: &AlertRule,
        policy: Policy,
        known: &RuleAlerts,
        sightings: &[Sighting],
        at: Timestamp,
    ) -> BTreeMap<String, Vec<CheckResult>> {
        let fires = |sighting: &&Sighting| {
            let standing = known.get(&sighting.id).map_or(Standing::Inactive, Standing::of);
            let fires = |standing: &Standing| matches!(standing, Standing::Firing { .. });
            !fires(&standing) && standing.step(policy, Input::Present, at).is_ok_and(|next| fires(&next))
        };
        if rule.runbook.is_empty() {
            return BTreeMap::new();
        }
        let gathered = sightings.iter().filter(fires).take(MAX_EVIDENCE).map(|sighting| async {
            let context =
                Context { now: at, labels: sighting.labels.clone(), sources: self.tools.sources.clone() };
            (sighting.id.clone(), self.tools.checks.gather(&rule.runbook, &context).await)
        });
        futures::future::join_all(gathered).await.into_iter().collect()
    }

    fn absence_counts(&self, at: Timestamp) -> bool {
        let grace = self.tools.grace.unwrap_or(self.interval * 2);
        self.tools.started_at.read().is_none_or(|started| at >= started.after(grace))
    }
}

/// The alerts that a rule's results are.
fn sightings(rule: &AlertRule, findings: &[Finding]) -> Result<Vec<Sighting>, Failure> {
    let mut sightings: Vec<Sighting> = Vec::with_capacity(findings.len());
    let mut seen = BTreeSet::new();
    for finding in findings {
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let of_result: BTreeMap<String, String> = finding.labels.iter().map(text).collect();
        let mut builder: LabelsBuilder = finding.labels.to_builder();
        builder.remove(model::labels::METRIC_NAME);
        for (name, template) in &rule.labels {
            builder.set(name.as_str(), template.render(&of_result, finding.value));
        }
        builder.set("alertname", rule.name.as_str());
        let labels = builder.build();
        let id = identity([&rule.id, &rule.group, &rule.name], labels.iter());
        if !seen.insert(id.clone()) {
            return Err(Failure::Same { what: "alert", labels });
        }
        let severity = labels.get("severity").and_then(|text| text.parse().ok());
        sightings.push(Sighting {
            id,
            severity: severity.unwrap_or(Severity::Warning),
            labels: labels.iter().map(text).collect(),
            annotations: rule
                .annotations
                .iter()
                .map(|(key, template)| (key.clone(), template.render(&of_result, finding.value)))
                .collect(),
            value: finding.value,
        });
    }
    Ok(sightings)
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
