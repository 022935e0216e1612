//! What one test plays on: its series, the rules, and the alerts as they stand. Rules are evaluated as the server
//! does it, but that nothing is told and nothing lasts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::{ByteSize, DurationText, Histogram, Labels, MetricBatch, Timestamp};
use promql::notation::{Point, WrittenSeries};
use promql::{Cancel, Engine, Limits, Query};
use state::{AlertRecord, AlertState};

use super::TestFailure;
use super::form::{FileForm, TestForm};
use super::memory::MemoryStore;
use crate::book::RuleAlerts;
use crate::clerk::{Sighting, blank_record};
use crate::evaluate::{Finding, with_engine};
use crate::group::chain;
use crate::machine::{Input, Policy, Standing};
use crate::results::{self, Templating};
use crate::series;
use crate::template::{External, Querier};
use crate::{AlertRule, Group, Rule};

pub(super) struct Stage {
    store: Arc<MemoryStore>,
    engine: Engine,
    groups: Vec<Group>,
    external: External,
    start: Timestamp,
    /// Series whose values are not all in the store yet.
    inputs: Vec<InputSeries>,
    step_ms: i64,
    /// The alerts of each rule, by its id.
    alerts: BTreeMap<String, RuleAlerts>,
    /// What each rule wrote last, by its id.
    written: BTreeMap<String, BTreeSet<Labels>>,
}

struct InputSeries {
    labels: Labels,
    points: Vec<Point>,
    /// How many are in the store.
    loaded: usize,
    /// The last of them, if it is a histogram.
    before: Option<Histogram>,
}

/// The series of a test. Of two with the same labels the second counts, as in promtool.
fn inputs(file: &FileForm, test: &TestForm) -> Result<Vec<InputSeries>, String> {
    let mut inputs: BTreeMap<Labels, InputSeries> = BTreeMap::new();
    for WrittenSeries { labels, points } in file.inputs(test)? {
        inputs.insert(labels.clone(), InputSeries { labels, points, loaded: 0, before: None });
    }
    Ok(inputs.into_values().collect())
}

impl Stage {
    pub(super) fn new(
        file: &FileForm,
        test: &TestForm,
        groups: &[Group],
        start: Timestamp,
    ) -> Result<Self, String> {
        let store = Arc::new(MemoryStore::default());
        let limits = Limits {
            subquery_step: file.evaluation_interval(),
            cache_bytes: ByteSize(0),
            ..Limits::default()
        };
        let engine = Engine::new(Arc::clone(&store) as Arc<dyn store::TelemetryStore>, limits);
        Ok(Self {
            engine,
            store,
            groups: groups.to_vec(),
            external: External {
                labels: Arc::new(test.external_labels.clone()),
                url: test.external_url.clone(),
            },
            start,
            inputs: inputs(file, test)?,
            step_ms: i64::try_from(file.interval(test).0.as_millis()).unwrap_or(i64::MAX).max(1),
            alerts: BTreeMap::new(),
            written: BTreeMap::new(),
        })
    }

    /// The time so long after the beginning.
    pub(super) fn time(&self, after: DurationText) -> Timestamp {
        self.start.after(after.0)
    }

    /// Puts values into the store until a time after the beginning. Later ones are not seen before their time.
    fn load(&mut self, until_ms: i64) -> Result<(), String> {
        let mut batch = MetricBatch::new();
        let start_ms = self.start.as_millis();
        for input in &mut self.inputs {
            let due = usize::try_from(until_ms / self.step_ms).unwrap_or(usize::MAX).saturating_add(1);
            let due = due.min(input.points.len());
            for index in input.loaded..due {
                let value = match &input.points[index] {
                    Point::Absent => continue,
                    Point::Value(value) => {
                        input.before = None;
                        *value
                    }
                    Point::Histogram(written) => {
                        let histogram = written.stored_after(input.before.as_ref());
                        batch.histogram(input.before.insert(histogram))
                    }
                };
                let time_ms = start_ms + self.step_ms * i64::try_from(index).unwrap_or(i64::MAX);
                batch.push_one(&input.labels, time_ms, value);
            }
            input.loaded = due.max(input.loaded);
        }
        self.store.insert(&batch).map(drop)
    }

