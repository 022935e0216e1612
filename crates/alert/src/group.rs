//! Evaluating one group: its rules one after the other, each result on its way to the clerk or to the
//! store. A rule that fails says so, and the next goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Labels, MetricBatch, Timestamp};
use parking_lot::{Mutex, RwLock};
use promql::Cancel;

use crate::book::{Book, RuleAlerts};
use crate::clerk::{ClerkHandle, Observation, Sighting};
use crate::evaluate::{Asking, AsksNothing, Evaluator, Finding};
use crate::evidence::{CheckResult, Checks, Context, Sources};
use crate::machine::{Input, Policy, Standing};
use crate::metrics::{Iteration, Metrics};
use crate::results::{self, ResultError, Templating};
use crate::series::{self, Sink};
use crate::template::{External, Template};
use crate::{AlertRule, Group, RecordingRule, Rule, RuleHealth};

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
    /// How long one expression, or the queries of all templates of a rule, may take.
    pub(crate) query_timeout: Duration,
    /// What `$externalLabels` and `$externalURL` say.
    pub(crate) external: External,
    /// Before this time what is missing does not count as gone, by the group's own interval.
    pub(crate) started_at: RwLock<Option<Timestamp>>,
    pub(crate) grace: Option<Duration>,
}

/// A group with how its rules do.
pub(crate) struct GroupRunner {
    group: Group,
    interval: Duration,
    rules: Vec<RuleRunner>,
    last: Mutex<Option<Evaluated>>,
    tools: Arc<Tools>,
}

/// The groups that are evaluated.
pub(crate) type Groups = Arc<Vec<Arc<GroupRunner>>>;