    /// Evaluates all rules so long after the beginning; gives what failed.
    pub(super) fn evaluate(&mut self, after_ms: i64) -> Vec<TestFailure> {
        let time = DurationText(Duration::from_millis(after_ms.unsigned_abs()));
        if let Err(error) = self.load(after_ms) {
            return vec![TestFailure::error("the series", time, error)];
        }
        let mut failures = Vec::new();
        for group in self.groups.clone() {
            for rule in &group.rules {
                if let Err(error) = self.rule(&group, rule, self.time(time)) {
                    failures.push(TestFailure::error(&format!("the rule {}", rule.name()), time, error));
                }
            }
        }
        failures
    }

    fn rule(&mut self, group: &Group, rule: &Rule, at: Timestamp) -> Result<(), String> {
        let asked = at.before(group.query_offset);
        let findings = with_engine(&self.engine, rule.query(), asked, &Cancel::never());
        let findings = findings.map_err(|error| chain(&error))?;
        let within =
            |given, what| results::within(group.limit, given, what).map_err(|error| error.to_string());
        let series = match rule {
            Rule::Record(rule) => {
                within(findings.len(), "series")?;
                results::recorded(rule, findings).map_err(|error| error.to_string())?
            }
            Rule::Alert(rule) => {
                let querier = Asked { engine: self.engine.clone(), time: asked };
                let templating = Templating { external: &self.external, now: asked, querier: &querier };
                let sightings = results::sightings(rule, &findings, &templating);
                let alerts = self.alerts.entry(rule.id.clone()).or_default();
                step(alerts, rule, sightings.map_err(|error| error.to_string())?, at);
                within(alerts.len(), "alerts")?;
                series::of_alerts(alerts)
            }
        };
        let before = self.written.entry(rule.id().to_owned()).or_default();
        let mut batch = MetricBatch::new();
        series::batch(&series, before, asked, &mut batch);
        let ends = batch.sample_count().saturating_sub(series.len()) as u64;
        *before = series.into_keys().collect();
        match self.store.insert(&batch)?.saturating_sub(ends) {
            0 => Ok(()),
            _ => Err("duplicate sample for timestamp".to_owned()),
        }
    }

    /// The alerts of this name that fire.
    pub(super) fn firing<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a AlertRecord> {
        let rules = self.groups.iter().flat_map(|group| &group.rules);
        rules
            .filter(move |rule| matches!(rule.as_ref(), Rule::Alert(_)) && rule.name() == name)
            .filter_map(|rule| self.alerts.get(rule.id()))
            .flat_map(BTreeMap::values)
            .filter(|record| record.state == AlertState::Firing)
    }

    /// What an expression gives.
    pub(super) fn ask(&self, query: &Query, time: Timestamp) -> Result<Vec<Finding>, String> {
        with_engine(&self.engine, query, time, &Cancel::never()).map_err(|error| chain(&error))
    }
}

/// The alerts of a rule after an evaluation.
fn step(alerts: &mut RuleAlerts, rule: &AlertRule, sightings: Vec<Sighting>, now: Timestamp) {
    let policy = Policy { hold: rule.hold, keep_firing_for: rule.keep_firing_for };
    let mut before = std::mem::take(alerts);
    for sighting in sightings {
        let mut record = before.remove(&sighting.id).unwrap_or_else(|| blank_record(&sighting.id));
        record.labels = sighting.labels;
        record.annotations = sighting.annotations;
        record.value = sighting.value;
        moved(alerts, record, policy, Input::Present, now);
    }
    for record in before.into_values() {
        moved(alerts, record, policy, Input::Absent, now);
    }
}

fn moved(alerts: &mut RuleAlerts, mut record: AlertRecord, policy: Policy, input: Input, now: Timestamp) {
    let before = Standing::of(&record);
    // The machine takes what an evaluation says wherever an alert stands.
    let after = before.clone().step(policy, input, now).unwrap_or(before);
    after.write(&mut record);
    if matches!(after, Standing::Pending { .. } | Standing::Firing { .. }) {
        alerts.insert(record.id.clone(), record);
    }
}

/// Answers queries of templates.
struct Asked {
    engine: Engine,
    time: Timestamp,
}

impl Querier for Asked {
    fn query(&self, expression: &str) -> Result<Vec<Finding>, String> {
        let query = Query::parse(expression).map_err(|error| error.to_string())?;
        with_engine(&self.engine, &query, self.time, &Cancel::never()).map_err(|error| chain(&error))
    }
}