/// When a group was evaluated last, and how long that took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evaluated {
    pub(crate) at: Timestamp,
    pub(crate) took: Duration,
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
    #[error(transparent)]
    Results(ResultError),
    #[error("the templates could not be filled in")]
    Templates(#[source] tokio::task::JoinError),
    #[error("the states of its alerts could not be stored")]
    State(#[source] state::StateError),
    #[error("its series could not be stored")]
    Ingest(#[source] ingest::IngestError),
    #[error(
        "duplicate sample for timestamp: {conflicts} of its samples have other values, which another rule has written"
    )]
    Conflict { conflicts: u64 },
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
        let rules: Vec<RuleRunner> = rules.collect();
        let interval = group.interval.unwrap_or(default_interval);
        tools.metrics.groups.appear(&group.key(), interval, rules.len());
        Self { interval, group, rules, last: Mutex::default(), tools }
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

    pub(crate) fn last(&self) -> Option<Evaluated> {
        *self.last.lock()
    }

    /// Notes an evaluation.
    pub(crate) fn took(&self, iteration: &Iteration) {
        *self.last.lock() = Some(Evaluated { at: iteration.at, took: iteration.took });
        self.tools.metrics.groups.done(&self.group.key(), iteration);
    }

    /// Shows how the same rules did in the groups that were there before.
    pub(crate) fn remember_health(&self, before: &Groups) {
        for runner in &self.rules {
            let known = before
                .iter()
                .flat_map(|group| &group.rules)
                .find(|known| known.rule.id() == runner.rule.id());
            if let Some(known) = known {
                *runner.health.lock() = known.health();
            }
        }
    }

    /// Evaluates all rules as of `at`.
    pub(crate) async fn evaluate(&self, at: Timestamp) {
        let asked = at.before(self.group.query_offset);
        let (key, metrics) = (self.group.key(), &self.tools.metrics.groups);
        let mut samples = 0;
        for runner in &self.rules {
            let began = Instant::now();
            let done = match runner.rule.as_ref() {
                Rule::Alert(rule) => self.alert(runner, rule, at, asked).await,
                Rule::Record(rule) => self.record(runner, rule, asked).await,
            };
            let took = began.elapsed();
            metrics.evaluated(&key, took, done.is_err());
            samples += done.as_ref().copied().unwrap_or_default();
            let mut health = runner.health.lock();
            health.last_evaluation = Some(at);
            health.duration = Some(took);
            health.health = if done.is_ok() { RuleHealth::Ok } else { RuleHealth::Failed };
            health.last_error = done.err().map(|failure| {
                let reason = chain(&failure);
                tracing::warn!(group = self.group.name, rule = runner.rule.name(), reason, "a rule failed");
                reason
            });
        }
        metrics.gave(&key, samples);
    }

    /// Says how many samples it has written.
    async fn alert(
        &self,
        runner: &RuleRunner,
        rule: &AlertRule,
        at: Timestamp,
        asked: Timestamp,
    ) -> Result<usize, Failure> {
        let findings = self.findings(&runner.rule, asked).await?;
        let (given, limit) = (findings.len(), self.tools.max_alerts);
        if given > limit {
            return Err(Failure::Results(ResultError::TooManyAlerts { limit, given }));
        }
        let sightings = self.sightings(&runner.rule, rule, findings, asked).await?;
        let policy = Policy { hold: rule.hold, keep_firing_for: rule.keep_firing_for };
        let known = self.tools.book.of_rule(&rule.id);
        let active = sightings.len() + outlasting(policy, &known, &sightings, at);
        if let Err(error) = results::within(self.group.limit, active, "alerts") {
            self.forget(rule, &error, at).await?;
            return Err(Failure::Results(error));
        }
        let evidence = self.evidence(rule, policy, &known, &sightings, at).await;
        let observation = Observation {
            policy,
            sightings,
            evidence,
            absence_counts: self.absence_counts(at),
            ..Observation::of_nothing(&rule.id, &rule.group, &rule.name, at)
        };
        let alerts = self.observe(observation).await?;
        self.write(runner, series::of_alerts(&alerts), asked).await
    }

    /// Ends all alerts of a rule that is over its limit, as Prometheus does.
    async fn forget(&self, rule: &AlertRule, error: &ResultError, at: Timestamp) -> Result<(), Failure> {
        let observation = Observation {
            note: Some(format!("its rule went over the limit of its group: {error}")),
            ..Observation::of_nothing(&rule.id, &rule.group, &rule.name, at)
        };
        self.observe(observation).await.map(drop)
    }

    async fn observe(&self, observation: Observation) -> Result<RuleAlerts, Failure> {
        self.tools.clerk.observe(observation).await.map_err(Failure::Gone)?.map_err(Failure::State)
    }

    /// Says how many samples it has written.
    async fn record(
        &self,
        runner: &RuleRunner,
        rule: &RecordingRule,
        asked: Timestamp,
    ) -> Result<usize, Failure> {
        let findings = self.findings(&runner.rule, asked).await?;
        results::within(self.group.limit, findings.len(), "series").map_err(Failure::Results)?;
        let series = results::recorded(rule, findings).map_err(Failure::Results)?;
        self.write(runner, series, asked).await
    }

    /// Writes what a rule gives, before the next rule is evaluated: that one may ask for it.
    async fn write(
        &self,
        runner: &RuleRunner,
        series: series::Written,
        at: Timestamp,
    ) -> Result<usize, Failure> {
        let mut batch = MetricBatch::new();
        series::batch(&series, &runner.written.lock(), at, &mut batch);
        let (count, ends) = (series.len(), batch.sample_count().saturating_sub(series.len()));
        let mut conflicts = 0;
        if !batch.is_empty() {
            let outcome = self.tools.sink.write(batch).await.map_err(Failure::Ingest)?;
            conflicts = series::conflicts(outcome, ends);
        }
        *runner.written.lock() = series.into_keys().collect();
        if conflicts > 0 {
            return Err(Failure::Conflict { conflicts });
        }
        Ok(count)
    }

    async fn findings(&self, rule: &Rule, asked: Timestamp) -> Result<Vec<Finding>, Failure> {
        self.tools.evaluator.evaluate(rule.query(), asked).await.map_err(Failure::Evaluate)
    }

    /// The alerts of a rule with their labels and annotations. Where templates ask queries, on a thread of its own,
    /// and only for so long: what is not answered by then fails, and the texts say so.
    async fn sightings(
        &self,
        shared: &Arc<Rule>,
        rule: &AlertRule,
        findings: Vec<Finding>,
        asked: Timestamp,
    ) -> Result<Vec<Sighting>, Failure> {
        let external = self.tools.external.clone();
        if !rule.labels.values().chain(rule.annotations.values()).any(Template::asks) {
            let templating = Templating { external: &external, now: asked, querier: &AsksNothing };
            return results::sightings(rule, &findings, &templating).map_err(Failure::Results);
        }
        let cancel = Cancel::new();
        let querier =
            Asking { evaluator: Arc::clone(&self.tools.evaluator), time: asked, cancel: cancel.clone() };
        let shared = Arc::clone(shared);
        let mut work = tokio::task::spawn_blocking(move || match shared.as_ref() {
            Rule::Alert(rule) => {
                let templating = Templating { external: &external, now: asked, querier: &querier };
                results::sightings(rule, &findings, &templating)
            }
            Rule::Record(_) => Ok(Vec::new()),
        });
        let done = match tokio::time::timeout(self.tools.query_timeout, &mut work).await {
            Ok(done) => done,
            Err(_) => {
                cancel.cancel();
                work.await
            }
        };
        done.map_err(Failure::Templates)?.map_err(Failure::Results)
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

/// How many alerts live on although the rule does not give them: those that `keep_firing_for` keeps.
fn outlasting(policy: Policy, known: &RuleAlerts, sightings: &[Sighting], at: Timestamp) -> usize {
    let given: BTreeSet<&str> = sightings.iter().map(|sighting| sighting.id.as_str()).collect();
    let lives_on = |standing: Standing| {
        let after = standing.step(policy, Input::Absent, at);
        matches!(after, Ok(Standing::Firing { .. } | Standing::Acknowledged { .. }))
    };
    let missing = known.values().filter(|record| !given.contains(record.id.as_str()));
    missing.filter(|record| lives_on(Standing::of(record))).count()
}

/// Hands on what rules have written, from groups that are evaluated no more to those that are now. Series that no rule
/// writes any more are marked as ended.
pub(crate) async fn hand_over(gone: &[Arc<GroupRunner>], come: &[Arc<GroupRunner>], at: Timestamp) {
    let mut left: BTreeMap<&str, BTreeSet<Labels>> = BTreeMap::new();
    for runner in gone.iter().flat_map(|group| &group.rules) {
        left.insert(runner.rule.id(), std::mem::take(&mut *runner.written.lock()));
    }
    for runner in come.iter().flat_map(|group| &group.rules) {
        if let Some(written) = left.remove(runner.rule.id()) {
            runner.written.lock().extend(written);
        }
    }
    let Some(tools) = gone.first().map(|group| &group.tools) else { return };
    for group in gone.iter().filter(|gone| !come.iter().any(|come| come.group.key() == gone.group.key())) {
        tools.metrics.groups.disappear(&group.group.key());
    }
    let mut batch = MetricBatch::new();
    series::end(left.values().flatten(), at, &mut batch);
    if !batch.is_empty()
        && let Err(error) = tools.sink.write(batch).await
    {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "the series of removed rules could not be marked as ended");
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
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
